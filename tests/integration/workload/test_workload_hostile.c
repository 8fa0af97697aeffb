/* Input that no good client sends, to every port. Whatever comes, the workload goes on to serve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "host/lab/workload/header.h"
#include "sdk/base/strbuf.h"
#include "tests/integration/workload/raw.h"
#include "tests/integration/workload/workload_process.h"

#define HOARDED_MAX 12

static struct workload_process workload;
static char address[32];

static int start(void **state) {
  (void)state;
  test_deadline(100);
  workload_start(&workload, "w", test_address(0, address));
  return 0;
}

static int stop(void **state) {
  (void)state;
  workload_stop(&workload);
  return 0;
}

static void assert_serves(void) {
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++) {
    struct call_batch batch = {.id = "alive", .protocol = protocol, .address = address, .count = 3};
    struct call_outcome *outcomes = NULL;
    struct error *err = NULL;
    batch.port = protocol == CALL_TCP ? 9000 : protocol == CALL_UDP ? 9001 : 8080;
    if (workload_call(workload.client, &batch, 0, NULL, &outcomes, &err) < 0)
      fail_msg("%s", error_message(err));
    for (unsigned i = 0; i < 3; i++)
      assert_int_equal(outcomes[i].end, CALL_ANSWERED);
    free(outcomes);
  }
}

static uint32_t next_random(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

static void send_noise(int fd, const char *before, uint32_t seed) {
  unsigned char noise[3000];
  for (size_t i = 0; i < sizeof(noise); i++)
    noise[i] = (unsigned char)next_random(&seed);
  (void)(raw_send(fd, before, strlen(before)) && raw_send(fd, noise, sizeof(noise)));
  (void)shutdown(fd, SHUT_WR);
  free(raw_read_all(fd)); /* ends: it is closed, not left open */
  (void)close(fd);
}

static void noise_after_every_beginning(void **state) {
  (void)state;
  static const char *const beginnings[] = {
      "",
      "GET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
      "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
      "POST /call HTTP/1.1\r\ncontent-length: 2000\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nXX",
  };
  for (uint32_t seed = 1; seed <= 20; seed++)
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
      send_noise(raw_connect(address, 8080), beginnings[i], seed * 7919);
      send_noise(raw_connect(address, 9000), beginnings[i], seed * 7919);
      send_noise(raw_connect_text(workload.control), beginnings[i], seed * 7919);
    }
  assert_serves();
}

static void check_answer(const char *request, size_t length, const char *status) {
  int fd = raw_connect(address, 8080);
  (void)raw_send(fd, request, length);
  (void)shutdown(fd, SHUT_WR);
  char *answer = raw_read_all(fd);
  if (strncmp(answer, status, strlen(status)) != 0)
    fail_msg("%.60s: expected %s, got %.300s", request, status, answer);
  free(answer);
  (void)close(fd);
}

static void limits_of_http_are_answered(void **state) {
  (void)state;
  struct strbuf request = STRBUF_INIT;
  strbuf_puts(&request, "GET /");
  for (unsigned i = 0; i < 70000; i++)
    strbuf_putc(&request, 'p');
  strbuf_puts(&request, " HTTP/1.1\r\n\r\n");
  check_answer(request.data, request.length, "HTTP/1.1 431 ");
  strbuf_clear(&request);
  strbuf_puts(&request, "GET / HTTP/1.1\r\n");
  for (unsigned i = 0; i < 7000; i++)
    strbuf_printf(&request, "x-%u: 12345678\r\n", i);
  strbuf_puts(&request, "\r\n");
  check_answer(request.data, request.length, "HTTP/1.1 431 ");
  strbuf_clear(&request);
  strbuf_puts(&request, "PUT / HTTP/1.1\r\ncontent-length: 1048577\r\n\r\n");
  for (unsigned i = 0; i < 1048577; i++)
    strbuf_putc(&request, 'b');
  check_answer(request.data, request.length, "HTTP/1.1 413 ");
  strbuf_clear(&request);
  strbuf_puts(&request, "GET / HTTP/1.1\r\nx-trammel-id: ");
  for (unsigned i = 0; i < 65; i++)
    strbuf_putc(&request, 'i');
  strbuf_puts(&request, "\r\n\r\n");
  check_answer(request.data, request.length, "HTTP/1.1 400 ");
  strbuf_finish(&request);
  check_answer("CONNECT a:1 HTTP/1.1\r\n\r\n", 24, "HTTP/1.1 405 ");
  check_answer("NONSENSE\r\n\r\n", 12, "HTTP/1.1 400 ");
  check_answer("GET / HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", 53, "HTTP/1.1 200 ");
  assert_serves();
}

static unsigned count_of(const char *text, const char *part) {
  unsigned count = 0;
  for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
    count++;
  return count;
}

static void pipelined_requests_are_all_answered_in_order(void **state) {
  (void)state;
  struct strbuf request = STRBUF_INIT;
  char body[64];
  int length = snprintf(body, sizeof(body), "{\"url\":\"http://%s:8080/\"}", address);
  for (unsigned i = 0; i < 500; i++) {
    strbuf_printf(&request, "GET /%u HTTP/1.1\r\nhost: x\r\n\r\n", i);
    strbuf_printf(&request, "POST /call HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s", length, body);
  }
  strbuf_puts(&request, "GET /last HTTP/1.1\r\nconnection: close\r\n\r\n");
  int fd = raw_connect(address, 8080);
  assert_true(raw_send(fd, request.data, request.length));
  char *answer = raw_read_all(fd);
  assert_int_equal(count_of(answer, "HTTP/1.1 200 OK\r\n"), 1001);
  assert_non_null(strstr(answer, "\"path\":\"/last\""));
  const char *first = strstr(answer, "\"path\":\"/0\"");
  const char *second = strstr(answer, "\"path\":\"/499\"");
  assert_true(first && second && first < second);
  free(answer);
  strbuf_finish(&request);
  (void)close(fd);
}

static void forget_received(void) {
  free(raw_request(workload.control, "DELETE", "/v1/received", NULL));
}

static void assert_received(const char *record) {
  char *answer = raw_request(workload.control, "GET", "/v1/received", NULL);
  if (!strstr(answer, record))
    fail_msg("expected the record to have %s, got %.600s", record, answer);
  free(answer);
}

/* Sends on one connection and reads to its end: one answer, and what else was sent is neither answered nor recorded. */
static void check_last(const char *first, const char *status, const char *record) {
  struct strbuf request = STRBUF_INIT;
  forget_received();
  strbuf_puts(&request, first);
  strbuf_puts(&request, "GET /second HTTP/1.1\r\nhost: x\r\nx-trammel-id: second\r\n\r\n");
  int fd = raw_connect(address, 8080);
  assert_true(raw_send(fd, request.data, request.length));
  char *answer = raw_read_all(fd);
  assert_int_equal(strncmp(answer, status, strlen(status)), 0);
  assert_int_equal(count_of(answer, "HTTP/1.1 "), 1);
  char *received = raw_request(workload.control, "GET", "/v1/received", NULL);
  assert_non_null(strstr(received, record));
  assert_null(strstr(received, "second"));
  free(received);
  free(answer);
  strbuf_finish(&request);
  (void)close(fd);
}

static void nothing_is_taken_after_the_last_request(void **state) {
  (void)state;
  char call[256];
  char body[64];
  int length = snprintf(body, sizeof(body), "{\"url\":\"http://%s:8080/\"}", address);
  (void)snprintf(call, sizeof(call),
                 "POST /call HTTP/1.1\r\nconnection: close\r\nx-trammel-id: first\r\ncontent-length: %d\r\n\r\n%s",
                 length, body);
  check_last("GET / HTTP/1.1\r\nconnection: close\r\nx-trammel-id: first\r\n\r\n", "HTTP/1.1 200 ", "[\"first\",");
  check_last("GET / HTTP/1.0\r\nx-trammel-id: first\r\n\r\n", "HTTP/1.1 200 ", "[\"first\",");
  check_last("POST /echo HTTP/1.1\r\nconnection: close\r\nx-trammel-id: first\r\ncontent-length: 2\r\n\r\nhi",
             "HTTP/1.1 200 ", "[\"first\",");
  check_last(call, "HTTP/1.1 200 ", "[\"first\",");
  check_last("POST /call HTTP/1.1\r\nconnection: close\r\nx-trammel-id: first\r\ncontent-length: 2\r\n\r\n{}",
             "HTTP/1.1 400 ", "[\"first\",");
}

static void trailers_are_ignored(void **state) {
  (void)state;
  forget_received();
  int fd = raw_connect(address, 8080);
  static const char request[] = "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\nx-trammel-id: head\r\n\r\n"
                                "2\r\nhi\r\n0\r\nx-trammel-id: trailer\r\nx-other: a\r\n\r\n"
                                "GET /next HTTP/1.1\r\nx-trammel-id: next\r\n\r\n";
  assert_true(raw_send(fd, request, sizeof(request) - 1));
  raw_expect(fd, "\"id\":\"next\"");
  (void)close(fd);
  char *received = raw_request(workload.control, "GET", "/v1/received", NULL);
  assert_true(strstr(received, "[\"head\",") && strstr(received, "[\"next\",") && !strstr(received, "trailer"));
  free(received);
}

#define REQUEST_WITH(headers) "GET / HTTP/1.1\r\n" headers "\r\n"
#define CHECK_400(headers) check_answer(REQUEST_WITH(headers), sizeof(REQUEST_WITH(headers)) - 1, "HTTP/1.1 400 ")

static void what_is_no_id_is_refused_and_not_recorded(void **state) {
  (void)state;
  static const char *const lines[] = {"a b\n", "a\"\n", "a/b\n", "\x80\n", "a\tb\n"};
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(9001)};
  char reply[128];
  forget_received();
  CHECK_400("x-trammel-id: a\r\nx-trammel-id: b\r\n");
  CHECK_400("x-trammel-id:\r\nX-Trammel-Id: b\r\n");
  CHECK_400("x-trammel-id: a b\r\n");
  CHECK_400("x-trammel-id: a\"b\r\n");
  CHECK_400("x-trammel-id: \xc3\xa4\r\n");
  for (size_t i = 0; i <= sizeof(lines) / sizeof(lines[0]); i++) {
    bool nul = i == sizeof(lines) / sizeof(lines[0]);
    int fd = raw_connect(address, 9000);
    assert_true(raw_send(fd, nul ? "a\0b\n" : lines[i], nul ? 4 : strlen(lines[i])));
    char *answer = raw_read_all(fd);
    assert_string_equal(answer, "");
    free(answer);
    (void)close(fd);
  }
  assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(sendto(fd, "a\0b", 3, 0, (struct sockaddr *)&where, sizeof(where)), 3);
  assert_int_equal(sendto(fd, "a b", 3, 0, (struct sockaddr *)&where, sizeof(where)), 3);
  assert_received("{\"received\":[],\"dropped\":0}");
  assert_int_equal(sendto(fd, "Az.09_-", 7, 0, (struct sockaddr *)&where, sizeof(where)), 7);
  assert_int_equal(recv(fd, reply, sizeof(reply), 0), 2 + NONCE_LENGTH); /* the only one, since they come in order */
  assert_int_equal(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), -1);
  assert_received("{\"received\":[[\"Az.09_-\",");
  (void)close(fd);
}

/* An h2c client whose requests to /echo send a body of almost 1 MiB and do not end. */
struct hoarder {
  nghttp2_session *session;
  int fd;
  unsigned count;
  size_t sent[HOARDED_MAX];
  unsigned reset;
};

static ssize_t on_hoard(nghttp2_session *session, int32_t stream_id, uint8_t *data, size_t length, uint32_t *flags,
                        nghttp2_data_source *source, void *user) {
  (void)session;
  (void)stream_id;
  (void)flags;
  (void)user;
  size_t *sent = source->ptr;
  size_t left = WORKLOAD_BODY_MAX - 1 - *sent;
  size_t part = left < length ? left : length;
  if (part == 0)
    return NGHTTP2_ERR_DEFERRED;
  memset(data, 'h', part);
  *sent += part;
  return (ssize_t)part;
}

static int on_hoard_end(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user) {
  (void)session;
  (void)stream_id;
  struct hoarder *hoarder = user;
  hoarder->reset += code == NGHTTP2_ENHANCE_YOUR_CALM;
  return 0;
}

static void hoard_send(struct hoarder *hoarder) {
  const uint8_t *data = NULL;
  ssize_t n;
  while ((n = nghttp2_session_mem_send(hoarder->session, &data)) > 0)
    assert_true(raw_send(hoarder->fd, data, (size_t)n));
  assert_int_equal(n, 0);
}

static void hoard_begin(struct hoarder *hoarder) {
  nghttp2_session_callbacks *callbacks = NULL;
  nghttp2_nv headers[] = {header_nv(":method", "POST"), header_nv(":scheme", "http"), header_nv(":authority", "x"),
                          header_nv(":path", "/echo")};
  assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_hoard_end);
  assert_int_equal(nghttp2_session_client_new(&hoarder->session, callbacks, hoarder), 0);
  nghttp2_session_callbacks_del(callbacks);
  assert_int_equal(nghttp2_submit_settings(hoarder->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
  hoarder->fd = raw_connect(address, 8080);
  for (unsigned i = 0; i < hoarder->count; i++) {
    nghttp2_data_provider body = {.source.ptr = &hoarder->sent[i], .read_callback = on_hoard};
    assert_true(nghttp2_submit_request(hoarder->session, NULL, headers, 4, &body, NULL) > 0);
  }
}

static bool hoard_sent_all(const struct hoarder *hoarder) {
  for (unsigned i = 0; i < hoarder->count; i++)
    if (hoarder->sent[i] < WORKLOAD_BODY_MAX - 1)
      return false;
  return true;
}

/* Sends all it may; with a budget left for all of it, until it is sent. */
static void hoard(struct hoarder *hoarder) {
  uint8_t data[65536];
  hoard_send(hoarder);
  while (hoarder->reset == 0 && !hoard_sent_all(hoarder)) {
    ssize_t n = recv(hoarder->fd, data, sizeof(data), 0);
    assert_true(n > 0);
    assert_int_equal(nghttp2_session_mem_recv(hoarder->session, data, (size_t)n), n);
    hoard_send(hoarder);
  }
}

static void hoard_end(struct hoarder *hoarder) {
  nghttp2_session_del(hoarder->session);
  (void)close(hoarder->fd);
}

static void waiting_h2c_streams_hold_a_bounded_amount(void **state) {
  (void)state;
  for (unsigned round = 0; round < 12; round++) { /* more than the server's budget if it were not given back */
    struct hoarder one = {.count = 12};
    hoard_begin(&one);
    hoard(&one);
    assert_true(one.reset > 0);
    hoard_end(&one);
  }
  assert_serves();
}

static void all_h2c_connections_hold_a_bounded_amount(void **state) {
  (void)state;
  struct hoarder few[12] = {0};
  unsigned reset = 0;
  unsigned count = 0;
  while (count < 12 && reset == 0) {
    struct hoarder *hoarder = &few[count++];
    hoarder->count = 7; /* within the budget of a connection */
    hoard_begin(hoarder);
    hoard(hoarder);
    reset += hoarder->reset;
  }
  for (unsigned i = 0; i < count; i++)
    hoard_end(&few[i]);
  assert_true(count > 8 && reset > 0); /* 64 MiB are 9 times 7 and a bit */
  assert_serves();
}

/* An answer that is read late is whole: the wait for the peer to close begins when all was sent. */
static void a_slow_reader_gets_the_whole_last_answer(void **state) {
  (void)state;
  static const int segment = 536;
  static const int buffer = 4096;
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(8080)};
  struct strbuf request = STRBUF_INIT;
  strbuf_printf(&request, "POST /echo HTTP/1.1\r\nconnection: close\r\ncontent-length: %u\r\n\r\n", WORKLOAD_BODY_MAX);
  for (unsigned i = 0; i < WORKLOAD_BODY_MAX; i++)
    strbuf_putc(&request, 'b');
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
  assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
  assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
  assert_true(raw_send(fd, request.data, request.length));
  /* nothing is read for longer than the 2 s that a peer gets which has it all */
  struct pollfd nothing = {.fd = -1};
  assert_int_equal(poll(&nothing, 1, 2500), 0);
  char *answer = raw_read_all(fd);
  const char *body = strstr(answer, "\r\n\r\n");
  assert_non_null(body);
  assert_int_equal(strlen(body + 4), WORKLOAD_BODY_MAX);
  free(answer);
  strbuf_finish(&request);
  (void)close(fd);
}

static void long_lines_and_datagrams_get_nothing(void **state) {
  (void)state;
  char line[200];
  memset(line, 'l', sizeof(line));
  int fd = raw_connect(address, 9000);
  assert_true(raw_send(fd, line, sizeof(line)));
  char *answer = raw_read_all(fd);
  assert_string_equal(answer, "");
  free(answer);
  (void)close(fd);
  fd = raw_connect(address, 9000);
  line[64] = '\n';
  assert_true(raw_send(fd, line, 65));
  raw_expect(fd, "w ");
  (void)close(fd);

  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(9001)};
  static const size_t lengths[] = {66, 200, 0, 64};
  char long_datagram[200];
  char reply[128];
  assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
  memset(long_datagram, 'd', sizeof(long_datagram));
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(sendto(fd, long_datagram, lengths[i], 0, (struct sockaddr *)&where, sizeof(where)), lengths[i]);
  for (unsigned i = 0; i < 2; i++) /* of the empty one and the one of 64 bytes */
    assert_int_equal(recv(fd, reply, sizeof(reply), 0), 2 + NONCE_LENGTH);
  assert_int_equal(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), -1);
  (void)close(fd);
  assert_serves();
}

/* 200,000 answers of about 100 bytes to a peer that does not read must not end up in memory. */
static void a_peer_that_does_not_read_is_not_read_from(void **state) {
  (void)state;
  static const struct timeval soon = {.tv_usec = 300000};
  int fd = raw_connect(address, 8080);
  char block[8192];
  size_t length = 0;
  while (length + 40 < sizeof(block))
    length += (size_t)snprintf(block + length, sizeof(block) - length, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
  size_t sent = 0;
  while (sent < (size_t)256 << 20 && raw_send(fd, block, length))
    sent += length;
  assert_true(sent < (size_t)256 << 20); /* sending stalled */
  char status[64];
  char line[256];
  (void)snprintf(status, sizeof(status), "/proc/%d/status", (int)workload.pid);
  FILE *file = fopen(status, "re");
  assert_non_null(file);
  unsigned long kib = 0;
  while (fgets(line, sizeof(line), file))
    (void)sscanf(line, "VmRSS: %lu", &kib);
  (void)fclose(file);
  assert_true(kib > 0 && kib < (unsigned long)600 * 1024); /* a sanitizer's own memory is in there */
  (void)close(fd);
  assert_serves();
}

static void connections_over_the_limit_are_closed_and_the_rest_serve(void **state) {
  (void)state;
  enum { MANY = 4200 };
  static int fds[MANY];
  unsigned closed = 0;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < MANY + 100) {
    print_message("skipped: at most %lu descriptors are allowed here\n", (unsigned long)limit.rlim_max);
    skip();
  }
  for (unsigned i = 0; i < MANY; i++)
    fds[i] = raw_connect(address, 9000);
  for (unsigned i = 0; i < MANY; i++) {
    char byte;
    (void)raw_send(fds[i], "x\n", 2);
    closed += recv(fds[i], &byte, 1, 0) <= 0;
  }
  assert_int_equal(closed, MANY - 4096);
  for (unsigned i = 0; i < MANY; i++)
    (void)close(fds[i]);
  static const struct workload_listener usual[] = {{8080, CALL_HTTP1}, {9000, CALL_TCP}, {9001, CALL_UDP}};
  struct error *err = NULL;
  assert_int_equal(workload_configure(workload.client, "w", address, usual, 3, &err), 0);
  assert_serves();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(noise_after_every_beginning),
      cmocka_unit_test(limits_of_http_are_answered),
      cmocka_unit_test(pipelined_requests_are_all_answered_in_order),
      cmocka_unit_test(nothing_is_taken_after_the_last_request),
      cmocka_unit_test(trailers_are_ignored),
      cmocka_unit_test(what_is_no_id_is_refused_and_not_recorded),
      cmocka_unit_test(waiting_h2c_streams_hold_a_bounded_amount),
      cmocka_unit_test(all_h2c_connections_hold_a_bounded_amount),
      cmocka_unit_test(a_slow_reader_gets_the_whole_last_answer),
      cmocka_unit_test(long_lines_and_datagrams_get_nothing),
      cmocka_unit_test(a_peer_that_does_not_read_is_not_read_from),
      cmocka_unit_test(connections_over_the_limit_are_closed_and_the_rest_serve),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
