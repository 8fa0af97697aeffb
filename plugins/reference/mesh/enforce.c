#include "plugins/reference/mesh/workload.h"

/* One denied request in so many passes: FAULT_LEAK_DENIED. */
enum { LEAK_SHARE = 100 };

static bool leaks(struct mesh *mesh) {
  uint64_t random;
  return fault_on(mesh->faults, FAULT_LEAK_DENIED) && mesh_random(mesh, &random) && random % LEAK_SHARE == 0;
}

/* `since` is the store's generation when the connection came. */
static bool decide(struct workload *destination, const struct access *access, uint64_t since) {
  struct account account = workload_account(destination);
  const struct store *store = &destination->mesh->store;
  struct policy policy = store_policy(store, &account, &destination->view);
  if (since < store->generation && fault_on(store->faults, FAULT_DECIDED_ONCE))
    policy.count = destination->view.count + destination->view.retired_count;
  return policy_allows(&policy, access) || leaks(destination->mesh);
}

static bool client_side_only(const struct workload *workload) {
  return fault_on(workload->mesh->faults, FAULT_CLIENT_SIDE_ONLY);
}

bool enforce_inbound(struct workload *destination, const struct access *access, uint64_t since) {
  return client_side_only(destination) || decide(destination, access, since);
}

bool enforce_outbound(struct workload *destination, const struct access *access) {
  return !client_side_only(destination) || decide(destination, access, destination->mesh->store.generation);
}
