/* Child processes: what they get, how their end is told, and that they end. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/engine/process.h"
#include "tests/integration/engine/state_fixture.h"

struct fixture {
  struct state_fixture state;
  struct journal *journal;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  state_fixture_init(&f->state);
  assert_int_equal(journal_create(f->state.state, &f->journal, NULL), 0);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  journal_finish(f->journal);
  assert_false(path_exists(f->state.state));
  state_fixture_finish(&f->state);
  free(f);
  return 0;
}

static struct process *start(struct fixture *f, const char *name, const char *what) {
  const char *arguments[] = {what, NULL};
  struct process *process = NULL;
  struct error *err = NULL;

  int r = process_start(f->journal, name, "trammel-test-child", arguments, &process, &err);
  if (r < 0)
    print_error("%s\n", error_message(err));
  assert_int_equal(r, 0);
  return process;
}

static struct process *start_ready(struct fixture *f, const char *name, const char *what) {
  char log[128];
  struct process *process = start(f, name, what);

  (void)snprintf(log, sizeof(log), "%s.log", name);
  assert_true(wait_for_text(journal_directory(f->journal), log, "ready"));
  return process;
}

static void assert_epitaph(struct process *process, const char *text) {
  char *epitaph = process_epitaph(process);

  assert_non_null(epitaph);
  if (!strstr(epitaph, text))
    fail_msg("'%s' is not in: %s", text, epitaph);
  free(epitaph);
}

static void test_epitaph_of_a_failure(void **state) {
  struct process *process = start(*state, "child", "fail");

  assert_true(process_wait(process, 10000));
  assert_false(process_alive(process));
  assert_epitaph(process, "exited with 3");
  assert_epitaph(process, "first line\n  no such mesh");
  process_stop(process, 0);
}

static void test_epitaph_is_of_this_process(void **state) {
  struct process *first = start(*state, "child", "fail");

  assert_true(process_wait(first, 10000));
  struct process *second = start(*state, "child", "crash");
  assert_true(process_wait(second, 10000));
  char *epitaph = process_epitaph(second);
  assert_null(strstr(epitaph, "no such mesh"));
  free(epitaph);
  process_stop(first, 0);
  process_stop(second, 0);
}

static void test_epitaph_of_a_crash(void **state) {
  struct process *process = start(*state, "child", "crash");

  assert_true(process_wait(process, 10000));
  assert_epitaph(process, "killed by SIGSEGV");
  process_stop(process, 0);
}

static void test_alive(void **state) {
  struct process *process = start_ready(*state, "child", "rest");

  assert_true(process_alive(process));
  assert_false(process_wait(process, 1));
  assert_string_equal(process_name(process), "child");
  assert_epitaph(process, "is running");
  process_stop(process, 5000);
}

static void assert_line(const char *text, const char *line) {
  const char *found = strstr(text, line);

  if (!found || (found > text && found[-1] != '\n'))
    fail_msg("no line '%s' in:\n%s", line, text);
}

static void test_what_a_child_gets(void **state) {
  struct fixture *f = *state;
  const char *arguments[] = {"show", "two words", NULL};
  struct process *process;
  char mark[128];

  assert_int_equal(setenv("TRAMMEL_TEST_SECRET", "x", 1), 0);
  int inherited = dup(STDOUT_FILENO); /* without close-on-exec, as a careless library opens them */
  assert_int_equal(process_start(f->journal, "child", "trammel-test-child", arguments, &process, NULL), 0);
  assert_true(process_wait(process, 10000));
  (void)close(inherited);
  char *log = read_file(journal_directory(f->journal), "child.log");
  (void)snprintf(mark, sizeof(mark), "variable %s=%s\n", JOURNAL_RUN_VARIABLE, journal_run_id(f->journal));
  assert_line(log, mark);
  assert_line(log, "argument two words\n");
  assert_line(log, "descriptor 2\n");
  assert_line(log, "leader 1\n");
  assert_line(log, "input -1\n");
  assert_null(strstr(log, "TRAMMEL_TEST_SECRET"));
  assert_null(strstr(log, "descriptor 3"));
  assert_null(strstr(log, "descriptor 4"));
  free(log);
  process_stop(process, 0);
}

static void test_stop_is_gentle_first(void **state) {
  struct process *process = start_ready(*state, "child", "rest");
  int64_t start_ms = monotonic_ms();

  process_stop(process, 10000);
  assert_true(monotonic_ms() - start_ms < 5000);
}

static void test_stop_kills_who_ignores_it(void **state) {
  struct fixture *f = *state;
  struct process *process = start_ready(f, "child", "stubborn");
  int pidfd = pidfd_open(journaled_pid(journal_directory(f->journal), "child"), 0);
  int64_t start_ms = monotonic_ms();

  process_stop(process, 100);
  assert_true(monotonic_ms() - start_ms >= 100);
  assert_true(wait_for_end(pidfd, 0));
  (void)close(pidfd);
}

static void test_stop_ends_the_whole_group(void **state) {
  struct fixture *f = *state;
  struct process *process = start(f, "child", "family");

  assert_true(wait_for_text(journal_directory(f->journal), "child.log", "ready\nready"));
  pid_t group = journaled_pid(journal_directory(f->journal), "child");
  assert_int_equal(kill(-group, 0), 0);
  process_stop(process, 5000);
  int64_t deadline_ms = monotonic_ms() + 5000;
  while (kill(-group, 0) == 0 && monotonic_ms() < deadline_ms)
    (void)usleep(1000);
  assert_int_equal(kill(-group, 0), -1);
}

static void test_stop_all_at_once(void **state) {
  struct process *processes[8];
  char name[16];
  int64_t start_ms;

  for (unsigned i = 0; i < 7; i++) {
    (void)snprintf(name, sizeof(name), "child-%u", i);
    processes[i] = start_ready(*state, name, "stubborn");
  }
  processes[7] = NULL;
  start_ms = monotonic_ms();
  process_stop_all(processes, 8, 1000);
  assert_true(monotonic_ms() - start_ms < 7 * 1000);
}

static void test_names_and_programs_are_checked(void **state) {
  struct fixture *f = *state;
  static const char *const names[] = {"", "..", ".hidden", "a/b", "a b", "a\nb"};
  static const char *const programs[] = {"", "/bin/sh", "./sh", "../bin/sh", "sh"};
  struct process *process;

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    assert_int_equal(process_start(f->journal, names[i], "trammel-test-child", NULL, &process, NULL), -EINVAL);
  for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
    struct error *err = NULL;
    assert_true(process_start(f->journal, "child", programs[i], NULL, &process, &err) < 0);
    assert_true(strlen(error_message(err)) > 0);
    error_free(err);
  }
}

static void *start_and_leave(void *ctx) {
  return start_ready(ctx, "child", "rest");
}

/* PR_SET_PDEATHSIG follows the thread that forked: that must not be the one that asked. */
static void test_outlives_the_thread_that_started_it(void **state) {
  pthread_t thread;
  void *process = NULL;

  assert_int_equal(pthread_create(&thread, NULL, start_and_leave, *state), 0);
  assert_int_equal(pthread_join(thread, &process), 0);
  assert_non_null(process);
  assert_false(process_wait(process, 100));
  process_stop(process, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_epitaph_of_a_failure),
      TEST(test_epitaph_is_of_this_process),
      TEST(test_epitaph_of_a_crash),
      TEST(test_alive),
      TEST(test_what_a_child_gets),
      TEST(test_stop_is_gentle_first),
      TEST(test_stop_kills_who_ignores_it),
      TEST(test_stop_ends_the_whole_group),
      TEST(test_stop_all_at_once),
      TEST(test_names_and_programs_are_checked),
      TEST(test_outlives_the_thread_that_started_it),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
