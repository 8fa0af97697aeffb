/* What regular expressions come to as strings of an AuthorizationPolicy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "plugins/istio/pattern.h"

#define NOT_SAID "-"

struct reading {
  const char *regex;
  enum pattern_kind kind;
  const char *string; /* NOT_SAID: it cannot be */
};

static void check(const struct reading *reading, bool path) {
  struct arena *arena = arena_create(0);
  struct pattern pattern;
  const char *string = NOT_SAID;
  assert_int_equal((path ? pattern_path : pattern_header)(arena, reading->regex, &pattern, NULL), 0);
  assert_int_equal(pattern.kind, reading->kind);
  assert_true((path ? pattern_path_string : pattern_header_string)(arena, &pattern, &string) >= 0);
  assert_string_equal(string, reading->string);
  arena_destroy(arena);
}

static void paths(void **state) {
  static const struct reading readings[] = {
      {NULL, PATTERN_ANY, "/*"},
      {".*", PATTERN_ANY, "/*"},
      {"", PATTERN_ANY, "/*"},
      {"/", PATTERN_ANY, "/*"},
      {"/api", PATTERN_PREFIX, "/api*"},
      {"^/api.*", PATTERN_PREFIX, "/api*"},
      {"/api$", PATTERN_EXACT, "/api"},
      {"/a\\.b$", PATTERN_EXACT, "/a.b"},
      {"/a.b$", PATTERN_REGEX, NOT_SAID},
      {"/(a|b)", PATTERN_REGEX, NOT_SAID},
      {".*\\.png$", PATTERN_SUFFIX, "*.png"},
      {"^/.*\\.png$", PATTERN_SUFFIX, "*.png"},
      {".*/a$", PATTERN_SUFFIX, "*/a"},
      {"/.*/a$", PATTERN_REGEX, NOT_SAID},   /* not "/a" */
      {"/.*\\/a$", PATTERN_REGEX, NOT_SAID}, /* the same */
      {".*^/a$", PATTERN_REGEX, NOT_SAID},   /* nothing but "/a" */
      {".*?a$", PATTERN_REGEX, NOT_SAID},    /* the quantifier belongs to what is before it */
      {".*a|b$", PATTERN_REGEX, NOT_SAID},   /* an alternative is as wide as can be */
      {".*png", PATTERN_REGEX, NOT_SAID},    /* need not be at the end */
      {"api", PATTERN_NEVER, NOT_SAID},
      {"api$", PATTERN_NEVER, NOT_SAID},
      {"/a\\*$", PATTERN_EXACT, NOT_SAID},     /* Istio has no escape for '*' … */
      {"/\\{id\\}", PATTERN_PREFIX, NOT_SAID}, /* … nor for templates */
  };
  (void)state;
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    check(&readings[i], true);
}

static void headers(void **state) {
  static const struct reading readings[] = {
      {".*", PATTERN_ANY, "*"},
      {"a", PATTERN_EXACT, "a"},
      {"a.*", PATTERN_PREFIX, "a*"},
      {".*a", PATTERN_SUFFIX, "*a"},
      {".*a$", PATTERN_SUFFIX, "*a"},
      {"/.*a", PATTERN_REGEX, NOT_SAID}, /* no path, which would begin with '/' anyway */
      {".*a.*", PATTERN_REGEX, NOT_SAID},
      {"", PATTERN_EXACT, NOT_SAID}, /* Istio takes no empty string */
      {"\\*", PATTERN_EXACT, NOT_SAID},
      {"a{2}", PATTERN_REGEX, NOT_SAID},
      {"\\{a\\}", PATTERN_EXACT, "{a}"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    check(&readings[i], false);
}

static void what_is_outside_the_dialect_is_refused(void **state) {
  struct arena *arena = arena_create(0);
  struct pattern pattern;
  (void)state;
  assert_int_equal(pattern_path(arena, "/(?=a)", &pattern, NULL), -EINVAL);
  assert_int_equal(pattern_header(arena, "(a)\\1", &pattern, NULL), -EINVAL);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths),
      cmocka_unit_test(headers),
      cmocka_unit_test(what_is_outside_the_dialect_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
