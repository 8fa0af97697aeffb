#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/propagation.h"

#define MS INT64_C(1000000)

static const struct test_case access_case = {.id = "access/a", .group = SMI_ACCESS};
static const struct test_case split_case = {.id = "split/a", .group = SMI_SPLIT};

static struct case_result result(const struct test_case *test, enum outcome outcome, int64_t propagation_ns) {
  return (struct case_result){.test = test, .outcome = outcome, .propagation_ns = propagation_ns};
}

static struct propagation of(const struct case_result *cases, size_t count) {
  const struct run_result run = {.cases = cases, .case_count = count};
  struct propagation propagation;
  assert_int_equal(propagation_of(&run, SMI_ACCESS, &propagation), 0);
  return propagation;
}

static void ranks_are_values_that_occurred(void **state) {
  (void)state;
  struct case_result cases[10];
  for (size_t i = 0; i < 10; i++) /* 100 ms, 90 ms, … 10 ms */
    cases[i] = result(&access_case, OUTCOME_PASSED, (int64_t)(10 - i) * 10 * MS);
  struct propagation propagation = of(cases, 10);
  assert_int_equal(propagation.settled, 10);
  assert_int_equal(propagation.median_ns, 50 * MS);
  assert_int_equal(propagation.p90_ns, 90 * MS);
  assert_int_equal(propagation.max_ns, 100 * MS);
  struct propagation one = of(cases, 1);
  assert_int_equal(one.median_ns, 100 * MS);
  assert_int_equal(one.p90_ns, 100 * MS);
}

static void only_judged_cases_of_the_group_count(void **state) {
  (void)state;
  const struct case_result cases[] = {
      result(&access_case, OUTCOME_PASSED, 5 * MS),      result(&access_case, OUTCOME_FAILED, -1),
      result(&access_case, OUTCOME_INFORMATIVE, 7 * MS), result(&access_case, OUTCOME_SKIPPED, -1),
      result(&access_case, OUTCOME_ERROR, -1),           result(&split_case, OUTCOME_PASSED, 9 * MS)};
  struct propagation propagation = of(cases, ARRAY_COUNT(cases));
  assert_int_equal(propagation.settled, 2);
  assert_int_equal(propagation.never, 1);
  assert_int_equal(propagation.max_ns, 7 * MS);
}

static void a_bucket_begins_at_its_limit(void **state) {
  (void)state;
  static const struct {
    int64_t time_ns;
    size_t bucket;
  } rows[] = {{0, 0},        {MS - 1, 0},    {MS, 1},        {3 * MS - 1, 1}, {3 * MS, 2},
              {300 * MS, 6}, {1000 * MS, 7}, {9999 * MS, 8}, {10000 * MS, 9}, {INT64_MAX, 9}};
  for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
    struct case_result one = result(&access_case, OUTCOME_PASSED, rows[i].time_ns);
    struct propagation propagation = of(&one, 1);
    assert_int_equal(propagation.buckets[rows[i].bucket], 1);
  }
  assert_string_equal(propagation_bucket_name(0), "below 1 ms");
  assert_string_equal(propagation_bucket_name(PROPAGATION_BUCKETS - 1), "10 s and more");
  assert_string_equal(propagation_bucket_name(PROPAGATION_BUCKETS), "");
}

static void nothing_has_no_times(void **state) {
  (void)state;
  struct propagation propagation = of(NULL, 0);
  assert_int_equal(propagation.settled + propagation.never, 0);
  assert_int_equal(propagation.max_ns, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_are_values_that_occurred),
      cmocka_unit_test(only_judged_cases_of_the_group_count),
      cmocka_unit_test(a_bucket_begins_at_its_limit),
      cmocka_unit_test(nothing_has_no_times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
