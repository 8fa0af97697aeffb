/* The mesh: what all its parts share. One thread runs it. */
#ifndef TRAMMEL_REFERENCE_MESH_MESH_H
#define TRAMMEL_REFERENCE_MESH_MESH_H

#include "plugins/reference/mesh/authority.h"
#include "plugins/reference/mesh/fault.h"
#include "plugins/reference/mesh/metrics.h"
#include "plugins/reference/mesh/store.h"
#include "plugins/reference/mesh/stream.h"

enum { MESH_RANDOM = 32 };

/* Whose proxies a program has. */
enum mesh_role {
  MESH_WHOLE,   /* every workload's, on loopback addresses */
  MESH_CONTROL, /* none: each workload has a sidecar, at its inbound address */
  MESH_SIDECAR, /* those of the workloads at its address */
};

struct mesh {
  struct event_base *base;
  struct stream_loop loop;
  struct fault_set faults;
  enum mesh_role role;
  struct in_addr address; /* of a sidecar */
  int64_t started_ns;
  struct authority *authority;
  struct store store;
  struct metrics *metrics;
  struct event *renewal;
  struct event *forgetting; /* of deleted permissions: FAULT_STALE_DELETE */
  size_t connections;       /* accepted, over all proxies */
  int spare_fd;             /* given up for a moment to turn a caller away when descriptors run out */
  uint64_t random[MESH_RANDOM];
  size_t random_left;
};

/* A whole mesh; for another role, it is set before anything is declared. */
int mesh_create(struct fault_set faults, const char *trust_domain, struct mesh **ret_mesh, struct error **err);
void mesh_destroy(struct mesh *mesh);
DEFINE_CLEANUP(struct mesh *, mesh_destroy);

/* Uniform over 64 bits, from the kernel. False when it has none to give. */
bool mesh_random(struct mesh *mesh, uint64_t *ret_random);

/* Whether the proxies of a workload at the address are in this program. */
bool mesh_hosts(const struct mesh *mesh, struct in_addr inbound);

/* Closes the TCP connections and UDP flows that are no longer allowed. To be called after each change of permissions or
 * enforcement.
 */
void mesh_recheck(struct mesh *mesh);

/* Cuts every open connection of a namespace's workloads: FAULT_SPLIT_CHANGE_CUTS. */
void mesh_cut(struct mesh *mesh, const char *namespace);

/* Forgets the deleted permissions 5 s after the first of them: FAULT_STALE_DELETE. */
void mesh_forget_later(struct mesh *mesh);

#endif
