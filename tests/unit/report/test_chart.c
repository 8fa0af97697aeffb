/* Where charts put values, and which axes they take. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/chart.h"

static void assert_place(const struct chart_axis *axis, double value, double place) {
  if (fabs(chart_place(axis, value) - place) > 1e-9)
    fail_msg("%g is at %g, not at %g", value, chart_place(axis, value), place);
}

static void each_scale_puts_values_where_they_belong(void **state) {
  const struct chart_axis linear = {CHART_LINEAR, "", 0, 50}, logarithmic = {CHART_LOGARITHMIC, "", 0.1, 1000},
                          percentile = {CHART_PERCENTILE, "", 0, 99.9};
  (void)state;
  assert_place(&linear, 25, 0.5);
  assert_place(&linear, -1, 0);
  assert_place(&linear, 51, 1);
  assert_place(&logarithmic, 1, 0.25);
  assert_place(&logarithmic, 10, 0.5);
  assert_place(&logarithmic, 0, 0);
  assert_place(&percentile, 0, 0);
  assert_place(&percentile, 90, 1.0 / 3);
  assert_place(&percentile, 99, 2.0 / 3);
  assert_place(&percentile, 100, 1);
}

static void an_axis_is_logarithmic_when_values_span_much(void **state) {
  (void)state;
  struct chart_axis axis = chart_axis_of("", 1, 10, 20);
  assert_int_equal(axis.scale, CHART_LINEAR);
  assert_true(axis.low == 0 && axis.high == 10);
  axis = chart_axis_of("", 1, 101, 0);
  assert_true(axis.scale == CHART_LINEAR && axis.high == 150);
  axis = chart_axis_of("", 1, 21, 20);
  assert_true(axis.scale == CHART_LOGARITHMIC && axis.low == 1 && axis.high == 21);
}

static void values_that_are_none_make_an_axis_still(void **state) {
  static const double highs[] = {0, -1, NAN, INFINITY};
  (void)state;
  for (size_t i = 0; i < sizeof(highs) / sizeof(*highs); i++) {
    struct chart_axis axis = chart_axis_of("", INFINITY, highs[i], 20);
    assert_true(axis.scale == CHART_LINEAR && axis.low == 0 && axis.high == 1);
  }
}

static size_t count(const char *text, const char *what) {
  size_t found = 0;
  for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
    found++;
  return found;
}

static void a_gap_begins_a_line_anew(void **state) {
  static const struct chart_point points[] = {{0, 1}, {1, 2}, {2, NAN}, {3, 3}};
  const struct chart_line line = {"<b>", points, 4};
  const struct chart chart = {.id = "c",
                              .title = "Title",
                              .what = "What.",
                              .x = {CHART_LINEAR, "x", 0, 3},
                              .y = {CHART_LINEAR, "y", 0, 3},
                              .lines = &line,
                              .line_count = 1};
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  (void)state;
  chart_draw(&out, &chart);
  const char *text = strbuf_text(&out);
  const char *path = strstr(text, "<g class=\"line s0\"><path d=\"M64.0 ");
  assert_non_null(path);
  assert_int_equal(count(text, "<circle"), 3);
  assert_null(strstr(text, "nan"));
  assert_null(strstr(text, "<b>"));
  assert_non_null(strstr(text, "&#60;b&#62;"));
  assert_non_null(strstr(text, "aria-label=\"Title: What."));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_scale_puts_values_where_they_belong),
      cmocka_unit_test(an_axis_is_logarithmic_when_values_span_much),
      cmocka_unit_test(values_that_are_none_make_an_axis_still),
      cmocka_unit_test(a_gap_begins_a_line_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
