/* `trammel perf run` more than once: --repeat, --against, and what the verdict on two is of. */
#ifndef TRAMMEL_HOST_CLI_PERF_SERIES_H
#define TRAMMEL_HOST_CLI_PERF_SERIES_H

#include <stdbool.h>

#include "host/cli/comparing.h"
#include "host/cli/repeating.h"

struct perf_series {
  const char *against; /* a URL; NULL: one target */
  unsigned repeat;     /* 0: not given */
  unsigned workers;    /* 0: not given; of one run, too */
  struct comparing comparing;
};

#define PERF_SERIES_INIT                                                                                               \
  (struct perf_series) {                                                                                               \
    .comparing = COMPARING_INIT                                                                                        \
  }

/* A child argp; its input is a struct perf_series. */
extern const struct argp perf_series_argp;

/* Ends the program with a usage error when something does not fit; `mesh`: a mesh is what is measured. */
void perf_series_check(const struct argp_state *state, const struct perf_series *options, bool mesh);

/* The exit code of a run that came to no result. */
int perf_series_error_code(int r);

/* Whether it is more than one run. */
bool perf_series_wanted(const struct perf_series *options);

/* Makes the runs, prints them as text or JSON; the exit code. `mesh`: what is B, or NULL; that it costs something is no
 * failure, unless a tolerance was given. */
int perf_series_run(const struct perf_series *options, const struct repeating *repeating,
                    const struct load_series_mesh *mesh, bool json, struct error **err);

#endif
