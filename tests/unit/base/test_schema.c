#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/schema.h"
#include "sdk/base/strbuf.h"

static json_t *parse(const char *text) {
  json_error_t error;
  json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

  if (!value)
    fail_msg("%s: %s", text, error.text);
  return value;
}

static const char service[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"name\"], \"properties\": {"
    " \"name\": {\"type\": \"string\", \"minLength\": 2, \"maxLength\": 5, \"pattern\": \"^[a-z\\u00e4]+$\"},"
    " \"mode\": {\"type\": \"string\", \"enum\": [\"strict\", \"loose\"], \"default\": \"strict\"},"
    " \"version\": {\"const\": 1},"
    " \"ratio\": {\"type\": \"number\", \"minimum\": 0, \"maximum\": 1.5},"
    " \"count\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 9223372036854775806},"
    " \"on\": {\"type\": \"boolean\"},"
    " \"any\": {},"
    " \"maybe\": {\"type\": [\"string\", \"null\"]},"
    " \"tls\": {\"type\": \"object\", \"properties\": {\"port\": {\"type\": \"integer\", \"default\": 443}}},"
    " \"ports\": {\"type\": \"array\", \"minItems\": 1, \"maxItems\": 2, \"items\": {\"type\": \"integer\"}}}}";

static void assert_check_refused(const char *text, const char *part) {
  json_t *schema = parse(text);
  struct error *err = NULL;

  assert_int_equal(schema_check(schema, &err), -EINVAL);
  if (!strstr(error_message(err), part))
    fail_msg("\"%s\" does not hold \"%s\"", error_message(err), part);
  error_free(err);
  json_decref(schema);
}

static void schemas_outside_the_subset_are_refused(void **state) {
  json_t *schema = parse(service);
  struct error *err = NULL;

  (void)state;
  assert_int_equal(schema_check(schema, &err), 0);
  assert_null(err);
  json_decref(schema);
  assert_check_refused("[]", "must be an object");
  assert_check_refused("{\"$ref\": \"#/x\"}", "\"$ref\" at /$ref");
  assert_check_refused("{\"properties\": {\"a/b\": {\"oneOf\": []}}}", "/properties/a~1b/oneOf");
  assert_check_refused("{\"items\": {\"type\": \"strnig\"}}", "/items/type must be one of null");
  assert_check_refused("{\"type\": []}", "/type must be");
  assert_check_refused("{\"items\": true}", "/items must be a schema");
  assert_check_refused("{\"minLength\": -1}", "/minLength must be a count");
  assert_check_refused("{\"enum\": []}", "/enum must be");
  assert_check_refused("{\"required\": [1]}", "/required must be");
  assert_check_refused("{\"additionalProperties\": {}}", "/additionalProperties must be true or false");
  assert_check_refused("{\"pattern\": \"(\"}", "pattern at /pattern: not a regular expression");
  assert_check_refused("{\"type\": \"string\", \"default\": 1}", "/default is not allowed");
}

static void a_schema_that_is_too_deep_is_refused(void **state) {
  json_t *schema = json_object();
  struct error *err = NULL;

  (void)state;
  for (size_t i = 0; i < 500; i++) {
    json_t *around = json_object();

    assert_int_equal(json_object_set_new(around, "items", schema), 0);
    schema = around;
  }
  assert_int_equal(schema_check(schema, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "nested more than 64"));
  error_free(err);
  json_decref(schema);
}

static void valid_values_pass(void **state) {
  static const char *const values[] = {
      "{\"name\": \"abc\"}",
      "{\"name\": \"\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\", \"mode\": \"loose\", \"version\": 1.0, \"ratio\": 1.5}",
      "{\"name\": \"ab\", \"count\": 3, \"on\": true, \"any\": [{}], \"maybe\": null, \"ports\": [1, 2]}",
      "{\"name\": \"ab\", \"maybe\": \"x\", \"ratio\": 1, \"tls\": {\"extra\": 1}}",
  };
  json_t *schema = parse(service);

  (void)state;
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
    json_t *value = parse(values[i]);
    int r = schema_validate(schema, value, "config", list);

    diagnostics_print(list, stderr);
    assert_int_equal(r, 0);
    assert_int_equal(diagnostics_count(list), 0);
    json_decref(value);
  }
  json_decref(schema);
}

static void each_violation_says_what_is_allowed(void **state) {
  static const struct {
    const char *value, *code, *pointer, *part;
  } cases[] = {
      {"[]", "SCHEMA-0001", "", "expected a value of type \"object\", found an array"},
      {"{}", "SCHEMA-0004", "", "\"name\" is required"},
      {"{\"name\": 1}", "SCHEMA-0001", "/name", "type \"string\", found 1"},
      {"{\"name\": \"a\"}", "SCHEMA-0008", "/name", "at least 2 characters, found 1"},
      {"{\"name\": \"abcdef\"}", "SCHEMA-0008", "/name", "at most 5 characters, found 6"},
      {"{\"name\": \"ABC\"}", "SCHEMA-0009", "/name", "found \"ABC\""},
      {"{\"name\": \"ab\\n\"}", "SCHEMA-0009", "/name", "found \"ab\\n\""},
      {"{\"name\": \"ab\", \"mode\": \"open\"}", "SCHEMA-0002", "/mode", "\"strict\", \"loose\", found \"open\""},
      {"{\"name\": \"ab\", \"version\": 2}", "SCHEMA-0003", "/version", "the value 1, found 2"},
      {"{\"name\": \"ab\", \"ratio\": -0.5}", "SCHEMA-0007", "/ratio", "at least 0, found -0.5"},
      {"{\"name\": \"ab\", \"ratio\": 2}", "SCHEMA-0007", "/ratio", "at most 1.5, found 2"},
      {"{\"name\": \"ab\", \"count\": 1.5}", "SCHEMA-0001", "/count", "type \"integer\""},
      {"{\"name\": \"ab\", \"count\": 3.0}", "SCHEMA-0001", "/count", "type \"integer\", found 3.0"},
      {"{\"name\": \"ab\", \"count\": 1e300}", "SCHEMA-0001", "/count", "type \"integer\""},
      {"{\"name\": \"ab\", \"tls\": {\"port\": -0.0}}", "SCHEMA-0001", "/tls/port", "type \"integer\""},
      {"{\"name\": \"ab\", \"count\": 9223372036854775807}", "SCHEMA-0007", "/count", "at most"},
      {"{\"name\": \"ab\", \"maybe\": 1}", "SCHEMA-0001", "/maybe", "\"string\", \"null\""},
      {"{\"name\": \"ab\", \"a/b\": 1}", "SCHEMA-0005", "/a~1b", "known are: \"name\", \"mode\""},
      {"{\"name\": \"ab\", \"ports\": []}", "SCHEMA-0006", "/ports", "at least 1 items"},
      {"{\"name\": \"ab\", \"ports\": [1, 2, 3]}", "SCHEMA-0006", "/ports", "at most 2 items"},
      {"{\"name\": \"ab\", \"ports\": [1, \"x\"]}", "SCHEMA-0001", "/ports/1", "found \"x\""},
  };
  json_t *schema = parse(service);

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
    json_t *value = parse(cases[i].value);
    const struct diagnostic *first;

    assert_int_equal(schema_validate(schema, value, "config", list), -EINVAL);
    assert_int_equal(diagnostics_count(list), 1);
    first = diagnostics_at(list, 0);
    assert_string_equal(first->code, cases[i].code);
    assert_string_equal(first->pointer, cases[i].pointer);
    assert_string_equal(first->position.file, "config");
    if (!strstr(first->summary, cases[i].part))
      fail_msg("\"%s\" does not hold \"%s\"", first->summary, cases[i].part);
    json_decref(value);
  }
  json_decref(schema);
}

static void all_violations_are_told(void **state) {
  _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
  json_t *schema = parse(service), *value = parse("{\"mode\": 1, \"x\": 2, \"ports\": [\"a\", \"b\"]}");

  (void)state;
  assert_int_equal(schema_validate(schema, value, NULL, list), -EINVAL);
  assert_int_equal(diagnostics_count(list), 5);
  json_decref(value);
  json_decref(schema);
}

static void a_pattern_that_explodes_is_cut_off(void **state) {
  _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
  json_t *schema = parse("{\"pattern\": \"^(a|a?)+$\"}");
  json_t *value = parse("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"");

  (void)state;
  assert_int_equal(schema_validate(schema, value, NULL, list), -EINVAL);
  assert_string_equal(diagnostics_at(list, 0)->code, "SCHEMA-0009");
  json_decref(value);
  json_decref(schema);
}

static void absent_properties_get_their_defaults(void **state) {
  json_t *schema = parse(service), *object = parse("{\"name\": \"ab\", \"tls\": {}}");
  json_t *expected = parse("{\"name\": \"ab\", \"mode\": \"strict\", \"tls\": {\"port\": 443}}");
  json_t *kept = parse("{\"mode\": \"loose\"}");

  (void)state;
  assert_int_equal(schema_fill_defaults(schema, object), 0);
  assert_true(json_equal(object, expected));
  assert_int_equal(schema_fill_defaults(schema, kept), 0);
  assert_string_equal(json_string_value(json_object_get(kept, "mode")), "loose");
  assert_null(json_object_get(kept, "tls"));
  json_decref(kept);
  json_decref(expected);
  json_decref(object);
  json_decref(schema);
}

static void texts_become_values_of_the_property_s_type(void **state) {
  static const struct {
    const char *key, *text, *json;
  } cases[] = {
      {"name", "123", "\"123\""},
      {"name", "true", "\"true\""},
      {"on", "true", "true"},
      {"count", "12", "12"},
      {"ratio", "0.5", "0.5"},
      {"ratio", "1", "1"},
      {"ports", "[1,2]", "[1,2]"},
      {"tls", "{\"port\":1}", "{\"port\":1}"},
      {"tls.port", "8443", "8443"},
      {"maybe", "null", "null"},
      {"maybe", "12", "\"12\""},
      {"any", "hello", "\"hello\""},
      {"any", "7", "7"},
  };
  json_t *schema = parse(service);

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *value = NULL, *expected = parse(cases[i].json);
    struct error *err = NULL;

    assert_int_equal(schema_parse_value(schema, cases[i].key, cases[i].text, &value, &err), 0);
    assert_true(json_equal(value, expected));
    json_decref(expected);
    json_decref(value);
  }
  json_decref(schema);
}

static void texts_that_do_not_fit_are_refused(void **state) {
  static const struct {
    const char *key, *text, *part;
  } cases[] = {
      {"nmae", "x", "known are: \"name\""},
      {"tls.prot", "1", "there is no \"prot\"; known are: \"port\""},
      {"name.x", "1", "there is no \"x\"; known are: none"},
      {"count", "1.5", "\"count\" takes a value of type integer"},
      {"count", "3.0", "\"count\" takes a value of type integer"},
      {"count", "1e300", "\"count\" takes a value of type integer"},
      {"count", "99999999999999999999", "\"count\" takes a value of type integer"},
      {"count", "", "found \"\""},
      {"on", "yes", "boolean"},
      {"ports", "1", "array"},
      {"tls", "{\"a\":1,\"a\":2}", "object"},
      {"name", "\xff", "string"},
  };
  json_t *schema = parse(service);

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct error *err = NULL;
    json_t *value = NULL;

    assert_int_equal(schema_parse_value(schema, cases[i].key, cases[i].text, &value, &err), -EINVAL);
    assert_null(value);
    if (!strstr(error_message(err), cases[i].part))
      fail_msg("\"%s\" does not hold \"%s\"", error_message(err), cases[i].part);
    error_free(err);
  }
  json_decref(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(schemas_outside_the_subset_are_refused),
      cmocka_unit_test(a_schema_that_is_too_deep_is_refused),
      cmocka_unit_test(valid_values_pass),
      cmocka_unit_test(each_violation_says_what_is_allowed),
      cmocka_unit_test(all_violations_are_told),
      cmocka_unit_test(a_pattern_that_explodes_is_cut_off),
      cmocka_unit_test(absent_properties_get_their_defaults),
      cmocka_unit_test(texts_become_values_of_the_property_s_type),
      cmocka_unit_test(texts_that_do_not_fit_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
