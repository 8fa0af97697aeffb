#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "sdk/base/duration.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

static int64_t read_ns(const char *text) {
  int64_t ns = -1;
  assert_int_equal(duration_read(text, DAY_NS, &ns), 0);
  return ns;
}

static void each_number_has_its_unit(void **state) {
  (void)state;
  assert_int_equal(read_ns("1m30s"), INT64_C(90000000000));
  assert_int_equal(read_ns("1h2m3s4ms5us6ns"), INT64_C(3723004005006));
  assert_int_equal(read_ns("1.5h"), INT64_C(5400000000000));
  assert_int_equal(read_ns("0.1s"), 100000000);
  assert_int_equal(read_ns("500ms"), 500000000);
  assert_int_equal(read_ns("0s"), 0);
}

static void a_number_alone_is_seconds(void **state) {
  (void)state;
  assert_int_equal(read_ns("90"), INT64_C(90000000000));
  assert_int_equal(read_ns("1.5"), INT64_C(1500000000));
  assert_int_equal(read_ns("0"), 0);
}

static void what_is_no_duration_is_refused(void **state) {
  static const char *const texts[] = {"",     "s",   "-1s", "+1s", "1 s",  "1e3s", "0x1s", "inf",  "nan",
                                      "1m30", "1.s", ".5s", "1d",  "5min", "1sx",  "30m ", " 30m", "1..5s"};
  int64_t ns = 7;
  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
    if (duration_read(texts[i], DAY_NS, &ns) != -EINVAL)
      fail_msg("'%s' was taken", texts[i]);
  assert_int_equal(ns, 7);
}

static void a_longer_one_is_refused_and_never_cut(void **state) {
  int64_t ns = 7;
  (void)state;
  assert_int_equal(read_ns("24h"), DAY_NS);
  assert_int_equal(duration_read("24h1ns", DAY_NS, &ns), -ERANGE);
  assert_int_equal(duration_read("99999999999999999999999999h", DAY_NS, &ns), -ERANGE);
  assert_int_equal(ns, 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_number_has_its_unit),
      cmocka_unit_test(a_number_alone_is_seconds),
      cmocka_unit_test(what_is_no_duration_is_refused),
      cmocka_unit_test(a_longer_one_is_refused_and_never_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
