/* The reference mesh's choice of a backend. A choice is a pure function of a point, so that shares are exact here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/head.h"
#include "plugins/reference/mesh/pattern.h"
#include "plugins/reference/mesh/split.h"

enum { POINTS = 10000 };

static struct fault_set fault_of(const char *name) {
  struct fault_set faults = {0};
  if (name)
    assert_int_equal(fault_set_add(&faults, name, NULL), 0);
  return faults;
}

/* How many of POINTS evenly spread points choose each backend. */
static void shares(const uint32_t *weights, size_t count, const char *fault, unsigned *ret_counts) {
  memset(ret_counts, 0, count * sizeof *ret_counts);
  for (uint64_t i = 0; i < POINTS; i++) {
    int chosen = split_choose(weights, count, fault_of(fault), i * (UINT64_MAX / POINTS) + UINT64_MAX / POINTS / 2);
    assert_in_range(chosen, 0, count - 1);
    ret_counts[chosen]++;
  }
}

static void test_shares_are_weight_over_sum(void **state) {
  (void)state;
  unsigned counts[3];
  shares((const uint32_t[]){1000, 500, 0}, 3, NULL, counts);
  assert_in_range(counts[0], 6666, 6667);
  assert_in_range(counts[1], 3333, 3334);
  assert_int_equal(counts[2], 0);
}

static void test_ends_of_the_range(void **state) {
  (void)state;
  const uint32_t weights[] = {0, 1, 1000000000, 0};
  assert_int_equal(split_choose(weights, 4, fault_of(NULL), 0), 1);
  assert_int_equal(split_choose(weights, 4, fault_of(NULL), UINT64_MAX), 2);
}

static void test_no_weight_no_backend(void **state) {
  (void)state;
  assert_int_equal(split_choose(NULL, 0, fault_of(NULL), 7), SPLIT_NONE);
  assert_int_equal(split_choose((const uint32_t[]){0, 0}, 2, fault_of(NULL), 7), SPLIT_NONE);
  assert_int_equal(split_choose((const uint32_t[]){0, 0}, 2, fault_of("split-leak-zero"), 7), SPLIT_NONE);
}

static void test_fault_split_equal(void **state) {
  (void)state;
  unsigned counts[3];
  shares((const uint32_t[]){9, 1, 0}, 3, "split-equal", counts);
  assert_int_equal(counts[0], POINTS / 2);
  assert_int_equal(counts[1], POINTS / 2);
  assert_int_equal(counts[2], 0);
}

static void test_fault_split_leak_zero(void **state) {
  (void)state;
  unsigned counts[3];
  shares((const uint32_t[]){3, 1, 0}, 3, "split-leak-zero", counts);
  assert_in_range(counts[0], 7424, 7426);
  assert_in_range(counts[1], 2474, 2476);
  assert_in_range(counts[2], 99, 101);
}

static void test_faults_of_weights(void **state) {
  (void)state;
  unsigned counts[3];
  shares((const uint32_t[]){93, 7, 0}, 3, "split-off-by-5", counts);
  assert_in_range(counts[0], 8799, 8801);
  assert_in_range(counts[1], 1199, 1201);
  assert_int_equal(counts[2], 0);
  shares((const uint32_t[]){2, 0, 1}, 3, "split-zero-as-one", counts);
  assert_in_range(counts[1], POINTS / 4 - 1, POINTS / 4 + 1);
  shares((const uint32_t[]){0, 0, 0}, 3, "split-lone-zero", counts);
  assert_in_range(counts[2], POINTS / 3 - 1, POINTS / 3 + 1);
  /* 4,294,970,000 is 2,704 above 2^32. */
  shares((const uint32_t[]){429497, 1, 0}, 3, "split-overflow", counts);
  assert_in_range(counts[0], 2127, 2130);
}

/* The middle of what is left to the root service. */
static void test_faults_that_leave_a_rest(void **state) {
  (void)state;
  const uint32_t weights[] = {3, 1};
  assert_int_equal(split_choose(weights, 2, fault_of("split-as-percent"), UINT64_MAX / 100 * 2), 0);
  assert_int_equal(split_choose(weights, 2, fault_of("split-as-percent"), UINT64_MAX / 2), SPLIT_REST);
  assert_int_equal(split_choose(weights, 2, fault_of("omitted-backend-served"), UINT64_MAX / 1000 * 995), SPLIT_REST);
  assert_int_equal(split_choose(weights, 2, fault_of("omitted-backend-served"), UINT64_MAX / 1000 * 985), 1);
}

static struct split *split_of(const char *json) {
  json_t *body = json_loads(json, 0, NULL);
  struct split *split = NULL;
  struct problem problem = {0};
  if (declare_split(body, &split, &problem) < 0)
    fail_msg("%s: %s", strbuf_text(&problem.pointer), strbuf_text(&problem.text));
  problem_finish(&problem);
  json_decref(body);
  return split;
}

static void test_quantities_are_thousandths(void **state) {
  (void)state;
  struct split *split = split_of("{\"service\":\"root\",\"backends\":[{\"service\":\"a\",\"weight\":\"1\"},"
                                 "{\"service\":\"b\",\"weight\":\"500m\"}]}");
  assert_int_equal(backend_weight(&split->backends[0], fault_of(NULL)), 1000);
  assert_int_equal(backend_weight(&split->backends[1], fault_of(NULL)), 500);
  assert_int_equal(backend_weight(&split->backends[0], fault_of("milli-misread")), 1);
  assert_int_equal(backend_weight(&split->backends[1], fault_of("milli-misread")), 500);
  split_destroy(split);
}

static void refuse(const char *json, const char *pointer) {
  json_t *body = json_loads(json, 0, NULL);
  struct split *split = NULL;
  struct problem problem = {0};
  assert_int_equal(declare_split(body, &split, &problem), -EINVAL);
  assert_string_equal(strbuf_text(&problem.pointer), pointer);
  problem_finish(&problem);
  json_decref(body);
}

static void test_wrong_quantities_are_refused(void **state) {
  (void)state;
  refuse("{\"service\":\"root\",\"backends\":[{\"service\":\"a\",\"weight\":\"-1\"}]}", "/backends/0/weight");
  refuse("{\"service\":\"root\",\"backends\":[{\"service\":\"a\",\"weight\":\"1G\"}]}", "/backends/0/weight");
  refuse("{\"service\":\"root\",\"backends\":[{\"service\":\"a\",\"weight\":\"1\"},"
         "{\"service\":\"b\",\"weight\":1}]}",
         "/backends");
}

static void test_scope(void **state) {
  (void)state;
  struct split *all = split_of("{\"service\":\"root\",\"backends\":[]}");
  struct split *some = split_of("{\"service\":\"root\",\"backends\":[],\"matches\":[{\"path\":\"/a\"}]}");
  struct head matching = {.method = "GET"}, other = {.method = "GET"};
  assert_int_equal(head_add_start(&matching, "/a", 2), 0);
  assert_int_equal(head_add_start(&other, "/b", 2), 0);
  assert_int_equal(split_scope(all, &other, fault_of(NULL)), SPLIT_APPLIES);
  assert_int_equal(split_scope(all, NULL, fault_of(NULL)), SPLIT_APPLIES);
  assert_int_equal(split_scope(some, &matching, fault_of(NULL)), SPLIT_APPLIES);
  assert_int_equal(split_scope(some, &other, fault_of(NULL)), SPLIT_ROOT);
  assert_int_equal(split_scope(some, NULL, fault_of(NULL)), SPLIT_ROOT);
  assert_int_equal(split_scope(some, &other, fault_of("unmatched-dropped")), SPLIT_DROPPED);
  assert_int_equal(split_scope(some, &matching, fault_of("unmatched-dropped")), SPLIT_APPLIES);
  assert_int_equal(split_scope(some, &other, fault_of("split-ignores-matches")), SPLIT_APPLIES);
  struct split *either =
      split_of("{\"service\":\"root\",\"backends\":[],\"matches\":[{\"path\":\"/a\"},{\"path\":\"/b\"}]}");
  assert_int_equal(split_scope(either, &other, fault_of(NULL)), SPLIT_APPLIES);
  assert_int_equal(split_scope(either, &other, fault_of("split-first-match-only")), SPLIT_ROOT);
  split_destroy(either);
  head_finish(&matching);
  head_finish(&other);
  split_destroy(all);
  split_destroy(some);
  pattern_cleanup();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shares_are_weight_over_sum), cmocka_unit_test(test_ends_of_the_range),
      cmocka_unit_test(test_no_weight_no_backend),       cmocka_unit_test(test_fault_split_equal),
      cmocka_unit_test(test_fault_split_leak_zero),      cmocka_unit_test(test_scope),
      cmocka_unit_test(test_faults_of_weights),          cmocka_unit_test(test_faults_that_leave_a_rest),
      cmocka_unit_test(test_quantities_are_thousandths), cmocka_unit_test(test_wrong_quantities_are_refused),
  };
  return cmocka_run_group_tests_name("refmesh_split", tests, NULL, NULL);
}
