#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/matrix.h"
#include "run_fixture.h"

static const struct matrix_row *find(const struct matrix *matrix, const char *requirement) {
  for (size_t i = 0; i < matrix->count; i++)
    if (strcmp(matrix->rows[i].requirement, requirement) == 0)
      return &matrix->rows[i];
  fail_msg("no row %s", requirement);
  return NULL;
}

static void rows_are_sorted_and_unique(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&fixture.run, &matrix), 0);
  static const char *const expected[] = {"ACC-02", "ACC-03", "SPC-04", "SPL-01", "SPL-04"};
  assert_int_equal(matrix.count, 5);
  for (size_t i = 0; i < 5; i++)
    assert_string_equal(matrix.rows[i].requirement, expected[i]);
  run_fixture_finish(&fixture);
}

static void cells_stand_at_the_version_of_their_own_group(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&fixture.run, &matrix), 0);
  assert_int_equal(find(&matrix, "ACC-02")->cells[2], CELL_PROVED);
  assert_int_equal(find(&matrix, "ACC-02")->cells[4], CELL_NONE);
  assert_int_equal(find(&matrix, "SPC-04")->cells[4], CELL_UNJUDGED);
  assert_int_equal(find(&matrix, "SPL-01")->cells[1], CELL_SKIPPED);
  assert_int_equal(find(&matrix, "SPL-04")->cells[4], CELL_INFORMATIVE);
  assert_true(matrix.used[SMI_ACCESS][3]);
  assert_false(matrix.used[SMI_ACCESS][4]);
  run_fixture_finish(&fixture);
}

static void a_failed_case_breaks_only_the_requirement_of_the_broken_check(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&fixture.run, &matrix), 0);
  assert_int_equal(find(&matrix, "ACC-03")->cells[3], CELL_BROKEN);
  assert_int_equal(find(&matrix, "ACC-02")->cells[3], CELL_UNJUDGED);
  run_fixture_finish(&fixture);
}

static void the_worst_of_several_cases_stands(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_PASSED].column = fixture.cases[FIXTURE_FAILED].column;
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&fixture.run, &matrix), 0);
  assert_int_equal(find(&matrix, "ACC-03")->cells[3], CELL_BROKEN);
  assert_int_equal(find(&matrix, "ACC-03")->cells[2], CELL_NONE);
  run_fixture_finish(&fixture);
}

static void a_version_beyond_the_matrix_is_an_error(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_PASSED].column.access.alpha = MATRIX_COLUMNS;
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&fixture.run, &matrix), -ERANGE);
  run_fixture_finish(&fixture);
}

static void an_empty_run_has_no_rows(void **state) {
  (void)state;
  struct run_result run = {.suite = "smi"};
  _cleanup_matrix_ struct matrix matrix = {0};
  assert_int_equal(matrix_build(&run, &matrix), 0);
  assert_int_equal(matrix.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_sorted_and_unique),
      cmocka_unit_test(cells_stand_at_the_version_of_their_own_group),
      cmocka_unit_test(a_failed_case_breaks_only_the_requirement_of_the_broken_check),
      cmocka_unit_test(the_worst_of_several_cases_stands),
      cmocka_unit_test(a_version_beyond_the_matrix_is_an_error),
      cmocka_unit_test(an_empty_run_has_no_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
