/* What a kept load result says of latency, read back to be compared. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_FIGURES_H
#define TRAMMEL_HOST_REPORT_LOAD_FIGURES_H

#include <stdbool.h>

#include "host/load/run.h"

#define LOAD_FIGURES_BYTES_MAX (64 * 1024 * 1024) /* of a file */

struct load_figures {
  char *url; /* heap */
  bool valid;
  unsigned doubts;             /* load_doubt bits, of a run that has just ended */
  bool closed;                 /* a closed loop: latencies are from when requests were sent */
  double rate;                 /* requests per second that were due; 0 in a closed loop */
  double achieved;             /* requests per second that had an end in time */
  double answered;             /* share of what was scheduled that was answered, and by no status of 5xx */
  struct histogram *latencies; /* owned: responses, in a closed loop services */
};

/* -EINVAL for what is no result of `trammel perf run -o json`, -errno for a file that can't be read. */
int load_figures_read(const char *path, struct load_figures *ret_figures, struct error **err);
/* The same of a run that has just ended. -ENOMEM. */
int load_figures_take(const char *url, const struct load_options *options, const struct load_result *result,
                      struct load_figures *ret_figures, struct error **err);
void load_figures_finish(struct load_figures *figures);

#endif
