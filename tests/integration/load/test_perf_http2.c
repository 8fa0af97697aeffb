/* Load by HTTP/2: streams of a connection, what the target allows of them, and each way in which they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/load/http2_server.h"
#include "tests/integration/load/perf_command.h"
#include "tests/support/certificates.h"
#include "tests/support/command.h"

static struct http2_server *start(enum http2_conduct conduct, unsigned streams) {
  return http2_server_start(&(struct http2_server_options){.conduct = conduct, .streams = streams});
}

#define MAX_OF_300MS "--http2", "--rate", "max", "-d", "300ms"
#define THIRTY "--http2", "--rate", "100", "-d", "300ms"

static void assert_all_answered(const json_t *json) {
  assert_int_equal(perf_number(json, "failed") + perf_number(json, "censored"), 0);
  assert_int_equal(perf_number(json_object_get(json, "statuses"), "200"), perf_number(json, "completed"));
  assert_int_equal(perf_latency_count(json, "firstByte"), perf_number(json, "completed"));
}

static void connections_carry_streams(void **state) {
  struct http2_server *server = start(HTTP2_ANSWERS, 0);
  (void)state;
  json_t *json =
      perf_command_run(http2_server_url(server), PERF_OPTIONS(MAX_OF_300MS, "-c", "4", "-t", "2", "--streams", "8"), 0);
  assert_all_answered(json);
  assert_string_equal(json_string_value(json_object_get(json, "protocol")), "h2");
  assert_int_equal(perf_number(json, "completed"), http2_server_requests(server));
  assert_int_equal(perf_number(json, "connectionsMade"), 4);
  assert_in_range(http2_server_most_open(server), 2, 8);
  json_decref(json);
  http2_server_stop(server);
}

static void a_target_may_allow_fewer(void **state) {
  struct http2_server *server = start(HTTP2_ANSWERS, 3);
  (void)state;
  json_t *json =
      perf_command_run(http2_server_url(server), PERF_OPTIONS(MAX_OF_300MS, "-c", "1", "--streams", "50"), 0);
  assert_all_answered(json);
  assert_in_range(http2_server_most_open(server), 1, 3);
  json_decref(json);
  http2_server_stop(server);
}

/* Longer than the windows that a server has at first: it goes out as the server lets it. */
static void bodies_follow_the_windows(void **state) {
  enum { BODY = 300000 };
  struct http2_server *server = start(HTTP2_ANSWERS, 0);
  char *directory = scratch_create(), path[4096];
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/body", directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int i = 0; i < BODY; i++)
    assert_int_equal(fputc('x', file), 'x');
  assert_int_equal(fclose(file), 0);
  json_t *json = perf_command_run(http2_server_url(server),
                                  PERF_OPTIONS(MAX_OF_300MS, "-c", "2", "--streams", "4", "--body-file", path), 0);
  assert_all_answered(json);
  assert_int_equal(http2_server_body_bytes(server), BODY * http2_server_requests(server));
  json_decref(json);
  scratch_remove(directory);
  http2_server_stop(server);
}

static void it_is_agreed_on_with_tls(void **state) {
  char *directory = scratch_create(), certificate[4096], key[4096], authority[4096];
  (void)state;
  certificates_make_authority(directory, "ca");
  certificates_make(directory, "server", "ca", "IP:127.0.0.1");
  (void)snprintf(authority, sizeof(authority), "%s/ca.pem", directory);
  (void)snprintf(certificate, sizeof(certificate), "%s/server.pem", directory);
  (void)snprintf(key, sizeof(key), "%s/server.key", directory);
  struct http2_server *server =
      http2_server_start(&(struct http2_server_options){.certificate_file = certificate, .key_file = key});
  json_t *json = perf_command_run(http2_server_url(server),
                                  PERF_OPTIONS(MAX_OF_300MS, "-c", "2", "--streams", "4", "--cacert", authority), 0);
  assert_all_answered(json);
  assert_int_equal(perf_latency_count(json, "securing"), 2);
  json_decref(json);
  http2_server_stop(server);
  scratch_remove(directory);
}

static void a_connection_that_is_given_up_is_replaced(void **state) {
  struct http2_server *server = start(HTTP2_LEAVES, 0);
  (void)state;
  json_t *json = perf_command_run(http2_server_url(server),
                                  PERF_OPTIONS("--http2", "--rate", "300", "-d", "300ms", "-c", "1"), PERF_AS_VERDICT);
  assert_all_answered(json);
  assert_in_range(perf_number(json, "connectionsMade"), perf_number(json, "completed") / 10,
                  perf_number(json, "completed") / 10 + 1);
  json_decref(json);
  http2_server_stop(server);
}

static void fresh_connections_are_one_for_each_request(void **state) {
  struct http2_server *server = start(HTTP2_ANSWERS, 0);
  (void)state;
  json_t *json =
      perf_command_run(http2_server_url(server), PERF_OPTIONS(THIRTY, "-c", "2", "--fresh"), PERF_AS_VERDICT);
  assert_all_answered(json);
  assert_in_range(perf_number(json, "connectionsMade"), perf_number(json, "completed"),
                  perf_number(json, "completed") + 2);
  json_decref(json);
  http2_server_stop(server);
}

static void each_way_to_misbehave_has_its_name(void **state) {
  static const struct {
    enum http2_conduct conduct;
    const char *error;
  } ways[] = {{HTTP2_RESETS, "streamReset"},
              {HTTP2_CLOSES, "closed"},
              {HTTP2_BREAKS, "malformed"},
              {HTTP2_NO_REQUESTS, "malformed"}};
  (void)state;
  for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
    struct http2_server *server = start(ways[i].conduct, 0);
    json_t *json = perf_command_run(http2_server_url(server), PERF_OPTIONS(THIRTY, "-c", "2", "--streams", "1"), 3);
    if (perf_errors(json, ways[i].error) != 30)
      fail_msg("%s: %s", ways[i].error, json_dumps(json_object_get(json, "errors"), 0));
    json_decref(json);
    http2_server_stop(server);
  }
}

/* The others of the connection are answered, and the connection stays. */
static void a_stream_that_is_not_answered_is_given_up(void **state) {
  struct http2_server *server = start(HTTP2_MUTE, 0);
  (void)state;
  json_t *json = perf_command_run(
      http2_server_url(server),
      PERF_OPTIONS("--http2", "--rate", "max", "-d", "2s", "-c", "1", "--streams", "2", "--timeout", "500ms"), 0);
  assert_true(perf_errors(json, "timeout") > 0);
  assert_int_equal(perf_errors(json, "timeout"), perf_number(json, "failed"));
  assert_true(perf_number(json, "completed") > 0);
  assert_int_equal(perf_number(json, "connectionsMade"), 1);
  json_decref(json);
  http2_server_stop(server);
}

/* Refusals come at once: a closed loop waits after each, and does not ask thousands of times. */
static void a_closed_loop_pauses_after_a_reset(void **state) {
  struct http2_server *server = start(HTTP2_RESETS, 0);
  (void)state;
  json_t *json = perf_command_run(http2_server_url(server), PERF_OPTIONS(MAX_OF_300MS, "-c", "2", "--streams", "3"), 3);
  assert_in_range(perf_errors(json, "streamReset"), 6, 2 * 3 * 4);
  assert_int_equal(perf_number(json, "connectionsMade"), 2);
  json_decref(json);
  http2_server_stop(server);
}

/* 20 ms apart, what is on its way when the connection is found dead is lost, and not all that comes. */
static void a_connection_that_died_is_replaced(void **state) {
  struct http2_server *server = start(HTTP2_DEAD, 0);
  (void)state;
  json_t *json = perf_command_run(
      http2_server_url(server),
      PERF_OPTIONS("--http2", "--rate", "50", "-d", "3s", "-c", "1", "--streams", "100", "--timeout", "600ms"),
      PERF_AS_VERDICT);
  assert_int_equal(perf_number(json, "connectionsMade"), 2);
  assert_true(perf_errors(json, "timeout") > 0);
  assert_int_equal(perf_number(json, "failed"), perf_errors(json, "timeout"));
  assert_true(perf_number(json, "completed") > 0);
  json_decref(json);
  http2_server_stop(server);
}

static void a_target_that_is_only_slow_keeps_its_connection(void **state) {
  struct http2_server *server = start(HTTP2_SILENT, 0);
  (void)state;
  json_t *json = perf_command_run(
      http2_server_url(server),
      PERF_OPTIONS("--http2", "--rate", "max", "-d", "7s", "-c", "1", "--streams", "2", "--timeout", "2s"), 3);
  assert_true(perf_errors(json, "timeout") > 2);
  assert_int_equal(perf_number(json, "failed"), perf_errors(json, "timeout"));
  assert_int_equal(perf_number(json, "connectionsMade"), 1);
  json_decref(json);
  http2_server_stop(server);
}

/* It is HTTP/2, and no gRPC. */
static void an_answer_without_a_status_is_no_call(void **state) {
  struct http2_server *server = start(HTTP2_ANSWERS, 0);
  (void)state;
  json_t *json =
      perf_command_run(http2_server_url(server), PERF_OPTIONS("--grpc", "a.B/C", "--rate", "100", "-d", "300ms"), 3);
  assert_int_equal(perf_errors(json, "malformed"), 30);
  json_decref(json);
  http2_server_stop(server);
}

static void assert_usage(const char *const *options) {
  const char *argv[16] = {"trammel", "perf", "run", "--url", "http://h/", "--rate", "1"};
  struct command_result result;
  for (size_t count = 7; *options; options++)
    argv[count++] = *options;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  assert_true(result.errors.length > 0);
  command_result_finish(&result);
}

static void usage_is_checked(void **state) {
  (void)state;
  assert_usage(PERF_OPTIONS("--streams", "2"));
  assert_usage(PERF_OPTIONS("--http2", "--streams", "0"));
  assert_usage(PERF_OPTIONS("--http2", "--streams", "2", "--fresh"));
  assert_usage(PERF_OPTIONS("--http2", "-H", "Upgrade: x"));
  assert_usage(PERF_OPTIONS("--http2", "--streams", "1000", "-c", "2000"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(connections_carry_streams),
      cmocka_unit_test(a_target_may_allow_fewer),
      cmocka_unit_test(bodies_follow_the_windows),
      cmocka_unit_test(it_is_agreed_on_with_tls),
      cmocka_unit_test(a_connection_that_is_given_up_is_replaced),
      cmocka_unit_test(fresh_connections_are_one_for_each_request),
      cmocka_unit_test(each_way_to_misbehave_has_its_name),
      cmocka_unit_test(a_stream_that_is_not_answered_is_given_up),
      cmocka_unit_test(a_closed_loop_pauses_after_a_reset),
      cmocka_unit_test(a_connection_that_died_is_replaced),
      cmocka_unit_test(a_target_that_is_only_slow_keeps_its_connection),
      cmocka_unit_test(an_answer_without_a_status_is_no_call),
      cmocka_unit_test(usage_is_checked),
  };
  return cmocka_run_group_tests_name("perf_http2", tests, NULL, NULL);
}
