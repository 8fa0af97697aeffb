#include "tests/integration/load/target_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/clock.h"

#define CLIENTS_MAX 128

struct target_server {
  pthread_t thread;
  enum conduct conduct;
  int listener, wake[2];
  char url[64];
  int64_t stall_at_ns, stall_for_ns; /* since the first request; -1: never */
  int64_t first_ns;
  struct pollfd polled[CLIENTS_MAX + 2];
  unsigned clients;
  atomic_uint_fast64_t requests;
};

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

static void put(int fd, const char *data, size_t length) {
  (void)!send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Whether the connection stays. */
static bool act(const struct target_server *server, int fd) {
  static const char endless[] = "X-More: and more and more and more and more and more\r\n";
  switch (server->conduct) {
  case CONDUCT_ANSWERS:
    put(fd, answer, sizeof(answer) - 1);
    return true;
  case CONDUCT_CLOSES_IDLE:
    put(fd, answer, sizeof(answer) - 1);
    return false;
  case CONDUCT_CUTS:
    put(fd, answer, sizeof(answer) - 4);
    return false;
  case CONDUCT_RESETS:
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    return false;
  case CONDUCT_GARBAGE:
    put(fd, "220 smtp.test ESMTP\r\n", 21);
    return true;
  case CONDUCT_ENDLESS:
    put(fd, answer, 17);
    while (send(fd, endless, sizeof(endless) - 1, MSG_NOSIGNAL) > 0)
      continue; /* until the other side has had enough */
    return false;
  case CONDUCT_MUTE:
    return true;
  case CONDUCT_SLOW:
  case CONDUCT_SLOWER:
    (void)poll(NULL, 0, server->conduct == CONDUCT_SLOW ? 5 : 50);
    put(fd, answer, sizeof(answer) - 1);
    return true;
  }
  return false;
}

static void stall(struct target_server *server) {
  int64_t now_ns = clock_monotonic_ns();
  if (server->first_ns == 0)
    server->first_ns = now_ns;
  if (server->stall_at_ns < 0 || now_ns - server->first_ns < server->stall_at_ns)
    return;
  server->stall_at_ns = -1;
  (void)poll(NULL, 0, (int)(server->stall_for_ns / NS_PER_MS));
}

/* A request is one segment here: the generator sends each at once. */
static bool serve(struct target_server *server, int fd) {
  char buffer[4096];
  ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (n <= 0)
    return n < 0 && (errno == EAGAIN || errno == EINTR);
  atomic_fetch_add(&server->requests, 1);
  stall(server);
  return act(server, fd);
}

static void accept_one(struct target_server *server) {
  int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0 && server->clients == CLIENTS_MAX)
    (void)close(fd);
  else if (fd >= 0)
    server->polled[2 + server->clients++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void *target_server_main(void *argument) {
  struct target_server *server = argument;
  server->polled[0] = (struct pollfd){.fd = server->wake[0], .events = POLLIN};
  server->polled[1] = (struct pollfd){.fd = server->listener, .events = POLLIN};
  while (poll(server->polled, server->clients + 2, -1) >= 0 && !server->polled[0].revents) {
    for (unsigned i = server->clients; i > 0; i--) {
      struct pollfd *client = &server->polled[1 + i];
      if (!client->revents || serve(server, client->fd))
        continue;
      (void)close(client->fd);
      *client = server->polled[1 + server->clients--];
    }
    if (server->polled[1].revents)
      accept_one(server);
  }
  return NULL;
}

static struct target_server *start(enum conduct conduct, int64_t stall_at_ns, int64_t stall_for_ns) {
  struct target_server *server = calloc(1, sizeof(*server));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  assert_non_null(server);
  server->conduct = conduct;
  server->stall_at_ns = stall_at_ns;
  server->stall_for_ns = stall_for_ns;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(server->listener >= 0);
  assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof(at)), 0);
  assert_int_equal(listen(server->listener, 128), 0);
  assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &size), 0);
  (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/", ntohs(at.sin_port));
  assert_int_equal(pipe(server->wake), 0);
  assert_int_equal(pthread_create(&server->thread, NULL, target_server_main, server), 0);
  return server;
}

struct target_server *target_server_start(enum conduct conduct) {
  return start(conduct, -1, 0);
}

struct target_server *target_server_start_stalling(int64_t at_ms, int64_t for_ms) {
  return start(CONDUCT_ANSWERS, at_ms * NS_PER_MS, for_ms * NS_PER_MS);
}

void target_server_stop(struct target_server *server) {
  assert_int_equal(write(server->wake[1], "x", 1), 1);
  assert_int_equal(pthread_join(server->thread, NULL), 0);
  for (unsigned i = 0; i < server->clients; i++)
    (void)close(server->polled[2 + i].fd);
  (void)close(server->listener);
  (void)close(server->wake[0]);
  (void)close(server->wake[1]);
  free(server);
}

const char *target_server_url(const struct target_server *server) {
  return server->url;
}

uint64_t target_server_requests(const struct target_server *server) {
  return atomic_load(&server->requests);
}
