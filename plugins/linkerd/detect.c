#include <string.h>

#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/lifecycle.h"
#include "plugins/linkerd/options.h"

/* The deployments of a control plane. */
static const char *const parts[] = {"linkerd-destination", "linkerd-identity", "linkerd-proxy-injector"};

/* The endpoint is not there, or what it answers is no use: the host has told of it. */
static bool is_absent(int status) {
  return status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION;
}

static const json_t *find_deployment(const json_t *list, const char *name) {
  const json_t *items = json_object_get(list, "items"), *item;
  size_t i;
  json_array_foreach(items, i, item) {
    const char *found = json_string_value(json_object_get(json_object_get(item, "metadata"), "name"));
    if (found && strcmp(found, name) == 0)
      return item;
  }
  return NULL;
}

static bool is_ready(const json_t *deployment) {
  return json_integer_value(json_object_get(json_object_get(deployment, "status"), "readyReplicas")) > 0;
}

/* What the values of the installation (YAML, in a ConfigMap) say at their outermost level; NULL: nothing. */
static const char *version_of(struct arena *arena, const json_t *configuration) {
  static const char key[] = "linkerdVersion:";
  const char *at = json_string_value(json_object_get(json_object_get(configuration, "data"), "values"));
  while (at && strncmp(at, key, sizeof key - 1) != 0) {
    at = strchr(at, '\n');
    at = at ? at + 1 : NULL;
  }
  if (!at)
    return NULL;
  at += sizeof key - 1;
  at += strspn(at, " \"'");
  const size_t length = strcspn(at, " \"'\r\n#");
  return length ? arena_printf(arena, "%.*s", (int)length, at) : NULL;
}

/* The version is told of when it is there to be read, and nothing else depends on it. */
static int read_version(struct call *call, const char *ns, struct detection *detection) {
  const char *path = arena_printf(call_arena(call), CONFIGURATION_PATH "%s/configmaps/linkerd-config", ns);
  const json_t *configuration;
  if (!path)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  int status = call_get_json(call, KUBERNETES_ENDPOINT, path, CODE_MESH_ANSWER, &configuration);
  if (status != TRAMMEL_OK)
    return is_absent(status) ? TRAMMEL_OK : status;
  detection->mesh_version = version_of(call_arena(call), configuration);
  return TRAMMEL_OK;
}

static void read_parts(struct call *call, const json_t *list, const char *ns, struct detection *detection) {
  const char *found = NULL;
  detection->ready = true;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const json_t *deployment = find_deployment(list, parts[i]);
    if (deployment)
      found = arena_printf(call_arena(call), "%s%s%s", found ? found : "", found ? ", " : "deployments ", parts[i]);
    detection->present |= deployment != NULL;
    if (deployment && is_ready(deployment))
      continue;
    if (detection->ready)
      detection->detail = arena_printf(call_arena(call), "deployment %s in namespace %s %s", parts[i], ns,
                                       deployment ? "has no ready pod" : "is not there");
    detection->ready = false;
  }
  detection->evidence = found;
  detection->ns = found ? ns : NULL;
}

int linkerd_detect(struct call *call, struct detection *ret_detection) {
  const struct linkerd_options options = linkerd_options(call);
  const char *path = arena_printf(call_arena(call), DEPLOYMENTS_PATH "%s/deployments", options.control_namespace);
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
  read_parts(call, list, options.control_namespace, ret_detection);
  return ret_detection->present ? read_version(call, options.control_namespace, ret_detection) : TRAMMEL_OK;
}
