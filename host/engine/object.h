/* Native objects on a mesh: how each transport creates, removes and reads them. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_OBJECT_H
#define TRAMMEL_HOST_ENGINE_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "host/engine/cluster.h"
#include "host/engine/endpoint.h"
#include "host/engine/journal.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

typedef Trammel__Adapter__V1__NativeObject native_object;

/* Where objects go. All borrowed. */
struct mesh {
  const Trammel__Adapter__V1__DescribeResponse *description; /* of the adapter */
  struct endpoints *endpoints;
  struct journal *journal;
  const atomic_bool *cancel; /* NULL: none */
  struct cluster *cluster;   /* that Kubernetes objects go to; NULL: none was given */
  const char *manager;       /* the field manager there */
};

/* 0 when the object can be handled; -EINVAL for an incomplete one, -ENOENT for a Kubernetes object without a cluster,
 * -EACCES when the adapter declared no permission for creating or removing it, or no such kind of Kubernetes objects.
 */
int object_check(const struct mesh *mesh, const native_object *object, struct error **err);

/* A copy on the heap. NULL without memory. */
native_object *object_copy(const native_object *object);
void object_free(native_object *object);

/* Whether `b` would put the same in the same place as `a`; and whether it is in the same place at all. */
bool object_same(const native_object *a, const native_object *b);
bool object_same_place(const native_object *a, const native_object *b);

/* Creates or replaces it, and journals it first when the mesh outlives the run. The error has the mesh's answer. */
int object_put(const struct mesh *mesh, const native_object *object, struct error **err);

/* Removes it, also after a cancellation. An absent one is fine. */
int object_remove(const struct mesh *mesh, const native_object *object, struct error **err);

/* Whether it goes with the mesh's process, which the run started itself. */
bool object_dies_with_run(const struct mesh *mesh, const native_object *object);

/* {"id","path","body"} as the mesh has it now (`body` is null when it has none); NULL in `*ret_value` when it cannot be
 * read back. */
int object_read(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err);

#endif
