#include <errno.h>
#include <math.h>
#include <string.h>

#include "host/load/defaults.h"
#include "host/perf/profile_fields.h"
#include "host/perf/profile_split.h"
#include "host/perf/smp.h"

#define PROFILE_FORMAT "trammel.perf-profile/v1"
#define PROFILE_ARENA_MAX ((size_t)64 << 20)

struct reader {
  struct fields fields;
  struct profile *profile;
  struct target_options common; /* what all targets have */
};

/* ---- the schedule */

static const char *const *schedule_fields(enum schedule_kind kind) {
  static const char *const closed[] = {"kind", NULL}, *const constant[] = {"kind", "rate", NULL},
                           *const ramp[] = {"kind", "rate", "rateEnd", NULL},
                           *const steps[] = {"kind", "rate", "rateStep", "period", NULL},
                           *const sine[] = {"kind", "rate", "rateSwing", "period", NULL},
                           *const poisson[] = {"kind", "rate", "seed", NULL};
  switch (kind) {
  case SCHEDULE_CLOSED:
    return closed;
  case SCHEDULE_CONSTANT:
    return constant;
  case SCHEDULE_RAMP:
    return ramp;
  case SCHEDULE_STEPS:
    return steps;
  case SCHEDULE_SINE:
    return sine;
  case SCHEDULE_POISSON:
    return poisson;
  }
  return closed;
}

static void required(struct reader *reader, const struct node *map, const char *const *keys) {
  for (; *keys; keys++)
    if (strcmp(*keys, "seed") != 0 && !node_get(map, *keys))
      fields_complain(&reader->fields, map, FIELD_MISSING, NULL, "the field \"%s\" is missing", *keys);
}

static void read_seed(struct reader *reader, const struct node *map, struct schedule *schedule) {
  const struct node *value = fields_get(&reader->fields, map, "seed", NODE_INTEGER, false);
  if (value && value->integer < 0)
    fields_complain(&reader->fields, value, FIELD_VALUE, NULL, "\"seed\" is %s; it must be 0 or more", value->text);
  else if (value)
    schedule->seed = (uint64_t)value->integer;
}

static void read_schedule(struct reader *reader, const struct node *root, struct schedule *schedule) {
  static const char *const kinds[] = {"closed", "constant", "ramp", "steps", "sine", "poisson", NULL};
  struct fields *fields = &reader->fields;
  const struct node *map = fields_get(fields, root, "schedule", NODE_MAP, true);
  const struct node *kind = map ? fields_get(fields, map, "kind", NODE_STRING, true) : NULL;
  int found = kind ? fields_word(fields, kind, "\"kind\"", kinds) : -1;
  _cleanup_error_ struct error *err = NULL;
  unsigned before = fields->errors;
  if (found < 0)
    return;
  schedule->kind = (enum schedule_kind)schedule_kind_parse(kinds[found]);
  (void)fields_known(fields, map, "a schedule of this kind", schedule_fields(schedule->kind));
  required(reader, map, schedule_fields(schedule->kind));
  schedule->rate = profile_rate(&reader->fields, map, "rate");
  schedule->rate_end = profile_rate(&reader->fields, map, "rateEnd");
  schedule->rate_step = profile_rate(&reader->fields, map, "rateStep");
  schedule->rate_swing = profile_rate(&reader->fields, map, "rateSwing");
  schedule->period_ns = profile_duration(&reader->fields, map, "period", false, 0);
  read_seed(reader, map, schedule);
  if (fields->errors == before && schedule_check(schedule, &err) < 0)
    fields_complain(fields, map, FIELD_VALUE, NULL, "%s", error_message(err));
}

/* ---- targets */

static void read_body(struct reader *reader, const struct node *map, struct profile_load *load, const char **headers) {
  const struct node *body = fields_get(&reader->fields, map, "body", NODE_STRING, false);
  load->body_file = profile_text(&reader->fields, map, "bodyFile");
  if (body && load->body_file)
    fields_complain(&reader->fields, body, FIELD_TWICE, NULL, "\"body\" and \"bodyFile\" are two bodies: give one");
  if (body) {
    load->target.body = fields_checked(&reader->fields, arena_strndup(reader->fields.arena, body->text, body->length));
    load->target.body_length = body->length;
  }
  const char *type = profile_text(&reader->fields, map, "contentType");
  if (type)
    profile_add_header(&reader->fields, &load->target, headers,
                       arena_printf(reader->fields.arena, "Content-Type: %s", type), node_get(map, "contentType"));
}

static void read_statuses(struct reader *reader, const struct node *list, struct profile_load *load) {
  struct fields *fields = &reader->fields;
  size_t count = fields_count(fields, list, "statuses", PROFILE_STATUSES_MAX);
  uint16_t *statuses = fields_checked(fields, arena_array(fields->arena, count, sizeof(*statuses)));
  for (size_t i = 0; statuses && i < count; i++) {
    const struct node *status = list->items[i];
    if (status->kind != NODE_INTEGER || status->integer < 100 || status->integer > 599)
      fields_complain(fields, status, FIELD_VALUE, NULL, "a status is a number from 100 to 599");
    else
      statuses[load->status_count++] = (uint16_t)status->integer;
  }
  load->statuses = statuses;
}

static void read_validation(struct reader *reader, const struct node *map, struct profile_load *load) {
  static const char *const known[] = {"statuses", "headers", "body", NULL};
  struct fields *fields = &reader->fields;
  const struct node *validation = fields_get(fields, map, "validation", NODE_MAP, false);
  if (!validation || !fields_known(fields, validation, "a validation", known))
    return;
  for (size_t i = 1; known[i]; i++)
    if (node_get(validation, known[i]))
      fields_complain(fields, node_get(validation, known[i]), FIELD_VALUE, "Validate \"statuses\".",
                      "\"%s\" of answers can't be validated: what a load is answered is counted, and not kept",
                      known[i]);
  const struct node *statuses = fields_get(fields, validation, "statuses", NODE_LIST, false);
  if (statuses && statuses->count > 0)
    read_statuses(reader, statuses, load);
  else if (statuses)
    fields_complain(fields, statuses, FIELD_VALUE, NULL, "\"statuses\" has no status in it");
}

/* What is spoken instead of HTTP; echo is told by the URL. */
static void read_grpc(struct reader *reader, const struct node *map, struct target_options *target) {
  const struct node *health = fields_get(&reader->fields, map, "grpcHealth", NODE_STRING, false);
  target->grpc = profile_text(&reader->fields, map, "grpc");
  target->grpc_messages = profile_whole(&reader->fields, map, "grpcMessages", 1, TARGET_MESSAGES_MAX, 0);
  target->grpc_health = health ? health->text : NULL;
}

static void read_target(struct reader *reader, const struct node *map, size_t number, struct profile_load *load) {
  static const char *const known[] = {"name",    "url",          "weight",     "method",      "headers",
                                      "cookies", "body",         "bodyFile",   "contentType", "validation",
                                      "grpc",    "grpcMessages", "grpcHealth", NULL};
  struct fields *fields = &reader->fields;
  const char **headers = fields_checked(fields, arena_array(fields->arena, TARGET_HEADERS_MAX, sizeof(*headers)));
  if (!headers || !fields_known(fields, map, "a target", known))
    return;
  const char *fallback = fields_checked(fields, arena_printf(fields->arena, "%zu", number + 1));
  load->name = profile_name(&reader->fields, map, fallback);
  load->line = map->position.line;
  load->client = (unsigned)number;
  load->weight = profile_whole(&reader->fields, map, "weight", 1, PROFILE_WEIGHT_MAX, 1);
  load->target = reader->common;
  load->target.url = fields_string(fields, map, "url", TARGET_URL_MAX, NULL);
  load->target.method = profile_text(&reader->fields, map, "method");
  profile_headers(&reader->fields, map, &load->target, headers);
  profile_cookies(&reader->fields, map, &load->target, headers);
  read_body(reader, map, load, headers);
  read_validation(reader, map, load);
  read_grpc(reader, map, &load->target);
  load->target.headers = headers;
}

static void check_names(struct reader *reader, const struct node *list) {
  const struct profile *profile = reader->profile;
  for (size_t i = 0; i < profile->load_count; i++)
    for (size_t j = 0; j < i; j++)
      if (profile->loads[i].name && profile->loads[j].name &&
          strcmp(profile->loads[i].name, profile->loads[j].name) == 0) {
        fields_complain(&reader->fields, list->items[i], FIELD_TWICE, "Give each target a name of its own.",
                        "two targets are called \"%s\"", profile->loads[i].name);
        break;
      }
}

static void read_targets(struct reader *reader, const struct node *root) {
  struct fields *fields = &reader->fields;
  struct profile *profile = reader->profile;
  const struct node *list = fields_get(fields, root, "targets", NODE_LIST, true);
  if (!list)
    return;
  if (list->count == 0)
    fields_complain(fields, list, FIELD_MISSING, NULL, "\"targets\" has no target in it");
  size_t count = fields_count(fields, list, "targets", PROFILE_TARGETS_MAX);
  profile->loads = fields_checked(fields, arena_array(fields->arena, count, sizeof(*profile->loads)));
  profile->load_count = profile->loads ? count : 0;
  for (size_t i = 0; i < profile->load_count; i++)
    read_target(reader, list->items[i], i, &profile->loads[i]);
  check_names(reader, list);
}

/* ---- what all targets share */

static void read_tls(struct reader *reader, const struct node *root) {
  static const char *const known[] = {"trust", "certificate", "key", "serverName", "insecure", NULL};
  const struct node *map = fields_get(&reader->fields, root, "tls", NODE_MAP, false);
  struct tls_options *tls = &reader->common.tls;
  if (!map || !fields_known(&reader->fields, map, "tls", known))
    return;
  tls->trust_file = profile_text(&reader->fields, map, "trust");
  tls->certificate_file = profile_text(&reader->fields, map, "certificate");
  tls->key_file = profile_text(&reader->fields, map, "key");
  tls->server_name = profile_text(&reader->fields, map, "serverName");
  tls->insecure = profile_boolean(&reader->fields, map, "insecure");
}

static void read_protocol(struct reader *reader, const struct node *root) {
  static const char *const words[] = {"http/1.1", "h2", NULL};
  struct fields *fields = &reader->fields;
  const struct node *value = fields_get(fields, root, "protocol", NODE_STRING, false);
  reader->common.http2 = value && fields_word(fields, value, "\"protocol\"", words) == 1;
  reader->common.streams = profile_whole(fields, root, "streams", 1, TARGET_STREAMS_MAX, 1);
  reader->common.fresh = profile_boolean(fields, root, "fresh");
}

static void read_objectives(struct reader *reader, const struct node *root) {
  struct fields *fields = &reader->fields;
  const struct node *list = fields_get(fields, root, "objectives", NODE_LIST, false);
  size_t count = fields_count(fields, list, "objectives", PROFILE_OBJECTIVES_MAX);
  struct objective *objectives = fields_checked(fields, arena_array(fields->arena, count, sizeof(*objectives)));
  for (size_t i = 0; objectives && i < count; i++) {
    _cleanup_error_ struct error *err = NULL;
    const struct node *item = list->items[i];
    if (item->kind != NODE_STRING)
      fields_complain(fields, item, FIELD_VALUE, NULL, "an objective is a text such as \"p99 < 20ms\", found a %s",
                      node_kind_name(item->kind));
    else if (objective_read(item->text, &objectives[i], &err) < 0)
      fields_complain(fields, item, FIELD_VALUE, NULL, "%s", error_message(err));
  }
  reader->profile->objectives = objectives;
  reader->profile->objective_count = objectives ? count : 0;
}

static void read_load(struct reader *reader, const struct node *root, struct load_options *load) {
  load->schedule.duration_ns = profile_duration(&reader->fields, root, "duration", false, load->schedule.duration_ns);
  load->warm_up_ns = profile_duration(&reader->fields, root, "warmUp", true, load->warm_up_ns);
  load->timeout_ns = profile_duration(&reader->fields, root, "timeout", false, load->timeout_ns);
  load->connect_timeout_ns = profile_duration(&reader->fields, root, "connectTimeout", false, load->connect_timeout_ns);
  load->drain_ns = profile_duration(&reader->fields, root, "drain", true, load->drain_ns);
  load->connections = profile_whole(&reader->fields, root, "connections", 1, LOAD_CONNECTIONS_MAX, load->connections);
  load->threads = profile_whole(&reader->fields, root, "threads", 1, LOAD_THREADS_MAX, 0);
  read_schedule(reader, root, &load->schedule);
}

static void read_profile(struct reader *reader, const struct node *root) {
  static const char *const known[] = {"format",  "name",           "description", "protocol",    "streams",
                                      "fresh",   "targets",        "schedule",    "duration",    "warmUp",
                                      "timeout", "connectTimeout", "drain",       "connections", "threads",
                                      "tls",     "objectives",     "repetitions", NULL};
  static const char *const formats[] = {PROFILE_FORMAT, NULL};
  struct fields *fields = &reader->fields;
  struct profile *profile = reader->profile;
  struct load_options load = load_options_default();
  _cleanup_error_ struct error *err = NULL;
  if (!fields_known(fields, root, "a profile", known))
    return;
  const struct node *format = fields_get(fields, root, "format", NODE_STRING, false);
  if (format)
    (void)fields_word(fields, format, "\"format\"", formats);
  profile->name = profile_name(&reader->fields, root, NULL);
  profile->description = profile_text(&reader->fields, root, "description");
  profile->repetitions = profile_whole(&reader->fields, root, "repetitions", 1, PROFILE_REPETITIONS_MAX, 1);
  read_protocol(reader, root);
  read_tls(reader, root);
  read_targets(reader, root);
  read_load(reader, root, &load);
  read_objectives(reader, root);
  if (fields_status(fields) < 0)
    return;
  if (profile_split(profile->loads, profile->load_count, &load, &err) < 0)
    fields_complain(fields, root, FIELD_VALUE, NULL, "%s", error_message(err));
  profile->whole = load;
  profile->whole.threads = load.threads > 0 ? load.threads : (unsigned)profile->load_count;
}

int profile_parse(const char *file, const void *data, size_t length, struct diagnostics *diagnostics,
                  struct profile **ret_profile) {
  static const struct document_limits limits = {
      .bytes = PROFILE_BYTES_MAX, .depth = 16, .nodes = 100000, .documents = 1};
  _cleanup_arena_ struct arena *arena = arena_create(PROFILE_ARENA_MAX);
  struct document_list list = {0};
  struct reader reader = {.fields = {.prefix = "PROFILE", .arena = arena, .diagnostics = diagnostics}};
  reader.profile = arena ? arena_new(arena, struct profile) : NULL;
  if (!reader.profile)
    return -ENOMEM;
  int r = document_read(arena, file, data, length, DOCUMENT_ANY, &limits, diagnostics, &list);
  if (r < 0)
    return r;
  if (list.count != 1)
    return diagnostics_addf(diagnostics,
                            &(struct diagnostic){.severity = SEVERITY_ERROR,
                                                 .code = "PROFILE-0002",
                                                 .position = {.file = file, .line = 1}},
                            "there is no profile in it") < 0
               ? -ENOMEM
               : -EINVAL;
  if (smp_is_test(list.roots[0]))
    smp_read_test(&reader.fields, list.roots[0], reader.profile);
  else
    read_profile(&reader, list.roots[0]);
  r = fields_status(&reader.fields);
  if (r < 0)
    return r;
  *ret_profile = reader.profile;
  (*ret_profile)->arena = take(arena);
  return 0;
}
