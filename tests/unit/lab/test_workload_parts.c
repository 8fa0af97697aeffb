/* The parts of trammel-workload that need no socket: the record, nonces, JSON text, endpoints, URLs, batches, outcomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/batch.h"
#include "host/lab/workload/json_text.h"
#include "host/lab/workload/service.h"
#include "host/lab/workload/url.h"

static void nonces_are_hexadecimal_and_differ(void **state) {
  (void)state;
  static char drawn[2000][NONCE_LENGTH + 1];
  struct nonce_source source = {0};
  for (size_t i = 0; i < 2000; i++) {
    assert_int_equal(nonce_draw(&source, drawn[i]), 0);
    assert_int_equal(strspn(drawn[i], "0123456789abcdef"), NONCE_LENGTH);
    assert_int_equal(strlen(drawn[i]), NONCE_LENGTH);
  }
  qsort(drawn, 2000, sizeof(drawn[0]), (int (*)(const void *, const void *))strcmp);
  for (size_t i = 1; i < 2000; i++)
    assert_string_not_equal(drawn[i - 1], drawn[i]);
}

static void the_record_is_bounded_and_counts_what_it_drops(void **state) {
  (void)state;
  struct record record = {0};
  struct strbuf out = STRBUF_INIT;
  for (unsigned i = 0; i < RECORD_ENTRIES_MAX + 5; i++)
    record_add(&record, "ab", 2, "0123456789abcdef0123456789abcdef", 80);
  assert_int_equal(record.count, RECORD_ENTRIES_MAX);
  assert_int_equal(record.dropped, 5);
  record_clear(&record);
  record_add(&record, "one-1", 5, "0123456789abcdef0123456789abcdef", 80);
  record_add(&record, "two-\x01\"", 6, "0123456789abcdef0123456789abcdef", 81);
  record_write(&record, "two", &out);
  assert_string_equal(strbuf_text(&out), "{\"received\":[[\"two-\\u0001\\u0022\",\"0123456789abcdef0123456789abcdef\","
                                         "81]],\"dropped\":0}");
  strbuf_finish(&out);
  record_finish(&record);
}

static void any_bytes_become_valid_json(void **state) {
  (void)state;
  char bytes[256];
  struct strbuf out = STRBUF_INIT;
  for (unsigned i = 0; i < 256; i++)
    bytes[i] = (char)i;
  json_text_append(&out, bytes, sizeof(bytes));
  json_t *json = json_loadb(out.data, out.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  assert_non_null(json);
  assert_int_equal(json_string_length(json), 128 + 2 * 128); /* Latin-1 as UTF-8 */
  json_decref(json);
  strbuf_finish(&out);
}

static void endpoints_are_read_and_written(void **state) {
  (void)state;
  static const char *const good[] = {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535"};
  static const char *const bad[] = {"",    ":",     "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "a:1",
                                    ":80", "[]:80", "1.2.3:4",   "1.2.3.4:-1", "1.2.3.4: 1",  "1.2.3.4:1 "};
  char text[ENDPOINT_TEXT_MAX];
  struct endpoint endpoint;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(endpoint_parse_text(good[i], &endpoint, NULL), 0);
    endpoint_format(&endpoint, text);
    assert_string_equal(text, good[i]);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(endpoint_parse_text(bad[i], &endpoint, NULL), -EINVAL);
}

static void urls_are_taken_apart(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *host;
    const char *authority;
    unsigned port;
    const char *path;
  } good[] = {
      {"http://service-b:9091/echo", "service-b", "service-b:9091", 9091, "/echo"},
      {"http://a.b", "a.b", "a.b", 80, "/"},
      {"http://[::1]:81/a?b=c", "::1", "[::1]:81", 81, "/a?b=c"},
  };
  static const char *const bad[] = {
      "",          "service-b:9091/echo", "https://a/", "http://", "http://u:p@a/", "http://a/ b", "http://a/#f",
      "http:///x", "http://a:99999/"};
  struct url url;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(url_parse(good[i].text, &url, NULL), 0);
    assert_string_equal(url.host, good[i].host);
    assert_string_equal(url.authority, good[i].authority);
    assert_int_equal(url.port, good[i].port);
    assert_string_equal(url.path, good[i].path);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(url_parse(bad[i], &url, NULL), -EINVAL);
}

static void a_batch_takes_its_defaults(void **state) {
  (void)state;
  static const char text[] = "{\"id\":\"i\",\"protocol\":\"h2c\",\"address\":\"::1\",\"port\":80}";
  struct batch *batch = NULL;
  assert_int_equal(batch_parse(text, strlen(text), &batch, NULL), 0);
  assert_int_equal(batch->protocol, CALL_H2C);
  assert_string_equal(batch->authority, "[::1]:80");
  assert_string_equal(batch->method, "GET");
  assert_string_equal(batch->path, "/");
  assert_int_equal(batch->count, 1);
  assert_int_equal(batch->concurrency, 1);
  assert_int_equal(batch->timeout_ms, WORKLOAD_TIMEOUT_DEFAULT_MS);
  assert_null(batch->body);
  assert_string_equal(batch->keep, "");
  batch_destroy(batch);
}

static void outcomes_leave_out_what_is_empty(void **state) {
  (void)state;
  static const struct call_outcome outcomes[2] = {
      {.end = CALL_ANSWERED, .status = 200, .nonce = "00", .server = "s", .latency_ns = 7},
      {.end = CALL_ERROR, .error = "a \"quote\"", .latency_ns = 8},
  };
  struct strbuf out = STRBUF_INIT;
  batch_write_outcomes(outcomes, 2, &out);
  assert_string_equal(strbuf_text(&out),
                      "{\"outcomes\":[{\"end\":\"answered\",\"status\":200,\"nonce\":\"00\",\"server\":\"s\",\"latency_"
                      "ns\":7},{\"end\":\"error\",\"error\":\"a \\u0022quote\\u0022\",\"latency_ns\":8}]}");
  strbuf_finish(&out);
}

static void errnos_have_their_end(void **state) {
  (void)state;
  assert_int_equal(call_end_of_errno(0), CALL_CLOSED);
  assert_int_equal(call_end_of_errno(ECONNREFUSED), CALL_REFUSED);
  assert_int_equal(call_end_of_errno(ECONNRESET), CALL_RESET);
  assert_int_equal(call_end_of_errno(ETIMEDOUT), CALL_TIMEOUT);
  assert_int_equal(call_end_of_errno(ENETUNREACH), CALL_ERROR);
}

static void words_of_calls_go_both_ways(void **state) {
  (void)state;
  for (enum call_end end = CALL_ANSWERED; end <= CALL_ERROR; end++)
    assert_int_equal(call_end_of(call_end_name(end)), end);
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++)
    assert_int_equal(call_protocol_of(call_protocol_name(protocol)), protocol);
  assert_null(call_end_name(0));
  assert_null(call_end_name(CALL_ERROR + 1));
  assert_int_equal(call_end_of("nothing"), 0);
}

static void ids_have_one_rule(void **state) {
  (void)state;
  static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";
  assert_true(call_id_valid("", 0));
  assert_true(call_id_valid("aZ.0_9-", 7));
  assert_true(call_id_valid(longest, CALL_ID_MAX));
  assert_false(call_id_valid("a\0b", 3));
  assert_false(call_id_valid("a ", 2));
  assert_false(call_id_valid("01234567890123456789012345678901234567890123456789012345678901234", 65));
}

static void names_of_workloads_fit_an_answer_line(void **state) {
  (void)state;
  assert_true(service_name_valid("main/server-v1"));
  assert_false(service_name_valid(""));
  assert_false(service_name_valid("a b"));
  assert_false(service_name_valid("a\n"));
  assert_false(service_name_valid("0123456789012345678901234567890123456789012345678901234567890123"));
}

static void metrics_are_bounded(void **state) {
  (void)state;
  struct metrics metrics = {0};
  for (unsigned i = 0; i < 500000; i++)
    metrics_received(&metrics, "a caller");
  assert_true(metrics.received.length < METRICS_LIST_MAX + 100);
  metrics_clear(&metrics);
  assert_int_equal(metrics.received.length, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nonces_are_hexadecimal_and_differ),
      cmocka_unit_test(the_record_is_bounded_and_counts_what_it_drops),
      cmocka_unit_test(any_bytes_become_valid_json),
      cmocka_unit_test(endpoints_are_read_and_written),
      cmocka_unit_test(urls_are_taken_apart),
      cmocka_unit_test(a_batch_takes_its_defaults),
      cmocka_unit_test(outcomes_leave_out_what_is_empty),
      cmocka_unit_test(errnos_have_their_end),
      cmocka_unit_test(words_of_calls_go_both_ways),
      cmocka_unit_test(ids_have_one_rule),
      cmocka_unit_test(names_of_workloads_fit_an_answer_line),
      cmocka_unit_test(metrics_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
