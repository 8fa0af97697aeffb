/* HTTP/1.1 on a connection that stands: one request at a time. */
#ifndef TRAMMEL_HOST_LOAD_HTTP1_H
#define TRAMMEL_HOST_LOAD_HTTP1_H

#include "host/load/connection.h"

/* Makes the request ready. */
void http1_submit(struct connection *connection, const struct connection_context *context);
/* Sends it, or goes on with that. */
void http1_push(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Takes what has come. */
void http1_receive(struct connection *connection, struct connection_context *context, int64_t now_ns);

#endif
