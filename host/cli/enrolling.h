/* Namespaces and workloads joining a mesh or leaving it: done one by one, each told as it goes. */
#ifndef TRAMMEL_HOST_CLI_ENROLLING_H
#define TRAMMEL_HOST_CLI_ENROLLING_H

#include "host/cli/list.h"
#include "host/engine/injection.h"
#include "host/engine/membership.h"

enum enrolling_outcome {
  ENROLLING_JOINED,
  ENROLLING_LEFT,
  ENROLLING_UNCHANGED,
  ENROLLING_REFUSED, /* another field manager has such a field with another value */
  ENROLLING_FAILED,  /* not there, not allowed, not reached */
  ENROLLING_NOT_DONE,
  ENROLLING_OUTCOMES
};

/* "joined", "left" … */
const char *enrolling_outcome_name(enum enrolling_outcome outcome);

struct enrolling {
  /* Given. */
  struct membership membership;
  const Trammel__Adapter__V1__EnrollResponse *of_namespaces; /* the adapter's answers; NULL: there are none to join */
  const Trammel__Adapter__V1__EnrollResponse *of_workloads;
  struct injection_marks marks; /* by which it is told who has joined */
  bool leave;
  bool restart; /* of namespaces: pods without a sidecar are made anew */
  void (*told)(void *ctx, enum enrolling_outcome outcome, const struct cluster_place *place, const char *why);
  void *ctx;
  /* What came of it. */
  size_t counts[ENROLLING_OUTCOMES];
  json_t *workloads; /* an array of those whose pods are looked at, as the cluster has them; the caller's */
};

/* All workloads of a namespace, by the namespace itself. */
int enrolling_namespace(struct enrolling *enrolling, const char *ns, struct error **err);

/* A single one. 0 also when it was refused or failed, which `counts` has; otherwise what makes it impossible to go on.
 */
int enrolling_workload(struct enrolling *enrolling, const struct cluster_place *place, struct error **err);

#endif
