/* What `trammel adapter show` says of an adapter, so that no adapter's code is ever in this process. */
#ifndef TRAMMEL_HOST_MESHERY_SHOWN_H
#define TRAMMEL_HOST_MESHERY_SHOWN_H

#include <jansson.h>
#include <stdbool.h>

#include "host/rpc/service.h"

/* A new reference: "id", "version", "mesh", "meshName", "meshVersions", "methods" and more. -EIO with what it said
 * instead. Takes as long as starting a program. */
int shown_adapter(const struct service *host, const char *adapter, json_t **ret_shown, struct error **err);

/* Whether the host can run the suite with it: one without the method Plan wants a cluster, or a mesh that is there,
 * which `spec` (as runs_start() takes it) then has the endpoints of. */
bool shown_is_testable(const json_t *shown, const json_t *spec);

#endif
