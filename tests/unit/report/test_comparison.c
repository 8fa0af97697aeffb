#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/comparison.h"
#include "run_fixture.h"
#include "sdk/base/schema.h"

/* Two runs of the same cases; tests change the later one. */
struct pair {
  struct run_fixture before;
  struct run_fixture after;
};

static void pair_init(struct pair *pair) {
  run_fixture_init(&pair->before);
  run_fixture_init(&pair->after);
}

static void pair_finish(struct pair *pair) {
  run_fixture_finish(&pair->before);
  run_fixture_finish(&pair->after);
}

static struct comparison compare(const struct pair *pair) {
  struct comparison comparison = {0};
  assert_int_equal(comparison_make(&pair->before.run, "a.json", &pair->after.run, "b.json", &comparison, NULL), 0);
  return comparison;
}

static const struct cell_change *cell(const struct comparison *comparison, const char *requirement, unsigned alpha) {
  for (size_t i = 0; i < comparison->cell_count; i++)
    if (strcmp(comparison->cells[i].requirement, requirement) == 0 && comparison->cells[i].alpha == alpha)
      return &comparison->cells[i];
  fail_msg("no %s in v1alpha%u", requirement, alpha);
  return NULL;
}

static const struct case_change *case_of(const struct comparison *comparison, const struct case_result *result) {
  for (size_t i = 0; i < comparison->case_count; i++)
    if (comparison->cases[i].before == result || comparison->cases[i].after == result)
      return &comparison->cases[i];
  fail_msg("no case");
  return NULL;
}

/* Inlined, gcc 12 would take what points into the text for a pointer to the variable here that held it. */
__attribute__((noinline)) static char *text_of(const struct comparison *comparison,
                                               int (*write)(const struct comparison *, FILE *)) {
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_int_equal(write(comparison, out), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}

static int plain(const struct comparison *comparison, FILE *out) {
  return comparison_text(comparison, false, out);
}

static void the_same_run_is_the_same(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(comparison.case_count, FIXTURE_CASES);
  assert_int_equal(comparison.case_counts[CHANGE_NONE], FIXTURE_CASES - 1);
  assert_int_equal(comparison.case_counts[CHANGE_STILL_BROKEN], 1);
  assert_int_equal(cell(&comparison, "ACC-03", 3)->change, CHANGE_STILL_BROKEN);
  assert_int_equal(cell(&comparison, "ACC-02", 2)->change, CHANGE_NONE);
  assert_int_equal(comparison.fact_count, 0);
  assert_int_equal(comparison_exit_code(&comparison), 0);
  assert_false(comparison_suites_differ(&comparison));
  pair_finish(&pair);
}

static void assert_says(const struct comparison *comparison, const char *section, const char *line) {
  char *text = text_of(comparison, plain);
  const char *found = strstr(text, section);
  assert_non_null(found);
  assert_non_null(strstr(found, line));
  free(text);
}

static void what_held_and_fails_is_broken(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.after.cases[FIXTURE_PASSED].outcome = OUTCOME_FAILED;
  pair.after.cases[FIXTURE_PASSED].reason = "ACC-02: it broke";
  pair.after.checks[0].held = false;
  {
    _cleanup_comparison_ struct comparison comparison = compare(&pair);
    assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_PASSED])->change, CHANGE_BROKEN);
    assert_int_equal(cell(&comparison, "ACC-02", 2)->change, CHANGE_BROKEN);
    assert_int_equal(comparison_exit_code(&comparison), 1);
    assert_says(&comparison, "\nNewly broken\n",
                "access/http/union  [access/v1alpha2 specs/v1alpha3]\n  ACC-02: it broke\n");
  }
  /* The other way round it is mended, which is no harm. */
  struct comparison mended = {0};
  assert_int_equal(comparison_make(&pair.after.run, "b", &pair.before.run, "a", &mended, NULL), 0);
  assert_int_equal(case_of(&mended, &pair.after.cases[FIXTURE_PASSED])->change, CHANGE_MENDED);
  assert_int_equal(cell(&mended, "ACC-02", 2)->change, CHANGE_MENDED);
  assert_int_equal(comparison_exit_code(&mended), 0);
  comparison_finish(&mended);
  pair_finish(&pair);
}

static void what_held_and_is_not_judged_is_no_success(void **state) {
  (void)state;
  static const enum outcome outcomes[] = {OUTCOME_SKIPPED, OUTCOME_ERROR};
  for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
    struct pair pair;
    pair_init(&pair);
    pair.after.cases[FIXTURE_PASSED].outcome = outcomes[i];
    _cleanup_comparison_ struct comparison comparison = compare(&pair);
    assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_PASSED])->change, CHANGE_LOST);
    assert_int_equal(cell(&comparison, "ACC-02", 2)->change, CHANGE_LOST);
    assert_int_equal(comparison_exit_code(&comparison), 3);
    pair_finish(&pair);
  }
}

static void what_was_not_judged_and_fails_broke_nothing(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.after.cases[FIXTURE_ERROR].outcome = OUTCOME_FAILED;
  pair.after.cases[FIXTURE_SKIPPED].outcome = OUTCOME_PASSED;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_ERROR])->change, CHANGE_FOUND);
  assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_SKIPPED])->change, CHANGE_GAINED);
  assert_int_equal(cell(&comparison, "SPL-01", 1)->change, CHANGE_GAINED);
  assert_int_equal(comparison_exit_code(&comparison), 0);
  pair_finish(&pair);
}

/* The later run left out the case that failed: nothing says that it would pass now. */
static void a_requirement_is_not_mended_by_leaving_its_case_out(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.before.cases[FIXTURE_PASSED].column = pair.before.cases[FIXTURE_FAILED].column;
  pair.after.cases[FIXTURE_PASSED].column = pair.after.cases[FIXTURE_FAILED].column;
  (void)snprintf(pair.before.cases[FIXTURE_PASSED].column.label, 64, "another");
  (void)snprintf(pair.after.cases[FIXTURE_PASSED].column.label, 64, "another");
  for (size_t i = FIXTURE_FAILED; i + 1 < FIXTURE_CASES; i++) {
    struct case_result left_out = pair.after.cases[i];
    pair.after.cases[i] = pair.after.cases[i + 1];
    pair.after.cases[i + 1] = left_out; /* freed with the fixture */
  }
  pair.after.run.case_count--;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(cell(&comparison, "ACC-03", 3)->after, CELL_PROVED);
  assert_int_equal(cell(&comparison, "ACC-03", 3)->change, CHANGE_OTHER);
  assert_int_equal(comparison.case_counts[CHANGE_REMOVED], 1);
  assert_true(comparison_suites_differ(&comparison));
  assert_int_equal(comparison_exit_code(&comparison), 0);
  pair.after.run.interrupted = true;
  assert_int_equal(comparison_exit_code(&comparison), 3);
  pair_finish(&pair);
}

/* A new case that fails breaks a requirement that the earlier run showed as proved. */
static void a_new_case_can_break_what_was_proved(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.before.cases[FIXTURE_PASSED].column.access.alpha = 3;
  pair.after.cases[FIXTURE_PASSED].column.access.alpha = 3;
  struct case_result failed = pair.before.cases[FIXTURE_FAILED];
  pair.before.cases[FIXTURE_FAILED] = pair.before.cases[FIXTURE_CASES - 1];
  pair.before.cases[FIXTURE_CASES - 1] = failed;
  pair.before.run.case_count--;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_FAILED])->change, CHANGE_NEW);
  assert_int_equal(cell(&comparison, "ACC-03", 3)->change, CHANGE_BROKEN);
  assert_int_equal(comparison_exit_code(&comparison), 1);
  _cleanup_free_ char *text = text_of(&comparison, plain);
  assert_non_null(strstr(text, "the reports are not of the same cases: 1 are new, 0 are no"));
  pair_finish(&pair);
}

static void an_informative_case_that_changes_is_told(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.after.cases[FIXTURE_INFORMATIVE].held = true;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(case_of(&comparison, &pair.after.cases[FIXTURE_INFORMATIVE])->change, CHANGE_OTHER);
  assert_int_equal(comparison_exit_code(&comparison), 0);
  _cleanup_free_ char *text = text_of(&comparison, plain);
  assert_non_null(strstr(text, "informative, does not hold before, informative, holds now"));
  pair_finish(&pair);
}

static void only_a_clear_change_of_pace_is_told(void **state) {
  (void)state;
  static const struct {
    int64_t before_ms;
    int64_t after_ms;
    enum pace pace;
  } paces[] = {
      {100, 200, PACE_SLOWER}, {100, 199, PACE_SAME}, {10, 109, PACE_SAME},  {10, 110, PACE_SLOWER},
      {200, 100, PACE_FASTER}, {199, 100, PACE_SAME}, {0, 100, PACE_SLOWER}, {1000, 1100, PACE_SAME},
      {-1, 5000, PACE_SAME},   {5000, -1, PACE_SAME},
  };
  for (size_t i = 0; i < ARRAY_COUNT(paces); i++) {
    struct pair pair;
    pair_init(&pair);
    pair.before.cases[FIXTURE_PASSED].propagation_ns = paces[i].before_ms * (paces[i].before_ms < 0 ? 1 : 1000000);
    pair.after.cases[FIXTURE_PASSED].propagation_ns = paces[i].after_ms * (paces[i].after_ms < 0 ? 1 : 1000000);
    _cleanup_comparison_ struct comparison comparison = compare(&pair);
    if (case_of(&comparison, &pair.after.cases[FIXTURE_PASSED])->pace != paces[i].pace)
      fail_msg("%d ms to %d ms", (int)paces[i].before_ms, (int)paces[i].after_ms);
    assert_int_equal(comparison.slower, paces[i].pace == PACE_SLOWER);
    assert_int_equal(comparison.faster, paces[i].pace == PACE_FASTER);
    pair_finish(&pair);
  }
}

static const struct fact_change *fact(const struct comparison *comparison, const char *name) {
  for (size_t i = 0; i < comparison->fact_count; i++)
    if (strcmp(comparison->facts[i].name, name) == 0)
      return &comparison->facts[i];
  return NULL;
}

static void other_circumstances_are_named(void **state) {
  (void)state;
  static const struct version_support support[] = {{{SMI_ACCESS, 3}, SUPPORT_TRANSLATED},
                                                   {{SMI_ACCESS, 4}, SUPPORT_NATIVE}};
  struct pair pair;
  pair_init(&pair);
  pair.after.run.mesh_version = "5.0.0";
  pair.after.run.adapter_version = NULL;
  pair.after.run.seed = 7; /* every run has its own */
  pair.after.run.support = support;
  pair.after.run.support_count = 2;
  json_object_set_new(pair.after.run.config, "fault", json_string("x"));
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_string_equal(fact(&comparison, "mesh version")->before, "4.5.6");
  assert_string_equal(fact(&comparison, "mesh version")->after, "5.0.0");
  assert_null(fact(&comparison, "adapter version")->after);
  assert_string_equal(fact(&comparison, "settings")->after, "{\"fault\":\"x\"}");
  assert_string_equal(fact(&comparison, "access/v1alpha3")->before, "native");
  assert_string_equal(fact(&comparison, "access/v1alpha3")->after, "translated");
  assert_null(fact(&comparison, "access/v1alpha4")->before);
  assert_null(fact(&comparison, "split/v1alpha4")->after);
  assert_null(fact(&comparison, "trammel"));
  assert_null(fact(&comparison, "seed"));
  pair_finish(&pair);
}

/* An older report does not say how the mesh takes SMI: that is no change. */
static void what_one_report_does_not_say_is_no_change(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.before.run.support_count = 0;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_int_equal(comparison.fact_count, 0);
  pair_finish(&pair);
}

static void a_case_that_is_defined_otherwise_is_told(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  struct test_case changed = *pair.after.cases[FIXTURE_PASSED].test;
  changed.level = CASE_INFORMATIVE;
  pair.after.cases[FIXTURE_PASSED].test = &changed;
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  assert_true(case_of(&comparison, &pair.after.cases[FIXTURE_PASSED])->redefined);
  assert_int_equal(comparison.redefined, 1);
  assert_true(comparison_suites_differ(&comparison));
  _cleanup_free_ char *text = text_of(&comparison, plain);
  assert_non_null(strstr(text, "\nDefined otherwise (1)\n  access/http/union  [access/v1alpha2 specs/v1alpha3]\n"));
  pair_finish(&pair);
}

static void runs_of_different_suites_are_not_compared(void **state) {
  (void)state;
  struct pair pair;
  pair_init(&pair);
  pair.after.run.suite = "another";
  struct comparison comparison = {0};
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(comparison_make(&pair.before.run, "a.json", &pair.after.run, "b.json", &comparison, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "a.json is of the suite \"smi\" and b.json of the suite \"another\""));
  assert_null(comparison.arena);
  pair_finish(&pair);
}

static void empty_runs_are_the_same(void **state) {
  (void)state;
  const struct run_result run = {.suite = "smi"};
  struct comparison comparison = {0};
  assert_int_equal(comparison_make(&run, "a", &run, "b", &comparison, NULL), 0);
  assert_int_equal(comparison.case_count, 0);
  assert_int_equal(comparison.cell_count, 0);
  assert_int_equal(comparison_exit_code(&comparison), 0);
  comparison_finish(&comparison);
}

/* A pair in which everything that JSON can say is said. */
static void pair_init_rich(struct pair *pair) {
  pair_init(pair);
  for (size_t i = 0; i < 3; i++)
    pair->before.checks[i].seen = pair->after.checks[i].seen = "nothing odd";
  pair->after.cases[FIXTURE_PASSED].outcome = OUTCOME_FAILED;
  pair->after.cases[FIXTURE_PASSED].propagation_ns = INT64_C(9000000000);
  pair->after.cases[FIXTURE_INFORMATIVE].held = true;
  pair->after.checks[0].held = false;
  pair->after.run.mesh_version = NULL;
  pair->after.run.case_count = FIXTURE_CASES;
  pair->before.run.case_count = FIXTURE_CASES - 2;
}

static void json_fits_its_schema(void **state) {
  (void)state;
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  _cleanup_free_ char *path = NULL;
  assert_non_null(source);
  assert_true(asprintf(&path, "%s/docs/schema/conformance-diff.json", source) > 0);
  json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  _cleanup_error_ struct error *err = NULL;
  if (schema_check(schema, &err) < 0)
    fail_msg("%s", error_message(err));
  struct pair pair;
  pair_init_rich(&pair);
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  _cleanup_free_ char *text = text_of(&comparison, comparison_json);
  json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(value);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (schema_validate(schema, value, NULL, diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail_msg("what changed does not fit its schema");
  }
  assert_int_equal(json_integer_value(json_object_get(value, "exitCode")), 1);
  const json_t *cases = json_object_get(value, "cases");
  assert_int_equal(json_array_size(cases), 4); /* broken, still broken, and two that are new */
  const json_t *broken = json_array_get(cases, 0);
  assert_string_equal(json_string_value(json_object_get(broken, "change")), "broken");
  assert_string_equal(json_string_value(json_object_get(broken, "propagation")), "slower");
  assert_string_equal(json_string_value(json_object_get(json_object_get(broken, "after"), "outcome")), "failed");
  assert_null(json_object_get(json_array_get(cases, 3), "before"));
  json_decref(value);
  json_decref(schema);
  pair_finish(&pair);
}

static void markdown_keeps_to_its_tables(void **state) {
  (void)state;
  struct pair pair;
  pair_init_rich(&pair);
  pair.after.run.mesh_version = "5|<b>";
  pair.after.cases[FIXTURE_PASSED].reason = "a `reason` <b>";
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  _cleanup_free_ char *text = text_of(&comparison, comparison_markdown);
  assert_non_null(strstr(text, "| mesh version | 4.5.6 | 5\\|&lt;b&gt; |\n"));
  assert_non_null(strstr(text, "## Newly broken\n\n- **ACC-02** access/v1alpha2: proved → broken. "));
  assert_non_null(strstr(text, "- `access/http/union` [access/v1alpha2 specs/v1alpha3]: passed → failed. a \\`reason"));
  assert_non_null(strstr(text, "## Slower to take effect\n\n- `access/http/union`"));
  assert_non_null(strstr(text, "12ms → 9.0s"));
  assert_null(strstr(text, "<b>"));
  pair_finish(&pair);
}

/* What a report says cannot steer a terminal, and lines stay within its width. */
static void text_is_safe_and_narrow(void **state) {
  (void)state;
  assert_int_equal(setenv("LC_ALL", "C", 1), 0);
  struct pair pair;
  pair_init_rich(&pair);
  pair.after.run.mesh_version = "\x1b[31m and a version that goes on and on and on and on and on and on and on";
  pair.after.cases[FIXTURE_PASSED].reason = "\x1b[2J";
  _cleanup_comparison_ struct comparison comparison = compare(&pair);
  _cleanup_free_ char *text = text_of(&comparison, plain);
  assert_null(strchr(text, '\x1b'));
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
    if (strcspn(line, "\n") > 80)
      fail_msg("%zu columns: %.*s", strcspn(line, "\n"), (int)strcspn(line, "\n"), line);
  pair_finish(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_run_is_the_same),
      cmocka_unit_test(what_held_and_fails_is_broken),
      cmocka_unit_test(what_held_and_is_not_judged_is_no_success),
      cmocka_unit_test(what_was_not_judged_and_fails_broke_nothing),
      cmocka_unit_test(a_requirement_is_not_mended_by_leaving_its_case_out),
      cmocka_unit_test(a_new_case_can_break_what_was_proved),
      cmocka_unit_test(an_informative_case_that_changes_is_told),
      cmocka_unit_test(only_a_clear_change_of_pace_is_told),
      cmocka_unit_test(other_circumstances_are_named),
      cmocka_unit_test(what_one_report_does_not_say_is_no_change),
      cmocka_unit_test(a_case_that_is_defined_otherwise_is_told),
      cmocka_unit_test(runs_of_different_suites_are_not_compared),
      cmocka_unit_test(empty_runs_are_the_same),
      cmocka_unit_test(json_fits_its_schema),
      cmocka_unit_test(markdown_keeps_to_its_tables),
      cmocka_unit_test(text_is_safe_and_narrow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
