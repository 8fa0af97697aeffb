/* What is kept of an object: only what a translation depends on, so that thousands have room, and that a change of
 * anything else is no change. */
#ifndef TRAMMEL_HOST_WATCH_CONDENSE_H
#define TRAMMEL_HOST_WATCH_CONDENSE_H

#include <jansson.h>

/* A resource of SMI: without what the API server keeps about it, and its status. The text of a JSON object with sorted
 * keys, on the heap; NULL without memory. */
char *condense_resource(const json_t *object);

/* A workload, Service or ServiceAccount: what an inventory is made of (host/inventory/inventory.h). The same. */
char *condense_population(const json_t *object);

#endif
