#include "host/conformance/runner.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "host/conformance/trial.h"
#include "sdk/base/clock.h"

/* Bytes that one case may take for its texts and resources. */
#define CASE_ARENA_MAX (64u << 20)

/* A mesh that has stopped answering makes every case wait for its limits: after this many that could not be judged the
 * run gives up. */
#define ERRORS_IN_A_ROW_MAX 10

/* A run with what it owns. */
struct run {
  struct run_result result; /* first: run_result_free() gets a pointer to it */
  struct case_result *cases;
  struct arena **arenas; /* one per case */
  size_t arena_count;
};

/* Shared by the threads of a run. */
struct runner {
  struct engine *engine;
  struct lab *lab;
  const struct runner_options *options;
  struct run *run;
  pthread_mutex_t lock; /* guards what follows, and the listener */
  size_t next;          /* in plan->order */
  size_t done;
  bool *finished; /* per job: its result is worth keeping */
  unsigned errors_in_a_row;
  const char *stop_reason; /* no further case is started */
};

struct slot {
  struct runner *runner;
  unsigned number;
  pthread_t thread;
};

static bool runner_cancelled(const struct runner *runner) {
  return runner->options->cancel && atomic_load(runner->options->cancel);
}

static bool was_done(const struct runner_options *options, size_t job) {
  return options->done && options->done[job];
}

static size_t count_done(const struct runner_options *options) {
  size_t count = 0;
  for (size_t i = 0; i < options->plan->count; i++)
    count += was_done(options, i);
  return count;
}

/* The next job's position in the order, or false when there is none. Tells the listener. */
static bool runner_take(struct runner *runner, unsigned slot, size_t *ret_position) {
  const struct plan *plan = runner->options->plan;
  pthread_mutex_lock(&runner->lock);
  while (runner->next < plan->count && was_done(runner->options, plan->order[runner->next]))
    runner->next++;
  bool taken = !runner->stop_reason && !runner_cancelled(runner) && runner->next < plan->count;
  if (taken) {
    *ret_position = runner->next++;
    const struct job *job = &plan->jobs[plan->order[*ret_position]];
    const struct runner_listener *listener = &runner->options->listener;
    if (listener->case_started)
      listener->case_started(listener->ctx, slot, job->test, &job->column);
  }
  pthread_mutex_unlock(&runner->lock);
  return taken;
}

static void runner_report(struct runner *runner, unsigned slot, size_t index) {
  const struct runner_listener *listener = &runner->options->listener;
  const struct case_result *result = &runner->run->cases[index];
  pthread_mutex_lock(&runner->lock);
  runner->finished[index] = true;
  runner->done++;
  runner->errors_in_a_row = result->outcome == OUTCOME_ERROR ? runner->errors_in_a_row + 1 : 0;
  if (runner->options->fail_fast && result->outcome == OUTCOME_FAILED)
    runner->stop_reason = "--fail-fast, and a case failed";
  else if (lab_spent(runner->lab))
    runner->stop_reason = "too many workloads died or hung";
  else if (runner->errors_in_a_row >= ERRORS_IN_A_ROW_MAX)
    runner->stop_reason = "too many cases in a row could not be judged";
  if (listener->case_ended)
    listener->case_ended(listener->ctx, slot, result, (unsigned)runner->done, (unsigned)runner->options->plan->count);
  pthread_mutex_unlock(&runner->lock);
}

static void *slot_main(void *argument) {
  struct slot *slot = argument;
  struct runner *runner = slot->runner;
  const struct plan *plan = runner->options->plan;
  size_t position;
  while (runner_take(runner, slot->number, &position)) {
    size_t index = plan->order[position];
    struct case_result *result = &runner->run->cases[index];
    int r = trial_run(runner->engine, runner->lab, slot->number, &plan->jobs[index], runner->options,
                      runner->run->arenas[index], result);
    result->order = (unsigned)position;
    if (r == 0)
      runner_report(runner, slot->number, index);
  }
  return NULL;
}

static int runner_start(struct runner *runner, struct error **err) {
  unsigned parallel = runner->options->parallel;
  _cleanup_free_ struct slot *slots = calloc(parallel, sizeof(*slots));
  if (!slots)
    return error_set(err, ENOMEM, "starting a run: no memory");
  unsigned started = 0;
  int r = 0;
  for (; started < parallel; started++) {
    slots[started] = (struct slot){.runner = runner, .number = started};
    r = pthread_create(&slots[started].thread, NULL, slot_main, &slots[started]);
    if (r != 0)
      break;
  }
  for (unsigned i = 0; i < started; i++)
    pthread_join(slots[i].thread, NULL);
  return started > 0 ? 0 : error_set(err, r, "starting a thread: %s", strerror(r));
}

static struct run *run_create(const struct plan *plan) {
  struct run *run = calloc(1, sizeof(*run));
  if (!run)
    return NULL;
  run->cases = calloc(plan->count + 1, sizeof(*run->cases));
  run->arenas = calloc(plan->count + 1, sizeof(struct arena *));
  bool good = run->cases && run->arenas;
  for (; good && run->arena_count < plan->count; run->arena_count++) {
    run->arenas[run->arena_count] = arena_create(CASE_ARENA_MAX);
    good = run->arenas[run->arena_count] != NULL;
  }
  run->result.cases = run->cases;
  if (!good) {
    run_result_free(&run->result);
    return NULL;
  }
  return run;
}

void run_result_free(struct run_result *result) {
  if (!result)
    return;
  struct run *run = (struct run *)result;
  for (size_t i = 0; i < result->case_count; i++)
    case_result_finish(&run->cases[i]);
  for (size_t i = 0; run->arenas && i < run->arena_count; i++)
    arena_destroy(run->arenas[i]);
  free(run->arenas);
  free(run->cases);
  json_decref(result->config);
  free(run);
}

/* Keeps the finished results, in the plan's order, and drops the others. */
static void run_compact(struct run *run, const bool *finished, const struct runner_options *options) {
  size_t kept = 0;
  for (size_t i = 0; i < options->plan->count; i++) {
    if (finished[i])
      run->cases[kept++] = run->cases[i];
    else
      case_result_finish(&run->cases[i]);
  }
  run->result.case_count = kept;
  run->result.interrupted = kept + count_done(options) < options->plan->count;
}

int runner_run(struct engine *engine, struct lab *lab, const struct runner_options *options,
               struct run_result **ret_run, struct error **err) {
  const struct plan *plan = options->plan;
  _cleanup_free_ bool *finished = calloc(plan->count + 1, sizeof(*finished));
  struct run *run = run_create(plan);
  if (!finished || !run) {
    run_result_free(run ? &run->result : NULL);
    return error_set(err, ENOMEM, "preparing a run: no memory");
  }
  run->result.source = plan->suite;
  run->result.seed = options->seed;
  run->result.planned = (unsigned)plan->count;
  run->result.not_applicable = plan->not_applicable;
  run->result.started_ns = clock_realtime_ns();
  int64_t started_ns = clock_monotonic_ns();
  if (options->listener.planned)
    options->listener.planned(options->listener.ctx, &run->result, run->result.planned);

  struct runner runner = {
      .engine = engine,
      .lab = lab,
      .options = options,
      .run = run,
      .lock = PTHREAD_MUTEX_INITIALIZER,
      .finished = finished,
      .done = count_done(options),
  };
  int r = runner_start(&runner, err);
  pthread_mutex_destroy(&runner.lock);
  run_compact(run, finished, options);
  if (run->result.interrupted)
    run->result.stop_reason = runner.stop_reason ? runner.stop_reason : "interrupted";
  run->result.duration_ns = clock_monotonic_ns() - started_ns;
  if (r < 0) {
    run_result_free(&run->result);
    return r;
  }
  *ret_run = &run->result;
  return 0;
}
