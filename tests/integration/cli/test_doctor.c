/* What confines adapters that did not come with Trammel: told by `trammel doctor`, and wanted before any of them runs.
 * Kernels that lack a part of it are played by tests/support/without.c. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/runner/sanitized.h"
#include "tests/support/command.h"

static char build[512], trammel[600], without[600], adapters[600];
static char *scratch;

static json_t *run_json(const char *const *argv, int expected_code) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  json_t *answer = json_loadb(strbuf_text(&result.out), result.out.length, 0, NULL);
  if (!answer || result.exit_code != expected_code)
    fail_msg("exit %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  return answer;
}

/* The first finding of that name that is not good, else the first one. */
static const json_t *finding(const json_t *answer, const char *what) {
  size_t i;
  const json_t *one, *found = NULL;
  json_array_foreach(json_object_get(answer, "findings"), i, one) {
    if (strcmp(json_string_value(json_object_get(one, "what")), what) != 0)
      continue;
    if (!json_is_true(json_object_get(one, "good")))
      return one;
    found = found ? found : one;
  }
  if (!found)
    fail_msg("there is no finding %s", what);
  return found;
}

static bool is_good(const json_t *answer, const char *what) {
  return json_is_true(json_object_get(finding(answer, what), "good"));
}

static void every_attempt_is_denied_where_the_kernel_offers_all(void **state) {
  (void)state;
  if (TRAMMEL_SANITIZED)
    skip(); /* a sanitizer needs what the confinement takes */
  json_t *answer = run_json((const char *[]){trammel, "doctor", "-o", "json", NULL}, 0);
  assert_true(json_is_true(json_object_get(answer, "good")));
  size_t attempts = 0, i;
  const json_t *one;
  json_array_foreach(json_object_get(answer, "findings"), i, one) attempts +=
      strcmp(json_string_value(json_object_get(one, "what")), "confined") == 0;
  assert_true(attempts >= 12);
  json_decref(answer);
}

static void what_the_kernel_lacks_is_told(void **state) {
  (void)state;
  if (TRAMMEL_SANITIZED)
    skip();
  json_t *answer = run_json((const char *[]){without, "landlock", trammel, "doctor", "-o", "json", NULL}, 1);
  assert_false(is_good(answer, "Landlock"));
  assert_true(is_good(answer, "seccomp"));
  assert_non_null(json_object_get(finding(answer, "Landlock"), "remedy"));
  assert_true(is_good(answer, "confined")); /* once sealed, the filter of system calls lets nothing be opened */
  json_decref(answer);
  answer = run_json((const char *[]){without, "seccomp", trammel, "doctor", "-o", "json", NULL}, 1);
  assert_true(is_good(answer, "Landlock"));
  assert_false(is_good(answer, "seccomp"));
  assert_false(is_good(answer, "confined")); /* Landlock denies no process and no UDP socket */
  json_decref(answer);
}

/* How the adapter of `adapters` fares under these arguments. The list's other adapters are the bundled ones. */
static json_t *listed(const char *lacks, const char *option) {
  const char *argv[] = {without,  lacks, trammel, "adapter", "list", "--adapter-dir",
                        adapters, "-o",  "json",  option,    NULL};
  json_t *list = run_json(lacks ? argv : argv + 2, 0);
  size_t i;
  json_t *entry, *found = NULL;
  json_array_foreach(list, i, entry) {
    if (strncmp(json_string_value(json_object_get(entry, "path")), scratch, strlen(scratch)) == 0)
      found = json_incref(entry);
    else if (strcmp(json_string_value(json_object_get(entry, "id")), "probe") != 0)
      assert_true(json_is_true(json_object_get(entry, "usable"))); /* what came with Trammel is not asked for it */
  }
  assert_non_null(found);
  json_decref(list);
  return found;
}

static void others_are_refused_where_a_part_is_lacking_unless_allowed(void **state) {
  (void)state;
  static const struct {
    const char *lacks, *told;
  } cases[] = {{"landlock", "the kernel offers no Landlock"}, {"seccomp", "the kernel filters no system calls"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *entry = listed(cases[i].lacks, NULL);
    const char *refusal = json_string_value(json_object_get(entry, "refusal"));
    assert_false(json_is_true(json_object_get(entry, "usable")));
    if (!refusal || !strstr(refusal, cases[i].told) || !strstr(refusal, "--allow-unconfined"))
      fail_msg("%s", refusal);
    json_decref(entry);
    entry = listed(cases[i].lacks, "--allow-unconfined");
    assert_true(json_is_true(json_object_get(entry, "usable")));
    json_decref(entry);
  }
}

static void where_an_adapter_runs_is_told_and_can_be_chosen(void **state) {
  (void)state;
  static const struct {
    const char *option, *placement;
  } cases[] = {{NULL, "child"}, {"--placement=in-process", "in-process"}, {"--placement=child", "child"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *entry = listed(NULL, cases[i].option);
    assert_string_equal(json_string_value(json_object_get(entry, "placement")), cases[i].placement);
    json_decref(entry);
  }
}

/* The reference mesh's adapter, as if it were someone else's. */
static void a_run_with_a_confined_adapter_proves_the_same(void **state) {
  (void)state;
  const char *argv[] = {trammel,       "conformance", "run",      "-q",
                        "--placement", "child",       "--filter", "specs/http/method-and-path",
                        "-o",          "json",        NULL};
  json_t *report = run_json(argv, 0);
  const json_t *totals = json_object_get(report, "totals");
  assert_true(json_integer_value(json_object_get(totals, "passed")) > 0);
  assert_non_null(strstr(json_string_value(json_object_get(report, "reproduce")), "--placement child"));
  json_decref(report);
}

static int set_up(void **state) {
  (void)state;
  char source[600], link[700];
  (void)snprintf(build, sizeof build, "%s", getenv("TRAMMEL_BUILD_DIR"));
  (void)snprintf(trammel, sizeof trammel, "%s/bin/trammel", build);
  (void)snprintf(without, sizeof without, "%s/tests/without", build);
  scratch = scratch_create();
  (void)snprintf(adapters, sizeof adapters, "%s/adapters", scratch);
  (void)snprintf(source, sizeof source, "%s/tests/probe-adapter/probe.so", build);
  (void)snprintf(link, sizeof link, "%s/probe.so", adapters);
  setenv("TRAMMEL_STATE_DIR", scratch, 1);
  setenv("TRAMMEL_DATA_DIR", scratch, 1);
  return mkdir(adapters, 0700) || symlink(source, link);
}

static int tear_down(void **state) {
  (void)state;
  scratch_remove(scratch);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_attempt_is_denied_where_the_kernel_offers_all),
      cmocka_unit_test(what_the_kernel_lacks_is_told),
      cmocka_unit_test(others_are_refused_where_a_part_is_lacking_unless_allowed),
      cmocka_unit_test(where_an_adapter_runs_is_told_and_can_be_chosen),
      cmocka_unit_test(a_run_with_a_confined_adapter_proves_the_same),
  };
  return cmocka_run_group_tests_name("doctor", tests, set_up, tear_down);
}
