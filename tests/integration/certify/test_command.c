/* trammel adapter check as a command: what it takes, tells, keeps, and leaves behind. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/certify/fixture.h"
#include "tests/support/command.h"

#define LIMIT_S 400

static void an_adapter_that_is_refused_is_not_run(void **state) {
  int code;
  (void)state;
  json_t *report = fixture_check(fixture_built("tests/broken-adapters/no_note.so"), NULL, &code);
  assert_int_equal(code, 1);
  assert_string_equal(report_text(report_find(report, "load-gate"), "verdict"), "failed");
  assert_string_equal(report_text(report_find(report, "descriptor"), "verdict"), "skipped");
  assert_string_equal(report_text(report_find(report, "config"), "verdict"), "skipped");
  assert_int_equal(json_array_size(json_object_get(report_find(report, "config"), "places")), 0);
  report_require_schema(report);
  json_decref(report);
}

static void what_is_no_adapter_is_a_usage_error(void **state) {
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof path, "%s/text.trm", fixture_directory);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_true(fputs("no package\n", out) >= 0 && fclose(out) == 0);
  fixture_require_code((const char *[]){"trammel", "adapter", "check", path, NULL}, 2,
                       "neither a shared object nor a package");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", "/nowhere/x.so", NULL}, 2, "/nowhere/x.so");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", fixture_directory, NULL}, 2,
                       "is a directory; name the shared");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", "-", NULL}, 2,
                       "standard input cannot be checked");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", NULL}, 2, "which adapter?");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", "x.so", "--only", "luck", NULL}, 2,
                       "there are: load-gate");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", "x.so", "--seed", "-1", NULL}, 2,
                       "--seed wants");
  fixture_require_code(
      (const char *[]){"trammel", "adapter", "check", fixture_flawed("sound"), "--set", "level=9", NULL}, 2, "level");
}

static void the_report_is_text_for_people(void **state) {
  struct command_result result;
  (void)state;
  command_run((const char *[]){"trammel", "adapter", "check", fixture_flawed("small"), "--only", "scale", "--only",
                               "load-gate", NULL},
              NULL, LIMIT_S, &result);
  assert_int_equal(result.exit_code, 1);
  assert_non_null(strstr(strbuf_text(&result.out), "passed  load-gate"));
  assert_non_null(strstr(strbuf_text(&result.out), "FAILED  scale"));
  assert_non_null(strstr(strbuf_text(&result.out), "more than 1000 rules"));
  assert_non_null(strstr(strbuf_text(&result.out), "1 passed, 0 warnings, 1 failed"));
  assert_int_equal(result.errors.length, 0); /* progress is for terminals */
  command_result_finish(&result);
}

static void a_part_of_the_checks_is_not_kept(void **state) {
  int code;
  (void)state;
  json_t *report = fixture_check(fixture_flawed("exact"), "load-gate", &code);
  char kept[4096 + 128];
  (void)snprintf(kept, sizeof kept, "%s/checks/%s.json", getenv("TRAMMEL_DATA_DIR"),
                 report_text(json_object_get(report, "file"), "sha256"));
  assert_int_equal(code, 0);
  assert_int_equal(access(kept, F_OK), -1);
  json_decref(report);
}

static void where_nothing_can_be_confined_nothing_is_checked(void **state) {
  char trammel[4096], without[4096], sound[4096];
  (void)state;
  (void)snprintf(trammel, sizeof trammel, "%s", fixture_built("bin/trammel"));
  (void)snprintf(without, sizeof without, "%s", fixture_built("tests/without"));
  (void)snprintf(sound, sizeof sound, "%s", fixture_flawed("sound"));
  fixture_require_code((const char *[]){without, "landlock", trammel, "adapter", "check", sound, NULL}, 3,
                       "(Landlock)");
  fixture_require_code((const char *[]){without, "seccomp", trammel, "adapter", "check", sound, NULL}, 3, "(seccomp)");
  fixture_require_said((const char *[]){without, "landlock", trammel, "adapter", "check", "--allow-unconfined",
                                        "--only", "determinism", sound, NULL},
                       0, "passed  determinism");
}

/* "nosy" crashes when it finds an environment or an open descriptor that are of the program's user. */
static void an_adapter_sees_nothing_of_its_users(void **state) {
  int code;
  (void)state;
  assert_int_equal(setenv("FLAWED_SECRET", "token", 1), 0);
  assert_int_equal(dup2(1, 77), 77);
  json_t *report = fixture_check(fixture_flawed("nosy"), "abi-tables", &code);
  const json_t *one = report_find(report, "abi-tables");
  if (strcmp(report_text(one, "verdict"), "passed") != 0)
    fail_msg("%s", report_text(one, "reason"));
  json_decref(report);
  (void)close(77);
  assert_int_equal(unsetenv("FLAWED_SECRET"), 0);
}

static void drop_times(json_t *report) {
  size_t i, k;
  json_t *one, *place;
  (void)json_object_del(report, "date");
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    json_array_foreach(json_object_get(one, "places"), k, place) {
      (void)json_object_del(place, "tookMs");
    }
  }
}

static void the_same_seed_asks_the_same(void **state) {
  int code;
  (void)state;
  json_t *a = fixture_check(fixture_flawed("moody"), "config", &code),
         *b = fixture_check(fixture_flawed("moody"), "config", &code);
  drop_times(a);
  drop_times(b);
  assert_true(json_equal(a, b));
  json_decref(a);
  json_decref(b);
}

/* Its directory is there. */
static bool has_begun(void *ctx) {
  char runs[4096 + 8];
  (void)ctx;
  (void)snprintf(runs, sizeof runs, "%s/runs", fixture_state);
  DIR *directory = opendir(runs);
  bool found = false;
  for (const struct dirent *entry; directory && (entry = readdir(directory));)
    found |= entry->d_name[0] != '.';
  if (directory)
    (void)closedir(directory);
  return found;
}

static struct running start_check(void) {
  struct running running = command_start(
      (const char *[]){"trammel", "adapter", "check", fixture_flawed("deaf"), "--only", "cancel", NULL}, NULL);
  wait_until(has_begun, NULL, 30, "the check to begin");
  return running;
}

static void an_interrupt_ends_it_and_leaves_nothing(void **state) {
  struct command_result result;
  (void)state;
  struct running running = start_check();
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, 60, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "interrupted"));
  command_result_finish(&result);
  fixture_require_nothing_left();
}

/* The process of a check holds the lock, too, and ends a moment later. */
static bool is_cleaned_up(void *ctx) {
  (void)ctx;
  free(fixture_output((const char *[]){"trammel", "cleanup", NULL}, 0));
  return !fixture_is_anything_left();
}

static void what_a_killed_check_leaves_is_taken_by_cleanup(void **state) {
  struct command_result result;
  (void)state;
  struct running running = start_check();
  assert_int_equal(kill(running.pid, SIGKILL), 0);
  command_wait(&running, 60, &result);
  command_result_finish(&result);
  assert_true(fixture_is_anything_left());
  wait_until(is_cleaned_up, NULL, 30, "trammel cleanup to take it");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_adapter_that_is_refused_is_not_run),
      cmocka_unit_test(what_is_no_adapter_is_a_usage_error),
      cmocka_unit_test(the_report_is_text_for_people),
      cmocka_unit_test(a_part_of_the_checks_is_not_kept),
      cmocka_unit_test(where_nothing_can_be_confined_nothing_is_checked),
      cmocka_unit_test(an_adapter_sees_nothing_of_its_users),
      cmocka_unit_test(the_same_seed_asks_the_same),
      cmocka_unit_test(an_interrupt_ends_it_and_leaves_nothing),
      cmocka_unit_test(what_a_killed_check_leaves_is_taken_by_cleanup),
  };
  return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
