/* Runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/rest/route.h"
#include "host/runs/process.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX RUNS_LISTED_MAX
#define EVENTS_MAX 1000 /* of an answer */
#define WAIT_MAX_S 60
#define LOOK_NS (50 * NS_PER_MS)
#define RENDER_LIMIT_NS (30 * NS_PER_SECOND)

/* A number of the query, `fallback` when it is not there. -EINVAL. */
static int number_of(struct request *request, const char *name, size_t most, size_t fallback, size_t *ret_number,
                     struct error **err) {
  const char *text = request->parameter(request->ctx, name);
  char *end = NULL;
  *ret_number = fallback;
  if (!text)
    return 0;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > most)
    return error_set(err, EINVAL, "%s has to be a number up to %zu", name, most);
  *ret_number = (size_t)number;
  return 0;
}

static json_t *run_json(const struct run_view *view) {
  return json_pack("{s:s, s:s, s:s, s:O, s:I, s:I, s:i, s:i, s:i, s:i, s:s, s:I}", "id", view->id, "mesh", view->mesh,
                   "state", run_state_name(view->state), "spec", view->spec, "createdUnixMs",
                   (json_int_t)view->created_ms, "endedUnixMs", (json_int_t)view->ended_ms, "planned",
                   (int)view->planned, "done", (int)view->done, "failed", (int)view->failed, "exitCode",
                   view->exit_code, "message", view->message, "lastSequence", (json_int_t)view->last_sequence);
}

/* What came of a call that has a view. */
static struct answer answer_view(unsigned status, int r, struct run_view *view, const struct error *err) {
  struct answer answer = r < 0 ? answer_error(r, err) : answer_json(status, run_json(view));
  run_view_finish(view);
  return answer;
}

struct answer serve_runs(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view *views = NULL;
  size_t limit, count = 0;
  int r = number_of(request, "limit", LIMIT_MAX, LIMIT_DEFAULT, &limit, &err);
  if (r == 0)
    r = runs_list(request->host->runs, request->parameter(request->ctx, "mesh"),
                  request->parameter(request->ctx, "before"), limit, &views, &count, &err);
  if (r < 0)
    return answer_error(r, err);
  json_t *list = json_array();
  bool whole = list != NULL;
  for (size_t i = 0; whole && i < count; i++)
    whole = json_array_append_new(list, run_json(&views[i])) == 0;
  runs_list_free(views, count);
  json_t *value = whole ? json_pack("{s:O}", "runs", list) : NULL;
  json_decref(list);
  return answer_json(200, value);
}

struct answer serve_start(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  json_error_t wrong;
  json_auto_t *spec = json_loadb(request->body, request->length, JSON_REJECT_DUPLICATES, &wrong);
  if (!spec) {
    (void)error_set(&err, EINVAL, "the body is no JSON: line %d, column %d: %s", wrong.line, wrong.column, wrong.text);
    return answer_error(-EINVAL, err);
  }
  int r = runs_start(request->host->runs, spec, &view, &err);
  return answer_view(201, r, &view, err);
}

struct answer serve_run(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  int r = runs_get(request->host->runs, request->part, &view, &err);
  return answer_view(200, r, &view, err);
}

struct answer serve_cancel(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  int r = runs_cancel(request->host->runs, request->part, &view, &err);
  return answer_view(200, r, &view, err);
}

/* ---- events */

/* Waits until there is an event after `after`, the run ended, or the time is over. */
static int wait_for_event(const struct request *request, size_t after, size_t wait_s, struct run_view *view,
                          struct error **err) {
  const struct timespec pause = {.tv_nsec = LOOK_NS};
  int64_t until_ns = clock_in_ns((int64_t)wait_s * NS_PER_SECOND);
  for (;;) {
    int r = runs_get(request->host->runs, request->part, view, err);
    if (r < 0 || view->last_sequence > after || view->state >= RUN_ENDED || clock_monotonic_ns() >= until_ns ||
        atomic_load(&request->host->stopping))
      return r;
    run_view_finish(view);
    (void)nanosleep(&pause, NULL);
  }
}

/* Those from after + 1 to `last`, at most EVENTS_MAX, each with its number. */
static int add_events(const struct request *request, size_t after, size_t last, json_t *list, struct error **err) {
  static const atomic_bool never = false; /* they are there */
  struct runs_watch *watch = NULL;
  uint64_t sequence = after;
  int r = last > after ? runs_watch_open(request->host->runs, request->part, after, &watch, err) : 0;
  for (bool more = watch != NULL; r >= 0 && more; more = r > 0 && sequence < last && sequence - after < EVENTS_MAX) {
    json_auto_t *event = NULL;
    r = runs_watch_next(watch, &never, &event, &sequence, err);
    if (r > 0 && (json_object_set_new(event, "sequence", json_integer((json_int_t)sequence)) < 0 ||
                  json_array_append(list, event) < 0))
      r = -ENOMEM;
  }
  runs_watch_close(watch);
  return r < 0 ? r : 0;
}

struct answer serve_events(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  size_t after, wait_s;
  json_auto_t *list = json_array();
  int r = number_of(request, "after", RUN_EVENTS_MAX, 0, &after, &err);
  if (r == 0)
    r = number_of(request, "wait", WAIT_MAX_S, 0, &wait_s, &err);
  if (r == 0)
    r = wait_for_event(request, after, wait_s, &view, &err);
  if (r == 0)
    r = list ? add_events(request, after, view.last_sequence, list, &err) : -ENOMEM;
  struct answer answer =
      r < 0 ? answer_error(r, err)
            : answer_json(200, json_pack("{s:O, s:s}", "events", list, "state", run_state_name(view.state)));
  run_view_finish(&view);
  return answer;
}

/* ---- reports */

/* The formats of `trammel report render`, by what they are over HTTP. */
static const struct format {
  const char *name, *type;
} formats[] = {{"json", "application/json"},
               {"html", "text/html; charset=utf-8"},
               {"text", "text/plain; charset=utf-8"},
               {"markdown", "text/markdown; charset=utf-8"},
               {"junit", "application/xml"},
               {"tap", "text/plain; charset=utf-8"},
               {"badge", "image/svg+xml"}};

static const struct format *format_named(const char *name) {
  for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
    if (strcmp(formats[i].name, name) == 0)
      return &formats[i];
  return NULL;
}

/* `trammel report render` reads a file. */
static int render(const struct request *request, const char *path, const struct format *format, char **ret_text,
                  struct error **err) {
  _cleanup_free_ char *output = NULL;
  if (asprintf(&output, "--output=%s", format->name) < 0)
    return error_set(err, ENOMEM, "no memory");
  json_auto_t *words = json_pack("[s, s, s, s, s]", request->host->program, "report", "render", output, path);
  return words ? process_capture(request->host->program, words, request->host->state_directory, RENDER_LIMIT_NS,
                                 ret_text, err)
               : error_set(err, ENOMEM, "no memory");
}

static int render_report(const struct request *request, const char *report, size_t length, const struct format *format,
                         char **ret_text, struct error **err) {
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/report-XXXXXX", request->host->state_directory) < 0)
    return error_set(err, ENOMEM, "no memory");
  _cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  int r = file_write_all(fd, report, length);
  r = r < 0 ? error_set(err, -r, "%s: %s", path, strerror(-r)) : render(request, path, format, ret_text, err);
  (void)unlink(path);
  return r;
}

static struct answer answer_report(const struct request *request, const char *run, const struct format *format) {
  _cleanup_error_ struct error *err = NULL;
  char *report = NULL;
  char *text = NULL;
  size_t length = 0;
  int r = runs_report(request->host->runs, run, &report, &length, &err);
  if (r == -EAGAIN)
    return answer_problem(409, error_message(err));
  if (r == 0 && format == formats)
    return answer_data(format->type, report, length);
  if (r == 0)
    r = render_report(request, report, length, format, &text, &err);
  free(report);
  return r < 0 ? answer_error(r, err) : answer_data(format->type, text, text ? strlen(text) : 0);
}

struct answer serve_report(struct request *request) {
  const char *name = request->parameter(request->ctx, "format");
  const struct format *format = name ? format_named(name) : formats;
  if (!format)
    return answer_problem(400, "format is json, html, text, markdown, junit, tap or badge");
  return answer_report(request, request->part, format);
}

/* The latest run of a mesh that has ended by itself. */
struct answer serve_badge(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct run_view *views = NULL;
  size_t count = 0;
  char run[RUN_ID_SIZE] = "";
  int r = runs_list(request->host->runs, request->part, NULL, 0, &views, &count, &err);
  for (size_t i = 0; r == 0 && run[0] == '\0' && i < count; i++)
    if (views[i].state == RUN_ENDED)
      (void)memcpy(run, views[i].id, sizeof(run));
  runs_list_free(views, count);
  if (r < 0)
    return answer_error(r, err);
  return run[0] ? answer_report(request, run, format_named("badge"))
                : answer_problem(404, "no run of that mesh has ended");
}
