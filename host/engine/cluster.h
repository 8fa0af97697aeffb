/* The Kubernetes cluster that objects go to, and Trammel's objects on it. Thread-safe. What is ours carries the label
 * KUBE_MANAGED_LABEL (sdk/kube/object.h); what does not is never changed and never removed. */
#ifndef TRAMMEL_HOST_ENGINE_CLUSTER_H
#define TRAMMEL_HOST_ENGINE_CLUSTER_H

#include "host/transport/kube/client.h"

/* Requests per second, and at once, of a run: what places and takes away thousands of objects. */
#define CLUSTER_RATE 400.0
#define CLUSTER_BURST 400

/* Tries of one request, so that its deadline is what ends it. */
#define CLUSTER_TRIES 100

/* How often a removal is tried again because the object changed between the look at it and its removal. */
#define CLUSTER_REMOVALS_MAX 5

/* Which cluster; NULL: as kube_config_options say. */
struct cluster_options {
  const char *kubeconfig;
  const char *context;
  bool unlimited; /* no limit of requests per second: for what talks through the API server's proxies */
};

struct cluster;

/* Reads the kubeconfig; opens no connection yet. */
int cluster_open(const struct cluster_options *options, struct cluster **ret_cluster, struct error **err);
/* NULL is fine. */
void cluster_close(struct cluster *cluster);
DEFINE_CLEANUP(struct cluster *, cluster_close);

/* The client; and how to come here again: an absolute path or NULL, a context's name or NULL, and the server that has
 * to be there then. Borrowed. */
struct kube_client *cluster_client(struct cluster *cluster);
const char *cluster_kubeconfig(const struct cluster *cluster);
const char *cluster_context(const struct cluster *cluster);
const char *cluster_server(const struct cluster *cluster);

/* An object's place on a cluster. Texts are borrowed. */
struct cluster_place {
  const char *api_version;
  const char *kind;
  const char *ns; /* NULL or "": cluster-wide */
  const char *name;
};

/* Makes the object what `body` says, by server-side apply without force, and labels it as ours. `manager` is the field
 * manager. -EEXIST when an object is there that is not ours; -EBUSY when others own fields of it, or have added some
 * that `body` does not have; -ENOTSUP when the kind is not served, with what to install. `ret_object` may be NULL: as
 * it is now. With `dry_run` nothing is changed.
 */
int cluster_apply(struct cluster *cluster, const struct cluster_place *place, const json_t *body, const char *manager,
                  bool dry_run, const struct kube_call *call, json_t **ret_object, struct error **err);

/* The same, with what it was before: NULL when there was none. New references; both may be NULL. */
int cluster_change(struct cluster *cluster, const struct cluster_place *place, const json_t *body, const char *manager,
                   bool dry_run, const struct kube_call *call, json_t **ret_before, json_t **ret_after,
                   struct error **err);

/* Removes it, if it is still what was looked at (its uid and resourceVersion). An absent one is fine, and one whose
 * kind is not served any more; -EPERM when it is not ours. */
int cluster_remove(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                   struct error **err);

/* As it is. -ENOENT when there is none. */
int cluster_read(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                 json_t **ret_object, struct error **err);

/* Its path on the server, for people. A heap string. */
int cluster_path(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                 char **ret_path, struct error **err);

/* Whether an object carries the label of ours. */
bool cluster_owns(const json_t *object);

#endif
