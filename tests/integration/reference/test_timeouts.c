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

#include "between.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/pool.h"
#include "plugins/reference/mesh/session.h"
#include "plugins/reference/mesh/tunnel.h"

static void test_a_tunnel_that_is_used_one_way_stays(void **state) {
  (void)state;
  struct between between;
  between_init(&between);
  struct stream *client = stream_accept(&between.loop, between.inner, NULL, NULL, NULL);
  struct tunnel *tunnel = tunnel_create(client, between.pool, &between.target, between_closed, &between);
  assert_non_null(tunnel);
  between_accept(&between);
  for (int i = 0; i < 3; i++) {
    between_pass(&between, between.server, between.client, "only this way");
    between_advance(&between, TIMEOUT_TUNNEL_IDLE - 10);
    assert_false(between.closed);
  }
  between_advance(&between, 20); /* now neither way for too long */
  assert_true(between.closed);
  tunnel_destroy(tunnel);
  between_finish(&between);
}

static enum route to_server(void *context, const struct head *request, struct target *ret_target) {
  (void)request;
  *ret_target = ((struct between *)context)->target;
  return ROUTE_FORWARD;
}

static const struct session_handler session_handler = {.route = to_server, .closed = between_closed};

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
  assert_true(between_receive(between, between->server, data, sizeof data) > 0);
  return session;
}

static void test_an_answer_that_progresses_is_not_cut(void **state) {
  (void)state;
  struct between between;
  struct session *session = ask_slow_server(&between);
  between_pass(&between, between.server, between.client, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  between_advance(&between, TIMEOUT_ANSWER - 10);
  between_pass(&between, between.server, between.client, "more");
  between_advance(&between, TIMEOUT_ANSWER - 10);
  assert_false(between.closed);
  between_advance(&between, 30); /* past the time for the whole exchange, however it progresses */
  assert_true(between.closed);
  session_destroy(session);
  between_finish(&between);
}

static void test_no_answer_is_504(void **state) {
  (void)state;
  struct between between;
  struct session *session = ask_slow_server(&between);
  between_advance(&between, TIMEOUT_ANSWER + 10);
  char data[512];
  assert_true(between_receive(&between, between.client, data, sizeof data) > 12);
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
    between.loop.now_s = between_now_s += CERTIFICATE_RENEWAL;
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
