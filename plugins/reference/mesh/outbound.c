/* The proxy a workload's program calls through: it chooses the workload that answers. */
#include <stdio.h>
#include <string.h>

#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/split.h"

struct outbound {
  struct connection base;
  const struct upstream *upstream; /* of the workload's spec */
  char identity[SPIFFE_ID];        /* who must answer the request that is being routed */
  /* The destination of the last request, or of an open tunnel. */
  char destination[STORE_KEY];
  uint16_t port;
};

/* The next of the service's workloads that has the port; NULL when none can take it. */
static struct workload *take_turn(const struct store *store, const char *namespace, struct service *service,
                                  const struct service_port *port) {
  for (size_t i = 0; i < service->workload_count; i++) {
    size_t at = service->turn++ % service->workload_count;
    struct workload *workload = store_workload(store, namespace, service->workloads[at]);
    if (workload && workload_port(workload, port->target))
      return workload;
  }
  return NULL;
}

/* A backend counts when it exists and has the root's port number (SMI split, "Ports"). NULL when none can be chosen. */
static struct service *choose_backend(struct mesh *mesh, const struct upstream *upstream, const struct split *split) {
  struct service *services[LIMIT_BACKENDS];
  uint32_t weights[LIMIT_BACKENDS];
  size_t count = 0;
  for (size_t i = 0; i < split->backend_count; i++) {
    struct service *service = store_service(&mesh->store, upstream->namespace, split->backends[i].service);
    if (!service || !service_port(service, upstream->port))
      continue;
    services[count] = service;
    weights[count++] = split->backends[i].weight;
  }
  uint64_t random;
  if (!mesh_random(mesh, &random))
    return NULL;
  int chosen = split_choose(weights, count, mesh->faults, random);
  return chosen == SPLIT_NONE ? NULL : services[chosen];
}

/* The service that takes a request, or a connection where `request` is NULL. */
static struct service *choose_service(struct mesh *mesh, const struct upstream *upstream, const struct head *request) {
  struct service *root = store_service(&mesh->store, upstream->namespace, upstream->service);
  const struct split *split = store_split(&mesh->store, upstream->namespace, upstream->service);
  if (!root || !split)
    return root;
  switch (split_scope(split, request, mesh->faults)) {
  case SPLIT_APPLIES:
    return choose_backend(mesh, upstream, split);
  case SPLIT_ROOT:
    return root;
  case SPLIT_DROPPED:
    break;
  }
  return NULL;
}

static bool outbound_allows(const struct outbound *outbound, struct workload *destination, uint16_t port,
                            const struct head *request) {
  struct account account = workload_account(outbound->base.workload);
  const struct workload_port *declared = workload_port(destination, port);
  struct access access = {
      .caller = &account, .port = port, .protocol = declared ? declared->protocol : PROTOCOL_TCP, .request = request};
  return enforce_outbound(destination, &access);
}

static enum route outbound_route(void *context, const struct head *request, struct target *ret_target) {
  struct outbound *outbound = context;
  struct mesh *mesh = outbound->base.workload->mesh;
  const struct upstream *upstream = outbound->upstream;
  struct service *service = choose_service(mesh, upstream, request);
  const struct service_port *port = service ? service_port(service, upstream->port) : NULL;
  struct workload *destination = port ? take_turn(&mesh->store, upstream->namespace, service, port) : NULL;
  if (!destination)
    return ROUTE_UNAVAILABLE;
  if (!outbound_allows(outbound, destination, port->target, request))
    return ROUTE_DENIED;
  struct account account = workload_account(destination);
  if (!authority_identity(mesh->authority, &account, outbound->identity))
    return ROUTE_UNAVAILABLE;
  store_key(outbound->destination, destination->namespace, destination->name);
  outbound->port = port->target;
  *ret_target = (struct target){
      .address = {.sin_family = AF_INET, .sin_port = htons(port->target), .sin_addr = destination->spec->inbound},
      .identity = outbound->identity,
  };
  return ROUTE_FORWARD;
}

/* The choice stands: a request counts once in the weights of a split. */
static enum route outbound_again(void *context, const struct head *request) {
  struct outbound *outbound = context;
  struct workload *destination = table_object(&outbound->base.workload->mesh->store.workloads, outbound->destination);
  if (!destination)
    return ROUTE_UNAVAILABLE;
  return outbound_allows(outbound, destination, outbound->port, request) ? ROUTE_FORWARD : ROUTE_DENIED;
}

static const struct session_handler outbound_session = {
    .route = outbound_route, .again = outbound_again, .closed = connection_closed};

static bool tunnel_allowed(struct connection *connection) {
  const struct outbound *outbound = (const struct outbound *)connection;
  struct workload *destination = table_object(&connection->workload->mesh->store.workloads, outbound->destination);
  return !destination || outbound_allows(outbound, destination, outbound->port, NULL);
}

/* A service that isn't declared, or lacks the port, may be of any protocol: HTTP gets its 503, anything else is closed.
 */
static const struct service_port *declared_port(const struct outbound *outbound) {
  const struct service *service =
      store_service(&outbound->base.workload->mesh->store, outbound->upstream->namespace, outbound->upstream->service);
  return service ? service_port(service, outbound->upstream->port) : NULL;
}

void outbound_accept(struct workload *workload, size_t index, int fd) {
  struct outbound *outbound = (struct outbound *)connection_create(workload, sizeof *outbound);
  if (!outbound) {
    close(fd);
    return;
  }
  struct connection *connection = &outbound->base;
  outbound->upstream = &workload->spec->upstreams[index];
  connection->stream = stream_accept(&workload->mesh->loop, fd, NULL, NULL, NULL); /* handed over below */
  if (!connection->stream) {
    connection_destroy(connection);
    return;
  }
  const struct service_port *port = declared_port(outbound);
  if (!port || port->protocol == PROTOCOL_HTTP) {
    connection_serve(connection, workload->outbound, !port, &outbound_session);
    return;
  }
  struct target target;
  if (outbound_route(outbound, NULL, &target) != ROUTE_FORWARD) {
    connection_destroy(connection);
    return;
  }
  connection->allowed = tunnel_allowed;
  connection_tunnel(connection, workload->outbound, &target);
}
