/* Kubernetes manifests. Unknown fields are none of our business: what is read here is a small part of each kind. */
#include <stdlib.h>
#include <string.h>

#include "host/inventory/internal.h"

/* ---- ports */

/* False after a note: the port is left out. */
static bool read_transport(struct inventory_reader *reader, const struct node *map, bool *ret_udp) {
  const char *text = found_text(reader, map, "protocol");
  *ret_udp = text && strcmp(text, "UDP") == 0;
  if (!text || *ret_udp || strcmp(text, "TCP") == 0)
    return true;
  found_note(reader, SEVERITY_WARNING, INVENTORY_PORT_LEFT_OUT, map, NULL,
             "the port is left out: its protocol is %s, and meshes carry TCP and UDP", text);
  return false;
}

static void read_port_name(struct inventory_reader *reader, const struct node *map, struct found_port *port) {
  const char *name = found_text(reader, map, "name");
  port->name = name ? name : "";
}

static void read_container_ports(struct inventory_reader *reader, const struct node *container,
                                 struct found_ports *ports) {
  const struct node *list = found_get(reader, container, "ports", NODE_LIST);
  size_t count = fields_count(&reader->fields, list, "ports", INVENTORY_FIELDS_MAX);
  for (size_t i = 0; i < count; i++) {
    const struct node *map = list->items[i];
    struct found_port port = {.node = map, .port = fields_port(&reader->fields, map, "containerPort", 0)};
    bool udp = false;
    if (port.port == 0 || !read_transport(reader, map, &udp))
      continue;
    read_port_name(reader, map, &port);
    port.protocol = udp ? PROTOCOL_UDP : inventory_convention(NULL, port.name);
    found_ports_add(reader, ports, &port);
  }
}

/* targetPort: a number, a name, or the port itself. */
static bool read_target(struct inventory_reader *reader, const struct node *map, struct found_port *port) {
  const struct node *target = node_get(map, "targetPort");
  port->target = port->port;
  if (!target || target->kind == NODE_NULL || (target->kind == NODE_INTEGER && target->integer == 0))
    return true;
  if (target->kind == NODE_STRING && target->length > 0) {
    if (strspn(target->text, "0123456789") < target->length) {
      port->target_name = target->text;
      return true;
    }
    fields_complain(&reader->fields, target, FIELD_VALUE, "Write the number without quotes.",
                    "\"targetPort\" is the string \"%.20s\", and no port has such a name", target->text);
    return false;
  }
  port->target = fields_port(&reader->fields, map, "targetPort", 0);
  return port->target != 0;
}

static void read_service_ports(struct inventory_reader *reader, const struct node *spec, struct found_ports *ports) {
  const struct node *list = found_get(reader, spec, "ports", NODE_LIST);
  size_t count = fields_count(&reader->fields, list, "ports", INVENTORY_FIELDS_MAX);
  for (size_t i = 0; i < count; i++) {
    const struct node *map = list->items[i];
    struct found_port port = {.node = map, .port = fields_port(&reader->fields, map, "port", 0)};
    bool udp = false;
    if (port.port == 0 || !read_transport(reader, map, &udp) || !read_target(reader, map, &port))
      continue;
    read_port_name(reader, map, &port);
    port.protocol = udp ? PROTOCOL_UDP : inventory_convention(found_text(reader, map, "appProtocol"), port.name);
    found_ports_add_new(reader, ports, &port);
  }
}

/* ---- metadata */

/* A resource that is to be created under a generated name is known by what that begins with. */
static const char *read_name(struct inventory_reader *reader, const struct node *metadata) {
  const char *prefix = node_get(metadata, "name") ? NULL : found_text(reader, metadata, "generateName");
  if (!prefix)
    return found_name(reader, metadata, "name");
  size_t length = strlen(prefix);
  while (length > 1 && (prefix[length - 1] == '-' || prefix[length - 1] == '.'))
    length--;
  const char *name = fields_checked(&reader->fields, arena_strndup(reader->fields.arena, prefix, length));
  return name ? found_as_name(reader, node_get(metadata, "generateName"), name) : NULL;
}

/* False after a complaint. */
static bool read_identity(struct inventory_reader *reader, const struct node *root, const char **ret_name,
                          const char **ret_ns) {
  const struct node *metadata = fields_get(&reader->fields, root, "metadata", NODE_MAP, true);
  *ret_name = metadata ? read_name(reader, metadata) : NULL;
  *ret_ns = metadata ? found_namespace(reader, metadata) : NULL;
  return *ret_name && *ret_ns;
}

static void read_owner(const struct node *root, struct found_workload *workload) {
  const struct node *owners = node_get(node_get(root, "metadata"), "ownerReferences");
  for (size_t i = 0; owners && owners->kind == NODE_LIST && i < owners->count; i++) {
    const struct node *owner = owners->items[i];
    const struct node *controller = node_get(owner, "controller");
    const struct node *kind = node_get(owner, "kind"), *name = node_get(owner, "name");
    if (controller && controller->kind == NODE_BOOLEAN && controller->boolean && kind && kind->kind == NODE_STRING &&
        name && name->kind == NODE_STRING) {
      workload->owner_kind = kind->text;
      workload->owner_name = name->text;
    }
  }
}

/* ---- kinds */

static void read_containers(struct inventory_reader *reader, const struct node *spec, const char *key,
                            struct found_ports *ports) {
  const struct node *list = found_get(reader, spec, key, NODE_LIST);
  size_t count = fields_count(&reader->fields, list, key, INVENTORY_FIELDS_MAX);
  for (size_t i = 0; i < count; i++)
    read_container_ports(reader, list->items[i], ports);
}

/* A pod, or a template of pods. */
/* NULL when none is named, or after a complaint. */
static const char *read_account_name(struct inventory_reader *reader, const struct node *spec) {
  const char *key = found_text(reader, spec, "serviceAccountName") ? "serviceAccountName" : "serviceAccount";
  const char *name = found_text(reader, spec, key); /* the second is the first's old name */
  return name ? found_as_name(reader, node_get(spec, key), name) : NULL;
}

static void read_pod(struct inventory_reader *reader, const struct node *pod, struct found_workload *workload) {
  const struct node *spec = fields_get(&reader->fields, pod, "spec", NODE_MAP, true);
  const struct node *metadata = found_get(reader, pod, "metadata", NODE_MAP);
  const char *account = read_account_name(reader, spec);
  workload->service_account = account ? account : "default";
  workload->labels = found_read_labels(reader, metadata, "labels");
  read_containers(reader, spec, "containers", &workload->ports);
  read_containers(reader, spec, "initContainers", &workload->ports); /* those that stay are sidecars */
}

static void read_workload(struct inventory_reader *reader, const struct node *root, const char *kind,
                          const struct node *pod) {
  struct found_workload workload = {.kind = kind, .node = root};
  if (!read_identity(reader, root, &workload.name, &workload.ns))
    return;
  read_owner(root, &workload);
  read_pod(reader, pod, &workload);
  found_keep(reader, &reader->workloads, &workload, sizeof workload, root, "workloads");
}

static const struct node *spec_of(struct inventory_reader *reader, const struct node *map) {
  return map ? fields_get(&reader->fields, map, "spec", NODE_MAP, true) : NULL;
}

static void read_templated(struct inventory_reader *reader, const struct node *root, const char *kind) {
  const struct node *spec = spec_of(reader, root);
  if (spec && strcmp(kind, "CronJob") == 0)
    spec = spec_of(reader, fields_get(&reader->fields, spec, "jobTemplate", NODE_MAP, true));
  const struct node *pod = spec ? fields_get(&reader->fields, spec, "template", NODE_MAP, true) : NULL;
  if (pod)
    read_workload(reader, root, kind, pod);
}

/* A pod that has ended takes no traffic. */
static void read_lone_pod(struct inventory_reader *reader, const struct node *root, const char *kind) {
  const struct node *phase = node_get(node_get(root, "status"), "phase");
  if (phase && phase->kind == NODE_STRING &&
      (strcmp(phase->text, "Succeeded") == 0 || strcmp(phase->text, "Failed") == 0))
    return;
  read_workload(reader, root, kind, root);
}

/* One of type ExternalName is another name of a host, and nothing that a mesh routes to workloads. */
static void read_service(struct inventory_reader *reader, const struct node *root, const char *kind) {
  struct found_service service = {.node = root};
  const struct node *spec = spec_of(reader, root);
  const char *type = found_text(reader, spec, "type");
  (void)kind;
  if (!spec || (type && strcmp(type, "ExternalName") == 0) || !read_identity(reader, root, &service.name, &service.ns))
    return;
  service.selector = found_read_labels(reader, spec, "selector");
  read_service_ports(reader, spec, &service.ports);
  found_keep(reader, &reader->services, &service, sizeof service, root, "services");
}

static void read_account(struct inventory_reader *reader, const struct node *root, const char *kind) {
  struct found_account account = {.node = root};
  (void)kind;
  if (read_identity(reader, root, &account.account.name, &account.account.ns))
    found_keep(reader, &reader->accounts, &account, sizeof account, root, "ServiceAccounts");
}

/* `group`: of the apiVersion, in all versions that had the kind. */
static const struct known {
  const char *kind;
  const char *groups[2];
  void (*read)(struct inventory_reader *reader, const struct node *root, const char *kind);
} known[] = {
    {"Pod", {""}, read_lone_pod},
    {"Service", {""}, read_service},
    {"ServiceAccount", {""}, read_account},
    {"Deployment", {"apps", "extensions"}, read_templated},
    {"StatefulSet", {"apps"}, read_templated},
    {"DaemonSet", {"apps", "extensions"}, read_templated},
    {"ReplicaSet", {"apps", "extensions"}, read_templated},
    {"ReplicationController", {""}, read_templated},
    {"Job", {"batch"}, read_templated},
    {"CronJob", {"batch"}, read_templated},
};

void inventory_read_manifest(struct inventory_reader *reader, const struct node *root, const char *api_version,
                             const char *kind) {
  const char *slash = strchr(api_version, '/');
  size_t length = slash ? (size_t)(slash - api_version) : 0;
  for (size_t i = 0; i < ARRAY_COUNT(known); i++)
    for (size_t k = 0; k < 2 && known[i].groups[k] && strcmp(kind, known[i].kind) == 0; k++)
      if (strlen(known[i].groups[k]) == length && strncmp(known[i].groups[k], api_version, length) == 0)
        known[i].read(reader, root, known[i].kind);
}
