#include "sdk/base/document.h"

#include <math.h>
#include <string.h>

#include "sdk/base/document_internal.h"
#include "sdk/base/strbuf.h"

const char *node_kind_name(enum node_kind kind) {
  switch (kind) {
  case NODE_NULL:
    return "null";
  case NODE_BOOLEAN:
    return "boolean";
  case NODE_INTEGER:
    return "integer";
  case NODE_NUMBER:
    return "number";
  case NODE_STRING:
    return "string";
  case NODE_LIST:
    return "list";
  case NODE_MAP:
    return "map";
  }
  return "unknown";
}

const struct entry *node_entry(const struct node *map, const char *key) {
  if (!map || map->kind != NODE_MAP)
    return NULL;
  for (size_t i = 0; i < map->count; i++)
    if (strcmp(map->entries[i].key, key) == 0)
      return &map->entries[i];
  return NULL;
}

const struct node *node_get(const struct node *map, const char *key) {
  const struct entry *entry = node_entry(map, key);

  return entry ? entry->value : NULL;
}

void pointer_append(struct strbuf *out, const char *key) {
  strbuf_putc(out, '/');
  for (size_t plain; *key; key += plain) {
    plain = strcspn(key, "~/");
    strbuf_append(out, key, plain);
    if (key[plain])
      strbuf_puts(out, key[plain++] == '~' ? "~0" : "~1");
  }
}

static void append_step(struct strbuf *out, const struct node *node) {
  if (node->parent->kind == NODE_LIST)
    strbuf_printf(out, "/%u", node->index);
  else if (node->index < node->parent->count)
    pointer_append(out, node->parent->entries[node->index].key);
}

/* Whether the step of `length` bytes at `step` is `key`, escaped. */
static bool step_is_key(const char *step, size_t length, const char *key) {
  const char *end = step + length;

  for (; step < end && *key; step++, key++) {
    char c = *step;

    if (c == '~' && end - step > 1 && (step[1] == '0' || step[1] == '1'))
      c = *++step == '0' ? '~' : '/';
    if (c != *key)
      return false;
  }
  return step == end && *key == '\0';
}

/* RFC 6901: digits, and no zero before others. `*ret_index` is below `count`. */
static bool step_is_index(const char *step, size_t length, size_t count, size_t *ret_index) {
  size_t index = 0;

  if (length == 0 || (step[0] == '0' && length > 1))
    return false;
  for (size_t i = 0; i < length; i++) {
    if (step[i] < '0' || step[i] > '9')
      return false;
    index = index * 10 + (size_t)(step[i] - '0');
    if (index >= count)
      return false;
  }
  *ret_index = index;
  return true;
}

/* The child whose step `*pointer` starts with; moves `*pointer` behind that step. */
static const struct node *node_step(const struct node *parent, const char **pointer) {
  const char *step = *pointer + 1;
  size_t length = strcspn(step, "/"), index;

  if (**pointer != '/')
    return NULL;
  *pointer = step + length;
  if (parent->kind == NODE_LIST)
    return step_is_index(step, length, parent->count, &index) ? parent->items[index] : NULL;
  for (size_t i = 0; parent->kind == NODE_MAP && i < parent->count; i++)
    if (step_is_key(step, length, parent->entries[i].key))
      return parent->entries[i].value;
  return NULL;
}

const struct node *node_at(const struct node *root, const char *pointer) {
  while (root && *pointer)
    root = node_step(root, &pointer);
  return root;
}

const struct node *node_nearest(const struct node *root, const char *pointer) {
  for (const struct node *next = root; next;) {
    root = next;
    next = *pointer ? node_step(root, &pointer) : NULL;
  }
  return root;
}

const char *node_pointer(struct arena *arena, const struct node *node) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  const struct node *path[DOCUMENT_DEPTH_MAX + 1];
  size_t count = 0;

  for (; node->parent && count < DOCUMENT_DEPTH_MAX + 1; node = node->parent)
    path[count++] = node;
  while (count-- > 0)
    append_step(&out, path[count]);
  return strbuf_failed(&out) ? NULL : arena_strdup(arena, strbuf_text(&out));
}

/* Numbers beyond a double keep their text, so that no value is lost or made up. */
static json_t *number_to_json(const struct node *node) {
  double value = scalar_double(node);

  return isfinite(value) ? json_real(value) : json_stringn(node->text, node->length);
}

/* Recursion ends with the tree, which the readers keep within DOCUMENT_DEPTH_MAX. */
static json_t *list_to_json(const struct node *list) {
  json_t *array = json_array();

  for (size_t i = 0; array && i < list->count; i++)
    if (json_array_append_new(array, node_to_json(list->items[i])) < 0) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *map_to_json(const struct node *map) {
  json_t *object = json_object();

  for (size_t i = 0; object && i < map->count; i++)
    if (json_object_set_new(object, map->entries[i].key, node_to_json(map->entries[i].value)) < 0) {
      json_decref(object);
      return NULL;
    }
  return object;
}

json_t *node_to_json(const struct node *node) {
  switch (node->kind) {
  case NODE_NULL:
    return json_null();
  case NODE_BOOLEAN:
    return json_boolean(node->boolean);
  case NODE_INTEGER:
    return json_integer(node->integer);
  case NODE_NUMBER:
    return number_to_json(node);
  case NODE_STRING:
    return json_stringn(node->text, node->length);
  case NODE_LIST:
    return list_to_json(node);
  case NODE_MAP:
    return map_to_json(node);
  }
  return NULL;
}
