/* Everything declared, and the questions the proxies ask about it. */
#ifndef TRAMMEL_REFERENCE_MESH_STORE_H
#define TRAMMEL_REFERENCE_MESH_STORE_H

#include <stdint.h>

#include "plugins/reference/mesh/fault.h"
#include "plugins/reference/mesh/model.h"
#include "plugins/reference/mesh/policy.h"
#include "plugins/reference/mesh/table.h"

enum { STORE_KEY = 320 };

struct store {
  struct table workloads; /* struct workload; destroyed by who made them */
  struct table services;
  struct table splits;
  struct table permissions;
  struct table enforcement; /* by namespace */
  struct table retired;     /* deleted permissions, where a fault remembers them */
  struct table retired_splits;
  struct fault_set faults;
  uint64_t generation; /* counts changes of permissions and enforcement */
};

void store_init(struct store *store, struct fault_set faults);
void store_finish(struct store *store);

/* Writes "namespace/name". Names are within their limits. */
void store_key(char key[static STORE_KEY], const char *namespace, const char *name);

struct workload;
struct workload *store_workload(const struct store *store, const char *namespace, const char *name);
struct service *store_service(const struct store *store, const char *namespace, const char *name);

/* The split whose root is the service, and its name: the first by name where there are several; NULL. */
const struct split *store_split(const struct store *store, const char *namespace, const char *service,
                                const char **ret_name);

/* A split of whose backends the service is one, and its name; NULL. */
const struct split *store_split_of_backend(const struct store *store, const char *namespace, const char *service,
                                           const char **ret_name);

/* The service's port of that number and transport; NULL. */
const struct service_port *service_port(const struct service *service, uint16_t port, enum transport transport);

/* Deletes a permission, or a split; false when absent. */
bool store_delete_permission(struct store *store, const char *key);
bool store_delete_split(struct store *store, const char *key);

/* Forgets the deleted permissions. */
void store_forget_retired(struct store *store);

/* What holds for a workload, remembered until permissions change. */
struct policy_view {
  uint64_t generation;
  const struct permission **permissions; /* `count` that hold, then `retired_count` deleted ones that a fault keeps */
  size_t count, retired_count, capacity;
  bool enforced;
};

/* The policy for workloads of the account; it borrows from `view` and the store, until the next change of either.
 * Without memory it denies. */
struct policy store_policy(const struct store *store, const struct account *destination, struct policy_view *view);
void policy_view_finish(struct policy_view *view);

#endif
