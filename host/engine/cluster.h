/* The Kubernetes cluster that objects go to, and Trammel's objects on it. Thread-safe. What is ours carries the label
 * KUBE_MANAGED_LABEL (sdk/kube/object.h); what does not is never changed and never removed. */
#ifndef TRAMMEL_HOST_ENGINE_CLUSTER_H
#define TRAMMEL_HOST_ENGINE_CLUSTER_H

#include "host/engine/managers.h"
#include "host/transport/kube/client.h"

/* Requests per second, and at once, of a run: what places and takes away thousands of objects. */
#define CLUSTER_RATE 400.0
#define CLUSTER_BURST 400

/* Tries of one request, so that its deadline is what ends it. */
#define CLUSTER_TRIES 100

/* How often a removal is tried again because the object changed between the look at it and its removal. */
#define CLUSTER_REMOVALS_MAX 5
/* The same of a change that undoes what others did. */
#define CLUSTER_CHANGES_MAX 5

/* Bytes of what is told of something that was undone: of its path, and of whom it was. */
#define CLUSTER_UNDONE_PATH 200
#define CLUSTER_UNDONE_OWNER 128 /* Kubernetes: of a field manager */

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

/* Who makes objects what they are to be, and how. */
struct cluster_writer {
  struct managers_view view; /* its manager is the field manager */
  bool dry_run;              /* nothing is changed, nor is what would be undone tried */
  bool undo;                 /* what others have added to an object that the manager has applied is taken away */
};

struct cluster_changed {
  json_t *before, *after; /* NULL: there was none, or not known; not known */
  /* `spec.rules of "kubectl"`: what was to be undone first, and whose it was; "": nothing. */
  char undone[CLUSTER_UNDONE_PATH + CLUSTER_UNDONE_OWNER + 8];
  bool taken;     /* something was undone, though perhaps not all of it */
  bool additions; /* -EBUSY, and others have only added to it */
};
/* All zero is fine. */
void cluster_changed_finish(struct cluster_changed *changed);

/* Makes the object what `body` says, by server-side apply without force, and labels it as ours. -EEXIST when an object
 * is there that is not ours; -ENOTSUP when the kind is not served, with what to install; -EBUSY when others own fields
 * of it that would change, or have added some that `body` does not have, and that are not undone: then it was applied.
 * `ret_changed`, all zero before, may be NULL; it is filled with an error too, as far as it came.
 *
 * Undoing keeps to what others added where they have changed nothing besides: members are removed by a merge patch of
 * these alone, and lists with items of theirs are applied by force, both with the uid and resourceVersion of the object
 * that was looked at. When it has others' changes as well, it is -EBUSY. */
int cluster_change(struct cluster *cluster, const struct cluster_place *place, const json_t *body,
                   const struct cluster_writer *writer, const struct kube_call *call,
                   struct cluster_changed *ret_changed, struct error **err);

/* The same for a field manager that undoes nothing. `ret_object` may be NULL: as it is now. */
int cluster_apply(struct cluster *cluster, const struct cluster_place *place, const json_t *body, const char *manager,
                  const struct kube_call *call, json_t **ret_object, struct error **err);

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
