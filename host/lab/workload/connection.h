/* A connection that is served. Its protocol is a table of functions and a state of its own, set when the protocol is
 * known. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_CONNECTION_H
#define TRAMMEL_HOST_LAB_WORKLOAD_CONNECTION_H

#include <sys/queue.h>

#include "host/lab/workload/service.h"
#include "host/lab/workload/stream.h"

struct connection;

struct connection_protocol {
  /* Bytes came in. May close the connection, but not destroy it. */
  void (*data)(struct connection *connection, const uint8_t *data, size_t length);
  /* Frees the protocol's state; `connection->state` may be NULL. */
  void (*finish)(struct connection *connection);
};

LIST_HEAD(connection_list, connection);

struct connection {
  LIST_ENTRY(connection) link;
  const struct connection_protocol *protocol;
  void *state;
  struct event_base *base;
  struct service *service;
  struct stream *stream;
  size_t *count; /* of the list it is in */
  uint16_t port; /* it came in on */
};

/* HTTP of either version, and TCP lines. */
extern const struct connection_protocol connection_http;
extern const struct connection_protocol connection_http1;
extern const struct connection_protocol connection_http2;
extern const struct connection_protocol connection_tcp;

/* Takes `fd`, also on failure, and puts the connection into `list`. 0 or -errno. */
int connection_create(struct connection_list *list, size_t *count, struct event_base *base, struct service *service,
                      const struct connection_protocol *protocol, int fd, uint16_t port);
void connection_destroy(struct connection *connection);

#endif
