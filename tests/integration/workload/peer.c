#include "tests/integration/workload/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define NONCE "x-trammel-nonce: 0123456789abcdef0123456789abcdef\r\n"

struct guest {
  int fd;
  unsigned requests;
};

static void say(int fd, const char *text) {
  (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Frames of h2c, whose header fields are in HPACK without a table (RFC 7541, 6.2.2). */
#define H2_SETTINGS "\0\0\0\x04\0\0\0\0\0"
#define H2_NONCE                                                                                                       \
  "\0\x0fx-trammel-nonce\x20"                                                                                          \
  "0123456789abcdef0123456789abcdef"
static const char h2_early[] = H2_SETTINGS "\0\0\x37\x01\x04\0\0\0\x01\x08\x03"
                                           "103" H2_NONCE "\0\0\x01\x01\x05\0\0\0\x01\x88";
static const char h2_two[] = H2_SETTINGS "\0\0\x65\x01\x05\0\0\0\x01\x88" H2_NONCE H2_NONCE;

static void say_much(int fd) {
  static char block[65536];
  memset(block, 'x', sizeof(block));
  say(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n");
  for (unsigned i = 0; i < 31; i++)
    if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
      return;
}

/* False when the connection is to be closed. */
static bool treat(const struct peer *peer, struct guest *guest) {
  static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  guest->requests++;
  switch (peer->manner) {
  case PEER_SILENT:
    return true;
  case PEER_RESET:
    (void)setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return false;
  case PEER_CLOSE:
    return false;
  case PEER_HALF:
    say(guest->fd, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    return false;
  case PEER_ONE_ANSWER:
    if (guest->requests == 1)
      say(guest->fd, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    return guest->requests == 1;
  case PEER_GARBAGE:
    say(guest->fd, "\x16\x03\x01 this is no protocol at all\n");
    return true;
  case PEER_UNTIL_CLOSED:
    say(guest->fd, "HTTP/1.1 201 Created\r\n\r\nuntil the end");
    return false;
  case PEER_INTERIM:
    say(guest->fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\n\r\n");
    return true;
  case PEER_LONG:
    say_much(guest->fd);
    return true;
  case PEER_EARLY_NONCE:
    say(guest->fd, "HTTP/1.1 103 Early Hints\r\n" NONCE "x-trammel-server: early\r\n\r\n"
                   "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" NONCE "\r\n");
    return true;
  case PEER_TWO_NONCES:
    say(guest->fd, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" NONCE NONCE "\r\n");
    return true;
  case PEER_H2_EARLY:
    (void)send(guest->fd, h2_early, sizeof(h2_early) - 1, MSG_NOSIGNAL);
    return true;
  case PEER_H2_TWO:
    (void)send(guest->fd, h2_two, sizeof(h2_two) - 1, MSG_NOSIGNAL);
    return true;
  case PEER_NO_CONTENT:
    say(guest->fd, "HTTP/1.1 204 No Content\r\ncontent-length: 10\r\n\r\n");
    return true;
  case PEER_NOT_MODIFIED:
    say(guest->fd, "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n");
    return true;
  }
  return false;
}

static void *serve(void *user) {
  struct peer *peer = user;
  struct guest guests[CONNECTIONS_MAX];
  struct pollfd waits[CONNECTIONS_MAX + 2];
  char data[65536];
  unsigned count = 0;
  for (;;) {
    waits[0] = (struct pollfd){.fd = peer->wake[0], .events = POLLIN};
    waits[1] = (struct pollfd){.fd = count < CONNECTIONS_MAX ? peer->listener : -1, .events = POLLIN};
    for (unsigned i = 0; i < count; i++)
      waits[i + 2] = (struct pollfd){.fd = guests[i].fd, .events = POLLIN};
    if (poll(waits, count + 2, -1) < 0 || waits[0].revents)
      break;
    for (unsigned i = count; i-- > 0;) {
      if (!waits[i + 2].revents)
        continue;
      if (recv(guests[i].fd, data, sizeof(data), 0) > 0 && treat(peer, &guests[i]))
        continue;
      (void)close(guests[i].fd);
      guests[i] = guests[--count];
    }
    if (waits[1].revents) {
      int fd = accept(peer->listener, NULL, NULL);
      if (fd >= 0)
        guests[count++] = (struct guest){.fd = fd};
      (void)atomic_fetch_add(&peer->accepted, 1);
    }
  }
  while (count > 0)
    (void)close(guests[--count].fd);
  return NULL;
}

void peer_start(struct peer *peer, enum peer_manner manner, const char *address) {
  struct sockaddr_in where = {.sin_family = AF_INET};
  socklen_t length = sizeof(where);
  memset(peer, 0, sizeof(*peer));
  peer->manner = manner;
  peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
  assert_int_equal(bind(peer->listener, (struct sockaddr *)&where, sizeof(where)), 0);
  assert_int_equal(listen(peer->listener, 256), 0);
  assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&where, &length), 0);
  peer->port = ntohs(where.sin_port);
  assert_int_equal(pipe(peer->wake), 0);
  assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

void peer_stop(struct peer *peer) {
  assert_int_equal(write(peer->wake[1], "x", 1), 1);
  assert_int_equal(pthread_join(peer->thread, NULL), 0);
  (void)close(peer->listener);
  (void)close(peer->wake[0]);
  (void)close(peer->wake[1]);
}
