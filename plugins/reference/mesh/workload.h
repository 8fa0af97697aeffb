/* A workload's proxies: its listeners on the outbound and inbound address, its identity, and its open connections. One
 * whose proxies are in another program (mesh_hosts) has none of these, and is only known. */
#ifndef TRAMMEL_REFERENCE_MESH_WORKLOAD_H
#define TRAMMEL_REFERENCE_MESH_WORKLOAD_H

#include <stdbool.h>
#include <sys/queue.h>

#include "plugins/reference/mesh/mesh.h"
#include "plugins/reference/mesh/model.h"
#include "plugins/reference/mesh/policy.h"
#include "plugins/reference/mesh/pool.h"

struct connection;
struct flow_table;
struct listener;
LIST_HEAD(connection_list, connection);

struct workload {
  struct mesh *mesh;
  char *namespace;
  char *name;
  struct workload_spec *spec;
  SSL_CTX *tls;          /* NULL: its proxies are elsewhere */
  int64_t enrolled_s;    /* when its certificate was made, by the wall clock */
  struct pool *outbound; /* to other workloads' inbound proxies */
  struct pool *inbound;  /* to its own program */
  struct policy_view view;
  struct connection_list connections;
  struct flow_table *flows; /* of UDP; each is one of the connections */
  struct listener *listeners;
  size_t listener_count;
};

/* Binds and listens before it returns. The sockets that `old` (may be NULL) has already are shared with it, which loses
 * nothing before workload_take_over. Takes `spec` over on success. -EADDRINUSE and the like with a reason. */
int workload_create(struct mesh *mesh, const char *namespace, const char *name, struct workload_spec *spec,
                    struct workload *old, struct workload **ret_workload, struct error **err);

/* What it shares with the old workload, which is to be destroyed next, is now its own. */
void workload_take_over(struct workload *workload);

/* Closes everything. */
void workload_destroy(struct workload *workload);
DEFINE_CLEANUP(struct workload *, workload_destroy);

/* Whether its certificate is to be renewed; also when the clock was set back to before it was made. */
bool workload_is_due(const struct workload *workload, int64_t now_s);
int workload_renew(struct workload *workload, struct error **err);
void workload_recheck(struct workload *workload);
void workload_cut(struct workload *workload);

struct account workload_account(const struct workload *workload);

/* The workload's port of that number and transport; NULL. */
const struct workload_port *workload_port(const struct workload *workload, uint16_t port, enum transport transport);

/* Decides at the destination's proxy, or at the caller's. In a mesh without faults only the first says no. `since` is
 * the store's generation when the caller's connection came. */
bool enforce_inbound(struct workload *destination, const struct access *access, uint64_t since);
bool enforce_outbound(struct workload *destination, const struct access *access);

#endif
