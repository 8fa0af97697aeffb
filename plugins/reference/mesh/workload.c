#include "plugins/reference/mesh/workload.h"

#include <errno.h>
#include <string.h>

#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/listener.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

struct account workload_account(const struct workload *workload) {
  bool named_by_workload = fault_on(workload->mesh->faults, FAULT_IDENTITY_IS_WORKLOAD);
  return (struct account){.namespace = workload->namespace,
                          .name = named_by_workload ? workload->name : workload->spec->account};
}

const struct workload_port *workload_port(const struct workload *workload, uint16_t port) {
  for (size_t i = 0; i < workload->spec->port_count; i++)
    if (workload->spec->ports[i].port == port)
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

static int list_listeners(struct workload *workload) {
  const struct workload_spec *spec = workload->spec;
  workload->listener_count = spec->port_count + spec->upstream_count;
  workload->listeners = calloc(workload->listener_count + 1, sizeof *workload->listeners);
  if (!workload->listeners)
    return -ENOMEM;
  struct listener *next = workload->listeners;
  for (size_t i = 0; i < spec->port_count; i++, next++) {
    *next = listener_for(workload, spec->inbound, spec->ports[i].port, i);
    next->accept = inbound_accept;
  }
  for (size_t i = 0; i < spec->upstream_count; i++, next++) {
    *next = listener_for(workload, spec->outbound, spec->upstreams[i].listen, i);
    next->accept = outbound_accept;
  }
  return 0;
}

/* The listener of `old` on the same address, unless another one has taken it already. */
static struct listener *find_listener(struct workload *old, const struct listener *wanted) {
  for (size_t i = 0; old && i < old->listener_count; i++) {
    struct listener *listener = &old->listeners[i];
    if (listener->fd >= 0 && listener->address.sin_port == wanted->address.sin_port &&
        listener->address.sin_addr.s_addr == wanted->address.sin_addr.s_addr)
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
  if (!workload->outbound || !workload->inbound || list_listeners(workload) < 0)
    return error_set(err, ENOMEM, "no memory for a workload");
  return 0;
}

/* Two listeners of one workload on one address would pass when both share that of the old workload. */
static int check_distinct(const struct workload *workload, struct error **err) {
  for (size_t i = 0; i < workload->listener_count; i++)
    for (size_t k = 0; k < i; k++) {
      const struct sockaddr_in *a = &workload->listeners[i].address, *b = &workload->listeners[k].address;
      if (a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr)
        return error_set(err, EADDRINUSE, "port %u is listed twice for the same address", ntohs(a->sin_port));
    }
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
