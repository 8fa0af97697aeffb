#include "host/engine/object.h"

#include <errno.h>
#include <stdlib.h>

#include "host/engine/object_transport.h"

/* By transport_case. */
static const struct object_transport *const transports[] = {
    [TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP] = &object_http_transport,
    [TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES] = &object_kubernetes_transport,
};

static const struct object_transport *transport_of(const native_object *object) {
  size_t which = (size_t)object->transport_case;

  return which < sizeof(transports) / sizeof(transports[0]) ? transports[which] : NULL;
}

int object_check(const struct mesh *mesh, const native_object *object, struct error **err) {
  if (!*object->id)
    return error_set(err, EINVAL, "a native object without an id");
  const struct object_transport *transport = transport_of(object);
  return transport ? transport->check(mesh, object, err)
                   : error_set(err, EINVAL, "object %s has no transport", object->id);
}

native_object *object_copy(const native_object *object) {
  size_t size = trammel__adapter__v1__native_object__get_packed_size(object);
  _cleanup_free_ uint8_t *data = malloc(size);

  if (!data)
    return NULL;
  (void)trammel__adapter__v1__native_object__pack(object, data);
  return trammel__adapter__v1__native_object__unpack(NULL, size, data);
}

void object_free(native_object *object) {
  if (object)
    trammel__adapter__v1__native_object__free_unpacked(object, NULL);
}

bool object_same_place(const native_object *a, const native_object *b) {
  return a->transport_case == b->transport_case && transport_of(a)->same_place(a, b);
}

bool object_same(const native_object *a, const native_object *b) {
  return a->transport_case == b->transport_case && transport_of(a)->same(a, b);
}

int object_put(const struct mesh *mesh, const native_object *object, struct error **err) {
  return transport_of(object)->put(mesh, object, err);
}

int object_remove(const struct mesh *mesh, const native_object *object, struct error **err) {
  return transport_of(object)->remove(mesh, object, err);
}

bool object_dies_with_run(const struct mesh *mesh, const native_object *object) {
  return transport_of(object)->dies_with_run(mesh, object);
}

int object_read(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err) {
  return transport_of(object)->read(mesh, object, ret_value, err);
}
