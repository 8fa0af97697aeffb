#include "host/certify/schema_value.h"

#include <string.h>

#include "sdk/base/diagnostic.h"
#include "sdk/base/memory.h"
#include "sdk/base/schema.h"

#define DEPTH_MAX 8
#define ITEMS_MAX 4
#define TEXT_MAX 64
#define TRIES 8

static bool fits(const json_t *schema, const json_t *value) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  return value && schema_validate(schema, value, NULL, diagnostics) == 0;
}

static size_t number_of(const json_t *schema, const char *key, size_t otherwise) {
  const json_t *value = json_object_get(schema, key);
  return json_is_integer(value) && json_integer_value(value) >= 0 ? (size_t)json_integer_value(value) : otherwise;
}

static const char *type_of(const json_t *schema) {
  const json_t *type = json_object_get(schema, "type");
  if (json_is_array(type))
    type = json_array_get(type, 0);
  return json_is_string(type) ? json_string_value(type) : "string";
}

/* What patterns of names, addresses and durations take, and what trips up who joins texts. */
static const char *const texts[] = {"a",           "mesh",  "example.com", "10.0.0.1", "v1.2.3", "http://a.example:80",
                                    "5s",          "100m",  "a b",         "\"",       "\\",     "../..",
                                    "caf\xc3\xa9", "{{x}}", "%s%n",        "-1"};

static json_t *make_text(const json_t *schema, struct chance *chance) {
  size_t least = number_of(schema, "minLength", 0), most = number_of(schema, "maxLength", TEXT_MAX);
  char text[TEXT_MAX + 1];
  if (chance_below(chance, 2) == 0)
    return json_string(texts[chance_below(chance, ARRAY_COUNT(texts))]);
  if (most > TEXT_MAX)
    most = TEXT_MAX;
  size_t length = chance_below(chance, 2) ? most : least;
  if (length > TEXT_MAX)
    length = TEXT_MAX;
  for (size_t i = 0; i < length; i++)
    text[i] = "abcdefghijklmnopqrstuvwxyz0123456789-."[chance_below(chance, i && i + 1 < length ? 38 : 26)];
  return json_stringn(text, length);
}

/* A bound of the adapter's, which may be any number that JSON has. */
static json_int_t bound(const json_t *schema, const char *key, json_int_t otherwise) {
  const json_t *value = json_object_get(schema, key);
  if (json_is_integer(value))
    return json_integer_value(value);
  if (!json_is_real(value))
    return otherwise;
  double real = json_real_value(value);
  return real >= 0x1p63 ? INT64_MAX : real < -0x1p63 ? INT64_MIN : (json_int_t)real;
}

/* `offset` above `low`, also where that is more than a signed number can say. */
static json_t *integer_above(json_int_t low, uint64_t offset) {
  uint64_t value = (uint64_t)low + offset;
  return json_integer((json_int_t)value);
}

static json_t *make_integer(const json_t *schema, struct chance *chance) {
  json_int_t low = bound(schema, "minimum", -1), high = bound(schema, "maximum", INT32_MAX);
  uint64_t width = high > low ? (uint64_t)high - (uint64_t)low : 1;
  switch (chance_below(chance, 3)) {
  case 0:
    return json_integer(low);
  case 1:
    return json_integer(high);
  default:
    return integer_above(low, chance_below(chance, width));
  }
}

static json_t *make(const json_t *schema, struct chance *chance, unsigned depth);

static json_t *make_list(const json_t *schema, struct chance *chance, unsigned depth) {
  size_t least = number_of(schema, "minItems", 0), most = number_of(schema, "maxItems", ITEMS_MAX);
  if (most > least + ITEMS_MAX)
    most = least + ITEMS_MAX;
  size_t count = least + chance_below(chance, most >= least ? most - least + 1 : 1);
  json_t *list = json_array();
  const json_t *items = json_object_get(schema, "items");
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, items ? make(items, chance, depth + 1) : json_integer((json_int_t)i));
  return list;
}

static bool is_required(const json_t *schema, const char *key) {
  const json_t *required = json_object_get(schema, "required");
  for (size_t i = 0; i < json_array_size(required); i++)
    if (strcmp(json_string_value(json_array_get(required, i)), key) == 0)
      return true;
  return false;
}

static json_t *make_object(const json_t *schema, struct chance *chance, unsigned depth) {
  json_t *object = json_object();
  const char *key;
  json_t *property;
  json_object_foreach(json_object_get(schema, "properties"), key, property) {
    if (is_required(schema, key) || chance_below(chance, 2))
      (void)json_object_set_new(object, key, make(property, chance, depth + 1));
  }
  return object;
}

/* It need not fit: what a pattern says is not looked at here. */
static json_t *make(const json_t *schema, struct chance *chance, unsigned depth) {
  const json_t *choices = json_object_get(schema, "enum");
  json_t *constant = json_object_get(schema, "const");
  const char *type = type_of(schema);
  json_t *usual = json_object_get(schema, "default");
  if (constant)
    return json_deep_copy(constant);
  if (usual && chance_below(chance, 2)) /* it fits where a pattern is in the way */
    return json_deep_copy(usual);
  if (json_array_size(choices))
    return json_deep_copy(json_array_get(choices, chance_below(chance, json_array_size(choices))));
  if (depth > DEPTH_MAX || strcmp(type, "null") == 0)
    return json_null();
  if (strcmp(type, "boolean") == 0)
    return json_boolean(chance_below(chance, 2));
  if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
    return make_integer(schema, chance);
  if (strcmp(type, "array") == 0)
    return make_list(schema, chance, depth);
  return strcmp(type, "object") == 0 ? make_object(schema, chance, depth) : make_text(schema, chance);
}

json_t *schema_value_fitting(const json_t *schema, const json_t *base, struct chance *chance) {
  json_t *value = json_deep_copy(base);
  const char *key;
  json_t *property;
  json_object_foreach(json_object_get(schema, "properties"), key, property) {
    json_auto_t *before = json_incref(json_object_get(value, key));
    bool fitting = false;
    if (!value || chance_below(chance, 3) == 0)
      continue;
    for (unsigned i = 0; i < TRIES && !fitting; i++) {
      (void)json_object_set_new(value, key, make(property, chance, 0));
      fitting = fits(schema, value);
    }
    if (!fitting && before)
      (void)json_object_set(value, key, before);
    else if (!fitting)
      (void)json_object_del(value, key);
  }
  return value;
}

json_t *schema_value_required(const json_t *schema, struct chance *chance) {
  json_t *value = make_object(schema, chance, 0);
  for (unsigned i = 0; i < TRIES * TRIES && !fits(schema, value); i++) {
    json_decref(value);
    value = make_object(schema, chance, 0);
  }
  if (fits(schema, value))
    return value;
  json_decref(value);
  return NULL;
}

/* Of a type that the schema's first one is not. */
static json_t *other_type(const json_t *schema, struct chance *chance) {
  const char *type = type_of(schema);
  switch (chance_below(chance, 4)) {
  case 0:
    return strcmp(type, "object") == 0 ? json_array() : json_object();
  case 1:
    return strcmp(type, "array") == 0 ? json_true() : json_pack("[[[n]]]");
  case 2:
    return strcmp(type, "string") == 0 ? json_integer(INT64_MIN) : json_string("\xf0\x9f\x99\x83");
  default:
    return json_real(1e300);
  }
}

json_t *schema_value_wrong(const json_t *schema, const json_t *base, struct chance *chance) {
  json_t *value = json_deep_copy(base);
  const json_t *properties = json_object_get(schema, "properties");
  size_t count = json_object_size(properties);
  size_t chosen = chance_below(chance, count + 1), i = 0;
  const char *key;
  json_t *property;
  json_object_foreach((json_t *)(uintptr_t)properties, key, property) {
    if (i++ == chosen)
      (void)json_object_set_new(value, key, other_type(property, chance));
  }
  if (chosen == count)
    (void)json_object_set_new(value, "no such property", json_true());
  if (value && !fits(schema, value))
    return value;
  json_decref(value);
  return NULL;
}
