/* The control API: docs/reference-mesh.md. */
#ifndef TRAMMEL_REFERENCE_MESH_CONTROL_H
#define TRAMMEL_REFERENCE_MESH_CONTROL_H

#include <jansson.h>
#include <stddef.h>

#include "sdk/base/memory.h"

struct control;
struct error;
struct mesh;

/* Listens on `address`:`port`. */
int control_create(struct mesh *mesh, const char *address, unsigned short port, struct control **ret_control,
                   struct error **err);
void control_destroy(struct control *control);
DEFINE_CLEANUP(struct control *, control_destroy);

#endif
