#include "tests/unit/smi/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/smi/weight.h"

static struct reading_result read_bytes(const char *data, size_t length, enum document_format format) {
  struct reading_result result = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  struct document_list list = {0};

  assert_non_null(result.arena);
  assert_non_null(result.diagnostics);
  result.result = document_read(result.arena, "test.yaml", data, length, format, &document_limits_default,
                                result.diagnostics, &list);
  if (result.result == 0)
    result.result = smi_parse(result.arena, &list, NULL, result.diagnostics, &result.set);
  return result;
}

struct reading_result read_text(const char *yaml) {
  return read_bytes(yaml, strlen(yaml), DOCUMENT_YAML);
}

struct reading_result read_json(const json_t *resources) {
  json_t *list = json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", (json_t *)resources);
  char *text = json_dumps(list, 0);
  struct reading_result result;

  assert_non_null(text);
  result = read_bytes(text, strlen(text), DOCUMENT_JSON);
  free(text);
  json_decref(list);
  return result;
}

void reading_finish(struct reading_result *result) {
  diagnostics_destroy(result->diagnostics);
  arena_destroy(result->arena);
}

const struct diagnostic *expect_diagnostic(const struct diagnostics *list, const char *code) {
  for (size_t i = 0; i < diagnostics_count(list); i++)
    if (strcmp(diagnostics_at(list, i)->code, code) == 0)
      return diagnostics_at(list, i);
  diagnostics_print(list, stderr);
  fail_msg("no diagnostic %s", code);
  return NULL;
}

bool diagnostic_says(const struct diagnostic *diagnostic, const char *part) {
  return (diagnostic->summary && strstr(diagnostic->summary, part)) ||
         (diagnostic->detail && strstr(diagnostic->detail, part)) ||
         (diagnostic->remedy && strstr(diagnostic->remedy, part));
}

struct smi_target_versions target_versions(const char *text) {
  struct smi_target_versions versions = {0};
  char copy[128], *rest = copy, *word;

  assert_true(strlen(text) < sizeof(copy));
  strcpy(copy, text);
  while ((word = strsep(&rest, " "))) {
    struct smi_version version;

    if (*word == '\0')
      continue;
    assert_int_equal(smi_version_parse(word, &version), 0);
    if (version.group == SMI_ACCESS)
      versions.access = version;
    else if (version.group == SMI_SPECS)
      versions.specs = version;
    else
      versions.split = version;
  }
  return versions;
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count) {
  bool same = a_count == b_count;

  for (size_t i = 0; same && i < a_count; i++)
    same = same_text(a[i], b[i]);
  return same;
}

static bool same_labels(const struct smi_label *a, size_t a_count, const struct smi_label *b, size_t b_count) {
  bool same = a_count == b_count;

  for (size_t i = 0; same && i < a_count; i++)
    same = same_text(a[i].name, b[i].name) && same_text(a[i].value, b[i].value);
  return same;
}

static bool same_meta(const struct smi_meta *a, const struct smi_meta *b) {
  return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->ns, b->ns) &&
         a->synthesised == b->synthesised && same_labels(a->labels, a->label_count, b->labels, b->label_count) &&
         same_labels(a->annotations, a->annotation_count, b->annotations, b->annotation_count);
}

static bool same_subject(const struct smi_subject *a, const struct smi_subject *b) {
  return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->ns, b->ns);
}

static bool same_target(const struct smi_traffic_target *a, const struct smi_traffic_target *b) {
  bool same = same_meta(&a->meta, &b->meta) && same_subject(&a->destination, &b->destination) &&
              a->rule_count == b->rule_count && a->source_count == b->source_count;

  for (size_t i = 0; same && i < a->rule_count; i++)
    same = a->rules[i].kind == b->rules[i].kind && same_text(a->rules[i].name, b->rules[i].name) &&
           same_texts(a->rules[i].matches, a->rules[i].match_count, b->rules[i].matches, b->rules[i].match_count);
  for (size_t i = 0; same && i < a->source_count; i++)
    same = same_subject(&a->sources[i], &b->sources[i]);
  return same;
}

static bool same_match(const struct smi_http_match *a, const struct smi_http_match *b) {
  bool same = same_text(a->name, b->name) && same_text(a->path_regex, b->path_regex) &&
              a->header_count == b->header_count &&
              same_texts(a->methods, a->method_count, b->methods, b->method_count);

  for (size_t i = 0; same && i < a->header_count; i++)
    same = same_text(a->headers[i].name, b->headers[i].name) && same_text(a->headers[i].regex, b->headers[i].regex);
  return same;
}

static bool same_group(const struct smi_http_route_group *a, const struct smi_http_route_group *b) {
  bool same = same_meta(&a->meta, &b->meta) && a->match_count == b->match_count;

  for (size_t i = 0; same && i < a->match_count; i++)
    same = same_match(&a->matches[i], &b->matches[i]);
  return same;
}

static bool same_route(const struct smi_port_route *a, const struct smi_port_route *b) {
  return same_meta(&a->meta, &b->meta) && a->port_count == b->port_count &&
         (a->port_count == 0 || memcmp(a->ports, b->ports, a->port_count * sizeof(*a->ports)) == 0);
}

static void copy_weights(const struct smi_traffic_split *split, uint64_t *weights, bool proportions) {
  for (size_t i = 0; i < split->backend_count; i++)
    weights[i] = split->backends[i].weight;
  if (proportions)
    weights_reduce(weights, split->backend_count);
}

static bool same_split(struct arena *arena, const struct smi_traffic_split *a, const struct smi_traffic_split *b,
                       bool proportions) {
  uint64_t *left = arena_array(arena, a->backend_count, sizeof(*left));
  uint64_t *right = arena_array(arena, b->backend_count, sizeof(*right));
  bool same = same_meta(&a->meta, &b->meta) && same_text(a->service, b->service) &&
              a->backend_count == b->backend_count &&
              same_texts(a->matches, a->match_count, b->matches, b->match_count);

  copy_weights(a, left, proportions);
  copy_weights(b, right, proportions);
  for (size_t i = 0; same && i < a->backend_count; i++)
    same = same_text(a->backends[i].service, b->backends[i].service) && left[i] == right[i];
  return same;
}

static bool same_binding(const struct smi_identity_binding *a, const struct smi_identity_binding *b) {
  return same_meta(&a->meta, &b->meta) && same_text(a->service_account, b->service_account) &&
         same_labels(a->pod_labels, a->pod_label_count, b->pod_labels, b->pod_label_count) &&
         same_texts(a->spiffe_ids, a->spiffe_id_count, b->spiffe_ids, b->spiffe_id_count);
}

const char *set_difference(struct arena *arena, const struct smi_set *a, const struct smi_set *b, bool proportions) {
  if (a->target_count != b->target_count || a->route_group_count != b->route_group_count ||
      a->port_route_count != b->port_route_count || a->split_count != b->split_count ||
      a->binding_count != b->binding_count)
    return arena_printf(
        arena, "counts: %zu/%zu targets, %zu/%zu groups, %zu/%zu routes, %zu/%zu splits, %zu/%zu bindings",
        a->target_count, b->target_count, a->route_group_count, b->route_group_count, a->port_route_count,
        b->port_route_count, a->split_count, b->split_count, a->binding_count, b->binding_count);
  for (size_t i = 0; i < a->target_count; i++)
    if (!same_target(&a->targets[i], &b->targets[i]))
      return arena_printf(arena, "target %zu, %s", i, a->targets[i].meta.name);
  for (size_t i = 0; i < a->route_group_count; i++)
    if (!same_group(&a->route_groups[i], &b->route_groups[i]))
      return arena_printf(arena, "route group %zu, %s", i, a->route_groups[i].meta.name);
  for (size_t i = 0; i < a->port_route_count; i++)
    if (!same_route(&a->port_routes[i], &b->port_routes[i]))
      return arena_printf(arena, "port route %zu, %s", i, a->port_routes[i].meta.name);
  for (size_t i = 0; i < a->split_count; i++)
    if (!same_split(arena, &a->splits[i], &b->splits[i], proportions))
      return arena_printf(arena, "split %zu, %s", i, a->splits[i].meta.name);
  for (size_t i = 0; i < a->binding_count; i++)
    if (!same_binding(&a->bindings[i], &b->bindings[i]))
      return arena_printf(arena, "binding %zu, %s", i, a->bindings[i].meta.name);
  return NULL;
}
