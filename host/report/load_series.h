/* Runs that were repeated, of one target or of two in pairs, for people and for programs. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_SERIES_H
#define TRAMMEL_HOST_REPORT_LOAD_SERIES_H

#include <jansson.h>
#include <stdio.h>

#include "host/load/median.h"
#include "host/report/load_comparison.h"

#define LOAD_SERIES_MAX PAIRS_MAX /* runs, or pairs of runs */

_Static_assert(LOAD_SERIES_MAX <= MEDIAN_VALUES_MAX, "the median of each series has an interval");

/* A mesh that is measured: A is direct, B goes through it. */
struct load_series_mesh {
  const char *name, *version;
  const char *adapter, *adapter_version;
};

struct load_series {
  const char *version;                 /* of Trammel */
  const struct load_series_mesh *mesh; /* NULL: none */
  size_t planned;                      /* runs, or pairs of runs */
  size_t count;                        /* of these, that are complete */
  bool paired;
  bool cut;                     /* it was ended before its time */
  char *problem;                /* heap: why, when nobody wanted it; NULL: none */
  struct load_figures *runs[2]; /* of A, of B: heap arrays of `planned`, `count` of them and perhaps one more filled */
  json_t *results;              /* of all runs in the order they were made; NULL: nobody wants them */
  size_t by;                    /* pairs: what the verdict is of, and how much slower B may be */
  double tolerance;
};

/* Room for `planned` runs, 1 to LOAD_SERIES_MAX. -EINVAL, -ENOMEM; to be finished then, too. */
int load_series_init(struct load_series *series, size_t planned, bool paired, bool wants_results, struct error **err);
void load_series_finish(struct load_series *series);

/* Whether every run of it is valid. */
bool load_series_valid(const struct load_series *series);

/* docs/schema/load-series.json; `comparison` is of its pairs, NULL when it has none. NULL without memory. */
json_t *load_series_json(const struct load_series *series, const struct load_comparison *comparison);
void load_series_text(const struct load_series *series, const struct load_comparison *comparison, FILE *out);

#endif
