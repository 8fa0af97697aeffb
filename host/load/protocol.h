/* What a connection speaks: the steps in which the protocols differ. */
#ifndef TRAMMEL_HOST_LOAD_PROTOCOL_H
#define TRAMMEL_HOST_LOAD_PROTOCOL_H

#include "host/load/connection.h"

struct protocol {
  int socket_type;
  /* The transport stands: sends what has to go ahead of requests, and calls connection_stands() when they can go. */
  void (*open)(struct connection *connection, struct connection_context *context, int64_t now_ns);
  /* The connection goes down: frees what open() made. NULL: nothing. */
  void (*close)(struct connection *connection);
  /* Makes a request ready, which push() sends. */
  void (*submit)(struct connection *connection, struct connection_context *context, struct exchange *exchange);
  /* Sends what is ready, or goes on with that. */
  void (*push)(struct connection *connection, struct connection_context *context, int64_t now_ns);
  /* Takes what has come, and no more than CONNECTION_TURN_BYTES: calls connection_rearm() when there may be more. */
  void (*receive)(struct connection *connection, struct connection_context *context, int64_t now_ns);
  /* A request has taken too long: it fails, or the whole connection does. */
  void (*give_up)(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                  int64_t now_ns);
  /* Looks after a connection that stands, every few milliseconds. NULL: there is nothing to look after. */
  void (*expire)(struct connection *connection, struct connection_context *context, int64_t now_ns);
};

/* Static. */
const struct protocol *protocol_of(const struct target *target);

extern const struct protocol http1_protocol, http2_protocol, tcp_protocol, udp_protocol;

#endif
