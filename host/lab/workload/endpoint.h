/* A numeric address and port, and sockets bound to or connected with it. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_ENDPOINT_H
#define TRAMMEL_HOST_LAB_WORKLOAD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sdk/base/error.h"

/* "[", an IPv6 address, "]:65535" and NUL fit. */
#define ENDPOINT_TEXT_MAX 64

struct endpoint {
  struct sockaddr_storage address;
  socklen_t length;
};

/* `address` is a numeric IPv4 or IPv6 address. -EINVAL with a reason. */
int endpoint_parse(const char *address, uint16_t port, struct endpoint *ret_endpoint, struct error **err);

/* "ADDRESS:PORT", an IPv6 address in brackets. -EINVAL with a reason. */
int endpoint_parse_text(const char *text, struct endpoint *ret_endpoint, struct error **err);

void endpoint_format(const struct endpoint *endpoint, char ret_text[ENDPOINT_TEXT_MAX]);
uint16_t endpoint_port(const struct endpoint *endpoint);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* A non-blocking socket of `type` (SOCK_STREAM: listening) bound to the endpoint, which then has the real port. Its
 * descriptor, or -errno with a reason. */
int endpoint_bind(struct endpoint *endpoint, int type, struct error **err);

/* A non-blocking socket that is connecting or connected. Its descriptor or -errno. A datagram socket has a port that
 * this process had none on for the last 16,000 of them: to a mesh a flow is an address and a port, and one that is
 * given again would go on with an old flow. */
int endpoint_connect(const struct endpoint *endpoint, int type);

#endif
