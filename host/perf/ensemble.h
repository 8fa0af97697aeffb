/* Several loads that begin at the same instant, each on threads of its own, and what each of them measured. */
#ifndef TRAMMEL_HOST_PERF_ENSEMBLE_H
#define TRAMMEL_HOST_PERF_ENSEMBLE_H

#include "host/load/run.h"

#define ENSEMBLE_MAX 64 /* loads */

struct ensemble_part {
  struct target *target;
  struct load_options options; /* its `start` is not looked at */
};

/* Runs `count` loads (1 to ENSEMBLE_MAX); returns when all have ended. A load whose target has no address ends at once
 * and keeps no other waiting. `ret_results` has room for `count`; each is to be finished by the caller, and none is
 * there after an error. */
int ensemble_run(const struct ensemble_part *parts, size_t count, struct load_result *ret_results, struct error **err);

#endif
