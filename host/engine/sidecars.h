/* Whether the pods of a workload have what a mesh adds to them: containers that the workload's template does not have.
 * That is the same for every mesh. */
#ifndef TRAMMEL_HOST_ENGINE_SIDECARS_H
#define TRAMMEL_HOST_ENGINE_SIDECARS_H

#include "host/engine/cluster.h"

/* How long one question may take, with all that is tried again. */
#define SIDECARS_TIMEOUT_NS (30 * INT64_C(1000000000))

struct sidecars {
  size_t wanted; /* pods that there should be */
  size_t pods;   /* that there are and that neither ended nor are about to */
  size_t with;   /* of these, with a container more than the template has */
  size_t ready;  /* of these pods, that say so */
  bool current;  /* the workload's controller has seen it as it is now */
  json_t *names; /* of the added containers: an object whose keys they are */
};
void sidecars_finish(struct sidecars *sidecars);

/* `workload` is a Deployment, StatefulSet or DaemonSet as the cluster has it. */
int sidecars_count(struct cluster *cluster, const json_t *workload, const atomic_bool *cancel,
                   struct sidecars *ret_sidecars, struct error **err);

/* Whether as many pods as there should be are there and ready, and all of them have a sidecar, or with `none` nobody.
 */
bool sidecars_settled(const struct sidecars *sidecars, bool none);

#endif
