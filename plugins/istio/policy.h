/* AuthorizationPolicies. */
#ifndef TRAMMEL_PLUGINS_ISTIO_POLICY_H
#define TRAMMEL_PLUGINS_ISTIO_POLICY_H

#include "plugins/istio/match.h"
#include "sdk/kube/subject.h"

/* Rules of one policy: what the CustomResourceDefinition of Istio 1.30 takes. */
#define POLICY_RULES_MAX 512u

/* What one TrafficTarget allows at one ServiceAccount's pods. */
struct grant {
  const struct kube_identities *sources;
  const struct istio_match *matches; /* with `carried` of the same index; of HTTP */
  const struct kube_match *carried;
  size_t match_count;
  bool anything;                  /* connections and requests of any kind, from TCPRoutes alone */
  const struct kube_ports *ports; /* of the pods; NULL: all */
};

/* Whether it is for a request that matches: what was left out, and what no request matches, is not. */
bool grant_has(const struct grant *grant, size_t match);

/* Whether anything can be allowed by it at all. */
bool grant_is_empty(const struct grant *grant);

/* What tells the objects for the parts of an account apart: the first workload's name; "" for an account as a whole. */
const char *account_part_name(const struct kube_account *account);

/* `rules` of an AuthorizationPolicy that allow what the grant does; more where matches are coarse. A new reference;
 * NULL without memory. */
json_t *policy_rules(struct call *call, const struct istio_options *options, const struct grant *grant);

#endif
