/* What a sidecar's control API has beyond that of a whole mesh: how the control plane gives it an identity, clears it
 * and asks what it has counted. docs/reference-mesh.md describes it. */
#ifndef TRAMMEL_REFERENCE_MESH_SIDECAR_H
#define TRAMMEL_REFERENCE_MESH_SIDECAR_H

#include <event2/http.h>
#include <jansson.h>

#include "plugins/reference/mesh/declare.h"

struct mesh;

/* The port of a sidecar's control API, on every address of its pod. */
#define SIDECAR_PORT 15001

/* Whether it is one of these paths: /v1/identity, /v1/state, /v1/series. */
bool sidecar_owns(const char *path);

/* Answers a request to one of them; `body` is NULL for none. The status, with the body as a new reference: NULL without
 * memory. */
int sidecar_answer(struct mesh *mesh, enum evhttp_cmd_type command, const char *path, const json_t *body,
                   json_t **ret_body);

#endif
