/* Clients and servers that behave badly: what the mesh makes of them is bounded, told from what is whole, and counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "sdk/base/clock.h"

enum { SERVER = 1, CLIENT = 2, GUEST = 3, TO_SERVER = 0, TO_DOWN = 1, WAIT_MS = 20000 };

#define REQUEST "GET / HTTP/1.1\r\nHost: t\r\n\r\n"

static struct mesh_process mesh;
static int http_app, tcp_app; /* where the server's program listens: in this process */

static int listen_at(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, address_of('a', SERVER), &at.sin_addr), 1);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(fd, 16), 0);
  return fd;
}

static int setup(void **state) {
  (void)state;
  static const char *const services[] = {"main/server", "main/down", NULL};
  mesh_start(&mesh, NULL);
  http_app = listen_at(HTTP_PORT);
  tcp_app = listen_at(TCP_PORT);
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "client", CLIENT, services);
  declare_service("main", "server", "server");
  declare_service("main", "down", "nobody");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  close(http_app);
  close(tcp_app);
  mesh_stop(&mesh);
  return 0;
}

static struct reader call(int service) {
  return dial_reader(address_of('o', CLIENT), 20000 + service);
}

static bool waits(int fd, short events, int ms) {
  struct pollfd poller = {.fd = fd, .events = events};
  return poll(&poller, 1, ms) == 1;
}

/* The connection that comes to the server's program. */
static struct reader taken(int app) {
  assert_true(waits(app, POLLIN, WAIT_MS));
  int fd = accept(app, NULL, NULL);
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = WAIT_MS / 1000}, sizeof(struct timeval));
  return (struct reader){.fd = fd};
}

/* Reads a request's head. */
static void read_request(struct reader *reader) {
  for (;;) {
    char *line = read_line(reader);
    assert_non_null(line);
    bool last = strcmp(line, "\r\n") == 0;
    free(line);
    if (last)
      return;
  }
}

static void reset(struct reader *reader) {
  setsockopt(reader->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
  reader_close(reader);
}

/* Reads to the end, and returns how it ended: 0, or an errno. */
static int read_off(struct reader *reader) {
  char data[65536];
  ssize_t n;
  while ((n = read(reader->fd, data, sizeof data)) > 0)
    continue;
  return n < 0 ? errno : 0;
}

static void assert_answer(struct reader *reader, int status) {
  struct answer answer = read_answer(reader, false);
  assert_int_equal(answer.status, status);
  answer_free(&answer);
}

static void test_a_malformed_request_on_a_kept_connection_is_answered(void **state) {
  (void)state;
  struct reader reader = call(TO_DOWN);
  send_text(reader.fd, REQUEST);
  assert_answer(&reader, 503);
  send_text(reader.fd, "nonsense\r\n\r\n");
  assert_answer(&reader, 400);
  assert_true(ends(&reader));
  reader_close(&reader);
}

static void test_what_is_answered_survives_the_garbage_behind_it(void **state) {
  (void)state;
  static const char *const behind[] = {"nonsense\r\n\r\n", "GET / HT"};
  for (size_t i = 0; i < 2; i++) {
    struct reader reader = call(TO_DOWN);
    char text[128];
    snprintf(text, sizeof text, "%s%s%s", REQUEST, REQUEST, behind[i]);
    send_text(reader.fd, text);
    shutdown(reader.fd, SHUT_WR);
    assert_answer(&reader, 503);
    assert_answer(&reader, 503);
    if (i == 0)
      assert_answer(&reader, 400);
    assert_int_equal(read_off(&reader), 0);
    reader_close(&reader);
  }
}

/* Sends requests until no more are taken, and returns how many bytes were. */
static size_t send_until_full(int fd, size_t limit) {
  char batch[sizeof REQUEST * 512];
  const size_t length = 511 * strlen(REQUEST);
  size_t sent = 0;
  for (size_t i = 0; i < length; i++)
    batch[i] = REQUEST[i % strlen(REQUEST)];
  fcntl(fd, F_SETFL, O_NONBLOCK);
  while (sent < limit && waits(fd, POLLOUT, 1000)) {
    ssize_t n = send(fd, batch + sent % length, length - sent % length, MSG_NOSIGNAL);
    assert_true(n > 0 || errno == EAGAIN);
    sent += n > 0 ? (size_t)n : 0;
  }
  fcntl(fd, F_SETFL, 0);
  return sent;
}

static void test_a_peer_that_does_not_read_is_not_read(void **state) {
  (void)state;
  enum { LIMIT = 64 * 1024 * 1024 }; /* what the kernel's buffers take is far less */
  struct reader reader = call(TO_DOWN);
  size_t sent = send_until_full(reader.fd, LIMIT);
  assert_true(sent < LIMIT);
  shutdown(reader.fd, SHUT_WR);
  for (size_t i = 0; i < sent / strlen(REQUEST); i++) /* nothing was lost by waiting */
    assert_answer(&reader, 503);
  assert_int_equal(read_off(&reader), 0);
  reader_close(&reader);
}

static void test_a_status_without_a_body_has_none(void **state) {
  (void)state;
  struct reader reader = call(TO_SERVER);
  send_text(reader.fd, REQUEST);
  struct reader app = taken(http_app);
  read_request(&app);
  send_text(app.fd,
            "HTTP/1.1 103 Early\r\nContent-Length: 7\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n");
  struct answer answer = read_answer(&reader, true);
  assert_int_equal(answer.status, 103);
  assert_null(strcasestr(answer.head, "content-length"));
  answer_free(&answer);
  answer = read_answer(&reader, true);
  assert_int_equal(answer.status, 304);
  assert_non_null(strcasestr(answer.head, "content-length: 9"));
  answer_free(&answer);
  send_text(reader.fd, REQUEST); /* on the same connections */
  read_request(&app);
  send_text(app.fd, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
  answer = read_answer(&reader, true);
  assert_int_equal(answer.status, 204);
  assert_null(strcasestr(answer.head, "content-length"));
  answer_free(&answer);
  reader_close(&reader);
  reader_close(&app);
}

/* Makes one exchange, so that all the connections on the way are kept. */
static struct reader keep(struct reader *reader) {
  send_text(reader->fd, REQUEST);
  struct reader app = taken(http_app);
  read_request(&app);
  send_text(app.fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assert_answer(reader, 200);
  return app;
}

static void test_what_the_server_took_in_is_not_sent_again(void **state) {
  (void)state;
  struct reader reader = call(TO_SERVER);
  struct reader app = keep(&reader);
  send_text(reader.fd, REQUEST);
  read_request(&app);
  assert_false(waits(reader.fd, POLLIN, 300)); /* the server is at work for a while */
  reader_close(&app);
  assert_answer(&reader, 502);
  assert_false(waits(http_app, POLLIN, 0));
  reader_close(&reader);
}

static void test_a_kept_connection_that_ends_at_once_is_replaced(void **state) {
  (void)state;
  struct reader reader = call(TO_SERVER);
  struct reader app = keep(&reader);
  send_text(reader.fd, REQUEST);
  assert_true(waits(app.fd, POLLIN, WAIT_MS));
  reader_close(&app);
  app = taken(http_app);
  read_request(&app);
  send_text(app.fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assert_answer(&reader, 200);
  reader_close(&app);
  reader_close(&reader);
}

static void test_a_reset_does_not_look_like_the_end(void **state) {
  (void)state;
  struct reader reader = dial_reader(address_of('o', CLIENT), 21000);
  send_text(reader.fd, "x\n");
  struct reader app = taken(tcp_app);
  free(read_line(&app));
  send_text(app.fd, "part");
  reset(&app);
  assert_int_equal(read_off(&reader), ECONNRESET);
  reader_close(&reader);

  reader = dial_reader(address_of('o', CLIENT), 21000); /* and the other way */
  send_text(reader.fd, "part\n");
  app = taken(tcp_app);
  free(read_line(&app));
  reset(&reader);
  assert_int_equal(read_off(&app), ECONNRESET);
  reader_close(&app);
}

static void test_an_answer_that_is_cut_does_not_look_whole(void **state) {
  (void)state;
  struct reader reader = call(TO_SERVER);
  send_text(reader.fd, "GET / HTTP/1.0\r\n\r\n");
  struct reader app = taken(http_app);
  read_request(&app);
  send_text(app.fd, "HTTP/1.1 200 OK\r\n\r\npart");
  assert_true(waits(reader.fd, POLLIN, WAIT_MS));
  reset(&app);
  assert_int_equal(read_off(&reader), ECONNRESET);
  reader_close(&reader);
}

static void test_only_the_mesh_says_who_refused(void **state) {
  (void)state;
  struct reader reader = call(TO_SERVER);
  send_text(reader.fd, REQUEST);
  struct reader app = taken(http_app);
  read_request(&app);
  send_text(app.fd, "HTTP/1.1 403 Forbidden\r\nX-Trammel-Refmesh: denied\r\nContent-Length: 0\r\n\r\n");
  struct answer answer = read_answer(&reader, false);
  assert_int_equal(answer.status, 403);
  assert_null(strcasestr(answer.head, "x-trammel-refmesh"));
  answer_free(&answer);
  reader_close(&reader);
  reader_close(&app);
}

static void test_a_revoked_connection_ends_at_the_server_too(void **state) {
  (void)state;
  struct reader reader = dial_reader(address_of('o', CLIENT), 21000);
  send_text(reader.fd, "one\n");
  struct reader app = taken(tcp_app);
  free(read_line(&app));
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  assert_true(ends(&reader));
  assert_true(ends(&app));
  undeclare("enforcement/main");
  reader_close(&reader);
  reader_close(&app);
}

static struct reader call_as_guest(const char *request, struct reader *ret_app) {
  declare_workload("main", "guest", GUEST, (const char *const[]){"main/server", NULL});
  struct reader reader = dial_reader(address_of('o', GUEST), 20000);
  send_text(reader.fd, request);
  *ret_app = taken(http_app);
  read_request(ret_app);
  return reader;
}

static void test_a_deleted_callers_metrics_stay_away(void **state) {
  (void)state;
  struct reader app, reader = call_as_guest(REQUEST, &app);
  undeclare("workloads/main/guest"); /* with a request on its way */
  assert_true(ends(&app));
  char *body = metrics("/namespaces/main/pods/server/edges");
  assert_null(strstr(body, "guest"));
  free(body);
  reader_close(&reader);
  reader_close(&app);
}

static void test_an_interim_answer_is_no_success(void **state) {
  (void)state;
  struct reader app, reader = call_as_guest(REQUEST, &app);
  send_text(app.fd, "HTTP/1.1 103 Early\r\n\r\n");
  struct answer answer = read_answer(&reader, true);
  assert_int_equal(answer.status, 103);
  answer_free(&answer);
  reset(&reader);
  assert_true(ends(&app));
  char *body = metrics("/namespaces/main/pods/guest/edges");
  assert_true(counted(body, 0, 1));
  free(body);
  undeclare("workloads/main/guest");
  reader_close(&app);
}

static void test_an_answer_that_the_mesh_cuts_does_not_look_whole(void **state) {
  (void)state;
  struct reader app, reader = call_as_guest("GET / HTTP/1.0\r\n\r\n", &app);
  send_text(app.fd, "HTTP/1.1 200 OK\r\n\r\npart");
  assert_true(waits(reader.fd, POLLIN, WAIT_MS));
  undeclare("workloads/main/guest");
  assert_int_equal(read_off(&reader), ECONNRESET);
  assert_true(ends(&app));
  reader_close(&reader);
  reader_close(&app);
}

/* Another program takes the name over, which is no reason to forget what its proxy counted. */
static void test_a_request_that_is_cut_is_counted(void **state) {
  (void)state;
  struct reader app, reader = call_as_guest(REQUEST, &app);
  declare_workload("main", "guest", GUEST, (const char *const[]){"main/server", "main/down", NULL});
  assert_true(ends(&app));
  char *body = metrics("/namespaces/main/pods/guest/edges");
  assert_true(counted(body, 0, 1));
  free(body);
  undeclare("workloads/main/guest");
  reader_close(&reader);
  reader_close(&app);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_malformed_request_on_a_kept_connection_is_answered),
      cmocka_unit_test(test_what_is_answered_survives_the_garbage_behind_it),
      cmocka_unit_test(test_a_peer_that_does_not_read_is_not_read),
      cmocka_unit_test(test_a_status_without_a_body_has_none),
      cmocka_unit_test(test_what_the_server_took_in_is_not_sent_again),
      cmocka_unit_test(test_a_kept_connection_that_ends_at_once_is_replaced),
      cmocka_unit_test(test_a_reset_does_not_look_like_the_end),
      cmocka_unit_test(test_an_answer_that_is_cut_does_not_look_whole),
      cmocka_unit_test(test_only_the_mesh_says_who_refused),
      cmocka_unit_test(test_a_revoked_connection_ends_at_the_server_too),
      cmocka_unit_test(test_a_deleted_callers_metrics_stay_away),
      cmocka_unit_test(test_an_interim_answer_is_no_success),
      cmocka_unit_test(test_an_answer_that_the_mesh_cuts_does_not_look_whole),
      cmocka_unit_test(test_a_request_that_is_cut_is_counted),
  };
  return cmocka_run_group_tests_name("refmesh_peers", tests, setup, teardown);
}
