/* A load by several processes: each has its share of the schedule and of the connections, all begin at one instant, and
 * what they counted is added up as if it were one. */
#ifndef TRAMMEL_HOST_WORKERS_WORKERS_H
#define TRAMMEL_HOST_WORKERS_WORKERS_H

#include "host/load/run.h"

struct workers {
  char *const *words; /* the command line of a process that calls worker_serve(), NULL-terminated */
  unsigned count;     /* 1 to LOAD_WORKERS_MAX */
};

/* As load_run(); options->share is set here. A worker that is lost after the start is told in the result, and is a
 * doubt of it; one that is lost before is an error (-ECHILD), and nothing was sent. -ECANCELED when it was cancelled
 * before the start. One thread of the program, which outlives the call. */
int workers_run(const struct workers *workers, const struct target_options *target, const struct load_options *options,
                struct load_result *ret_result, struct error **err);

#endif
