#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/diagnostic.h"
#include "sdk/base/utf8.h"

static void assert_printed(const struct diagnostic *diagnostic, const char *expected) {
  _cleanup_free_ char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);

  assert_non_null(out);
  diagnostic_print(diagnostic, out);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
}

static void a_diagnostic_prints_as_one_line_and_indented_ones(void **state) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR,
      .code = "SMI-0012",
      .pointer = "/spec/backends/0/weight",
      .position = {"file", 3, 7},
      .summary = "the weight is -1",
      .detail = "a weight is 0 or more\nand a whole number",
      .remedy = "give 0",
  };

  (void)state;
  assert_printed(&diagnostic, "file:3:7: error[SMI-0012]: the weight is -1 (/spec/backends/0/weight)\n"
                              "  a weight is 0 or more\n  and a whole number\n  remedy: give 0\n");
  diagnostic.detail = diagnostic.remedy = NULL;
  diagnostic.pointer = "";
  diagnostic.severity = SEVERITY_WARNING;
  diagnostic.position = (struct position){"-", 3, 0};
  assert_printed(&diagnostic, "<stdin>:3: warning[SMI-0012]: the weight is -1\n");
  diagnostic.position = (struct position){0};
  diagnostic.severity = SEVERITY_INFO;
  assert_printed(&diagnostic, "info[SMI-0012]: the weight is -1\n");
}

static void what_is_printed_cannot_steer_a_terminal(void **state) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR, .code = "X-1", .summary = "a\x1b[2J\nb\xff\xc2\x9b\xe2\x80\xae\xc3\xa4"};

  (void)state;
  assert_printed(&diagnostic, "error[X-1]: a\\x1b[2J\\nb\\xff\\u{9b}\\u{202e}\xc3\xa4\n");
}

static void a_list_owns_copies(void **state) {
  _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
  char summary[] = "one", file[] = "f";

  (void)state;
  assert_int_equal(
      diagnostics_add(
          list,
          &(struct diagnostic){.severity = SEVERITY_WARNING, .code = "X-1", .position.file = file, .summary = summary}),
      0);
  memset(summary, 'x', 3);
  file[0] = 'x';
  assert_string_equal(diagnostics_at(list, 0)->summary, "one");
  assert_string_equal(diagnostics_at(list, 0)->position.file, "f");
  assert_null(diagnostics_at(list, 0)->detail);
  assert_null(diagnostics_at(list, 1));
  assert_false(diagnostics_have_error(list));
  assert_int_equal(diagnostics_addf(list, &(struct diagnostic){.severity = SEVERITY_ERROR, .code = "X-2"}, "%d", 2), 0);
  assert_string_equal(diagnostics_at(list, 1)->summary, "2");
  assert_true(diagnostics_have_error(list));
  assert_int_equal(diagnostics_count_of(list, SEVERITY_WARNING), 1);
}

static void a_list_is_bounded_but_counts_on(void **state) {
  _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
  struct diagnostic diagnostic = {.severity = SEVERITY_ERROR, .code = "X-1"};
  char summary[2 * DIAGNOSTIC_TEXT_MAX];

  (void)state;
  memset(summary, 'a', sizeof(summary) - 1);
  summary[sizeof(summary) - 1] = '\0';
  memcpy(summary + DIAGNOSTIC_TEXT_MAX - 1, "\xc3\xa4", 2);
  diagnostic.summary = summary;
  for (size_t i = 0; i < DIAGNOSTICS_MAX + 5; i++)
    assert_int_equal(diagnostics_add(list, &diagnostic), 0);
  assert_int_equal(diagnostics_count(list), DIAGNOSTICS_MAX);
  assert_int_equal(diagnostics_dropped(list), 5);
  assert_int_equal(diagnostics_count_of(list, SEVERITY_ERROR), DIAGNOSTICS_MAX + 5);
  assert_int_equal(strlen(diagnostics_at(list, 0)->summary), DIAGNOSTIC_TEXT_MAX - 1);
}

static void no_list_takes_and_drops(void **state) {
  (void)state;
  assert_int_equal(diagnostics_add(NULL, &(struct diagnostic){.summary = "x"}), 0);
  assert_int_equal(diagnostics_addf(NULL, &(struct diagnostic){0}, "x"), 0);
  assert_int_equal(diagnostics_count(NULL), 0);
  diagnostics_destroy(NULL);
}

static void json_leaves_out_what_is_absent(void **state) {
  _cleanup_diagnostics_ struct diagnostics *list = diagnostics_create();
  json_t *array,
      *expected = json_loads("[{\"severity\": \"error\", \"code\": \"X-1\", \"summary\": \"a\\\\xff\"},"
                             " {\"severity\": \"info\", \"code\": \"X-2\", \"summary\": \"b\", \"pointer\": \"\","
                             " \"file\": \"f\", \"line\": 2, \"column\": 3, \"remedy\": \"r\"}]",
                             0, NULL);

  (void)state;
  (void)diagnostics_add(list, &(struct diagnostic){.severity = SEVERITY_ERROR, .code = "X-1", .summary = "a\xff"});
  (void)diagnostics_add(list, &(struct diagnostic){.severity = SEVERITY_INFO,
                                                   .code = "X-2",
                                                   .summary = "b",
                                                   .pointer = "",
                                                   .position = {"f", 2, 3},
                                                   .remedy = "r"});
  array = diagnostics_to_json(list);
  assert_true(json_equal(array, expected));
  json_decref(array);
  json_decref(expected);
}

static void utf8_is_decoded_strictly(void **state) {
  static const struct {
    const char *text;
    size_t size;
    uint32_t character;
  } cases[] = {
      {"a", 1, 'a'},
      {"\xc2\x80", 2, 0x80},
      {"\xe0\xa0\x80", 3, 0x800},
      {"\xf0\x90\x80\x80", 4, 0x10000},
      {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
      {"\xc0\x80", 0, 0},
      {"\xc1\xbf", 0, 0},
      {"\xe0\x9f\xbf", 0, 0},
      {"\xed\xa0\x80", 0, 0},
      {"\xf4\x90\x80\x80", 0, 0},
      {"\xf5\x80\x80\x80", 0, 0},
      {"\x80", 0, 0},
      {"\xe2\x82", 0, 0},
      {"\xe2\x28\xa1", 0, 0},
      {"\xff", 0, 0},
  };
  char encoded[4];
  size_t offset = 0;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint32_t character = 0;

    assert_int_equal(utf8_decode(cases[i].text, strlen(cases[i].text), &character), cases[i].size);
    assert_int_equal(character, cases[i].character);
    if (cases[i].size > 0) {
      assert_int_equal(utf8_encode(character, encoded), cases[i].size);
      assert_memory_equal(encoded, cases[i].text, cases[i].size);
    }
  }
  assert_false(utf8_valid("ab\xff", 3, &offset));
  assert_int_equal(offset, 2);
}

static void quotes_are_short_and_safe(void **state) {
  struct quote quote;
  char text[400];

  (void)state;
  memset(text, 1, sizeof(text));
  assert_string_equal(quote_text(&quote, "a\tb", 3), "\"a\\tb\"");
  assert_true(strlen(quote_text(&quote, text, sizeof(text))) < sizeof(quote.text));
  assert_non_null(strstr(quote.text, "…\""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_diagnostic_prints_as_one_line_and_indented_ones),
      cmocka_unit_test(what_is_printed_cannot_steer_a_terminal),
      cmocka_unit_test(a_list_owns_copies),
      cmocka_unit_test(a_list_is_bounded_but_counts_on),
      cmocka_unit_test(no_list_takes_and_drops),
      cmocka_unit_test(json_leaves_out_what_is_absent),
      cmocka_unit_test(utf8_is_decoded_strictly),
      cmocka_unit_test(quotes_are_short_and_safe),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
