/* `trammel perf run` more than once: --repeat, --against, and what the verdict on two is of. */
#ifndef TRAMMEL_HOST_CLI_PERF_SERIES_H
#define TRAMMEL_HOST_CLI_PERF_SERIES_H

#include <stdbool.h>

#include "host/cli/comparing.h"
#include "host/cli/repeating.h"

struct perf_series {
  const char *against; /* a URL; NULL: one target */
  unsigned repeat;     /* 0: not given */
  struct comparing comparing;
};

#define PERF_SERIES_INIT                                                                                               \
  (struct perf_series) {                                                                                               \
    .comparing = COMPARING_INIT                                                                                        \
  }

/* A child argp; its input is a struct perf_series. */
extern const struct argp perf_series_argp;

/* Whether it is more than one run. */
bool perf_series_wanted(const struct perf_series *options);

/* Makes the runs, prints them as text or JSON; the exit code. */
int perf_series_run(const struct perf_series *options, const struct repeating *repeating, bool json,
                    struct error **err);

#endif
