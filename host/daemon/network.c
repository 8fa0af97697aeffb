#include "host/daemon/network.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sdk/base/memory.h"

#define BACKLOG 128
#define HOST_MAX 256

struct parts {
  char host[HOST_MAX];
  char port[8];
};

static int no_address(const char *address, struct error **err) {
  return error_set(err, EINVAL, "'%s' cannot be listened on: HOST:PORT, [ADDRESS]:PORT or unix:PATH can", address);
}

static int split(const char *address, struct parts *ret_parts, struct error **err) {
  const char *colon = strrchr(address, ':');
  size_t length = colon ? (size_t)(colon - address) : 0;
  bool bracketed = length > 2 && *address == '[' && colon[-1] == ']';
  const char *host = bracketed ? address + 1 : address;
  length -= bracketed ? 2 : 0;
  size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
  if (length == 0 || length >= HOST_MAX || digits == 0 || digits > 5 || colon[1 + digits] != '\0' ||
      strtol(colon + 1, NULL, 10) > 65535 || (!bracketed && memchr(host, ':', length)))
    return no_address(address, err);
  (void)snprintf(ret_parts->host, sizeof(ret_parts->host), "%.*s", (int)length, host);
  (void)snprintf(ret_parts->port, sizeof(ret_parts->port), "%s", colon + 1);
  return 0;
}

static int resolve(const char *address, struct addrinfo **ret_found, struct error **err) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct parts parts;
  int r = split(address, &parts, err);
  if (r < 0)
    return r;
  r = getaddrinfo(parts.host, parts.port, &hints, ret_found);
  return r == 0 ? 0 : error_set(err, EINVAL, "listening on %s: %s", address, gai_strerror(r));
}

int network_check(const char *address, struct error **err) {
  struct parts parts;
  return split(address, &parts, err);
}

static bool is_loopback(const struct addrinfo *at) {
  if (at->ai_family == AF_INET)
    return ntohl(((const struct sockaddr_in *)(const void *)at->ai_addr)->sin_addr.s_addr) >> 24 == 127;
  return at->ai_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)at->ai_addr)->sin6_addr);
}

int network_is_loopback(const char *address, bool *ret_loopback, struct error **err) {
  struct addrinfo *found = NULL;
  int r = resolve(address, &found, err);
  if (r < 0)
    return r;
  *ret_loopback = true;
  for (const struct addrinfo *at = found; at; at = at->ai_next)
    *ret_loopback = *ret_loopback && is_loopback(at);
  freeaddrinfo(found);
  return 0;
}

static void name_of(const struct sockaddr_storage *at, socklen_t length, char ret_name[NETWORK_NAME_MAX]) {
  char host[64] = "?", port[8] = "?";
  (void)getnameinfo((const struct sockaddr *)at, length, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV);
  (void)snprintf(ret_name, NETWORK_NAME_MAX, at->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int open_socket(const struct addrinfo *at) {
  int on = 1;
  _cleanup_close_ int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
      bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
    return -errno;
  int opened = fd;
  fd = -1;
  return opened;
}

int network_listen(const char *address, int *ret_fd, char ret_name[NETWORK_NAME_MAX], struct error **err) {
  struct addrinfo *found = NULL;
  struct sockaddr_storage at = {0};
  socklen_t length = sizeof(at);
  int r = resolve(address, &found, err);
  if (r < 0)
    return r;
  int fd = open_socket(found);
  freeaddrinfo(found);
  if (fd < 0)
    return error_set(err, -fd, "listening on %s: %s", address, strerror(-fd));
  if (getsockname(fd, (struct sockaddr *)&at, &length) == 0)
    name_of(&at, length, ret_name);
  *ret_fd = fd;
  return 0;
}

int network_accept(int fd, int *ret_fd, char ret_peer[NETWORK_NAME_MAX]) {
  struct sockaddr_storage at = {0};
  socklen_t length = sizeof(at);
  int on = 1;
  int accepted = accept4(fd, (struct sockaddr *)&at, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (accepted < 0)
    return errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
  name_of(&at, length, ret_peer);
  (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  (void)setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* a peer that is gone without a word */
  *ret_fd = accepted;
  return 1;
}
