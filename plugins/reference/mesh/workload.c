#include "plugins/reference/mesh/workload.h"

#include <errno.h>
#include <string.h>

#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/flow.h"
#include "plugins/reference/mesh/listener.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

struct account workload_account(const struct workload *workload) {
  bool named_by_workload = fault_on(workload->mesh->faults, FAULT_IDENTITY_IS_WORKLOAD);
  return (struct account){.namespace = workload->namespace,
                          .name = named_by_workload ? workload->name : workload->spec->account};
}

const struct workload_port *workload_port(const struct workload *workload, uint16_t port, enum transport transport) {
  for (size_t i = 0; i < workload->spec->port_count; i++)
    if (workload->spec->ports[i].port == port && transport_of(workload->spec->ports[i].protocol) == transport)
      return &workload->spec->ports[i];
  return NULL;
}

bool workload_is_due(const struct workload *workload, int64_t now_s) {
  return now_s < workload->enrolled_s || now_s - workload->enrolled_s >= CERTIFICATE_RENEWAL;
}

int workload_renew(struct workload *workload, struct error **err) {
  struct account account = workload_account(workload);
  int r = authority_renew(workload->mesh->authority, workload->tls, &account, workload->name, err);
  if (r == 0)
    workload->enrolled_s = clock_realtime_s();
  return r;
}

static struct listener listener_for(struct workload *workload, struct in_addr address, uint16_t port, size_t index) {
  return (struct listener){
      .workload = workload,
      .index = index,
      .address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address},
      .fd = -1,
  };
}

/* A UDP port listens for datagrams, and for connections of other proxies that carry them: unless a TCP port of the same
 * number takes these in already. */
static void list_port(struct workload *workload, size_t index) {
  struct workload_port port = workload->spec->ports[index];
  struct listener listener = listener_for(workload, workload->spec->inbound, port.port, index);
  if (port.protocol == PROTOCOL_UDP) {
    listener.receive = inbound_receive;
    workload->listeners[workload->listener_count++] = listener;
    listener.receive = NULL;
    if (workload_port(workload, port.port, TRANSPORT_TCP))
      return;
  }
  listener.accept = inbound_accept;
  workload->listeners[workload->listener_count++] = listener;
}

static void list_upstream(struct workload *workload, size_t index) {
  const struct upstream *upstream = &workload->spec->upstreams[index];
  struct listener listener = listener_for(workload, workload->spec->outbound, upstream->listen, index);
  if (upstream->transport == TRANSPORT_UDP)
    listener.receive = outbound_receive;
  else
    listener.accept = outbound_accept;
  workload->listeners[workload->listener_count++] = listener;
}

static int list_listeners(struct workload *workload) {
  const struct workload_spec *spec = workload->spec;
  workload->listeners = calloc(2 * spec->port_count + spec->upstream_count + 1, sizeof *workload->listeners);
  if (!workload->listeners)
    return -ENOMEM;
  for (size_t i = 0; i < spec->port_count; i++)
    list_port(workload, i);
  for (size_t i = 0; i < spec->upstream_count; i++)
    list_upstream(workload, i);
  return 0;
}

/* The listener of `old` on the same address, unless another one has taken it already. */
static struct listener *find_listener(struct workload *old, const struct listener *wanted) {
  for (size_t i = 0; old && i < old->listener_count; i++) {
    struct listener *listener = &old->listeners[i];
    if (listener->fd >= 0 && listener_same(listener, wanted))
      return listener;
  }
  return NULL;
}

/* Opens what `old` does not have. */
static int open_listeners(struct workload *workload, struct workload *old, struct error **err) {
  for (size_t i = 0; i < workload->listener_count; i++) {
    struct listener *listener = &workload->listeners[i];
    int r = find_listener(old, listener) ? 0 : listener_open(listener, err);
    if (r < 0)
      return r;
  }
  return 0;
}

static int start_listeners(struct workload *workload, struct workload *old, struct error **err) {
  for (size_t i = 0; i < workload->listener_count; i++) {
    struct listener *listener = &workload->listeners[i];
    struct listener *from = listener->fd < 0 ? find_listener(old, listener) : NULL;
    if (from)
      listener_share(listener, from);
    if (listener->fd < 0)
      return error_set(err, EADDRINUSE, "two ports of the workload listen on the same address");
    if (listener_start(listener, workload->mesh->base) < 0)
      return error_set(err, ENOMEM, "no memory for a listener");
  }
  return 0;
}

static int workload_init(struct workload *workload, struct error **err) {
  struct mesh *mesh = workload->mesh;
  struct account account = workload_account(workload);
  int r = authority_enroll(mesh->authority, &account, workload->name, &workload->tls, err);
  if (r < 0)
    return r;
  workload->enrolled_s = clock_realtime_s();
  workload->outbound = pool_create(&mesh->loop, workload->tls);
  workload->inbound = pool_create(&mesh->loop, NULL);
  workload->flows = flow_table_create(mesh);
  if (!workload->outbound || !workload->inbound || !workload->flows || list_listeners(workload) < 0)
    return error_set(err, ENOMEM, "no memory for a workload");
  return 0;
}

/* Two listeners of one workload on one address would pass when both share that of the old workload. */
static int check_distinct(const struct workload *workload, struct error **err) {
  for (size_t i = 0; i < workload->listener_count; i++)
    for (size_t k = 0; k < i; k++)
      if (listener_same(&workload->listeners[i], &workload->listeners[k]))
        return error_set(err, EADDRINUSE, "port %u is listed twice for the same address",
                         ntohs(workload->listeners[i].address.sin_port));
  return 0;
}

int workload_create(struct mesh *mesh, const char *namespace, const char *name, struct workload_spec *spec,
                    struct workload *old, struct workload **ret_workload, struct error **err) {
  _cleanup_(workload_destroy_p) struct workload *workload = calloc(1, sizeof *workload);
  if (!workload)
    return error_set(err, ENOMEM, "no memory for a workload");
  workload->mesh = mesh;
  LIST_INIT(&workload->connections);
  workload->namespace = strdup(namespace);
  workload->name = strdup(name);
  if (!workload->namespace || !workload->name)
    return error_set(err, ENOMEM, "no memory for a workload");
  workload->spec = spec;
  if (!mesh_hosts(mesh, spec->inbound)) {
    *ret_workload = take(workload);
    return 0;
  }
  int r = workload_init(workload, err);
  if (r == 0)
    r = check_distinct(workload, err);
  if (r == 0)
    r = open_listeners(workload, old, err);
  if (r == 0)
    r = start_listeners(workload, old, err);
  if (r == 0)
    *ret_workload = take(workload);
  else
    workload->spec = NULL; /* the caller's still */
  return r;
}

void workload_take_over(struct workload *workload) {
  for (size_t i = 0; i < workload->listener_count; i++)
    listener_take_over(&workload->listeners[i]);
}

void workload_cut(struct workload *workload) {
  struct connection *connection;
  while ((connection = LIST_FIRST(&workload->connections)))
    connection_destroy(connection);
}

void workload_destroy(struct workload *workload) {
  if (!workload)
    return;
  for (size_t i = 0; i < workload->listener_count; i++)
    listener_close(&workload->listeners[i]);
  workload_cut(workload);
  flow_table_destroy(workload->flows);
  pool_destroy(workload->outbound);
  pool_destroy(workload->inbound);
  SSL_CTX_free(workload->tls);
  policy_view_finish(&workload->view);
  workload_spec_destroy(workload->spec);
  free(workload->listeners);
  free(workload->namespace);
  free(workload->name);
  free(workload);
}

void workload_recheck(struct workload *workload) {
  struct connection *connection = LIST_FIRST(&workload->connections);
  while (connection) {
    struct connection *next = LIST_NEXT(connection, entry);
    if (connection->allowed && !connection->allowed(connection))
      connection_destroy(connection);
    connection = next;
  }
}
