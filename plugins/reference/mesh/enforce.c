#include "plugins/reference/mesh/workload.h"

static bool decide(struct workload *destination, const struct access *access) {
  struct account account = workload_account(destination);
  struct policy policy = store_policy(&destination->mesh->store, &account, &destination->view);
  return policy_allows(&policy, access);
}

static bool client_side_only(const struct workload *workload) {
  return fault_on(workload->mesh->faults, FAULT_CLIENT_SIDE_ONLY);
}

bool enforce_inbound(struct workload *destination, const struct access *access) {
  return client_side_only(destination) || decide(destination, access);
}

bool enforce_outbound(struct workload *destination, const struct access *access) {
  return !client_side_only(destination) || decide(destination, access);
}
