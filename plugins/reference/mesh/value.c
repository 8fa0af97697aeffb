#include "plugins/reference/mesh/value.h"

#include <string.h>

enum { DEPTH = 8 };

void problem_finish(struct problem *problem) {
  strbuf_finish(&problem->text);
  strbuf_finish(&problem->pointer);
}

bool name_is_valid(const char *name, size_t limit) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  size_t length = strlen(name);
  return length > 0 && length <= limit && strspn(name, allowed) == length && name[0] != '.';
}

static void write_escaped(struct strbuf *out, const char *key) {
  for (; *key; key++) {
    if (*key == '~' || *key == '/')
      strbuf_puts(out, *key == '~' ? "~0" : "~1");
    else
      strbuf_putc(out, *key);
  }
}

static void write_pointer(const struct value *value, struct strbuf *out) {
  const struct value *path[DEPTH];
  size_t depth = 0;
  for (; value->parent && depth < DEPTH; value = value->parent)
    path[depth++] = value;
  strbuf_clear(out);
  while (depth-- > 0) {
    strbuf_putc(out, '/');
    if (path[depth]->key)
      write_escaped(out, path[depth]->key);
    else
      strbuf_printf(out, "%zu", path[depth]->index);
  }
}

void value_set_problem(const struct value *value, const char *format, ...) {
  va_list args;
  va_start(args, format);
  strbuf_clear(&value->problem->text);
  strbuf_vprintf(&value->problem->text, format, args);
  va_end(args);
  write_pointer(value, &value->problem->pointer);
}

struct value value_root(const json_t *json, struct problem *problem) {
  return (struct value){.json = json, .problem = problem};
}

struct value value_member(const struct value *object, const char *key) {
  const json_t *json = json_object_get(object->json, key);
  return (struct value){
      .json = json_is_null(json) ? NULL : json, .parent = object, .key = key, .problem = object->problem};
}

struct value value_item(const struct value *list, size_t index) {
  return (struct value){
      .json = json_array_get(list->json, index), .parent = list, .index = index, .problem = list->problem};
}

static const char *type_name(const struct value *value) {
  if (!value->json)
    return "nothing";
  switch (json_typeof(value->json)) {
  case JSON_OBJECT:
    return "an object";
  case JSON_ARRAY:
    return "a list";
  case JSON_STRING:
    return "a string";
  case JSON_INTEGER:
  case JSON_REAL:
    return "a number";
  case JSON_TRUE:
  case JSON_FALSE:
    return "a boolean";
  default:
    return "null";
  }
}

static bool is_listed(const char *key, const char *const *members) {
  for (; *members; members++)
    if (strcmp(*members, key) == 0)
      return true;
  return false;
}

int value_object(const struct value *value, const char *const *members) {
  if (!json_is_object(value->json))
    return value_complain(value, "an object is expected here, found %s", type_name(value));
  const char *key;
  json_t *member;
  json_object_foreach((json_t *)value->json, key, member) {
    if (is_listed(key, members))
      continue;
    struct value stranger = {.json = member, .parent = value, .key = key, .problem = value->problem};
    return value_complain(&stranger, "there is no member of this name");
  }
  return 0;
}

int value_list(const struct value *value, size_t limit, size_t *ret_count) {
  if (!json_is_array(value->json))
    return value_complain(value, "a list is expected here, found %s", type_name(value));
  size_t count = json_array_size(value->json);
  if (count > limit)
    return value_complain(value, "at most %zu items are taken here, found %zu", limit, count);
  *ret_count = count;
  return 0;
}

int value_string(const struct value *value, size_t limit, const char **ret_text) {
  if (!json_is_string(value->json))
    return value_complain(value, "a string is expected here, found %s", type_name(value));
  size_t length = json_string_length(value->json);
  const char *text = json_string_value(value->json);
  if (length > limit || strlen(text) != length)
    return value_complain(value, "a string of at most %zu bytes without NUL is expected here", limit);
  *ret_text = text;
  return 0;
}

int value_name(const struct value *value, size_t limit, const char **ret_name) {
  const char *name;
  int r = value_string(value, limit, &name);
  if (r < 0)
    return r;
  if (!name_is_valid(name, limit))
    return value_complain(value, "\"%s\" is no name: letters, digits, '-', '.' and '_' are expected", name);
  *ret_name = name;
  return 0;
}

int value_integer(const struct value *value, int64_t min, int64_t max, int64_t *ret_number) {
  if (!json_is_integer(value->json))
    return value_complain(value, "a whole number is expected here, found %s", type_name(value));
  int64_t number = json_integer_value(value->json);
  if (number < min || number > max)
    return value_complain(value, "a number from %lld to %lld is expected here, found %lld", (long long)min,
                          (long long)max, (long long)number);
  *ret_number = number;
  return 0;
}

int value_port(const struct value *value, uint16_t *ret_port) {
  int64_t port;
  int r = value_integer(value, 1, UINT16_MAX, &port);
  if (r == 0)
    *ret_port = (uint16_t)port;
  return r;
}
