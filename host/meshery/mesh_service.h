/* meshes.MeshService for one adapter (proto/meshes/meshops.proto, docs/meshery.md). */
#ifndef TRAMMEL_HOST_MESHERY_MESH_SERVICE_H
#define TRAMMEL_HOST_MESHERY_MESH_SERVICE_H

#include <jansson.h>

#include "host/rpc/core/rpc.h"
#include "host/rpc/service.h"

struct mesh_service;

/* For the adapter that `spec`, as runs_start() takes it, names by "mesh". `host` is borrowed and outlives it. NULL
 * without memory. */
struct mesh_service *mesh_service_create(struct service *host, json_t *spec);

/* What rpc_serve() takes: `ctx` is a struct mesh_service. Any number of threads. */
int mesh_service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text);

/* Ends the streams of events, once all that happened was told. After runs_stop(). */
void mesh_service_stop(struct mesh_service *mesh);
/* Once nothing is served any more. NULL is fine. */
void mesh_service_destroy(struct mesh_service *mesh);

#endif
