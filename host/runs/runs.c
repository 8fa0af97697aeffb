#include "host/runs/runs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/runs/arguments.h"
#include "host/runs/internal.h"
#include "host/runs/meshes.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"

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

struct run *runs_find(struct runs *runs, const char *id) {
  struct run *run;
  TAILQ_FOREACH(run, &runs->list, next)
  if (strcmp(run->id, id) == 0)
    return run;
  return NULL;
}

int runs_unknown(const char *id, struct error **err) {
  return error_set(err, ENOENT, "no run %.*s is known; `trammel runs list` shows those that are", RUN_ID_SIZE, id);
}

static void view(const struct run *run, struct run_view *ret_view) {
  *ret_view = (struct run_view){.state = run->state,
                                .spec = json_deep_copy(run->spec),
                                .created_ms = run->created_ns / NS_PER_MS,
                                .ended_ms = run->ended_ms,
                                .planned = run->planned,
                                .done = run->done,
                                .failed = run->failed,
                                .exit_code = run_is_over(run) ? run->exit_code : 0,
                                .last_sequence = run->event_count};
  (void)memcpy(ret_view->id, run->id, sizeof(run->id));
  (void)memcpy(ret_view->message, run->message, sizeof(run->message));
  (void)snprintf(ret_view->mesh, sizeof(ret_view->mesh), "%s", run->mesh);
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
  *runs = (struct runs){.options = *options, .limits = options->limits, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1};
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

/* Reports on their way into the store; what is there when runs are opened came too late. */
static void empty_reports(const char *path) {
  DIR *directory = opendir(path);
  const struct dirent *entry;
  while (directory && (entry = readdir(directory)))
    if (entry->d_name[0] != '.' || strncmp(entry->d_name, FILE_PARTIAL, strlen(FILE_PARTIAL)) == 0)
      (void)unlinkat(dirfd(directory), entry->d_name, 0);
  if (directory)
    (void)closedir(directory);
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
    if (i == 1)
      empty_reports(path);
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
    r = runs_recover(runs, err);
  if (r < 0)
    return r;
  r = pthread_create(&runs->worker, NULL, runs_work, runs);
  if (r != 0)
    return error_set(err, r, "no thread: %s", strerror(r));
  runs->begun = true;
  *ret_runs = take(runs);
  return 0;
}

void runs_set_limits(struct runs *runs, const struct runs_limits *limits) {
  pthread_mutex_lock(&runs->lock);
  runs->limits = *limits;
  runs->prune_ns = clock_monotonic_ns();
  pthread_mutex_unlock(&runs->lock);
  runs_wake(runs);
}

size_t runs_found_interrupted(const struct runs *runs) {
  return runs->interrupted;
}

/* ---- runs */

/* Has a place for one more. */
static int reserve(struct runs *runs, struct error **err) {
  int r = 0;
  pthread_mutex_lock(&runs->lock);
  if (runs->stopping)
    r = error_set(err, ESHUTDOWN, "the host is stopping");
  else if (runs->live >= RUNS_QUEUED_MAX)
    r = error_set(err, EAGAIN, "%zu runs wait or go on, which is the most there may be", runs->live);
  else
    runs->live++;
  pthread_mutex_unlock(&runs->lock);
  return r;
}

static void release(struct runs *runs) {
  pthread_mutex_lock(&runs->lock);
  runs->live--;
  pthread_mutex_unlock(&runs->lock);
}

/* One that came when the worker had gone is not told, and interrupted when runs are opened again. */
static int insert(struct runs *runs, struct run *run, struct run_view *ret_view, struct error **err) {
  pthread_mutex_lock(&runs->lock);
  bool late = !run || runs->over;
  if (late) {
    runs->live--;
  } else {
    TAILQ_INSERT_HEAD(&runs->list, run, next);
    view(run, ret_view);
  }
  pthread_mutex_unlock(&runs->lock);
  if (!late || !run)
    return run ? 0 : -EIO;
  run_free(run);
  return error_set(err, ESHUTDOWN, "the host is stopping");
}

int runs_start(struct runs *runs, json_t *spec, struct run_view *ret_view, struct error **err) {
  _cleanup_free_ char *mesh = NULL;
  _cleanup_error_ struct error *wrong = NULL;
  int r = spec_check(spec, err);
  if (r == 0)
    r = reserve(runs, err);
  if (r < 0)
    return r;
  r = mesh_adapter(runs->program, runs->state, spec_mesh(spec), &mesh, err);
  if (r < 0) {
    release(runs);
    return r;
  }
  struct run *run = run_create(runs, spec, mesh, &wrong);
  r = insert(runs, run, ret_view, err);
  if (!run)
    return error_set(err, error_code(wrong), "%s", error_message(wrong));
  runs_wake(runs);
  return r;
}

/* Whether this host carries it out. */
static bool get_live(struct runs *runs, const char *id, struct run_view *ret_view) {
  pthread_mutex_lock(&runs->lock);
  const struct run *run = runs_find(runs, id);
  if (run)
    view(run, ret_view);
  pthread_mutex_unlock(&runs->lock);
  return run != NULL;
}

int runs_get(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err) {
  struct store_run kept = {0};
  if (get_live(runs, id, ret_view))
    return 0;
  _cleanup_error_ struct error *wrong = NULL;
  int r = store_run_get(runs->options.store, id, &kept, &wrong);
  if (r == 0)
    r = run_view_of(&kept, ret_view);
  store_run_finish(&kept);
  if (r == -ENOENT)
    return runs_unknown(id, err);
  return r < 0 ? error_set(err, -r, "%s", wrong ? error_message(wrong) : strerror(-r)) : 0;
}

/* A page of the store; what goes on here is as it is by now. */
static int views_of(struct runs *runs, const struct store_run *kept, size_t count, struct run_view *views,
                    size_t *ret_count, struct error **err) {
  for (size_t i = 0; i < count; i++) {
    struct run_view *one = &views[*ret_count];
    int r = kept[i].state > STORE_RUNNING ? run_view_of(&kept[i], one) : runs_get(runs, kept[i].id, one, NULL);
    if (r == -ENOMEM)
      return error_set(err, ENOMEM, "no memory");
    *ret_count += r == 0;
  }
  return 0;
}

int runs_list(struct runs *runs, const char *mesh, const char *before, size_t limit, struct run_view **ret_views,
              size_t *ret_count, struct error **err) {
  struct store_run *kept = NULL, last = {0};
  struct store_filter filter = {
      .kind = RUN_KIND, .mesh = mesh, .limit = limit == 0 || limit > RUNS_LISTED_MAX ? RUNS_LISTED_MAX : limit};
  size_t kept_count = 0, count = 0;
  int r = before ? store_run_get(runs->options.store, before, &last, err) : 0;
  if (r < 0)
    return r;
  filter.before_id = before;
  filter.before_ns = last.created_ns;
  store_run_finish(&last);
  r = store_run_list(runs->options.store, &filter, &kept, &kept_count, err);
  if (r < 0)
    return r;
  struct run_view *views = calloc(kept_count + 1, sizeof(*views));
  r = views ? views_of(runs, kept, kept_count, views, &count, err) : error_set(err, ENOMEM, "no memory");
  store_runs_free(kept, kept_count);
  if (r < 0) {
    runs_list_free(views, count);
    return r;
  }
  *ret_views = views;
  *ret_count = count;
  return 0;
}

void runs_list_free(struct run_view *views, size_t count) {
  for (size_t i = 0; i < count; i++)
    run_view_finish(&views[i]);
  free(views);
}

bool runs_any_running(struct runs *runs) {
  const struct run *run;
  bool any = false;
  pthread_mutex_lock(&runs->lock);
  TAILQ_FOREACH(run, &runs->list, next)
  any |= run->state == RUN_RUNNING;
  pthread_mutex_unlock(&runs->lock);
  return any;
}

int runs_cancel(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err) {
  pthread_mutex_lock(&runs->lock);
  struct run *run = runs_find(runs, id);
  if (run) {
    run->asked = run->asked || !run_is_over(run);
    view(run, ret_view);
  }
  pthread_mutex_unlock(&runs->lock);
  if (run) {
    runs_wake(runs);
    return 0;
  }
  int r = runs_get(runs, id, ret_view, err);
  if (r < 0 || ret_view->state >= RUN_ENDED)
    return r;
  run_view_finish(ret_view);
  return error_set(err, EREMOTE, "another host carries out run %s: ask that one", id);
}

int runs_report(struct runs *runs, const char *id, char **ret_data, size_t *ret_length, struct error **err) {
  struct run_view view_of_run = {0};
  _cleanup_error_ struct error *wrong = NULL;
  int r = runs_get(runs, id, &view_of_run, err);
  if (r < 0)
    return r;
  run_view_finish(&view_of_run);
  if (view_of_run.state < RUN_ENDED)
    return error_set(err, EAGAIN, "run %s still goes on", id);
  r = store_report_get(runs->options.store, id, ret_data, ret_length, &wrong);
  if (r == -ENOENT)
    return error_set(err, ENOENT, "run %s ended before it had a report", id);
  return r < 0 ? error_set(err, -r, "%s", error_message(wrong)) : 0;
}
