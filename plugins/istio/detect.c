#include <string.h>

#include "plugins/istio/codes.h"
#include "plugins/istio/lifecycle.h"
#include "plugins/istio/options.h"

/* A deployment of istiod that has a ready pod, or the first; NULL: there is none. */
static const json_t *find_istiod(const json_t *list) {
  const json_t *deployments = json_object_get(list, "items"), *deployment, *found = NULL;
  size_t i;
  json_array_foreach(deployments, i, deployment) {
    const json_t *status = json_object_get(deployment, "status");
    if (json_integer_value(json_object_get(status, "readyReplicas")) > 0)
      return deployment;
    if (!found)
      found = deployment;
  }
  return found;
}

/* The image that the container "discovery" runs; NULL: there is none. */
static const char *image_of(const json_t *deployment) {
  const json_t *pod = json_object_get(json_object_get(json_object_get(deployment, "spec"), "template"), "spec");
  const json_t *containers = json_object_get(pod, "containers"), *container;
  const char *image = NULL;
  size_t i;
  json_array_foreach(containers, i, container) {
    const char *name = json_string_value(json_object_get(container, "name"));
    if (name && strcmp(name, "discovery") == 0)
      image = json_string_value(json_object_get(container, "image"));
  }
  return image;
}

/* The tag of an image: "registry:5000/istio/pilot:1.30.0@sha256:…" has 1.30.0. */
static const char *image_tag(struct arena *arena, const char *image) {
  const char *slash = image ? strrchr(image, '/') : NULL;
  const char *tag = image ? strchr(slash ? slash : image, ':') : NULL;
  if (!tag || tag[1] == '@')
    return NULL;
  return arena_printf(arena, "%.*s", (int)strcspn(tag + 1, "@"), tag + 1);
}

static bool is_served(const json_t *group, const char *group_version) {
  const json_t *versions = json_object_get(group, "versions"), *version;
  size_t i;
  json_array_foreach(versions, i, version) {
    const char *served = json_string_value(json_object_get(version, "groupVersion"));
    if (served && strcmp(served, group_version) == 0)
      return true;
  }
  return false;
}

/* The endpoint is not there, or what it answers is no use: the host has told of it. */
static bool is_absent(int status) {
  return status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION;
}

/* Whether what the adapter writes can be applied. */
static int check_api(struct call *call, const struct istio_options *options, struct detection *detection) {
  const json_t *group;
  int status = call_get_json(call, KUBERNETES_ENDPOINT, SECURITY_PATH, CODE_MESH_ANSWER, &group);
  if (status != TRAMMEL_OK && !is_absent(status))
    return status;
  if (status == TRAMMEL_OK && is_served(group, options->security_version))
    return TRAMMEL_OK;
  detection->ready = false;
  detection->detail = arena_printf(call_arena(call),
                                   "the cluster does not serve %s: install Istio's "
                                   "CustomResourceDefinitions, or set api_version",
                                   options->security_version);
  return detection->detail ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}

static void describe(struct arena *arena, const struct istio_options *options, const json_t *istiod,
                     struct detection *detection) {
  const json_int_t ready = json_integer_value(json_object_get(json_object_get(istiod, "status"), "readyReplicas"));
  const char *name = json_string_value(json_object_get(json_object_get(istiod, "metadata"), "name"));
  const char *image = image_of(istiod);
  detection->mesh_version = image_tag(arena, image);
  detection->ready = ready > 0;
  detection->ns = options->root_namespace;
  detection->evidence = arena_printf(arena, "deployment %s runs %s, %lld ready", name ? name : "(unnamed)",
                                     image ? image : "no container named discovery", (long long)ready);
}

int istio_detect(struct call *call, struct detection *ret_detection) {
  const struct istio_options options = istio_options(call);
  const char *path = arena_printf(call_arena(call), DEPLOYMENTS_PATH "%s/deployments?labelSelector=app%%3Distiod",
                                  options.root_namespace);
  const json_t *list;
  if (!path)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  int status = call_get_json(call, KUBERNETES_ENDPOINT, path, CODE_MESH_ANSWER, &list);
  if (is_absent(status)) {
    ret_detection->detail = "the Kubernetes API does not tell of deployments at the endpoint " KUBERNETES_ENDPOINT;
    return TRAMMEL_OK;
  }
  if (status != TRAMMEL_OK)
    return status;
  const json_t *istiod = find_istiod(list);
  if (!istiod) {
    ret_detection->detail =
        arena_printf(call_arena(call), "no deployment in namespace %s is labelled app=istiod", options.root_namespace);
    return ret_detection->detail ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
  }
  ret_detection->present = true;
  describe(call_arena(call), &options, istiod, ret_detection);
  if (ret_detection->ready)
    return check_api(call, &options, ret_detection);
  ret_detection->detail = "istiod has no ready pod";
  return TRAMMEL_OK;
}
