/* The reference mesh's HTTP/2 between a client and a server that send anything. An input is how many bytes of it are
 * the client's (two bytes, big-endian), a byte whose bits say what is decided and how the client's bytes are cut, and
 * the bytes of both. Frames of the preface and SETTINGS come first on each side, so that more inputs get past them. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/reference/mesh/h2_session.h"
#include "plugins/reference/mesh/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETTINGS "\0\0\0\4\0\0\0\0\0"

enum { TURNS = 40, SERVERS = 4, HEADER = 3 };
enum { DENY_POSTS = 1, IN_PIECES = 2, UNAVAILABLE = 4, IS_LAST = 8 };

struct run {
  struct event_base *base;
  struct stream_loop loop;
  struct pool *pool;
  struct h2_session *session;
  struct sockaddr_in address; /* of the server */
  int listener, client;
  int servers[SERVERS];
  size_t count;
  const char *answer; /* the server's bytes */
  size_t answer_length;
  unsigned modes;
  unsigned routed, served;
  uint64_t served_sum; /* of the numbers of requests */
  bool closed;
};

static enum route route(void *context, const struct head *request, struct target *ret_target) {
  struct run *run = context;
  run->routed++;
  /* What is decided by is always there, and what is passed on is what HTTP/1.1 would take. */
  struct slice host, target = head_start(request);
  if (!request->method || head_count(request, "host", &host) != 1 || host.length == 0 || target.length == 0 ||
      (target.data[0] != '/' && !slice_is(target, "*")) || head_count(request, "connection", NULL) > 0)
    abort();
  if (run->modes & UNAVAILABLE)
    return ROUTE_UNAVAILABLE;
  if (run->modes & DENY_POSTS && strcmp(request->method, "POST") == 0)
    return ROUTE_DENIED;
  *ret_target = (struct target){.address = run->address};
  return ROUTE_FORWARD;
}

/* The number of the request. */
static void *note(void *context) {
  unsigned *number = malloc(sizeof *number);
  if (number)
    *number = ((struct run *)context)->routed;
  return number;
}

static enum route again(void *context, const void *of, const struct head *request, struct target *ret_target) {
  (void)of;
  (void)request;
  *ret_target = (struct target){.address = ((struct run *)context)->address};
  return ROUTE_FORWARD;
}

static void served(void *context, const void *of, unsigned status, int64_t latency_ns) {
  (void)latency_ns;
  struct run *run = context;
  run->served++;
  run->served_sum += *(const unsigned *)of;
  if (status >= 1000 || (status > 0 && status < 200))
    abort();
}

static bool last(void *context) {
  return ((struct run *)context)->modes & IS_LAST;
}

static void closed(void *context) {
  struct run *run = context;
  h2_session_destroy(take(run->session));
  run->closed = true;
}

static const struct session_handler handler = {
    .route = route, .again = again, .served = served, .note = note, .closed = closed, .last = last, .program = true};

static void must(bool good) {
  if (!good)
    abort();
}

static void run_init(struct run *run) {
  int pair[2];
  socklen_t size = sizeof run->address;
  run->base = event_base_new();
  must(run->base && stream_loop_init(&run->loop, run->base) == 0 && (run->pool = pool_create(&run->loop, NULL)));
  run->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  run->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  must(bind(run->listener, (struct sockaddr *)&run->address, sizeof run->address) == 0 &&
       listen(run->listener, SERVERS) == 0 &&
       getsockname(run->listener, (struct sockaddr *)&run->address, &size) == 0 &&
       socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  run->client = pair[0];
  struct stream *stream = stream_accept(&run->loop, pair[1], NULL, NULL, NULL);
  must(stream && (run->session = h2_session_create(stream, run->pool, &handler, run)));
}

static void run_finish(struct run *run) {
  h2_session_destroy(run->session);
  /* Each request that was decided is counted once. */
  must(run->served == run->routed && run->served_sum == (uint64_t)run->routed * (run->routed + 1) / 2);
  pool_destroy(run->pool);
  stream_loop_finish(&run->loop);
  event_base_free(run->base);
  close(run->listener);
  close(run->client);
  for (size_t i = 0; i < run->count; i++)
    close(run->servers[i]);
}

static void drain(int fd) {
  char data[65536];
  while (recv(fd, data, sizeof data, MSG_DONTWAIT) > 0)
    continue;
}

static void turn(struct run *run) {
  (void)event_base_loop(run->base, EVLOOP_NONBLOCK);
  drain(run->client);
  int fd = run->count < SERVERS ? accept4(run->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
  if (fd >= 0) {
    run->servers[run->count++] = fd;
    (void)send(fd, SETTINGS, sizeof SETTINGS - 1, MSG_NOSIGNAL);
    (void)send(fd, run->answer, run->answer_length, MSG_NOSIGNAL);
  }
  for (size_t i = 0; i < run->count; i++)
    drain(run->servers[i]);
}

static void send_all(struct run *run, const char *data, size_t length) {
  size_t step = run->modes & IN_PIECES ? 7 : length;
  for (size_t at = 0; at < length && !run->closed; at += step) {
    (void)send(run->client, data + at, length - at < step ? length - at : step, MSG_NOSIGNAL);
    if (at % 64 < step)
      turn(run);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < HEADER || size > 32768)
    return 0;
  size_t length = (size_t)data[0] << 8 | data[1], rest = size - HEADER;
  if (length > rest)
    length = rest;
  const char *bytes = (const char *)data + HEADER;
  struct run run = {.modes = data[2], .answer = bytes + length, .answer_length = rest - length};
  run_init(&run);
  static const char greeting[] = NGHTTP2_CLIENT_MAGIC SETTINGS;
  (void)send(run.client, greeting, sizeof greeting - 1, MSG_NOSIGNAL);
  send_all(&run, bytes, length);
  for (int i = 0; i < TURNS; i++)
    turn(&run);
  (void)shutdown(run.client, SHUT_WR);
  for (int i = 0; i < TURNS; i++)
    turn(&run);
  run_finish(&run);
  return 0;
}
