/* Which cases run, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/plan.h"

static struct suite *suite;

static int load(void **state) {
  (void)state;
  struct diagnostics *diagnostics = diagnostics_create();
  int r = suite_load("smi", NULL, diagnostics, &suite, NULL);
  diagnostics_destroy(diagnostics);
  return r;
}

static int unload(void **state) {
  (void)state;
  suite_destroy(suite);
  return 0;
}

static struct plan plan_of(const struct selection *selection, uint64_t seed) {
  struct plan plan;
  struct error *err = NULL;
  if (plan_create(suite, selection, seed, &plan, &err) < 0)
    fail_msg("%s", error_message(err));
  return plan;
}

static void the_order_is_a_permutation_that_the_seed_decides(void **state) {
  (void)state;
  struct selection all = {0};
  struct plan a = plan_of(&all, 7);
  struct plan b = plan_of(&all, 7);
  struct plan c = plan_of(&all, 8);
  assert_true(a.count > 150);
  assert_memory_equal(a.order, b.order, a.count * sizeof(*a.order));
  assert_memory_not_equal(a.order, c.order, a.count * sizeof(*a.order));
  bool *seen = calloc(a.count, sizeof(*seen));
  assert_non_null(seen);
  for (size_t i = 0; i < a.count; i++) {
    assert_true(a.order[i] < a.count && !seen[a.order[i]]);
    seen[a.order[i]] = true;
  }
  free(seen);
  plan_finish(&a);
  plan_finish(&b);
  plan_finish(&c);
}

static void every_version_that_can_express_a_case_is_planned(void **state) {
  (void)state;
  struct selection one = {.cases = (const char *const[]){"access/http/unlisted-source", NULL}};
  struct plan plan = plan_of(&one, 1);
  assert_int_equal(plan.count, 5);
  assert_int_equal(plan.not_applicable, 0);
  plan_finish(&plan);
  struct selection headers = {.cases = (const char *const[]){"specs/http/headers-must-all-match", NULL}};
  plan = plan_of(&headers, 1);
  assert_int_equal(plan.count, 4);
  assert_int_equal(plan.not_applicable, 1); /* specs v1alpha1 has no headers */
  plan_finish(&plan);
}

static void selections_narrow_by_all_they_say(void **state) {
  (void)state;
  struct selection narrow = {
      .filter = "*tcp*",
      .groups = (const char *const[]){"access", NULL},
      .versions = (const char *const[]){"access/v1alpha3", NULL},
  };
  struct plan plan = plan_of(&narrow, 1);
  assert_true(plan.count > 0);
  for (size_t i = 0; i < plan.count; i++) {
    assert_non_null(strstr(plan.jobs[i].test->id, "tcp"));
    assert_int_equal(plan.jobs[i].test->group, SMI_ACCESS);
    assert_int_equal(plan.jobs[i].column.access.alpha, 3);
  }
  plan_finish(&plan);
  struct selection metrics = {.versions = (const char *const[]){"metrics/v1alpha1", NULL}};
  plan = plan_of(&metrics, 1);
  assert_true(plan.count >= 6);
  for (size_t i = 0; i < plan.count; i++)
    assert_int_equal(plan.jobs[i].test->group, SMI_METRICS);
  plan_finish(&plan);
  struct selection nothing = {.filter = "no such case"};
  plan = plan_of(&nothing, 1);
  assert_int_equal(plan.count, 0);
  plan_finish(&plan);
}

static void a_job_is_named_by_seed_case_and_column(void **state) {
  (void)state;
  struct selection one = {.cases = (const char *const[]){"access/http/unlisted-source", NULL}};
  struct selection more = {.groups = (const char *const[]){"access", NULL}};
  struct plan few = plan_of(&one, 1);
  struct plan many = plan_of(&more, 1);
  char names[4][JOB_NAME_SIZE];
  job_name(&few.jobs[0], 1, names[0]);
  job_name(&few.jobs[1], 1, names[1]);
  job_name(&few.jobs[0], 2, names[2]);
  assert_int_equal(strlen(names[0]), JOB_NAME_SIZE - 1);
  assert_string_not_equal(names[0], names[1]);
  assert_string_not_equal(names[0], names[2]);
  for (size_t i = 0; i < many.count; i++) {
    job_name(&many.jobs[i], 1, names[3]);
    bool same =
        many.jobs[i].test == few.jobs[0].test && strcmp(many.jobs[i].column.label, few.jobs[0].column.label) == 0;
    assert_int_equal(strcmp(names[0], names[3]) == 0, same);
  }
  plan_finish(&few);
  plan_finish(&many);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_is_a_permutation_that_the_seed_decides),
      cmocka_unit_test(every_version_that_can_express_a_case_is_planned),
      cmocka_unit_test(selections_narrow_by_all_they_say),
      cmocka_unit_test(a_job_is_named_by_seed_case_and_column),
  };
  return cmocka_run_group_tests_name("plan", tests, load, unload);
}
