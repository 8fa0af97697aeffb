#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run_fixture.h"

static void has_summary_matrix_and_details(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(report_markdown, &fixture.run);
  assert_non_null(strstr(text, "| Result | 1 passed, 1 failed, 1 skipped, 1 informative, 1 not judged |"));
  assert_non_null(strstr(text, "| Suite | smi |"));
  assert_non_null(strstr(text, "| Seed | 18446744073709551615 |"));
  assert_non_null(strstr(text, "### access\n\n| Requirement | | v1alpha2 | v1alpha3 |\n|---|---|:-:|:-:|\n| ACC-02 |"));
  assert_non_null(strstr(text, "## Failures (1)\n\n<details>\n<summary><code>access/http/union</code>"));
  assert_non_null(strstr(text, "Weights that sum to 0 send nothing, interpretations 6, 11 of docs/smi.md\n"));
  assert_non_null(strstr(text, "--case access/http/union --spec-version access/v1alpha3\n```"));
  run_fixture_finish(&fixture);
}

static void says_who_makes_smi_work_and_what_it_reads_into_it(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(report_markdown, &fixture.run);
  assert_non_null(strstr(text, "| access | half | 1 of 2 | native: v1alpha3; translated: v1alpha2 |\n"
                               "| specs | none | 0 of 1 | translated by the adapter |\n"
                               "| split | none | 0 of 1 | native |\n"));
  assert_non_null(strstr(text, "## Interpretations\n\n"));
  assert_non_null(strstr(text, "- 6: **TCPRoute with HTTPRouteGroup in one target.** Both must hold"));
  run_fixture_finish(&fixture);
}

static void every_row_of_a_table_has_its_columns(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.mesh_name = "a|b\nc";
  _cleanup_free_ char *text = rendered(report_markdown, &fixture.run);
  assert_non_null(strstr(text, "| Mesh | a\\|b c |\n"));
  run_fixture_finish(&fixture);
}

static void text_from_a_mesh_is_no_markup(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(report_markdown, &fixture.run);
  assert_non_null(strstr(text, "\\[31m&lt;b&gt;&amp;amp;\\|\\`x\\`"));
  assert_null(strchr(text, '\x1b'));
  run_fixture_finish(&fixture);
}

static void a_fence_outlasts_the_backticks_inside(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.command = "echo ````";
  _cleanup_free_ char *text = rendered(report_markdown, &fixture.run);
  assert_non_null(strstr(text, "\n`````sh\necho ````\n`````\n"));
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(has_summary_matrix_and_details),
      cmocka_unit_test(says_who_makes_smi_work_and_what_it_reads_into_it),
      cmocka_unit_test(every_row_of_a_table_has_its_columns),
      cmocka_unit_test(text_from_a_mesh_is_no_markup),
      cmocka_unit_test(a_fence_outlasts_the_backticks_inside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
