/* The whole path: trammel runs the suite against the embedded mesh, with real processes, sidecars and traffic. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"
#include "tests/support/leftovers.h"

struct state {
  char *directory; /* TRAMMEL_STATE_DIR */
};

static int setup(void **state) {
  struct state *s = calloc(1, sizeof(*s));
  s->directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", s->directory, 1);
  *state = s;
  return 0;
}

static int teardown(void **state) {
  struct state *s = *state;
  scratch_remove(s->directory);
  free(s);
  return 0;
}

static json_t *report_of(const struct command_result *result) {
  json_error_t wrong;
  json_t *report = json_loadb(strbuf_text(&result->out), result->out.length, 0, &wrong);
  if (!report)
    fail_msg("no JSON report: %s; stderr: %s", wrong.text, strbuf_text(&result->errors));
  return report;
}

/* For whoever reads why it failed. */
static void print_cases_not_passed(const json_t *report) {
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    const char *outcome = json_string_value(json_object_get(item, "outcome"));
    if (strcmp(outcome, "passed") == 0 || strcmp(outcome, "informative") == 0)
      continue;
    char *text = json_dumps(item, JSON_COMPACT);
    print_message("%s\n", text);
    free(text);
  }
}

static void the_reference_mesh_passes_every_case(void **state) {
  struct state *s = *state;
  const char *argv[] = {"trammel", "conformance", "run", "--mesh", "reference", "-q", "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 600, &result);
  json_t *report = report_of(&result);
  json_t *totals = json_object_get(report, "totals");
  if (result.exit_code != 0) {
    print_cases_not_passed(report);
    fail_msg("exit %d: %s", result.exit_code, strbuf_text(&result.errors));
  }
  assert_int_equal(json_integer_value(json_object_get(totals, "failed")), 0);
  assert_int_equal(json_integer_value(json_object_get(totals, "error")), 0);
  assert_int_equal(json_integer_value(json_object_get(totals, "skipped")), 0);
  assert_true(json_integer_value(json_object_get(totals, "passed")) >= 60);
  json_decref(report);
  command_result_finish(&result);
  assert_no_leftovers(s->directory);
}

static void a_seed_gives_the_same_order(void **state) {
  (void)state;
  const char *argv[] = {"trammel", "conformance", "run",  "--filter", "access/http/", "--seed", "7",
                        "-q",      "-o",          "json", NULL};
  json_t *orders[2];
  for (int run = 0; run < 2; run++) {
    struct command_result result;
    command_run(argv, NULL, 600, &result);
    json_t *report = report_of(&result);
    orders[run] = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(report, "cases"), i, item) {
      char key[256];
      (void)snprintf(key, sizeof(key), "%s %s", json_string_value(json_object_get(item, "id")),
                     json_string_value(json_object_get(json_object_get(item, "column"), "label")));
      json_object_set(orders[run], key, json_object_get(item, "order"));
    }
    assert_true(json_object_size(orders[run]) > 5);
    json_decref(report);
    command_result_finish(&result);
  }
  assert_true(json_equal(orders[0], orders[1]));
  json_decref(orders[0]);
  json_decref(orders[1]);
}

/* ---- interruption */

static bool has_children(void *ctx) {
  return leftover_processes(ctx) > 10;
}

static bool has_none(void *ctx) {
  return leftover_processes(ctx) == 0;
}

static struct running start_long_run(struct state *s) {
  /* A window of a minute keeps every case busy until it is interrupted. */
  const char *argv[] = {"trammel", "conformance", "run", "--hold", "60s", "--converge", "60s", "-q", NULL};
  struct running running = command_start(argv, NULL);
  wait_until(has_children, s->directory, 30, "the run has started its workloads");
  return running;
}

static void an_interrupt_cleans_up(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  kill(running.pid, SIGINT);
  command_wait(&running, 30, &result);
  assert_int_equal(result.exit_code, 3);
  assert_no_leftovers(s->directory);
  command_result_finish(&result);
}

static void cleanup_removes_what_a_killed_run_left(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  kill(running.pid, SIGKILL);
  command_wait(&running, 30, &result);
  assert_int_equal(result.signal, SIGKILL);
  command_result_finish(&result);
  const char *argv[] = {"trammel", "cleanup", NULL};
  command_run(argv, NULL, 30, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  wait_until(has_none, s->directory, 10, "no process is left");
  assert_no_leftovers(s->directory);
}

static void cleanup_leaves_a_live_run_alone(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  const char *argv[] = {"trammel", "cleanup", NULL};
  command_run(argv, NULL, 30, &result);
  assert_int_equal(result.exit_code, 0);
  assert_true(leftover_processes(s->directory) > 10);
  command_result_finish(&result);
  kill(running.pid, SIGTERM);
  command_wait(&running, 30, &result);
  assert_no_leftovers(s->directory);
  command_result_finish(&result);
}

/* ---- a mesh that fails on the way */

static bool has_printed(void *ctx) {
  struct pollfd out = {.fd = ((const struct running *)ctx)->out, .events = POLLIN};
  return poll(&out, 1, 0) == 1;
}

/* What an interrupted run found can be gone on with, until it is thrown away. */
static void throw_results_away(void) {
  const char *argv[] = {"trammel", "cleanup", "--results", NULL};
  struct command_result result;
  command_run(argv, NULL, 30, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
}

/* The run must give up in time, say so, and leave nothing behind but what it found. */
static void run_while_mesh_gets(struct state *s, int signal_number, const char *said) {
  const char *argv[] = {"trammel", "conformance", "run", "--hold", "1s", "--timeout", "20s", NULL};
  struct running running = command_start(argv, NULL);
  wait_until(has_printed, &running, 60, "the first case has ended");
  kill(leftover_named(s->directory, "trammel-refmesh"), signal_number);
  struct command_result result;
  command_wait(&running, 120, &result);
  assert_int_equal(result.exit_code, 3);
  if (!strstr(strbuf_text(&result.out), said) && !strstr(strbuf_text(&result.errors), said))
    fail_msg("no '%s' in: %s %s", said, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  throw_results_away();
  assert_no_leftovers(s->directory);
}

static void a_mesh_that_dies_is_told(void **state) {
  run_while_mesh_gets(*state, SIGKILL, "SIGKILL");
}

static void a_mesh_that_hangs_ends_the_run(void **state) {
  run_while_mesh_gets(*state, SIGSTOP, "too many cases in a row could not be judged");
}

/* ---- a mesh that is there already */

struct mesh {
  struct running running;
  char endpoint[64];
};

static void start_mesh(struct mesh *mesh) {
  char listen[48];
  char ready[6];
  (void)snprintf(listen, sizeof(listen), "127.252.%d.1:15000", (int)getpid() % 255);
  (void)snprintf(mesh->endpoint, sizeof(mesh->endpoint), "control=http://%s", listen);
  mesh->running = command_start((const char *[]){"trammel-refmesh", "--control", listen, NULL}, NULL);
  assert_int_equal(read(mesh->running.out, ready, sizeof(ready)), sizeof(ready));
}

static void stop_mesh(struct mesh *mesh, int signal) {
  struct command_result result;
  assert_int_equal(kill(mesh->running.pid, signal), 0);
  command_wait(&mesh->running, 30, &result);
  command_result_finish(&result);
}

static void a_mesh_that_is_there_is_tested_and_left_clean(void **state) {
  struct state *s = *state;
  struct mesh mesh;
  start_mesh(&mesh);
  const char *argv[] = {"trammel",      "conformance", "run", "--endpoint", mesh.endpoint, "--filter",
                        "access/http/", "-q",          "-o",  "json",       NULL};
  struct command_result result;
  command_run(argv, NULL, 600, &result);
  if (result.exit_code != 0)
    fail_msg("exit %d: %s", result.exit_code, strbuf_text(&result.errors));
  json_decref(report_of(&result));
  command_result_finish(&result);
  assert_no_leftovers(s->directory);
  stop_mesh(&mesh, SIGTERM);
}

/* Whether a journal says that an object is about to be made. */
static bool has_objects(void *ctx) {
  char pattern[4096];
  glob_t found;
  bool has = false;
  (void)snprintf(pattern, sizeof(pattern), "%s/runs/*/journal.jsonl", (const char *)ctx);
  if (glob(pattern, 0, NULL, &found) != 0)
    return false;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    _cleanup_free_ char *text = NULL;
    size_t length = 0;
    has = has || (file_read(found.gl_pathv[i], 1 << 20, &text, &length, NULL) == 0 && strstr(text, "object-intended"));
  }
  globfree(&found);
  return has;
}

static void what_stays_on_a_mesh_is_told(void **state) {
  struct state *s = *state;
  struct mesh mesh;
  struct command_result result;
  start_mesh(&mesh);
  const char *argv[] = {"trammel", "conformance", "run", "--endpoint", mesh.endpoint, "--hold",
                        "60s",     "--converge",  "60s", "-q",         NULL};
  struct running running = command_start(argv, NULL);
  wait_until(has_objects, s->directory, 30, "the run has put objects on the mesh");
  stop_mesh(&mesh, SIGKILL);
  kill(running.pid, SIGINT);
  command_wait(&running, 60, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "could not be removed; `trammel cleanup` tries again"));
  assert_true(has_objects(s->directory));
  command_result_finish(&result);
}

static void an_ignored_hangup_stays_ignored(void **state) {
  struct state *s = *state;
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct sigaction before;
  struct command_result result;
  assert_int_equal(sigaction(SIGHUP, &ignore, &before), 0);
  struct running running = start_long_run(s);
  assert_int_equal(sigaction(SIGHUP, &before, NULL), 0);
  kill(running.pid, SIGHUP);
  kill(running.pid, SIGHUP);
  kill(running.pid, SIGINT); /* a second caught signal would end it at once, and leave what it has */
  command_wait(&running, 30, &result);
  assert_int_equal(result.exit_code, 3);
  assert_no_leftovers(s->directory);
  command_result_finish(&result);
}

/* ---- outputs */

static bool exists(const char *directory, const char *name) {
  char path[4096];
  struct stat status;
  (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
  return stat(path, &status) == 0;
}

static void run_shell(const char *command, struct command_result *ret_result) {
  command_run((const char *[]){"/bin/sh", "-c", command, NULL}, NULL, 60, ret_result);
}

/* Whether there is a file that was not completed. */
static bool has_partial(const char *directory) {
  DIR *all = opendir(directory);
  bool found = false;
  assert_non_null(all);
  for (const struct dirent *entry; (entry = readdir(all));)
    found |= strstr(entry->d_name, "partial") != NULL;
  (void)closedir(all);
  return found;
}

static void outputs_are_complete_or_not_there(void **state) {
  struct state *s = *state;
  struct command_result result;
  setenv("HERE", s->directory, 1);
  run_shell("cd \"$HERE\" && TRAMMEL_STATE_DIR=/proc/none exec \"$TRAMMEL_BUILD_DIR\"/bin/trammel conformance run -q "
            "-o json=a",
            &result);
  assert_int_equal(result.exit_code, 3);
  assert_false(exists(s->directory, "a"));
  assert_false(has_partial(s->directory));
  command_result_finish(&result);
  run_shell("cd \"$HERE\" && exec \"$TRAMMEL_BUILD_DIR\"/bin/trammel conformance run --filter access/http/ -q -o "
            "json=a -o junit=./a",
            &result);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "two outputs"));
  assert_false(exists(s->directory, "a"));
  assert_false(has_partial(s->directory));
  command_result_finish(&result);
  run_shell("cd \"$HERE\" && exec \"$TRAMMEL_BUILD_DIR\"/bin/trammel conformance run --requirement SPL-01 -q -o "
            "json=a -o text >/dev/full",
            &result);
  assert_int_equal(result.exit_code, 4);
  assert_non_null(strstr(strbuf_text(&result.errors), "standard output"));
  assert_true(exists(s->directory, "a"));
  assert_false(has_partial(s->directory));
  command_result_finish(&result);
}

static void lost_output_is_an_error(void **state) {
  (void)state;
  static const char *const commands[] = {"--help", "conformance list", "conformance run --help", "adapter list"};
  static const char *const outputs[] = {">/dev/full", ">&-"};
  for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
    for (size_t k = 0; k < sizeof(outputs) / sizeof(*outputs); k++) {
      char command[256];
      struct command_result result;
      (void)snprintf(command, sizeof(command), "exec \"$TRAMMEL_BUILD_DIR\"/bin/trammel %s %s", commands[i],
                     outputs[k]);
      run_shell(command, &result);
      if (result.exit_code != 4)
        fail_msg("%s: exit %d", command, result.exit_code);
      command_result_finish(&result);
    }
}

/* ---- what cannot be run */

static void expect(const char *const *argv, int exit_code, const char *text) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != exit_code || !strstr(strbuf_text(&result.errors), text))
    fail_msg("exit %d instead of %d, or no '%s' in: %s", result.exit_code, exit_code, text,
             strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void bad_requests_are_explained(void **state) {
  (void)state;
  expect((const char *[]){"trammel", "conformance", "run", "--mesh", "nosuch", NULL}, 2, "nosuch");
  expect((const char *[]){"trammel", "conformance", "run", "--filter", "nosuch", NULL}, 2, "no case is selected");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "fault=nosuch", NULL}, 2, "allow-by-default");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "nosuch=1", NULL}, 2, "fault");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "fault", NULL}, 2, "KEY=VALUE");
  expect((const char *[]){"trammel", "conformance", "run", "--group", "nosuch", NULL}, 2, "access, specs, split");
  expect((const char *[]){"trammel", "conformance", "run", "--requirement", "ACC-99", NULL}, 2, "ACC-99");
  expect((const char *[]){"trammel", "conformance", "run", "-o", "pdf", NULL}, 2, "junit");
  expect((const char *[]){"trammel", "conformance", "run", "--parallel", "0", NULL}, 2, "from 1 to 32");
  expect((const char *[]){"trammel", "conformance", "run", "--hold", "soon", NULL}, 2, "500ms");
  expect((const char *[]){"trammel", "conformance", "run", "--config", "/nonexistent.yaml", NULL}, 2,
         "/nonexistent.yaml");
  expect((const char *[]){"trammel", "conformance", "run", "-o", "json=/nonexistent/x", NULL}, 2, "/nonexistent/x");
  expect((const char *[]){"trammel", "conformance", "run", "-o", "json=/", NULL}, 2, "directory");
  expect((const char *[]){"trammel", "conformance", "run", "--case", "access/http", NULL}, 2, "no case 'access/http'");
  expect((const char *[]){"trammel", "conformance", "run", "--endpoint", "control", NULL}, 2, "NAME=URL");
  expect((const char *[]){"trammel", "conformance", "run", "--endpoint", "x=http://127.0.0.1", NULL}, 2, "control");
  expect((const char *[]){"trammel", "conformance", "list", "--filter", "zzz", NULL}, 2, "no case is selected");
}

static void a_relative_state_directory_is_refused_alike(void **state) {
  (void)state;
  setenv("TRAMMEL_STATE_DIR", "relative", 1); /* each test sets its own */
  expect((const char *[]){"trammel", "conformance", "run", NULL}, 2, "absolute path");
  expect((const char *[]){"trammel", "cleanup", NULL}, 2, "absolute path");
}

static void a_wrong_configuration_file_is_placed(void **state) {
  struct state *s = *state;
  char path[4096];
  (void)snprintf(path, sizeof(path), "%s/config.yaml", s->directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("# the mesh\ntrust_domain: 7\n", file);
  assert_int_equal(fclose(file), 0);
  const char *argv[] = {"trammel", "conformance", "run", "--config", path, NULL};
  expect(argv, 2, "config.yaml:2:15: error[SCHEMA-0001]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_reference_mesh_passes_every_case, setup, teardown),
      cmocka_unit_test_setup_teardown(a_seed_gives_the_same_order, setup, teardown),
      cmocka_unit_test_setup_teardown(an_interrupt_cleans_up, setup, teardown),
      cmocka_unit_test_setup_teardown(cleanup_removes_what_a_killed_run_left, setup, teardown),
      cmocka_unit_test_setup_teardown(cleanup_leaves_a_live_run_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(a_mesh_that_is_there_is_tested_and_left_clean, setup, teardown),
      cmocka_unit_test_setup_teardown(what_stays_on_a_mesh_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(an_ignored_hangup_stays_ignored, setup, teardown),
      cmocka_unit_test_setup_teardown(outputs_are_complete_or_not_there, setup, teardown),
      cmocka_unit_test_setup_teardown(lost_output_is_an_error, setup, teardown),
      cmocka_unit_test_setup_teardown(a_relative_state_directory_is_refused_alike, setup, teardown),
      cmocka_unit_test_setup_teardown(a_mesh_that_dies_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(a_mesh_that_hangs_ends_the_run, setup, teardown),
      cmocka_unit_test_setup_teardown(bad_requests_are_explained, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wrong_configuration_file_is_placed, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
