#include "sdk/base/schema.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/schema_internal.h"
#include "sdk/base/utf8.h"

/* Messages list this many known names or members. */
#define KNOWN_MAX 40

struct validation {
  const char *file;
  struct diagnostics *diagnostics;
  size_t violations;
};

void schema_path_append(struct strbuf *out, const struct schema_path *path) {
  const struct schema_path *chain[2 * (SCHEMA_DEPTH_MAX + 2)];
  size_t count = 0;

  for (; path && path->parent && count < sizeof(chain) / sizeof(chain[0]); path = path->parent)
    chain[count++] = path;
  while (count-- > 0)
    if (chain[count]->key)
      pointer_append(out, chain[count]->key);
    else
      strbuf_printf(out, "/%zu", chain[count]->index);
}

static const char *type_of(const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return "object";
  case JSON_ARRAY:
    return "array";
  case JSON_STRING:
    return "string";
  case JSON_INTEGER:
    return "integer";
  case JSON_REAL:
    return "number";
  case JSON_TRUE:
  case JSON_FALSE:
    return "boolean";
  default:
    return "null";
  }
}

bool schema_is_of_type(const json_t *value, const char *type) {
  if (strcmp(type_of(value), type) == 0)
    return true;
  return strcmp(type, "number") == 0 && json_is_integer(value);
}

bool schema_allows_type(const json_t *schema, const char *type) {
  const json_t *allowed = json_object_get(schema, "type");

  if (!allowed)
    return true;
  if (json_is_string(allowed))
    return strcmp(json_string_value(allowed), type) == 0;
  for (size_t i = 0; i < json_array_size(allowed); i++)
    if (strcmp(json_string_value(json_array_get(allowed, i)), type) == 0)
      return true;
  return false;
}

/* A value as messages show it. */
static void value_append(struct strbuf *out, const json_t *value) {
  struct quote quote;
  char *text;

  if (json_is_object(value) || json_is_array(value)) {
    strbuf_printf(out, "an %s", type_of(value));
  } else if (json_is_string(value)) {
    strbuf_puts(out, quote_text(&quote, json_string_value(value), json_string_length(value)));
  } else {
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    strbuf_puts(out, text ? text : "?");
    free(text);
  }
}

void schema_append_known(struct strbuf *out, const json_t *collection) {
  size_t count = json_is_object(collection) ? json_object_size(collection) : json_array_size(collection), shown = 0;
  void *at = json_object_iter((json_t *)collection);

  if (count == 0)
    strbuf_puts(out, "none");
  for (; shown < count && shown < KNOWN_MAX; shown++) {
    struct quote quote;

    strbuf_puts(out, shown > 0 ? ", " : "");
    if (json_is_object(collection)) {
      strbuf_puts(out, quote_text(&quote, json_object_iter_key(at), json_object_iter_key_len(at)));
      at = json_object_iter_next((json_t *)collection, at);
    } else {
      value_append(out, json_array_get(collection, shown));
    }
  }
  if (shown < count)
    strbuf_printf(out, " and %zu more", count - shown);
}

static int violate(struct validation *validation, const struct schema_path *path, const char *code, const char *remedy,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static int violate(struct validation *validation, const struct schema_path *path, const char *code, const char *remedy,
                   const char *format, ...) {
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR, .code = code, .position.file = validation->file, .remedy = remedy};
  va_list args;
  int r;

  schema_path_append(&pointer, path);
  if (strbuf_failed(&pointer))
    return -ENOMEM;
  diagnostic.pointer = strbuf_text(&pointer);
  validation->violations++;
  va_start(args, format);
  r = diagnostics_addv(validation->diagnostics, &diagnostic, format, args);
  va_end(args);
  return r;
}

/* `found` and `allowed` in one message; both are finished here. */
static int violate_value(struct validation *validation, const struct schema_path *path, const char *code,
                         const char *remedy, const json_t *value, const char *expected, const json_t *allowed) {
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT, list = STRBUF_INIT;

  value_append(&found, value);
  if (json_is_array(allowed))
    schema_append_known(&list, allowed);
  else
    value_append(&list, allowed);
  return violate(validation, path, code, remedy, "expected %s%s, found %s", expected, strbuf_text(&list),
                 strbuf_text(&found));
}

/* Numbers are the same when their values are, however they are written; all else as jansson compares. */
static bool same_value(const json_t *a, const json_t *b) {
  if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
    return json_number_value(a) == json_number_value(b);
  return json_equal(a, b) == 1;
}

static bool is_member(const json_t *members, const json_t *value) {
  for (size_t i = 0; i < json_array_size(members); i++)
    if (same_value(json_array_get(members, i), value))
      return true;
  return false;
}

static bool is_of_allowed_type(const json_t *schema, const json_t *value) {
  const json_t *allowed = json_object_get(schema, "type");

  if (!allowed || json_is_string(allowed))
    return !allowed || schema_is_of_type(value, json_string_value(allowed));
  for (size_t i = 0; i < json_array_size(allowed); i++)
    if (schema_is_of_type(value, json_string_value(json_array_get(allowed, i))))
      return true;
  return false;
}

/* Whoever asks for an integer takes it with json_integer_value(), which is 0 for 3.0: it has to be written as one. */
static int violate_type(struct validation *validation, const struct schema_path *path, const json_t *schema,
                        const json_t *value) {
  const char *remedy = json_is_real(value) && schema_allows_type(schema, "integer")
                           ? "write it without a point or exponent, and within 64 bits"
                           : NULL;

  return violate_value(validation, path, "SCHEMA-0001", remedy, value, "a value of type ",
                       json_object_get(schema, "type"));
}

static int validate_any(struct validation *validation, const struct schema_path *path, const json_t *schema,
                        const json_t *value) {
  const json_t *members = json_object_get(schema, "enum"), *constant = json_object_get(schema, "const");
  int r = 0;

  if (members && !is_member(members, value))
    r = violate_value(validation, path, "SCHEMA-0002", NULL, value, "one of ", members);
  if (r == 0 && constant && !same_value(constant, value))
    r = violate_value(validation, path, "SCHEMA-0003", NULL, value, "the value ", constant);
  return r;
}

/* Below 0, 0, above 0 as `a` is less, equal, more. Integers compare as such: a double cannot hold all of them. */
static int compare_numbers(const json_t *a, const json_t *b) {
  if (json_is_integer(a) && json_is_integer(b))
    return (json_integer_value(a) > json_integer_value(b)) - (json_integer_value(a) < json_integer_value(b));
  return (json_number_value(a) > json_number_value(b)) - (json_number_value(a) < json_number_value(b));
}

static int validate_number(struct validation *validation, const struct schema_path *path, const json_t *schema,
                           const json_t *value) {
  const json_t *least = json_object_get(schema, "minimum"), *most = json_object_get(schema, "maximum");
  int r = 0;

  if (least && compare_numbers(value, least) < 0)
    r = violate_value(validation, path, "SCHEMA-0007", NULL, value, "at least ", least);
  if (r == 0 && most && compare_numbers(value, most) > 0)
    r = violate_value(validation, path, "SCHEMA-0007", NULL, value, "at most ", most);
  return r;
}

/* Checks a count against the keywords `least` and `most`. */
static int validate_count(struct validation *validation, const struct schema_path *path, const json_t *schema,
                          size_t count, const char *least, const char *most, const char *code, const char *unit) {
  const json_t *minimum = json_object_get(schema, least), *maximum = json_object_get(schema, most);

  if (minimum && count < (size_t)json_integer_value(minimum))
    return violate(validation, path, code, NULL, "expected at least %" JSON_INTEGER_FORMAT " %s, found %zu",
                   json_integer_value(minimum), unit, count);
  if (maximum && count > (size_t)json_integer_value(maximum))
    return violate(validation, path, code, NULL, "expected at most %" JSON_INTEGER_FORMAT " %s, found %zu",
                   json_integer_value(maximum), unit, count);
  return 0;
}

static int validate_pattern(struct validation *validation, const struct schema_path *path, const json_t *schema,
                            const json_t *value) {
  const char *text = json_string_value(json_object_get(schema, "pattern"));
  _cleanup_pattern_ struct pattern *pattern = NULL;
  struct quote found, expected;
  int r;

  if (!text)
    return 0;
  quote_text(&found, json_string_value(value), json_string_length(value));
  quote_text(&expected, text, strlen(text));
  r = pattern_compile(text, &pattern, NULL);
  if (r < 0)
    return r;
  r = pattern_match(pattern, json_string_value(value), json_string_length(value));
  if (r == -ENOMEM || r > 0)
    return r < 0 ? r : 0;
  return violate(validation, path, "SCHEMA-0009", NULL, "expected text that matches the pattern %s, found %s%s",
                 expected.text, found.text, r < 0 ? ", for which matching takes too long" : "");
}

static int validate_string(struct validation *validation, const struct schema_path *path, const json_t *schema,
                           const json_t *value) {
  int r = validate_count(validation, path, schema, utf8_count(json_string_value(value), json_string_length(value)),
                         "minLength", "maxLength", "SCHEMA-0008", "characters");

  return r < 0 ? r : validate_pattern(validation, path, schema, value);
}

static int validate_value(struct validation *validation, const struct schema_path *path, const json_t *schema,
                          const json_t *value);

static int validate_list(struct validation *validation, const struct schema_path *path, const json_t *schema,
                         const json_t *value) {
  const json_t *items = json_object_get(schema, "items");
  int r =
      validate_count(validation, path, schema, json_array_size(value), "minItems", "maxItems", "SCHEMA-0006", "items");

  for (size_t i = 0; r == 0 && items && i < json_array_size(value); i++)
    r = validate_value(validation, &(struct schema_path){.parent = path, .index = i, .depth = path->depth + 1}, items,
                       json_array_get(value, i));
  return r;
}

static int validate_required(struct validation *validation, const struct schema_path *path, const json_t *schema,
                             const json_t *value) {
  const json_t *required = json_object_get(schema, "required");
  int r = 0;

  for (size_t i = 0; r == 0 && i < json_array_size(required); i++) {
    const json_t *name = json_array_get(required, i);
    struct quote quote;

    if (!json_object_get(value, json_string_value(name)))
      r = violate(validation, path, "SCHEMA-0004", "add it", "the property %s is required and absent",
                  quote_text(&quote, json_string_value(name), json_string_length(name)));
  }
  return r;
}

static int violate_unknown(struct validation *validation, const struct schema_path *path, const char *key,
                           const json_t *properties) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  struct quote quote;

  schema_append_known(&known, properties);
  return violate(validation, path, "SCHEMA-0005", "remove it or correct its name", "unknown property %s; known are: %s",
                 quote_text(&quote, key, strlen(key)), strbuf_text(&known));
}

static int validate_object(struct validation *validation, const struct schema_path *path, const json_t *schema,
                           const json_t *value) {
  const json_t *properties = json_object_get(schema, "properties");
  bool closed = json_is_false(json_object_get(schema, "additionalProperties"));
  int r = validate_required(validation, path, schema, value);
  void *at = json_object_iter((json_t *)value);

  for (; r == 0 && at; at = json_object_iter_next((json_t *)value, at)) {
    struct schema_path child = {.parent = path, .key = json_object_iter_key(at), .depth = path->depth + 1};
    const json_t *property = json_object_get(properties, child.key);

    if (property)
      r = validate_value(validation, &child, property, json_object_iter_value(at));
    else if (closed)
      r = violate_unknown(validation, &child, child.key, properties);
  }
  return r;
}

static int validate_value(struct validation *validation, const struct schema_path *path, const json_t *schema,
                          const json_t *value) {
  int r;

  if (path->depth > SCHEMA_DEPTH_MAX)
    return violate(validation, path, "SCHEMA-0010", NULL, "nested more than %d deep, which is the limit",
                   SCHEMA_DEPTH_MAX);
  if (!is_of_allowed_type(schema, value))
    return violate_type(validation, path, schema, value);
  r = validate_any(validation, path, schema, value);
  if (r < 0)
    return r;
  if (json_is_number(value))
    return validate_number(validation, path, schema, value);
  if (json_is_string(value))
    return validate_string(validation, path, schema, value);
  if (json_is_array(value))
    return validate_list(validation, path, schema, value);
  return json_is_object(value) ? validate_object(validation, path, schema, value) : 0;
}

int schema_validate(const json_t *schema, const json_t *value, const char *file, struct diagnostics *diagnostics) {
  struct validation validation = {.file = file, .diagnostics = diagnostics};
  int r = validate_value(&validation, &(struct schema_path){0}, schema, value);

  return r < 0 ? r : validation.violations > 0 ? -EINVAL : 0;
}
