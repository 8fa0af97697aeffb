/* The host over HTTP: a small JSON API that mirrors what it is over gRPC (docs/rest.md, docs/schema/openapi.json). */
#ifndef TRAMMEL_HOST_REST_REST_H
#define TRAMMEL_HOST_REST_REST_H

#include <stdint.h>

#include "host/rpc/service.h"
#include "sdk/base/error.h"

#define REST_CONNECTIONS_MAX 64
#define REST_BODY_MAX ((size_t)1 << 20) /* bytes */
#define REST_IDLE_S 30                  /* then a connection is closed */

struct authority;
struct rest;

struct rest_options {
  const struct service *host;
  struct authority *authority; /* NULL: whoever reaches it may do everything */
  uint16_t port;               /* on 127.0.0.1 */
};

/* Serves, on threads of its own. All is borrowed. -EADDRINUSE and others with the port. */
int rest_open(const struct rest_options *options, struct rest **ret_rest, struct error **err);

/* After the host began to stop, which ends all waiting: takes no further request, and ends all connections. NULL is
 * fine. */
void rest_close(struct rest *rest);

#endif
