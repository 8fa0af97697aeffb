#include "sdk/base/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sdk/base/strbuf.h"

static const char *article(enum node_kind kind) {
  return kind == NODE_INTEGER ? "an" : "a";
}

#define LABEL_MAX 63

int fields_status(const struct fields *fields) {
  if (fields->no_memory)
    return -ENOMEM;
  return fields->errors > 0 ? -EINVAL : 0;
}

void *fields_checked(struct fields *fields, void *pointer) {
  if (!pointer)
    fields->no_memory = true;
  return pointer;
}

static void complain_at(struct fields *fields, struct position position, const struct node *about, int code,
                        const char *remedy, const char *summary) {
  const char *name = fields_checked(fields, arena_printf(fields->arena, "%s-%04d", fields->prefix, code));
  const char *pointer = fields_checked(fields, (void *)node_pointer(fields->arena, about));
  struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                  .code = name,
                                  .pointer = pointer,
                                  .position = position,
                                  .summary = summary,
                                  .remedy = remedy};
  fields->errors++;
  if (!name || !pointer || diagnostics_add(fields->diagnostics, &diagnostic) < 0)
    fields->no_memory = true;
}

void fields_complain(struct fields *fields, const struct node *at, int code, const char *remedy, const char *format,
                     ...) {
  _cleanup_strbuf_ struct strbuf summary = STRBUF_INIT;
  va_list args;
  va_start(args, format);
  strbuf_vprintf(&summary, format, args);
  va_end(args);
  if (strbuf_failed(&summary))
    fields->no_memory = true;
  complain_at(fields, at->position, at, code, remedy, strbuf_text(&summary));
}

/* "a, b, c" in the arena, for messages. */
static const char *words_join(struct fields *fields, const char *const *words) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; words[i]; i++)
    strbuf_printf(&text, "%s%s", i > 0 ? ", " : "", words[i]);
  const char *joined = fields_checked(fields, arena_strdup(fields->arena, strbuf_text(&text)));
  return joined ? joined : "";
}

static bool is_one_of(const char *text, const char *const *words) {
  for (; *words; words++)
    if (strcmp(text, *words) == 0)
      return true;
  return false;
}

static void complain_unknown(struct fields *fields, const struct entry *entry, const char *what,
                             const char *const *known) {
  _cleanup_strbuf_ struct strbuf summary = STRBUF_INIT;
  strbuf_printf(&summary, "%s has no field \"%s\"; it has %s", what, entry->key, words_join(fields, known));
  if (strbuf_failed(&summary))
    fields->no_memory = true;
  complain_at(fields, entry->position, entry->value, FIELD_UNKNOWN, NULL, strbuf_text(&summary));
}

bool fields_known(struct fields *fields, const struct node *map, const char *what, const char *const *known) {
  if (map->kind != NODE_MAP) {
    fields_complain(fields, map, FIELD_VALUE, NULL, "%s must be a map, found %s %s", what, article(map->kind),
                    node_kind_name(map->kind));
    return false;
  }
  for (size_t i = 0; i < map->count; i++)
    if (!is_one_of(map->entries[i].key, known))
      complain_unknown(fields, &map->entries[i], what, known);
  return true;
}

const struct node *fields_get(struct fields *fields, const struct node *map, const char *key, enum node_kind kind,
                              bool required) {
  const struct node *value = node_get(map, key);
  if (!value) {
    if (required)
      fields_complain(fields, map, FIELD_MISSING, NULL, "the field \"%s\" is missing", key);
    return NULL;
  }
  if (value->kind == kind)
    return value;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" must be %s %s, found %s %s", key, article(kind),
                  node_kind_name(kind), article(value->kind), node_kind_name(value->kind));
  return NULL;
}

const char *fields_string(struct fields *fields, const struct node *map, const char *key, size_t limit,
                          const char *fallback) {
  const struct node *value = fields_get(fields, map, key, NODE_STRING, !fallback);
  if (!value)
    return node_get(map, key) ? NULL : fallback;
  if (value->length == 0 || value->length > limit) {
    fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" has %u bytes; it must have 1 to %zu", key, value->length,
                    limit);
    return NULL;
  }
  return fields_checked(fields, arena_strndup(fields->arena, value->text, value->length));
}

bool label_is_valid(const char *text) {
  size_t length = strlen(text);
  if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
    return false;
  return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

const char *fields_label(struct fields *fields, const struct node *map, const char *key, const char *fallback) {
  const char *text = fields_string(fields, map, key, LABEL_MAX, fallback);
  if (!text || label_is_valid(text))
    return text;
  fields_complain(fields, node_get(map, key), FIELD_VALUE, "Use lower-case letters, digits and inner dashes.",
                  "\"%s\" is \"%s\", which is no name Kubernetes accepts", key, text);
  return NULL;
}

uint16_t fields_port(struct fields *fields, const struct node *map, const char *key, uint16_t fallback) {
  const struct node *value = fields_get(fields, map, key, NODE_INTEGER, fallback == 0);
  if (!value)
    return node_get(map, key) ? 0 : fallback;
  if (value->integer < 1 || value->integer > UINT16_MAX) {
    fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; a port is a number from 1 to 65535", key,
                    value->text);
    return 0;
  }
  return (uint16_t)value->integer;
}

int fields_word(struct fields *fields, const struct node *node, const char *what, const char *const *words) {
  for (int i = 0; node->kind == NODE_STRING && words[i]; i++)
    if (strcmp(node->text, words[i]) == 0)
      return i;
  fields_complain(fields, node, FIELD_VALUE, NULL, "%s is %s%s%s; it must be one of: %s", what,
                  node->kind == NODE_STRING ? "\"" : "a ",
                  node->kind == NODE_STRING ? node->text : node_kind_name(node->kind),
                  node->kind == NODE_STRING ? "\"" : "", words_join(fields, words));
  return -1;
}

size_t fields_count(struct fields *fields, const struct node *list, const char *what, size_t limit) {
  if (!list)
    return 0;
  if (list->count <= limit)
    return list->count;
  fields_complain(fields, list, FIELD_TOO_MANY, NULL, "%u %s; at most %zu are allowed", list->count, what, limit);
  return limit;
}
