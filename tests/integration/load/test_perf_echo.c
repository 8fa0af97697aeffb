/* Load by echo over TCP and UDP: what comes back is compared, and each way in which it does not come has its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/load/echo_server.h"
#include "tests/integration/load/perf_command.h"

#define THIRTY "--body", "hello", "--rate", "100", "-d", "300ms"
#define MAX "--body", "hello", "--rate", "max", "-d", "300ms"

static json_int_t datagrams(const json_t *json, const char *name) {
  const json_t *value = json_object_get(json_object_get(json, "datagrams"), name);
  assert_true(json_is_integer(value));
  return json_integer_value(value);
}

static void assert_protocol(const json_t *json, const char *protocol) {
  assert_string_equal(json_string_value(json_object_get(json, "protocol")), protocol);
  assert_string_equal(json_string_value(json_object_get(json, "method")), "ECHO");
  assert_int_equal(json_object_size(json_object_get(json, "statuses")), 0);
}

static void what_is_sent_by_tcp_comes_back(void **state) {
  struct echo_server *server = echo_server_start(ECHO_ECHOES);
  (void)state;
  json_t *json = perf_command_run(echo_server_tcp(server), PERF_OPTIONS(MAX, "-c", "4", "-t", "2"), 0);
  assert_protocol(json, "tcp");
  assert_true(perf_number(json, "completed") > 0);
  assert_int_equal(perf_number(json, "failed"), 0);
  assert_int_equal(perf_number(json, "bytesRead"), 5 * perf_number(json, "completed"));
  assert_int_equal(perf_number(json, "connectionsMade"), 4);
  assert_null(json_object_get(json, "datagrams"));
  json_decref(json);
  json = perf_command_run(echo_server_tcp(server), PERF_OPTIONS(THIRTY, "--fresh"), PERF_AS_VERDICT);
  assert_int_equal(perf_number(json, "completed"), 30);
  assert_in_range(perf_number(json, "connectionsMade"), 30, 40);
  json_decref(json);
  echo_server_stop(server);
}

static void each_way_to_misbehave_by_tcp_has_its_name(void **state) {
  static const struct {
    enum echo_conduct conduct;
    const char *error;
  } ways[] = {{ECHO_GARBLES, "malformed"}, {ECHO_ADDS, "malformed"}, {ECHO_HALVES, "closed"}};
  (void)state;
  for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
    struct echo_server *server = echo_server_start(ways[i].conduct);
    json_t *json = perf_command_run(echo_server_tcp(server), PERF_OPTIONS(THIRTY), 3);
    if (perf_errors(json, ways[i].error) != 30)
      fail_msg("%s: %s", ways[i].error, json_dumps(json_object_get(json, "errors"), 0));
    json_decref(json);
    echo_server_stop(server);
  }
}

static void a_mute_target_times_out(void **state) {
  struct echo_server *server = echo_server_start(ECHO_MUTE);
  (void)state;
  json_t *json = perf_command_run(echo_server_tcp(server), PERF_OPTIONS(THIRTY, "-c", "40", "--timeout", "200ms"), 3);
  assert_int_equal(perf_errors(json, "timeout"), 30);
  json_decref(json);
  echo_server_stop(server);
}

/* Of one connection that is never empty, the clock is looked at all the same. */
static void a_flood_ends_by_the_timeout(void **state) {
  struct echo_server *server = echo_server_start(ECHO_FLOODS);
  char url[64] = "http";
  (void)state;
  (void)strncat(url, echo_server_tcp(server) + strlen("tcp"), sizeof(url) - strlen(url) - 1);
  json_t *json = perf_command_run(
      url, PERF_OPTIONS("--rate", "max", "-c", "1", "-d", "1s", "--timeout", "200ms", "--drain", "300ms"), 3);
  assert_true(perf_errors(json, "timeout") > 0);
  assert_int_equal(perf_number(json, "completed"), 0);
  assert_true(perf_number(json, "bytesRead") > 1 << 20);
  json_decref(json);
  echo_server_stop(server);
}

static void datagrams_come_back_in_any_number(void **state) {
  struct echo_server *server = echo_server_start(ECHO_ECHOES);
  (void)state;
  json_t *json =
      perf_command_run(echo_server_udp(server), PERF_OPTIONS(MAX, "-c", "2", "-t", "2", "--streams", "40"), 0);
  assert_protocol(json, "udp");
  assert_int_equal(perf_number(json, "failed"), 0);
  assert_int_equal(perf_number(json, "completed"), echo_server_datagrams(server));
  assert_int_equal(perf_number(json, "bytesRead"), 13 * perf_number(json, "completed"));
  assert_int_equal(datagrams(json, "late") + datagrams(json, "duplicate") + datagrams(json, "foreign"), 0);
  json_decref(json);
  echo_server_stop(server);
}

static void what_is_lost_is_counted(void **state) {
  struct echo_server *server = echo_server_start(ECHO_LOSES);
  (void)state;
  json_t *json = perf_command_run(
      echo_server_udp(server),
      PERF_OPTIONS("--body", "hello", "--rate", "400", "-d", "300ms", "--streams", "100", "--timeout", "3s"),
      PERF_AS_VERDICT);
  assert_int_equal(perf_number(json, "completed"), 90);
  assert_int_equal(perf_errors(json, "lost"), 30);
  json_decref(json);
  echo_server_stop(server);
}

static void what_comes_twice_answers_once(void **state) {
  struct echo_server *server = echo_server_start(ECHO_DOUBLES);
  (void)state;
  json_t *json = perf_command_run(echo_server_udp(server), PERF_OPTIONS(THIRTY, "-c", "1"), PERF_AS_VERDICT);
  assert_int_equal(perf_number(json, "completed"), 30);
  assert_in_range(datagrams(json, "duplicate"), 29, 30); /* the run may end before the last one */
  assert_int_equal(datagrams(json, "late") + datagrams(json, "foreign"), 0);
  json_decref(json);
  echo_server_stop(server);
}

static void what_comes_after_it_was_lost_is_late(void **state) {
  struct echo_server *server = echo_server_start(ECHO_DELAYS);
  (void)state;
  json_t *json = perf_command_run(
      echo_server_udp(server),
      PERF_OPTIONS("--body", "hello", "--rate", "max", "-d", "1500ms", "-c", "1", "--timeout", "100ms"), 3);
  assert_int_equal(perf_number(json, "completed"), 0);
  assert_true(perf_errors(json, "lost") >= 3);
  assert_true(datagrams(json, "late") >= 1);
  assert_int_equal(datagrams(json, "duplicate") + datagrams(json, "foreign"), 0);
  json_decref(json);
  echo_server_stop(server);
}

static void what_nobody_sent_is_foreign(void **state) {
  struct echo_server *server = echo_server_start(ECHO_INVENTS);
  (void)state;
  json_t *json = perf_command_run(echo_server_udp(server), PERF_OPTIONS(THIRTY, "-c", "1"), PERF_AS_VERDICT);
  assert_int_equal(perf_number(json, "completed"), 30);
  assert_int_equal(datagrams(json, "foreign"), 60);
  json_decref(json);
  echo_server_stop(server);
}

static void other_bytes_are_malformed_by_udp_too(void **state) {
  static const enum echo_conduct ways[] = {ECHO_GARBLES, ECHO_ADDS, ECHO_HALVES};
  (void)state;
  for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
    struct echo_server *server = echo_server_start(ways[i]);
    json_t *json = perf_command_run(echo_server_udp(server), PERF_OPTIONS(THIRTY), 3);
    assert_int_equal(perf_errors(json, "malformed"), 30);
    json_decref(json);
    echo_server_stop(server);
  }
}

static void who_is_not_there_is_told_by_udp_too(void **state) {
  (void)state;
  json_t *json = perf_command_run("udp://127.0.0.1:1", PERF_OPTIONS(THIRTY), 3);
  assert_int_equal(perf_errors(json, "refused"), 30);
  json_decref(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_sent_by_tcp_comes_back),
      cmocka_unit_test(each_way_to_misbehave_by_tcp_has_its_name),
      cmocka_unit_test(a_mute_target_times_out),
      cmocka_unit_test(a_flood_ends_by_the_timeout),
      cmocka_unit_test(datagrams_come_back_in_any_number),
      cmocka_unit_test(what_is_lost_is_counted),
      cmocka_unit_test(what_comes_twice_answers_once),
      cmocka_unit_test(what_comes_after_it_was_lost_is_late),
      cmocka_unit_test(what_nobody_sent_is_foreign),
      cmocka_unit_test(other_bytes_are_malformed_by_udp_too),
      cmocka_unit_test(who_is_not_there_is_told_by_udp_too),
  };
  return cmocka_run_group_tests_name("perf_echo", tests, NULL, NULL);
}
