/* What a transport can do with an object; one per kind of object in the contract. Private to host/engine/object*.c. */
#ifndef TRAMMEL_HOST_ENGINE_OBJECT_TRANSPORT_H
#define TRAMMEL_HOST_ENGINE_OBJECT_TRANSPORT_H

#include "host/engine/object.h"

/* As the functions of object.h of the same names. */
struct object_transport {
  int (*check)(const struct mesh *mesh, const native_object *object, struct error **err);
  bool (*same_place)(const native_object *a, const native_object *b);
  bool (*same)(const native_object *a, const native_object *b);
  int (*put)(const struct mesh *mesh, const native_object *object, struct error **err);
  int (*remove)(const struct mesh *mesh, const native_object *object, struct error **err);
  bool (*dies_with_run)(const struct mesh *mesh, const native_object *object);
  int (*read)(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err);
};

extern const struct object_transport object_http_transport;
extern const struct object_transport object_kubernetes_transport;

#endif
