#include "host/runs/runs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/runs/arguments.h"
#include "host/runs/internal.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

/* How often one that waits for an event looks whether it is to give up. */
#define CANCEL_POLL_NS (250 * INT64_C(1000000))
#define REPORT_MAX ((size_t)64 << 20)

const char *run_state_name(enum run_state state) {
  static const char *const names[] = {"?", "queued", "running", "ended", "cancelled", "interrupted"};
  return state >= RUN_QUEUED && state <= RUN_INTERRUPTED ? names[state] : names[0];
}

bool run_is_over(const struct run *run) {
  return run->state >= RUN_ENDED;
}

void runs_wake(struct runs *runs) {
  (void)eventfd_write(runs->wake, 1);
}

static struct run *find(struct runs *runs, const char *id, struct error **err) {
  struct run *run;
  TAILQ_FOREACH(run, &runs->list, next)
  if (strcmp(run->id, id) == 0)
    return run;
  (void)error_set(err, ENOENT, "no run %s is known; `trammel runs list` shows those that are", id);
  return NULL;
}

static void view(const struct run *run, struct run_view *ret_view) {
  *ret_view = (struct run_view){.state = run->state,
                                .spec = json_incref(run->spec),
                                .created_ms = run->created_ms,
                                .ended_ms = run->ended_ms,
                                .planned = run->planned,
                                .done = run->done,
                                .failed = run->failed,
                                .exit_code = run->exit_code,
                                .last_sequence = run->count};
  (void)memcpy(ret_view->id, run->id, sizeof(run->id));
  (void)memcpy(ret_view->message, run->message, sizeof(run->message));
}

void run_view_finish(struct run_view *run) {
  json_decref(run->spec);
  run->spec = NULL;
}

/* ---- opening and closing */

void runs_stop(struct runs *runs, int64_t grace_ns) {
  pthread_mutex_lock(&runs->lock);
  runs->stopping = true;
  runs->grace_ns = grace_ns;
  pthread_mutex_unlock(&runs->lock);
  runs_wake(runs);
  (void)pthread_join(runs->worker, NULL);
  runs->begun = false;
}

void runs_close(struct runs *runs) {
  struct run *run;
  if (!runs)
    return;
  if (runs->begun)
    runs_stop(runs, 0);
  while ((run = TAILQ_FIRST(&runs->list))) {
    TAILQ_REMOVE(&runs->list, run, next);
    run_free(run);
  }
  close_p(&runs->wake);
  pthread_cond_destroy(&runs->changed);
  pthread_mutex_destroy(&runs->lock);
  free(runs->state);
  free(runs->program);
  free(runs->directory);
  free(runs);
}
DEFINE_CLEANUP(struct runs *, runs_close);

static struct runs *runs_new(const struct runs_options *options) {
  struct runs *runs = calloc(1, sizeof(*runs));
  pthread_condattr_t attributes;
  if (!runs)
    return NULL;
  *runs = (struct runs){.options = *options, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1};
  TAILQ_INIT(&runs->list);
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&runs->changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  runs->state = strdup(options->state_directory);
  runs->program = strdup(options->program);
  if (asprintf(&runs->directory, "%s/daemon", options->state_directory) < 0)
    runs->directory = NULL;
  return runs;
}

static int make_directories(const struct runs *runs, struct error **err) {
  const char *const names[] = {"", "/reports"};
  for (size_t i = 0; i < 2; i++) {
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s%s", runs->directory, names[i]) < 0)
      path = NULL;
    if (!path)
      return error_set(err, ENOMEM, "no memory");
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
      return error_set(err, errno, "making %s: %s", path, strerror(errno));
  }
  return 0;
}

int runs_open(const struct runs_options *options, struct runs **ret_runs, struct error **err) {
  _cleanup_(runs_close_p) struct runs *runs = runs_new(options);
  if (!runs || !runs->state || !runs->program || !runs->directory)
    return error_set(err, ENOMEM, "no memory");
  runs->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int r = runs->wake < 0 ? error_set(err, errno, "no eventfd: %s", strerror(errno)) : make_directories(runs, err);
  if (r == 0)
    r = runs_load(runs, err);
  if (r < 0)
    return r;
  r = pthread_create(&runs->worker, NULL, runs_work, runs);
  if (r != 0)
    return error_set(err, r, "no thread: %s", strerror(r));
  runs->begun = true;
  *ret_runs = take(runs);
  return 0;
}

size_t runs_found_interrupted(const struct runs *runs) {
  return runs->interrupted;
}

/* ---- runs */

/* Makes room for one more. Called with the lock held. */
static int make_room(struct runs *runs, struct error **err) {
  struct run *run, *before;
  size_t live = 0;
  TAILQ_FOREACH(run, &runs->list, next) {
    live += !run_is_over(run);
    run_release(run); /* one whose watcher left before its end may still have its events */
  }
  if (live >= RUNS_QUEUED_MAX)
    return error_set(err, EAGAIN, "%zu runs wait or go on, which is the most there may be", live);
  for (run = TAILQ_LAST(&runs->list, run_list); run && runs->kept >= RUNS_KEPT_MAX; run = before) {
    before = TAILQ_PREV(run, run_list, next);
    if (run_is_over(run) && run->watchers == 0)
      run_forget(runs, run);
  }
  return 0;
}

static int add(struct runs *runs, json_t *spec, struct run **ret_run, struct error **err) {
  if (runs->stopping)
    return error_set(err, ESHUTDOWN, "the host is stopping");
  int r = make_room(runs, err);
  if (r < 0)
    return r;
  _cleanup_error_ struct error *wrong = NULL;
  struct run *run = run_create(runs, spec, &wrong);
  if (!run)
    return error_set(err, error_code(wrong), "%s", error_message(wrong));
  TAILQ_INSERT_HEAD(&runs->list, run, next);
  runs->kept++;
  *ret_run = run;
  return 0;
}

int runs_start(struct runs *runs, json_t *spec, struct run_view *ret_view, struct error **err) {
  struct run *run = NULL;
  int r = spec_check(spec, err);
  if (r < 0)
    return r;
  pthread_mutex_lock(&runs->lock);
  r = add(runs, spec, &run, err);
  if (r == 0)
    view(run, ret_view);
  pthread_mutex_unlock(&runs->lock);
  runs_wake(runs);
  return r;
}

int runs_get(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err) {
  pthread_mutex_lock(&runs->lock);
  const struct run *run = find(runs, id, err);
  if (run)
    view(run, ret_view);
  pthread_mutex_unlock(&runs->lock);
  return run ? 0 : -ENOENT;
}

int runs_list(struct runs *runs, size_t limit, struct run_view **ret_views, size_t *ret_count) {
  const struct run *run;
  size_t count = 0;
  pthread_mutex_lock(&runs->lock);
  struct run_view *views = calloc(runs->kept + 1, sizeof(*views));
  TAILQ_FOREACH(run, &runs->list, next)
  if (views && (limit == 0 || count < limit))
    view(run, &views[count++]);
  pthread_mutex_unlock(&runs->lock);
  *ret_views = views;
  *ret_count = count;
  return views ? 0 : -ENOMEM;
}

void runs_list_free(struct run_view *views, size_t count) {
  for (size_t i = 0; i < count; i++)
    run_view_finish(&views[i]);
  free(views);
}

int runs_cancel(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err) {
  pthread_mutex_lock(&runs->lock);
  struct run *run = find(runs, id, err);
  if (run) {
    run->asked = run->asked || !run_is_over(run);
    view(run, ret_view);
  }
  pthread_mutex_unlock(&runs->lock);
  runs_wake(runs);
  return run ? 0 : -ENOENT;
}

static void wait_a_little(struct runs *runs) {
  int64_t until_ns = clock_in_ns(CANCEL_POLL_NS);
  const struct timespec until = {.tv_sec = until_ns / NS_PER_SECOND, .tv_nsec = until_ns % NS_PER_SECOND};
  (void)pthread_cond_timedwait(&runs->changed, &runs->lock, &until);
}

static int next_of(struct runs *runs, struct run *run, size_t after, const atomic_bool *cancel, json_t **ret_event,
                   struct error **err) {
  while (after >= run->count && !run_is_over(run)) {
    if (atomic_load(cancel))
      return -ECANCELED;
    wait_a_little(runs);
  }
  if (after == run->count)
    return 0;
  if (after > run->count)
    return error_set(err, EINVAL, "run %s has %zu events, there is none after %zu", run->id, run->count, after);
  int r = run_fetch(runs, run, err);
  if (r == 0)
    *ret_event = json_incref(json_array_get(run->events, after));
  return r < 0 ? r : 1;
}

int runs_next(struct runs *runs, const char *id, size_t after, const atomic_bool *cancel, json_t **ret_event,
              struct error **err) {
  int r = -ENOENT;
  pthread_mutex_lock(&runs->lock);
  struct run *run = find(runs, id, err);
  if (run) {
    run->watchers++; /* so that it is not forgotten meanwhile */
    r = next_of(runs, run, after, cancel, ret_event, err);
    run->watchers--;
    if (r != 1)
      run_release(run);
  }
  pthread_mutex_unlock(&runs->lock);
  return r;
}

int runs_report(struct runs *runs, const char *id, char **ret_data, size_t *ret_length, struct error **err) {
  _cleanup_free_ char *path = NULL;
  pthread_mutex_lock(&runs->lock);
  const struct run *run = find(runs, id, err);
  bool over = run && run_is_over(run);
  path = run ? run_report_path(runs, run->id) : NULL; /* never from what a client says */
  pthread_mutex_unlock(&runs->lock);
  if (!run)
    return -ENOENT;
  if (!over)
    return error_set(err, EAGAIN, "run %s still goes on", id);
  _cleanup_error_ struct error *wrong = NULL;
  int r = path ? file_read(path, REPORT_MAX, ret_data, ret_length, &wrong) : error_set(&wrong, ENOMEM, "no memory");
  if (r == -ENOENT)
    return error_set(err, ENOENT, "run %s ended before it had a report", id);
  return r < 0 ? error_set(err, -r, "%s", error_message(wrong)) : 0;
}
