/* Runs a suite against a mesh in a lab: places topologies, applies, waits for convergence, judges, cleans up. */
#ifndef TRAMMEL_HOST_CONFORMANCE_RUNNER_H
#define TRAMMEL_HOST_CONFORMANCE_RUNNER_H

#include "host/conformance/result.h"
#include "host/lab/lab.h"

/* Told of progress; calls are serialised, on any thread. All may be NULL. */
struct runner_listener {
  void *ctx;
  void (*planned)(void *ctx, const struct run_result *run, unsigned planned);
  void (*case_started)(void *ctx, unsigned slot, const struct test_case *test, const struct case_column *column);
  void (*case_ended)(void *ctx, unsigned slot, const struct case_result *result, unsigned done, unsigned planned);
};

struct runner_options {
  const struct suite *suite;
  const char *filter;          /* glob on case ids, or a substring when it has no glob characters; NULL: all */
  const char *const *groups;   /* "access" …, NULL-terminated; NULL: all */
  const char *const *requirements; /* NULL: all */
  const char *const *versions; /* "access/v1alpha3" …; NULL: all */
  uint64_t seed;
  unsigned parallel;          /* cases at once */
  int64_t case_timeout_ns;
  int64_t hold_window_ns;     /* how long an expected state must hold before it is judged */
  bool fail_fast;
  const atomic_bool *cancel;
  struct runner_listener listener;
};

#define CASE_TIMEOUT_DEFAULT_NS (30 * INT64_C(1000000000))
#define HOLD_WINDOW_DEFAULT_NS (60 * INT64_C(1000000))

struct run_result;

/* Runs. `ret_run` is freed with run_result_free(). 0 also when cases failed; an error only when the run as a whole could not go on. On
 * cancellation what was judged so far is returned with `interrupted` set. */
int runner_run(struct engine *engine, struct lab *lab, const struct runner_options *options, struct run_result **ret_run,
               struct error **err);
void run_result_free(struct run_result *run);

/* The number of case-columns that `options` select, and the largest topology among them. */
int runner_plan(const struct runner_options *options, unsigned *ret_cases, unsigned *ret_workloads, struct error **err);

#endif
