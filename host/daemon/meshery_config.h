/* What of Meshery's services is served, and where: the part `meshery` of the configuration. */
#ifndef TRAMMEL_HOST_DAEMON_MESHERY_CONFIG_H
#define TRAMMEL_HOST_DAEMON_MESHERY_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/meshery/conformance_service.h"
#include "sdk/base/fields.h"

#define MESHERY_ADAPTERS_MAX 16

/* All on 127.0.0.1: these services know no authentication.
 *   adapters: [{adapter: ID, port: PORT, type: TYPE, settings: [KEY=VALUE], endpoints: [NAME=URL], groups: [GROUP]}]
 *   conformancePort: PORT
 * `type` is the mesh's in the Service Mesh Performance specification; unless it is told, the adapter's id in capitals
 * when there is such a type, else INVALID_MESH. */
struct meshery_config {
  struct tested_mesh meshes[MESHERY_ADAPTERS_MAX]; /* "mesh" of a spec is the adapter's id */
  uint16_t ports[MESHERY_ADAPTERS_MAX];            /* of each; 0: it has no MeshService */
  size_t count;
  uint16_t conformance_port; /* 0: not served */
};

/* What is wrong with it is complained about. NULL is an empty part. */
void meshery_config_read(struct fields *fields, const struct node *map, struct meshery_config *config);
bool meshery_config_same(const struct meshery_config *a, const struct meshery_config *b);
void meshery_config_finish(struct meshery_config *config);

#endif
