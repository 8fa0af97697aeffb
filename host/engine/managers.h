/* Who owns fields of an object on a cluster, by its metadata.managedFields (Kubernetes API concepts, "Server-Side
 * Apply"). What a server fills in by itself is owned by nobody.
 *
 * Looked at is all but apiVersion, kind, status and metadata; of metadata the labels and annotations by which a mesh is
 * told something: those whose prefix is the group of the object's API, or a domain that the group is in ("example.com"
 * of "policy.example.com"), or is in one of the mesh's domains. */
#ifndef TRAMMEL_HOST_ENGINE_MANAGERS_H
#define TRAMMEL_HOST_ENGINE_MANAGERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/strbuf.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* For whom is looked. Borrowed. */
struct managers_view {
  const char *manager;  /* whose object it is */
  char *const *domains; /* of the mesh: DescribeResponse.control_domains */
  size_t domain_count;
};

/* For an adapter's objects. Borrows both. */
struct managers_view managers_view_of(const Trammel__Adapter__V1__DescribeResponse *description, const char *manager);

/* Whether `manager` has applied it. */
bool managers_applied(const json_t *object, const char *manager);

/* Who else than the view's manager has put something into it that `wanted` (the whole object) lacks: a member, or items
 * of a list that has all the wanted ones as well; NULL: nobody. Borrowed from the object. Its path ("spec.rules") is
 * appended to `path`. When `wanted` was applied without a conflict, it stays, and nothing tells of it. */
const char *managers_added(const json_t *object, const json_t *wanted, const struct managers_view *view,
                           struct strbuf *path);

/* The same, or they own a list that is not exactly what `wanted` says. */
bool managers_touched(const json_t *object, const json_t *wanted, const struct managers_view *view);

/* Whether others have added something, and changed nothing of what is wanted. */
bool managers_only_added(const json_t *object, const json_t *wanted, const struct managers_view *view);

/* A merge patch (RFC 7386) that takes away what they added, and touches nothing else; a new reference. NULL without
 * memory. */
json_t *managers_undo(const json_t *object, const json_t *wanted, const struct managers_view *view);

#endif
