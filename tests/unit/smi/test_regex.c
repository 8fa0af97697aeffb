#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sdk/base/strbuf.h"
#include "sdk/smi/regex.h"
#include "tests/unit/smi/generate.h"

static void expect_rejected(const char *pattern, size_t offset, const char *reason) {
  _cleanup_error_ struct error *err = NULL;
  char where[32];

  if (regex_check(pattern, &err) == 0)
    fail_msg("%s is accepted", pattern);
  snprintf(where, sizeof(where), "offset %zu:", offset);
  if (!strstr(error_message(err), where) || !strstr(error_message(err), reason))
    fail_msg("%s: \"%s\" does not say \"%s\" and \"%s\"", pattern, error_message(err), where, reason);
}

static void dialect_of_re2_and_rust_is_accepted(void **state) {
  static const char *const accepted[] = {
      "",
      "/",
      "/api",
      ".*",
      "^/a$",
      "/api/.*",
      "(.*?;)?(type=insider)(;.*)?",
      "^(.*?;)?(type=insider)(;.*)?$",
      "a|b|",
      "(|a)",
      "a{3}",
      "a{3,}",
      "a{3,5}?",
      "(?:a{10}){100}",
      "[a-z0-9_-]+",
      "[]a]",
      "[^]a]",
      "[-a]",
      "[a-]",
      "[[:alpha:][:^digit:]]",
      "\\d\\D\\s\\S\\w\\W",
      "[\\d\\-\\]]",
      "\\.\\/\\-\\#",
      "\\x41\\x{1F600}",
      "\\pL\\p{Lu}\\P{Greek}",
      "(?i)abc",
      "(?i-s:a)b",
      "(?P<name>a)(?P<other>b)",
      "\\bword\\B",
      "\\Aa\\z",
      "\\n\\t\\r\\f\\a",
      "ü+",
      "a}b]",
      "[+-/]",
      "[.]",
      "[:]",
      "[.a]",

      "x*?y+?z??",
  };
  (void)state;

  for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
    _cleanup_error_ struct error *err = NULL;

    if (regex_check(accepted[i], &err) < 0)
      fail_msg("%s: %s", accepted[i], error_message(err));
  }
}

static void what_only_one_engine_has_is_rejected_where_it_stands(void **state) {
  (void)state;
  expect_rejected("(a)\\1", 3, "back-references");
  expect_rejected("(?P<n>a)(?P=n)", 8, "back-references");
  expect_rejected("\\k<n>", 0, "back-references");
  expect_rejected("/a(?=b)", 2, "look-ahead");
  expect_rejected("/a(?!b)", 2, "look-ahead");
  expect_rejected("(?<=a)b", 0, "look-behind");
  expect_rejected("(?<!a)b", 0, "look-behind");
  expect_rejected("(?<n>a)", 0, "(?P<name>");
  expect_rejected("a(?>b)", 1, "atomic");
  expect_rejected("a++", 1, "possessive");
  expect_rejected("a{2}+", 1, "possessive");
  expect_rejected("a**", 2, "quantifier after");
  expect_rejected("a??{2}", 3, "quantifier after");
  expect_rejected("(?(1)a|b)", 0, "conditionals");
  expect_rejected("(?|a)", 0, "branch");
  expect_rejected("(?#c)", 0, "comments");
  expect_rejected("(?R)", 0, "recursion");
  expect_rejected("(?1)", 0, "recursion");
  expect_rejected("(*ACCEPT)", 0, "verbs");
  expect_rejected("(?x)a", 0, "flags");
  expect_rejected("(?ii)a", 0, "flags");
  expect_rejected("(?)a", 0, "flags");
  expect_rejected("\\Qa\\E", 0, "\\Q");
  expect_rejected("\\v", 0, "\\x0B");
  expect_rejected("\\012", 0, "octal");
  expect_rejected("\\u0041", 0, "both");
  expect_rejected("\\Z", 0, "both");
  expect_rejected("\\_", 0, "both");
  expect_rejected("\\p{Klingon}", 0, "property");
  expect_rejected("\\x4", 0, "hexadecimal");
  expect_rejected("[a&&b]", 2, "set operations");
  expect_rejected("[a[b]]", 2, "nested");
  expect_rejected("[a-c-e]", 4, "first or last");
  expect_rejected("[z-a]", 1, "range");
  expect_rejected("[\\d-z]", 1, "range");
  expect_rejected("[[:foo:]]", 1, "no class of this name");
  expect_rejected("a[:alpha:]", 1, "[[:alpha:]]");
  expect_rejected("[.a.]", 0, "[[:alpha:]]");
  expect_rejected("[.\\$\\.]", 0, "[[:alpha:]]");
  expect_rejected("[a", 0, "no closing");
  expect_rejected("[]", 0, "no closing");
  expect_rejected("*", 0, "write .*");
  expect_rejected("a|*", 2, "nothing to repeat");
  expect_rejected("(+)", 1, "nothing to repeat");
  expect_rejected("a{,3}", 1, "expected {n}");
  expect_rejected("a{", 1, "expected {n}");
  expect_rejected("a{3,2}", 1, "below the first");
  expect_rejected("a{1001}", 1, "over 1000");
  expect_rejected("a{99999999999}", 1, "over 1000");
  expect_rejected("(a{101}){10}", 8, "over 1000");
  expect_rejected("((a{101})b){10}", 11, "over 1000");
  expect_rejected("(a", 2, "not closed");
  expect_rejected("a)", 1, "closes no group");
  expect_rejected("a\\", 1, "escapes nothing");
  expect_rejected("(?P<a>x)(?P<a>y)", 12, "another group");
  expect_rejected("(?P<1a>x)", 4, "name");
  expect_rejected("a\xff", 1, "UTF-8");
}

static void nesting_and_length_are_bounded(void **state) {
  char text[5000];
  (void)state;

  memset(text, '(', 251);
  text[251] = '\0';
  expect_rejected(text, 250, "deeper");
  memset(text, 'a', 4097);
  text[4097] = '\0';
  assert_int_equal(regex_check(text, NULL), -EINVAL);
  text[4096] = '\0';
  assert_int_equal(regex_check(text, NULL), 0);
}

static void expect_class(bool path, const char *pattern, enum regex_kind kind, const char *literal) {
  struct arena *arena = arena_create(0);
  struct regex_analysis analysis;

  assert_int_equal(path ? regex_analyse_path(arena, pattern, &analysis, NULL)
                        : regex_analyse_header(arena, pattern, &analysis, NULL),
                   0);
  if (analysis.kind != kind ||
      (literal ? !analysis.literal || strcmp(analysis.literal, literal) != 0 : analysis.literal != NULL))
    fail_msg("%s: kind %d, literal %s", pattern, (int)analysis.kind, analysis.literal ? analysis.literal : "none");
  arena_destroy(arena);
}

static void classes_of_paths(void **state) {
  (void)state;
  expect_class(true, NULL, REGEX_ANYTHING, NULL);
  expect_class(true, "", REGEX_ANYTHING, NULL);
  expect_class(true, ".*", REGEX_ANYTHING, NULL);
  expect_class(true, "/", REGEX_ANYTHING, NULL);
  expect_class(true, "^/.*$", REGEX_ANYTHING, NULL);
  expect_class(true, "/metrics", REGEX_LITERAL_PREFIX, "/metrics");
  expect_class(true, "^/a\\.b.*", REGEX_LITERAL_PREFIX, "/a.b");
  expect_class(true, "/api$", REGEX_EXACT, "/api");
  expect_class(true, "/$", REGEX_EXACT, "/");
  expect_class(true, "/a.b", REGEX_GENERAL, NULL);
  expect_class(true, "/ab*", REGEX_GENERAL, NULL);
  expect_class(true, "/a|/b", REGEX_GENERAL, NULL);
  expect_class(true, "(/a)", REGEX_GENERAL, NULL);
  expect_class(true, "(?i)/a", REGEX_GENERAL, NULL);
  expect_class(true, "/a$b", REGEX_GENERAL, NULL);
  expect_class(true, "/a\\d", REGEX_GENERAL, NULL);
}

static void classes_of_headers(void **state) {
  (void)state;
  expect_class(false, "", REGEX_EXACT, "");
  expect_class(false, ".*", REGEX_ANYTHING, NULL);
  expect_class(false, "abc", REGEX_EXACT, "abc");
  expect_class(false, "^abc$", REGEX_EXACT, "abc");
  expect_class(false, "abc.*", REGEX_LITERAL_PREFIX, "abc");
  expect_class(false, "/", REGEX_EXACT, "/");
  expect_class(false, ".*abc.*", REGEX_GENERAL, NULL);
}

static bool pcre2_matches(const char *pattern, const char *text) {
  int code;
  PCRE2_SIZE offset;
  pcre2_code *regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &offset, NULL);
  pcre2_match_data *data = pcre2_match_data_create(4, NULL);
  int r;

  if (!regex)
    fail_msg("PCRE2 does not take %s", pattern);
  r = pcre2_match(regex, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL);
  pcre2_match_data_free(data);
  pcre2_code_free(regex);
  return r >= 0;
}

static bool analysis_matches(const struct regex_analysis *analysis, const char *text) {
  switch (analysis->kind) {
  case REGEX_ANYTHING:
    return true;
  case REGEX_LITERAL_PREFIX:
    return strncmp(text, analysis->literal, strlen(analysis->literal)) == 0;
  case REGEX_EXACT:
    return strcmp(text, analysis->literal) == 0;
  case REGEX_GENERAL:
    break;
  }
  fail();
  return false;
}

/* A literal with every special character in it escaped, between what may stand around one. */
static void generate_pattern(struct generator *generator, bool path, char *pattern, char *literal) {
  static const char alphabet[] = "ab/.-_*+?()[]{}|^$\\ #";
  static const char *const tails[] = {"", "$", ".*", ".*$"};
  size_t length = generate_number(generator, 5);

  if (generate_number(generator, 2))
    *pattern++ = '^';
  if (path && generate_number(generator, 8))
    *pattern++ = *literal++ = '/';
  for (size_t i = 0; i < length; i++) {
    char c = alphabet[generate_number(generator, sizeof(alphabet) - 1)];

    if (strchr(".*+?()[]{}|^$\\", c))
      *pattern++ = '\\';
    *pattern++ = *literal++ = c;
  }
  *literal = '\0';
  snprintf(pattern, 8, "%s", tails[generate_number(generator, 4)]);
}

#define TEXT_SIZE 64

/* A path or value near the literal: itself, longer, shorter, changed. */
static void generate_text(struct generator *generator, bool path, const char *literal, char *text) {
  size_t length = strlen(literal);

  snprintf(text, TEXT_SIZE, "%s", literal);
  switch (generate_number(generator, 4)) {
  case 0:
    snprintf(text + length, TEXT_SIZE - length, "x/y");
    break;
  case 1:
    text[length > 0 ? length - 1 : 0] = '\0';
    break;
  case 2:
    if (length > 0)
      text[generate_number(generator, length)] = 'Z';
    break;
  default:
    break;
  }
  if (path && text[0] != '/') {
    memmove(text + 1, text, strlen(text) + 1);
    text[0] = '/';
  }
}

static void analysis_agrees_with_matching(void **state) {
  struct generator generator = {.state = 42};
  unsigned matched = 0, missed = 0;
  (void)state;

  for (unsigned i = 0; i < 20000; i++) {
    struct arena *arena = arena_create(0);
    struct regex_analysis analysis;
    bool path = i % 2 == 0, expected;
    char pattern[64], literal[32], text[TEXT_SIZE];

    generate_pattern(&generator, path, pattern, literal);
    generate_text(&generator, path, literal, text);
    assert_int_equal(path ? regex_analyse_path(arena, pattern, &analysis, NULL)
                          : regex_analyse_header(arena, pattern, &analysis, NULL),
                     0);
    expected = pcre2_matches(path ? regex_full_path(arena, pattern) : regex_full_header(arena, pattern), text);
    if (analysis_matches(&analysis, text) != expected)
      fail_msg("%s %s on %s: PCRE2 says %d", path ? "path" : "header", pattern, text, expected);
    matched += expected;
    missed += !expected;
    arena_destroy(arena);
  }
  assert_true(matched > 1000 && missed > 1000);
}

/* Whatever is accepted compiles in a third engine too, and a pattern keeps its meaning when wrapped. */
static void accepted_patterns_compile(void **state) {
  static const char *const pieces[] = {"a",   "/",           ".",      "*",     "+",    "?",    "(",    ")",
                                       "(?:", "[",           "]",      "^",     "$",    "|",    "{2}",  "{1,3}",
                                       "\\d", "[a-z]",       "\\.",    "-",     "[^/]", "\\pL", "(?i)", "\\b",
                                       "ü",   "[[:alpha:]]", "(?P<n>", "\\x41", "&&",   "{",    "}",    "\\"};
  struct generator generator = {.state = 7};
  unsigned accepted = 0, rejected = 0;
  (void)state;

  for (unsigned i = 0; i < 50000; i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const char *pattern;
    int code;
    PCRE2_SIZE offset;
    pcre2_code *regex;

    for (uint64_t n = generate_number(&generator, 8) + 1; n > 0; n--)
      strbuf_puts(&text, pieces[generate_number(&generator, sizeof(pieces) / sizeof(pieces[0]))]);
    pattern = strbuf_text(&text);
    if (regex_check(pattern, NULL) < 0) {
      rejected++;
      continue;
    }
    accepted++;
    regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
    if (!regex)
      fail_msg("%s is accepted, and PCRE2 has error %d at %zu", pattern, code, offset);
    pcre2_code_free(regex);
  }
  assert_true(accepted > 5000 && rejected > 5000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dialect_of_re2_and_rust_is_accepted),
      cmocka_unit_test(what_only_one_engine_has_is_rejected_where_it_stands),
      cmocka_unit_test(nesting_and_length_are_bounded),
      cmocka_unit_test(classes_of_paths),
      cmocka_unit_test(classes_of_headers),
      cmocka_unit_test(analysis_agrees_with_matching),
      cmocka_unit_test(accepted_patterns_compile),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
