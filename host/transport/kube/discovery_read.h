/* What a server's discovery answers say, without a server. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_DISCOVERY_READ_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_DISCOVERY_READ_H

#include "host/transport/kube/discovery.h"

struct discovery_group {
  char name[KUBE_GROUP_MAX + 1];
  struct kube_versions versions; /* the preferred one first */
};

/* APIVersions of /api and APIGroupList of /apis. Groups and versions whose names are too long are left out. -EIO when
 * they are something else, -E2BIG. */
int discovery_read_groups(const json_t *core, const json_t *named, struct discovery_group **ret_groups,
                          size_t *ret_count, struct error **err);

/* APIResourceList of the version; subresources are left out. */
int discovery_read_kinds(const json_t *answer, const struct kube_resource *version,
                         struct kube_resource **ret_resources, size_t *ret_count, struct error **err);

#endif
