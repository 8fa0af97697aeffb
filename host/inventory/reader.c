#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "host/inventory/internal.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/text.h"

struct inventory_reader *inventory_reader_create(struct arena *arena, const struct inventory_options *options,
                                                 struct diagnostics *diagnostics) {
  struct inventory_reader *reader = arena_new(arena, struct inventory_reader);
  if (!reader)
    return NULL;
  reader->fields = (struct fields){.prefix = "INV", .arena = arena, .diagnostics = diagnostics};
  reader->default_namespace = options && options->default_namespace ? options->default_namespace : "default";
  reader->default_protocol =
      options && options->default_protocol != PROTOCOL_UNSAID ? options->default_protocol : PROTOCOL_HTTP;
  reader->only = options && options->only;
  return reader;
}

/* ---- what all documents are read with */

void found_keep(struct inventory_reader *reader, struct found_list *list, const void *item, size_t size,
                const struct node *at, const char *what) {
  struct fields *fields = &reader->fields;
  if (list->count >= INVENTORY_ITEMS_MAX) {
    if (!list->full)
      fields_complain(fields, at, INVENTORY_TOO_MANY, "Read them in several goes.", "more than %d %s",
                      INVENTORY_ITEMS_MAX, what);
    list->full = true;
    return;
  }
  if (arena_reserve(fields->arena, &list->items, &list->capacity, list->count, size) < 0)
    fields->no_memory = true;
  else
    memcpy((char *)list->items + size * list->count++, item, size);
}

void found_ports_add(struct inventory_reader *reader, struct found_ports *ports, const struct found_port *port) {
  if (arena_reserve(reader->fields.arena, (void **)&ports->items, &ports->capacity, ports->count, sizeof *port) < 0)
    reader->fields.no_memory = true;
  else
    ports->items[ports->count++] = *port;
}

static bool clashes(const struct found_port *a, const struct found_port *b) {
  return a->port == b->port && (a->protocol == PROTOCOL_UDP) == (b->protocol == PROTOCOL_UDP);
}

void found_ports_add_new(struct inventory_reader *reader, struct found_ports *ports, const struct found_port *port) {
  for (size_t i = 0; i < ports->count; i++)
    if (clashes(port, &ports->items[i])) {
      fields_complain(&reader->fields, port->node, FIELD_TWICE, NULL, "port %u is given twice", (unsigned)port->port);
      return;
    }
  found_ports_add(reader, ports, port);
}

void found_note(struct inventory_reader *reader, enum severity severity, int code, const struct node *at,
                const char *remedy, const char *format, ...) {
  struct fields *fields = &reader->fields;
  const char *name = fields_checked(fields, arena_printf(fields->arena, "INV-%04d", code));
  struct diagnostic diagnostic = {.severity = severity,
                                  .code = name,
                                  .pointer = at ? node_pointer(fields->arena, at) : NULL,
                                  .position = at ? at->position : (struct position){0},
                                  .remedy = remedy};
  va_list args;
  va_start(args, format);
  if (name && diagnostics_addv(fields->diagnostics, &diagnostic, format, args) < 0)
    fields->no_memory = true;
  va_end(args);
}

const struct node *found_get(struct inventory_reader *reader, const struct node *map, const char *key,
                             enum node_kind kind) {
  const struct node *value = node_get(map, key);
  return value && value->kind != NODE_NULL ? fields_get(&reader->fields, map, key, kind, false) : NULL;
}

const char *found_text(struct inventory_reader *reader, const struct node *map, const char *key) {
  const struct node *value = found_get(reader, map, key, NODE_STRING);
  return value && value->length > 0 ? value->text : NULL;
}

struct found_labels found_read_labels(struct inventory_reader *reader, const struct node *map, const char *key) {
  struct fields *fields = &reader->fields;
  const struct node *labels = found_get(reader, map, key, NODE_MAP);
  size_t count = fields_count(fields, labels, "labels", INVENTORY_FIELDS_MAX);
  struct smi_label *list = fields_checked(fields, arena_array(fields->arena, count, sizeof *list));
  if (!list)
    return (struct found_labels){0};
  for (size_t i = 0; i < count; i++) {
    const struct node *value = labels->entries[i].value;
    list[i] = (struct smi_label){labels->entries[i].key, value->kind == NODE_STRING ? value->text : ""};
    if (value->kind != NODE_STRING)
      fields_complain(fields, value, FIELD_VALUE, "Put it in quotes.", "the label \"%s\" must be a string, found a %s",
                      labels->entries[i].key, node_kind_name(value->kind));
  }
  return (struct found_labels){list, count};
}

static const char *checked_name(struct inventory_reader *reader, const struct node *at, const char *text,
                                enum text_rule rule) {
  const char *expected = text_expected(rule, text, strlen(text));
  if (!expected)
    return text;
  fields_complain(&reader->fields, at, FIELD_VALUE, NULL, "\"%s\" is no name that Kubernetes accepts: expected %s",
                  text_shown(reader->fields.arena, text), expected);
  return NULL;
}

const char *found_as_name(struct inventory_reader *reader, const struct node *at, const char *text) {
  return checked_name(reader, at, text, TEXT_SUBDOMAIN);
}

const char *found_name(struct inventory_reader *reader, const struct node *map, const char *key) {
  const struct node *value = fields_get(&reader->fields, map, key, NODE_STRING, true);
  return value ? found_as_name(reader, value, value->text) : NULL;
}

const char *found_namespace(struct inventory_reader *reader, const struct node *map) {
  const struct node *value = node_get(map, "namespace");
  if (!value || value->kind == NODE_NULL)
    return reader->default_namespace;
  value = fields_get(&reader->fields, map, "namespace", NODE_STRING, false);
  return value ? checked_name(reader, value, value->text, TEXT_LABEL) : NULL;
}

/* ---- documents */

bool inventory_is_stated(const struct node *root) {
  return !node_get(root, "apiVersion") && !node_get(root, "kind") &&
         (node_get(root, "workloads") || node_get(root, "services"));
}

static const char *string_at(const struct node *map, const char *key, const char *fallback) {
  const struct node *value = node_get(map, key);
  return value && value->kind == NODE_STRING ? value->text : fallback;
}

static void read_document(struct inventory_reader *reader, const struct node *root, const char *api_version,
                          const char *kind, unsigned depth);

/* "DeploymentList": its items may leave kind and apiVersion out. "List": they don't. */
static void read_items(struct inventory_reader *reader, const struct node *root, const char *api_version,
                       const char *kind, unsigned depth) {
  const struct node *items = found_get(reader, root, "items", NODE_LIST);
  size_t length = strlen(kind) - strlen("List");
  const char *item_kind = fields_checked(&reader->fields, arena_strndup(reader->fields.arena, kind, length));
  if (items && depth >= INVENTORY_LIST_DEPTH_MAX)
    fields_complain(&reader->fields, items, FIELD_TOO_MANY, "Put the resources in one list.",
                    "more than %d lists within one another", INVENTORY_LIST_DEPTH_MAX);
  else if (items && item_kind)
    for (size_t i = 0; i < items->count && !reader->fields.no_memory; i++)
      read_document(reader, items->items[i], length > 0 ? api_version : "", item_kind, depth + 1);
}

static void read_document(struct inventory_reader *reader, const struct node *root, const char *api_version,
                          const char *kind, unsigned depth) {
  api_version = string_at(root, "apiVersion", api_version);
  kind = string_at(root, "kind", kind);
  if (root->kind != NODE_MAP || !*kind) {
    if (reader->only)
      fields_complain(&reader->fields, root, FIELD_VALUE, NULL,
                      "expected a Kubernetes resource, or a map with `workloads` and `services`, found a %s%s",
                      node_kind_name(root->kind), root->kind == NODE_MAP ? " without `kind`" : "");
    return;
  }
  size_t length = strlen(kind);
  if (length >= 4 && strcmp(kind + length - 4, "List") == 0)
    read_items(reader, root, api_version, kind, depth);
  else
    inventory_read_manifest(reader, root, api_version, kind);
}

static size_t count_kept(const struct inventory_reader *reader) {
  return reader->workloads.count + reader->services.count + reader->accounts.count;
}

int inventory_reader_document(struct inventory_reader *reader, const struct node *root) {
  unsigned errors = reader->fields.errors;
  size_t kept = count_kept(reader);
  if (inventory_is_stated(root))
    inventory_read_stated(reader, root);
  else
    read_document(reader, root, "", "", 0);
  if (reader->fields.no_memory)
    return -ENOMEM;
  if (reader->fields.errors > errors)
    return -EINVAL;
  return count_kept(reader) > kept ? 1 : 0;
}
