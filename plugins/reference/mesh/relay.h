/* A connection between proxies that carries datagrams, at the end where the program is. */
#ifndef TRAMMEL_REFERENCE_MESH_RELAY_H
#define TRAMMEL_REFERENCE_MESH_RELAY_H

#include <netinet/in.h>

#include "plugins/reference/mesh/stream.h"

struct relay;

/* Takes `stream` over, in every case. `closed` is called once it is over, and is to destroy the relay. NULL without
 * memory or descriptors. */
struct relay *relay_create(struct stream_loop *loop, struct stream *stream, const struct sockaddr_in *program,
                           void (*closed)(void *context), void *context);
void relay_destroy(struct relay *relay);

#endif
