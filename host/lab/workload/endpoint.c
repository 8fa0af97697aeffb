#include "host/lab/workload/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sdk/base/loopback.h"
#include "sdk/base/memory.h"

int endpoint_parse(const char *address, uint16_t port, struct endpoint *ret_endpoint, struct error **err) {
  struct endpoint endpoint = {0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)&endpoint.address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&endpoint.address;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    endpoint.length = sizeof(*v4);
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    endpoint.length = sizeof(*v6);
  } else {
    return error_set(err, EINVAL, "\"%.64s\" is not a numeric IPv4 or IPv6 address", address);
  }
  *ret_endpoint = endpoint;
  return 0;
}

static int port_parse(const char *text, uint16_t *ret_port) {
  if (*text < '0' || *text > '9')
    return -EINVAL;
  char *end = NULL;
  errno = 0;
  unsigned long port = strtoul(text, &end, 10);
  if (errno != 0 || *end != '\0' || port > UINT16_MAX)
    return -EINVAL;
  *ret_port = (uint16_t)port;
  return 0;
}

int endpoint_parse_text(const char *text, struct endpoint *ret_endpoint, struct error **err) {
  const char *colon = strrchr(text, ':');
  uint16_t port = 0;
  char address[ENDPOINT_TEXT_MAX];
  size_t length = colon ? (size_t)(colon - text) : 0;
  if (length == 0 || length >= sizeof(address) || port_parse(colon + 1, &port) < 0)
    return error_set(err, EINVAL, "\"%.80s\" is not ADDRESS:PORT, as in 127.0.0.1:9901", text);
  if (text[0] == '[' && text[length - 1] == ']' && length > 2) {
    text++;
    length -= 2;
  }
  memcpy(address, text, length);
  address[length] = '\0';
  return endpoint_parse(address, port, ret_endpoint, err);
}

uint16_t endpoint_port(const struct endpoint *endpoint) {
  if (endpoint->address.ss_family == AF_INET6)
    return ntohs(((const struct sockaddr_in6 *)&endpoint->address)->sin6_port);
  return ntohs(((const struct sockaddr_in *)&endpoint->address)->sin_port);
}

void endpoint_format(const struct endpoint *endpoint, char ret_text[ENDPOINT_TEXT_MAX]) {
  char address[INET6_ADDRSTRLEN] = "";
  bool v6 = endpoint->address.ss_family == AF_INET6;
  const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)&endpoint->address)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)&endpoint->address)->sin_addr;
  (void)inet_ntop(endpoint->address.ss_family, bytes, address, sizeof(address));
  (void)snprintf(ret_text, ENDPOINT_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", address, endpoint_port(endpoint));
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b) {
  return a->length == b->length && memcmp(&a->address, &b->address, a->length) == 0;
}

/* Asked for, within what the system gives anyone: datagrams that find a queue full are lost without a word. */
#define DATAGRAM_QUEUE (1024 * 1024)

static int socket_listen(int fd, struct endpoint *endpoint, int type) {
  int yes = 1;
  int room = DATAGRAM_QUEUE;
  if (type == SOCK_DGRAM)
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
      bind(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) < 0)
    return -errno;
  if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
    return -errno;
  if (getsockname(fd, (struct sockaddr *)&endpoint->address, &endpoint->length) < 0)
    return -errno;
  return 0;
}

int endpoint_bind(struct endpoint *endpoint, int type, struct error **err) {
  int fd = socket(endpoint->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && type == SOCK_STREAM)
    loopback_tune(fd, (const struct sockaddr *)&endpoint->address); /* those it accepts inherit it */
  int r = fd < 0 ? -errno : socket_listen(fd, endpoint, type);
  if (r < 0) {
    char text[ENDPOINT_TEXT_MAX];
    if (fd >= 0)
      (void)close(fd);
    endpoint_format(endpoint, text);
    return error_set(err, -r, "cannot listen on %s: %s", text, strerror(-r));
  }
  return fd;
}

/* The dynamic ports (RFC 6335, 6). */
enum { PORT_FIRST = 49152, PORT_COUNT = 65536 - PORT_FIRST };

static int bind_next_port(int fd, const struct endpoint *endpoint) {
  static unsigned next = UINT_MAX;
  if (next == UINT_MAX)
    next = (unsigned)getpid() * 61; /* processes that begin together do not go for the same ports */
  for (unsigned i = 0; i < PORT_COUNT; i++) {
    struct sockaddr_storage any = {.ss_family = endpoint->address.ss_family};
    in_port_t port = htons((uint16_t)(PORT_FIRST + next++ % PORT_COUNT));
    if (any.ss_family == AF_INET6)
      ((struct sockaddr_in6 *)&any)->sin6_port = port;
    else
      ((struct sockaddr_in *)&any)->sin_port = port;
    if (bind(fd, (const struct sockaddr *)&any, endpoint->length) == 0)
      return 0;
    if (errno != EADDRINUSE)
      return -errno;
  }
  return -EADDRINUSE;
}

static int socket_connect(int fd, const struct endpoint *endpoint, int type) {
  int yes = 1;
  if (type == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
    return -errno;
  if (type == SOCK_STREAM)
    loopback_tune(fd, (const struct sockaddr *)&endpoint->address);
  int r = type == SOCK_DGRAM ? bind_next_port(fd, endpoint) : 0;
  if (r < 0)
    return r;
  if (connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) < 0 && errno != EINPROGRESS)
    return -errno;
  return 0;
}

int endpoint_connect(const struct endpoint *endpoint, int type) {
  int fd = socket(endpoint->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  int r = socket_connect(fd, endpoint, type);
  if (r == 0)
    return fd;
  (void)close(fd);
  return r;
}
