/* What one owner has on a mesh. Not thread-safe: the engine lets one thread at an owner. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_OWNER_H
#define TRAMMEL_HOST_ENGINE_OWNER_H

#include "host/engine/object.h"

struct applied {
  native_object *object;
  bool certain;     /* it was answered for; otherwise the mesh may have it or not */
  unsigned current; /* the round that wanted it last */
};

struct owner {
  struct applied *items; /* in the order they were created */
  size_t count;
  size_t capacity;
  unsigned round;
};

/* Frees the memory; the mesh keeps what it has. */
void owner_finish(struct owner *owner);

/* Makes `objects` what the owner has. At the first object that cannot be created it stops; what was created stays the
 * owner's. */
int owner_apply(struct owner *owner, const struct mesh *mesh, native_object *const *objects, size_t count,
                struct error **err);

/* Creates or replaces one object and leaves the others alone. */
int owner_add(struct owner *owner, const struct mesh *mesh, const native_object *object, struct error **err);

/* Removes everything. What cannot be removed stays the owner's; the first error is returned. */
int owner_remove(struct owner *owner, const struct mesh *mesh, struct error **err);

/* Forgets what goes with the mesh's process. */
void owner_forget_dying(struct owner *owner, const struct mesh *mesh);

/* Appends what can be read back to the array. */
int owner_read(const struct owner *owner, const struct mesh *mesh, json_t *array, struct error **err);

#endif
