#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "hostile_fixture.h"
#include "outside.h"
#include "sdk/base/utf8.h"

static char *page_of(const struct run_result *run) {
  return rendered(report_html, run);
}

static size_t count(const char *page, const char *what) {
  size_t result = 0;
  for (const char *at = page; (at = strstr(at, what)); at += strlen(what))
    result++;
  return result;
}

/* What stands between `begin` and `end`, as a heap string. */
static char *between(const char *page, const char *begin, const char *end) {
  const char *from = strstr(page, begin);
  assert_non_null(from);
  const char *to = strstr(from, end);
  assert_non_null(to);
  return strndup(from, (size_t)(to - from));
}

static void assert_well_formed(const char *page) {
  static const char *const xml[] = {"xmllint", "--noout", "--nonet", "-", NULL};
  static const char *const html[] = {"tidy", "-q", "-e", "--show-info", "no", NULL};
  int well_formed = outside_check(xml, page);
  int valid = outside_check(html, page);
  assert_true(well_formed == 0 || well_formed == OUTSIDE_ABSENT);
  assert_true(valid == 0 || valid == OUTSIDE_ABSENT); /* 1: warnings, 2: errors */
  if (well_formed == OUTSIDE_ABSENT || valid == OUTSIDE_ABSENT)
    skip();
}

static void another_parser_has_nothing_to_say(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  run_fixture_finish(&fixture);
  assert_well_formed(page);
}

static void says_what_ran_and_what_came_of_it(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *header = between(page, "<header", "</header>");
  static const char *const parts[] = {"Some Mesh",
                                      "4.5.6",
                                      "1 requirement is broken",
                                      "<b>ACC-03</b>",
                                      "<b>1</b> failed",
                                      "<b>1</b> not judged",
                                      "some-adapter 1.2.3",
                                      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                      "0.1.0",
                                      "process",
                                      "18446744073709551615",
                                      "2024-05-01T12:00:00.250Z",
                                      "3.4s",
                                      "trammel conformance run --mesh some --seed 18446744073709551615"};
  for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
    assert_non_null(strstr(header, parts[i]));
  assert_non_null(strstr(page, "<title>broken: Some Mesh"));
  run_fixture_finish(&fixture);
}

static void a_failure_has_all_that_is_known_of_it(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *failures = between(page, "<section id=\"failures\"", "</section>");
  static const char *const parts[] = {"<h2 id=\"h-failures\">Failures (1)</h2>",
                                      "<h3>ACC-03 ",
                                      "id=\"c2\" open=\"\"",
                                      "Teams each own one.",
                                      "<dt>Expected</dt><dd>denied</dd>",
                                      "<dt>Seen</dt><dd>\\x1b[31m&#60;b&#62;&#38;amp;|<code>x</code>\\xff\\x01",
                                      "the source of a TrafficTarget is not looked at",
                                      "&#34;status&#34;: 200",
                                      "name: permission-1",
                                      "--case access/http/union --spec-version access/v1alpha3",
                                      "it never settled"};
  for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
    if (!strstr(failures, parts[i]))
      fail_msg("no %s in %s", parts[i], failures);
  run_fixture_finish(&fixture);
}

static void every_case_is_there_once(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  assert_int_equal(count(page, "<details class=\"case\""), FIXTURE_CASES);
  for (size_t i = 0; i < FIXTURE_CASES; i++) {
    char id[32];
    (void)snprintf(id, sizeof id, "id=\"c%zu\"", i + 1);
    assert_int_equal(count(page, id), 1);
  }
  run_fixture_finish(&fixture);
}

static void a_mesh_that_reads_smi_differently_is_told_apart(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *differs = page_of(&fixture.run);
  assert_non_null(strstr(differs, "The mesh differs from Trammel’s reading (1)"));
  assert_null(strstr(differs, "does as Trammel reads SMI"));
  fixture.cases[FIXTURE_INFORMATIVE].held = true;
  _cleanup_free_ char *agrees = page_of(&fixture.run);
  assert_non_null(strstr(agrees, "The mesh does as Trammel reads SMI (1)"));
  assert_null(strstr(agrees, "differs from Trammel’s reading"));
  run_fixture_finish(&fixture);
}

static void readings_of_smi_are_spelt_out_with_their_cases(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *readings = between(page, "<section id=\"readings\"", "</section>");
  assert_int_equal(count(readings, "<h3>"), 2);
  assert_non_null(
      strstr(readings, "<h3>6. TCPRoute with HTTPRouteGroup in one target</h3>\n<p>Both must hold: the port"));
  assert_non_null(strstr(readings, "<h3>11. Weights</h3>"));
  assert_int_equal(count(readings, "<span class=\"vh\">differs</span> <a href=\"#c5\">"), 2);
  assert_non_null(strstr(page, "<dd><b>11. Weights.</b> Negative,"));
  assert_null(strstr(readings, "versions"));
  fixture.run.case_count = FIXTURE_INFORMATIVE; /* none of the others takes one */
  _cleanup_free_ char *without = page_of(&fixture.run);
  assert_null(strstr(without, "#readings"));
  run_fixture_finish(&fixture);
}

static void versions_that_came_out_the_same_share_a_link(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  for (size_t i = 0; i < FIXTURE_INFORMATIVE; i++)
    run_fixture_replace(&fixture, i, FIXTURE_INFORMATIVE);
  fixture.cases[FIXTURE_INFORMATIVE].held = true;
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *readings = between(page, "<section id=\"readings\"", "</section>");
  assert_int_equal(count(readings, "href=\"#c1\""), 2);
  assert_int_equal(count(readings, "<span>in 4 versions</span>"), 2);
  assert_int_equal(count(readings, "<span class=\"vh\">agrees</span> <a href=\"#c5\""), 2);
  assert_int_equal(count(readings, "href="), 4);
  run_fixture_finish(&fixture);
}

/* Of a report that a newer program wrote. */
static void a_reading_that_is_not_known_has_a_number_only(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct test_case test = *fixture.cases[FIXTURE_INFORMATIVE].test;
  test.interpretations = (const int[]){999};
  test.interpretation_count = 1;
  fixture.cases[FIXTURE_INFORMATIVE].test = &test;
  _cleanup_free_ char *page = page_of(&fixture.run);
  assert_non_null(strstr(page, "<dd><b>999</b></dd>"));
  assert_null(strstr(page, "#readings"));
  run_fixture_finish(&fixture);
}

static void a_capability_says_who_makes_smi_work(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *cards = between(page, "<ul class=\"cards\">", "</section>");
  assert_non_null(strstr(cards, "<p class=\"level\">half</p>"));
  assert_non_null(
      strstr(cards, "1 of 2 requirements proved</p>\n<p class=\"support\">native: v1alpha3; translated: v1alpha2"));
  assert_non_null(strstr(cards, "<p class=\"support\">translated by the adapter</p>"));
  assert_non_null(strstr(cards, "<p class=\"support\">native</p>"));
  run_fixture_finish(&fixture);
}

static void cells_lead_to_their_cases_and_tell_their_state_in_words(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  _cleanup_free_ char *matrix = between(page, "<section id=\"requirements\"", "</section>");
  assert_non_null(strstr(matrix,
                         "<td class=\"bad\"><a href=\"#c2\"><span class=\"symbol\" aria-hidden=\"true\">✗</span><span "
                         "class=\"vh\">broken</span></a></td>"));
  assert_non_null(strstr(matrix, "<span class=\"vh\">not judged</span></a>"));
  assert_non_null(strstr(matrix, "<span class=\"vh\">no case</span></td>"));
  fixture.cases[FIXTURE_FAILED].column = fixture.cases[FIXTURE_PASSED].column;
  _cleanup_free_ char *two = page_of(&fixture.run); /* two cases of ACC-02 in one version: to the list of them */
  assert_non_null(strstr(two, "<a href=\"#r0-2\">"));
  _cleanup_free_ char *list = between(two, "<li id=\"r0-2\">", "</li>");
  assert_non_null(strstr(list, "href=\"#c1\""));
  assert_non_null(strstr(list, "href=\"#c2\""));
  run_fixture_finish(&fixture);
}

static void every_link_stays_in_the_page_and_leads_somewhere(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  size_t links = 0;
  for (const char *at = page; (at = strstr(at, "href=\"")); links++) {
    at += strlen("href=\"");
    assert_int_equal(*at, '#');
    char id[64];
    (void)snprintf(id, sizeof id, "id=\"%.*s\"", (int)strcspn(at + 1, "\""), at + 1);
    assert_int_equal(count(page, id), 1);
  }
  assert_true(links > 10);
  run_fixture_finish(&fixture);
}

static void nothing_is_loaded_and_nothing_runs(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  static const char *const none[] = {
      "<script", "<link", "<img", "<iframe", " src=", "url(", "@import", "http:", "https:"};
  for (size_t i = 0; i < ARRAY_COUNT(none); i++)
    assert_null(strstr(page, none[i]));
  const char *policy =
      strstr(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                   "'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>");
  assert_non_null(policy);
  assert_true(policy < strstr(page, "<style>"));
  run_fixture_finish(&fixture);
}

static void hostile_texts_are_inert(void **state) {
  (void)state;
  struct hostile_fixture fixture;
  hostile_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.base.run);
  hostile_fixture_finish(&fixture);
  assert_null(strstr(page, "<script"));
  assert_null(strstr(page, "<img"));
  assert_int_equal(count(page, "</style>"), 1);
  assert_int_equal(count(page, "</title>"), 1);
  assert_non_null(strstr(page, "&#34;&#62;&#60;script&#62;alert(1)"));
  assert_true(utf8_valid(page, strlen(page), NULL));
  for (const char *at = page; *at != '\0';) {
    uint32_t character;
    at += utf8_decode(at, strlen(at) < 4 ? strlen(at) : 4, &character);
    assert_true(!utf8_is_control(character) || character == '\n' || character == '\t');
    assert_false(character >= 0xFDD0 && character <= 0xFDEF);
  }
  assert_well_formed(page);
}

static void a_run_of_nothing_is_a_page(void **state) {
  (void)state;
  struct run_result run = {.interrupted = true, .planned = 3};
  _cleanup_free_ char *page = page_of(&run);
  assert_non_null(strstr(page, "An unnamed mesh"));
  assert_non_null(strstr(page, "Not fully judged"));
  assert_non_null(strstr(page, "The run ended early (interrupted): 0 of 3 cases ran."));
  assert_well_formed(page);
}

/* ---- for those who read it otherwise than by eye and colour */

static void headings_go_down_one_by_one(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  int before = 0;
  for (const char *at = page; (at = strstr(at, "<h")); at += 2) {
    if (at[2] < '1' || at[2] > '6')
      continue;
    assert_true(at[2] - '0' <= before + 1);
    before = at[2] - '0';
  }
  assert_int_equal(count(page, "<h1"), 1);
  assert_non_null(strstr(page, "<html lang=\"en\">"));
  assert_non_null(strstr(page, "<main id=\"main\">"));
  run_fixture_finish(&fixture);
}

static void table_headers_have_a_scope(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = page_of(&fixture.run);
  size_t headers = count(page, "<th ") + count(page, "<th>");
  assert_true(headers > 0);
  assert_int_equal(count(page, "<th scope=\""), headers);
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_parser_has_nothing_to_say),
      cmocka_unit_test(says_what_ran_and_what_came_of_it),
      cmocka_unit_test(a_failure_has_all_that_is_known_of_it),
      cmocka_unit_test(every_case_is_there_once),
      cmocka_unit_test(a_mesh_that_reads_smi_differently_is_told_apart),
      cmocka_unit_test(readings_of_smi_are_spelt_out_with_their_cases),
      cmocka_unit_test(versions_that_came_out_the_same_share_a_link),
      cmocka_unit_test(a_reading_that_is_not_known_has_a_number_only),
      cmocka_unit_test(a_capability_says_who_makes_smi_work),
      cmocka_unit_test(cells_lead_to_their_cases_and_tell_their_state_in_words),
      cmocka_unit_test(every_link_stays_in_the_page_and_leads_somewhere),
      cmocka_unit_test(nothing_is_loaded_and_nothing_runs),
      cmocka_unit_test(hostile_texts_are_inert),
      cmocka_unit_test(a_run_of_nothing_is_a_page),
      cmocka_unit_test(headings_go_down_one_by_one),
      cmocka_unit_test(table_headers_have_a_scope),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
