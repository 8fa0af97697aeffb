/* Runs a plan against a mesh in a lab: places topologies, applies, waits for convergence, judges, cleans up. */
#ifndef TRAMMEL_HOST_CONFORMANCE_RUNNER_H
#define TRAMMEL_HOST_CONFORMANCE_RUNNER_H

#include "host/conformance/plan.h"
#include "host/conformance/result.h"
#include "host/lab/lab.h"

/* Told of progress. Calls are serialised, on any thread. Functions may be NULL. */
struct runner_listener {
  void *ctx;
  void (*planned)(void *ctx, const struct run_result *run, unsigned planned);
  void (*case_started)(void *ctx, unsigned slot, const struct test_case *test, const struct case_column *column);
  void (*case_ended)(void *ctx, unsigned slot, const struct case_result *result, unsigned done, unsigned planned);
};

struct runner_options {
  const struct plan *plan;
  uint64_t seed;
  unsigned parallel;       /* cases at once: slots of the lab */
  int64_t case_timeout_ns; /* of one case in one column */
  int64_t converge_ns;     /* how long a step may take until its checks first hold; then it is judged as it is */
  int64_t hold_window_ns;  /* how long the expected state must hold before it is judged */
  bool fail_fast;          /* start no further case after a failed one */
  const bool *done;        /* per job of the plan: it was done in an earlier part of the run; NULL: none was */
  const atomic_bool *cancel;
  struct runner_listener listener;
};

/* What is meant for a case that hangs. A case of thousands of connections takes minutes on a machine that is
 * overloaded, and that is no verdict on the mesh. */
#define CASE_TIMEOUT_DEFAULT_NS (180 * INT64_C(1000000000))
#define CONVERGE_DEFAULT_NS (2 * INT64_C(1000000000))
#define HOLD_WINDOW_DEFAULT_NS (50 * INT64_C(1000000))

/* Runs. `*ret_run` is freed with run_result_free(); it borrows from the plan's suite. 0 also when cases failed; an
 * error only when the run as a whole could not go on. On cancellation what was judged so far is returned with
 * `interrupted` set. What was done before is not in the result, but counted as `planned`. */
int runner_run(struct engine *engine, struct lab *lab, const struct runner_options *options,
               struct run_result **ret_run, struct error **err);
void run_result_free(struct run_result *run);

#endif
