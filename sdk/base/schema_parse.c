#include "sdk/base/schema.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/schema_internal.h"
#include "sdk/base/utf8.h"

/* The property the dotted `key` begins with; `*ret_rest` is what follows its dot, NULL when nothing does. A name that
 * itself holds dots wins over the path. */
static const json_t *property_find(const json_t *schema, const char *key, const char **ret_rest) {
  const json_t *properties = json_object_get(schema, "properties"), *whole = json_object_get(properties, key);
  const char *dot = strchr(key, '.');

  *ret_rest = NULL;
  if (whole || !dot)
    return whole;
  *ret_rest = dot + 1;
  return json_object_getn(properties, key, (size_t)(dot - key));
}

static int refuse_key(const json_t *schema, const char *key, const char *at, struct error **err) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  struct quote whole, part;

  schema_append_known(&known, json_object_get(schema, "properties"));
  quote_text(&whole, key, strlen(key));
  quote_text(&part, at, strcspn(at, "."));
  return error_set(err, EINVAL, "unknown key %s: there is no %s; known are: %s", whole.text, part.text,
                   strbuf_text(&known));
}

/* Parses JSON of one of the kinds asked for; NULL when it is none. */
static json_t *parse_json(const char *text, const json_t *schema) {
  json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  static const char *const types[] = {"null", "boolean", "integer", "number", "array", "object"};

  for (size_t i = 0; value && i < sizeof(types) / sizeof(types[0]); i++)
    if (schema_allows_type(schema, types[i]) && schema_is_of_type(value, types[i]))
      return value;
  json_decref(value);
  return NULL;
}

static int parse_text(const json_t *schema, const char *key, const char *text, json_t **ret_value, struct error **err) {
  json_t *value = parse_json(text, schema);
  const json_t *type = json_object_get(schema, "type");
  const char *type_name = json_string_value(type);
  _cleanup_strbuf_ struct strbuf types = STRBUF_INIT;
  struct quote quoted_key, quoted_text;

  if (!value && schema_allows_type(schema, "string"))
    value = json_string(text);
  if (value) {
    *ret_value = value;
    return 0;
  }
  if (json_is_array(type))
    schema_append_known(&types, type);
  else
    strbuf_puts(&types, type_name ? type_name : "string in UTF-8");
  quote_text(&quoted_key, key, strlen(key));
  quote_text(&quoted_text, text, strlen(text));
  return error_set(err, EINVAL, "key %s takes a value of type %s (lists and maps as JSON), found %s", quoted_key.text,
                   strbuf_text(&types), quoted_text.text);
}

int schema_parse_value(const json_t *schema, const char *key, const char *text, json_t **ret_value,
                       struct error **err) {
  const char *at = key;

  do {
    const char *rest;
    const json_t *property = property_find(schema, at, &rest);

    if (!property)
      return refuse_key(schema, key, at, err);
    schema = property;
    at = rest;
  } while (at);
  return parse_text(schema, key, text, ret_value, err);
}
