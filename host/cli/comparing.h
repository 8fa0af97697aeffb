/* The options of a verdict on two targets, and its exit code: the same for runs that are made and for kept ones. */
#ifndef TRAMMEL_HOST_CLI_COMPARING_H
#define TRAMMEL_HOST_CLI_COMPARING_H

#include <argp.h>

#include "host/report/load_comparison.h"

struct comparing {
  size_t by;         /* which of the compared decides */
  double tolerance;  /* 0.05: up to 5% slower is tolerated; below 0: not given, as 0 */
  const char *first; /* one that was given, with its dashes; NULL: none */
};

#define COMPARING_INIT                                                                                                 \
  (struct comparing) {                                                                                                 \
    .by = (size_t)load_comparison_by("p99"), .tolerance = -1                                                           \
  }

/* --by and --tolerance: a child argp; its input is a struct comparing. */
extern const struct argp comparing_argp;

/* What is tolerated, from 0. */
double comparing_tolerance(const struct comparing *comparing);

int comparing_exit_code(const struct load_comparison *comparison);

#endif
