#include "host/rpc/run_messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Trammel__V1__RunSpec spec_message;

/* ---- a spec from its message: what is empty or 0 is not in it */

static int set_text(json_t *spec, const char *name, const char *text) {
  return *text == '\0' ? 0 : json_object_set_new(spec, name, json_string(text));
}

static int set_list(json_t *spec, const char *name, size_t count, char **texts) {
  json_t *list = count > 0 ? json_array() : NULL;
  if (count == 0)
    return 0;
  int r = list ? 0 : -1;
  for (size_t i = 0; r == 0 && i < count; i++)
    r = json_array_append_new(list, json_string(texts[i]));
  return json_object_set_new(spec, name, list) < 0 ? -1 : r;
}

static int set_number(json_t *spec, const char *name, int64_t number) {
  return number == 0 ? 0 : json_object_set_new(spec, name, json_integer(number));
}

static int set_seed(json_t *spec, const spec_message *message) {
  if (message->fixed_seed_case != TRAMMEL__V1__RUN_SPEC__FIXED_SEED_SEED)
    return 0;
  return json_object_set_new(spec, "seed", json_sprintf("%" PRIu64, message->seed));
}

json_t *spec_of_message(const spec_message *message) {
  json_t *spec = json_object();
  int failed = set_text(spec, "mesh", message->mesh);
  failed |= set_text(spec, "suite", message->suite);
  failed |= set_text(spec, "filter", message->filter);
  failed |= set_list(spec, "settings", message->n_settings, message->settings);
  failed |= set_list(spec, "endpoints", message->n_endpoints, message->endpoints);
  failed |= set_list(spec, "cases", message->n_cases, message->cases);
  failed |= set_list(spec, "groups", message->n_groups, message->groups);
  failed |= set_list(spec, "requirements", message->n_requirements, message->requirements);
  failed |= set_list(spec, "versions", message->n_versions, message->versions);
  failed |= set_seed(spec, message);
  failed |= set_number(spec, "parallel", message->parallel);
  failed |= set_number(spec, "caseTimeoutMs", message->case_timeout_ms);
  failed |= set_number(spec, "convergeMs", message->converge_ms);
  failed |= set_number(spec, "holdMs", message->hold_ms);
  if (message->fail_fast)
    failed |= json_object_set_new(spec, "failFast", json_true());
  if (!spec || !failed)
    return spec;
  json_decref(spec);
  return NULL;
}

/* ---- messages */

static char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return (char *)(uintptr_t)(text ? text : "");
}

static int64_t number_of(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

/* Heap array of borrowed texts. */
static char **list_of(const json_t *spec, const char *key, size_t *ret_count) {
  const json_t *list = json_object_get(spec, key);
  char **texts = calloc(json_array_size(list) + 1, sizeof(*texts));
  for (size_t i = 0; texts && i < json_array_size(list); i++)
    texts[i] = (char *)(uintptr_t)json_string_value(json_array_get(list, i));
  *ret_count = texts ? json_array_size(list) : 0;
  return texts;
}

static int fill_spec(struct run_message *room, const json_t *spec) {
  spec_message *message = &room->spec;
  trammel__v1__run_spec__init(message);
  message->mesh = text_of(spec, "mesh");
  message->suite = text_of(spec, "suite");
  message->filter = text_of(spec, "filter");
  const struct {
    const char *key;
    size_t *count;
    char ***texts;
  } lists[] = {{"settings", &message->n_settings, &message->settings},
               {"endpoints", &message->n_endpoints, &message->endpoints},
               {"cases", &message->n_cases, &message->cases},
               {"groups", &message->n_groups, &message->groups},
               {"requirements", &message->n_requirements, &message->requirements},
               {"versions", &message->n_versions, &message->versions}};
  for (size_t i = 0; i < RUN_MESSAGE_LISTS; i++)
    if (!(*lists[i].texts = room->lists[i] = list_of(spec, lists[i].key, lists[i].count)))
      return -ENOMEM;
  if (json_object_get(spec, "seed")) {
    message->fixed_seed_case = TRAMMEL__V1__RUN_SPEC__FIXED_SEED_SEED;
    message->seed = strtoull(text_of(spec, "seed"), NULL, 10);
  }
  message->parallel = (uint32_t)number_of(spec, "parallel");
  message->case_timeout_ms = number_of(spec, "caseTimeoutMs");
  message->converge_ms = number_of(spec, "convergeMs");
  message->hold_ms = number_of(spec, "holdMs");
  message->fail_fast = json_is_true(json_object_get(spec, "failFast"));
  return 0;
}

int run_message_init(struct run_message *room, const struct run_view *view) {
  Trammel__V1__Run *run = &room->run;
  (void)memset(room, 0, sizeof(*room));
  trammel__v1__run__init(run);
  run->id = (char *)(uintptr_t)view->id;
  run->adapter = (char *)(uintptr_t)view->mesh;
  run->state = (Trammel__V1__RunState)view->state;
  run->spec = &room->spec;
  run->created_unix_ms = view->created_ms;
  run->ended_unix_ms = view->ended_ms;
  run->planned = view->planned;
  run->done = view->done;
  run->failed = view->failed;
  run->exit_code = (uint32_t)view->exit_code;
  run->message = (char *)(uintptr_t)view->message;
  run->last_sequence = view->last_sequence;
  int r = fill_spec(room, view->spec);
  if (r < 0)
    run_message_finish(room);
  return r;
}

void run_message_finish(struct run_message *room) {
  for (size_t i = 0; i < RUN_MESSAGE_LISTS; i++) {
    free(room->lists[i]);
    room->lists[i] = NULL;
  }
}

/* ---- events */

static int fill_case_ended(struct event_message *room, const json_t *event) {
  trammel__v1__case_ended__init(&room->case_ended);
  room->case_ended.case_id = text_of(event, "case");
  room->case_ended.column = text_of(event, "column");
  room->case_ended.outcome = text_of(event, "outcome");
  room->case_ended.reason = text_of(event, "reason");
  room->case_ended.duration_ms = number_of(event, "durationMs");
  room->case_ended.done = (uint32_t)number_of(event, "done");
  room->case_ended.planned = (uint32_t)number_of(event, "planned");
  room->event.what_case = TRAMMEL__V1__RUN_EVENT__WHAT_CASE_ENDED;
  room->event.case_ended = &room->case_ended;
  room->case_ended.requirements = room->requirements = list_of(event, "requirements", &room->case_ended.n_requirements);
  return room->requirements ? 0 : -ENOMEM;
}

static int fill_case_started(struct event_message *room, const json_t *event) {
  trammel__v1__case_started__init(&room->case_started);
  room->case_started.case_id = text_of(event, "case");
  room->case_started.column = text_of(event, "column");
  room->event.what_case = TRAMMEL__V1__RUN_EVENT__WHAT_CASE_STARTED;
  room->event.case_started = &room->case_started;
  return 0;
}

static int fill_planned(struct event_message *room, const json_t *event) {
  trammel__v1__run_planned__init(&room->planned);
  room->planned.planned = (uint32_t)number_of(event, "planned");
  room->planned.seed = strtoull(text_of(event, "seed"), NULL, 10);
  room->event.what_case = TRAMMEL__V1__RUN_EVENT__WHAT_PLANNED;
  room->event.planned = &room->planned;
  return 0;
}

static int fill_started(struct event_message *room, const json_t *event) {
  (void)event;
  trammel__v1__run_started__init(&room->started);
  room->event.what_case = TRAMMEL__V1__RUN_EVENT__WHAT_STARTED;
  room->event.started = &room->started;
  return 0;
}

static Trammel__V1__RunState state_named(const char *name) {
  for (enum run_state state = RUN_QUEUED; state <= RUN_INTERRUPTED; state++)
    if (strcmp(run_state_name(state), name) == 0)
      return (Trammel__V1__RunState)state;
  return TRAMMEL__V1__RUN_STATE__RUN_STATE_UNSPECIFIED;
}

static int fill_ended(struct event_message *room, const json_t *event) {
  trammel__v1__run_ended__init(&room->ended);
  room->ended.state = state_named(text_of(event, "state"));
  room->ended.exit_code = (uint32_t)number_of(event, "exitCode");
  room->ended.message = text_of(event, "message");
  room->event.what_case = TRAMMEL__V1__RUN_EVENT__WHAT_ENDED;
  room->event.ended = &room->ended;
  return 0;
}

int event_message_init(struct event_message *room, const json_t *event, uint64_t sequence) {
  static const struct {
    const char *type;
    int (*fill)(struct event_message *room, const json_t *event);
  } kinds[] = {{"started", fill_started},
               {"planned", fill_planned},
               {"caseStarted", fill_case_started},
               {"caseEnded", fill_case_ended},
               {"ended", fill_ended}};
  room->requirements = NULL;
  trammel__v1__run_event__init(&room->event);
  room->event.sequence = sequence;
  room->event.unix_ms = number_of(event, "unixMs");
  for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
    if (strcmp(kinds[i].type, text_of(event, "type")) == 0)
      return kinds[i].fill(room, event);
  return 0;
}

void event_message_finish(struct event_message *room) {
  free(room->requirements);
  room->requirements = NULL;
}
