#include "between.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

int64_t between_now_s = 1000;

static int64_t test_clock_s(void) {
  return between_now_s;
}

void between_closed(void *context) {
  ((struct between *)context)->closed = true;
}

void between_init(struct between *between) {
  *between = (struct between){.base = event_base_new(), .server = -1};
  assert_int_equal(stream_loop_init(&between->loop, between->base), 0);
  between->loop.clock_s = test_clock_s;
  between->loop.now_s = between_now_s;
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

void between_finish(struct between *between) {
  pool_destroy(between->pool);
  stream_loop_finish(&between->loop);
  event_base_free(between->base);
  close(between->listener);
  close(between->client);
  close(between->server);
}

ssize_t between_receive(struct between *between, int fd, char *data, size_t size) {
  for (;;) {
    ssize_t n = recv(fd, data, size, MSG_DONTWAIT);
    if (n >= 0 || errno != EAGAIN)
      return n < 0 ? -errno : n;
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
  }
}

void between_accept(struct between *between) {
  between->server = accept(between->listener, NULL, NULL);
  assert_true(between->server >= 0);
}

void between_pass(struct between *between, int from, int to, const char *text) {
  char data[256];
  assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
  size_t length = 0;
  while (length < strlen(text)) {
    ssize_t n = between_receive(between, to, data + length, sizeof data - length);
    assert_true(n > 0);
    length += (size_t)n;
  }
  assert_memory_equal(data, text, length);
}

void between_advance(struct between *between, int64_t seconds) {
  between_now_s += seconds;
  while (between->loop.now_s < between_now_s && !between->closed)
    assert_true(event_base_loop(between->base, EVLOOP_ONCE) >= 0);
}
