/* The store's suite on a real PostgreSQL, and what only a server can do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "tests/integration/store/suite.h"
#include "tests/support/postgres_server.h"

static struct postgres_server *server;
static unsigned place;
static char location[512];

static void execute_in(unsigned schema, const char *statements) {
  char conninfo[512];
  (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=postgres dbname=postgres options=-csearch_path=place%u",
                 postgres_server_directory(server), schema);
  PGconn *connection = PQconnectdb(conninfo);
  PGresult *result = PQexec(connection, statements);
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    fail_msg("%s%s", PQerrorMessage(connection), statements);
  PQclear(result);
  PQfinish(connection);
}

static void execute(const char *statements) {
  execute_in(place, statements);
}

/* A schema for each test. */
static void begin(void) {
  char statement[64];
  (void)snprintf(statement, sizeof(statement), "CREATE SCHEMA place%u", ++place);
  execute(statement);
  (void)snprintf(location, sizeof(location),
                 "postgres:///postgres?host=%s&user=postgres&options=-csearch_path%%3Dplace%u",
                 postgres_server_directory(server), place);
}

static const char *where(void) {
  return location;
}

static void end(void) {}

#define TEXT "TEXT COLLATE \"C\" NOT NULL"
static const struct backend backend = {
    .begin = begin,
    .location = where,
    .end = end,
    .execute = execute,
    .schema_1 =
        "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY); INSERT INTO schema_version VALUES (1);"
        "CREATE TABLE runs (id " TEXT " PRIMARY KEY, kind " TEXT ", mesh " TEXT ", subject " TEXT ", who " TEXT
        ", command " TEXT ", summary " TEXT ", owner " TEXT ", state BIGINT NOT NULL, seed BIGINT NOT NULL,"
        " created_ns BIGINT NOT NULL, started_ns BIGINT NOT NULL, finished_ns BIGINT NOT NULL,"
        " event_count BIGINT NOT NULL);"
        "CREATE TABLE events (run " TEXT " REFERENCES runs ON DELETE CASCADE, sequence BIGINT NOT NULL,"
        " at_ns BIGINT NOT NULL, text " TEXT ", PRIMARY KEY (run, sequence));"
        "CREATE TABLE results (run " TEXT " REFERENCES runs ON DELETE CASCADE, name " TEXT ", verdict " TEXT
        ", detail " TEXT ", PRIMARY KEY (run, name));",
};

static int setup(void **state) {
  (void)state;
  begin();
  return 0;
}

static void a_server_that_comes_back_is_used_again(void **state) {
  (void)state;
  struct store *store = open_store(location, OWNER, 0);
  add_run(store, "r1", "m");
  start_run(store, "r1");
  assert_int_equal(add_event(store, "r1"), 1);
  assert_int_equal(state_of(store, "r1"), STORE_RUNNING);
  postgres_server_down(server);
  postgres_server_up(server);
  assert_int_equal(add_event(store, "r1"), 2);
  assert_int_equal(state_of(store, "r1"), STORE_RUNNING);
  /* It is its owner's again, too. */
  struct store *second = NULL;
  assert_int_equal(store_open(location, OWNER, &second, NULL, NULL), -EBUSY);
  store_close(store);
}

static void a_server_that_is_away_is_told_without_the_password(void **state) {
  (void)state;
  char url[512];
  struct store *store = NULL;
  struct error *err = NULL;
  (void)snprintf(url, sizeof(url), "postgres://postgres:geheim@/postgres?host=%s/nowhere",
                 postgres_server_directory(server));
  assert_int_equal(store_open(url, OWNER, &store, NULL, &err), -ECONNREFUSED);
  assert_null(strstr(error_message(err), "geheim"));
  assert_non_null(strstr(error_message(err), "nowhere"));
  error_free(err);
}

static void owners_of_one_server_work_side_by_side(void **state) {
  (void)state;
  struct store *a = open_store(location, OWNER, 0);
  add_run(a, "a1", "m");
  start_run(a, "a1");
  struct store *b = open_store(location, "host-b", 0);
  add_run(b, "b1", "m");
  start_run(b, "b1");
  store_close(b);
  b = open_store(location, "host-b", 1);
  assert_int_equal(state_of(b, "a1"), STORE_RUNNING);
  assert_int_equal(state_of(a, "b1"), STORE_INTERRUPTED);
  store_close(b);
  store_close(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(owners_of_one_server_work_side_by_side, setup),
      cmocka_unit_test_setup(a_server_that_comes_back_is_used_again, setup),
      cmocka_unit_test_setup(a_server_that_is_away_is_told_without_the_password, setup),
  };
  server = postgres_server_start();
  if (!server)
    return 77;
  int failed = suite_run("the store on PostgreSQL", &backend);
  failed += cmocka_run_group_tests_name("a server", tests, NULL, NULL);
  postgres_server_stop(server);
  return failed;
}
