/* The aggregated API of SMI traffic metrics, metrics.smi-spec.io/v1alpha1, as a Kubernetes API server passes it on. */
#ifndef TRAMMEL_REFERENCE_MESH_SMI_METRICS_H
#define TRAMMEL_REFERENCE_MESH_SMI_METRICS_H

#include <jansson.h>
#include <stdbool.h>

#include "plugins/reference/mesh/mesh.h"

/* Whether the path is one that this API answers, if only by an error: it starts with /apis/. */
bool smi_metrics_owns(const char *path);

/* Answers a request. `path` is changed; `query` is what follows the question mark, or NULL. A new reference, NULL
 * without memory; errors are Kubernetes' Status objects. */
json_t *smi_metrics_answer(const struct mesh *mesh, bool get, char *path, const char *query, int *ret_status);

#endif
