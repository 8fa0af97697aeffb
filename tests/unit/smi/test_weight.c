#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/smi/weight.h"
#include "tests/unit/smi/generate.h"

static void quantities(void **state) {
  static const struct {
    const char *text;
    uint64_t milli;
  } good[] = {
      {"0", 0},           {"1", 1000},
      {"500m", 500},      {"1.5", 1500},
      {".5", 500},        {"5.", 5000},
      {"+1", 1000},       {"0.001", 1},
      {"2k", 2000000},    {"1e3", 1000000},
      {"1E3", 1000000},   {"15e-1", 1500},
      {"1Ki", 1024000},   {"0.5Ki", 512000},
      {"1000000u", 1000}, {"1000000n", 1},
      {"0e99999", 0},     {"1.500000000000000000000000", 1500},
      {"007", 7000},      {"9223372036854775807m", INT64_MAX},
  };
  static const char *const bad[] = {"",
                                    ".",
                                    "m",
                                    "1x",
                                    "1.2.3",
                                    "-1",
                                    "--1",
                                    "1 ",
                                    " 1",
                                    "1e",
                                    "1e+",
                                    "1mm",
                                    "0x10",
                                    "NaN",
                                    "1.0001",
                                    "1n",
                                    "0.1m",
                                    "9223372036854775808m",
                                    "9223372036854776",
                                    "9e99",
                                    "1e99999999999999999999",
                                    "1E",
                                    "1Ei",
                                    "123456789012345678901234567890",
                                    "∞"};
  uint64_t milli;
  (void)state;

  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    if (quantity_parse_milli(good[i].text, &milli, NULL) != 0)
      fail_msg("%s is refused", good[i].text);
    assert_int_equal(milli, good[i].milli);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    _cleanup_error_ struct error *err = NULL;

    if (quantity_parse_milli(bad[i], &milli, &err) != -EINVAL)
      fail_msg("%s is accepted", bad[i]);
    assert_non_null(strstr(error_message(err), "\""));
  }
}

static void reducing(void **state) {
  uint64_t weights[] = {1000, 500, 0}, zeros[] = {0, 0}, odd[] = {7, 3};
  (void)state;

  weights_reduce(weights, 3);
  assert_int_equal(weights[0], 2);
  assert_int_equal(weights[1], 1);
  assert_int_equal(weights[2], 0);
  weights_reduce(zeros, 2);
  assert_int_equal(zeros[0], 0);
  weights_reduce(odd, 2);
  assert_int_equal(odd[0], 7);
  weights_reduce(NULL, 0);
}

static void percentages(void **state) {
  const uint64_t thirds[] = {1, 1, 1}, uneven[] = {1000, 500}, zeros[] = {0, 0}, tiny[] = {1000, 1},
                 huge[] = {UINT64_MAX, UINT64_MAX};
  uint32_t percent[3];
  (void)state;

  assert_int_equal(weights_to_percent(thirds, 3, percent, NULL), 0);
  assert_int_equal(percent[0], 34);
  assert_int_equal(percent[1], 33);
  assert_int_equal(percent[2], 33);
  assert_int_equal(weights_to_percent(uneven, 2, percent, NULL), 0);
  assert_int_equal(percent[0], 67);
  assert_int_equal(percent[1], 33);
  assert_int_equal(weights_to_percent(zeros, 2, percent, NULL), 0);
  assert_int_equal(percent[0] + percent[1], 0);
  assert_int_equal(weights_to_percent(huge, 2, percent, NULL), 0);
  assert_int_equal(percent[0], 50);
  percent[0] = percent[1] = 12345;
  assert_int_equal(weights_to_percent(tiny, 2, percent, NULL), -ERANGE);
  assert_int_equal(percent[0], 12345); /* written only on success */
  assert_int_equal(percent[1], 12345);
  assert_int_equal(weights_to_parts(thirds, 3, 10000, percent, NULL), 0);
  assert_int_equal(percent[0], 3334);
  assert_int_equal(percent[1], 3333);
  assert_int_equal(percent[2], 3333);
  assert_int_equal(weights_to_percent(NULL, WEIGHTS_MAX + 1, NULL, NULL), -EINVAL);
}

/* Sums to 100, zeros stay zero, order is kept, each within one of its exact share. */
static void percentages_of_generated_weights(void **state) {
  struct generator generator = {.state = 3};
  unsigned refused = 0;
  (void)state;

  for (unsigned round = 0; round < 20000; round++) {
    uint64_t weights[12], sum = 0;
    uint32_t percent[12], total = 0;
    size_t count = generate_number(&generator, 12) + 1;
    uint64_t below = (uint64_t[]){3, 100, 1000000}[generate_number(&generator, 3)];
    int r;

    for (size_t i = 0; i < count; i++)
      sum += weights[i] = generate_number(&generator, below);
    r = weights_to_percent(weights, count, percent, NULL);
    assert_true(r == 0 || r == -ERANGE);
    refused += r != 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
      total += percent[i];
      assert_true((weights[i] == 0) == (percent[i] == 0));
      if (sum > 0) {
        assert_true(percent[i] >= weights[i] * 100 / sum);
        assert_true(percent[i] <= weights[i] * 100 / sum + 1);
      }
      for (size_t j = 0; j < count; j++)
        assert_true(weights[i] <= weights[j] || percent[i] >= percent[j]);
    }
    if (r == 0)
      assert_int_equal(total, sum == 0 ? 0 : 100);
  }
  assert_true(refused > 0 && refused < 10000);
}

/* Reducing keeps every proportion and cannot be repeated. */
static void reducing_generated_weights(void **state) {
  struct generator generator = {.state = 4};
  (void)state;

  for (unsigned round = 0; round < 5000; round++) {
    uint64_t before[6], after[6], again[6], factor = generate_number(&generator, 1000) + 1;

    for (size_t i = 0; i < 6; i++)
      before[i] = after[i] = generate_number(&generator, 1000) * factor;
    weights_reduce(after, 6);
    memcpy(again, after, sizeof(again));
    weights_reduce(again, 6);
    assert_memory_equal(again, after, sizeof(again));
    for (size_t i = 0; i < 6; i++)
      for (size_t j = 0; j < 6; j++)
        assert_true(before[i] * after[j] == before[j] * after[i]);
  }
}

static void quantities_of_other_units(void **state) {
  uint64_t value;
  (void)state;
  assert_int_equal(quantity_parse("10m", 9, &value, NULL), 0);
  assert_int_equal(value, 10000000);
  assert_int_equal(quantity_parse("1500n", 9, &value, NULL), 0);
  assert_int_equal(value, 1500);
  assert_int_equal(quantity_parse("2k", 0, &value, NULL), 0);
  assert_int_equal(value, 2000);
  assert_int_equal(quantity_parse("500m", 0, &value, NULL), -EINVAL);
  assert_int_equal(quantity_parse("0.1n", 9, &value, NULL), -EINVAL);
  assert_int_equal(quantity_parse("10000M", 15, &value, NULL), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantities),
      cmocka_unit_test(quantities_of_other_units),
      cmocka_unit_test(reducing),
      cmocka_unit_test(percentages),
      cmocka_unit_test(percentages_of_generated_weights),
      cmocka_unit_test(reducing_generated_weights),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
