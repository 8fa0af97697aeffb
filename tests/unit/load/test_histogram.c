/* Histograms: precision, quantiles against sorted values, and the format that others read. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/histogram.h"
#include "host/load/histogram_layout.h"

static uint64_t state_of_chance = 88172645463325252U;

static int64_t chance(int64_t below) {
  state_of_chance ^= state_of_chance << 13; /* xorshift64 */
  state_of_chance ^= state_of_chance >> 7;
  state_of_chance ^= state_of_chance << 17;
  return (int64_t)(state_of_chance % (uint64_t)below);
}

/* Of each size: as many bits as chance says. */
static int64_t any_value(void) {
  return chance(INT64_C(1) << (1 + chance(41)));
}

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void intervals_follow_each_other_without_a_gap(void **state) {
  (void)state;
  assert_int_equal(histogram_lowest(0), 0);
  for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
    int64_t lowest = histogram_lowest(i), next = histogram_lowest(i + 1);
    assert_true(next > lowest);
    assert_true(lowest < 2048 ? next == lowest + 1 : (next - lowest) * 1000 <= lowest);
  }
  assert_true(histogram_lowest(HISTOGRAM_SIZE) > HISTOGRAM_HIGHEST_NS);
}

static void quantiles_are_those_of_the_values(void **state) {
  enum { COUNT = 20000 };
  static int64_t values[COUNT];
  static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.9999, 1};
  struct histogram *histogram = histogram_create();
  double sum = 0, squares = 0;
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    values[i] = any_value();
    sum += (double)(values[i] < HISTOGRAM_HIGHEST_NS ? values[i] : HISTOGRAM_HIGHEST_NS);
    histogram_record(histogram, values[i]);
  }
  for (int i = 0; i < COUNT; i++) {
    double off = fmin((double)values[i], (double)HISTOGRAM_HIGHEST_NS) - sum / COUNT;
    squares += off * off;
  }
  assert_true(fabs(histogram_deviation(histogram) / sqrt(squares / COUNT) - 1) < 0.001);
  qsort(values, COUNT, sizeof(*values), by_value);
  assert_int_equal(histogram_count(histogram), COUNT);
  assert_int_equal(histogram_min(histogram), values[0]);
  for (size_t i = 0; i < ARRAY_COUNT(quantiles); i++) {
    double rank = quantiles[i] * COUNT;
    int64_t exact = values[rank < 1 ? 0 : (int)rank - 1], told = histogram_quantile(histogram, quantiles[i]);
    if (told < exact || (double)told > (double)exact * 1.001 + 1)
      fail_msg("quantile %g is %lld, and the value there %lld", quantiles[i], (long long)told, (long long)exact);
  }
  assert_true(histogram_mean(histogram) > sum / COUNT * 0.999 && histogram_mean(histogram) < sum / COUNT * 1.001);
  assert_int_equal(histogram_count_to(histogram, HISTOGRAM_HIGHEST_NS), COUNT);
  assert_int_equal(histogram_count_to(histogram, values[0] - 1), 0);
  histogram_destroy(histogram);
}

static void values_out_of_range_are_counted_at_the_ends(void **state) {
  struct histogram *histogram = histogram_create();
  (void)state;
  assert_int_equal(histogram_quantile(histogram, 0.5), 0);
  assert_int_equal(histogram_min(histogram), 0);
  assert_true(histogram_mean(histogram) == 0 && histogram_deviation(histogram) == 0);
  histogram_record(histogram, -5);
  histogram_record(histogram, INT64_MAX);
  assert_int_equal(histogram_count(histogram), 2);
  assert_int_equal(histogram_min(histogram), 0);
  assert_int_equal(histogram_max(histogram), HISTOGRAM_HIGHEST_NS);
  histogram_destroy(histogram);
}

static void assert_same(const struct histogram *a, const struct histogram *b) {
  assert_int_equal(a->total, b->total);
  assert_memory_equal(a->counts, b->counts, sizeof(a->counts));
}

static void what_is_written_is_read_and_added(void **state) {
  struct histogram *one = histogram_create(), *both = histogram_create(), *read = histogram_create();
  struct strbuf text = STRBUF_INIT;
  struct error *err = NULL;
  (void)state;
  for (int part = 0; part < 2; part++) {
    histogram_clear(one);
    for (int i = 0; i < 5000; i++)
      histogram_record(one, any_value());
    for (int i = 0; i < 300; i++)
      histogram_record(one, 7); /* a count of more than one byte */
    strbuf_clear(&text);
    assert_int_equal(histogram_encode(one, &text), 0);
    if (histogram_decode(read, text.data, text.length, &err) < 0)
      fail_msg("%s", error_message(err));
    histogram_add(both, one);
    assert_same(both, read);
  }
  assert_true(histogram_max(read) >= histogram_max(both));
  histogram_clear(one);
  strbuf_clear(&text);
  assert_int_equal(histogram_encode(one, &text), 0);
  assert_int_equal(histogram_decode(read, text.data, text.length, &err), 0); /* nothing is added by none */
  assert_same(both, read);
  strbuf_finish(&text);
  histogram_destroy(one);
  histogram_destroy(both);
  histogram_destroy(read);
}

/* Written by another implementation: HdrHistogram for Python 0.10.8, of the values 1 to 10, 1000 a hundred times, and
 * 3599999999999 once, with lowest 1, highest 3600000000000 and 3 digits. */
static const char foreign[] = "HISTFAAAACt4nJNpmSzMwMAAwiDADKUZgUw3gx0LGOw/QAWY4GAn/wnGo7+YmQC1twfI";

static void what_others_wrote_is_read(void **state) {
  struct histogram *histogram = histogram_create(), *same = histogram_create();
  struct error *err = NULL;
  (void)state;
  for (int i = 1; i <= 10; i++)
    histogram_record(same, i);
  for (int i = 0; i < 100; i++)
    histogram_record(same, 1000);
  histogram_record(same, INT64_C(3599999999999));
  if (histogram_decode(histogram, foreign, strlen(foreign), &err) < 0)
    fail_msg("%s", error_message(err));
  assert_same(same, histogram);
  histogram_destroy(histogram);
  histogram_destroy(same);
}

static void what_is_damaged_is_refused_and_changes_nothing(void **state) {
  struct histogram *histogram = histogram_create();
  struct strbuf text = STRBUF_INIT;
  (void)state;
  for (int i = 0; i < 100; i++)
    histogram_record(histogram, any_value());
  assert_int_equal(histogram_encode(histogram, &text), 0);
  histogram_clear(histogram);
  for (size_t length = 0; length < text.length; length++) {
    struct error *err = NULL;
    assert_int_equal(histogram_decode(histogram, text.data, length, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "HdrHistogram"));
    error_free(err);
  }
  text.data[3] ^= 1;
  assert_int_equal(histogram_decode(histogram, text.data, text.length, NULL), -EINVAL);
  assert_int_equal(histogram_decode(histogram, "not base64 at all", 17, NULL), -EINVAL);
  assert_int_equal(histogram_count(histogram), 0);
  strbuf_finish(&text);
  histogram_destroy(histogram);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(intervals_follow_each_other_without_a_gap),
      cmocka_unit_test(quantiles_are_those_of_the_values),
      cmocka_unit_test(values_out_of_range_are_counted_at_the_ends),
      cmocka_unit_test(what_is_written_is_read_and_added),
      cmocka_unit_test(what_others_wrote_is_read),
      cmocka_unit_test(what_is_damaged_is_refused_and_changes_nothing),
  };
  return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
