/* The pods of workloads that joined a mesh or left it: how many have a sidecar and are ready, waited for and told. */
#ifndef TRAMMEL_HOST_CLI_ENROLLED_PODS_H
#define TRAMMEL_HOST_CLI_ENROLLED_PODS_H

#include "host/engine/injection.h"

struct enrolled_pods {
  struct cluster *cluster;
  const json_t *workloads;      /* an array, each with apiVersion, kind, name and namespace */
  struct injection_marks marks; /* by which it is told who has joined */
  bool leave;                   /* there are to be none with a sidecar */
  int64_t deadline_ns;          /* CLOCK_MONOTONIC, to wait until; 0: they are looked at once */
  const atomic_bool *cancel;    /* NULL: none */
};

/* An array of {"kind", "namespace", "name", "wanted", "pods", "withSidecar", "ready", "sidecars": [NAME…], "settled"},
 * a new reference. A workload that is gone is left out. -ECANCELED, or what the cluster answered. */
int enrolled_pods_look(const struct enrolled_pods *pods, json_t **ret_looks, struct error **err);

/* Of such an array: how many are not as they should be. */
size_t enrolled_pods_unsettled(const json_t *looks);

/* A line for each. */
void enrolled_pods_print(const json_t *looks, FILE *out);

#endif
