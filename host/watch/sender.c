#include "host/watch/sender.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "host/engine/content.h"
#include "sdk/base/clock.h"

#define WAIT_NS (200 * NS_PER_MS) /* until the flag of the end is looked at again */

struct sender {
  struct sender_options options;
  pthread_t threads[SENDER_THREADS];
  size_t count;
};

static bool is_refusal(int r) {
  return r == -EEXIST || r == -EBUSY || r == -EPERM || r == -EINVAL || r == -E2BIG;
}

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static enum rollout_outcome outcome_of(const json_t *before, const json_t *after) {
  if (!before)
    return ROLLOUT_CREATED;
  return content_equal(before, after) ? ROLLOUT_UNCHANGED : ROLLOUT_CHANGED;
}

/* A removal of an object that others have made theirs meanwhile is refused. */
static int carry_out(const struct sender *sender, const struct stock_job *job, enum rollout_outcome *ret_outcome,
                     struct error **err) {
  const struct sender_options *options = &sender->options;
  const struct kube_call call = {.deadline_ns = earlier(clock_in_ns(SENDER_TIMEOUT_NS), job->until_ns),
                                 .cancel = options->cancel};
  json_auto_t *before = NULL, *after = NULL;

  *ret_outcome = ROLLOUT_REMOVED;
  if (!job->body)
    return cluster_remove(options->cluster, &job->place, &call, err);
  int r =
      cluster_change(options->cluster, &job->place, job->body, options->manager, false, &call, &before, &after, err);
  if (r == 0)
    *ret_outcome = outcome_of(before, after);
  return r;
}

static void work(const struct sender *sender, struct stock_job *job) {
  const struct sender_options *options = &sender->options;
  _cleanup_error_ struct error *why = NULL;
  struct rollout_step step = {.place = job->place};

  int r = carry_out(sender, job, &step.outcome, &why);
  unsigned failures = stock_done(options->stock, job, r);
  if (r < 0 && atomic_load(options->cancel))
    return; /* it was cut short */
  if (r < 0) {
    step.outcome = is_refusal(r) ? ROLLOUT_REFUSED : ROLLOUT_FAILED;
    step.why = error_message(why);
  }
  counters_done(options->counters, step.outcome, job->since_ns);
  options->told(options->ctx, &step, failures, job->sources);
}

static void *run(void *ctx) {
  const struct sender *sender = ctx;

  while (!atomic_load(sender->options.cancel)) {
    struct stock_job job;
    int r = stock_next(sender->options.stock, WAIT_NS, &job);
    if (r <= 0)
      continue;
    work(sender, &job);
    stock_job_finish(&job);
  }
  return NULL;
}

int sender_start(const struct sender_options *options, struct sender **ret_sender, struct error **err) {
  struct sender *sender = calloc(1, sizeof(*sender));

  if (!sender)
    return error_set(err, ENOMEM, "out of memory for what is sent");
  sender->options = *options;
  for (; sender->count < SENDER_THREADS; sender->count++)
    if (pthread_create(&sender->threads[sender->count], NULL, run, sender) != 0)
      break;
  if (sender->count == 0) {
    free(sender);
    return error_set(err, EAGAIN, "no thread to send objects with");
  }
  *ret_sender = sender;
  return 0;
}

void sender_join(struct sender *sender) {
  if (!sender)
    return;
  for (size_t i = 0; i < sender->count; i++)
    (void)pthread_join(sender->threads[i], NULL);
  free(sender);
}
