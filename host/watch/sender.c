#include "host/watch/sender.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "host/engine/content.h"
#include "host/watch/contest.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

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
static int carry_out(const struct sender *sender, struct stock_job *job, struct cluster_changed *changed,
                     struct error **err) {
  const struct sender_options *options = &sender->options;
  const struct kube_call call = {.deadline_ns = earlier(clock_in_ns(SENDER_TIMEOUT_NS), job->until_ns),
                                 .cancel = options->cancel};
  const struct cluster_writer writer = {.view = *options->view, .undo = job->undo};

  if (!job->body)
    return cluster_remove(options->cluster, &job->place, &call, err);
  int r = cluster_change(options->cluster, &job->place, job->body, &writer, &call, changed, err);
  job->undone = changed->taken;
  if (job->undone)
    atomic_fetch_add(&options->counters->undone, 1);
  return r;
}

/* Whether they have added to it once more, after it was undone again and again. */
static bool is_contest(const struct stock_job *job, int r, const struct cluster_changed *changed) {
  return r == -EBUSY && !job->undo && changed->additions;
}

/* Why, or what is remarkable. */
static void explain(const struct stock_job *job, int r, const struct cluster_changed *changed, const char *why,
                    struct strbuf *text) {
  if (r < 0)
    strbuf_puts(text, why);
  else if (job->undone)
    strbuf_printf(text, "undone: %s", changed->undone);
  if (is_contest(job, r, changed))
    strbuf_printf(text, "; it came back each of the %d times that it was undone, so it is left for %d minutes",
                  CONTEST_ROUNDS, (int)(CONTEST_REST_NS / NS_PER_SECOND / 60));
}

static void work(const struct sender *sender, struct stock_job *job) {
  const struct sender_options *options = &sender->options;
  _cleanup_error_ struct error *why = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct cluster_changed changed = {0};

  int r = carry_out(sender, job, &changed, &why);
  unsigned failures = stock_done(options->stock, job, r);
  if (r == 0 || !atomic_load(options->cancel)) { /* else it was cut short */
    explain(job, r, &changed, error_message(why), &text);
    struct sender_news news = {
        .failures = failures, .sources = job->sources, .contested = is_contest(job, r, &changed)};
    news.step = (struct rollout_step){.place = job->place,
                                      .outcome = r < 0        ? is_refusal(r) ? ROLLOUT_REFUSED : ROLLOUT_FAILED
                                                 : !job->body ? ROLLOUT_REMOVED
                                                              : outcome_of(changed.before, changed.after),
                                      .why = text.length > 0 ? strbuf_text(&text) : NULL};
    const json_t *object = changed.after ? changed.after : changed.before;
    news.uid = object ? kube_object_uid(object) : NULL;
    counters_done(options->counters, news.step.outcome, job->since_ns);
    options->told(options->ctx, &news);
  }
  cluster_changed_finish(&changed);
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
