#include "host/lab/kubernetes_objects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A workload has nothing to finish. */
#define GRACE_S 1
/* Nobody in particular: the image has no users. */
#define USER_ID 65532

/* The label by which a Service finds its workloads: "service.trammel.dev/NAME". */
#define SERVICE_LABEL "service.trammel.dev/"

static int set_labels(json_t *object, const Trammel__Adapter__V1__Label *const *labels, size_t count) {
  int failed = 0;
  for (size_t i = 0; i < count; i++)
    failed |= json_object_set_new(object, labels[i]->name, json_string(labels[i]->value));
  return failed;
}

json_t *kubernetes_namespace(const char *name, const Trammel__Adapter__V1__EnrollResponse *enrollment) {
  json_t *labels = json_object(), *annotations = json_object();
  int failed = set_labels(labels, (const Trammel__Adapter__V1__Label *const *)enrollment->namespace_labels,
                          enrollment->n_namespace_labels) |
               set_labels(annotations, (const Trammel__Adapter__V1__Label *const *)enrollment->namespace_annotations,
                          enrollment->n_namespace_annotations);
  json_t *object = failed ? NULL
                          : json_pack("{s:s, s:s, s:{s:s, s:O, s:O}}", "apiVersion", "v1", "kind", "Namespace",
                                      "metadata", "name", name, "labels", labels, "annotations", annotations);
  json_decref(labels);
  json_decref(annotations);
  return object;
}

static json_t *object(const char *api_version, const char *kind, const char *ns, const char *name) {
  return json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", api_version, "kind", kind, "metadata", "namespace", ns,
                   "name", name);
}

json_t *kubernetes_service_account(const char *ns, const char *name) {
  return object("v1", "ServiceAccount", ns, name);
}

/* "http-8080": there are meshes to which a port's name says its protocol. */
static json_t *service_port(const struct topology_port *port) {
  char name[32];
  (void)snprintf(name, sizeof(name), "%s-%u", protocol_name(port->protocol), port->port);
  return json_pack("{s:s, s:i, s:i, s:s}", "name", name, "port", (int)port->port, "targetPort", (int)port->target_port,
                   "protocol", port->protocol == PROTOCOL_UDP ? "UDP" : "TCP");
}

json_t *kubernetes_service(const char *ns, const struct topology_service *service) {
  json_t *made = object("v1", "Service", ns, service->name);
  json_t *ports = json_array(), *selector = json_object();
  char label[sizeof(SERVICE_LABEL) + 256];
  (void)snprintf(label, sizeof(label), SERVICE_LABEL "%s", service->name);
  int failed = json_object_set_new(selector, label, json_string("yes"));
  for (size_t i = 0; i < service->port_count; i++)
    failed |= json_array_append_new(ports, service_port(&service->ports[i]));
  failed |= json_object_set_new(made, "spec", json_pack("{s:O, s:O}", "selector", selector, "ports", ports));
  json_decref(ports);
  json_decref(selector);
  if (!failed)
    return made;
  json_decref(made);
  return NULL;
}

static bool serves(const struct topology_service *service, const struct topology_workload *workload) {
  if (strcmp(service->ns, workload->ns) != 0)
    return false;
  for (size_t i = 0; i < service->workload_count; i++)
    if (strcmp(service->workloads[i], workload->name) == 0)
      return true;
  return false;
}

/* The same labels as in the inventory, and one for each Service that has it. */
static json_t *pod_labels(const struct topology *topology, const struct topology_workload *workload) {
  json_t *labels = json_pack("{s:s, s:s}", "app", workload->name, "deployment",
                             workload->deployment ? workload->deployment : workload->name);
  int failed = labels ? 0 : -1;
  for (size_t i = 0; i < topology->service_count; i++) {
    char label[sizeof(SERVICE_LABEL) + 256];
    (void)snprintf(label, sizeof(label), SERVICE_LABEL "%s", topology->services[i].name);
    if (serves(&topology->services[i], workload))
      failed |= json_object_set_new(labels, label, json_string("yes"));
  }
  if (!failed)
    return labels;
  json_decref(labels);
  return NULL;
}

static json_t *container(const char *image) {
  char control[32];
  (void)snprintf(control, sizeof(control), "0.0.0.0:%d", WORKLOAD_CONTROL_PORT);
  return json_pack("{s:s, s:s, s:[s,s], s:{s:b, s:b, s:i, s:b}}", "name", WORKLOAD_CONTAINER, "image", image, "args",
                   "--control", control, "securityContext", "allowPrivilegeEscalation", 0, "runAsNonRoot", 1,
                   "runAsUser", USER_ID, "readOnlyRootFilesystem", 1);
}

json_t *kubernetes_deployment(const char *ns, const struct topology *topology, const struct topology_workload *workload,
                              const char *image, const json_t *overlay) {
  json_t *made = object("apps/v1", "Deployment", ns, workload->name);
  json_t *template = json_pack("{s:{s:o}, s:{s:s, s:i, s:[o]}}", "metadata", "labels", pod_labels(topology, workload),
                               "spec", "serviceAccountName", workload->service_account, "terminationGracePeriodSeconds",
                               GRACE_S, "containers", container(image));
  int r = made && template ? 0 : -ENOMEM;
  if (r == 0 && overlay && !workload->outside)
    r = overlay_merge(template, overlay);
  json_t *spec = json_pack("{s:i, s:{s:{s:s}}, s:O}", "replicas", 1, "selector", "matchLabels", "app", workload->name,
                           "template", template);
  if (r < 0 || json_object_set_new(made, "spec", spec) < 0) {
    json_decref(made);
    made = NULL;
  }
  json_decref(template);
  return made;
}

static bool is_named_list(const char *key) {
  return strcmp(key, "containers") == 0 || strcmp(key, "initContainers") == 0 || strcmp(key, "volumes") == 0;
}

static json_t *find_named(const json_t *list, const char *name) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    const char *found = json_string_value(json_object_get(item, "name"));
    if (found && name && strcmp(found, name) == 0)
      return item;
  }
  return NULL;
}

static int merge_named(json_t *target, const char *key, const json_t *items) {
  json_t *list = json_object_get(target, key);
  size_t i;
  json_t *item;
  if (!list && json_object_set_new(target, key, list = json_array()) < 0)
    return -ENOMEM;
  json_array_foreach(items, i, item) {
    json_t *there = find_named(list, json_string_value(json_object_get(item, "name")));
    int r = there ? overlay_merge(there, item) : json_array_append_new(list, json_deep_copy(item));
    if (r < 0)
      return -ENOMEM;
  }
  return 0;
}

static int merge_member(json_t *target, const char *key, const json_t *value) {
  json_t *there = json_object_get(target, key);
  if (json_is_null(value)) {
    (void)json_object_del(target, key);
    return 0;
  }
  if (is_named_list(key) && json_is_array(value))
    return merge_named(target, key, value);
  if (!json_is_object(value))
    return json_object_set_new(target, key, json_deep_copy(value)) < 0 ? -ENOMEM : 0;
  if (!json_is_object(there) && json_object_set_new(target, key, there = json_object()) < 0)
    return -ENOMEM;
  return overlay_merge(there, value);
}

/* How deep it goes is limited by jansson, which read it. */
int overlay_merge(json_t *target, const json_t *patch) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
    int r = merge_member(target, key, value);
    if (r < 0)
      return r;
  }
  return 0;
}
