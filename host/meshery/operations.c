#include "host/meshery/operations.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/meshery/summary.h"
#include "meshes/meshops.pb-c.h"
#include "sdk/base/strbuf.h"

typedef Meshes__EventsResponse event_message;

struct operation {
  struct operations *operations;
  pthread_t thread;
  bool used;        /* taken; its thread, run and id are there once it is `followed` */
  bool followed;    /* it has a thread */
  atomic_bool over; /* its thread is about to end */
  char run[RUN_ID_SIZE];
  char id[OPERATION_ID_MAX + 1];
  unsigned failures; /* that were told */
};

struct operations {
  struct runs *runs;
  const char *adapter;
  json_t *spec;
  struct broadcast *broadcast;
  pthread_mutex_t lock; /* guards what follows: `used` and `followed` of each, and who takes one */
  pthread_cond_t begun; /* an operation that was taken is followed, or was given up */
  bool closed;          /* takes no more */
  struct operation list[OPERATIONS_MAX];
};

/* ---- telling */

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

static event_message event_of(const struct operation *operation, Meshes__EventType type, const char *summary) {
  event_message event = MESHES__EVENTS_RESPONSE__INIT;
  event.event_type = type;
  event.summary = text(summary);
  event.operation_id = text(operation->id);
  event.component = text("adapter");
  event.component_name = text(operation->operations->adapter);
  return event;
}

static void tell(const struct operation *operation, const event_message *event) {
  size_t length = meshes__events_response__get_packed_size(event);
  uint8_t *data = malloc(length + 1);
  if (!data)
    return; /* the run's own record has it */
  (void)meshes__events_response__pack(event, data);
  broadcast_tell(operation->operations->broadcast, data, length);
}

static const char *text_of(const json_t *object, const char *key) {
  const char *value = json_string_value(json_object_get(object, key));
  return value ? value : "";
}

static void tell_planned(struct operation *operation, const json_t *what) {
  char summary[128];
  (void)snprintf(summary, sizeof(summary), "smi_conformance: run %s begins, %d cases", operation->run,
                 (int)json_integer_value(json_object_get(what, "planned")));
  event_message event = event_of(operation, MESHES__EVENT_TYPE__INFO, summary);
  tell(operation, &event);
}

static void tell_failure(struct operation *operation, const json_t *what) {
  _cleanup_strbuf_ struct strbuf summary = STRBUF_INIT;
  if (strcmp(text_of(what, "outcome"), "failed") != 0 || operation->failures >= OPERATION_FAILURES_MAX)
    return;
  operation->failures++;
  strbuf_printf(&summary, "smi_conformance: %s in %s failed", text_of(what, "case"), text_of(what, "column"));
  event_message event = event_of(operation, MESHES__EVENT_TYPE__ERROR, strbuf_text(&summary));
  event.details = text(text_of(what, "reason"));
  event.error_code = text("trammel-case-failed");
  tell(operation, &event);
}

/* One verdict a line, those that did not pass. */
static void list_verdicts(struct strbuf *details, const struct summary *summary) {
  for (size_t i = 0; i < summary->count; i++) {
    const struct verdict *verdict = &summary->verdicts[i];
    if (!verdict_passed(verdict))
      strbuf_printf(details, "%s %s %s: %s\n", verdict->code, verdict->id, verdict->version, verdict->reason);
  }
}

/* What a report says. */
static void tell_summary(struct operation *operation, const struct summary *summary, const struct run_view *view) {
  char said[192];
  _cleanup_strbuf_ struct strbuf details = STRBUF_INIT;
  bool passed = view->exit_code == 0 && view->state == RUN_ENDED;
  (void)snprintf(said, sizeof(said), "smi_conformance: %zu of %zu cases passed (%.2f%%), %zu skipped; run %s %s",
                 summary->passed, summary->judged, summary_percent(summary), summary->count - summary->judged,
                 operation->run, run_state_name(view->state));
  event_message event = event_of(operation, passed ? MESHES__EVENT_TYPE__INFO : MESHES__EVENT_TYPE__ERROR, said);
  list_verdicts(&details, summary);
  event.details = text(strbuf_text(&details));
  if (!passed) {
    event.error_code = text("trammel-not-conformant");
    event.probable_cause = text(view->message);
  }
  tell(operation, &event);
}

/* A run that has no report: it never came to its first case. */
static void tell_no_report(struct operation *operation, const struct run_view *view) {
  char said[128];
  (void)snprintf(said, sizeof(said), "smi_conformance: run %s %s without a report", operation->run,
                 run_state_name(view->state));
  event_message event = event_of(operation, MESHES__EVENT_TYPE__ERROR, said);
  event.error_code = text("trammel-no-report");
  event.details = event.probable_cause = text(view->message);
  event.suggested_remediation = text("`trammel doctor` on the host's machine says what it lacks");
  tell(operation, &event);
}

static void tell_end(struct operation *operation) {
  struct runs *runs = operation->operations->runs;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *report = NULL;
  struct run_view view = {0};
  struct summary summary = {0};
  size_t length = 0;
  if (runs_get(runs, operation->run, &view, &err) < 0)
    (void)snprintf(view.message, sizeof(view.message), "%s", error_message(err));
  else if (runs_report(runs, operation->run, &report, &length, &err) == 0 &&
           summary_read(report, length, &summary, &err) == 0)
    tell_summary(operation, &summary, &view);
  if (!summary.report)
    tell_no_report(operation, &view);
  summary_finish(&summary);
  run_view_finish(&view);
}

static void *follow(void *context) {
  struct operation *operation = context;
  static const atomic_bool never = false; /* the end of all runs is an event, too */
  struct runs_watch *watch = NULL;
  uint64_t sequence = 0;
  int r = runs_watch_open(operation->operations->runs, operation->run, 0, &watch, NULL);
  for (bool more = r == 0; more; more = r > 0) {
    json_auto_t *event = NULL;
    r = runs_watch_next(watch, &never, &event, &sequence, NULL);
    if (r > 0 && strcmp(text_of(event, "type"), "planned") == 0)
      tell_planned(operation, event);
    else if (r > 0 && strcmp(text_of(event, "type"), "caseEnded") == 0)
      tell_failure(operation, event);
  }
  runs_watch_close(watch);
  tell_end(operation);
  atomic_store(&operation->over, true);
  return NULL;
}

/* ---- */

struct operations *operations_create(struct runs *runs, const char *adapter, json_t *spec,
                                     struct broadcast *broadcast) {
  struct operations *operations = calloc(1, sizeof(*operations));
  if (!operations)
    return NULL;
  operations->runs = runs;
  operations->adapter = adapter;
  operations->spec = spec;
  operations->broadcast = broadcast;
  (void)pthread_mutex_init(&operations->lock, NULL);
  (void)pthread_cond_init(&operations->begun, NULL);
  return operations;
}

/* With the lock held: a free one, which then is taken. */
static int reserve(struct operations *operations, struct operation **ret_operation, struct error **err) {
  if (operations->closed)
    return error_set(err, ESHUTDOWN, "the host is stopping");
  for (size_t i = 0; i < OPERATIONS_MAX; i++) {
    struct operation *operation = &operations->list[i];
    if (operation->followed && atomic_load(&operation->over)) {
      (void)pthread_join(operation->thread, NULL);
      operation->used = operation->followed = false;
    }
    if (operation->used)
      continue;
    operation->used = true;
    *ret_operation = operation;
    return 0;
  }
  return error_set(err, EAGAIN, "%d operations of this adapter go on already", OPERATIONS_MAX);
}

/* Of one that is taken: its run, which its thread follows. */
static int begin(struct operations *operations, const char *id, struct operation *operation, struct error **err) {
  struct run_view view = {0};
  int r = runs_start(operations->runs, operations->spec, &view, err);
  if (r < 0)
    return r;
  operation->operations = operations;
  operation->failures = 0;
  atomic_store(&operation->over, false);
  (void)snprintf(operation->run, sizeof(operation->run), "%s", view.id);
  (void)snprintf(operation->id, sizeof(operation->id), "%s", *id ? id : view.id);
  run_view_finish(&view);
  r = pthread_create(&operation->thread, NULL, follow, operation);
  if (r == 0)
    return 0;
  (void)runs_cancel(operations->runs, operation->run, &view, NULL);
  run_view_finish(&view);
  return error_set(err, EAGAIN, "no thread: %s", strerror(r));
}

int operations_begin(struct operations *operations, const char *id, char ret_id[OPERATION_ID_MAX + 1],
                     char ret_run[RUN_ID_SIZE], struct error **err) {
  struct operation *operation = NULL;
  if (strlen(id) > OPERATION_ID_MAX)
    return error_set(err, EINVAL, "operation_id has at most %d bytes", OPERATION_ID_MAX);
  (void)pthread_mutex_lock(&operations->lock);
  int r = reserve(operations, &operation, err);
  (void)pthread_mutex_unlock(&operations->lock);
  if (r < 0)
    return r;
  r = begin(operations, id, operation, err);
  (void)pthread_mutex_lock(&operations->lock);
  operation->followed = r == 0;
  operation->used = r == 0;
  if (r == 0) {
    (void)snprintf(ret_id, OPERATION_ID_MAX + 1, "%s", operation->id);
    (void)snprintf(ret_run, RUN_ID_SIZE, "%s", operation->run);
  }
  (void)pthread_cond_broadcast(&operations->begun);
  (void)pthread_mutex_unlock(&operations->lock);
  return r;
}

size_t operations_cancel(struct operations *operations) {
  size_t count = 0;
  (void)pthread_mutex_lock(&operations->lock);
  for (size_t i = 0; i < OPERATIONS_MAX; i++) {
    struct operation *operation = &operations->list[i];
    struct run_view view = {0};
    if (operation->followed && !atomic_load(&operation->over) &&
        runs_cancel(operations->runs, operation->run, &view, NULL) == 0)
      count++;
    run_view_finish(&view);
  }
  (void)pthread_mutex_unlock(&operations->lock);
  return count;
}

void operations_end(struct operations *operations) {
  (void)pthread_mutex_lock(&operations->lock);
  operations->closed = true;
  for (size_t i = 0; i < OPERATIONS_MAX; i++) {
    struct operation *operation = &operations->list[i];
    while (operation->used && !operation->followed)
      (void)pthread_cond_wait(&operations->begun, &operations->lock);
    bool followed = operation->followed;
    (void)pthread_mutex_unlock(&operations->lock); /* its thread may take a while */
    if (followed)
      (void)pthread_join(operation->thread, NULL);
    (void)pthread_mutex_lock(&operations->lock);
    if (followed)
      operation->used = operation->followed = false;
  }
  (void)pthread_mutex_unlock(&operations->lock);
}

void operations_destroy(struct operations *operations) {
  if (!operations)
    return;
  operations_end(operations);
  (void)pthread_cond_destroy(&operations->begun);
  (void)pthread_mutex_destroy(&operations->lock);
  free(operations);
}
