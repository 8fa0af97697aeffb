/* The result of a load run, for people and for programs. Durations are milliseconds. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_REPORT_H
#define TRAMMEL_HOST_REPORT_LOAD_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "host/load/run.h"

/* What was run. */
struct load_report {
  const char *version; /* of Trammel */
  const char *url, *method;
  const char *protocol;  /* target_protocol_name() */
  const char *call;      /* of gRPC: "SERVICE/METHOD"; NULL: it is none */
  uint32_t messages;     /* that each call sends */
  unsigned streams;      /* of a connection */
  bool secure, insecure; /* over TLS; without asking who the target is */
  const struct load_options *options;
  const struct load_result *result;
};

/* docs/schema/load-result.json. NULL without memory. */
json_t *load_report_json(const struct load_report *report);

/* ---- formats; each prints to `out`: 0, -ENOMEM, -EIO when `out` failed */

/* An interval log of HdrHistogram (version 1.3), in nanoseconds: a line for each block of the run's timeline. */
int load_report_hdr(const struct load_report *report, FILE *out);
int load_report_text(const struct load_report *report, FILE *out);
/* A table with one head for all reports: for each a row of the run, and one for each block of its timeline. Columns and
 * units are in docs/perf-outputs.md. */
int load_report_csv(const struct load_report *reports, size_t count, FILE *out);
/* Prometheus' text format, version 0.0.4. */
int load_report_prometheus(const struct load_report *report, FILE *out);
/* JSON as fortio 1.75 keeps its results (fhttp.HTTPRunnerResults). */
int load_report_fortio(const struct load_report *report, FILE *out);
/* One page that loads nothing and runs nothing, with charts in which the runs lie over each other: 1 to
 * LOAD_HTML_RUNS_MAX of them, else -EINVAL. */
#define LOAD_HTML_RUNS_MAX 8
int load_report_html(const struct load_report *reports, size_t count, FILE *out);

/* ---- what formats share */

bool load_report_is_closed(const struct load_report *report);
/* Responses, or services in a closed loop; "response" or "service". */
const struct histogram *load_report_latencies(const struct load_report *report);
const char *load_report_of(const struct load_report *report);
double load_ms(int64_t ns);
double load_seconds(int64_t ns);

#endif
