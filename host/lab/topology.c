#include "host/lab/topology.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/fields.h"

/* Codes of this module, after those of fields.h. */
enum topology_code {
  TOPO_UNKNOWN_WORKLOAD = 6,
  TOPO_UNKNOWN_PORT,
  TOPO_UNLIKE_PODS,
};

static const char *const protocol_names[] = {"http", "tcp", "udp", NULL};

enum call_protocol protocol_call(enum protocol protocol) {
  switch (protocol) {
  case PROTOCOL_TCP:
    return CALL_TCP;
  case PROTOCOL_UDP:
    return CALL_UDP;
  case PROTOCOL_HTTP:
    break;
  }
  return CALL_HTTP1;
}

const char *protocol_name(enum protocol protocol) {
  return protocol >= PROTOCOL_HTTP && protocol <= PROTOCOL_UDP ? protocol_names[protocol - PROTOCOL_HTTP] : "unknown";
}

const struct topology_port *topology_port_find(const struct topology_port *ports, size_t count, uint16_t port,
                                               enum protocol protocol) {
  for (size_t i = 0; i < count; i++)
    if (ports[i].port == port && ports[i].protocol == protocol)
      return &ports[i];
  return NULL;
}

static bool is_called(const struct topology_service *service, const char *name) {
  size_t length = strlen(service->ns);
  return strncmp(name, service->ns, length) == 0 && name[length] == '/' &&
         strcmp(name + length + 1, service->name) == 0;
}

const struct topology_service *topology_service_at(const struct topology *topology, const char *service, uint16_t port,
                                                   enum protocol protocol, const struct topology_port **ret_port) {
  for (size_t i = 0; i < topology->service_count; i++) {
    const struct topology_service *found = &topology->services[i];
    const struct topology_port *at =
        is_called(found, service) ? topology_port_find(found->ports, found->port_count, port, protocol) : NULL;
    if (!at)
      continue;
    *ret_port = at;
    return found;
  }
  return NULL;
}

const struct topology_workload *topology_workload_find(const struct topology *topology, const char *ns,
                                                       const char *name) {
  for (size_t i = 0; i < topology->workload_count; i++)
    if (strcmp(topology->workloads[i].ns, ns) == 0 && strcmp(topology->workloads[i].name, name) == 0)
      return &topology->workloads[i];
  return NULL;
}

const struct topology_service *topology_service_find(const struct topology *topology, const char *ns,
                                                     const char *name) {
  for (size_t i = 0; i < topology->service_count; i++)
    if (strcmp(topology->services[i].ns, ns) == 0 && strcmp(topology->services[i].name, name) == 0)
      return &topology->services[i];
  return NULL;
}

/* Whether `workload`, "alias/name", is all that it leads to. */
static bool leads_only_to(const struct topology_service *service, const char *workload) {
  size_t length = strlen(service->ns);
  return service->workload_count == 1 && strncmp(workload, service->ns, length) == 0 && workload[length] == '/' &&
         strcmp(workload + length + 1, service->workloads[0]) == 0;
}

const struct topology_port *topology_port_to(const struct topology *topology, const char *workload, uint16_t port,
                                             enum protocol protocol, const struct topology_service **ret_service) {
  for (size_t i = 0; i < topology->service_count; i++) {
    const struct topology_service *service = &topology->services[i];
    for (size_t k = 0; leads_only_to(service, workload) && k < service->port_count; k++) {
      if (service->ports[k].target_port != port || service->ports[k].protocol != protocol)
        continue;
      *ret_service = service;
      return &service->ports[k];
    }
  }
  return NULL;
}

static enum protocol read_protocol(struct fields *fields, const struct node *map) {
  const struct node *node = node_get(map, "protocol");
  if (!node)
    return PROTOCOL_HTTP;
  int word = fields_word(fields, node, "\"protocol\"", protocol_names);
  return word < 0 ? PROTOCOL_HTTP : (enum protocol)(PROTOCOL_HTTP + word);
}

/* UDP has port numbers of its own; HTTP is TCP. */
static bool port_clashes(const struct topology_port *a, const struct topology_port *b) {
  return a->port == b->port && (a->protocol == PROTOCOL_UDP) == (b->protocol == PROTOCOL_UDP);
}

static void read_port(struct fields *fields, const struct node *map, bool of_service, struct topology_port *ret_port) {
  static const char *const workload_fields[] = {"port", "protocol", NULL};
  static const char *const service_fields[] = {"name", "port", "target_port", "protocol", NULL};
  if (!fields_known(fields, map, "a port", of_service ? service_fields : workload_fields))
    return;
  ret_port->port = fields_port(fields, map, "port", 0);
  ret_port->protocol = read_protocol(fields, map);
  if (!of_service || ret_port->port == 0)
    return;
  ret_port->target_port = fields_port(fields, map, "target_port", ret_port->port);
  const char *name = arena_printf(fields->arena, "%s-%u", protocol_name(ret_port->protocol), (unsigned)ret_port->port);
  if (fields_checked(fields, (void *)name))
    ret_port->name = fields_label(fields, map, "name", name);
}

static const struct topology_port *read_ports(struct fields *fields, const struct node *map, bool of_service,
                                              size_t *ret_count) {
  const struct node *list = fields_get(fields, map, "ports", NODE_LIST, of_service);
  size_t count = fields_count(fields, list, "ports", TOPOLOGY_PORTS_MAX);
  *ret_count = 0;
  struct topology_port *ports = fields_checked(fields, arena_array(fields->arena, count, sizeof(*ports)));
  if (!ports)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    read_port(fields, list->items[i], of_service, &ports[i]);
    for (size_t k = 0; k < i; k++)
      if (ports[i].port != 0 && port_clashes(&ports[i], &ports[k]))
        fields_complain(fields, list->items[i], FIELD_TWICE, NULL, "port %u is given twice", (unsigned)ports[i].port);
  }
  *ret_count = count;
  return ports;
}

/* What is outside of the mesh only calls: nothing would lead to its ports. */
static void read_mesh(struct fields *fields, const struct node *map, struct topology_workload *workload) {
  const struct node *mesh = node_get(map, "mesh");
  if (!mesh)
    return;
  workload->outside = mesh->kind == NODE_BOOLEAN && !mesh->boolean;
  if (mesh->kind != NODE_BOOLEAN)
    fields_complain(fields, mesh, FIELD_VALUE, NULL, "\"mesh\" must be true or false");
  else if (workload->outside && workload->port_count > 0)
    fields_complain(fields, mesh, FIELD_VALUE, NULL, "a workload outside of the mesh has no ports");
}

static bool serves_the_same(const struct topology_workload *a, const struct topology_workload *b) {
  bool same = a->port_count == b->port_count && strcmp(a->service_account, b->service_account) == 0;
  for (size_t i = 0; same && i < a->port_count; i++)
    same = topology_port_find(b->ports, b->port_count, a->ports[i].port, a->ports[i].protocol) != NULL;
  return same;
}

/* The pods of a deployment are made from one template. */
static void check_pods(struct fields *fields, const struct node *map, const struct topology *topology,
                       const struct topology_workload *workload) {
  for (size_t i = 0; i < topology->workload_count; i++) {
    const struct topology_workload *other = &topology->workloads[i];
    if (!other->service_account || !other->deployment || !other->ports)
      continue; /* complained about already */
    if (strcmp(other->ns, workload->ns) == 0 && strcmp(other->deployment, workload->deployment) == 0 &&
        !serves_the_same(other, workload))
      fields_complain(fields, map, TOPO_UNLIKE_PODS, "Give both one ServiceAccount and the same ports.",
                      "%s and %s are pods of the deployment %s, and differ", other->name, workload->name,
                      workload->deployment);
  }
}

static void read_workload(struct fields *fields, const struct node *map, struct topology *topology) {
  static const char *const known[] = {"name", "namespace", "service_account", "deployment", "ports", "mesh", NULL};
  if (!fields_known(fields, map, "a workload", known))
    return;
  struct topology_workload workload = {.name = fields_label(fields, map, "name", NULL),
                                       .ns = fields_label(fields, map, "namespace", TOPOLOGY_NAMESPACE_DEFAULT)};
  if (!workload.name || !workload.ns)
    return;
  workload.service_account = fields_label(fields, map, "service_account", workload.name);
  workload.deployment = fields_label(fields, map, "deployment", workload.name);
  workload.ports = read_ports(fields, map, false, &workload.port_count);
  read_mesh(fields, map, &workload);
  if (topology_workload_find(topology, workload.ns, workload.name))
    fields_complain(fields, map, FIELD_TWICE, NULL, "the workload %s/%s is given twice", workload.ns, workload.name);
  if (workload.service_account && workload.deployment && workload.ports)
    check_pods(fields, map, topology, &workload);
  ((struct topology_workload *)topology->workloads)[topology->workload_count++] = workload;
}

/* A service's ports lead somewhere: each of its workloads listens on each target port. */
static void check_targets(struct fields *fields, const struct node *map, const struct topology_service *service,
                          const struct topology_workload *workload) {
  for (size_t i = 0; i < service->port_count; i++) {
    const struct topology_port *port = &service->ports[i];
    if (port->port == 0 || topology_port_find(workload->ports, workload->port_count, port->target_port, port->protocol))
      continue;
    fields_complain(fields, map, TOPO_UNKNOWN_PORT, "Give the workload that port, or the service another target_port.",
                    "the service %s sends %s to port %u of the workload %s, which does not serve it", service->name,
                    protocol_name(port->protocol), (unsigned)port->target_port, workload->name);
  }
}

static void read_members(struct fields *fields, const struct node *map, const struct topology *topology,
                         struct topology_service *service) {
  const struct node *list = fields_get(fields, map, "workloads", NODE_LIST, true);
  size_t count = fields_count(fields, list, "workloads", TOPOLOGY_WORKLOADS_MAX);
  const char **names = fields_checked(fields, arena_array(fields->arena, count, sizeof(*names)));
  if (!names)
    return;
  for (size_t i = 0; i < count; i++) {
    const struct node *item = list->items[i];
    const char *name = item->kind == NODE_STRING ? item->text : "";
    const struct topology_workload *workload = topology_workload_find(topology, service->ns, name);
    if (!workload) {
      fields_complain(fields, item, TOPO_UNKNOWN_WORKLOAD, "A service selects workloads of its own namespace, by name.",
                      "there is no workload \"%s\" in the namespace \"%s\"", name, service->ns);
      continue;
    }
    check_targets(fields, item, service, workload);
    names[service->workload_count++] = workload->name;
  }
  service->workloads = names;
}

static void read_service(struct fields *fields, const struct node *map, struct topology *topology) {
  static const char *const known[] = {"name", "namespace", "ports", "workloads", NULL};
  if (!fields_known(fields, map, "a service", known))
    return;
  struct topology_service service = {.name = fields_label(fields, map, "name", NULL),
                                     .ns = fields_label(fields, map, "namespace", TOPOLOGY_NAMESPACE_DEFAULT)};
  if (!service.name || !service.ns)
    return;
  service.ports = read_ports(fields, map, true, &service.port_count);
  read_members(fields, map, topology, &service);
  if (topology_service_find(topology, service.ns, service.name))
    fields_complain(fields, map, FIELD_TWICE, NULL, "the service %s/%s is given twice", service.ns, service.name);
  ((struct topology_service *)topology->services)[topology->service_count++] = service;
}

int topology_read(struct arena *arena, const char *name, const struct node *node, struct diagnostics *diagnostics,
                  struct topology *ret_topology) {
  static const char *const known[] = {"workloads", "services", NULL};
  struct fields fields = {.prefix = "TOPO", .arena = arena, .diagnostics = diagnostics};
  if (!label_is_valid(name))
    fields_complain(&fields, node, FIELD_VALUE, "Use lower-case letters, digits and inner dashes.",
                    "\"%s\" is no name for a topology", name);
  if (!fields_known(&fields, node, "a topology", known))
    return fields_status(&fields);
  const struct node *workloads = fields_get(&fields, node, "workloads", NODE_LIST, true);
  const struct node *services = fields_get(&fields, node, "services", NODE_LIST, true);
  size_t workload_count = fields_count(&fields, workloads, "workloads", TOPOLOGY_WORKLOADS_MAX);
  size_t service_count = fields_count(&fields, services, "services", TOPOLOGY_WORKLOADS_MAX);
  struct topology topology = {
      .name = fields_checked(&fields, arena_strdup(arena, name)),
      .workloads = fields_checked(&fields, arena_array(arena, workload_count, sizeof(struct topology_workload))),
      .services = fields_checked(&fields, arena_array(arena, service_count, sizeof(struct topology_service)))};
  for (size_t i = 0; !fields.no_memory && i < workload_count; i++)
    read_workload(&fields, workloads->items[i], &topology);
  for (size_t i = 0; !fields.no_memory && i < service_count; i++)
    read_service(&fields, services->items[i], &topology);
  if (fields_status(&fields) == 0)
    *ret_topology = topology;
  return fields_status(&fields);
}
