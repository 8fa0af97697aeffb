/* Pods of workloads: waited for, and looked at again. Private to the Kubernetes lab. */
#ifndef TRAMMEL_HOST_LAB_KUBERNETES_PODS_H
#define TRAMMEL_HOST_LAB_KUBERNETES_PODS_H

#include <jansson.h>
#include <stdatomic.h>

#include "host/engine/cluster.h"
#include "host/lab/site.h"

#define POD_NAME_SIZE 254

struct pod {
  char name[POD_NAME_SIZE];
  char address[ADDRESS_SIZE]; /* IPv4 */
  bool alone;                 /* it has no container beside the workload's: no sidecar */
  unsigned restarts;          /* of its containers, all together */
};

/* How long, and for whom. */
struct pod_wait {
  int64_t deadline_ns;
  const atomic_bool *cancel;
};

/* Waits until the one pod with the label app=`app` is ready. -ETIMEDOUT with what is the matter with it; -ENOENT at
 * once for an image that is not there; -EAFNOSUPPORT for an address that is not IPv4; -ECANCELED. */
int pod_wait(struct cluster *cluster, const char *ns, const char *app, const struct pod_wait *wait, struct pod *ret_pod,
             struct error **err);

/* 0 while the pod runs as it did when it was waited for; -ECHILD, with what became of it. */
int pod_check(struct cluster *cluster, const char *ns, const struct pod *pod, int64_t deadline_ns, struct error **err);

/* What a list of pods says of the first one that is not going away: 0 when it is ready; -EAGAIN, -ENOENT or
 * -EAFNOSUPPORT with a reason. */
int pod_read(const json_t *pods, struct pod *ret_pod, struct error **err);

/* pod_check() of what the API server says of the pod now. Containers that were started anew before it was first ready
 * are no matter. */
int pod_compare(const json_t *now, const char *ns, const struct pod *pod, struct error **err);

#endif
