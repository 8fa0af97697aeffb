/* HTTP/1.1 on a connection that stands: one request at a time. */
#ifndef TRAMMEL_HOST_LOAD_HTTP1_H
#define TRAMMEL_HOST_LOAD_HTTP1_H

#include "host/load/connection.h"

/* Sends the request that the connection has. */
void http1_send(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Goes on sending it. */
void http1_push(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Takes what has come. */
void http1_receive(struct connection *connection, struct connection_context *context, int64_t now_ns);

#endif
