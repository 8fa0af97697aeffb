/* Which groups, versions and kinds an API server serves. What was found is kept by the client for
 * KUBE_DISCOVERY_KEPT_NS; what was not found is asked for each time, since a definition may just have been installed.
 * Only /api, /apis and the lists of each version are used, which every server has. Thread-safe. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_DISCOVERY_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_DISCOVERY_H

#include <stddef.h>

#include "host/transport/kube/client.h"

#define KUBE_DISCOVERY_KEPT_NS (10 * 60 * INT64_C(1000000000))

/* Groups of a server, versions of a group, kinds of a version: more is an error. */
#define KUBE_GROUPS_MAX 10000
#define KUBE_VERSIONS_MAX 32
#define KUBE_KINDS_MAX 10000

/* The resource of a kind. -ENOTSUP when the server has no such group, version or kind: the message says which, and what
 * it has instead. */
int kube_discover(struct kube_client *client, const char *api_version, const char *kind, const struct kube_call *call,
                  struct kube_resource *ret_resource, struct error **err);

/* The same, by an object's apiVersion and kind. -EINVAL when it lacks them. */
int kube_discover_object(struct kube_client *client, const json_t *object, const struct kube_call *call,
                         struct kube_resource *ret_resource, struct error **err);

/* The versions of a group that the server serves, the one it prefers first. -ENOTSUP when it has no such group. */
struct kube_versions {
  size_t count;
  char names[KUBE_VERSIONS_MAX][KUBE_LABEL_MAX + 1];
};
int kube_discover_versions(struct kube_client *client, const char *group, const struct kube_call *call,
                           struct kube_versions *ret_versions, struct error **err);

/* The names of all groups; "" is the core group, first. A heap array of heap strings, with NULL at its end. */
int kube_discover_groups(struct kube_client *client, const struct kube_call *call, char ***ret_groups,
                         struct error **err);
void kube_groups_free(char **groups);

/* All kinds of a version, without subresources. A heap array that the caller frees. */
int kube_discover_kinds(struct kube_client *client, const char *api_version, const struct kube_call *call,
                        struct kube_resource **ret_resources, size_t *ret_count, struct error **err);

/* Forgets what is kept, so that the next question goes to the server. */
void kube_discovery_forget(struct kube_client *client);

#endif
