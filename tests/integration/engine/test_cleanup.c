/* Crashed runs: nothing of them stays, and nothing else goes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/adapter/program.h"
#include "host/engine/journal.h"
#include "host/engine/proc.h"
#include "tests/integration/engine/http_server.h"
#include "tests/integration/engine/state_fixture.h"

#define RUN "20200101T000000.000000Z-00c0ffee"

struct fixture {
  struct state_fixture state;
  char report[4096];
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  state_fixture_init(&f->state);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  state_fixture_finish(&f->state);
  free(f);
  return 0;
}

static void report(void *ctx, const char *line) {
  struct fixture *f = ctx;
  size_t used = strlen(f->report);

  (void)snprintf(f->report + used, sizeof(f->report) - used, "%s\n", line);
}

static struct cleanup_summary clean(struct fixture *f, bool dry_run) {
  struct cleanup_summary summary = {0};
  struct error *err = NULL;

  f->report[0] = '\0';
  int r = journal_cleanup(f->state.state, dry_run, report, f, &summary, &err);
  if (r < 0)
    print_error("%s\n", error_message(err));
  assert_int_equal(r, 0);
  return summary;
}

static void assert_nothing_left(struct fixture *f) {
  struct cleanup_summary summary = clean(f, false);

  assert_false(path_exists(f->state.state));
  assert_int_equal(summary.runs + summary.busy + summary.processes + summary.objects + summary.failed, 0);
  assert_string_equal(f->report, "");
}

/* Runs trammel-test-crasher; its pid, and its child's pidfd and pid. */
static pid_t start_crasher(struct fixture *f, const char *what, int *ret_pidfd, pid_t *ret_child) {
  int out[2];
  char *path = NULL;
  char text[32] = "";

  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  assert_int_equal(program_path("trammel-test-crasher", &path, NULL), 0);
  pid_t pid = fork();
  if (pid == 0) {
    (void)dup2(out[1], STDOUT_FILENO);
    (void)execl(path, path, f->state.state, what, (char *)NULL);
    _exit(127);
  }
  free(path);
  (void)close(out[1]);
  assert_true(pid > 0);
  assert_true(read(out[0], text, sizeof(text) - 1) > 0);
  (void)close(out[0]);
  *ret_child = atoi(text);
  *ret_pidfd = pidfd_open(*ret_child, 0);
  assert_true(*ret_pidfd >= 0);
  return pid;
}

static void crash(pid_t pid) {
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_children_die_with_their_program(void **state) {
  struct fixture *f = *state;
  int child;
  pid_t child_pid;

  crash(start_crasher(f, "rest", &child, &child_pid));
  assert_true(wait_for_end(child, 5000));
  (void)close(child);
  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.runs, 1);
  assert_int_equal(summary.processes, 0);
  assert_int_equal(summary.failed, 0);
  assert_nothing_left(f);
}

static void check_orphan(struct fixture *f, const char *what) {
  int child;
  pid_t child_pid;
  char expected[64];

  crash(start_crasher(f, what, &child, &child_pid));
  assert_false(wait_for_end(child, 100));
  struct cleanup_summary summary = clean(f, true);
  assert_int_equal(summary.processes, 1);
  (void)snprintf(expected, sizeof(expected), "(pid %d)", (int)child_pid);
  assert_non_null(strstr(f->report, "would end"));
  assert_non_null(strstr(f->report, expected));
  assert_false(wait_for_end(child, 0));
  summary = clean(f, false);
  assert_true(wait_for_end(child, 0));
  (void)close(child);
  assert_int_equal(summary.runs, 1);
  assert_int_equal(summary.processes, 1);
  assert_int_equal(summary.failed, 0);
  assert_nothing_left(f);
}

static void test_child_that_outlived_its_program(void **state) {
  check_orphan(*state, "orphan");
}

static void test_child_that_was_only_intended(void **state) {
  check_orphan(*state, "unrecorded");
}

static void test_live_run_is_left_alone(void **state) {
  struct fixture *f = *state;
  int child;
  pid_t child_pid;
  pid_t pid = start_crasher(f, "rest", &child, &child_pid);

  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.busy, 1);
  assert_int_equal(summary.runs, 0);
  assert_false(wait_for_end(child, 0));
  crash(pid);
  (void)close(child);
  summary = clean(f, false);
  assert_int_equal(summary.runs, 1);
}

/* Puts a journal with `text` into a crashed run. */
static void write_journal(struct fixture *f, const char *text) {
  char path[400];

  (void)snprintf(path, sizeof(path), "%s", f->state.state);
  (void)mkdir(path, 0700);
  (void)snprintf(path, sizeof(path), "%s/runs", f->state.state);
  (void)mkdir(path, 0700);
  (void)snprintf(path, sizeof(path), "%s/runs/" RUN, f->state.state);
  (void)mkdir(path, 0700);
  (void)snprintf(path, sizeof(path), "%s/runs/" RUN "/journal.jsonl", f->state.state);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* A journal that says that `pid` started at `start` in boot `boot`. */
static void write_process_journal(struct fixture *f, const char *boot, pid_t pid, uint64_t start) {
  char text[512];

  (void)snprintf(text, sizeof(text),
                 "{\"record\":\"run\",\"boot\":\"%s\",\"name\":\"" RUN "\"}\n"
                 "{\"record\":\"process-intended\",\"name\":\"mesh\"}\n"
                 "{\"record\":\"process-started\",\"name\":\"mesh\",\"pid\":%d,\"start\":%llu}\n",
                 boot, (int)pid, (unsigned long long)start);
  write_journal(f, text);
}

static void test_only_the_very_process_is_ended(void **state) {
  struct fixture *f = *state;
  char boot[BOOT_ID_SIZE];
  uint64_t start;
  char *path = NULL;

  assert_int_equal(boot_id(boot, NULL), 0);
  assert_int_equal(program_path("trammel-test-child", &path, NULL), 0);
  pid_t pid = fork();
  if (pid == 0) {
    (void)execle(path, path, "rest", (char *)NULL, (char *[]){NULL});
    _exit(127);
  }
  free(path);
  int pidfd = pidfd_open(pid, 0);
  assert_int_equal(process_start_time(pid, &start), 0);

  write_process_journal(f, boot, pid, start + 1); /* the pid was given to another process */
  assert_int_equal(clean(f, false).processes, 0);
  assert_false(wait_for_end(pidfd, 0));
  write_process_journal(f, "another-boot", pid, start);
  assert_int_equal(clean(f, false).processes, 0);
  assert_false(wait_for_end(pidfd, 0));
  write_process_journal(f, boot, pid, start);
  assert_int_equal(clean(f, false).processes, 1);
  assert_true(wait_for_end(pidfd, 0));
  (void)close(pidfd);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  assert_nothing_left(f);
}

static void test_torn_last_line_is_no_damage(void **state) {
  struct fixture *f = *state;

  write_journal(f, "{\"record\":\"run\",\"boot\":\"b\",\"name\":\"x\"}\n{\"record\":\"object-inten");
  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.runs, 1);
  assert_int_equal(summary.failed, 0);
  assert_nothing_left(f);
}

static void test_damaged_journal_is_kept(void **state) {
  struct fixture *f = *state;

  write_journal(f, "{\"record\":\"run\",\"boot\":\"b\",\"name\":\"x\"}\n{\"record\":\"obj\n");
  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.failed, 1);
  assert_non_null(strstr(f->report, "damaged"));
  assert_true(path_exists(f->state.state));
}

static void test_empty_and_foreign_directories(void **state) {
  struct fixture *f = *state;
  char path[400];

  write_journal(f, "");
  (void)snprintf(path, sizeof(path), "%s/runs/notes", f->state.state);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(clean(f, false).runs, 1);
  assert_true(path_exists(path));
}

/* More than one cleanup holds at a time; one of them is kept. */
static void test_thousands_of_runs(void **state) {
  enum { RUNS = 2 * 512 + 3 };
  struct fixture *f = *state;
  char path[400];

  write_journal(f, "{\"record\":\"run\",\"boot\":\"b\",\"name\":\"x\"}\n{\"record\":\"obj\n");
  for (unsigned i = 0; i < RUNS; i++) {
    (void)snprintf(path, sizeof(path), "%s/runs/20200101T000000.%06uZ-00c0ffee", f->state.state, i + 1);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  assert_int_equal(clean(f, true).runs, RUNS + 1);
  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.runs, RUNS + 1);
  assert_int_equal(summary.failed, 1);
  summary = clean(f, false);
  assert_int_equal(summary.runs, 1);
  assert_int_equal(summary.failed, 1);
}

static void test_links_in_a_run_are_not_followed(void **state) {
  struct fixture *f = *state;
  char victim[400], path[400];

  (void)snprintf(victim, sizeof(victim), "%s/victim", f->state.directory);
  assert_int_equal(mkdir(victim, 0700), 0);
  (void)snprintf(path, sizeof(path), "%s/victim/file", f->state.directory);
  assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
  write_journal(f, "");
  (void)snprintf(path, sizeof(path), "%s/runs/" RUN "/link", f->state.state);
  assert_int_equal(symlink(victim, path), 0);
  assert_int_equal(clean(f, false).failed, 0);
  (void)snprintf(path, sizeof(path), "%s/victim/file", f->state.directory);
  assert_true(path_exists(path));
}

/* A mesh that outlives the run, and what was deleted on it. */
struct mesh {
  struct http_server *server;
  pthread_mutex_t lock;
  char log[1024];
  atomic_int status;
};

static void on_request(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct mesh *mesh = ctx;

  (void)server;
  (void)pthread_mutex_lock(&mesh->lock);
  size_t used = strlen(mesh->log);
  (void)snprintf(mesh->log + used, sizeof(mesh->log) - used, "%s %s\n", request_method(request),
                 evhttp_request_get_uri(request));
  (void)pthread_mutex_unlock(&mesh->lock);
  request_answer(request, atomic_load(&mesh->status), NULL, "");
}

static void intend(struct journal *journal, const struct mesh *mesh, const char *id) {
  char url[128];

  (void)snprintf(url, sizeof(url), "%s/v1/%s", http_server_url(mesh->server), id);
  assert_int_equal(journal_object_intended(journal, id, "DELETE", url, NULL), 0);
}

static void leave_objects(struct fixture *f, const struct mesh *mesh) {
  struct journal *journal;

  assert_int_equal(journal_create(f->state.state, &journal, NULL), 0);
  intend(journal, mesh, "one");
  intend(journal, mesh, "two");
  intend(journal, mesh, "three");
  assert_int_equal(journal_object_removed(journal, "two", NULL), 0);
  intend(journal, mesh, "four");
  assert_int_equal(journal_object_removed(journal, "four", NULL), 0);
  intend(journal, mesh, "four");
  intend(journal, mesh, "four");
  assert_int_equal(clean(f, false).busy, 1);
  assert_int_equal(journal_finish(journal), 3);
}

static void with_mesh(struct fixture *f, void (*check)(struct fixture *f, struct mesh *mesh)) {
  struct mesh mesh = {.lock = PTHREAD_MUTEX_INITIALIZER, .status = 200};

  mesh.server = http_server_start(on_request, &mesh);
  leave_objects(f, &mesh);
  check(f, &mesh);
  http_server_stop(mesh.server);
}

static void assert_log(struct mesh *mesh, const char *expected) {
  (void)pthread_mutex_lock(&mesh->lock);
  assert_string_equal(mesh->log, expected);
  mesh->log[0] = '\0';
  (void)pthread_mutex_unlock(&mesh->lock);
}

#define ALL_DELETED "DELETE /v1/four\nDELETE /v1/three\nDELETE /v1/one\n"

static void check_deleted(struct fixture *f, struct mesh *mesh) {
  assert_int_equal(clean(f, true).objects, 3);
  assert_log(mesh, "");
  assert_int_equal(clean(f, false).objects, 3);
  assert_log(mesh, ALL_DELETED);
  assert_nothing_left(f);
}

static void test_objects_are_deleted_last_first(void **state) {
  with_mesh(*state, check_deleted);
}

static void check_absent(struct fixture *f, struct mesh *mesh) {
  atomic_store(&mesh->status, 404);
  assert_int_equal(clean(f, false).failed, 0);
  assert_log(mesh, ALL_DELETED);
  assert_nothing_left(f);
}

static void test_absent_objects_are_fine(void **state) {
  with_mesh(*state, check_absent);
}

static void check_refusal(struct fixture *f, struct mesh *mesh) {
  atomic_store(&mesh->status, 500);
  assert_int_equal(clean(f, false).failed, 3);
  assert_log(mesh, ALL_DELETED);
  assert_non_null(strstr(f->report, "500"));
  assert_true(path_exists(f->state.state));
  atomic_store(&mesh->status, 200);
  assert_int_equal(clean(f, false).objects, 3);
  assert_nothing_left(f);
}

static void test_refused_removal_is_kept_for_the_next_cleanup(void **state) {
  with_mesh(*state, check_refusal);
}

static void test_unreachable_mesh_is_kept_for_the_next_cleanup(void **state) {
  struct fixture *f = *state;
  struct mesh mesh = {.lock = PTHREAD_MUTEX_INITIALIZER, .status = 200};

  mesh.server = http_server_start(on_request, &mesh);
  leave_objects(f, &mesh);
  http_server_stop(mesh.server);
  struct cleanup_summary summary = clean(f, false);
  assert_int_equal(summary.failed, 3);
  assert_int_equal(summary.objects, 0);
  assert_true(path_exists(f->state.state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_children_die_with_their_program),
      TEST(test_child_that_outlived_its_program),
      TEST(test_child_that_was_only_intended),
      TEST(test_live_run_is_left_alone),
      TEST(test_only_the_very_process_is_ended),
      TEST(test_torn_last_line_is_no_damage),
      TEST(test_damaged_journal_is_kept),
      TEST(test_empty_and_foreign_directories),
      TEST(test_thousands_of_runs),
      TEST(test_links_in_a_run_are_not_followed),
      TEST(test_objects_are_deleted_last_first),
      TEST(test_absent_objects_are_fine),
      TEST(test_refused_removal_is_kept_for_the_next_cleanup),
      TEST(test_unreachable_mesh_is_kept_for_the_next_cleanup),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
