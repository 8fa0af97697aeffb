/* One case in one column: place, control run, then step by step apply, converge, judge; then take everything away. */
#ifndef TRAMMEL_HOST_CONFORMANCE_TRIAL_H
#define TRAMMEL_HOST_CONFORMANCE_TRIAL_H

#include "host/conformance/runner.h"

/* Runs `job` in slot `slot`. Always fills `ret_result` (what could not be judged is OUTCOME_ERROR with its reason); its
 * strings live in `arena`. -ECANCELED when the run was cancelled meanwhile: then the result is not worth keeping. */
int trial_run(struct engine *engine, struct lab *lab, unsigned slot, const struct job *job,
              const struct runner_options *options, struct arena *arena, struct case_result *ret_result);

/* Drops the JSON references of a result. */
void case_result_finish(struct case_result *result);

#endif
