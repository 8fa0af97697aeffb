#include "host/runs/meshes.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "host/runs/process.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

/* Each adapter is described in a process of its own. */
#define LIST_LIMIT_NS (60 * NS_PER_SECOND)

static const char *adapter_of(const json_t *mesh) {
  const char *id = json_string_value(json_object_get(json_object_get(mesh, "adapter"), "id"));
  return id ? id : "";
}

/* In the order in which `trammel` looks: an id, then a mesh, and without a name the one that brings its own. */
static const char *find(const json_t *meshes, const char *spelling) {
  size_t i;
  const json_t *mesh;
  json_array_foreach(meshes, i, mesh) if (*spelling && strcmp(adapter_of(mesh), spelling) == 0) return spelling;
  json_array_foreach(meshes, i, mesh) {
    const char *name = json_string_value(json_object_get(mesh, "mesh"));
    if (*spelling ? name && strcmp(name, spelling) == 0 : json_is_true(json_object_get(mesh, "embedded")))
      return adapter_of(mesh);
  }
  return spelling;
}

int mesh_adapter(const char *program, const char *state_directory, const char *spelling, char **ret_id,
                 struct error **err) {
  json_auto_t *words = json_pack("[s, s, s, s]", program, "mesh", "list", "--output=json");
  json_auto_t *meshes = NULL;
  int r = process_capture_json(program, words, state_directory, LIST_LIMIT_NS, JSON_ARRAY, &meshes, err);
  if (r < 0)
    return r;
  *ret_id = strdup(find(meshes, spelling));
  return *ret_id ? 0 : error_set(err, ENOMEM, "no memory");
}
