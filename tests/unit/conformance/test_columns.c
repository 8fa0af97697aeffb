/* In which combinations of API versions a case runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/case_read.h"
#include "tests/unit/conformance/case_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_columns(const char *head, const char *const *labels, size_t count) {
  _cleanup_free_ char *text = case_text_with("why: Because.", head);
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  _cleanup_free_ struct case_column *columns = NULL;
  size_t found = 0;
  assert_int_equal(fixture.result, 0);
  assert_int_equal(case_columns(&fixture.test, &columns, &found), 0);
  assert_int_equal(found, count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(columns[i].label, labels[i]);
}

static void test_columns_of_access(void **state) {
  static const char *const all[] = {"access/v1alpha1 specs/v1alpha1", "access/v1alpha1 specs/v1alpha2",
                                    "access/v1alpha2 specs/v1alpha3", "access/v1alpha3 specs/v1alpha4",
                                    "access/v1alpha4 specs/v1alpha4"};
  (void)state;
  assert_columns("why: Because.", all, 5);
  assert_columns("why: Because.\nversions: [access/v1alpha1, access/v1alpha3]",
                 (const char *const[]){all[0], all[1], all[3]}, 3);
  assert_columns("why: Because.\nwritten_in: access/v1alpha3", &all[3], 1);
}

/* The columns of resources that are only named by their apiVersion. */
static void assert_columns_of(const char *api_versions, const char *const *labels, size_t count) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list documents;
  assert_int_equal(document_read(arena, NULL, api_versions, strlen(api_versions), DOCUMENT_YAML,
                                 &document_limits_default, NULL, &documents),
                   0);
  struct test_case test = {.group = SMI_SPLIT, .resources = documents.roots[0]};
  _cleanup_free_ struct case_column *columns = NULL;
  size_t found = 0;
  assert_int_equal(case_columns(&test, &columns, &found), 0);
  assert_int_equal(found, count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(columns[i].label, labels[i]);
}

static void test_columns_of_splits(void **state) {
  static const char *const alone[] = {"split/v1alpha1", "split/v1alpha2", "split/v1alpha3", "split/v1alpha4"};
  static const char *const with_specs[] = {"specs/v1alpha3 split/v1alpha3", "specs/v1alpha4 split/v1alpha4"};
  static const char *const with_access[] = {
      "access/v1alpha1 specs/v1alpha1 split/v1alpha1", "access/v1alpha1 specs/v1alpha1 split/v1alpha2",
      "access/v1alpha1 specs/v1alpha2 split/v1alpha1", "access/v1alpha1 specs/v1alpha2 split/v1alpha2",
      "access/v1alpha2 specs/v1alpha3 split/v1alpha1", "access/v1alpha2 specs/v1alpha3 split/v1alpha2",
      "access/v1alpha2 specs/v1alpha3 split/v1alpha3", "access/v1alpha3 specs/v1alpha4 split/v1alpha1",
      "access/v1alpha3 specs/v1alpha4 split/v1alpha2", "access/v1alpha3 specs/v1alpha4 split/v1alpha4",
      "access/v1alpha4 specs/v1alpha4 split/v1alpha1", "access/v1alpha4 specs/v1alpha4 split/v1alpha2",
      "access/v1alpha4 specs/v1alpha4 split/v1alpha4"};
  (void)state;
  assert_columns_of("[{apiVersion: split.smi-spec.io/v1alpha4}]", alone, COUNT(alone));
  assert_columns_of("[{apiVersion: split.smi-spec.io/v1alpha4}, {apiVersion: specs.smi-spec.io/v1alpha4}]", with_specs,
                    COUNT(with_specs));
  assert_columns_of("[{apiVersion: split.smi-spec.io/v1alpha4}, {apiVersion: specs.smi-spec.io/v1alpha4}, "
                    "{apiVersion: access.smi-spec.io/v1alpha3}]",
                    with_access, COUNT(with_access));
}

/* The mesh answers in one version, whatever it is that a case applies. */
static void test_the_column_of_metrics(void **state) {
  static const char resources[] = "[{apiVersion: split.smi-spec.io/v1alpha4}]";
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list documents;
  assert_int_equal(document_read(arena, NULL, resources, strlen(resources), DOCUMENT_YAML, &document_limits_default,
                                 NULL, &documents),
                   0);
  struct smi_version other = {.group = SMI_METRICS, .alpha = 2};
  struct test_case test = {.group = SMI_METRICS, .resources = documents.roots[0]};
  _cleanup_free_ struct case_column *columns = NULL;
  size_t found = 0;
  (void)state;
  assert_int_equal(case_columns(&test, &columns, &found), 0);
  assert_int_equal(found, 1);
  assert_string_equal(columns[0].label, "metrics/v1alpha1");
  assert_int_equal(column_version(&columns[0], SMI_METRICS).alpha, 1);
  assert_int_equal(column_version(&columns[0], SMI_SPLIT).alpha, 0);
  free(columns);
  test.versions = &other;
  test.version_count = 1;
  assert_int_equal(case_columns(&test, &columns, &found), 0);
  assert_int_equal(found, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_columns_of_access),
      cmocka_unit_test(test_columns_of_splits),
      cmocka_unit_test(test_the_column_of_metrics),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
