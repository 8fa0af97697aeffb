#include "host/conformance/ongoing.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/conformance/case_read.h"
#include "host/conformance/judge_text.h"
#include "sdk/base/clock.h"

enum {
  ROUND_CALLS = 32,
  ROUND_CONCURRENCY = 8, /* of calls that must all go through; what is cut is called in order */
  ROUNDS_MAX = 2000,
  ROUNDS_FAST = 200, /* after these a change is a slow one, and the rest is spread over the time that the case has */
};

struct ongoing {
  const struct check *check;
  struct workload_client *client;
  struct call_header headers[CASE_HEADERS_MAX];
  struct call_batch batch;
  char name[CALL_ID_MAX + 1];
  int64_t deadline_ns;
  unsigned slow_spacing_us;
  const atomic_bool *cancel;
  pthread_t thread;
  bool running;
  atomic_bool last; /* no further round is begun */
  struct probe *rounds;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t changed;
  size_t count;
  bool ended;
  int code; /* with the reason in `err` */
  struct error *err;
};

static int call_round(struct ongoing *ongoing, size_t round, struct error **err) {
  struct probe *probe = &ongoing->rounds[round];
  struct call_batch batch = ongoing->batch;
  (void)snprintf(probe->id, sizeof(probe->id), "%.24s.%zu", ongoing->name, round);
  batch.id = probe->id;
  probe->count = batch.count;
  if (round >= ROUNDS_FAST)
    batch.spacing_us = ongoing->slow_spacing_us;
  return workload_call(ongoing->client, &batch, ongoing->deadline_ns, ongoing->cancel, &probe->calls, err);
}

static void *ongoing_main(void *argument) {
  struct ongoing *ongoing = argument;
  int code = 0;
  struct error *err = NULL;
  for (size_t round = 0; code == 0 && !atomic_load(&ongoing->last); round++) {
    if (round == ROUNDS_MAX)
      code = error_set(&err, EOVERFLOW, "the calls that go on during a change came to their limit of %d",
                       ROUNDS_MAX * ROUND_CALLS);
    else
      code = call_round(ongoing, round, &err);
    pthread_mutex_lock(&ongoing->lock);
    ongoing->count += code == 0;
    pthread_cond_broadcast(&ongoing->changed);
    pthread_mutex_unlock(&ongoing->lock);
  }
  pthread_mutex_lock(&ongoing->lock);
  ongoing->ended = true;
  ongoing->code = code;
  ongoing->err = err;
  pthread_cond_broadcast(&ongoing->changed);
  pthread_mutex_unlock(&ongoing->lock);
  return NULL;
}

/* Until so many rounds more have been answered, or the thread has ended. */
static void wait_rounds(struct ongoing *ongoing, size_t more) {
  pthread_mutex_lock(&ongoing->lock);
  size_t wanted = ongoing->count + more;
  while (ongoing->count < wanted && !ongoing->ended)
    pthread_cond_wait(&ongoing->changed, &ongoing->lock);
  pthread_mutex_unlock(&ongoing->lock);
}

/* The reason, when the thread has ended by itself. */
static int take_failure(struct ongoing *ongoing, struct error **err) {
  pthread_mutex_lock(&ongoing->lock);
  int code = ongoing->ended ? ongoing->code : 0;
  if (code < 0)
    (void)error_set(err, -code, "calls during a change: %s", error_message(ongoing->err));
  pthread_mutex_unlock(&ongoing->lock);
  return code;
}

static int prepare(struct ongoing *ongoing, struct prober *prober, struct error **err) {
  const struct check *check = ongoing->check;
  int r = placement_dial(prober->placement, check->from, &ongoing->client, err);
  if (r == 0)
    r = probe_batch(prober, check, ongoing->headers, &ongoing->batch, err);
  if (r < 0)
    return r;
  probe_name(prober, ongoing->name);
  ongoing->batch.count = ROUND_CALLS;
  ongoing->batch.concurrency = check->kind == CHECK_CUT ? 1 : ROUND_CONCURRENCY;
  ongoing->batch.fresh = true;
  ongoing->batch.timeout_ms = check->kind == CHECK_CUT ? REFUSAL_TIMEOUT_MS : CALL_TIMEOUT_MS;
  int64_t left_us = (ongoing->deadline_ns - clock_monotonic_ns()) / 1000;
  ongoing->slow_spacing_us = left_us > 0 ? (unsigned)(left_us / ((ROUNDS_MAX - ROUNDS_FAST) * ROUND_CALLS)) : 0;
  ongoing->rounds = calloc(ROUNDS_MAX, sizeof(*ongoing->rounds));
  return ongoing->rounds ? 0 : error_set(err, ENOMEM, "calling during a change: no memory");
}

int ongoing_start(struct prober *prober, const struct check *check, struct ongoing **ret_ongoing, struct error **err) {
  _cleanup_(ongoing_destroy_p) struct ongoing *ongoing = calloc(1, sizeof(*ongoing));
  if (!ongoing)
    return error_set(err, ENOMEM, "calling during a change: no memory");
  ongoing->check = check;
  ongoing->deadline_ns = prober->deadline_ns;
  ongoing->cancel = prober->cancel;
  (void)pthread_mutex_init(&ongoing->lock, NULL);
  (void)pthread_cond_init(&ongoing->changed, NULL);
  int r = prepare(ongoing, prober, err);
  if (r < 0)
    return r;
  r = pthread_create(&ongoing->thread, NULL, ongoing_main, ongoing);
  if (r != 0)
    return error_set(err, r, "calling during a change: no thread");
  ongoing->running = true;
  wait_rounds(ongoing, 1);
  r = take_failure(ongoing, err);
  if (r == 0)
    *ret_ongoing = take(ongoing);
  return r;
}

static void end(struct ongoing *ongoing) {
  if (!ongoing->running)
    return;
  atomic_store(&ongoing->last, true);
  pthread_join(ongoing->thread, NULL);
  ongoing->running = false;
}

int ongoing_stop(struct ongoing *ongoing, struct error **err) {
  wait_rounds(ongoing, 2); /* one may have begun before */
  end(ongoing);
  return take_failure(ongoing, err);
}

/* ---- verdict */

/* Who has a share in any split of the case that judges the same service: what may answer before the change, and what
 * may after it. Without one, what is behind the service. */
static uint64_t servers_of(const struct prober *prober, const struct test_case *test, const struct check *check) {
  uint64_t servers = 0;
  for (size_t s = 0; s < test->step_count; s++)
    for (size_t i = 0; i < test->steps[s].check_count; i++) {
      const struct check *other = &test->steps[s].checks[i];
      if (other->kind != CHECK_SPLIT || strcmp(other->to, check->to) != 0 || other->port != check->port)
        continue;
      for (size_t k = 0; k < other->share_count; k++)
        servers |= other->shares[k].weight > 0 ? probe_workload(prober, other->shares[k].workload) : 0;
    }
  return servers ? servers : probe_targets(prober, check);
}

static bool is_single(uint64_t bits) {
  return (bits & (bits - 1)) == 0;
}

/* Where the calls went, in the order they were made. */
struct course {
  size_t delivered, denied;
  const struct probe *broken; /* the round of the first call that did not hold; NULL: all did */
  unsigned broken_call;
};

static bool call_is_good(const struct check *check, const struct probe *round, unsigned i, uint64_t servers,
                         struct course *course) {
  const struct call_outcome *call = &round->calls[i];
  const struct arrival *arrival = &round->arrivals[i];
  if (course->denied == 0 && is_single(arrival->receivers) && call_is_delivered(check, call, arrival, servers)) {
    course->delivered++;
    return true;
  }
  course->denied++;
  return check->kind == CHECK_CUT && arrival->receivers == 0 && call_is_refusal(check, call);
}

static void follow(const struct ongoing *ongoing, const struct prober *prober, const struct test_case *test,
                   struct course *ret_course) {
  uint64_t servers = servers_of(prober, test, ongoing->check);
  *ret_course = (struct course){0};
  for (size_t k = 0; k < ongoing->count; k++)
    for (unsigned i = 0; i < ongoing->rounds[k].count; i++)
      if (!call_is_good(ongoing->check, &ongoing->rounds[k], i, servers, ret_course) && !ret_course->broken) {
        ret_course->broken = &ongoing->rounds[k];
        ret_course->broken_call = i;
      }
}

static const char *course_seen(const struct ongoing *ongoing, const struct prober *prober, const struct course *course,
                               struct arena *arena) {
  if (course->broken)
    return arena_printf(arena,
                        "%zu calls went through; the first of the %zu after them that should not have ended so: %s",
                        course->delivered, course->denied,
                        call_seen(arena, prober, ongoing->check, course->broken, course->broken_call));
  return arena_printf(arena, "%zu calls went through, then %zu were denied", course->delivered, course->denied);
}

static json_t *course_evidence(const struct ongoing *ongoing, const struct prober *prober,
                               const struct course *course) {
  json_t *evidence = course->broken ? call_evidence(prober, ongoing->check, course->broken, course->broken_call)
                                    : json_pack("{s:s}", "id", ongoing->name);
  if (evidence && (json_object_set_new(evidence, "delivered", json_integer((json_int_t)course->delivered)) < 0 ||
                   json_object_set_new(evidence, "denied", json_integer((json_int_t)course->denied)) < 0)) {
    json_decref(evidence);
    return NULL;
  }
  return evidence;
}

int ongoing_judge(struct ongoing *ongoing, struct prober *prober, const struct test_case *test, struct arena *arena,
                  struct verdict *ret_verdict, struct error **err) {
  const struct check *check = ongoing->check;
  for (size_t k = 0; k < ongoing->count; k++) {
    int r = probe_trace(prober, &ongoing->rounds[k], err);
    if (r < 0)
      return r;
  }
  struct course course;
  follow(ongoing, prober, test, &course);
  struct check_result result = {.check = check};
  bool cut = check->kind == CHECK_CUT;
  result.held = !course.broken && course.delivered > 0 && (!cut || course.denied > 0);
  result.expected = arena_printf(arena, "%s %s", check_describe(arena, check),
                                 cut ? "goes through until it is denied, and never again"
                                     : "goes through all the time while the step is carried out");
  result.seen = course_seen(ongoing, prober, &course, arena);
  result.evidence = course_evidence(ongoing, prober, &course);
  if (!result.expected || !result.seen || !result.evidence) {
    json_decref(result.evidence);
    return error_set(err, ENOMEM, "judging a check: no memory");
  }
  *ret_verdict = (struct verdict){.result = result};
  return 0;
}

void ongoing_destroy(struct ongoing *ongoing) {
  if (!ongoing)
    return;
  end(ongoing);
  for (size_t i = 0; ongoing->rounds && i < ROUNDS_MAX; i++)
    probe_finish(&ongoing->rounds[i]);
  free(ongoing->rounds);
  workload_client_destroy(ongoing->client);
  error_free(ongoing->err);
  pthread_cond_destroy(&ongoing->changed);
  pthread_mutex_destroy(&ongoing->lock);
  free(ongoing);
}
