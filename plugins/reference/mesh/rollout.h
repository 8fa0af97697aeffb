/* The control plane's side of sidecars: hands every change of what is declared to each of them, and asks them what they
 * counted. A sidecar joins when its workload is declared: it is given an identity and all that is declared, and from
 * then on every change. One that no longer answers is left out, and given everything anew once it does. */
#ifndef TRAMMEL_REFERENCE_MESH_ROLLOUT_H
#define TRAMMEL_REFERENCE_MESH_ROLLOUT_H

#include "plugins/reference/mesh/resource.h"

struct rollout;

int rollout_create(struct mesh *mesh, struct rollout **ret_rollout, struct error **err);
/* Calls what is still to be called, before it returns. NULL is fine. */
void rollout_destroy(struct rollout *rollout);

/* Told when every sidecar has answered or was given up; `problem` says what went wrong, NULL: nothing. */
typedef void rollout_done(void *context, const char *problem);

/* A change that is in the store already; `body` NULL: it was removed. Its problems are those of the object's own
 * namespace. */
void rollout_change(struct rollout *rollout, const struct resource_kind *kind, const struct resource_name *name,
                    const json_t *body, rollout_done *done, void *context);

/* Gets what all sidecars have counted into the mesh's metrics. */
void rollout_gather(struct rollout *rollout, rollout_done *done, void *context);

#endif
