/* A TCP connection passed on, byte for byte, each direction ending on its own. */
#ifndef TRAMMEL_REFERENCE_MESH_TUNNEL_H
#define TRAMMEL_REFERENCE_MESH_TUNNEL_H

#include "plugins/reference/mesh/pool.h"

struct tunnel;

/* Takes `client` over, in every case. `closed` is called once it is over, and is to destroy the tunnel. NULL without
 * memory. */
struct tunnel *tunnel_create(struct stream *client, struct pool *pool, const struct target *target,
                             void (*closed)(void *context), void *context);
void tunnel_destroy(struct tunnel *tunnel);

#endif
