/* The kinds of objects that the control API declares, and what declaring one does to the mesh. */
#ifndef TRAMMEL_REFERENCE_MESH_RESOURCE_H
#define TRAMMEL_REFERENCE_MESH_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/store.h"

struct mesh;

/* What an object is called. */
struct resource_name {
  const char *namespace;
  const char *name; /* NULL where the kind has one object per namespace */
  char key[STORE_KEY];
};

struct resource_kind {
  const char *path; /* after /v1/ */
  bool named;       /* {ns}/{name}, else {ns} */
  struct table *(*table)(struct mesh *mesh);
  /* 0, or -EINVAL (wrong body), -EADDRINUSE or -EADDRNOTAVAIL (taken), -ENOSPC (limit), -ENOMEM, with the problem set.
   */
  int (*put)(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem);
  void (*remove)(struct mesh *mesh, const struct resource_name *name);
};

/* NULL when there is no such kind. */
const struct resource_kind *resource_kind_find(const char *path);

/* Declares an object; what is declared already, with an equal body, is left alone. */
int resource_put(struct mesh *mesh, const struct resource_kind *kind, const struct resource_name *name, json_t *body,
                 struct problem *problem);

/* Everything that is declared, of every kind. */
void resource_remove_all(struct mesh *mesh);

/* False when absent. */
bool resource_remove(struct mesh *mesh, const struct resource_kind *kind, const struct resource_name *name);

#endif
