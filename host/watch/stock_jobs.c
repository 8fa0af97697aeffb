/* What there is to do about a stock, given out and taken back. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/watch/condition.h"
#include "host/watch/marks.h"
#include "host/watch/stock_internal.h"
#include "sdk/base/clock.h"

void stock_job_finish(struct stock_job *job) {
  free((void *)(uintptr_t)job->place.api_version);
  free((void *)(uintptr_t)job->place.kind);
  free((void *)(uintptr_t)job->place.ns);
  free((void *)(uintptr_t)job->place.name);
  json_decref(job->body);
  free(job->sources);
  *job = (struct stock_job){0};
}

void stock_allow(struct stock *stock, int64_t until_ns) {
  (void)pthread_mutex_lock(&stock->lock);
  stock->allowed_until_ns = until_ns;
  (void)pthread_cond_broadcast(&stock->changed);
  (void)pthread_mutex_unlock(&stock->lock);
}

static struct item *find_next(struct stock *stock, int64_t now_ns, int64_t *wake_ns) {
  struct task *task = stock->allowed_until_ns > now_ns ? backlog_find(&stock->backlog, now_ns, wake_ns) : NULL;

  return task ? (struct item *)(void *)((char *)task - offsetof(struct item, task)) : NULL;
}

static int make_job(const struct item *item, struct stock_job *job) {
  *job = (struct stock_job){.place = {.api_version = strdup(item->api_version),
                                      .kind = strdup(item->kind),
                                      .ns = strdup(item->ns),
                                      .name = strdup(item->name)},
                            .body = item->task.work == BACKLOG_APPLY ? json_loads(item->body, 0, NULL) : NULL,
                            .sources = strdup(item->sources),
                            .since_ns = item->since_ns,
                            .undo = contest_allows(&item->contest, clock_monotonic_ns()),
                            .item = (void *)(uintptr_t)item};
  if (job->place.api_version && job->place.kind && job->place.ns && job->place.name && job->sources &&
      (item->task.work == BACKLOG_REMOVE || (job->body && marks_set_wave(job->body, item->task.wave) == 0)))
    return 1;
  stock_job_finish(job);
  return -ENOMEM;
}

int stock_next(struct stock *stock, int64_t wait_ns, struct stock_job *ret_job) {
  int64_t end_ns = clock_in_ns(wait_ns);
  struct item *item = NULL;
  int r = 0;

  (void)pthread_mutex_lock(&stock->lock);
  for (;;) {
    int64_t now_ns = clock_monotonic_ns(), wake_ns = end_ns;
    item = find_next(stock, now_ns, &wake_ns);
    if (item || now_ns >= end_ns)
      break;
    (void)condition_wait(&stock->lock, &stock->changed, wake_ns);
  }
  if (item && (r = make_job(item, ret_job)) > 0) {
    ret_job->until_ns = stock->allowed_until_ns;
    backlog_begin(&stock->backlog, &item->task);
    if (item->task.work == BACKLOG_APPLY)
      item->fulfilled = true; /* unless something is wanted otherwise, or seen, meanwhile */
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return r;
}

unsigned stock_done(struct stock *stock, struct stock_job *job, int r) {
  struct item *item = job->item;
  bool applied = job->body != NULL;
  unsigned failures = 0;

  (void)pthread_mutex_lock(&stock->lock);
  backlog_end(&stock->backlog, &item->task);
  if (job->undone)
    contest_note(&item->contest, clock_monotonic_ns());
  if (r == 0) {
    item->there = item->ours = applied;
    backlog_forgive(&item->task);
    if (item->fulfilled) /* else it was changed meanwhile */
      backlog_settle(&item->task);
  } else if (applied) {
    item->fulfilled = false;
  }
  enum backlog_work work = stock_work_for(stock, item);
  if (r < 0 && work == (applied ? BACKLOG_APPLY : BACKLOG_REMOVE))
    failures = backlog_put_off(&stock->backlog, &item->task, work, item_is_there(item), r == -EBUSY);
  else
    stock_review(stock, item, false);
  (void)pthread_cond_broadcast(&stock->changed); /* others of the namespace may have waited for it */
  (void)pthread_mutex_unlock(&stock->lock);
  return failures;
}
