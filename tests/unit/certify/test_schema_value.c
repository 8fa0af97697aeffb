#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/certify/schema_value.h"
#include "sdk/base/schema.h"

#define ROUNDS 200

static const char schema_text[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\"],\"properties\":{"
    "\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\",\"minLength\":1},"
    "\"mode\":{\"enum\":[\"a\",\"b\"]},"
    "\"level\":{\"type\":\"integer\",\"minimum\":3,\"maximum\":5},"
    "\"list\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":3,\"items\":{\"type\":\"boolean\"}},"
    "\"inner\":{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":false,\"properties\":"
    "{\"x\":{\"type\":\"integer\"}}}}}";

struct fixture {
  json_t *schema, *base;
};

static int setup(void **state) {
  static struct fixture fixture;
  fixture.schema = json_loads(schema_text, 0, NULL);
  fixture.base = json_loads("{\"name\":\"mesh\"}", 0, NULL);
  *state = &fixture;
  return fixture.schema && fixture.base ? 0 : -1;
}

static int teardown(void **state) {
  const struct fixture *fixture = *state;
  json_decref(fixture->schema);
  json_decref(fixture->base);
  return 0;
}

static void what_is_to_fit_fits_and_differs(void **state) {
  const struct fixture *fixture = *state;
  struct chance chance = {1};
  unsigned different = 0;
  for (unsigned i = 0; i < ROUNDS; i++) {
    json_t *value = schema_value_fitting(fixture->schema, fixture->base, &chance);
    assert_int_equal(schema_validate(fixture->schema, value, NULL, NULL), 0);
    different += !json_equal(value, fixture->base);
    json_decref(value);
  }
  assert_true(different > ROUNDS / 2);
}

static void what_is_wrong_does_not_fit(void **state) {
  const struct fixture *fixture = *state;
  struct chance chance = {1};
  unsigned made = 0;
  for (unsigned i = 0; i < ROUNDS; i++) {
    json_t *value = schema_value_wrong(fixture->schema, fixture->base, &chance);
    if (value)
      assert_int_not_equal(schema_validate(fixture->schema, value, NULL, NULL), 0);
    made += value != NULL;
    json_decref(value);
  }
  assert_true(made > ROUNDS / 2);
}

static void what_is_required_is_there(void **state) {
  const struct fixture *fixture = *state;
  struct chance chance = {1};
  for (unsigned i = 0; i < ROUNDS; i++) {
    json_t *value = schema_value_required(fixture->schema, &chance);
    assert_int_equal(schema_validate(fixture->schema, value, NULL, NULL), 0);
    json_decref(value);
  }
}

static void what_cannot_be_met_is_not_made_unless_there_is_a_default(void **state) {
  (void)state;
  json_t *schema = json_loads("{\"type\":\"object\",\"required\":[\"x\"],\"properties\":{\"x\":{\"type\":\"string\","
                              "\"pattern\":\"^#[0-9]{9}$\"}}}",
                              0, NULL);
  struct chance chance = {1};
  assert_non_null(schema);
  assert_null(schema_value_required(schema, &chance));
  json_t *x = json_object_get(json_object_get(schema, "properties"), "x");
  assert_int_equal(json_object_set_new(x, "default", json_string("#123456789")), 0);
  json_t *value = schema_value_required(schema, &chance);
  assert_string_equal(json_string_value(json_object_get(value, "x")), "#123456789");
  json_decref(value);
  json_decref(schema);
}

/* Numbers that no integer can be, and the whole range, whose width none can be. */
static void bounds_of_any_size_are_kept_to(void **state) {
  (void)state;
  json_t *schema =
      json_loads("{\"type\":\"object\",\"required\":[\"all\",\"huge\",\"high\"],\"properties\":{"
                 "\"all\":{\"type\":\"integer\",\"minimum\":-9223372036854775808,\"maximum\":9223372036854775807},"
                 "\"huge\":{\"type\":\"integer\",\"minimum\":-1e300,\"maximum\":1e300},"
                 "\"high\":{\"type\":\"integer\",\"minimum\":9223372036854775800,\"maximum\":1e19}}}",
                 0, NULL);
  struct chance chance = {1};
  unsigned negative = 0;
  assert_non_null(schema);
  for (unsigned i = 0; i < ROUNDS; i++) {
    json_t *value = schema_value_required(schema, &chance);
    assert_true(json_is_integer(json_object_get(value, "huge")));
    negative += json_integer_value(json_object_get(value, "all")) < 0;
    json_decref(value);
  }
  assert_in_range(negative, ROUNDS / 4, ROUNDS * 3 / 4);
  json_decref(schema);
}

static void a_seed_repeats_itself(void **state) {
  const struct fixture *fixture = *state;
  struct chance a = {42}, b = {42};
  for (unsigned i = 0; i < ROUNDS; i++) {
    json_t *x = schema_value_fitting(fixture->schema, fixture->base, &a);
    json_t *y = schema_value_fitting(fixture->schema, fixture->base, &b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_to_fit_fits_and_differs),
      cmocka_unit_test(what_is_wrong_does_not_fit),
      cmocka_unit_test(what_is_required_is_there),
      cmocka_unit_test(what_cannot_be_met_is_not_made_unless_there_is_a_default),
      cmocka_unit_test(bounds_of_any_size_are_kept_to),
      cmocka_unit_test(a_seed_repeats_itself),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
