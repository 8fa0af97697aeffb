/* HTTP and TCP through both proxies: what comes out is what went in, and what is no HTTP goes nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

enum { SERVER = 1, CLIENT = 2, MEBIBYTE = 1024 * 1024 };

static struct mesh_process mesh;
static struct server *server;

static int setup(void **state) {
  (void)state;
  mesh_start(&mesh, NULL);
  server = server_start("server", SERVER);
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "client", CLIENT, (const char *const[]){"main/server", "main/absent", "main/down", NULL});
  declare_service("main", "server", "server");
  declare_service("main", "down", "nobody");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  server_stop(server);
  mesh_stop(&mesh);
  return 0;
}

static struct reader through(void) {
  return dial_reader(address_of('o', CLIENT), 20000);
}

static void test_a_kept_connection(void **state) {
  (void)state;
  struct reader reader = through();
  for (int i = 0; i < 50; i++) {
    struct answer answer = ask(&reader, "GET", "/a", "");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "x-server: server"));
    answer_free(&answer);
  }
  reader_close(&reader);
}

static void test_fresh_connections(void **state) {
  (void)state;
  for (int i = 0; i < 50; i++)
    assert_int_equal(status_of(address_of('o', CLIENT), 20000, "GET", "/a", "Connection: close\r\n"), 200);
}

static void test_close_is_honoured(void **state) {
  (void)state;
  struct reader reader = through();
  struct answer answer = ask(&reader, "GET", "/", "Connection: close\r\n");
  assert_int_equal(answer.status, 200);
  assert_non_null(strcasestr(answer.head, "Connection: close"));
  assert_true(ends(&reader));
  answer_free(&answer);
  reader_close(&reader);
}

static void test_http_1_0_closes(void **state) {
  (void)state;
  struct reader reader = through();
  send_text(reader.fd, "GET /chunked HTTP/1.0\r\n\r\n");
  struct answer answer = read_answer(&reader, false);
  assert_int_equal(answer.status, 200);
  assert_null(strcasestr(answer.head, "chunked"));
  answer_free(&answer);
  reader_close(&reader);
}

static void test_head_has_no_body(void **state) {
  (void)state;
  struct reader reader = through();
  for (int i = 0; i < 3; i++) {
    struct answer answer = ask(&reader, "HEAD", "/head", "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
    answer = ask(&reader, "GET", "/", "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
  }
  reader_close(&reader);
}

static void test_hop_by_hop_fields_stay_behind(void **state) {
  (void)state;
  struct reader reader = through();
  struct answer answer = ask(&reader, "GET", "/head",
                             "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\n"
                             "TE: trailers\r\nX-End: to end\r\n");
  assert_int_equal(answer.status, 200);
  assert_non_null(strstr(answer.body, "X-End: to end\n"));
  assert_non_null(strstr(answer.body, "Host: test\n"));
  assert_null(strcasestr(answer.body, "X-Hop"));
  assert_null(strcasestr(answer.body, "Keep-Alive"));
  assert_null(strcasestr(answer.body, "Upgrade"));
  assert_null(strcasestr(answer.body, "TE:"));
  answer_free(&answer);
  reader_close(&reader);
}

static char *pattern_bytes(size_t length) {
  char *bytes = malloc(length);
  assert_non_null(bytes);
  for (size_t i = 0; i < length; i++)
    bytes[i] = (char)('a' + (i * 7 + i / 251) % 26);
  return bytes;
}

static void post(struct reader *reader, const char *path, const char *body, size_t length, bool chunked) {
  char text[256];
  if (!chunked) {
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n", path, length);
    send_text(reader->fd, text);
    send_bytes(reader->fd, body, length);
    return;
  }
  snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", path);
  send_text(reader->fd, text);
  for (size_t at = 0; at < length;) {
    size_t n = length - at < 7001 ? length - at : 7001;
    snprintf(text, sizeof text, "%zx;extension=1\r\n", n);
    send_text(reader->fd, text);
    send_bytes(reader->fd, body + at, n);
    send_text(reader->fd, "\r\n");
    at += n;
  }
  send_text(reader->fd, "0\r\nX-Trailer: 1\r\nTransfer-Encoding: identity\r\n\r\n");
}

static void test_large_bodies_both_ways(void **state) {
  (void)state;
  char *body = pattern_bytes(MEBIBYTE);
  struct reader reader = through();
  for (int i = 0; i < 4; i++) {
    post(&reader, i & 1 ? "/chunked" : "/plain", body, MEBIBYTE, i & 2);
    struct answer answer = read_answer(&reader, false);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.length, MEBIBYTE);
    assert_memory_equal(answer.body, body, MEBIBYTE);
    answer_free(&answer);
  }
  reader_close(&reader);
  free(body);
}

static void test_pipelined_requests_are_answered_in_order(void **state) {
  (void)state;
  struct reader reader = through();
  for (int i = 0; i < 100; i++) {
    char text[128];
    snprintf(text, sizeof text, "POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n%04d", i);
    send_text(reader.fd, text);
  }
  for (int i = 0; i < 100; i++) {
    struct answer answer = read_answer(&reader, false);
    assert_int_equal(answer.status, 200);
    assert_int_equal(atoi(answer.body), i);
    answer_free(&answer);
  }
  reader_close(&reader);
}

static void test_expect_continue(void **state) {
  (void)state;
  struct reader reader = through();
  send_text(reader.fd, "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  struct answer answer = read_answer(&reader, false);
  assert_int_equal(answer.status, 100);
  answer_free(&answer);
  send_text(reader.fd, "abc");
  answer = read_answer(&reader, false);
  assert_int_equal(answer.status, 200);
  assert_string_equal(answer.body, "abc");
  answer_free(&answer);
  reader_close(&reader);
}

static void test_a_client_that_ends_its_side_gets_the_answer(void **state) {
  (void)state;
  struct reader reader = through();
  send_text(reader.fd, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  shutdown(reader.fd, SHUT_WR);
  struct answer answer = read_answer(&reader, false);
  assert_int_equal(answer.status, 200);
  assert_true(ends(&reader));
  answer_free(&answer);
  reader_close(&reader);
}

static void test_garbage_is_refused(void **state) {
  (void)state;
  static const char *const garbage[] = {
      "hello world\r\n\r\n",
      "\r\n\r\n\x01\x02",
      "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nPM\r\n\r\n",
  };
  unsigned before = server_requests(server);
  for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    struct reader reader = through();
    send_text(reader.fd, garbage[i]);
    struct answer answer = read_answer(&reader, false);
    assert_in_range(answer.status, 400, 505);
    assert_true(ends(&reader));
    answer_free(&answer);
    reader_close(&reader);
  }
  assert_int_equal(server_requests(server), before);
  assert_int_equal(status_of(address_of('o', CLIENT), 20000, "GET", "/", ""), 200);
}

static void test_no_workload_is_503(void **state) {
  (void)state;
  assert_int_equal(status_of(address_of('o', CLIENT), 20001, "GET", "/", ""), 503);
  assert_int_equal(status_of(address_of('o', CLIENT), 20002, "GET", "/", ""), 503);
  assert_false(line_passes(address_of('o', CLIENT), 21001));
  assert_false(line_passes(address_of('o', CLIENT), 21002));
}

static void test_a_program_that_is_gone_is_503(void **state) {
  (void)state;
  declare_workload("main", "gone", 9, NULL);
  declare_service("main", "down", "gone");
  assert_int_equal(status_of(address_of('o', CLIENT), 20002, "GET", "/", ""), 503);
  assert_false(line_passes(address_of('o', CLIENT), 21002));
  declare_service("main", "down", "nobody");
  undeclare("workloads/main/gone");
}

static void test_lines_over_tcp(void **state) {
  (void)state;
  struct reader reader = dial_reader(address_of('o', CLIENT), 21000);
  for (int i = 0; i < 20; i++) {
    send_text(reader.fd, "abc\n");
    char *line = read_line(&reader);
    assert_string_equal(line, "server abc\n");
    free(line);
  }
  shutdown(reader.fd, SHUT_WR); /* each direction ends on its own */
  char *line = read_line(&reader);
  assert_string_equal(line, "bye\n");
  free(line);
  assert_true(ends(&reader));
  reader_close(&reader);
}

static void test_much_over_tcp(void **state) {
  (void)state;
  enum { LINES = 2000 };
  struct reader reader = dial_reader(address_of('o', CLIENT), 21000);
  char line[512];
  memset(line, 'x', sizeof line);
  line[sizeof line - 2] = '\n';
  line[sizeof line - 1] = '\0';
  for (int i = 0; i < LINES; i++)
    send_text(reader.fd, line);
  for (int i = 0; i < LINES; i++) {
    char *echoed = read_line(&reader);
    assert_non_null(echoed);
    assert_string_equal(echoed + strlen("server "), line);
    free(echoed);
  }
  reader_close(&reader);
}

/* The edges of one pod, each counted by both proxies. */
static void test_metrics_are_counted_at_both_proxies(void **state) {
  (void)state;
  declare_workload("main", "counted", 8, (const char *const[]){"main/server", NULL});
  for (int i = 0; i < 7; i++)
    assert_int_equal(status_of(address_of('o', 8), 20000, "GET", i < 2 ? "/fail" : "/", ""), i < 2 ? 500 : 200);
  char *body = metrics("/namespaces/main/pods/counted/edges");
  char *client = strstr(body, "\"direction\":\"to\",\"side\":\"client\",\"resource\":{\"kind\":\"Pod\",\"namespace\":"
                              "\"main\",\"name\":\"server\"}");
  char *at_server = strstr(body, "\"direction\":\"to\",\"side\":\"server\"");
  assert_non_null(client);
  assert_non_null(at_server);
  assert_true(at_server < client);
  assert_true(counted(client, 5, 2));
  *client = '\0';
  assert_true(counted(at_server, 5, 2));
  free(body);
  undeclare("workloads/main/counted");
  body = metrics("/namespaces/main/pods/server/edges");
  assert_null(strstr(body, "counted"));
  free(body);
}

/* A request that nobody could take is the caller's failure, and no server's. */
static void test_metrics_of_a_service_count_who_found_nobody(void **state) {
  (void)state;
  declare("services/main/nobody", "{\"ports\":[{\"port\":%d,\"protocol\":\"http\"}],\"workloads\":[]}", HTTP_PORT);
  declare_workload("main", "counted", 8, (const char *const[]){"main/nobody", NULL});
  assert_int_equal(status_of(address_of('o', 8), 20000, "GET", "/", ""), 503);
  char *body = metrics("/namespaces/main/services/nobody");
  assert_true(counted(body, 0, 1));
  free(body);
  body = metrics("/namespaces/main/pods/counted/edges");
  assert_non_null(strstr(body, "\"items\":[]"));
  free(body);
  undeclare("workloads/main/counted");
  undeclare("services/main/nobody");
}

static void test_metrics_of_a_split_are_for_each_backend(void **state) {
  (void)state;
  declare("splits/main/counted", "{\"service\":\"server\",\"backends\":[{\"service\":\"server\",\"weight\":0},"
                                 "{\"service\":\"other\",\"weight\":2}]}");
  declare_service("main", "other", "server");
  declare_workload("main", "counted", 8, (const char *const[]){"main/server", NULL});
  for (int i = 0; i < 5; i++)
    assert_int_equal(status_of(address_of('o', 8), 20000, "GET", "/", ""), 200);
  char *body = metrics("/namespaces/main/trafficsplits/counted");
  const char *other = strstr(body, "\"backend\":{\"apex\":\"server\",\"name\":\"other\",\"weight\":2}");
  assert_non_null(other);
  assert_non_null(strstr(body, "\"backend\":{\"apex\":\"server\",\"name\":\"server\",\"weight\":0}"));
  assert_true(counted(body, 5, 0));
  assert_true(counted(body, 0, 0));
  free(body);
  undeclare("splits/main/counted");
  undeclare("workloads/main/counted");
  undeclare("services/main/other");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_kept_connection),
      cmocka_unit_test(test_fresh_connections),
      cmocka_unit_test(test_close_is_honoured),
      cmocka_unit_test(test_http_1_0_closes),
      cmocka_unit_test(test_head_has_no_body),
      cmocka_unit_test(test_hop_by_hop_fields_stay_behind),
      cmocka_unit_test(test_large_bodies_both_ways),
      cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
      cmocka_unit_test(test_expect_continue),
      cmocka_unit_test(test_a_client_that_ends_its_side_gets_the_answer),
      cmocka_unit_test(test_garbage_is_refused),
      cmocka_unit_test(test_no_workload_is_503),
      cmocka_unit_test(test_a_program_that_is_gone_is_503),
      cmocka_unit_test(test_lines_over_tcp),
      cmocka_unit_test(test_much_over_tcp),
      cmocka_unit_test(test_metrics_are_counted_at_both_proxies),
      cmocka_unit_test(test_metrics_of_a_service_count_who_found_nobody),
      cmocka_unit_test(test_metrics_of_a_split_are_for_each_backend),
  };
  return cmocka_run_group_tests_name("refmesh_traffic", tests, setup, teardown);
}
