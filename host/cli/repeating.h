/* Runs of a load in turn: of one target, or of two in pairs that follow each other closely, now A first and now B. */
#ifndef TRAMMEL_HOST_CLI_REPEATING_H
#define TRAMMEL_HOST_CLI_REPEATING_H

#include "host/report/load_report.h"
#include "host/report/load_series.h"

struct repeating_target {
  const char *url;
  struct target *target;
  const struct target_options *options; /* it was made with; borrowed */
};

struct repeating {
  struct repeating_target sides[2]; /* the second one without a target: there is one */
  const struct load_options *load;  /* the i-th run, or pair of runs, from 0, has i more as its seed */
  bool insecure;
  unsigned workers; /* processes that share each run; 0: this program makes it */
};

/* One run of a side, by workers when that is wanted: as load_run(), or workers_run(). */
int repeating_load(const struct repeating *repeating, int side, const struct load_options *load,
                   struct load_result *ret_result, struct error **err);

/* Fills a series that was made for as many sides; says on `progress` how each run ended. It is cut, without an error,
 * when it is cancelled or when nothing answers. */
int repeating_run(const struct repeating *repeating, FILE *progress, struct load_series *series, struct error **err);

/* What one run is told as. */
struct load_report repeating_report(const struct repeating *repeating, int side, const struct load_options *load,
                                    const struct load_result *result);

#endif
