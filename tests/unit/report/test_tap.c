#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostile_fixture.h"
#include "outside.h"

/* Reads TAP as prove does, and exits 1 when something is wrong with it: then it says what. The version line becomes one
 * that older releases know; nothing else differs for them. */
#define PROVE                                                                                                          \
  "file=$(mktemp) || exit 2; sed '1s/ 14$/ 13/' >\"$file\"; out=$(prove --exec cat \"$file\" 2>&1); code=$?; "         \
  "rm -f \"$file\"; "

static int prove_script(const char *script, const char *tap) {
  static const char *const probe[] = {"prove", "--version", NULL};
  if (outside_check(probe, "") == OUTSIDE_ABSENT)
    return OUTSIDE_ABSENT;
  const char *const argv[] = {"sh", "-c", script, NULL};
  return outside_check(argv, tap);
}

#define FACTS                                                                                                          \
  "# trammel        0.1.0\n"                                                                                           \
  "# suite          smi\n"                                                                                             \
  "# mesh           Some Mesh\n"                                                                                       \
  "# mesh version   4.5.6\n"                                                                                           \
  "# adapter        some-adapter\n"                                                                                    \
  "# its version    1.2.3\n"                                                                                           \
  "# its SHA-256    0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"                                \
  "# lab            process\n"                                                                                         \
  "# seed           18446744073709551615\n"                                                                            \
  "# command        trammel conformance run --mesh some --seed 18446744073709551615\n"

static void looks_like_this(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *tap = rendered(report_tap, &fixture.run);
  assert_string_equal(
      tap, "TAP version 14\n1..5\n" FACTS "ok 1 - access/http/union [access/v1alpha2 specs/v1alpha3]\n"
           "not ok 2 - access/http/union [access/v1alpha3 specs/v1alpha4]\n"
           "  ---\n"
           "  message: \"ACC-03: expected denied, seen allowed\"\n"
           "  severity: \"fail\"\n"
           "  broken:\n"
           "    - step: 2\n"
           "      requirement: \"ACC-03\"\n"
           "      expected: \"denied\"\n"
           "      seen: \"\\\\x1b[31m<b>&amp;|`x`\\\\xff\\\\x01 \\\"status\\\" 200\"\n"
           "      evidence: |\n"
           "        {\n"
           "          \"status\": 200\n"
           "        }\n"
           "  cause: \"the source of a TrafficTarget is not looked at\"\n"
           "  objects: |\n"
           "    - name: permission-1\n"
           "      sources:\n"
           "      - client\n"
           "  reproduce: \"trammel conformance run --mesh some --seed 18446744073709551615 --case access/http/union "
           "--spec-version access/v1alpha3\"\n"
           "  ...\n"
           "not ok 3 - specs/http/headers [access/v1alpha3 specs/v1alpha4]\n"
           "  ---\n"
           "  message: \"control run: no answer in 30s\"\n"
           "  severity: \"not judged\"\n"
           "  reproduce: \"trammel conformance run --mesh some --seed 18446744073709551615 --case specs/http/headers "
           "--spec-version specs/v1alpha4\"\n"
           "  ...\n"
           "ok 4 - split/weights [split/v1alpha1] # SKIP the mesh has no traffic splits\n"
           "ok 5 - split/zero-sum [split/v1alpha4] (informative: the mesh differs)\n");
  run_fixture_finish(&fixture);
}

static void prove_passes_a_run_without_failures(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  run_fixture_replace(&fixture, 1, FIXTURE_SKIPPED);
  run_fixture_replace(&fixture, 2, FIXTURE_INFORMATIVE);
  fixture.run.case_count = 3;
  _cleanup_free_ char *tap = rendered(report_tap, &fixture.run);
  run_fixture_finish(&fixture);
  int code = prove_script(PROVE "exit $code", tap);
  if (code == OUTSIDE_ABSENT)
    skip();
  assert_int_equal(code, 0);
}

static void prove_names_the_failures_and_finds_no_fault_in_the_syntax(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *tap = rendered(report_tap, &fixture.run);
  run_fixture_finish(&fixture);
  int code = prove_script(
      PROVE "echo \"$out\" | grep -q 'Failed tests: *2-3$' && ! echo \"$out\" | grep -q 'Parse errors'", tap);
  if (code == OUTSIDE_ABSENT)
    skip();
  assert_int_equal(code, 0);
}

static void an_interrupted_run_bails_out(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.interrupted = true;
  fixture.run.planned = 9;
  fixture.run.stop_reason = "the mesh\nwent away # not a directive";
  fixture.run.case_count = 1;
  _cleanup_free_ char *tap = rendered(report_tap, &fixture.run);
  run_fixture_finish(&fixture);
  assert_string_equal(tap, "TAP version 14\n1..9\n" FACTS "ok 1 - access/http/union [access/v1alpha2 specs/v1alpha3]\n"
                           "Bail out! the mesh\\\\nwent away \\# not a directive\n");
  int code = prove_script(PROVE "echo \"$out\" | grep -q 'Further testing stopped: *the mesh'", tap);
  if (code == OUTSIDE_ABSENT)
    skip();
  assert_int_equal(code, 0);
}

static void no_case_is_a_skipped_plan(void **state) {
  (void)state;
  struct run_result run = {0};
  _cleanup_free_ char *tap = rendered(report_tap, &run);
  assert_string_equal(tap, "TAP version 14\n1..0 # SKIP no case ran\n");
}

/* Every line is one that the writer meant: no text opens a directive, a test point or the end of a block. */
static void hostile_texts_stay_in_their_place(void **state) {
  (void)state;
  struct hostile_fixture fixture;
  hostile_fixture_init(&fixture);
  _cleanup_free_ char *tap = rendered(report_tap, &fixture.base.run);
  hostile_fixture_finish(&fixture);
  _cleanup_free_ char *lines = strdup(tap);
  assert_non_null(lines);
  unsigned points = 0;
  unsigned blocks = 0;
  for (char *save, *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    points += strncmp(line, "ok ", 3) == 0 || strncmp(line, "not ok ", 7) == 0;
    blocks += strcmp(line, "  ...") == 0;
    assert_int_not_equal(strncmp(line, "Bail out!", 9), 0);
    for (const char *hash = strchr(line, '#'); line[0] != ' ' && line[0] != '#' && hash; hash = strchr(hash + 1, '#'))
      assert_true(hash[-1] == '\\' || strncmp(hash, "# SKIP ", 7) == 0);
  }
  assert_int_equal(points, FIXTURE_CASES);
  assert_int_equal(blocks, 2);
  int code = prove_script(
      PROVE "echo \"$out\" | grep -q 'Failed tests: *2-3$' && ! echo \"$out\" | grep -q 'Parse errors'", tap);
  if (code == OUTSIDE_ABSENT)
    skip();
  assert_int_equal(code, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(looks_like_this),
      cmocka_unit_test(prove_passes_a_run_without_failures),
      cmocka_unit_test(prove_names_the_failures_and_finds_no_fault_in_the_syntax),
      cmocka_unit_test(an_interrupted_run_bails_out),
      cmocka_unit_test(no_case_is_a_skipped_plan),
      cmocka_unit_test(hostile_texts_stay_in_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
