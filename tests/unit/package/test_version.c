/* Semantic versions: which texts are some, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/package/version.h"

/* https://semver.org, 2.0.0, and what lies between: each comes before the next. */
static const char *const ordered[] = {
    "0.0.0",       "0.0.4",         "0.9.9",
    "1.0.0-0",     "1.0.0-2",       "1.0.0-10",
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
    "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
    "1.0.0-rc.1",  "1.0.0",         "1.2.0",
    "1.10.0",      "2.0.0",         "99999999999999999999999.0.0",
    NULL,
};

static int sign(int number) {
  return (number > 0) - (number < 0);
}

static void each_comes_before_those_after_it(void **state) {
  (void)state;
  for (int i = 0; ordered[i]; i++) {
    assert_true(version_is_semantic(ordered[i]));
    for (int j = 0; ordered[j]; j++)
      assert_int_equal(version_compare(ordered[i], ordered[j]), sign(i - j));
  }
}

static void build_metadata_does_not_count(void **state) {
  (void)state;
  assert_true(version_is_semantic("1.0.0+20130313144700.001"));
  assert_true(version_is_semantic("1.0.0-rc.1+a-b"));
  assert_int_equal(version_compare("1.0.0+a", "1.0.0+b"), 0);
  assert_int_equal(version_compare("1.0.0+a", "1.0.0"), 0);
  assert_int_equal(version_compare("1.0.0-rc+a", "1.0.0-rc"), 0);
  assert_int_equal(version_compare("1.0.0-rc+a", "1.0.0-rc.1"), -1);
  assert_int_equal(version_compare("1.0.0-rc.1+a", "1.0.0+b"), -1);
}

static void a_prerelease_is_told_from_a_build(void **state) {
  (void)state;
  assert_true(version_is_prerelease("1.0.0-rc.1"));
  assert_false(version_is_prerelease("1.0.0"));
  assert_false(version_is_prerelease("1.0.0+a-b"));
}

static void other_texts_are_none(void **state) {
  (void)state;
  static const char *const none[] = {"",          "1",         "1.2",    "1.2.3.4",    "v1.2.3",   "01.2.3",
                                     "1.2.03",    "1..3",      "1.2.3-", "1.2.3-a..b", "1.2.3-01", "1.2.3+",
                                     "1.2.3+a+b", "1.2.3-a_b", " 1.2.3", NULL};
  for (int i = 0; none[i]; i++)
    if (version_is_semantic(none[i]))
      fail_msg("%s", none[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_comes_before_those_after_it),
      cmocka_unit_test(build_metadata_does_not_count),
      cmocka_unit_test(a_prerelease_is_told_from_a_build),
      cmocka_unit_test(other_texts_are_none),
  };
  return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
