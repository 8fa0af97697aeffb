#include <string.h>

#include "host/conformance/case_read.h"

#define STATE_SEPARATOR "--"

static enum smi_kind kind_parse(const char *text, size_t length) {
  for (int kind = SMI_TRAFFIC_TARGET; kind <= SMI_IDENTITY_BINDING; kind++) {
    const char *name = smi_kind_name((enum smi_kind)kind);
    if (strlen(name) == length && memcmp(name, text, length) == 0)
      return (enum smi_kind)kind;
  }
  return 0;
}

struct resource_name resource_name_parse(const char *text) {
  const char *slash = strchr(text, '/');
  struct resource_name name = {.name = slash ? slash + 1 : ""};
  if (slash)
    name.kind = kind_parse(text, (size_t)(slash - text));
  return name;
}

static const char *text_of(const struct node *node) {
  return node && node->text ? node->text : "";
}

struct resource_name resource_name_of(const struct node *resource) {
  const char *kind = text_of(node_get(resource, "kind"));
  return (struct resource_name){.kind = kind_parse(kind, strlen(kind)),
                                .name = text_of(node_get(node_get(resource, "metadata"), "name"))};
}

bool resources_have(const struct node *list, const struct resource_name *name) {
  for (size_t i = 0; list && name->kind != 0 && i < list->count; i++) {
    struct resource_name found = resource_name_of(list->items[i]);
    if (found.kind == name->kind && strcmp(found.name, name->name) == 0)
      return true;
  }
  return false;
}

size_t resource_base_length(const char *name) {
  const char *separator = strstr(name, STATE_SEPARATOR);
  return separator ? (size_t)(separator - name) : strlen(name);
}

bool resource_is_state_of(const struct resource_name *a, const struct resource_name *b) {
  size_t length = resource_base_length(a->name);
  return a->kind == b->kind && length == resource_base_length(b->name) && strncmp(a->name, b->name, length) == 0;
}
