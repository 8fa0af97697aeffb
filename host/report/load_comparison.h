/* Whether one target is slower than another one: runs in pairs, docs/load-statistics.md. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_COMPARISON_H
#define TRAMMEL_HOST_REPORT_LOAD_COMPARISON_H

#include <jansson.h>
#include <stdio.h>

#include "host/load/pairs.h"
#include "host/report/load_figures.h"
#include "host/report/load_quantiles.h"

enum load_verdict {
  LOAD_VERDICT_SAME,   /* the interval does not lie beyond what is tolerated */
  LOAD_VERDICT_SLOWER, /* of B, by more than is tolerated */
  LOAD_VERDICT_FASTER,
  LOAD_VERDICT_UNTOLD, /* `reason` says why */
};

struct load_compared {
  const char *name;
  bool told;                       /* every run has values enough */
  double a_ns, b_ns;               /* of all runs of a side together */
  struct pairs_estimate log_ratio; /* ln(B / A) */
  struct pairs_estimate added_ns;  /* B - A */
};

/* Answers and errors per second, of closed loops: how much a target can do. */
struct load_rates {
  bool told;
  double a, b; /* medians */
  struct pairs_estimate log_ratio;
};

struct load_comparison {
  size_t pairs;
  bool closed;
  const char *a_url, *b_url; /* borrowed from the figures */
  struct load_compared compared[LOAD_QUANTILES];
  struct load_rates rates;
  size_t by;          /* which of these decides */
  double tolerance;   /* 0.05: up to 5% slower is not SLOWER */
  double superiority; /* the chance that a request of B takes longer than one of A */
  enum load_verdict verdict;
  const char *reason; /* static; NULL: told */
};

/* Which of the compared a name means; -1: none. */
int load_comparison_by(const char *name);

/* Pair i is `a[i]` and `b[i]`; `pairs` is from 1 to PAIRS_MAX. -EINVAL when they can't be compared. */
int load_comparison_make(const struct load_figures *a, const struct load_figures *b, size_t pairs, size_t by,
                         double tolerance, struct load_comparison *ret_comparison, struct error **err);

/* "same", "slower" … */
const char *load_verdict_name(enum load_verdict verdict);
/* docs/schema/load-comparison.json. NULL without memory. */
json_t *load_comparison_json(const struct load_comparison *comparison);
void load_comparison_text(const struct load_comparison *comparison, FILE *out);

#endif
