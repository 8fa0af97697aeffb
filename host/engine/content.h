/* What an object on a cluster says, apart from what the API server keeps about it. */
#ifndef TRAMMEL_HOST_ENGINE_CONTENT_H
#define TRAMMEL_HOST_ENGINE_CONTENT_H

#include <jansson.h>
#include <stdbool.h>

/* A copy without `status` and, of its metadata, managedFields, resourceVersion, generation, uid, selfLink and
 * timestamps. A new reference; NULL for NULL, and without memory. */
json_t *content_of(const json_t *object);

/* Whether two objects say the same; both may be NULL. */
bool content_equal(const json_t *a, const json_t *b);

#endif
