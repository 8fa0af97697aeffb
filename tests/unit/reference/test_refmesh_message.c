/* How the reference mesh reads HTTP: what it refuses, and where a message ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/histogram.h"
#include "plugins/reference/mesh/message.h"

struct seen {
  struct message message;
  struct strbuf body;
  bool head;
};

static void on_head(void *context) {
  ((struct seen *)context)->head = true;
}

static void on_body(void *context, const char *data, size_t length) {
  strbuf_append(&((struct seen *)context)->body, data, length);
}

static const struct message_handler handler = {.head = on_head, .body = on_body};

static void seen_finish(struct seen *seen) {
  message_finish(&seen->message);
  strbuf_finish(&seen->body);
}

/* What is wrong with a request, read whole and then byte by byte: both must agree. */
static int problem_of(const char *text) {
  struct seen whole = {0}, bytes = {0};
  message_init(&whole.message, HTTP_REQUEST, &handler, &whole);
  message_init(&bytes.message, HTTP_REQUEST, &handler, &bytes);
  message_feed(&whole.message, text, strlen(text));
  for (const char *at = text; *at; at++)
    message_feed(&bytes.message, at, 1);
  assert_int_equal(whole.message.problem, bytes.message.problem);
  assert_int_equal(whole.message.complete, bytes.message.complete);
  assert_string_equal(strbuf_text(&whole.body), strbuf_text(&bytes.body));
  int problem = whole.message.problem;
  if (problem == 0 && !whole.message.complete)
    fail_msg("neither complete nor refused: %s", text);
  if (problem != 0)
    assert_false(whole.head && whole.body.length > 0);
  seen_finish(&whole);
  seen_finish(&bytes);
  return problem;
}

static void test_plain_requests_pass(void **state) {
  (void)state;
  assert_int_equal(problem_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  assert_int_equal(problem_of("GET / HTTP/1.0\r\n\r\n"), 0);
  assert_int_equal(problem_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), 0);
  assert_int_equal(problem_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
                   0);
  assert_int_equal(problem_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  assert_int_equal(problem_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), 0);
}

static void test_unclear_framing_is_refused(void **state) {
  (void)state;
  static const char *const heads[] = {
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
      "Content-Length: 3\r\nContent-Length: 3\r\n",
      "Content-Length: 3\r\nContent-Length: 4\r\n",
      "Content-Length: 3, 3\r\n",
      "Content-Length: +3\r\n",
      "Content-Length: -3\r\n",
      "Content-Length: 0x3\r\n",
      "Content-Length: 99999999999999999999\r\n",
      "Transfer-Encoding: gzip\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Transfer-Encoding : chunked\r\n",
      "X-A: b\x01\r\n",
      "X A: b\r\n",
      "Host: again\r\n",
      "X-A: b\r\n c\r\n",
      "X-A: b\r\n\tContent-Length: 3\r\n",
      "X-A:\r\n b\r\n",
  };
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    char text[512];
    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\nabc", heads[i]);
    if (problem_of(text) != 400)
      fail_msg("not refused: %s", heads[i]);
  }
}

static void test_other_refusals(void **state) {
  (void)state;
  assert_int_equal(problem_of("GET / HTTP/1.1\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  assert_int_equal(problem_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  assert_int_equal(problem_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  assert_int_equal(problem_of("\x16\x03\x01 garbage"), 400);
  assert_int_equal(problem_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  assert_int_equal(problem_of("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"), 501);
  assert_int_equal(problem_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  static const char *const hosts[] = {"a b", "a/b", "u@a", "a?b", "a\\b", "\xc3\xa9", "a\"b"};
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    char text[128];
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
    assert_int_equal(problem_of(text), 400);
  }
  assert_int_equal(problem_of("GET http://a\"b/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  assert_int_equal(problem_of("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 0);
  assert_int_equal(problem_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
}

static void test_too_many_fields(void **state) {
  (void)state;
  struct strbuf text = STRBUF_INIT;
  strbuf_puts(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 200; i++)
    strbuf_printf(&text, "X-%d: y\r\n", i);
  strbuf_puts(&text, "\r\n");
  assert_int_equal(problem_of(text.data), 431);
  strbuf_clear(&text);
  strbuf_puts(&text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
  for (int i = 0; i < 70000; i++)
    strbuf_putc(&text, 'x');
  strbuf_puts(&text, "\r\n\r\n");
  assert_int_equal(problem_of(text.data), 431);
  strbuf_finish(&text);
}

static void test_reading_stops_between_messages(void **state) {
  (void)state;
  static const char two[] =
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  struct seen seen = {0};
  message_init(&seen.message, HTTP_REQUEST, &handler, &seen);
  size_t used = message_feed(&seen.message, two, strlen(two));
  assert_true(seen.message.complete);
  assert_string_equal(two + used, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_int_equal(message_feed(&seen.message, two + used, strlen(two + used)), 0);
  message_reset(&seen.message);
  used += message_feed(&seen.message, two + used, strlen(two + used));
  assert_int_equal(used, strlen(two));
  assert_true(slice_is(head_path(&seen.message.head), "/2"));
  seen_finish(&seen);
}

static void test_absolute_form_becomes_origin_form(void **state) {
  (void)state;
  static const char text[] = "GET http://real:81?q HTTP/1.1\r\nHost: fake\r\nConnection: x-a, host\r\nX-A: 1\r\n\r\n";
  struct seen seen = {0};
  message_init(&seen.message, HTTP_REQUEST, &handler, &seen);
  message_feed(&seen.message, text, strlen(text));
  assert_int_equal(seen.message.problem, 0);
  assert_true(slice_is(head_start(&seen.message.head), "/?q"));
  struct strbuf out = STRBUF_INIT;
  head_write_fields(&seen.message.head, &out);
  assert_string_equal(strbuf_text(&out), "Host: real:81\r\n");
  strbuf_finish(&out);
  seen_finish(&seen);
}

static void test_trailers_change_nothing(void **state) {
  (void)state;
  static const char text[] =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Env: prod\r\n"
      "Transfer-Encoding: identity\r\nConnection: close\r\n\r\n";
  struct seen seen = {0};
  message_init(&seen.message, HTTP_REQUEST, &handler, &seen);
  message_feed(&seen.message, text, strlen(text));
  assert_true(seen.message.complete);
  assert_int_equal(head_count(&seen.message.head, "x-env", NULL), 0);
  assert_true(seen.message.chunked);
  assert_true(seen.message.keep_alive);
  seen_finish(&seen);
}

static void test_a_response_without_length_ends_with_its_connection(void **state) {
  (void)state;
  static const char text[] = "HTTP/1.1 200 OK\r\n\r\nabc";
  struct seen seen = {0};
  message_init(&seen.message, HTTP_RESPONSE, &handler, &seen);
  message_feed(&seen.message, text, strlen(text));
  assert_false(seen.message.complete);
  assert_true(message_end(&seen.message));
  assert_string_equal(strbuf_text(&seen.body), "abc");
  seen_finish(&seen);
  static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
  seen = (struct seen){0};
  message_init(&seen.message, HTTP_RESPONSE, &handler, &seen);
  message_feed(&seen.message, cut, strlen(cut));
  assert_false(message_end(&seen.message));
  seen_finish(&seen);
}

static void test_quantiles_are_within_a_sixteenth(void **state) {
  (void)state;
  struct histogram *histogram = calloc(1, sizeof *histogram);
  assert_non_null(histogram);
  assert_int_equal(histogram_quantile(histogram, 0.5), 0);
  for (int64_t i = 1; i <= 1000; i++)
    histogram_add(histogram, i * 1000);
  assert_in_range(histogram_quantile(histogram, 0.5), 500000, 500000 * 17 / 16);
  assert_in_range(histogram_quantile(histogram, 0.99), 990000, 990000 * 17 / 16);
  histogram_add(histogram, INT64_MAX);
  histogram_add(histogram, -5);
  assert_true(histogram_quantile(histogram, 1) >= (INT64_C(1) << 40) - 1);
  free(histogram);
}

int main(void) {
  http_parser_set_max_header_size(64 * 1024);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain_requests_pass),
      cmocka_unit_test(test_unclear_framing_is_refused),
      cmocka_unit_test(test_other_refusals),
      cmocka_unit_test(test_too_many_fields),
      cmocka_unit_test(test_reading_stops_between_messages),
      cmocka_unit_test(test_absolute_form_becomes_origin_form),
      cmocka_unit_test(test_trailers_change_nothing),
      cmocka_unit_test(test_a_response_without_length_ends_with_its_connection),
      cmocka_unit_test(test_quantiles_are_within_a_sixteenth),
  };
  return cmocka_run_group_tests_name("refmesh_message", tests, NULL, NULL);
}
