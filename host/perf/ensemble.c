#include "host/perf/ensemble.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "sdk/base/clock.h"

#define START_NS (5 * NS_PER_MS) /* for all loads to learn of it */

/* Where loads that are connected wait for the others. */
struct meeting {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  size_t expected; /* that have not come, and have not ended without coming */
  int64_t start_ns;
};

struct member {
  const struct ensemble_part *part;
  struct meeting *meeting;
  struct load_start start;
  bool counted; /* it came, or is not waited for any more */
  bool running;
  pthread_t thread;
  struct load_result result;
  struct error *err;
  int status;
};

/* With the lock. */
static void count_out(struct member *member) {
  struct meeting *meeting = member->meeting;
  if (member->counted)
    return;
  member->counted = true;
  if (--meeting->expected > 0)
    return;
  meeting->start_ns = clock_in_ns(START_NS);
  (void)pthread_cond_broadcast(&meeting->changed);
}

static int64_t meet(void *context) {
  struct member *member = context;
  struct meeting *meeting = member->meeting;
  (void)pthread_mutex_lock(&meeting->lock);
  count_out(member);
  while (meeting->expected > 0)
    (void)pthread_cond_wait(&meeting->changed, &meeting->lock);
  int64_t start_ns = meeting->start_ns;
  (void)pthread_mutex_unlock(&meeting->lock);
  return start_ns;
}

static void leave(struct member *member) {
  (void)pthread_mutex_lock(&member->meeting->lock);
  count_out(member);
  (void)pthread_mutex_unlock(&member->meeting->lock);
}

static void *member_main(void *argument) {
  struct member *member = argument;
  struct load_options options = member->part->options;
  options.start = &member->start;
  member->status = load_run(member->part->target, &options, &member->result, &member->err);
  leave(member);
  return NULL;
}

static int run_members(struct member *members, size_t count, struct error **err) {
  int r = 0;
  for (size_t i = 0; i < count; i++) {
    int failed = r == 0 ? pthread_create(&members[i].thread, NULL, member_main, &members[i]) : 0;
    members[i].running = r == 0 && failed == 0;
    if (failed)
      r = error_set(err, failed, "starting load %zu of %zu: %s", i + 1, count, strerror(failed));
    if (!members[i].running)
      leave(&members[i]);
  }
  for (size_t i = 0; i < count; i++) {
    if (members[i].running)
      (void)pthread_join(members[i].thread, NULL);
    if (r == 0 && members[i].status < 0) {
      r = members[i].status;
      if (err)
        *err = take(members[i].err);
    }
  }
  return r;
}

int ensemble_run(const struct ensemble_part *parts, size_t count, struct load_result *ret_results, struct error **err) {
  if (count < 1 || count > ENSEMBLE_MAX)
    return error_set(err, EINVAL, "1 to %d loads run at the same time, not %zu", ENSEMBLE_MAX, count);
  struct meeting meeting = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .expected = count};
  struct member *members = calloc(count, sizeof(*members));
  if (!members)
    return error_set(err, ENOMEM, "no memory for %zu loads", count);
  for (size_t i = 0; i < count; i++)
    members[i] = (struct member){
        .part = &parts[i], .meeting = &meeting, .start = {.meet = meet, .context = &members[i]}, .status = -ECANCELED};
  int r = run_members(members, count, err);
  for (size_t i = 0; i < count; i++) {
    if (r == 0)
      ret_results[i] = members[i].result;
    else if (members[i].status == 0)
      load_result_finish(&members[i].result);
    error_free(members[i].err);
  }
  free(members);
  return r;
}
