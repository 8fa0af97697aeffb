/* The host as a gRPC service: proto/trammel/v1/host.proto, grpc.health.v1, and grpc.reflection.v1 and v1alpha, over
 * connections that are there already. */
#ifndef TRAMMEL_HOST_RPC_SERVICE_H
#define TRAMMEL_HOST_RPC_SERVICE_H

#include <stdatomic.h>

#include "host/rpc/core/rpc.h"
#include "host/runs/runs.h"

struct authority;
struct audit;

struct service {
  struct runs *runs;
  const char *program;           /* path of `trammel`, which is asked for the adapters */
  const char *state_directory;   /* absolute */
  struct authority *authority;   /* who may call; NULL: only who is on this machine, without a token */
  struct audit *audit;           /* NULL: nothing is written down */
  void (*log)(const char *text); /* what an operator should know; NULL: nobody does */
  atomic_bool stopping;          /* health: not serving any more */
};

/* What is known of the other side of a connection. */
#define SESSION_PEER_MAX 80
struct session {
  struct service *service;
  bool local;                  /* of this user or of root, as the kernel says: an admin without a token */
  char peer[SESSION_PEER_MAX]; /* "uid 1000"; "192.0.2.1:4711" */
};

#define SERVICE_REQUEST_MAX ((size_t)1 << 20) /* bytes */

/* What rpc_serve() takes: `ctx` is a struct session. Every call is checked here (host/rpc/access.h). Any number of
 * threads. */
int service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text);

#endif
