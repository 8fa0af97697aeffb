/* What Istio's data plane does with objects, after Istio's own reference (AuthorizationPolicy, VirtualService,
 * EnvoyFilter, and Envoy's RBAC filter). Strict: an object that istiod would refuse, or that says something which is
 * not modelled here, fails the test. Shares no code with the adapter. */
#ifndef TRAMMEL_TESTS_UNIT_ISTIO_EVALUATOR_H
#define TRAMMEL_TESTS_UNIT_ISTIO_EVALUATOR_H

#include <jansson.h>

#include "tests/support/smi_property/oracle.h"

struct istio {
  const struct world *world;
  const json_t *objects;      /* Kubernetes objects */
  const char *trust_domain;   /* of the mesh; principals may say cluster.local for it */
  const char *root_namespace; /* whose policies without a selector hold everywhere */
  const char *cluster_domain;
};

/* Whether the workload's sidecar lets the request through. Not for UDP, which goes past it. */
bool istio_admits(const struct istio *istio, const struct request *request);

/* Where the caller's sidecar sends it. */
void istio_shares(const struct istio *istio, const struct outbound_request *request, struct shares *ret_shares);

/* Whether Envoy's RBAC filter (an object with `action` and `policies`) admits it. */
bool envoy_rbac_admits(const json_t *rbac, const char *principal, const struct request *request);

/* The value of a header by Envoy's name for it; NULL. */
const char *envoy_header(const struct request_http *http, const char *name);

/* Fails the test when `object` has a member that is not one of `names` (which ends with NULL). */
void only_members(const json_t *object, const char *const *names);

/* A member that has to be a string. */
const char *text_member(const json_t *object, const char *name);

/* Whether all of the labels, an object of strings, are the workload's. */
bool labels_select(const json_t *labels, const struct inventory_workload *workload);

#endif
