/* A client's HTTP/2 connection in cleartext or within TLS: each stream is decided, passed on and answered as a request
 * of its own. */
#ifndef TRAMMEL_REFERENCE_MESH_H2_SESSION_H
#define TRAMMEL_REFERENCE_MESH_H2_SESSION_H

#include "plugins/reference/mesh/session.h"

struct h2_session;

/* Takes `client` over, in every case. NULL without memory. */
struct h2_session *h2_session_create(struct stream *client, struct pool *pool, const struct session_handler *handler,
                                     void *context);
void h2_session_destroy(struct h2_session *session);

/* The connection's first bytes, with the client's preface, where another has read them. The session may be gone after
 * it. */
void h2_session_feed(struct h2_session *session, const char *data, size_t length);

#endif
