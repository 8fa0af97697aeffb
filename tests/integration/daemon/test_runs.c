/* The runs of a host with no service around them, on SQLite and on PostgreSQL: what threads do to each other is seen
 * here by ThreadSanitizer. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "host/runs/runs.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"
#include "tests/support/command.h"
#include "tests/support/postgres_server.h"

#define WATCHERS 4
#define LIMIT_S 120
#define QUICK "{\"cases\": [\"split/http/omitted-backend\"], \"versions\": [\"split/v1alpha4\"]}"
#define SLOW "{\"cases\": [\"split/http/omitted-backend\"], \"holdMs\": 60000}"
#define NO_MESH "{\"mesh\": \"no-such-mesh\"}"

static struct postgres_server *server; /* NULL: SQLite */
static unsigned place;
static char *directory;
static char *location;
static struct store *store;
static struct runs *runs;

#define OK(call)                                                                                                       \
  do {                                                                                                                 \
    struct error *err = NULL;                                                                                          \
    if ((call) < 0)                                                                                                    \
      fail_msg("%s: %s", #call, error_message(err));                                                                   \
  } while (0)

#define REFUSED(code, call)                                                                                            \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    assert_int_equal((call), -(code));                                                                                 \
    assert_true(error_message(err)[0] != '\0');                                                                        \
  } while (0)

/* ---- a host */

static void ignore(void *ctx, const char *run, const char *text) {
  (void)ctx;
  (void)run;
  (void)text;
}

static void open_runs(struct runs_limits limits) {
  char program[4096];
  (void)snprintf(program, sizeof(program), "%s/bin/trammel", getenv("TRAMMEL_BUILD_DIR"));
  OK(store_open(location, "host", &store, NULL, &err));
  const struct runs_options options = {
      .state_directory = directory, .program = program, .store = store, .limits = limits, .log = ignore};
  OK(runs_open(&options, &runs, &err));
}

static void close_runs(void) {
  runs_close(runs);
  store_close(store);
  runs = NULL;
  store = NULL;
}

static void make_schema(void) {
  char conninfo[512], statement[64];
  (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=postgres dbname=postgres",
                 postgres_server_directory(server));
  (void)snprintf(statement, sizeof(statement), "CREATE SCHEMA place%u", ++place);
  PGconn *connection = PQconnectdb(conninfo);
  PGresult *result = PQexec(connection, statement);
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    fail_msg("%s", PQerrorMessage(connection));
  PQclear(result);
  PQfinish(connection);
}

static int begin(void **state) {
  (void)state;
  directory = scratch_create();
  if (server)
    make_schema();
  int length = server
                   ? asprintf(&location, "postgres:///postgres?host=%s&user=postgres&options=-csearch_path%%3Dplace%u",
                              postgres_server_directory(server), place)
                   : asprintf(&location, "%s/store", directory);
  assert_true(length > 0);
  open_runs((struct runs_limits){.at_once = 4, .at_once_per_mesh = 1});
  return 0;
}

static int end(void **state) {
  (void)state;
  close_runs();
  free(location);
  scratch_remove(directory);
  return 0;
}

static void start(const char *spec, char ret_id[RUN_ID_SIZE]) {
  json_auto_t *value = json_loads(spec, 0, NULL);
  struct run_view view;
  OK(runs_start(runs, value, &view, &err));
  (void)memcpy(ret_id, view.id, RUN_ID_SIZE);
  run_view_finish(&view);
}

static struct run_view get(const char *id) {
  struct run_view view;
  OK(runs_get(runs, id, &view, &err));
  run_view_finish(&view);
  return view;
}

static void cancel(const char *id) {
  struct run_view view;
  OK(runs_cancel(runs, id, &view, &err));
  run_view_finish(&view);
}

/* All events after `after`, as text. */
static char *events_of(const char *id, uint64_t after) {
  static const atomic_bool never;
  struct runs_watch *watch = NULL;
  json_auto_t *list = json_array();
  json_t *event = NULL;
  uint64_t sequence = after;
  OK(runs_watch_open(runs, id, after, &watch, &err));
  while (runs_watch_next(watch, &never, &event, &sequence, NULL) == 1) {
    assert_true(sequence == ++after);
    assert_int_equal(json_array_append_new(list, event), 0);
  }
  runs_watch_close(watch);
  return json_dumps(list, JSON_SORT_KEYS);
}

static const char *last_state(const char *events) {
  json_auto_t *list = json_loads(events, 0, NULL);
  const json_t *event = json_array_get(list, json_array_size(list) - 1);
  assert_string_equal(json_string_value(json_object_get(event, "type")), "ended");
  for (enum run_state state = RUN_QUEUED; state <= RUN_INTERRUPTED; state++)
    if (strcmp(run_state_name(state), json_string_value(json_object_get(event, "state"))) == 0)
      return run_state_name(state);
  return "?";
}

static void expect_end(const char *id, const char *state) {
  _cleanup_free_ char *events = events_of(id, 0);
  assert_string_equal(last_state(events), state);
}

static bool is_running(void *ctx) {
  return get(ctx).state == RUN_RUNNING;
}

/* ---- tests */

struct watcher {
  pthread_t thread;
  const char *id;
  char *events;
};

static void *watch_all(void *ctx) {
  struct watcher *watcher = ctx;
  watcher->events = events_of(watcher->id, 0);
  return NULL;
}

static void a_run_is_kept_as_it_was_told(void **state) {
  (void)state;
  char id[RUN_ID_SIZE];
  struct watcher watchers[WATCHERS];
  struct store_result *results = NULL;
  size_t count = 0, length = 0;
  char *report = NULL;
  start(QUICK, id);
  for (size_t i = 0; i < WATCHERS; i++) {
    watchers[i].id = id;
    assert_int_equal(pthread_create(&watchers[i].thread, NULL, watch_all, &watchers[i]), 0);
  }
  for (size_t i = 0; i < WATCHERS; i++)
    assert_int_equal(pthread_join(watchers[i].thread, NULL), 0);
  struct run_view view = get(id);
  assert_int_equal(view.state, RUN_ENDED);
  assert_int_equal(view.exit_code, 0);
  assert_int_equal(view.done, 1);
  assert_string_equal(view.mesh, "reference");
  close_runs();
  open_runs((struct runs_limits){.at_once = 4, .at_once_per_mesh = 1});
  assert_int_equal(runs_found_interrupted(runs), 0);
  char *kept = events_of(id, 0);
  for (size_t i = 0; i < WATCHERS; i++) {
    assert_string_equal(watchers[i].events, kept);
    free(watchers[i].events);
  }
  free(kept);
  assert_int_equal(get(id).done, 1);
  OK(store_result_list(store, id, NULL, 10, &results, &count, &err));
  assert_int_equal(count, 1);
  assert_string_equal(results[0].name, "split/http/omitted-backend [split/v1alpha4]");
  assert_string_equal(results[0].verdict, "passed");
  assert_non_null(strstr(results[0].detail, "SPL-05"));
  store_results_free(results, count);
  OK(runs_report(runs, id, &report, &length, &err));
  json_auto_t *json = json_loadb(report, length, 0, NULL);
  assert_int_equal(json_array_size(json_object_get(json, "cases")), 1);
  free(report);
}

static void one_mesh_has_one_run_however_it_is_spelled(void **state) {
  (void)state;
  char first[RUN_ID_SIZE], second[RUN_ID_SIZE];
  char *report = NULL;
  size_t length = 0;
  start(SLOW, first);
  start("{\"mesh\": \"reference\"}", second);
  wait_until(is_running, first, LIMIT_S, "the first run");
  REFUSED(EAGAIN, runs_report(runs, first, &report, &length, &err));
  assert_int_equal(get(second).state, RUN_QUEUED);
  cancel(second);
  expect_end(second, "cancelled");
  assert_int_equal(get(first).state, RUN_RUNNING);
  cancel(first);
  expect_end(first, "cancelled");
}

static void what_goes_on_at_the_end_is_interrupted(void **state) {
  (void)state;
  char first[RUN_ID_SIZE], second[RUN_ID_SIZE];
  struct run_view view;
  json_auto_t *spec = json_object();
  start(SLOW, first);
  start(SLOW, second);
  wait_until(is_running, first, LIMIT_S, "the first run");
  runs_stop(runs, 60 * NS_PER_SECOND);
  REFUSED(ESHUTDOWN, runs_start(runs, spec, &view, &err));
  expect_end(first, "interrupted");
  expect_end(second, "interrupted");
}

/* As a host leaves it that was killed. */
static void what_a_host_left_is_completed(void **state) {
  (void)state;
  const struct store_run run = {.id = "20260101T000000.000Z-00000001", .kind = "conformance", .command = "{}"};
  const struct store_happening events[] = {
      {"{\"type\":\"started\",\"unixMs\":1}", NULL},
      {"{\"type\":\"planned\",\"planned\":7,\"unixMs\":1}", NULL},
      {"{\"type\":\"caseEnded\",\"outcome\":\"failed\",\"done\":3,\"unixMs\":1}", NULL}};
  OK(store_run_add(store, &run, &err));
  OK(store_run_start(store, run.id, &err));
  OK(store_events_add(store, run.id, events, 3, NULL, &err));
  for (int i = 0; i < 2; i++) {
    close_runs();
    open_runs((struct runs_limits){.at_once = 4, .at_once_per_mesh = 1});
    assert_int_equal(runs_found_interrupted(runs), i == 0 ? 1 : 0);
    struct run_view view = get(run.id);
    assert_int_equal(view.state, RUN_INTERRUPTED);
    assert_int_equal(view.planned, 7);
    assert_int_equal(view.done, 3);
    assert_int_equal(view.failed, 1);
    assert_int_equal(view.last_sequence, 4);
    expect_end(run.id, "interrupted");
  }
}

static bool is_pruned(void *ctx) {
  struct run_view *views = NULL;
  size_t count = 0;
  OK(runs_list(runs, NULL, NULL, 0, &views, &count, &err));
  runs_list_free(views, count);
  return count == *(size_t *)ctx;
}

static void only_the_latest_stay(void **state) {
  (void)state;
  char ids[5][RUN_ID_SIZE];
  struct run_view *views = NULL;
  size_t count = 0, wanted = 2;
  for (size_t i = 0; i < 5; i++) {
    start(NO_MESH, ids[i]);
    expect_end(ids[i], "ended");
    assert_int_equal(get(ids[i]).exit_code, 2);
  }
  OK(runs_list(runs, "no-such-mesh", ids[3], 2, &views, &count, &err));
  assert_int_equal(count, 2);
  assert_string_equal(views[0].id, ids[2]);
  assert_string_equal(views[1].id, ids[1]);
  runs_list_free(views, count);
  runs_set_limits(runs, &(struct runs_limits){.at_once = 4, .at_once_per_mesh = 1, .kept = 2});
  wait_until(is_pruned, &wanted, LIMIT_S, "old runs to go");
  struct run_view view;
  REFUSED(ENOENT, runs_get(runs, ids[2], &view, &err));
  REFUSED(ENOENT, runs_list(runs, NULL, ids[2], 2, &views, &count, &err));
  start(NO_MESH, ids[0]);
  expect_end(ids[0], "ended");
  wait_until(is_pruned, &wanted, LIMIT_S, "one more to go");
  assert_int_equal(get(ids[4]).state, RUN_ENDED);
}

static void what_is_no_run_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"[]",
                                    "{\"suite\": \"/etc\"}",
                                    "{\"suite\": \"..\"}",
                                    "{\"parallel\": 33}",
                                    "{\"seed\": \"-1\"}",
                                    "{\"cases\": [\"\"]}",
                                    "{\"events\": \"/etc/passwd\"}"};
  struct run_view view;
  struct runs_watch *watch = NULL;
  for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
    json_auto_t *spec = json_loads(bad[i], 0, NULL);
    REFUSED(EINVAL, runs_start(runs, spec, &view, &err));
  }
  REFUSED(ENOENT, runs_get(runs, "../../etc/passwd", &view, &err));
  REFUSED(ENOENT, runs_cancel(runs, "x", &view, &err));
  REFUSED(ENOENT, runs_watch_open(runs, "x", 0, &watch, &err));
  char id[RUN_ID_SIZE];
  start(NO_MESH, id);
  expect_end(id, "ended");
  REFUSED(EINVAL, runs_watch_open(runs, id, 1000, &watch, &err));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
static const struct CMUnitTest tests[] = {
    TEST(a_run_is_kept_as_it_was_told),
    TEST(one_mesh_has_one_run_however_it_is_spelled),
    TEST(what_goes_on_at_the_end_is_interrupted),
    TEST(what_a_host_left_is_completed),
    TEST(only_the_latest_stay),
    TEST(what_is_no_run_is_refused),
};

/* Where PostgreSQL could do otherwise. */
static const struct CMUnitTest server_tests[] = {
    TEST(a_run_is_kept_as_it_was_told),
    TEST(what_goes_on_at_the_end_is_interrupted),
    TEST(what_a_host_left_is_completed),
};

int main(void) {
  int failed = cmocka_run_group_tests_name("runs on SQLite", tests, NULL, NULL);
  server = postgres_server_start();
  if (server)
    failed += cmocka_run_group_tests_name("runs on PostgreSQL", server_tests, NULL, NULL);
  postgres_server_stop(server);
  return failed;
}
