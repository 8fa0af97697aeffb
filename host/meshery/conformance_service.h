/* smi_conformance.conformanceTesting (proto/smi_conformance/conformance.proto, docs/meshery.md). */
#ifndef TRAMMEL_HOST_MESHERY_CONFORMANCE_SERVICE_H
#define TRAMMEL_HOST_MESHERY_CONFORMANCE_SERVICE_H

#include <jansson.h>

#include "host/rpc/core/rpc.h"
#include "host/rpc/service.h"
#include "smp/service_mesh.pb-c.h"

typedef Smp__ServiceMesh__Type mesh_type;

/* A mesh that can be tested: by its number in the Service Mesh Performance specification, or INVALID_MESH. */
struct tested_mesh {
  mesh_type type;
  json_t *spec; /* as runs_start() takes it; borrowed */
};

struct conformance_service {
  struct service *host;
  const struct tested_mesh *meshes;
  size_t count;
};

/* The number of a mesh by its name in the specification, "" and others: INVALID_MESH, with false. */
bool mesh_type_named(const char *name, mesh_type *ret_type);

/* What rpc_serve() takes: `ctx` is a struct conformance_service. Any number of threads. */
int conformance_service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text);

#endif
