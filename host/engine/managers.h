/* Who owns fields of an object on a cluster, by its metadata.managedFields (Kubernetes API concepts, "Server-Side
 * Apply"). What a server fills in by itself is owned by nobody. */
#ifndef TRAMMEL_HOST_ENGINE_MANAGERS_H
#define TRAMMEL_HOST_ENGINE_MANAGERS_H

#include <jansson.h>
#include <stdbool.h>

#include "sdk/base/strbuf.h"

/* Whether `manager` has applied it. */
bool managers_applied(const json_t *object, const char *manager);

/* Who else than `manager` has put a member into it, outside of metadata and status, that `wanted` (the whole object)
 * lacks; NULL: nobody. Borrowed from the object. The member's path ("spec.rules") is appended to `path`. It stays when
 * `wanted` is applied, and no conflict tells of it. */
const char *managers_added(const json_t *object, const json_t *wanted, const char *manager, struct strbuf *path);

/* The same, or they own a list that is not exactly what `wanted` says. */
bool managers_touched(const json_t *object, const json_t *wanted, const char *manager);

#endif
