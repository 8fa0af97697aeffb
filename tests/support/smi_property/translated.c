#include "tests/support/smi_property/translated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sdk/adapter/smi_wire.h"
#include "tests/support/adapter_call.h"
#include "tests/support/smi_property/inventory_wire.h"

typedef Trammel__Adapter__V1__Coverage coverage_message;

static void read_response(const struct fake_op *op, struct translated *translated) {
  translated->response =
      trammel__adapter__v1__translate_response__unpack(NULL, op->length, (const uint8_t *)op->message);
  assert_non_null(translated->response);
  for (size_t i = 0; i < translated->response->n_objects; i++) {
    const ProtobufCBinaryData *body = &translated->response->objects[i]->body;
    json_t *object = json_loadb((const char *)body->data, body->len, 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_array_append_new(translated->objects, object), 0);
  }
}

void translated_make(const struct world *world, const char *config, bool allow_unsupported,
                     struct translated *ret_translated) {
  struct arena *arena = arena_create(0);
  assert_non_null(arena);
  Trammel__Adapter__V1__TranslateOptions options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  Trammel__Adapter__V1__TranslateRequest request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;
  options.n_deny_by_default = world->deny_count;
  options.deny_by_default = (char **)(uintptr_t)world->deny_by_default;
  options.allow_unsupported = allow_unsupported;
  request.smi = smi_to_wire(arena, &world->set);
  request.inventory = inventory_to_wire(arena, &world->inventory);
  request.options = &options;
  assert_non_null(request.smi);

  struct fake_op op;
  fake_op_init(&op);
  *ret_translated = (struct translated){.objects = json_array()};
  ret_translated->status = adapter_call(config, "Translate", &request.base, &op);
  ret_translated->diagnostics = json_incref(op.diagnostics);
  assert_int_equal(op.emitted, ret_translated->status == TRAMMEL_OK ? 1 : 0);
  if (ret_translated->status == TRAMMEL_OK)
    read_response(&op, ret_translated);
  fake_op_finish(&op);
  arena_destroy(arena);
}

void translated_finish(struct translated *translated) {
  if (translated->response)
    trammel__adapter__v1__translate_response__free_unpacked(translated->response, NULL);
  json_decref(translated->objects);
  json_decref(translated->diagnostics);
  *translated = (struct translated){0};
}

static bool is_about(const coverage_message *coverage, const struct smi_meta *meta) {
  return strcmp(coverage->resource->kind, smi_kind_name(meta->kind)) == 0 &&
         strcmp(coverage->resource->namespace_, meta->ns) == 0 && strcmp(coverage->resource->name, meta->name) == 0;
}

/* Whether one pointer is the other's beginning, up to a '/'. */
static bool is_within(const char *outer, const char *inner) {
  size_t length = strlen(outer);
  return strncmp(outer, inner, length) == 0 && (inner[length] == '\0' || inner[length] == '/');
}

/* Whether nothing that is stated about the part, within it or around it is anything but exact. */
static bool is_exact(const struct translated *translated, const struct smi_meta *meta, const char *part) {
  for (size_t i = 0; i < translated->response->n_coverage; i++) {
    const coverage_message *coverage = translated->response->coverage[i];
    if (coverage->level != TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT && is_about(coverage, meta) &&
        (is_within(coverage->pointer, part) || is_within(part, coverage->pointer)))
      return false;
  }
  return true;
}

static bool is_exact_at(const struct translated *translated, const struct smi_meta *meta, const char *list, size_t i) {
  char part[64];
  (void)snprintf(part, sizeof part, "/spec/%s/%zu", list, i);
  return is_exact(translated, meta, part);
}

/* A rule with one of its `matches`: others of them don't matter. */
static bool rule_exactly(const struct translated *translated, const struct witness *witness) {
  const struct smi_meta *meta = &witness->target->meta;
  char part[64];
  if (witness->named == ORACLE_NONE)
    return is_exact_at(translated, meta, "rules", witness->rule);
  (void)snprintf(part, sizeof part, "/spec/rules/%zu/matches/%zu", witness->rule, witness->named);
  return is_exact(translated, meta, part);
}

/* Routes' own coverage. */
static bool route_exactly(const struct translated *translated, const struct smi_traffic_target *target, size_t rule) {
  const struct smi_meta meta = {
      .kind = target->rules[rule].kind, .ns = target->meta.ns, .name = target->rules[rule].name};
  return is_exact(translated, &meta, "");
}

bool translated_exactly(const struct translated *translated, const struct witness *witness) {
  const struct smi_meta *meta = &witness->target->meta;
  if (!is_exact(translated, meta, "/spec/destination") || !is_exact_at(translated, meta, "sources", witness->source) ||
      !rule_exactly(translated, witness))
    return false;
  if (witness->port_rule != ORACLE_NONE && (!is_exact_at(translated, meta, "rules", witness->port_rule) ||
                                            !route_exactly(translated, witness->target, witness->port_rule)))
    return false;
  return witness->group ? is_exact_at(translated, &witness->group->meta, "matches", witness->match)
                        : route_exactly(translated, witness->target, witness->rule);
}

bool translated_split_exactly(const struct translated *translated, const struct smi_traffic_split *split) {
  if (!is_exact(translated, &split->meta, ""))
    return false;
  for (size_t i = 0; i < split->match_count; i++)
    if (!is_exact(translated,
                  &(struct smi_meta){.kind = SMI_HTTP_ROUTE_GROUP, .ns = split->meta.ns, .name = split->matches[i]},
                  ""))
      return false;
  return true;
}

void translated_print(const struct translated *translated, FILE *to) {
  static const char *const levels[] = {"?", "exact", "approximated", "unsupported"};
  for (size_t i = 0; translated->response && i < translated->response->n_coverage; i++) {
    const coverage_message *coverage = translated->response->coverage[i];
    (void)fprintf(to, "%s %s/%s %s: %s %s\n", coverage->resource->kind, coverage->resource->namespace_,
                  coverage->resource->name, coverage->pointer, levels[coverage->level & 3], coverage->reason);
  }
  for (size_t i = 0; i < json_array_size(translated->objects); i++) {
    (void)json_dumpf(json_array_get(translated->objects, i), to, JSON_COMPACT);
    (void)fputs("\n", to);
  }
}
