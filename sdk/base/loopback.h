/* TCP over loopback addresses. */
#ifndef TRAMMEL_SDK_BASE_LOOPBACK_H
#define TRAMMEL_SDK_BASE_LOOPBACK_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

static inline bool loopback_is(const struct sockaddr *address) {
  if (address->sa_family == AF_INET)
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* For a TCP socket that will listen on `address` or connect to it. Nothing is lost on loopback: a system's congestion
 * control that paces what is sent, such as BBR, costs a timer for each segment there and wins nothing. Reno is on every
 * Linux, and open to everyone (tcp(7), TCP_CONGESTION). */
static inline void loopback_tune(int fd, const struct sockaddr *address) {
  static const char plain[] = "reno";
  if (loopback_is(address))
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof plain - 1); /* else it is only slower */
}

#endif
