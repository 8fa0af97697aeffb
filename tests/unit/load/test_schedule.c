/* Due times follow from the schedule alone: each kind against its closed form, workers' parts against the whole. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/schedule.h"
#include "sdk/base/clock.h"

static const struct schedule constant = {.kind = SCHEDULE_CONSTANT, .rate = 1000, .duration_ns = 10 * NS_PER_SECOND};
static const struct schedule ramp = {
    .kind = SCHEDULE_RAMP, .rate = 100, .rate_end = 300, .duration_ns = 10 * NS_PER_SECOND};
static const struct schedule steps = {.kind = SCHEDULE_STEPS,
                                      .rate = 100,
                                      .rate_step = 50,
                                      .period_ns = 2 * NS_PER_SECOND,
                                      .duration_ns = 10 * NS_PER_SECOND};
static const struct schedule sine = {.kind = SCHEDULE_SINE,
                                     .rate = 200,
                                     .rate_swing = 150,
                                     .period_ns = 4 * NS_PER_SECOND,
                                     .duration_ns = 10 * NS_PER_SECOND};

static uint64_t count_all(const struct schedule *schedule, unsigned workers) {
  uint64_t count = 0;
  for (unsigned worker = 0; worker < workers; worker++) {
    struct schedule_cursor cursor;
    int64_t before_ns = 0;
    for (schedule_begin(&cursor, schedule, worker, workers); !cursor.ended; schedule_next(&cursor)) {
      assert_true(cursor.due_ns >= before_ns && cursor.due_ns < schedule->duration_ns + 1);
      before_ns = cursor.due_ns;
      count++;
    }
    assert_true(cursor.due_ns == INT64_MAX);
  }
  return count;
}

static void each_kind_has_as_many_as_its_integral_says(void **state) {
  (void)state;
  assert_int_equal(count_all(&constant, 1), 10000);
  assert_int_equal(count_all(&ramp, 1), 2000); /* (100 + 300) / 2 * 10 */
  assert_int_equal(count_all(&steps, 1), 2 * (100 + 150 + 200 + 250 + 300));
  assert_in_range(count_all(&sine, 1), 2190, 2192); /* 2000 + 150 * 4 / 2 pi * (1 - cos 5 pi) */
}

static int64_t due_of(const struct schedule *schedule, unsigned number) {
  struct schedule_cursor cursor;
  schedule_begin(&cursor, schedule, 0, 1);
  while (number-- > 0)
    schedule_next(&cursor);
  return cursor.due_ns;
}

static void due_times_are_where_the_integral_reaches_their_number(void **state) {
  static const struct schedule *const schedules[] = {&constant, &ramp, &steps, &sine};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(schedules); i++)
    for (unsigned number = 1; number < 1000; number += 37) {
      int64_t due_ns = due_of(schedules[i], number);
      double error = schedule_due_before(schedules[i], due_ns) - number;
      if (fabs(error) > 1e-5)
        fail_msg("%s: number %u is due at %lld ns, where the integral is off by %g",
                 schedule_kind_name(schedules[i]->kind), number, (long long)due_ns, error);
    }
  assert_int_equal(due_of(&constant, 1234), 1234 * NS_PER_MS);
  assert_int_equal(due_of(&steps, 200), 2 * NS_PER_SECOND); /* the first of the second step */
}

/* A ramp that is none is as precise as a constant rate. */
static void a_flat_ramp_is_constant(void **state) {
  struct schedule flat = ramp;
  (void)state;
  flat.rate_end = flat.rate;
  assert_int_equal(due_of(&flat, 777), 7770 * NS_PER_MS);
}

static void workers_share_a_schedule_without_gap_or_double(void **state) {
  struct schedule_cursor cursors[3], whole;
  (void)state;
  for (unsigned i = 0; i < 3; i++)
    schedule_begin(&cursors[i], &sine, i, 3);
  for (schedule_begin(&whole, &sine, 0, 1); !whole.ended; schedule_next(&whole)) {
    struct schedule_cursor *cursor = &cursors[whole.number % 3];
    assert_int_equal(cursor->number, whole.number);
    assert_int_equal(cursor->due_ns, whole.due_ns);
    schedule_next(cursor);
  }
  for (unsigned i = 0; i < 3; i++)
    assert_true(cursors[i].ended);
}

struct gaps {
  double sum_s, squares;
  uint64_t count, longer_than_mean;
};

static struct gaps gaps_of(const struct schedule *schedule, unsigned worker, unsigned workers) {
  struct schedule_cursor cursor;
  struct gaps gaps = {0};
  int64_t before_ns = 0;
  double mean_s = workers / schedule->rate;
  for (schedule_begin(&cursor, schedule, worker, workers); !cursor.ended; schedule_next(&cursor)) {
    double gap_s = (double)(cursor.due_ns - before_ns) / (double)NS_PER_SECOND;
    before_ns = cursor.due_ns;
    gaps.sum_s += gap_s;
    gaps.squares += gap_s * gap_s;
    gaps.count++;
    gaps.longer_than_mean += gap_s > mean_s;
  }
  return gaps;
}

/* Of 200,000 gaps: the count, their variance and the share of long ones are within five standard errors. */
static void poisson_gaps_are_exponential(void **state) {
  const struct schedule poisson = {
      .kind = SCHEDULE_POISSON, .rate = 2000, .seed = 7, .duration_ns = 200 * NS_PER_SECOND};
  (void)state;
  for (unsigned worker = 0; worker < 2; worker++) {
    struct gaps gaps = gaps_of(&poisson, worker, 2);
    double count = (double)gaps.count, mean_s = gaps.sum_s / count;
    assert_true(fabs(count - 200000) < 5 * sqrt(200000));
    assert_true(fabs(gaps.squares / count / (mean_s * mean_s) - 2) < 5 * sqrt(20 / count));
    assert_true(fabs((double)gaps.longer_than_mean / count - exp(-1)) < 5 * sqrt(0.2325 / count));
  }
}

static void poisson_times_follow_from_the_seed(void **state) {
  struct schedule poisson = {.kind = SCHEDULE_POISSON, .rate = 100, .seed = 1, .duration_ns = 100 * NS_PER_SECOND};
  (void)state;
  int64_t first_ns = due_of(&poisson, 50);
  assert_int_equal(due_of(&poisson, 50), first_ns);
  poisson.seed = 2;
  assert_int_not_equal(due_of(&poisson, 50), first_ns);
  struct schedule_cursor one, other;
  schedule_begin(&one, &poisson, 0, 2);
  schedule_begin(&other, &poisson, 1, 2);
  assert_int_not_equal(one.due_ns, other.due_ns);
}

static void assert_refused(struct schedule schedule, const char *why) {
  struct error *err = NULL;
  assert_int_equal(schedule_check(&schedule, &err), -EINVAL);
  if (!strstr(error_message(err), why))
    fail_msg("got: %s; wanted: %s", error_message(err), why);
  error_free(err);
}

static void what_is_out_of_range_is_refused(void **state) {
  struct schedule schedule = constant;
  (void)state;
  assert_int_equal(schedule_check(&constant, NULL), 0);
  assert_int_equal(schedule_check(&ramp, NULL), 0);
  assert_int_equal(schedule_check(&steps, NULL), 0);
  assert_int_equal(schedule_check(&sine, NULL), 0);
  schedule.rate = NAN;
  assert_refused(schedule, "the rate is from");
  schedule.rate = 0;
  assert_refused(schedule, "the rate is from");
  schedule.rate = 1e8;
  assert_refused(schedule, "the rate is from");
  schedule = constant;
  schedule.duration_ns = 0;
  assert_refused(schedule, "duration");
  schedule = ramp;
  schedule.rate_end = -1;
  assert_refused(schedule, "rate at the end");
  schedule = steps;
  schedule.rate_step = -25;
  assert_refused(schedule, "last step"); /* 100 - 4 * 25 */
  schedule.period_ns = 0;
  assert_refused(schedule, "period");
  schedule = sine;
  schedule.rate_swing = -200;
  assert_refused(schedule, "lowest rate");
}

static void kinds_have_names(void **state) {
  (void)state;
  for (int kind = SCHEDULE_CLOSED; kind <= SCHEDULE_POISSON; kind++)
    assert_int_equal(schedule_kind_parse(schedule_kind_name((enum schedule_kind)kind)), kind);
  assert_int_equal(schedule_kind_parse("weekly"), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_has_as_many_as_its_integral_says),
      cmocka_unit_test(due_times_are_where_the_integral_reaches_their_number),
      cmocka_unit_test(a_flat_ramp_is_constant),
      cmocka_unit_test(workers_share_a_schedule_without_gap_or_double),
      cmocka_unit_test(poisson_gaps_are_exponential),
      cmocka_unit_test(poisson_times_follow_from_the_seed),
      cmocka_unit_test(what_is_out_of_range_is_refused),
      cmocka_unit_test(kinds_have_names),
  };
  return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
