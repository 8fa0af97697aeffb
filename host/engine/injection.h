/* Whether the pods of a workload have what a mesh injects into them: its sidecar. */
#ifndef TRAMMEL_HOST_ENGINE_INJECTION_H
#define TRAMMEL_HOST_ENGINE_INJECTION_H

#include "host/engine/cluster.h"

/* How long one question may take, with all that is tried again. */
#define INJECTION_TIMEOUT_NS (30 * INT64_C(1000000000))

/* What the mesh calls its containers (EnrollResponse.sidecars of the contract). Without a name, any container counts
 * that the workload's template does not have. */
struct injection_marks {
  char *const *names;
  size_t count;
};

struct injection {
  size_t wanted; /* pods that there should be */
  size_t pods;   /* that there are and that neither ended nor are about to */
  size_t with;   /* of these, with a sidecar: among the containers, or those for initialisation that stay */
  size_t ready;  /* of these pods, that say so */
  bool current;  /* the workload's controller has seen it as it is now */
  json_t *names; /* of the sidecars: an object whose keys they are */
};
void injection_finish(struct injection *injection);

/* `workload` is a Deployment, StatefulSet or DaemonSet as the cluster has it. */
int injection_look(struct cluster *cluster, const json_t *workload, const struct injection_marks *marks,
                   const atomic_bool *cancel, struct injection *ret_injection, struct error **err);

/* The same of pods that were read already, an array. -ENOMEM. */
int injection_read(const json_t *workload, const json_t *pods, const struct injection_marks *marks,
                   struct injection *ret_injection);

/* Whether as many pods as there should be are there and ready, and all of them have a sidecar, or with `none` nobody.
 */
bool injection_settled(const struct injection *injection, bool none);

#endif
