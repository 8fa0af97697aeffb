/* What ends an HTTP/2 connection, or a stream of it, by time, and when its caller's certificate runs out. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "between.h"
#include "plugins/reference/mesh/h2_session.h"
#include "plugins/reference/mesh/limits.h"

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define NO_WINDOW "\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0"
/* GET / of t, on streams 1 and 3, by HPACK's table. */
#define REQUEST "\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\1t"
#define SECOND_REQUEST "\0\0\6\1\5\0\0\0\3\x82\x86\x84\x41\1t"
#define UNFINISHED_REQUEST "\0\0\6\1\1\0\0\0\1\x82\x86\x84\x41\1t"
#define ANSWER "\0\0\1\1\4\0\0\0\1\x88"
#define DATA "\0\0\1\0\0\0\0\0\1x"
#define LAST_DATA "\0\0\1\0\1\0\0\0\1x"

enum { FRAME_HEAD = 9 };

#define SEND(fd, bytes) assert_int_equal(send(fd, bytes, sizeof(bytes) - 1, MSG_NOSIGNAL), sizeof(bytes) - 1)

static bool is_last, is_unavailable;

static enum route to_server(void *context, const struct head *request, struct target *ret_target) {
  (void)request;
  *ret_target = ((struct between *)context)->target;
  return is_unavailable ? ROUTE_UNAVAILABLE : ROUTE_FORWARD;
}

static bool last(void *context) {
  (void)context;
  return is_last;
}

static const struct session_handler session_handler = {.route = to_server, .closed = between_closed, .last = last};

static struct h2_session *session_new(struct between *between) {
  between_init(between);
  is_last = is_unavailable = false;
  struct stream *client = stream_accept(&between->loop, between->inner, NULL, NULL, NULL);
  struct h2_session *session = h2_session_create(client, between->pool, &session_handler, between);
  assert_non_null(session);
  return session;
}

static void finish(struct between *between, struct h2_session *session) {
  h2_session_destroy(session);
  between_finish(between);
}

static void await_server(struct between *between) {
  fcntl(between->listener, F_SETFL, O_NONBLOCK);
  while ((between->server = accept(between->listener, NULL, NULL)) < 0)
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
}

/* One of the client's frames; false at the connection's end. */
static bool read_frame(struct between *between, unsigned char head[static FRAME_HEAD], char payload[static 256]) {
  size_t length = 0, wanted = FRAME_HEAD;
  while (length < wanted) {
    char *at = length < FRAME_HEAD ? (char *)head + length : payload + length - FRAME_HEAD;
    ssize_t n = between_receive(between, between->client, at, (length < FRAME_HEAD ? FRAME_HEAD : wanted) - length);
    if (n <= 0)
      return false;
    length += (size_t)n;
    if (length == FRAME_HEAD)
      wanted += (size_t)head[1] << 8 | head[2];
    assert_in_range(wanted, FRAME_HEAD, FRAME_HEAD + 256);
  }
  return true;
}

/* Reads on to a frame of that type; its payload. */
static const char *await(struct between *between, int type, size_t *ret_length) {
  static char payload[256];
  unsigned char head[FRAME_HEAD];
  do
    assert_true(read_frame(between, head, payload));
  while (head[3] != type);
  if (ret_length)
    *ret_length = head[2];
  return payload;
}

static bool ends(struct between *between) {
  char payload[256];
  unsigned char head[FRAME_HEAD];
  while (read_frame(between, head, payload))
    if (head[3] == NGHTTP2_DATA)
      return false;
  return true;
}

static void assert_status(struct between *between, const char *status) {
  size_t length;
  const char *block = await(between, NGHTTP2_HEADERS, &length);
  assert_non_null(memmem(block, length, status, strlen(status)));
}

static void test_no_answer_is_504(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  SEND(between.client, NGHTTP2_CLIENT_MAGIC SETTINGS REQUEST);
  await_server(&between);
  between_advance(&between, TIMEOUT_ANSWER + 10);
  assert_status(&between, "504");
  assert_false(between.closed);
  finish(&between, session);
}

static void test_an_answer_that_progresses_is_not_cut(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  SEND(between.client, NGHTTP2_CLIENT_MAGIC SETTINGS REQUEST);
  await_server(&between);
  SEND(between.server, SETTINGS ANSWER);
  (void)await(&between, NGHTTP2_HEADERS, NULL);
  between_advance(&between, TIMEOUT_ANSWER - 10);
  SEND(between.server, DATA);
  (void)await(&between, NGHTTP2_DATA, NULL);
  between_advance(&between, TIMEOUT_ANSWER - 10);
  SEND(between.server, DATA);
  (void)await(&between, NGHTTP2_DATA, NULL);
  between_advance(&between, 30); /* past the time for the whole exchange, however it progresses */
  (void)await(&between, NGHTTP2_RST_STREAM, NULL);
  assert_false(between.closed); /* other streams may go on */
  finish(&between, session);
}

static void test_an_answer_that_is_not_taken_ends_the_connection(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  is_unavailable = true;
  SEND(between.client, NGHTTP2_CLIENT_MAGIC NO_WINDOW REQUEST);
  assert_status(&between, "503");
  between_advance(&between, TIMEOUT_EXCHANGE + 2);
  assert_false(between.closed);
  between_advance(&between, TIMEOUT_HEAD + 2);
  assert_true(between.closed);
  finish(&between, session);
}

static void test_a_head_that_does_not_end_ends_the_connection(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  SEND(between.client, NGHTTP2_CLIENT_MAGIC SETTINGS UNFINISHED_REQUEST);
  (void)await(&between, NGHTTP2_SETTINGS, NULL);
  between_advance(&between, TIMEOUT_HEAD - 5);
  assert_false(between.closed);
  between_advance(&between, 10);
  assert_true(between.closed);
  finish(&between, session);
}

static void test_an_idle_connection_ends(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  SEND(between.client, NGHTTP2_CLIENT_MAGIC SETTINGS);
  (void)await(&between, NGHTTP2_SETTINGS, NULL);
  between_advance(&between, TIMEOUT_IDLE - 5);
  assert_false(between.closed);
  between_advance(&between, 10);
  assert_true(between.closed);
  finish(&between, session);
}

/* The request is still answered, and the client told that the next one needs another connection. */
static void test_the_last_request_is_answered(void **state) {
  (void)state;
  struct between between;
  struct h2_session *session = session_new(&between);
  is_last = true;
  SEND(between.client, NGHTTP2_CLIENT_MAGIC SETTINGS REQUEST);
  const char *goaway = await(&between, NGHTTP2_GOAWAY, NULL);
  assert_memory_equal(goaway, "\0\0\0\1\0\0\0\0", 8); /* stream 1 is the last; no error */
  await_server(&between);
  SEND(between.client, SECOND_REQUEST);
  SEND(between.server, SETTINGS ANSWER LAST_DATA);
  (void)await(&between, NGHTTP2_DATA, NULL);
  assert_true(ends(&between));
  assert_true(between.closed);
  finish(&between, session);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_answer_is_504),
      cmocka_unit_test(test_an_answer_that_progresses_is_not_cut),
      cmocka_unit_test(test_an_answer_that_is_not_taken_ends_the_connection),
      cmocka_unit_test(test_a_head_that_does_not_end_ends_the_connection),
      cmocka_unit_test(test_an_idle_connection_ends),
      cmocka_unit_test(test_the_last_request_is_answered),
  };
  return cmocka_run_group_tests_name("refmesh_http2_timeouts", tests, NULL, NULL);
}
