/* MeshMark of kept load results: its inputs out of runs, and the mark for people and programs. */
#ifndef TRAMMEL_HOST_REPORT_MESHMARK_REPORT_H
#define TRAMMEL_HOST_REPORT_MESHMARK_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "host/report/load_report.h"
#include "host/report/meshmark.h"

#define MESHMARK_RUNS_MAX 32 /* of a side */

struct meshmark_runs {
  const struct load_report *mesh, *direct; /* 1 to MESHMARK_RUNS_MAX each */
  size_t mesh_count, direct_count;
  double processor_s; /* of all of the mesh that works for requests, during all runs through it; NaN: not known */
  double memory_mib;  /* of a proxy; NaN: not known */
};

/* Of several runs of a side, the median. Latencies and reliability are of open loops, throughput of closed ones. A run
 * that is INVALID leaves the classes that need it untold. */
struct meshmark meshmark_of_runs(const struct meshmark_runs *runs);

/* docs/schema/meshmark.json. NULL without memory. */
json_t *meshmark_json(const struct meshmark *mark, const struct meshmark_runs *runs);
/* 0, -EIO. */
int meshmark_text(const struct meshmark *mark, const struct meshmark_runs *runs, FILE *out);

#endif
