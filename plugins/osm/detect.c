#include <string.h>

#include "plugins/osm/codes.h"
#include "plugins/osm/lifecycle.h"
#include "plugins/osm/options.h"

#define CONTROLLER "osm-controller"

/* What OSM's controller itself reads, whatever the cluster serves. */
static const struct smi_support served[] = {
    {{SMI_ACCESS, 3}, SMI_NATIVE, NULL},
    {{SMI_SPECS, 4}, SMI_NATIVE, NULL},
    {{SMI_SPLIT, 2}, SMI_NATIVE, NULL},
};

static const json_t *find(const json_t *list, const char *name) {
  size_t i;
  const json_t *item;
  json_array_foreach(list, i, item) {
    const json_t *metadata = json_object_get(item, "metadata");
    const char *found = json_string_value(json_object_get(metadata ? metadata : item, "name"));
    if (found && strcmp(found, name) == 0)
      return item;
  }
  return NULL;
}

static bool is_ready(const json_t *deployment) {
  return json_integer_value(json_object_get(json_object_get(deployment, "status"), "readyReplicas")) > 0;
}

/* The image that the controller runs; NULL: there is none. */
static const char *image_of(const json_t *deployment) {
  const json_t *pod = json_object_get(json_object_get(json_object_get(deployment, "spec"), "template"), "spec");
  return json_string_value(json_object_get(find(json_object_get(pod, "containers"), CONTROLLER), "image"));
}

/* The tag of an image: "registry:5000/osm-controller:v1.2.4@sha256:…" has v1.2.4. */
static const char *image_tag(struct arena *arena, const char *image) {
  const char *slash = image ? strrchr(image, '/') : NULL;
  const char *tag = image ? strchr(slash ? slash : image, ':') : NULL;
  const char *digest = image ? strchr(image, '@') : NULL;
  if (!tag || (digest && tag > digest))
    return NULL;
  return arena_printf(arena, "%.*s", (int)strcspn(tag + 1, "@"), tag + 1);
}

/* Of controller, injector and bootstrap, one that is not ready; NULL: all are. */
static const char *not_ready(const json_t *deployments) {
  static const char *const names[] = {CONTROLLER, "osm-injector", "osm-bootstrap"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!is_ready(find(deployments, names[i])))
      return names[i];
  return NULL;
}

static int describe(struct call *call, const struct osm_options *options, const json_t *deployments,
                    struct detection *detection) {
  struct arena *arena = call_arena(call);
  const json_t *controller = find(deployments, CONTROLLER);
  const char *waiting = not_ready(deployments);
  detection->present = controller != NULL;
  detection->ready = controller && !waiting;
  if (controller) {
    const char *image = image_of(controller);
    detection->mesh_version = image_tag(arena, image);
    detection->ns = options->osm_namespace;
    detection->evidence =
        arena_printf(arena, "deployment " CONTROLLER " runs %s", image ? image : "no container named " CONTROLLER);
    detection->served = served;
    detection->served_count = sizeof served / sizeof *served;
  }
  if (detection->ready)
    return TRAMMEL_OK;
  detection->detail =
      controller
          ? arena_printf(arena, "deployment %s in namespace %s has no ready pod", waiting, options->osm_namespace)
          : arena_printf(arena, "there is no deployment " CONTROLLER " in namespace %s", options->osm_namespace);
  return detection->detail ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}

int osm_detect(struct call *call, struct detection *ret_detection) {
  const struct osm_options options = osm_options(call);
  const char *path =
      arena_printf(call_arena(call), DEPLOYMENTS_PATH "%s/deployments", path_segment(call, options.osm_namespace));
  const json_t *list;
  if (!path)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  int status = call_get_json(call, KUBERNETES_ENDPOINT, path, CODE_MESH_ANSWER, &list);
  if (status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION) { /* the host has told of it */
    ret_detection->detail = "the Kubernetes API does not tell of deployments at the endpoint " KUBERNETES_ENDPOINT;
    return TRAMMEL_OK;
  }
  return status == TRAMMEL_OK ? describe(call, &options, json_object_get(list, "items"), ret_detection) : status;
}
