/* What a sidecar has counted, as the document in which the control plane gets it. */
#ifndef TRAMMEL_REFERENCE_MESH_SERIES_H
#define TRAMMEL_REFERENCE_MESH_SERIES_H

#include <jansson.h>

#include "plugins/reference/mesh/mesh.h"

/* {"series":[{"client","texts":[8],"requests","failures","latency":[[bucket,count],…]},…]}: a new reference, NULL
 * without memory. */
json_t *series_document(const struct metrics *metrics);

/* Takes the totals over: each series is counted in one place, so that they replace those from before. What is of a
 * workload that is no longer declared is passed over. -EPROTO for what is no such document, -ENOMEM. */
int series_take(struct mesh *mesh, const json_t *document);

#endif
