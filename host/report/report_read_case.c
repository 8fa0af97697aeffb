#include <limits.h>
#include <string.h>

#include "host/conformance/case_read.h"
#include "host/report/report_read.h"
#include "host/report/report_read_internal.h"

static enum protocol protocol_from(const char *name) {
  enum protocol protocol = PROTOCOL_HTTP;
  while (protocol < PROTOCOL_UDP && strcmp(protocol_name(protocol), name) != 0)
    protocol++;
  return protocol;
}

static enum check_kind kind_from(const char *name) {
  enum check_kind kind = CHECK_ALLOWED;
  while (kind < CHECK_KIND_LAST && strcmp(check_kind_name(kind), name) != 0)
    kind++;
  return kind;
}

static enum outcome outcome_from(const char *name) {
  enum outcome outcome = OUTCOME_PASSED;
  while (outcome < OUTCOME_ERROR && strcmp(outcome_name(outcome), name) != 0)
    outcome++;
  return outcome;
}

static bool is_text(const struct node *map, const char *key, const char *text) {
  const char *value = kept_text(map, key);
  return value && strcmp(value, text) == 0;
}

static void read_headers(struct fields *fields, const struct node *list, struct check *check) {
  if (!list)
    return;
  struct check_header *headers = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*headers)));
  for (size_t i = 0; headers && i < list->count; i++)
    headers[i] = (struct check_header){kept_text(list->items[i], "name"), kept_text(list->items[i], "value")};
  check->headers = headers;
  check->header_count = headers ? list->count : 0;
}

static void read_shares(struct fields *fields, const struct node *list, struct check *check) {
  if (!list)
    return;
  struct check_share *shares = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*shares)));
  for (size_t i = 0; shares && i < list->count; i++) {
    shares[i].workload = kept_text(list->items[i], "workload");
    shares[i].weight = kept_number(fields, list->items[i], "weight", UINT32_MAX, 0);
  }
  check->shares = shares;
  check->share_count = shares ? list->count : 0;
}

static enum check_connections connections_from(const char *name) {
  enum check_connections connections = CONNECTIONS_KEPT;
  while (name && connections < CONNECTIONS_LAST && strcmp(check_connections_name(connections), name) != 0)
    connections++;
  return connections;
}

/* Complains unless the check has the fields that one of its kind must have; the schema leaves them to the kind. */
static bool has_fields(struct fields *fields, const struct node *map, const char *const *names) {
  for (size_t i = 0; names[i]; i++) {
    if (node_get(map, names[i]))
      continue;
    fields_complain(fields, map, FIELD_MISSING, NULL, "the field \"%s\" is missing", names[i]);
    return false;
  }
  return true;
}

static void read_metrics(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const needed[] = {"metrics", "failing", "answer", NULL};
  if (!has_fields(fields, map, needed))
    return;
  check->metrics = kept_metrics(fields, node_get(map, "metrics"));
  check->failing = kept_number(fields, map, "failing", UINT_MAX, 0);
  check->answer = kept_number(fields, map, "answer", UINT_MAX, 0);
}

static void read_calls(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const needed[] = {"from", "to", "port", "protocol", "direct", NULL};
  static const char *const needed_by_split[] = {"repeat", "shares", NULL}; /* a sample is not worked out again */
  static const char *const needed_by_counted[] = {"counted", NULL};
  if (!has_fields(fields, map, needed) || (check->kind == CHECK_SPLIT && !has_fields(fields, map, needed_by_split)) ||
      (check->kind == CHECK_COUNTED && !has_fields(fields, map, needed_by_counted)))
    return;
  check->from = kept_text(map, "from");
  check->to = kept_text(map, "to");
  check->port = (uint16_t)kept_number(fields, map, "port", UINT16_MAX, 0);
  check->protocol = protocol_from(kept_text(map, "protocol"));
  check->h2c = is_text(map, "version", "h2c");
  check->method = kept_text(map, "method");
  check->path = kept_text(map, "path");
  check->direct = kept_flag(map, "direct");
  check->keep = kept_text(map, "keep");
  check->connections = connections_from(kept_text(map, "connections"));
  check->shares_judged = is_text(map, "tolerance", "exact");
  check->repeat = kept_number(fields, map, "repeat", UINT_MAX, 1);
  read_headers(fields, node_get(map, "headers"), check);
  read_shares(fields, node_get(map, "shares"), check);
  if (check->kind == CHECK_METRICS)
    read_metrics(fields, map, check);
  if (check->kind == CHECK_COUNTED)
    check->counted = counted_read(fields, node_get(map, "counted"), NULL);
}

static void read_resource(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const needed[] = {"resource", NULL};
  if (!has_fields(fields, map, needed))
    return;
  check->resource = resource_name_parse(kept_text(map, "resource"));
  if (check->resource.kind == 0)
    fields_complain(fields, node_get(map, "resource"), FIELD_VALUE, NULL,
                    "\"resource\" is not a kind and a name, as in TrafficTarget/allow");
}

static struct check *read_check(struct fields *fields, const struct node *map) {
  struct check *check = fields_checked(fields, arena_new(fields->arena, struct check));
  if (!check)
    return NULL;
  check->kind = kind_from(kept_text(map, "kind"));
  check->requirement = kept_text(map, "requirement");
  if (check_calls(check))
    read_calls(fields, map, check);
  else
    read_resource(fields, map, check);
  return check;
}

static void read_check_result(struct fields *fields, const struct node *map, struct check_result *result) {
  *result = (struct check_result){
      .check = read_check(fields, map),
      .step = kept_number(fields, map, "step", REPORT_STEPS_MAX, 1),
      .held = kept_flag(map, "held"),
      .expected = kept_text(map, "expected"),
      .seen = kept_text(map, "seen"),
      .evidence = kept_value(fields, map, "evidence"),
  };
  result->step -= result->step > 0; /* in the report from 1 */
}

/* The steps that checks speak of: what a report means that does not say how many there are. */
static unsigned steps_seen(const struct case_result *result) {
  unsigned most = 1;
  for (size_t i = 0; i < result->check_count; i++)
    if (result->checks[i].step >= most)
      most = result->checks[i].step + 1;
  return most;
}

static void read_checks(struct fields *fields, const struct node *list, struct case_result *result) {
  struct check_result *checks = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*checks)));
  result->checks = checks;
  for (size_t i = 0; checks && i < list->count; i++) {
    result->check_count = i + 1;
    read_check_result(fields, list->items[i], &checks[i]);
  }
}

/* Other writers put ids and labels into their markup as they are. */
static const char *read_plain(struct fields *fields, const struct node *map, const char *key, size_t limit) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._:+, ";
  const struct node *value = node_get(map, key);
  if (value->length > 0 && value->length < limit && strspn(value->text, plain) == value->length)
    return value->text;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" must be 1 to %zu letters, digits and \"/-._:+, \"", key,
                  limit - 1);
  return "";
}

static void read_column(struct fields *fields, const struct node *map, struct case_column *column) {
  const char *label = read_plain(fields, map, "label", sizeof(column->label));
  memcpy(column->label, label, strlen(label) + 1);
  column->access = kept_version(fields, map, "access", SMI_ACCESS);
  column->specs = kept_version(fields, map, "specs", SMI_SPECS);
  column->split = kept_version(fields, map, "split", SMI_SPLIT);
  column->metrics = kept_version(fields, map, "metrics", SMI_METRICS);
}

static void read_interpretations(struct fields *fields, const struct node *map, struct test_case *test) {
  const struct node *list = node_get(map, "interpretations");
  if (!list)
    return;
  int *numbers = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*numbers)));
  for (size_t i = 0; numbers && i < list->count; i++) {
    if (list->items[i]->integer > INT_MAX)
      fields_complain(fields, list->items[i], FIELD_VALUE, NULL, "there is no interpretation %s", list->items[i]->text);
    else
      numbers[i] = (int)list->items[i]->integer;
  }
  test->interpretations = numbers;
  test->interpretation_count = numbers ? list->count : 0;
}

static void read_test(struct fields *fields, const struct node *map, struct case_result *result) {
  struct test_case *test = fields_checked(fields, arena_new(fields->arena, struct test_case));
  result->test = test;
  if (!test)
    return;
  test->id = read_plain(fields, map, "id", REPORT_ID_MAX + 1);
  test->title = kept_name(map, "title");
  test->why = kept_text(map, "why");
  test->level = is_text(map, "level", "informative") ? CASE_INFORMATIVE : CASE_REQUIRED;
  test->group = kept_group(map);
  test->requirements = kept_texts(fields, map, "requirements", &test->requirement_count);
  read_interpretations(fields, map, test);
  unsigned seen = steps_seen(result);
  test->step_count = kept_number(fields, map, "steps", REPORT_STEPS_MAX, seen);
  if (test->step_count < seen)
    fields_complain(fields, map, FIELD_VALUE, NULL, "a check is of step %u, and the case has %zu", seen,
                    test->step_count);
  test->steps = fields_checked(fields, arena_array(fields->arena, test->step_count, sizeof(*test->steps)));
}

void kept_case(struct fields *fields, const struct node *map, struct case_result *ret_result) {
  *ret_result = (struct case_result){
      .order = kept_number(fields, map, "order", UINT_MAX, 0),
      .outcome = outcome_from(kept_text(map, "outcome")),
      .held = kept_flag(map, "held"),
      .reason = kept_text(map, "reason"),
      .cause = kept_text(map, "cause"),
      .started_ns = kept_time(fields, map, "started"),
      .duration_ns = kept_nanoseconds(fields, map, "durationNs", REPORT_CASE_NS_MAX, 0),
      .propagation_ns = kept_nanoseconds(fields, map, "propagationNs", REPORT_CASE_NS_MAX, -1),
      .resources = kept_value(fields, map, "resources"),
      .objects = kept_value(fields, map, "objects"),
      .coverage = kept_value(fields, map, "coverage"),
  };
  read_column(fields, node_get(map, "column"), &ret_result->column);
  read_checks(fields, node_get(map, "checks"), ret_result);
  read_test(fields, map, ret_result);
}
