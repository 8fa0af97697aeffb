/* The AuthorizationPolicies of a namespace that a test has for itself, and SMI resources of which one is made.
 * Everything fails the test where it cannot be done. */
#ifndef TRAMMEL_TESTS_CLUSTER_POLICIES_H
#define TRAMMEL_TESTS_CLUSTER_POLICIES_H

#include "tests/cluster/on_cluster.h"

#define POLICIES_MANAGER "trammel/istio"

struct policies {
  struct api_server *server;
  char ns[32];
  char *path; /* of all of them */
};

/* A new namespace. */
struct policies *policies_create(struct api_server *server);
void policies_destroy(struct policies *f);

/* A policy as it is, a new reference; NULL when there is none. */
json_t *policy(const struct policies *f, const char *name);
bool has_policy(const struct policies *f, const char *name);
size_t count_policies(const struct policies *f);

/* A policy that this manager applied; `label` and `sources` may be NULL. Takes `spec`. */
void put_policy(const struct policies *f, const char *name, const char *manager, const char *label, const char *sources,
                json_t *spec);

/* What the policies are for; '@' is the namespace. */
extern const char accounts[], workloads[], target[], udp_target[];

/* Accounts, workloads and the target, as it was first or once its method was changed: heap strings. */
char *input(const struct policies *f, bool changed);
/* The same with another target. */
char *input_of(const struct policies *f, const char *policy_text);

#endif
