#include "host/load/run.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "host/load/generator.h"
#include "sdk/base/clock.h"

#define START_NS (2 * NS_PER_MS) /* for all threads to learn of it */

/* ---- threads */

enum gate_state { GATE_SHUT, GATE_OPEN, GATE_CALLED_OFF };

/* All wait until all are connected, and then begin at the same time. */
struct gate {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned ready;
  enum gate_state state;
  int64_t start_ns;
};

struct lane {
  pthread_t thread;
  struct gate *gate;
  struct generator *generator;
  struct error *err;
  int result;
};

static void *lane_main(void *argument) {
  struct lane *lane = argument;
  struct gate *gate = lane->gate;
  generator_connect(lane->generator);
  (void)pthread_mutex_lock(&gate->lock);
  gate->ready++;
  (void)pthread_cond_broadcast(&gate->changed);
  while (gate->state == GATE_SHUT)
    (void)pthread_cond_wait(&gate->changed, &gate->lock);
  bool open = gate->state == GATE_OPEN;
  (void)pthread_mutex_unlock(&gate->lock);
  if (open)
    lane->result = generator_run(lane->generator, gate->start_ns, &lane->err);
  return NULL;
}

static void gate_open(struct gate *gate, unsigned expected, enum gate_state state, const struct load_start *start) {
  (void)pthread_mutex_lock(&gate->lock);
  while (gate->ready < expected)
    (void)pthread_cond_wait(&gate->changed, &gate->lock);
  gate->start_ns = start && state == GATE_OPEN ? start->meet(start->context) : clock_in_ns(START_NS);
  gate->state = state;
  (void)pthread_cond_broadcast(&gate->changed);
  (void)pthread_mutex_unlock(&gate->lock);
}

/* `ret_begun_ns`: when they began, of the wall clock. */
static int run_lanes(struct lane *lanes, unsigned count, const struct load_start *start, int64_t *ret_begun_ns,
                     struct error **err) {
  struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  unsigned started = 0;
  int r = 0;
  while (r == 0 && started < count) {
    lanes[started].gate = &gate;
    r = -pthread_create(&lanes[started].thread, NULL, lane_main, &lanes[started]);
    started += r == 0;
  }
  if (r < 0)
    (void)error_set(err, -r, "starting thread %u of a run: %s", started + 1, strerror(-r));
  gate_open(&gate, started, r == 0 ? GATE_OPEN : GATE_CALLED_OFF, start);
  *ret_begun_ns = clock_read_ns(CLOCK_REALTIME) + gate.start_ns - clock_monotonic_ns();
  for (unsigned i = 0; i < started; i++) {
    (void)pthread_join(lanes[i].thread, NULL);
    if (r == 0 && lanes[i].result < 0) {
      r = lanes[i].result;
      if (err)
        *err = take(lanes[i].err);
    }
  }
  return r;
}

static int make_lanes(struct lane *lanes, const struct generator_options *common, const struct load_options *options,
                      struct error **err) {
  unsigned lanes_of_all = common->workers, workers = lanes_of_all / options->threads;
  int r = 0;
  for (unsigned i = 0; r == 0 && i < options->threads; i++) {
    struct generator_options mine = *common;
    mine.worker = options->share.worker + i * workers;
    mine.connections = options->connections / lanes_of_all + (mine.worker < options->connections % lanes_of_all);
    r = generator_create(&mine, &lanes[i].generator, err);
  }
  return r;
}

/* ---- the result */

/* By bit. */
static const struct {
  const char *name, *text;
} doubts[] = {
    {"late",
     "fewer than 99% of the requests that were due were sent in time: the target is slower, or needs more connections"},
    {"lag", "the generator was late by itself: its lag at p99 is more than a tenth of the response at p50"},
    {"busy", "the generator had work for more than 90% of the time: more threads may help"},
    {"empty", "no request was answered"},
    {"cut", "it was ended before its time"},
    {"lost", "a worker was lost: what it did is in no number, and the target had less to do than was meant"},
};

const char *load_doubt_name(enum load_doubt doubt) {
  return doubts[__builtin_ctz(doubt)].name;
}

const char *load_doubt_text(enum load_doubt doubt) {
  return doubts[__builtin_ctz(doubt)].text;
}

static unsigned doubts_of(const struct load_result *result, bool closed, bool cut) {
  const struct tally *tally = &result->tally;
  unsigned found = cut ? LOAD_DOUBT_CUT : 0;
  if (tally->completed == 0)
    return found | LOAD_DOUBT_EMPTY;
  if (closed)
    return found;
  if ((double)tally->sent_in_time < 0.99 * (double)tally->scheduled)
    found |= LOAD_DOUBT_LATE;
  if (histogram_quantile(tally->lag, 0.99) * 10 > histogram_quantile(tally->response, 0.5))
    found |= LOAD_DOUBT_LAG;
  return found | (result->busy > 0.9 ? LOAD_DOUBT_BUSY : 0);
}

unsigned load_lanes(const struct load_options *options) {
  return options->threads * (options->share.workers > 0 ? options->share.workers : 1);
}

void load_conclude(struct load_result *result, const struct load_options *options, bool cancelled) {
  const struct schedule *schedule = &options->schedule;
  struct tally *tally = &result->tally;
  int64_t whole_ns = options->warm_up_ns + schedule->duration_ns;
  bool shorter = cancelled && tally->elapsed_ns < whole_ns;
  int64_t measured_ns = (shorter ? tally->elapsed_ns : whole_ns) - options->warm_up_ns;
  result->measured_ns = measured_ns > 0 ? measured_ns : 0;
  double measured_s = (double)result->measured_ns / (double)NS_PER_SECOND;
  double threads_ns = (double)tally->elapsed_ns * load_lanes(options);
  bool closed = schedule->kind == SCHEDULE_CLOSED;
  result->target_rate = measured_s > 0 && !closed ? (double)tally->scheduled / measured_s : 0;
  result->achieved_rate = measured_s > 0 ? (double)tally->ended_in_time / measured_s : 0;
  result->busy = threads_ns > 0 ? fmax(0, (double)(tally->processor_ns - tally->spun_ns) / threads_ns) : 0;
  result->doubts = doubts_of(result, closed, shorter);
}

/* ---- the whole */

int load_check(const struct target *target, const struct load_options *options, struct error **err) {
  if (options->threads < 1 || options->threads > LOAD_THREADS_MAX)
    return error_set(err, EINVAL, "a run has 1 to %d threads, not %u", LOAD_THREADS_MAX, options->threads);
  if (options->share.worker > 0 && options->share.worker >= options->share.workers)
    return error_set(err, EINVAL, "there is no worker %u of %u", options->share.worker, options->share.workers);
  if (options->share.workers > LOAD_WORKERS_MAX || load_lanes(options) > LOAD_THREADS_MAX)
    return error_set(err, EINVAL, "a run has at most %d workers, and at most %d threads in all of them",
                     LOAD_WORKERS_MAX, LOAD_THREADS_MAX);
  if (options->connections < load_lanes(options) || options->connections > LOAD_CONNECTIONS_MAX)
    return error_set(err, EINVAL, "a run has at least as many connections as threads and at most %d, not %u",
                     LOAD_CONNECTIONS_MAX, options->connections);
  if ((uint64_t)options->connections * target->streams > LOAD_STREAMS_MAX)
    return error_set(err, EINVAL, "a run has at most %d streams on all its connections", LOAD_STREAMS_MAX);
  return schedule_check(&options->schedule, err);
}

static int run_resolved(const struct target *target, const struct load_options *options, struct load_result *result,
                        struct error **err) {
  struct schedule whole = options->schedule;
  whole.duration_ns += options->warm_up_ns;
  const struct generator_options common = {.target = target,
                                           .schedule = &whole,
                                           .workers = load_lanes(options),
                                           .warm_up_ns = options->warm_up_ns,
                                           .connect_timeout_ns = options->connect_timeout_ns,
                                           .timeout_ns = options->timeout_ns,
                                           .drain_ns = options->drain_ns,
                                           .cancel = options->cancel};
  struct lane *lanes = calloc(options->threads, sizeof(*lanes));
  if (!lanes)
    return error_set(err, ENOMEM, "no memory for the threads of a run");
  int r = make_lanes(lanes, &common, options, err);
  if (r == 0)
    r = run_lanes(lanes, options->threads, options->start, &result->begun_ns, err);
  result->begun_ns += options->warm_up_ns;
  for (unsigned i = 0; i < options->threads && lanes[i].generator; i++) {
    if (r == 0)
      tally_add(&result->tally, generator_tally(lanes[i].generator));
    generator_destroy(lanes[i].generator);
    error_free(lanes[i].err);
  }
  free(lanes);
  if (r == 0 && timeline_check(result->tally.timeline) < 0)
    r = error_set(err, ENOMEM, "no memory for what each second of a run counts");
  return r;
}

int load_run(struct target *target, const struct load_options *options, struct load_result *ret_result,
             struct error **err) {
  struct load_result result = {0};
  struct error *unresolved = NULL;
  int r = load_check(target, options, err);
  if (r == 0)
    r = tally_init(&result.tally, err);
  if (r == 0 && target_resolve(target, options->connect_timeout_ns, &unresolved) < 0) {
    result.problem = strdup(error_message(unresolved));
    result.tally.scheduled = result.tally.failed = result.tally.errors[LOAD_ERROR_DNS] = 1;
  } else if (r == 0) {
    r = run_resolved(target, options, &result, err);
  }
  error_free(unresolved);
  if (r < 0) {
    load_result_finish(&result);
    return r;
  }
  load_conclude(&result, options, options->cancel && atomic_load(options->cancel));
  *ret_result = result;
  return 0;
}

void load_result_finish(struct load_result *result) {
  tally_finish(&result->tally);
  for (unsigned i = 0; i < result->loss_count; i++)
    free(result->losses[i].reason);
  free(result->losses);
  free(result->problem);
  *result = (struct load_result){0};
}
