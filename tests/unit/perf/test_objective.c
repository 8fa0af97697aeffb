/* Objectives: what is one, and when it is met, missed, or can't be told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/perf/objective.h"
#include "sdk/base/clock.h"

static struct objective read_one(const char *text) {
  struct objective objective;
  _cleanup_error_ struct error *err = NULL;
  if (objective_read(text, &objective, &err) < 0)
    fail_msg("%s", error_message(err));
  return objective;
}

static void each_form_is_read(void **state) {
  static const struct {
    const char *text;
    enum objective_measure measure;
    enum objective_relation relation;
    double quantile, bound;
  } forms[] = {
      {"p99 < 20ms", OBJECTIVE_QUANTILE, OBJECTIVE_BELOW, 0.99, 20e6},
      {"p99.9<=1.5s", OBJECTIVE_QUANTILE, OBJECTIVE_AT_MOST, 0.999, 1.5e9},
      {" p50  >  10us", OBJECTIVE_QUANTILE, OBJECTIVE_ABOVE, 0.5, 10e3},
      {"mean <= 1s500ms", OBJECTIVE_MEAN, OBJECTIVE_AT_MOST, 0, 1.5e9},
      {"max < 1m", OBJECTIVE_MAX, OBJECTIVE_BELOW, 0, 60e9},
      {"errors < 0.1%", OBJECTIVE_ERRORS, OBJECTIVE_BELOW, 0, 0.001},
      {"errors <= 0.25", OBJECTIVE_ERRORS, OBJECTIVE_AT_MOST, 0, 0.25},
      {"errors <= 0", OBJECTIVE_ERRORS, OBJECTIVE_AT_MOST, 0, 0},
      {"rate >= 900", OBJECTIVE_RATE, OBJECTIVE_AT_LEAST, 0, 900},
      {"rate > 1000.5/s", OBJECTIVE_RATE, OBJECTIVE_ABOVE, 0, 1000.5},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
    struct objective objective = read_one(forms[i].text);
    assert_string_equal(objective.text, forms[i].text);
    assert_int_equal(objective.measure, forms[i].measure);
    assert_int_equal(objective.relation, forms[i].relation);
    assert_true(objective.bound >= forms[i].bound * 0.999999 && objective.bound <= forms[i].bound * 1.000001);
    if (forms[i].measure == OBJECTIVE_QUANTILE)
      assert_true(objective.quantile > forms[i].quantile - 1e-9 && objective.quantile < forms[i].quantile + 1e-9);
  }
}

static void what_is_none_is_refused(void **state) {
  static const char *const texts[] = {
      "",           "p99",         "p99 <",       "p99 < 20",     "p99 = 20ms",       "p99 < 20 ms", "p0 < 1s",
      "p100 < 1s",  "p < 1s",      "p9x < 1s",    "p99.9.9 < 1s", "pinf < 1s",        "q99 < 1s",    "errors < 101%",
      "errors < 2", "errors < 1s", "errors < -1", "rate >= 1e3",  "rate >= 10000001", "rate >= 9/m", "rate >=",
      "mean < 61m", "mean < 1s;",  "p99 < 1s x",  "P99 < 1s",     "errors<",          "max << 1s",   "< 1s",
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
    struct objective objective;
    _cleanup_error_ struct error *err = NULL;
    if (objective_read(texts[i], &objective, &err) != -EINVAL)
      fail_msg("'%s' was taken for an objective", texts[i]);
  }
}

static void one_that_is_too_long_is_refused(void **state) {
  char text[OBJECTIVE_TEXT_MAX + 8];
  struct objective objective;
  (void)state;
  memset(text, ' ', sizeof(text));
  (void)snprintf(text + sizeof(text) - 9, 9, "max < 1s");
  assert_int_equal(objective_read(text, &objective, NULL), -EINVAL);
}

/* `answered` requests of 1 ms each, and `failed` ones. */
static struct load_result result_of(uint64_t answered, uint64_t failed) {
  struct load_result result = {.achieved_rate = 100};
  assert_int_equal(tally_init(&result.tally, NULL), 0);
  for (uint64_t i = 0; i < answered; i++)
    histogram_record(result.tally.response, NS_PER_MS);
  result.tally.scheduled = answered + failed;
  result.tally.completed = answered;
  result.tally.failed = failed;
  return result;
}

static struct objective_finding judge(const char *text, const struct load_result *result, uint64_t unexpected) {
  struct objective objective = read_one(text);
  return objective_judge(&objective, result, false, unexpected);
}

static void what_was_measured_decides(void **state) {
  struct load_result result = result_of(1000, 0);
  (void)state;
  struct objective_finding finding = judge("p99 < 2ms", &result, 0);
  assert_int_equal(finding.verdict, OBJECTIVE_MET);
  assert_true(finding.measured && finding.value > 0.99e6 && finding.value < 1.01e6);
  assert_int_equal(judge("p99 < 500us", &result, 0).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("mean < 2ms", &result, 0).verdict, OBJECTIVE_MET);
  assert_int_equal(judge("max > 2ms", &result, 0).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("rate >= 100", &result, 0).verdict, OBJECTIVE_MET);
  assert_int_equal(judge("rate > 100", &result, 0).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("errors <= 0", &result, 0).verdict, OBJECTIVE_MET);
  assert_int_equal(judge("errors < 0.1%", &result, 1).verdict, OBJECTIVE_MISSED);
  load_result_finish(&result);
}

static void too_few_requests_are_no_pass(void **state) {
  struct load_result few = result_of(367, 0), enough = result_of(368, 0), none = result_of(0, 0);
  (void)state;
  struct objective_finding finding = judge("p99 < 1h", &few, 0);
  assert_int_equal(finding.verdict, OBJECTIVE_UNTOLD);
  assert_false(finding.measured);
  assert_non_null(finding.reason);
  assert_int_equal(judge("p99 < 1h", &enough, 0).verdict, OBJECTIVE_MET);
  assert_int_equal(judge("errors < 1%", &none, 0).verdict, OBJECTIVE_UNTOLD);
  assert_int_equal(judge("mean < 1s", &none, 0).verdict, OBJECTIVE_UNTOLD);
  load_result_finish(&few);
  load_result_finish(&enough);
  load_result_finish(&none);
}

/* A target that answers some at once and the rest never must not have a good p99. */
static void requests_without_an_answer_are_slower_than_any_bound(void **state) {
  struct load_result some = result_of(990, 10), more = result_of(989, 11);
  (void)state;
  assert_int_equal(judge("p99 < 2ms", &some, 0).verdict, OBJECTIVE_MET);
  struct objective_finding finding = judge("p99 < 1h", &more, 0);
  assert_int_equal(finding.verdict, OBJECTIVE_MISSED);
  assert_false(finding.measured);
  assert_int_equal(judge("p50 < 2ms", &more, 0).verdict, OBJECTIVE_MET);
  load_result_finish(&some);
  load_result_finish(&more);
}

/* What the generator adds can make latencies long, rates low, and answers late: an objective of the other side holds.
 */
static void a_slow_generator_leaves_what_is_missed_untold(void **state) {
  struct load_result result = result_of(1000, 1);
  (void)state;
  result.tally.failed = 0;
  result.tally.censored = 1;
  result.doubts = LOAD_DOUBT_LAG;
  assert_int_equal(judge("p99 < 500us", &result, 0).verdict, OBJECTIVE_UNTOLD);
  assert_int_equal(judge("p99 < 2ms", &result, 0).verdict, OBJECTIVE_MET);
  assert_int_equal(judge("p99 > 500us", &result, 0).verdict, OBJECTIVE_UNTOLD);
  assert_int_equal(judge("p99 > 2ms", &result, 0).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("rate < 1000", &result, 0).verdict, OBJECTIVE_UNTOLD);
  assert_int_equal(judge("rate > 1000", &result, 0).verdict, OBJECTIVE_UNTOLD);
  assert_int_equal(judge("rate < 10", &result, 0).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("errors <= 0", &result, 1).verdict, OBJECTIVE_MISSED);
  assert_int_equal(judge("errors <= 0", &result, 0).verdict, OBJECTIVE_UNTOLD); /* one was censored */
  assert_int_equal(judge("errors < 1%", &result, 0).verdict, OBJECTIVE_MET);
  result.doubts = LOAD_DOUBT_LATE;
  assert_int_equal(judge("p99 < 500us", &result, 0).verdict, OBJECTIVE_MISSED);
  result.doubts = LOAD_DOUBT_CUT;
  assert_int_equal(judge("p99 < 2ms", &result, 0).verdict, OBJECTIVE_UNTOLD);
  load_result_finish(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_form_is_read),
      cmocka_unit_test(what_is_none_is_refused),
      cmocka_unit_test(one_that_is_too_long_is_refused),
      cmocka_unit_test(what_was_measured_decides),
      cmocka_unit_test(too_few_requests_are_no_pass),
      cmocka_unit_test(requests_without_an_answer_are_slower_than_any_bound),
      cmocka_unit_test(a_slow_generator_leaves_what_is_missed_untold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
