#include "sdk/base/schema.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/schema_internal.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

static const char *const type_names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
#define TYPE_COUNT (sizeof(type_names) / sizeof(type_names[0]))

/* What one keyword's value must be; `expected` says it in words. */
struct keyword {
  const char *name;
  const char *expected;
  bool (*holds)(const json_t *value);
};

bool schema_type_known(const char *name) {
  for (size_t i = 0; i < TYPE_COUNT; i++)
    if (strcmp(name, type_names[i]) == 0)
      return true;
  return false;
}

static bool is_type(const json_t *value) {
  if (json_is_string(value))
    return schema_type_known(json_string_value(value));
  for (size_t i = 0; i < json_array_size(value); i++)
    if (!json_is_string(json_array_get(value, i)) || !schema_type_known(json_string_value(json_array_get(value, i))))
      return false;
  return json_array_size(value) > 0;
}

static bool is_filled_array(const json_t *value) {
  return json_array_size(value) > 0;
}

static bool is_object(const json_t *value) {
  return json_is_object(value);
}

static bool is_names(const json_t *value) {
  for (size_t i = 0; i < json_array_size(value); i++)
    if (!json_is_string(json_array_get(value, i)))
      return false;
  return json_is_array(value);
}

static bool is_boolean(const json_t *value) {
  return json_is_boolean(value);
}

static bool is_count(const json_t *value) {
  return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_number(const json_t *value) {
  return json_is_number(value);
}

static bool is_string(const json_t *value) {
  return json_is_string(value);
}

static bool is_anything(const json_t *value) {
  return value;
}

static const struct keyword keywords[] = {
    {"type", "one of null, boolean, integer, number, string, array, object, or a list of them", is_type},
    {"enum", "a list with at least one member", is_filled_array},
    {"const", "any value", is_anything},
    {"properties", "an object of schemas", is_object},
    {"required", "a list of property names", is_names},
    {"additionalProperties", "true or false", is_boolean},
    {"items", "a schema", is_object},
    {"minItems", "a count", is_count},
    {"maxItems", "a count", is_count},
    {"minimum", "a number", is_number},
    {"maximum", "a number", is_number},
    {"minLength", "a count", is_count},
    {"maxLength", "a count", is_count},
    {"pattern", "a regular expression", is_string},
    {"default", "any value", is_anything},
    {"title", "a string", is_string},
    {"description", "a string", is_string},
};

static const struct keyword *keyword_find(const char *name) {
  for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
    if (strcmp(keywords[i].name, name) == 0)
      return &keywords[i];
  return NULL;
}

static int check_keyword(const struct schema_path *path, const char *name, const json_t *value, struct error **err) {
  const struct keyword *keyword = keyword_find(name);
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  struct quote quote;

  schema_path_append(&pointer, path);
  pointer_append(&pointer, name);
  if (!keyword)
    return error_set(err, EINVAL,
                     "schema keyword %s at %s is not one that is checked; use type, enum, const, properties, required, "
                     "additionalProperties, items, minItems, maxItems, minimum, maximum, minLength, maxLength, "
                     "pattern, default, title, description",
                     quote_text(&quote, name, strlen(name)), strbuf_text(&pointer));
  if (!keyword->holds(value))
    return error_set(err, EINVAL, "schema keyword %s at %s must be %s", name, strbuf_text(&pointer), keyword->expected);
  return 0;
}

/* The default must be a value that the schema allows. */
static int check_default(const json_t *schema, const struct schema_path *path, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *violations = NULL;
  const json_t *value = json_object_get(schema, "default");
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  int r;

  if (!value)
    return 0;
  violations = diagnostics_create();
  if (!violations)
    return error_set(err, ENOMEM, "out of memory while checking a schema");
  r = schema_validate(schema, value, NULL, violations);
  if (r == 0)
    return 0;
  schema_path_append(&pointer, path);
  return error_set(err, EINVAL, "schema keyword default at %s/default is not allowed by its own schema: %s",
                   strbuf_text(&pointer),
                   diagnostics_count(violations) > 0 ? diagnostics_at(violations, 0)->summary : "out of memory");
}

static int check_pattern(const json_t *schema, const struct schema_path *path, struct error **err) {
  const char *pattern = json_string_value(json_object_get(schema, "pattern"));
  _cleanup_pattern_ struct pattern *compiled = NULL;
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  int r;

  if (!pattern)
    return 0;
  r = pattern_compile(pattern, &compiled, err);
  if (r == 0)
    return 0;
  schema_path_append(&pointer, path);
  return error_wrap(err, "schema keyword pattern at %s/pattern", strbuf_text(&pointer));
}

static int check_schema(const json_t *schema, const struct schema_path *path, struct error **err);

static int check_properties(const json_t *schema, const struct schema_path *path, struct error **err) {
  json_t *properties = json_object_get(schema, "properties");
  struct schema_path under = {.parent = path, .key = "properties", .depth = path->depth};

  for (void *at = json_object_iter(properties); at; at = json_object_iter_next(properties, at)) {
    struct schema_path child = {.parent = &under, .key = json_object_iter_key(at), .depth = path->depth + 1};
    int r = check_schema(json_object_iter_value(at), &child, err);

    if (r < 0)
      return r;
  }
  return 0;
}

static int check_schema(const json_t *schema, const struct schema_path *path, struct error **err) {
  const json_t *items = json_object_get(schema, "items");
  struct schema_path child = {.parent = path, .key = "items", .depth = path->depth + 1};
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  int r;

  schema_path_append(&pointer, path);
  if (path->depth > SCHEMA_DEPTH_MAX)
    return error_set(err, EINVAL, "the schema is nested more than %d deep, which is the limit", SCHEMA_DEPTH_MAX);
  if (!json_is_object(schema))
    return error_set(err, EINVAL, "the schema at \"%s\" must be an object", strbuf_text(&pointer));
  for (void *at = json_object_iter((json_t *)schema); at; at = json_object_iter_next((json_t *)schema, at)) {
    r = check_keyword(path, json_object_iter_key(at), json_object_iter_value(at), err);
    if (r < 0)
      return r;
  }
  r = check_pattern(schema, path, err);
  if (r == 0)
    r = check_properties(schema, path, err);
  if (r == 0 && items)
    r = check_schema(items, &child, err);
  return r < 0 ? r : check_default(schema, path, err);
}

int schema_check(const json_t *schema, struct error **err) {
  return check_schema(schema, &(struct schema_path){0}, err);
}

static int fill_defaults(const json_t *schema, json_t *value, size_t depth) {
  json_t *properties = json_object_get(schema, "properties");
  size_t count = json_array_size(value);
  int r = 0;

  if (depth > SCHEMA_DEPTH_MAX)
    return 0;
  for (size_t i = 0; r == 0 && json_object_get(schema, "items") && i < count; i++)
    r = fill_defaults(json_object_get(schema, "items"), json_array_get(value, i), depth + 1);
  if (!json_is_object(value))
    return r;
  for (void *at = json_object_iter(properties); r == 0 && at; at = json_object_iter_next(properties, at)) {
    const json_t *property = json_object_iter_value(at), *preset = json_object_get(property, "default");
    const char *key = json_object_iter_key(at);

    if (!json_object_get(value, key) && preset && json_object_set_new(value, key, json_deep_copy(preset)) < 0)
      return -ENOMEM;
    r = fill_defaults(property, json_object_get(value, key), depth + 1);
  }
  return r;
}

int schema_fill_defaults(const json_t *schema, json_t *object) {
  return fill_defaults(schema, object, 0);
}
