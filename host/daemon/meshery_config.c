#include "host/daemon/meshery_config.h"

#include <ctype.h>
#include <string.h>

#include "host/runs/arguments.h"
#include "sdk/base/error.h"

static void copy_list(struct fields *fields, const struct node *map, const char *key, json_t *spec) {
  const struct node *list = fields_get(fields, map, key, NODE_LIST, false);
  size_t count = fields_count(fields, list, key, SPEC_LIST_MAX);
  json_t *texts = list ? json_array() : NULL;
  for (size_t i = 0; texts && i < count; i++) {
    const struct node *item = list->items[i];
    if (item->kind != NODE_STRING)
      fields_complain(fields, item, FIELD_VALUE, NULL, "%s has texts", key);
    else
      (void)fields_checked(fields, json_array_append_new(texts, json_string(item->text)) == 0 ? texts : NULL);
  }
  if (list)
    (void)fields_checked(fields, json_object_set_new(spec, key, texts) == 0 ? spec : NULL);
}

static void check_spec(struct fields *fields, const struct node *map, const json_t *spec) {
  _cleanup_error_ struct error *err = NULL;
  if (spec_check(spec, &err) < 0)
    fields_complain(fields, map, FIELD_VALUE, NULL, "%s", error_message(err));
}

static void capitals(const char *text, char *out, size_t size) {
  size_t i = 0;
  for (; text[i] != '\0' && i + 1 < size; i++)
    out[i] = (char)toupper((unsigned char)text[i]);
  out[i] = '\0';
}

static mesh_type read_type(struct fields *fields, const struct node *map, const char *adapter) {
  const struct node *node = fields_get(fields, map, "type", NODE_STRING, false);
  char name[64];
  mesh_type type;
  capitals(node ? node->text : adapter, name, sizeof(name));
  if (!mesh_type_named(name, &type) && node)
    fields_complain(fields, node, FIELD_VALUE, NULL, "type %s is none of the Service Mesh Performance specification",
                    node->text);
  return type;
}

static uint16_t read_port(struct fields *fields, const struct node *map, const char *key) {
  return fields_get(fields, map, key, NODE_INTEGER, false) ? fields_port(fields, map, key, 0) : 0;
}

static void read_adapter(struct fields *fields, const struct node *map, struct meshery_config *config) {
  static const char *const known[] = {"adapter", "port", "type", "settings", "endpoints", "groups", NULL};
  if (!fields_known(fields, map, "an adapter", known))
    return;
  const char *adapter = fields_string(fields, map, "adapter", SPEC_TEXT_MAX, NULL);
  if (!adapter)
    return;
  json_t *spec = fields_checked(fields, json_pack("{s:s}", "mesh", adapter));
  if (!spec)
    return;
  copy_list(fields, map, "settings", spec);
  copy_list(fields, map, "endpoints", spec);
  copy_list(fields, map, "groups", spec);
  check_spec(fields, map, spec);
  config->ports[config->count] = read_port(fields, map, "port");
  config->meshes[config->count++] = (struct tested_mesh){.type = read_type(fields, map, adapter), .spec = spec};
}

void meshery_config_read(struct fields *fields, const struct node *map, struct meshery_config *config) {
  static const char *const known[] = {"adapters", "conformancePort", NULL};
  if (!map || !fields_known(fields, map, "meshery", known))
    return;
  const struct node *list = fields_get(fields, map, "adapters", NODE_LIST, false);
  size_t count = fields_count(fields, list, "adapters", MESHERY_ADAPTERS_MAX);
  for (size_t i = 0; i < count; i++)
    read_adapter(fields, list->items[i], config);
  config->conformance_port = read_port(fields, map, "conformancePort");
}

bool meshery_config_same(const struct meshery_config *a, const struct meshery_config *b) {
  bool same = a->count == b->count && a->conformance_port == b->conformance_port;
  for (size_t i = 0; same && i < a->count; i++)
    same = a->ports[i] == b->ports[i] && a->meshes[i].type == b->meshes[i].type &&
           json_equal(a->meshes[i].spec, b->meshes[i].spec);
  return same;
}

void meshery_config_finish(struct meshery_config *config) {
  for (size_t i = 0; i < config->count; i++)
    json_decref(config->meshes[i].spec);
  *config = (struct meshery_config){.count = 0};
}
