/* What is kept of runs, in the store: what is to be done, as JSON, in its command; events; and how it ended, as JSON,
 * in its summary. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "host/runs/arguments.h"
#include "host/runs/internal.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

#define RETRY_NS (5 * NS_PER_SECOND) /* until an end that could not be kept is tried again */
#define PRUNE_EVERY_NS (3600 * NS_PER_SECOND)
#define DAY_NS (24 * 3600 * NS_PER_SECOND)
#define PAGE 200 /* runs or events of one question */

static int64_t now_ms(void) {
  return clock_realtime_ns() / NS_PER_MS;
}

/* Sortable by time, which is that of the run. */
static int make_id(int64_t created_ns, char ret_id[RUN_ID_SIZE], struct error **err) {
  time_t seconds = (time_t)(created_ns / NS_PER_SECOND);
  struct tm utc;
  char second[20];
  uint32_t chance;
  if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance) || !gmtime_r(&seconds, &utc) ||
      strftime(second, sizeof(second), "%Y%m%dT%H%M%S", &utc) == 0)
    return error_set(err, EIO, "no id for a run");
  (void)snprintf(ret_id, RUN_ID_SIZE, "%s.%03dZ-%08x", second, (int)(created_ns % NS_PER_SECOND / NS_PER_MS), chance);
  return 0;
}

void run_free(struct run *run) {
  if (!run)
    return;
  json_decref(run->spec);
  for (size_t i = 0; i < run->event_count; i++)
    free(run->events[i]);
  free(run->events);
  strbuf_finish(&run->arriving);
  strbuf_finish(&run->said);
  free(run->mesh);
  free(run);
}
DEFINE_CLEANUP(struct run *, run_free);

/* After -EINPROGRESS: whether it was kept all the same. */
static bool was_added(struct runs *runs, const char *id) {
  struct store_run kept = {0};
  bool added = store_run_get(runs->options.store, id, &kept, NULL) == 0;
  store_run_finish(&kept);
  return added;
}

static int keep_new(struct runs *runs, const struct run *run, struct error **err) {
  _cleanup_free_ char *spec = json_dumps(run->spec, JSON_COMPACT | JSON_SORT_KEYS);
  const char *suite = json_string_value(json_object_get(run->spec, "suite"));
  const char *seed = json_string_value(json_object_get(run->spec, "seed"));
  const struct store_run row = {.id = (char *)(uintptr_t)run->id,
                                .kind = RUN_KIND,
                                .mesh = run->mesh,
                                .subject = (char *)(uintptr_t)(suite ? suite : "smi"),
                                .command = spec,
                                .seed = seed ? strtoull(seed, NULL, 10) : 0,
                                .created_ns = run->created_ns};
  _cleanup_error_ struct error *wrong = NULL;
  if (!spec)
    return error_set(err, ENOMEM, "no memory");
  int r = store_run_add(runs->options.store, &row, &wrong);
  return r == 0 || (r == -EINPROGRESS && was_added(runs, run->id)) ? 0 : error_set(err, -r, "%s", error_message(wrong));
}

struct run *run_create(struct runs *runs, json_t *spec, const char *mesh, struct error **err) {
  _cleanup_(run_free_p) struct run *run = calloc(1, sizeof(*run));
  if (!run || !(run->mesh = strdup(mesh)) || !(run->spec = json_deep_copy(spec))) {
    (void)error_set(err, ENOMEM, "no memory");
    return NULL;
  }
  run->process = PROCESS_NONE;
  run->state = RUN_QUEUED;
  run->created_ns = clock_realtime_ns();
  return make_id(run->created_ns, run->id, err) < 0 || keep_new(runs, run, err) < 0 ? NULL : take(run);
}

/* ---- events */

static unsigned count_of(const json_t *event, const char *key) {
  return (unsigned)json_integer_value(json_object_get(event, key));
}

static const char *text_of(const json_t *event, const char *key) {
  const char *text = json_string_value(json_object_get(event, key));
  return text ? text : "";
}

static bool is_of(const json_t *event, const char *type) {
  return strcmp(text_of(event, "type"), type) == 0;
}

static enum run_state state_named(const char *name) {
  for (enum run_state state = RUN_QUEUED; state <= RUN_INTERRUPTED; state++)
    if (strcmp(run_state_name(state), name) == 0)
      return state;
  return RUN_INTERRUPTED;
}

/* What an event says of its run. */
static void apply(struct run *run, const json_t *event) {
  if (is_of(event, "started")) {
    run->state = RUN_RUNNING;
  } else if (is_of(event, "planned")) {
    run->planned = count_of(event, "planned");
  } else if (is_of(event, "caseEnded")) {
    run->done = count_of(event, "done");
    run->failed += strcmp(text_of(event, "outcome"), "failed") == 0;
  } else if (is_of(event, "ended")) {
    run->state = state_named(text_of(event, "state"));
    run->exit_code = (int)count_of(event, "exitCode");
    run->ended_ms = json_integer_value(json_object_get(event, "unixMs"));
  }
}

/* Of a case that ended: its name in its run. */
static char *result_name(const json_t *event) {
  char *name = NULL;
  return asprintf(&name, "%s [%s]", text_of(event, "case"), text_of(event, "column")) < 0 ? NULL : name;
}

/* Events in the form in which they are kept. */
struct batch {
  size_t count;
  struct store_happening *happenings;
  struct store_result *results;
};

static void batch_finish(struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    free((char *)(uintptr_t)batch->happenings[i].text);
    free(batch->results[i].name);
  }
  free(batch->happenings);
  free(batch->results);
}

static int batch_init(struct batch *batch, const json_t *events) {
  size_t i, count = json_array_size(events);
  json_t *event;
  *batch = (struct batch){.happenings = calloc(count + 1, sizeof(*batch->happenings)),
                          .results = calloc(count + 1, sizeof(*batch->results))};
  if (!batch->happenings || !batch->results)
    return -ENOMEM;
  json_array_foreach(events, i, event) {
    struct store_happening *happening = &batch->happenings[batch->count];
    struct store_result *result = &batch->results[batch->count++];
    if (json_object_set_new(event, "unixMs", json_integer(now_ms())) < 0 ||
        !(happening->text = json_dumps(event, JSON_COMPACT)))
      return -ENOMEM;
    if (!is_of(event, "caseEnded"))
      continue;
    *result = (struct store_result){.name = result_name(event),
                                    .verdict = (char *)(uintptr_t)text_of(event, "outcome"),
                                    .detail = (char *)(uintptr_t)happening->text};
    if (!result->name)
      return -ENOMEM;
    happening->result = result;
  }
  return 0;
}

/* Without the lock. What a lost server leaves open is looked up. */
static int keep_batch(struct runs *runs, const char *id, const struct batch *batch, size_t before, struct error **err) {
  _cleanup_error_ struct error *wrong = NULL;
  int r = store_events_add(runs->options.store, id, batch->happenings, batch->count, NULL, &wrong);
  if (r == -EINPROGRESS) {
    struct store_run kept = {0};
    if (store_run_get(runs->options.store, id, &kept, NULL) == 0 && kept.event_count == before + batch->count)
      r = 0;
    store_run_finish(&kept);
  }
  return r < 0 ? error_set(err, -r, "%s", error_message(wrong)) : 0;
}

/* Takes the text. Its place was made before it was kept. */
static void tell(struct runs *runs, struct run *run, const json_t *event, char *text) {
  run->events[run->event_count++] = text;
  apply(run, event);
  pthread_cond_broadcast(&runs->changed);
}

static int make_places(struct run *run, size_t count) {
  if (run->event_count + count <= run->event_capacity)
    return 0;
  size_t capacity = 2 * run->event_capacity + count;
  char **events = reallocarray(run->events, capacity, sizeof(*events));
  if (!events)
    return -ENOMEM;
  run->events = events;
  run->event_capacity = capacity;
  return 0;
}

int run_record(struct runs *runs, struct run *run, json_t *events, struct error **err) {
  json_auto_t *held = events;
  struct batch batch = {0};
  size_t before = run->event_count;
  if (!held || make_places(run, json_array_size(held)) < 0)
    return error_set(err, ENOMEM, "no memory");
  pthread_mutex_unlock(&runs->lock);
  int r = batch_init(&batch, held) == 0 ? keep_batch(runs, run->id, &batch, before, err)
                                        : error_set(err, ENOMEM, "no memory");
  pthread_mutex_lock(&runs->lock);
  for (size_t i = 0; r == 0 && i < batch.count; i++)
    tell(runs, run, json_array_get(held, i), (char *)(uintptr_t)take(batch.happenings[i].text));
  batch_finish(&batch);
  return r;
}

int run_begin(struct runs *runs, struct run *run, struct error **err) {
  pthread_mutex_unlock(&runs->lock);
  int r = store_run_start(runs->options.store, run->id, err);
  pthread_mutex_lock(&runs->lock);
  return r < 0 ? r : run_record(runs, run, json_pack("[{s:s}]", "type", "started"), err);
}

/* ---- the end */

static json_t *summary_of(const struct run *run, int exit_code) {
  return json_pack("{s:i, s:i, s:i, s:i, s:s}", "planned", (int)run->planned, "done", (int)run->done, "failed",
                   (int)run->failed, "exitCode", exit_code, "message", run->message);
}

static json_t *end_event(const char *state, int exit_code, const char *message) {
  return json_pack("{s:s, s:s, s:i, s:s, s:I}", "type", "ended", "state", state, "exitCode", exit_code, "message",
                   message, "unixMs", (json_int_t)now_ms());
}

static enum store_state kept_state(enum run_state state) {
  return state == RUN_CANCELLED ? STORE_CANCELLED : state == RUN_INTERRUPTED ? STORE_INTERRUPTED : STORE_FINISHED;
}

/* Without the lock; it is over already when the last attempt was kept but could not say so. */
static int keep_end(struct runs *runs, const struct run *run, const char *event, const char *summary,
                    struct error **err) {
  _cleanup_free_ char *path = run_report_path(runs, run->id), *report = NULL;
  _cleanup_error_ struct error *unread = NULL, *wrong = NULL;
  size_t length = 0;
  if (!path)
    return error_set(err, ENOMEM, "no memory");
  int r = file_read(path, STORE_REPORT_MAX, &report, &length, &unread);
  if (r < 0 && r != -ENOENT)
    runs->options.log(runs->options.ctx, run->id, error_message(unread));
  r = store_run_end(runs->options.store, run->id, kept_state(run->ending), summary, event, report, length, &wrong);
  if (r == -EALREADY)
    r = 0;
  if (r == 0)
    (void)unlink(path);
  return r < 0 ? error_set(err, -r, "%s", error_message(wrong)) : 0;
}

void run_retry(struct runs *runs, struct run *run) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *event = end_event(run_state_name(run->ending), run->exit_code, run->message);
  json_auto_t *summary = summary_of(run, run->exit_code);
  _cleanup_free_ char *event_text = event ? json_dumps(event, JSON_COMPACT) : NULL;
  _cleanup_free_ char *summary_text = summary ? json_dumps(summary, JSON_COMPACT) : NULL;
  bool fits = event_text && summary_text && make_places(run, 1) == 0;
  pthread_mutex_unlock(&runs->lock);
  int r = fits ? keep_end(runs, run, event_text, summary_text, &err) : error_set(&err, ENOMEM, "no memory");
  if (r < 0)
    runs->options.log(runs->options.ctx, run->id, error_message(err));
  pthread_mutex_lock(&runs->lock);
  run->retry_ns = clock_in_ns(RETRY_NS);
  if (r < 0)
    return;
  run->ending = 0;
  tell(runs, run, event, take(event_text));
  runs->prune_ns = clock_monotonic_ns();
}

void run_end(struct runs *runs, struct run *run, enum run_state state, int exit_code) {
  run->ending = state;
  run->exit_code = exit_code;
  run_retry(runs, run);
}

/* ---- as the store has them */

int run_view_of(const struct store_run *kept, struct run_view *ret_view) {
  json_auto_t *summary = json_loads(*kept->summary ? kept->summary : "{}", 0, NULL);
  json_t *spec = json_loads(kept->command, JSON_REJECT_DUPLICATES, NULL);
  if (!json_is_object(spec)) { /* of what another program has added: a command line */
    json_decref(spec);
    spec = json_object();
  }
  if (!spec || strlen(kept->id) >= RUN_ID_SIZE || strlen(kept->mesh) > STORE_NAME_MAX) {
    json_decref(spec);
    return spec ? -ENOENT : -ENOMEM;
  }
  *ret_view = (struct run_view){.state = kept->state == STORE_QUEUED        ? RUN_QUEUED
                                         : kept->state == STORE_RUNNING     ? RUN_RUNNING
                                         : kept->state == STORE_CANCELLED   ? RUN_CANCELLED
                                         : kept->state == STORE_INTERRUPTED ? RUN_INTERRUPTED
                                                                            : RUN_ENDED,
                                .spec = spec,
                                .created_ms = kept->created_ns / NS_PER_MS,
                                .ended_ms = kept->finished_ns / NS_PER_MS,
                                .planned = count_of(summary, "planned"),
                                .done = count_of(summary, "done"),
                                .failed = count_of(summary, "failed"),
                                .exit_code = (int)count_of(summary, "exitCode"),
                                .last_sequence = kept->event_count};
  (void)snprintf(ret_view->id, sizeof(ret_view->id), "%s", kept->id);
  (void)snprintf(ret_view->mesh, sizeof(ret_view->mesh), "%s", kept->mesh);
  (void)snprintf(ret_view->message, sizeof(ret_view->message), "%s", text_of(summary, "message"));
  return 0;
}

/* ---- what the last host left */

/* What the events of an interrupted run say of it. */
static int replay(struct runs *runs, struct run *run, struct error **err) {
  size_t count = 0;
  uint64_t after = 0;
  do {
    struct store_event *events = NULL;
    int r = store_event_list(runs->options.store, run->id, after, PAGE, &events, &count, err);
    if (r < 0)
      return r;
    for (size_t i = 0; i < count; i++) {
      json_auto_t *event = json_loads(events[i].text, 0, NULL);
      apply(run, event);
      after = events[i].sequence;
    }
    store_events_free(events, count);
  } while (count > 0);
  return 0;
}

static int complete(struct runs *runs, const struct store_run *kept, struct error **err) {
  struct run run = {0};
  _cleanup_free_ char *event_text = NULL, *summary_text = NULL;
  if (*kept->summary || strlen(kept->id) >= RUN_ID_SIZE)
    return 0;
  (void)snprintf(run.id, sizeof(run.id), "%s", kept->id);
  int r = replay(runs, &run, err);
  if (r < 0)
    return r;
  (void)snprintf(run.message, sizeof(run.message), "the host ended while the run %s",
                 kept->started_ns == 0 ? "waited to begin" : "went on");
  json_auto_t *event = end_event(run_state_name(RUN_INTERRUPTED), 0, run.message);
  json_auto_t *summary = summary_of(&run, 0);
  event_text = event ? json_dumps(event, JSON_COMPACT) : NULL;
  summary_text = summary ? json_dumps(summary, JSON_COMPACT) : NULL;
  if (!event_text || !summary_text)
    return error_set(err, ENOMEM, "no memory");
  r = store_run_complete(runs->options.store, run.id, summary_text, event_text, err);
  runs->interrupted += r == 0;
  return r;
}

int runs_recover(struct runs *runs, struct error **err) {
  char before[STORE_NAME_MAX + 1] = "";
  struct store_filter filter = {
      .kind = RUN_KIND, .owner = store_owner(runs->options.store), .state = STORE_INTERRUPTED, .limit = PAGE};
  size_t count = 0;
  int r = 0;
  do {
    struct store_run *kept = NULL;
    r = store_run_list(runs->options.store, &filter, &kept, &count, err);
    if (r < 0)
      return r;
    for (size_t i = 0; r == 0 && i < count; i++)
      r = complete(runs, &kept[i], err);
    if (count > 0) {
      (void)snprintf(before, sizeof(before), "%s", kept[count - 1].id);
      filter.before_id = before;
      filter.before_ns = kept[count - 1].created_ns;
    }
    store_runs_free(kept, count);
  } while (r == 0 && count == PAGE);
  return r;
}

void runs_prune(struct runs *runs) {
  _cleanup_error_ struct error *err = NULL;
  const struct store_keep keep = {
      .count = runs->limits.kept,
      .older_than_ns = runs->limits.kept_days ? clock_realtime_ns() - runs->limits.kept_days * DAY_NS : 0};
  runs->prune_ns = clock_in_ns(PRUNE_EVERY_NS);
  pthread_mutex_unlock(&runs->lock);
  if ((keep.count > 0 || keep.older_than_ns > 0) && store_prune(runs->options.store, &keep, NULL, &err) < 0)
    runs->options.log(runs->options.ctx, NULL, error_message(err));
  pthread_mutex_lock(&runs->lock);
}

char *run_report_path(const struct runs *runs, const char *id) {
  char *path = NULL;
  return asprintf(&path, "%s/reports/%s.json", runs->directory, id) < 0 ? NULL : path;
}
