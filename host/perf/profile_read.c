#include <errno.h>
#include <math.h>
#include <string.h>

#include "host/load/defaults.h"
#include "host/perf/profile_split.h"
#include "sdk/base/duration.h"
#include "sdk/base/fields.h"

#define PROFILE_FORMAT "trammel.perf-profile/v1"
#define PROFILE_ARENA_MAX ((size_t)64 << 20)

struct reader {
  struct fields fields;
  struct profile *profile;
  struct target_options common; /* what all targets have */
};

/* ---- values */

static const struct node *scalar(struct reader *reader, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  if (!value || (value->kind != NODE_NULL && value->kind != NODE_LIST && value->kind != NODE_MAP))
    return value;
  fields_complain(&reader->fields, value, FIELD_VALUE, NULL, "\"%s\" must be one value, found a %s", key,
                  node_kind_name(value->kind));
  return NULL;
}

/* An optional text, which may look like a number. */
static const char *text(struct reader *reader, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key) ? scalar(reader, map, key) : NULL;
  if (!value)
    return NULL;
  if (value->length == 0 || value->length > PROFILE_TEXT_MAX) {
    fields_complain(&reader->fields, value, FIELD_VALUE, NULL, "\"%s\" has %u bytes; it must have 1 to %d", key,
                    value->length, PROFILE_TEXT_MAX);
    return NULL;
  }
  return fields_checked(&reader->fields, arena_strndup(reader->fields.arena, value->text, value->length));
}

static unsigned whole(struct reader *reader, const struct node *map, const char *key, int64_t least, int64_t most,
                      unsigned fallback) {
  const struct node *value = fields_get(&reader->fields, map, key, NODE_INTEGER, false);
  if (!value)
    return fallback;
  if (value->integer >= least && value->integer <= most)
    return (unsigned)value->integer;
  fields_complain(&reader->fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; it must be from %lld to %lld", key,
                  value->text, (long long)least, (long long)most);
  return fallback;
}

static double rate(struct reader *reader, const struct node *map, const char *key) {
  const struct node *value = scalar(reader, map, key);
  if (!value)
    return 0;
  char *end = NULL;
  double found = value->kind == NODE_INTEGER  ? (double)value->integer
                 : value->kind == NODE_NUMBER ? strtod(value->text, &end)
                                              : NAN;
  if (fabs(found) <= SCHEDULE_RATE_MAX && (!end || *end == '\0'))
    return found;
  fields_complain(&reader->fields, value, FIELD_VALUE, NULL,
                  "\"%s\" is a number of requests per second, at most %.0f, not \"%.64s\"", key, SCHEDULE_RATE_MAX,
                  value->text);
  return 0;
}

static int64_t duration(struct reader *reader, const struct node *map, const char *key, bool zero,
                        int64_t fallback_ns) {
  const struct node *value = node_get(map, key) ? scalar(reader, map, key) : NULL;
  int64_t ns = 0;
  if (!value)
    return fallback_ns;
  if (duration_read(value->text, PROFILE_DURATION_MAX_S * NS_PER_SECOND, &ns) == 0 && (ns > 0 || zero))
    return ns;
  fields_complain(&reader->fields, value, FIELD_VALUE, NULL,
                  "\"%s\" is a duration %s at most 24h, such as 500ms, 2s or 1m30s, not \"%.64s\"", key,
                  zero ? "of" : "above 0 and", value->text);
  return fallback_ns;
}

static bool boolean(struct reader *reader, const struct node *map, const char *key) {
  const struct node *value = fields_get(&reader->fields, map, key, NODE_BOOLEAN, false);
  return value && value->boolean;
}

/* A name, as people read it: nothing in it steers a terminal. */
static const char *name(struct reader *reader, const struct node *map, const char *fallback) {
  const char *found = fields_string(&reader->fields, map, "name", PROFILE_NAME_MAX, fallback);
  for (const unsigned char *c = (const unsigned char *)found; c && *c; c++)
    if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) {
      fields_complain(&reader->fields, node_get(map, "name"), FIELD_VALUE, NULL,
                      "\"name\" has a control character in it");
      return NULL;
    }
  return found;
}

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
  schedule->rate = rate(reader, map, "rate");
  schedule->rate_end = rate(reader, map, "rateEnd");
  schedule->rate_step = rate(reader, map, "rateStep");
  schedule->rate_swing = rate(reader, map, "rateSwing");
  schedule->period_ns = duration(reader, map, "period", false, 0);
  read_seed(reader, map, schedule);
  if (fields->errors == before && schedule_check(schedule, &err) < 0)
    fields_complain(fields, map, FIELD_VALUE, NULL, "%s", error_message(err));
}

/* ---- targets */

static void add_header(struct reader *reader, struct target_options *target, const char **headers, const char *header,
                       const struct node *at) {
  if (!fields_checked(&reader->fields, (void *)header))
    return;
  if (target->header_count == TARGET_HEADERS_MAX)
    fields_complain(&reader->fields, at, FIELD_TOO_MANY, NULL, "a target has at most %d headers", TARGET_HEADERS_MAX);
  else
    headers[target->header_count++] = header;
}

static void read_headers(struct reader *reader, const struct node *map, struct target_options *target,
                         const char **headers) {
  const struct node *given = fields_get(&reader->fields, map, "headers", NODE_MAP, false);
  unsigned before = reader->fields.errors;
  for (size_t i = 0; given && i < given->count && reader->fields.errors == before; i++) {
    const char *key = given->entries[i].key;
    const struct node *value = scalar(reader, given, key);
    if (value)
      add_header(reader, target, headers, arena_printf(reader->fields.arena, "%s: %s", key, value->text), value);
  }
}

/* RFC 6265, 4.2: one header for all of them. */
static void read_cookies(struct reader *reader, const struct node *map, struct target_options *target,
                         const char **headers) {
  const struct node *given = fields_get(&reader->fields, map, "cookies", NODE_MAP, false);
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  for (size_t i = 0; given && i < given->count; i++) {
    const char *key = given->entries[i].key;
    const struct node *value = scalar(reader, given, key);
    if (value && (!*key || strpbrk(key, "=; \t,") || strpbrk(value->text, "; \t,\"\\")))
      fields_complain(&reader->fields, value, FIELD_VALUE, "Encode it, as the server that set it did.",
                      "the cookie \"%.64s\" has a character that cookies can't have", key);
    if (value)
      strbuf_printf(&line, "%s%s=%s", line.length > 0 ? "; " : "Cookie: ", key, value->text);
  }
  if (line.length > 0 || strbuf_failed(&line))
    add_header(reader, target, headers, arena_strdup(reader->fields.arena, strbuf_text(&line)), given);
}

static void read_body(struct reader *reader, const struct node *map, struct profile_load *load, const char **headers) {
  const struct node *body = fields_get(&reader->fields, map, "body", NODE_STRING, false);
  load->body_file = text(reader, map, "bodyFile");
  if (body && load->body_file)
    fields_complain(&reader->fields, body, FIELD_TWICE, NULL, "\"body\" and \"bodyFile\" are two bodies: give one");
  if (body) {
    load->target.body = fields_checked(&reader->fields, arena_strndup(reader->fields.arena, body->text, body->length));
    load->target.body_length = body->length;
  }
  const char *type = text(reader, map, "contentType");
  if (type)
    add_header(reader, &load->target, headers, arena_printf(reader->fields.arena, "Content-Type: %s", type),
               node_get(map, "contentType"));
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

static void read_target(struct reader *reader, const struct node *map, size_t number, struct profile_load *load) {
  static const char *const known[] = {"name", "url",      "weight",      "method",     "headers", "cookies",
                                      "body", "bodyFile", "contentType", "validation", NULL};
  struct fields *fields = &reader->fields;
  const char **headers = fields_checked(fields, arena_array(fields->arena, TARGET_HEADERS_MAX, sizeof(*headers)));
  if (!headers || !fields_known(fields, map, "a target", known))
    return;
  const char *fallback = fields_checked(fields, arena_printf(fields->arena, "%zu", number + 1));
  load->name = name(reader, map, fallback);
  load->line = map->position.line;
  load->weight = whole(reader, map, "weight", 1, PROFILE_WEIGHT_MAX, 1);
  load->target = reader->common;
  load->target.url = fields_string(fields, map, "url", TARGET_URL_MAX, NULL);
  load->target.method = text(reader, map, "method");
  read_headers(reader, map, &load->target, headers);
  read_cookies(reader, map, &load->target, headers);
  read_body(reader, map, load, headers);
  read_validation(reader, map, load);
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
  tls->trust_file = text(reader, map, "trust");
  tls->certificate_file = text(reader, map, "certificate");
  tls->key_file = text(reader, map, "key");
  tls->server_name = text(reader, map, "serverName");
  tls->insecure = boolean(reader, map, "insecure");
}

static void read_protocol(struct reader *reader, const struct node *root) {
  static const char *const words[] = {"http/1.1", "h2", "grpc", "tcp", "udp", NULL};
  struct fields *fields = &reader->fields;
  const struct node *value = fields_get(fields, root, "protocol", NODE_STRING, false);
  int found = value ? fields_word(fields, value, "\"protocol\"", words) : 0;
  if (found > 1)
    fields_complain(fields, value, FIELD_VALUE, NULL, "profiles can't be run over %s yet: http/1.1 or h2",
                    words[found]);
  reader->common.http2 = found == 1;
  reader->common.streams = whole(reader, root, "streams", 1, TARGET_STREAMS_MAX, 1);
  reader->common.fresh = boolean(reader, root, "fresh");
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
  load->schedule.duration_ns = duration(reader, root, "duration", false, load->schedule.duration_ns);
  load->warm_up_ns = duration(reader, root, "warmUp", true, load->warm_up_ns);
  load->timeout_ns = duration(reader, root, "timeout", false, load->timeout_ns);
  load->connect_timeout_ns = duration(reader, root, "connectTimeout", false, load->connect_timeout_ns);
  load->drain_ns = duration(reader, root, "drain", true, load->drain_ns);
  load->connections = whole(reader, root, "connections", 1, LOAD_CONNECTIONS_MAX, load->connections);
  load->threads = whole(reader, root, "threads", 1, LOAD_THREADS_MAX, 0);
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
  profile->name = name(reader, root, NULL);
  profile->description = text(reader, root, "description");
  profile->repetitions = whole(reader, root, "repetitions", 1, PROFILE_REPETITIONS_MAX, 1);
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
  read_profile(&reader, list.roots[0]);
  r = fields_status(&reader.fields);
  if (r < 0)
    return r;
  *ret_profile = reader.profile;
  (*ret_profile)->arena = take(arena);
  return 0;
}
