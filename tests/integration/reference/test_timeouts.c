/* What ends by time, and what doesn't: real sockets in this process, under a clock of the test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/pool.h"
#include "plugins/reference/mesh/session.h"
#include "plugins/reference/mesh/tunnel.h"

static int64_t now_s = 1000;

static int64_t test_clock_s(void) {
  return now_s;
}

/* A client and a server with something of the mesh between them. */
struct between {
  struct event_base *base;
  struct stream_loop loop;
  struct pool *pool;
  struct target target;
  int listener, client, inner, server;
  bool closed;
};

static void on_closed(void *context) {
  ((struct between *)context)->closed = true;
}

static void between_init(struct between *between) {
  *between = (struct between){.base = event_base_new(), .server = -1};
  assert_int_equal(stream_loop_init(&between->loop, between->base), 0);
  between->loop.clock_s = test_clock_s;
  between->loop.now_s = now_s;
  between->pool = pool_create(&between->loop, NULL);
  struct sockaddr_in *at = &between->target.address;
  *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  between->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(between->listener, (struct sockaddr *)at, sizeof *at), 0);
  assert_int_equal(listen(between->listener, 4), 0);
  socklen_t size = sizeof *at;
  assert_int_equal(getsockname(between->listener, (struct sockaddr *)at, &size), 0);
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  between->client = pair[0];
  between->inner = pair[1];
}

static void between_finish(struct between *between) {
  pool_destroy(between->pool);
  stream_loop_finish(&between->loop);
  event_base_free(between->base);
  close(between->listener);
  close(between->client);
  close(between->server);
}

/* Lets the loop run until `fd` can be read, and reads: the bytes, or -errno. */
static ssize_t receive(struct between *between, int fd, char *data, size_t size) {
  for (;;) {
    ssize_t n = recv(fd, data, size, MSG_DONTWAIT);
    if (n >= 0 || errno != EAGAIN)
      return n < 0 ? -errno : n;
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
  }
}

static void accept_server(struct between *between) {
  between->server = accept(between->listener, NULL, NULL);
  assert_true(between->server >= 0);
}

static void pass(struct between *between, int from, int to, const char *text) {
  char data[256];
  assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
  size_t length = 0;
  while (length < strlen(text)) {
    ssize_t n = receive(between, to, data + length, sizeof data - length);
    assert_true(n > 0);
    length += (size_t)n;
  }
  assert_memory_equal(data, text, length);
}

/* Moves the clock on, and waits until the loop has seen it. */
static void advance(struct between *between, int64_t seconds) {
  now_s += seconds;
  while (between->loop.now_s < now_s && !between->closed)
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
}

static void test_a_tunnel_that_is_used_one_way_stays(void **state) {
  (void)state;
  struct between between;
  between_init(&between);
  struct stream *client = stream_accept(&between.loop, between.inner, NULL, NULL, NULL);
  struct tunnel *tunnel = tunnel_create(client, between.pool, &between.target, on_closed, &between);
  assert_non_null(tunnel);
  accept_server(&between);
  for (int i = 0; i < 3; i++) {
    pass(&between, between.server, between.client, "only this way");
    advance(&between, TIMEOUT_TUNNEL_IDLE - 10);
    assert_false(between.closed);
  }
  advance(&between, 20); /* now neither way for too long */
  assert_true(between.closed);
  tunnel_destroy(tunnel);
  between_finish(&between);
}

static enum route to_server(void *context, const struct head *request, struct target *ret_target) {
  (void)request;
  *ret_target = ((struct between *)context)->target;
  return ROUTE_FORWARD;
}

static const struct session_handler session_handler = {.route = to_server, .closed = on_closed};

static struct session *ask_slow_server(struct between *between) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  between_init(between);
  struct stream *client = stream_accept(&between->loop, between->inner, NULL, NULL, NULL);
  struct session *session = session_create(client, between->pool, false, &session_handler, between);
  assert_non_null(session);
  char data[256];
  assert_int_equal(send(between->client, request, strlen(request), MSG_NOSIGNAL), strlen(request));
  while (recv(between->client, data, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && between->server < 0) {
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
    fcntl(between->listener, F_SETFL, O_NONBLOCK);
    between->server = accept(between->listener, NULL, NULL);
  }
  assert_true(receive(between, between->server, data, sizeof data) > 0);
  return session;
}

static void test_an_answer_that_progresses_is_not_cut(void **state) {
  (void)state;
  struct between between;
  struct session *session = ask_slow_server(&between);
  pass(&between, between.server, between.client, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  advance(&between, TIMEOUT_ANSWER - 10);
  pass(&between, between.server, between.client, "more");
  advance(&between, TIMEOUT_ANSWER - 10);
  assert_false(between.closed);
  advance(&between, 30); /* past the time for the whole exchange, however it progresses */
  assert_true(between.closed);
  session_destroy(session);
  between_finish(&between);
}

static void test_no_answer_is_504(void **state) {
  (void)state;
  struct between between;
  struct session *session = ask_slow_server(&between);
  advance(&between, TIMEOUT_ANSWER + 10);
  char data[512];
  assert_true(receive(&between, between.client, data, sizeof data) > 12);
  assert_memory_equal(data, "HTTP/1.1 504", 12);
  session_destroy(session);
  between_finish(&between);
}

static void test_an_old_connection_is_not_used_again(void **state) {
  (void)state;
  struct between between;
  between_init(&between);
  static const struct stream_handler none;
  for (int i = 0; i < 2; i++) {
    struct pool_link *link = pool_take(between.pool, &between.target, true, &none, NULL);
    assert_non_null(link);
    assert_false(link->reused);
    between.loop.now_s = now_s += CERTIFICATE_RENEWAL;
    pool_give(link, true);
  }
  close(between.inner);
  between_finish(&between);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_tunnel_that_is_used_one_way_stays),
      cmocka_unit_test(test_an_answer_that_progresses_is_not_cut),
      cmocka_unit_test(test_no_answer_is_504),
      cmocka_unit_test(test_an_old_connection_is_not_used_again),
  };
  return cmocka_run_group_tests_name("refmesh_timeouts", tests, NULL, NULL);
}
