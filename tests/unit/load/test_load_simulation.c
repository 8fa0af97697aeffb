/* What the statistics of runs say of systems that are known: how often identical ones are told apart, how often a shift
 * is found, how often an interval holds the truth. Seeds are fixed, so that the numbers are the same each time;
 * docs/load-statistics.md has to show them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/bootstrap.h"
#include "host/load/pairs.h"
#include "sdk/base/chance.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

enum { TRIALS = 1000, SHIFT_TRIALS = 300, RUN_S = 5, PER_S = 100, SPANS = 100, SPAN_S = 30 };

#define RUN_SPREAD 0.015   /* of a run's own factor, e.g. where memory came to lie */
#define SECOND_SPREAD 0.03 /* of each second's */
#define VALUE_SPREAD 0.2   /* of each request's */
#define DRIFT 0.05         /* of the machine, from one pair to the next */
#define CENTRE_NS 1e6

static char *page;

static int setup(void **state) {
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/docs/load-statistics.md", getenv("TRAMMEL_SOURCE_DIR"));
  FILE *file = fopen(path, "r");
  page = calloc(1, 1 << 16);
  assert_non_null(file);
  assert_non_null(page);
  assert_true(fread(page, 1, (1 << 16) - 1, file) > 0);
  (void)fclose(file);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  free(page);
  return 0;
}

__attribute__((format(printf, 1, 2))) static void assert_shown(const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  puts(line);
  if (!strstr(page, line))
    fail_msg("docs/load-statistics.md has not the line that was measured: %s", line);
}

/* Standard normal (Box and Muller). */
static double normal(struct chance *chance) {
  double u = ((double)(chance_next(chance) >> 11) + 0.5) / 9007199254740992.0;
  double v = (double)(chance_next(chance) >> 11) / 9007199254740992.0;
  return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static void record_second(struct chance *chance, double log_factor, struct histogram *histogram,
                          struct timeline *timeline, int64_t s) {
  double second = log_factor + SECOND_SPREAD * normal(chance);
  for (int i = 0; i < PER_S; i++) {
    int64_t value = (int64_t)(CENTRE_NS * exp(second + VALUE_SPREAD * normal(chance)));
    if (histogram)
      histogram_record(histogram, value);
    if (timeline)
      timeline_record(timeline, s * NS_PER_SECOND, value);
  }
}

static void play_run(struct chance *chance, double log_factor, struct histogram *histogram) {
  double run = log_factor + RUN_SPREAD * normal(chance);
  histogram_clear(histogram);
  for (int64_t s = 0; s < RUN_S; s++)
    record_second(chance, run, histogram, NULL, s);
}

struct tallied {
  unsigned higher, lower;   /* the interval is above, below 0 */
  unsigned by_each_request; /* Mann and Whitney's test of the first pair rejects at 5% */
};

static bool ranks_reject(const struct histogram *a, const struct histogram *b) {
  double n = (double)histogram_count(a), m = (double)histogram_count(b);
  return fabs(histogram_superiority(a, b) - 0.5) > 1.959964 * sqrt((n + m + 1) / (12 * n * m));
}

/* B is by `log_shift` slower. */
static struct tallied compare_many(int trials, size_t pairs, double log_shift, uint64_t seed) {
  _cleanup_(histogram_destroy_p) struct histogram *a = histogram_create(), *b = histogram_create();
  struct tallied tallied = {0};
  struct chance chance = {seed};
  for (int trial = 0; trial < trials; trial++) {
    double differences[PAIRS_MAX], machine = 0;
    struct pairs_estimate estimate;
    for (size_t i = 0; i < pairs; i++) {
      machine += DRIFT * normal(&chance);
      play_run(&chance, machine, a);
      play_run(&chance, machine + log_shift, b);
      differences[i] = log((double)histogram_quantile(b, 0.5) / (double)histogram_quantile(a, 0.5));
      tallied.by_each_request += i == 0 && ranks_reject(a, b);
    }
    assert_int_equal(pairs_estimate(differences, pairs, &estimate), 0);
    tallied.higher += estimate.low > 0;
    tallied.lower += estimate.high < 0;
  }
  return tallied;
}

static double percent(unsigned count, int trials) {
  return 100.0 * count / trials;
}

/* More than five standard deviations above the nominal rate would be a wrong interval. */
static void identical_systems_are_told_apart_as_seldom_as_stated(void **state) {
  static const size_t pairs[] = {6, 10};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
    struct pairs_estimate nominal;
    assert_int_equal(pairs_estimate((const double[PAIRS_MAX]){0}, pairs[i], &nominal), 0);
    struct tallied found = compare_many(TRIALS, pairs[i], 0, 11 + i);
    double rate = (double)(found.higher + found.lower) / TRIALS, stated = 1 - nominal.level;
    assert_shown("| %zu | %.2f%% | %.1f%% | %.1f%% |", pairs[i], 100 * stated, 100 * rate,
                 percent(found.by_each_request, TRIALS));
    assert_true(rate <= stated + 5 * sqrt(stated * (1 - stated) / TRIALS));
    assert_true(rate > 0);
    assert_true(percent(found.by_each_request, TRIALS) > 15); /* why requests are not the unit */
  }
}

static void a_shift_is_found_and_in_its_direction(void **state) {
  static const struct {
    size_t pairs;
    double shift;
    double at_least;
  } cases[] = {{6, 0.05, 0.6}, {10, 0.05, 0.9}, {6, 0.10, 0.95}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    struct tallied found = compare_many(SHIFT_TRIALS, cases[i].pairs, log1p(cases[i].shift), 31 + i);
    assert_shown("| %.0f%% slower | %zu | %.1f%% | %.1f%% |", 100 * cases[i].shift, cases[i].pairs,
                 percent(found.higher, SHIFT_TRIALS), percent(found.lower, SHIFT_TRIALS));
    assert_true(found.higher >= cases[i].at_least * SHIFT_TRIALS);
    assert_true(found.lower <= SHIFT_TRIALS / 100);
  }
}

/* The true quantile of all requests is known: the factors' logarithms add up. */
static void intervals_of_one_run_hold_the_truth(void **state) {
  static const struct {
    double quantile, normal; /* the standard normal's quantile */
  } cases[] = {{0.5, 0}, {0.99, 2.3263478740}};
  unsigned held[ARRAY_COUNT(cases)] = {0};
  struct chance chance = {51};
  (void)state;
  for (int trial = 0; trial < SPANS; trial++) {
    _cleanup_(timeline_destroy_p) struct timeline *timeline = timeline_create();
    _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = NULL;
    for (int64_t s = 0; s < SPAN_S; s++)
      record_second(&chance, 0, NULL, timeline, s);
    timeline_end(timeline);
    assert_int_equal(bootstrap_create(timeline, &bootstrap), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
      double truth = CENTRE_NS * exp(cases[i].normal * hypot(SECOND_SPREAD, VALUE_SPREAD));
      int64_t low, high;
      assert_true(bootstrap_interval(bootstrap, cases[i].quantile, (uint64_t)trial, &low, &high));
      held[i] += (double)low <= truth && truth <= (double)high;
    }
  }
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    assert_shown("| p%g | 95%% | %.1f%% |", 100 * cases[i].quantile, 100.0 * held[i] / SPANS);
    assert_true(held[i] >= 0.88 * SPANS);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(identical_systems_are_told_apart_as_seldom_as_stated),
      cmocka_unit_test(a_shift_is_found_and_in_its_direction),
      cmocka_unit_test(intervals_of_one_run_hold_the_truth),
  };
  return cmocka_run_group_tests_name("load_simulation", tests, setup, teardown);
}
