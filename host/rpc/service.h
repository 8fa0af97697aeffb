/* The host as a gRPC service: proto/trammel/v1/host.proto, grpc.health.v1, and grpc.reflection.v1 and v1alpha, over
 * connections that are there already. */
#ifndef TRAMMEL_HOST_RPC_SERVICE_H
#define TRAMMEL_HOST_RPC_SERVICE_H

#include <stdatomic.h>

#include "host/rpc/core/rpc.h"
#include "host/runs/runs.h"

struct service {
  struct runs *runs;
  const char *program;         /* path of `trammel`, which is asked for the adapters */
  const char *state_directory; /* absolute */
  atomic_bool stopping;        /* health: not serving any more */
};

#define SERVICE_REQUEST_MAX ((size_t)1 << 20) /* bytes */

/* What rpc_serve() takes: `ctx` is a struct service. Any number of threads. */
int service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text);

#endif
