/* The control port: what it refuses and how it says so, reconfiguring, cancelling, and the known sample app's paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/workload/peer.h"
#include "tests/integration/workload/raw.h"
#include "tests/integration/workload/workload_process.h"

static struct workload_process a;
static struct workload_process b;
static char a_address[32];
static char b_address[32];
static char peer_address[32];

static int start(void **state) {
  (void)state;
  test_deadline(100);
  workload_start(&a, "a", test_address(0, a_address));
  workload_start(&b, "b", test_address(1, b_address));
  (void)test_address(2, peer_address);
  return 0;
}

static int stop(void **state) {
  (void)state;
  workload_stop(&a);
  workload_stop(&b);
  return 0;
}

static void check(const char *method, const char *path, const char *body, const char *status, const char *text) {
  char *answer = raw_request(a.control, method, path, body);
  char line[32];
  (void)snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
  if (strncmp(answer, line, strlen(line)) != 0 || !strstr(answer, text))
    fail_msg("%s %s %.200s: expected %s with \"%s\", got: %.600s", method, path, body ? body : "", status, text,
             answer);
  free(answer);
}

#define BATCH(rest) "{\"id\":\"x\",\"protocol\":\"tcp\",\"address\":\"127.0.0.1\",\"port\":1" rest "}"

static void wrong_requests_are_refused_by_the_member(void **state) {
  (void)state;
  static const struct {
    const char *body;
    const char *text;
  } batches[] = {
      {"", "not JSON"},
      {"[]", "must be a JSON object"},
      {"{\"id\":\"x\"", "not JSON"},
      {"{\"id\":\"x\",\"id\":\"y\"}", "duplicate"},
      {"{}", "\\u0022id\\u0022"},
      {"{\"id\":\"a b\",\"protocol\":\"tcp\",\"address\":\"127.0.0.1\",\"port\":1}", "\\u0022id\\u0022"},
      {"{\"id\":\"x\",\"protocol\":\"ftp\",\"address\":\"127.0.0.1\",\"port\":1}", "\\u0022protocol\\u0022"},
      {"{\"id\":\"x\",\"protocol\":\"tcp\",\"address\":\"somewhere\",\"port\":1}", "\\u0022address\\u0022"},
      {"{\"id\":\"x\",\"protocol\":\"tcp\",\"address\":\"127.0.0.1\",\"port\":0}", "\\u0022port\\u0022"},
      {"{\"id\":\"x\",\"protocol\":\"tcp\",\"address\":\"127.0.0.1\",\"port\":\"1\"}", "must be an integer"},
      {BATCH(",\"cuont\":1"), "\\u0022cuont\\u0022"},
      {BATCH(",\"count\":0"), "\\u0022count\\u0022"},
      {BATCH(",\"count\":100001"), "1 to 100000"},
      {BATCH(",\"count\":99999999999999999999"), "not JSON"},
      {BATCH(",\"concurrency\":257"), "1 to 256"},
      {BATCH(",\"fresh\":1"), "\\u0022fresh\\u0022"},
      {BATCH(",\"fresh\":true,\"keep\":\"k\""), "contradict"},
      {BATCH(",\"concurrency\":2,\"keep\":\"k\""), "must be 1"},
      {BATCH(",\"timeout_ms\":0"), "\\u0022timeout_ms\\u0022"},
      {BATCH(",\"spacing_us\":-1"), "\\u0022spacing_us\\u0022"},
      {BATCH(",\"method\":\"GET /\""), "\\u0022method\\u0022"},
      {BATCH(",\"method\":\"CONNECT\""), "\\u0022method\\u0022"},
      {BATCH(",\"path\":\"/a b\""), "\\u0022path\\u0022"},
      {BATCH(",\"path\":\"a\""), "\\u0022path\\u0022"},
      {BATCH(",\"host\":\"a\\r\\nx: y\""), "\\u0022host\\u0022"},
      {BATCH(",\"headers\":{}"), "\\u0022headers\\u0022"},
      {BATCH(",\"headers\":[[\"a\"]]"), "\\u0022headers\\u0022[0]"},
      {BATCH(",\"headers\":[[\"a\",\"b\"],[\"a\",\"b\\r\\nc: d\"]]"), "\\u0022headers\\u0022[1]"},
      {BATCH(",\"headers\":[[\"Host\",\"b\"]]"), "sets it itself"},
      {BATCH(",\"body\":1"), "\\u0022body\\u0022"},
  };
  for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
    check("POST", "/v1/calls", batches[i].body, "400", batches[i].text);
  check("PUT", "/v1/configuration", "{}", "400", "\\u0022name\\u0022");
  check("PUT", "/v1/configuration", "{\"name\":\"a b\",\"address\":\"127.0.0.1\",\"listeners\":[]}", "400", "space");
  check("PUT", "/v1/configuration", "{\"name\":\"a\",\"address\":\"127.0.0.1\",\"listeners\":[{\"port\":1}]}", "400",
        "\\u0022listeners\\u0022[0]");
  check("GET", "/v1/nothing", NULL, "404", "no such path");
  check("PUT", "/v1/ready", NULL, "405", "method");
  check("GET", "/v1/ready", NULL, "200", "{\"name\":\"a\"}");
}

static void a_body_over_the_limit_is_refused(void **state) {
  (void)state;
  char *body = malloc(WORKLOAD_BODY_MAX + 2);
  assert_non_null(body);
  memset(body, ' ', WORKLOAD_BODY_MAX + 1);
  body[WORKLOAD_BODY_MAX + 1] = '\0';
  char *answer = raw_request(a.control, "POST", "/v1/calls", body);
  /* evhttp may reset the connection with its answer */
  assert_true(answer[0] == '\0' || strstr(answer, " 413 "));
  free(answer);
  free(body);
  check("GET", "/v1/ready", NULL, "200", "{\"name\":\"a\"}");
}

static void wait_accepted(struct peer *peer, unsigned count) {
  for (unsigned i = 0; i < 20000 && atomic_load(&peer->accepted) < count; i++)
    (void)poll(NULL, 0, 1);
  assert_true(atomic_load(&peer->accepted) >= count);
}

/* A silent peer holds 16 batches, which is the most; closing their connections cancels them. */
static void a_closed_connection_cancels_its_batch(void **state) {
  (void)state;
  struct peer peer;
  char body[256];
  char request[512];
  int batches[16];
  peer_start(&peer, PEER_SILENT, peer_address);
  (void)snprintf(body, sizeof(body),
                 "{\"id\":\"x\",\"protocol\":\"tcp\",\"address\":\"%s\",\"port\":%u,\"timeout_ms\":600000}",
                 peer_address, peer.port);
  int length = snprintf(request, sizeof(request), "POST /v1/calls HTTP/1.1\r\nhost: t\r\ncontent-length: %zu\r\n\r\n%s",
                        strlen(body), body);
  for (unsigned i = 0; i < 16; i++) {
    batches[i] = raw_connect_text(a.control);
    assert_true(raw_send(batches[i], request, (size_t)length));
  }
  wait_accepted(&peer, 16);
  check("POST", "/v1/calls", body, "429", "16 batches");
  /* a next request that comes early does no harm */
  assert_true(raw_send(batches[0], request, (size_t)length));
  check("GET", "/v1/ready", NULL, "200", "{\"name\":\"a\"}");
  for (unsigned i = 0; i < 16; i++)
    (void)close(batches[i]);
  struct call_batch batch = {.id = "y", .protocol = CALL_HTTP1, .address = b_address, .port = 8080};
  struct call_outcome *outcomes = NULL;
  int r = -EBUSY;
  for (unsigned i = 0; i < 20000 && r == -EBUSY; i++) {
    struct error *err = NULL;
    r = workload_call(a.client, &batch, 0, NULL, &outcomes, &err);
    error_free(err);
    (void)poll(NULL, 0, 1);
  }
  assert_int_equal(r, 0);
  assert_int_equal(outcomes[0].end, CALL_ANSWERED);
  free(outcomes);
  peer_stop(&peer);
}

static void await_received(struct workload_process *process) {
  size_t count = 0;
  for (unsigned i = 0; i < 20000 && count == 0; i++) {
    struct received *received = NULL;
    struct error *err = NULL;
    if (workload_received(process->client, "cut-", &received, &count, &err) < 0)
      fail_msg("%s", error_message(err));
    free(received);
  }
  assert_true(count > 0);
}

/* Asks for a batch that would go on for long, and closes the control connection when its calls come in. */
static void cut_batch(enum call_protocol protocol, const char *members) {
  char body[256];
  char request[512];
  unsigned port = protocol == CALL_TCP ? 9000 : protocol == CALL_UDP ? 9001 : 8080;
  free(raw_request(b.control, "DELETE", "/v1/received", NULL));
  (void)snprintf(body, sizeof(body),
                 "{\"id\":\"cut\",\"protocol\":\"%s\",\"address\":\"%s\",\"port\":%u,\"count\":100000%s}",
                 call_protocol_name(protocol), b_address, port, members);
  int length = snprintf(request, sizeof(request), "POST /v1/calls HTTP/1.1\r\nhost: t\r\ncontent-length: %zu\r\n\r\n%s",
                        strlen(body), body);
  int fd = raw_connect_text(a.control);
  assert_true(raw_send(fd, request, (size_t)length));
  await_received(&b);
  (void)close(fd);
}

static void a_batch_is_cut_in_the_middle_of_its_calls(void **state) {
  (void)state;
  static const char *const kinds[] = {
      ",\"concurrency\":8", ",\"concurrency\":8,\"fresh\":true",    ",\"fresh\":true",
      ",\"keep\":\"cut\"",  ",\"keep\":\"cut\",\"spacing_us\":200",
  };
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++)
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
      cut_batch(protocol, kinds[i]);
      /* whoever asks next, for the same kept connection too, is served */
      struct call_batch batch = {.id = "after", .protocol = protocol, .address = b_address, .count = 3, .keep = "cut"};
      batch.port = protocol == CALL_TCP ? 9000 : protocol == CALL_UDP ? 9001 : 8080;
      struct call_outcome *outcomes = NULL;
      struct error *err = NULL;
      if (workload_call(a.client, &batch, 0, NULL, &outcomes, &err) < 0)
        fail_msg("%s after a cut of %s: %s", call_protocol_name(protocol), kinds[i], error_message(err));
      for (unsigned call = 0; call < batch.count; call++)
        assert_int_equal(outcomes[call].end, CALL_ANSWERED);
      free(outcomes);
    }
}

static void reconfiguring_closes_what_was_open(void **state) {
  (void)state;
  static const struct workload_listener other = {8081, CALL_HTTP1};
  static const struct workload_listener usual[] = {{8080, CALL_HTTP1}, {9000, CALL_TCP}, {9001, CALL_UDP}};
  struct error *err = NULL;
  struct received *received = NULL;
  size_t count = 1;
  int http = raw_connect(b_address, 8080);
  int tcp = raw_connect(b_address, 9000);
  int half = raw_connect(b_address, 8080);
  assert_true(raw_send(http, "GET / HTTP/1.1\r\nhost: t\r\nx-trammel-id: before\r\n\r\n", 50));
  raw_expect(http, "\"id\":\"before\"");
  assert_true(raw_send(tcp, "before\n", 7));
  raw_expect(tcp, "b ");
  assert_true(raw_send(half, "PRI * HT", 8));
  assert_int_equal(workload_configure(b.client, "renamed", b_address, &other, 1, &err), 0);
  int fds[] = {http, tcp, half};
  for (size_t i = 0; i < 3; i++) {
    free(raw_read_all(fds[i])); /* ends: it was closed */
    (void)close(fds[i]);
  }
  assert_int_equal(workload_received(b.client, "", &received, &count, &err), 0);
  assert_int_equal(count, 0);
  free(received);
  struct call_batch batch = {.id = "z", .protocol = CALL_HTTP1, .address = b_address, .port = 8080};
  struct call_outcome *outcomes = NULL;
  assert_int_equal(workload_call(a.client, &batch, 0, NULL, &outcomes, &err), 0);
  assert_int_equal(outcomes[0].end, CALL_REFUSED);
  free(outcomes);
  batch.port = 8081;
  assert_int_equal(workload_call(a.client, &batch, 0, NULL, &outcomes, &err), 0);
  assert_string_equal(outcomes[0].server, "renamed");
  free(outcomes);
  for (unsigned i = 0; i < 50; i++)
    assert_int_equal(workload_configure(b.client, "b", b_address, usual, 3, &err), 0);
}

static void the_record_is_read_by_prefix_and_reset(void **state) {
  (void)state;
  struct error *err = NULL;
  struct received *received = NULL;
  size_t count = 0;
  free(raw_request(b.control, "DELETE", "/v1/received", NULL));
  for (unsigned i = 0; i < 3; i++) {
    struct call_batch batch = {.id = i == 0 ? "one" : "two", .protocol = CALL_TCP, .address = b_address, .port = 9000};
    struct call_outcome *outcomes = NULL;
    assert_int_equal(workload_call(a.client, &batch, 0, NULL, &outcomes, &err), 0);
    free(outcomes);
  }
  assert_int_equal(workload_received(b.client, "two-", &received, &count, &err), 0);
  assert_int_equal(count, 2);
  assert_string_equal(received[0].id, "two-0");
  assert_int_equal(received[0].port, 9000);
  free(received);
  assert_int_equal(workload_received(b.client, "", &received, &count, &err), 0);
  assert_int_equal(count, 3);
  free(received);
}

/* As the sample app's own client asks: a calls b, b calls a. */
static void the_sample_app_is_imitated(void **state) {
  (void)state;
  char body[512];
  char nested[512];
  free(raw_request(a.control, "DELETE", "/metrics", NULL));
  free(raw_request(b.control, "DELETE", "/metrics", NULL));
  (void)snprintf(body, sizeof(body),
                 "{\"url\":\"http://%s:8080/echo\",\"body\":\"hello\",\"method\":\"POST\",\"headers\":{\"h1\":\"v1\"}}",
                 b_address);
  char *answer = raw_request(a.control, "POST", "/call", body);
  assert_non_null(strstr(answer, "HTTP/1.1 200"));
  assert_non_null(strstr(answer, "\r\n\r\nhello"));
  free(answer);
  (void)snprintf(body, sizeof(body), "{\"url\":\"http://%s:1/echo\",\"body\":\"\",\"method\":\"GET\",\"headers\":{}}",
                 b_address);
  answer = raw_request(a.control, "POST", "/call", body);
  assert_non_null(strstr(answer, "HTTP/1.1 502"));
  free(answer);
  /* through a served port, by both versions of HTTP, while more requests wait behind it */
  (void)snprintf(nested, sizeof(nested), "{\"url\":\"http://%s:8080/some?path\"}", a_address);
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_H2C; protocol++) {
    struct error *err = NULL;
    struct call_outcome *outcomes = NULL;
    struct call_batch batch = {.id = "n",
                               .protocol = protocol,
                               .address = b_address,
                               .port = 8080,
                               .count = 20,
                               .concurrency = 5,
                               .method = "POST",
                               .path = "/call",
                               .body = nested};
    assert_int_equal(workload_call(a.client, &batch, 0, NULL, &outcomes, &err), 0);
    for (unsigned i = 0; i < 20; i++)
      assert_int_equal(outcomes[i].status, 200);
    free(outcomes);
  }
  answer = raw_request(a.control, "GET", "/metrics", NULL);
  assert_non_null(strstr(answer, "\"RespSucceeded\":[{\"URL\":\"http://"));
  assert_non_null(strstr(answer, "\"Method\":\"POST\",\"Headers\":{\"h1\":\"v1\"}}],\"RespFailed\":[{\"URL\":"));
  free(answer);
  answer = raw_request(b.control, "GET", "/metrics", NULL);
  assert_non_null(strstr(answer, "{\"ReqReceived\":[\"a\","));
  free(answer);
  free(raw_request(b.control, "DELETE", "/metrics", NULL));
  answer = raw_request(b.control, "GET", "/metrics", NULL);
  assert_non_null(strstr(answer, "{\"ReqReceived\":[],\"RespSucceeded\":[],\"RespFailed\":[]}"));
  free(answer);
  check("POST", "/call", "{\"url\":\"ftp://x/\"}", "400", "http://HOST");
  check("POST", "/call", "{\"url\":\"http://x/\",\"method\":\"A B\"}", "400", "\\u0022method\\u0022");
  check("POST", "/call", "{}", "400", "\\u0022url\\u0022");
  check("POST", "/echo", "back", "200", "\r\n\r\nback");
}

static void call_b(const char *path, unsigned count) {
  struct error *err = NULL;
  struct call_outcome *outcomes = NULL;
  struct call_header caller = {.name = "ServiceName", .value = "a"};
  struct call_batch batch = {.id = "counted",
                             .protocol = CALL_HTTP1,
                             .address = b_address,
                             .port = 8080,
                             .path = path,
                             .headers = &caller,
                             .header_count = 1,
                             .count = count,
                             .concurrency = 1,
                             .keep = "b"};
  assert_int_equal(workload_call(a.client, &batch, 0, NULL, &outcomes, &err), 0);
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(outcomes[i].status, 200);
  free(outcomes);
}

/* The sample app counts requests to its own paths, and nothing else. */
static void a_client_reads_the_counters(void **state) {
  (void)state;
  struct error *err = NULL;
  unsigned count = 99;
  call_b("/echo", 1);
  assert_int_equal(workload_counters_clear(b.client, &err), 0);
  assert_int_equal(workload_requests_counted(b.client, &count, &err), 0);
  assert_int_equal(count, 0);
  call_b("/echo", 50);
  call_b("/metrics", 3);
  assert_int_equal(workload_requests_counted(b.client, &count, &err), 0);
  assert_int_equal(count, 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_requests_are_refused_by_the_member),
      cmocka_unit_test(a_body_over_the_limit_is_refused),
      cmocka_unit_test(a_closed_connection_cancels_its_batch),
      cmocka_unit_test(a_batch_is_cut_in_the_middle_of_its_calls),
      cmocka_unit_test(reconfiguring_closes_what_was_open),
      cmocka_unit_test(the_record_is_read_by_prefix_and_reset),
      cmocka_unit_test(the_sample_app_is_imitated),
      cmocka_unit_test(a_client_reads_the_counters),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
