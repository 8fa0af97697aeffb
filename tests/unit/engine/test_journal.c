/* Where state lives, and the directory of a run from its start to its end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/engine/journal.h"
#include "tests/integration/engine/state_fixture.h"

static int setup(void **state) {
  struct state_fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  state_fixture_init(f);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  state_fixture_finish(*state);
  free(*state);
  return 0;
}

static void set(const char *name, const char *value) {
  assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void assert_state(const char *own, const char *xdg, const char *home, const char *expected) {
  _cleanup_free_ char *path = NULL;

  set("TRAMMEL_STATE_DIR", own);
  set("XDG_STATE_HOME", xdg);
  set("HOME", home);
  if (expected) {
    assert_int_equal(state_directory(&path, NULL), 0);
    assert_string_equal(path, expected);
  } else {
    _cleanup_error_ struct error *err = NULL;
    assert_true(state_directory(&path, &err) < 0);
    assert_non_null(strstr(error_message(err), "TRAMMEL_STATE_DIR"));
  }
}

static void test_state_directory(void **state) {
  (void)state;
  assert_state("/own", "/xdg", "/home/u", "/own");
  assert_state(NULL, "/xdg", "/home/u", "/xdg/trammel");
  assert_state("", "/xdg", "/home/u", "/xdg/trammel");
  assert_state(NULL, NULL, "/home/u", "/home/u/.local/state/trammel");
  assert_state(NULL, "relative", "/home/u", "/home/u/.local/state/trammel");
  assert_state("relative", "/xdg", "/home/u", NULL);
  assert_state(NULL, NULL, NULL, NULL);
  assert_state(NULL, NULL, "", NULL);
}

static void test_run_is_private_and_goes_when_finished(void **state) {
  struct state_fixture *f = *state;
  struct journal *journal;
  struct stat status;
  char path[512];

  assert_int_equal(journal_create(f->state, &journal, NULL), 0);
  (void)snprintf(path, sizeof(path), "%s/runs/%s", f->state, journal_run_id(journal));
  assert_string_equal(journal_directory(journal), path);
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0700);
  (void)snprintf(path, sizeof(path), "%s/journal.jsonl", journal_directory(journal));
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  journal_finish(journal);
  assert_false(path_exists(f->state));
  assert_true(path_exists(f->directory));
}

static void test_runs_side_by_side(void **state) {
  struct state_fixture *f = *state;
  struct journal *first, *second;
  char directory[512];

  assert_int_equal(journal_create(f->state, &first, NULL), 0);
  assert_int_equal(journal_create(f->state, &second, NULL), 0);
  assert_string_not_equal(journal_run_id(first), journal_run_id(second));
  (void)snprintf(directory, sizeof(directory), "%s", journal_directory(second));
  journal_finish(first);
  assert_true(path_exists(directory));
  journal_finish(second);
  assert_false(path_exists(f->state));
}

static void test_each_record_is_a_line_before_the_call_returns(void **state) {
  struct state_fixture *f = *state;
  struct journal *journal;
  unsigned lines = 0;

  assert_int_equal(journal_create(f->state, &journal, NULL), 0);
  assert_int_equal(journal_process_intended(journal, "mesh", NULL), 0);
  assert_int_equal(journal_process_started(journal, "mesh", getpid(), NULL), 0);
  assert_int_equal(journal_process_ended(journal, getpid(), NULL), 0);
  assert_int_equal(journal_object_intended(journal, "o", "DELETE", "http://127.0.0.1:1/o", NULL), 0);
  assert_int_equal(journal_object_removed(journal, "o", NULL), 0);
  _cleanup_free_ char *text = read_file(journal_directory(journal), "journal.jsonl");
  for (const char *p = text; (p = strchr(p, '\n')); p++)
    lines++;
  assert_int_equal(lines, 6);
  assert_int_equal(text[strlen(text) - 1], '\n');
  journal_finish(journal);
}

static void test_run_with_something_left_stays(void **state) {
  struct state_fixture *f = *state;
  struct journal *journal;
  char directory[512];

  assert_int_equal(journal_create(f->state, &journal, NULL), 0);
  (void)snprintf(directory, sizeof(directory), "%s", journal_directory(journal));
  assert_int_equal(journal_object_intended(journal, "o", "DELETE", "http://127.0.0.1:1/o", NULL), 0);
  journal_finish(journal);
  assert_true(path_exists(directory));
}

static void test_unusable_state_directory_is_named(void **state) {
  struct state_fixture *f = *state;
  struct journal *journal;
  _cleanup_error_ struct error *err = NULL;
  char path[512];

  (void)snprintf(path, sizeof(path), "%s/file", f->directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(journal_create(path, &journal, &err), -ENOTDIR);
  assert_non_null(strstr(error_message(err), path));
}

static void test_null_journal_can_be_finished(void **state) {
  (void)state;
  assert_int_equal(journal_finish(NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_state_directory),
      TEST(test_run_is_private_and_goes_when_finished),
      TEST(test_runs_side_by_side),
      TEST(test_each_record_is_a_line_before_the_call_returns),
      TEST(test_run_with_something_left_stays),
      TEST(test_unusable_state_directory_is_named),
      TEST(test_null_journal_can_be_finished),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
