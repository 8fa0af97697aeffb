/* HTTP/2 on a connection: as many requests at a time as there are slots, and as the target allows. */
#ifndef TRAMMEL_HOST_LOAD_HTTP2_H
#define TRAMMEL_HOST_LOAD_HTTP2_H

#include "host/load/connection.h"

/* Greets; the connection stands when the target has greeted, too. */
void http2_open(struct connection *connection, struct connection_context *context, int64_t now_ns);
void http2_close(struct http2 *http2);

/* Makes the request ready; http2_push() sends it. */
void http2_submit(struct connection *connection, struct exchange *exchange);
/* Sends what is ready, all of it at once. */
void http2_push(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Takes what has come. */
void http2_receive(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Sends what is ready, and ends the connection when it has no further use. */
void http2_settle(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Asks the target not to answer it any more; nothing of it is told any more. */
void http2_cancel(struct connection *connection, struct exchange *exchange);

#endif
