/* What is kept of runs: a file each, whose first line says what is to be done, and each other one is an event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "host/runs/arguments.h"
#include "host/runs/internal.h"
#include "sdk/base/clock.h"

static int64_t now_ms(void) {
  return clock_realtime_ns() / 1000000;
}

static int make_id(char ret_id[RUN_ID_SIZE], struct error **err) {
  time_t now = time(NULL);
  struct tm utc;
  char second[20];
  uint32_t chance;
  if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance) || !gmtime_r(&now, &utc) ||
      strftime(second, sizeof(second), "%Y%m%dT%H%M%S", &utc) == 0)
    return error_set(err, EIO, "no id for a run");
  (void)snprintf(ret_id, RUN_ID_SIZE, "%s.%03dZ-%08x", second, (int)(now_ms() % 1000), chance);
  return 0;
}

static struct run *run_new(const char *id) {
  struct run *run = calloc(1, sizeof(*run));
  if (run) {
    (void)snprintf(run->id, sizeof(run->id), "%s", id);
    run->process = PROCESS_NONE;
    run->state = RUN_QUEUED;
  }
  return run;
}

void run_free(struct run *run) {
  if (!run)
    return;
  results_close(run->results);
  json_decref(run->spec);
  json_decref(run->events);
  strbuf_finish(&run->arriving);
  strbuf_finish(&run->said);
  free(run);
}
DEFINE_CLEANUP(struct run *, run_free);

struct run *run_create(struct runs *runs, json_t *spec, struct error **err) {
  char id[RUN_ID_SIZE];
  if (make_id(id, err) < 0)
    return NULL;
  _cleanup_(run_free_p) struct run *run = run_new(id);
  int64_t created_ms = now_ms();
  json_auto_t *head = json_pack("{s:I, s:O}", "createdMs", (json_int_t)created_ms, "spec", spec);
  if (!run || !head || !(run->events = json_array())) {
    (void)error_set(err, ENOMEM, "no memory");
    return NULL;
  }
  run->spec = json_incref(spec);
  run->created_ms = created_ms;
  return results_create(runs->directory, id, head, &run->results, err) < 0 ? NULL : take(run);
}

/* ---- events */

static unsigned count_of(const json_t *event, const char *key) {
  return (unsigned)json_integer_value(json_object_get(event, key));
}

static const char *text_of(const json_t *event, const char *key) {
  const char *text = json_string_value(json_object_get(event, key));
  return text ? text : "";
}

static enum run_state state_named(const char *name) {
  for (enum run_state state = RUN_QUEUED; state <= RUN_INTERRUPTED; state++)
    if (strcmp(run_state_name(state), name) == 0)
      return state;
  return RUN_INTERRUPTED;
}

/* What an event says of its run. */
static void apply(struct run *run, const json_t *event) {
  const char *type = text_of(event, "type");
  if (strcmp(type, "started") == 0) {
    run->state = RUN_RUNNING;
  } else if (strcmp(type, "planned") == 0) {
    run->planned = count_of(event, "planned");
  } else if (strcmp(type, "caseEnded") == 0) {
    run->done = count_of(event, "done");
    run->failed += strcmp(text_of(event, "outcome"), "failed") == 0;
  } else if (strcmp(type, "ended") == 0) {
    run->state = state_named(text_of(event, "state"));
    run->exit_code = (int)count_of(event, "exitCode");
    run->ended_ms = json_integer_value(json_object_get(event, "unixMs"));
    (void)snprintf(run->message, sizeof(run->message), "%s", text_of(event, "message"));
  }
}

int run_record(struct runs *runs, struct run *run, json_t *event, struct error **err) {
  json_auto_t *held = event;
  if (!held || json_object_set_new(held, "unixMs", json_integer(now_ms())) < 0)
    return error_set(err, ENOMEM, "no memory");
  int r = run->results ? results_add(run->results, held, err) : 0;
  if (r < 0)
    return r;
  if (json_array_append(run->events, held) < 0)
    return error_set(err, ENOMEM, "no memory");
  run->count++;
  apply(run, held);
  pthread_cond_broadcast(&runs->changed);
  return 0;
}

/* An end that cannot be kept is told all the same: the run is over, and will be an interrupted one when runs are opened
 * again. */
void run_end(struct runs *runs, struct run *run, enum run_state state, int exit_code) {
  _cleanup_error_ struct error *err = NULL;
  json_t *event = json_pack("{s:s, s:s, s:i, s:s}", "type", "ended", "state", run_state_name(state), "exitCode",
                            exit_code, "message", run->message);
  if (run_record(runs, run, event, &err) < 0) {
    runs->options.log(runs->options.ctx, run->id, error_message(err));
    run->state = state;
    run->exit_code = exit_code;
    run->ended_ms = now_ms();
    pthread_cond_broadcast(&runs->changed);
  }
  results_close(take(run->results));
  run_release(run);
}

int run_fetch(struct runs *runs, struct run *run, struct error **err) {
  struct results *results = NULL;
  json_auto_t *head = NULL;
  json_t *events = NULL;
  if (run->events)
    return 0;
  int r = results_open(runs->directory, run->id, &results, &head, &events, err);
  if (r < 0)
    return r;
  results_close(results);
  run->events = events;
  run->count = json_array_size(events);
  return 0;
}

void run_release(struct run *run) {
  if (run->watchers > 0 || !run_is_over(run))
    return;
  json_decref(run->events);
  run->events = NULL;
}

/* ---- all of them */

static int load_one(struct runs *runs, const char *id, struct error **err) {
  struct results *results = NULL;
  json_auto_t *head = NULL;
  json_auto_t *events = NULL;
  size_t i;
  const json_t *event;
  _cleanup_(run_free_p) struct run *run = run_new(id);
  int r = run ? results_open(runs->directory, id, &results, &head, &events, err) : error_set(err, ENOMEM, "no memory");
  if (r < 0)
    return r;
  run->results = results;
  run->spec = json_incref(json_object_get(head, "spec"));
  run->created_ms = json_integer_value(json_object_get(head, "createdMs"));
  if (spec_check(run->spec, err) < 0)
    return error_wrap(err, "run %s", id);
  run->events = take(events);
  run->count = json_array_size(run->events);
  json_array_foreach(run->events, i, event) apply(run, event);
  if (!run_is_over(run)) {
    (void)snprintf(run->message, sizeof(run->message), "the host ended while the run %s",
                   run->state == RUN_QUEUED ? "waited to begin" : "went on");
    run_end(runs, run, RUN_INTERRUPTED, 0);
    runs->interrupted++;
  }
  results_close(take(run->results));
  run_release(run);
  struct run *whole = take(run); /* the macro has its argument more than once */
  TAILQ_INSERT_TAIL(&runs->list, whole, next);
  runs->kept++;
  return 0;
}

/* What is damaged is left where it is, and told. */
int runs_load(struct runs *runs, struct error **err) {
  struct results_entry *entries = NULL;
  size_t count = 0;
  int r = results_list(runs->directory, &entries, &count, err);
  for (size_t i = 0; r == 0 && i < count; i++) {
    _cleanup_error_ struct error *wrong = NULL;
    r = load_one(runs, entries[i].id, &wrong);
    if (r < 0 && r != -ENOMEM) {
      runs->options.log(runs->options.ctx, entries[i].id, error_message(wrong));
      r = 0;
    }
  }
  results_list_free(entries, count);
  return r == -ENOMEM && err && !*err ? error_set(err, ENOMEM, "no memory") : r;
}

char *run_report_path(const struct runs *runs, const char *id) {
  char *path = NULL;
  return asprintf(&path, "%s/reports/%s.json", runs->directory, id) < 0 ? NULL : path;
}

void run_forget(struct runs *runs, struct run *run) {
  _cleanup_free_ char *report = run_report_path(runs, run->id);
  struct results *results = NULL;
  json_auto_t *head = NULL;
  json_auto_t *events = NULL;
  if (report)
    (void)unlink(report);
  if (results_open(runs->directory, run->id, &results, &head, &events, NULL) == 0)
    results_discard(results);
  TAILQ_REMOVE(&runs->list, run, next);
  runs->kept--;
  run_free(run);
}
