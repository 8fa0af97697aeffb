/* The owners of objects on a mesh, by name; one thread at a time is at each. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_OWNERS_H
#define TRAMMEL_HOST_ENGINE_OWNERS_H

#include "host/engine/owner.h"

struct owners;

/* NULL without memory. */
struct owners *owners_create(void);
/* Removes what every owner has, the latest owner first, except what goes with the mesh's process. NULL is fine. */
void owners_destroy(struct owners *owners, const struct mesh *mesh);

/* Waits until no other thread is at the owner, and takes it. NULL: there is none, or with `create` no memory. */
struct owner *owners_acquire(struct owners *owners, const char *name, bool create);
/* Gives it back; an owner that has nothing is forgotten. */
void owners_release(struct owners *owners, struct owner *owner);

#endif
