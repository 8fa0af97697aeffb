#include "tests/integration/load/echo_server.h"

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

enum { CLIENTS_MAX = 64, FIXED = 3, SIZE = 65536, DELAYED = 2 };

struct datagram {
  char data[SIZE];
  size_t length;
  struct sockaddr_in from;
};

struct echo_server {
  pthread_t thread;
  enum echo_conduct conduct;
  int listener, datagrams, wake[2];
  char tcp[48], udp[48];
  struct pollfd polled[CLIENTS_MAX + FIXED];
  unsigned clients;
  struct datagram delayed[DELAYED];
  atomic_uint_fast64_t count;
  char buffer[SIZE];
};

/* ---- TCP */

/* All of it, unless the other side has gone, or doesn't read and the server is to end. */
static void put(const struct echo_server *server, int fd, const char *data, size_t length) {
  struct pollfd wait[] = {{.fd = fd, .events = POLLOUT}, {.fd = server->wake[0], .events = POLLIN}};
  while (length > 0) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
      return;
    data += n > 0 ? n : 0;
    length -= n > 0 ? (size_t)n : 0;
    if (n < 0 && (poll(wait, 2, -1) < 0 || wait[1].revents))
      return;
  }
}

static void flood(const struct echo_server *server, int fd) {
  struct pollfd wait[] = {{.fd = fd, .events = POLLOUT}, {.fd = server->wake[0], .events = POLLIN}};
  static const char zeros[SIZE];
  while (poll(wait, 2, -1) >= 0 && !wait[1].revents && send(fd, zeros, SIZE, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    continue;
}

/* Whether the connection stays. */
static bool serve(struct echo_server *server, int fd) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
  ssize_t n = recv(fd, server->buffer, SIZE - 1, MSG_DONTWAIT);
  if (n <= 0)
    return false;
  size_t length = (size_t)n;
  switch (server->conduct) {
  case ECHO_MUTE:
    return true;
  case ECHO_GARBLES:
    server->buffer[length - 1]++;
    break;
  case ECHO_ADDS:
    server->buffer[length++] = '+';
    break;
  case ECHO_HALVES:
    put(server, fd, server->buffer, length / 2);
    return false;
  case ECHO_FLOODS:
    put(server, fd, head, sizeof(head) - 1);
    flood(server, fd);
    return false;
  default:
    break;
  }
  put(server, fd, server->buffer, length);
  return true;
}

static void accept_one(struct echo_server *server) {
  int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0 && server->clients == CLIENTS_MAX)
    (void)close(fd);
  else if (fd >= 0)
    server->polled[FIXED + server->clients++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void look_at_clients(struct echo_server *server) {
  for (unsigned i = server->clients; i > 0; i--) {
    struct pollfd *client = &server->polled[FIXED - 1 + i];
    if (!client->revents || serve(server, client->fd))
      continue;
    (void)close(client->fd);
    *client = server->polled[FIXED - 1 + server->clients--];
  }
}

/* ---- UDP */

static void reply(const struct echo_server *server, const struct sockaddr_in *to, const char *data, size_t length) {
  (void)sendto(server->datagrams, data, length, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void reply_delayed(struct echo_server *server, const struct sockaddr_in *from, size_t length) {
  struct datagram *slot = &server->delayed[atomic_load(&server->count) % DELAYED];
  if (slot->length > 0)
    reply(server, &slot->from, slot->data, slot->length);
  memcpy(slot->data, server->buffer, length);
  slot->length = length;
  slot->from = *from;
}

static void answer(struct echo_server *server, const struct sockaddr_in *from, size_t length) {
  static const char invented[] = "\xff\xff\xff\xff\xff\xff\0\0hello";
  uint64_t count = atomic_fetch_add(&server->count, 1);
  switch (server->conduct) {
  case ECHO_MUTE:
    return;
  case ECHO_GARBLES:
    server->buffer[length - 1]++;
    break;
  case ECHO_ADDS:
    server->buffer[length++] = '+';
    break;
  case ECHO_HALVES:
    length = 8 + (length - 8) / 2;
    break;
  case ECHO_LOSES:
    if (count % 4 == 3)
      return;
    break;
  case ECHO_DOUBLES:
    reply(server, from, server->buffer, length);
    break;
  case ECHO_DELAYS:
    reply_delayed(server, from, length);
    return;
  case ECHO_INVENTS:
    reply(server, from, invented, sizeof(invented) - 1);
    reply(server, from, "", 0);
    break;
  default:
    break;
  }
  reply(server, from, server->buffer, length);
}

static void look_at_datagrams(struct echo_server *server) {
  struct sockaddr_in from;
  socklen_t size = sizeof(from);
  ssize_t n;
  while ((n = recvfrom(server->datagrams, server->buffer, SIZE - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &size)) > 0)
    answer(server, &from, (size_t)n);
}

/* ---- the whole */

static void *echo_server_main(void *argument) {
  struct echo_server *server = argument;
  while (poll(server->polled, server->clients + FIXED, -1) >= 0 && !server->polled[0].revents) {
    look_at_clients(server);
    if (server->polled[1].revents)
      accept_one(server);
    if (server->polled[2].revents)
      look_at_datagrams(server);
  }
  return NULL;
}

static int open_port(int type, const char *scheme, char *url, size_t url_size) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
  (void)snprintf(url, url_size, "%s://127.0.0.1:%d", scheme, ntohs(at.sin_port));
  return fd;
}

struct echo_server *echo_server_start(enum echo_conduct conduct) {
  struct echo_server *server = calloc(1, sizeof(*server));
  assert_non_null(server);
  server->conduct = conduct;
  server->listener = open_port(SOCK_STREAM, "tcp", server->tcp, sizeof(server->tcp));
  server->datagrams = open_port(SOCK_DGRAM, "udp", server->udp, sizeof(server->udp));
  assert_int_equal(listen(server->listener, 128), 0);
  assert_int_equal(pipe(server->wake), 0);
  const int fixed[FIXED] = {server->wake[0], server->listener, server->datagrams};
  for (int i = 0; i < FIXED; i++)
    server->polled[i] = (struct pollfd){.fd = fixed[i], .events = POLLIN};
  assert_int_equal(pthread_create(&server->thread, NULL, echo_server_main, server), 0);
  return server;
}

void echo_server_stop(struct echo_server *server) {
  assert_int_equal(write(server->wake[1], "", 1), 1);
  assert_int_equal(pthread_join(server->thread, NULL), 0);
  for (unsigned i = 0; i < server->clients; i++)
    (void)close(server->polled[FIXED + i].fd);
  (void)close(server->listener);
  (void)close(server->datagrams);
  (void)close(server->wake[0]);
  (void)close(server->wake[1]);
  free(server);
}

const char *echo_server_tcp(const struct echo_server *server) {
  return server->tcp;
}

const char *echo_server_udp(const struct echo_server *server) {
  return server->udp;
}

uint64_t echo_server_datagrams(const struct echo_server *server) {
  return atomic_load(&server->count);
}
