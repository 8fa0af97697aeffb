#include "sdk/adapter/inventory.h"

#include <errno.h>
#include <string.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

/* The most workloads, services and ports of one of them; more is a mistake of the peer. */
#define INVENTORY_MAX 200000
#define INVENTORY_PORTS_MAX 10000

typedef Trammel__Adapter__V1__Inventory wire_inventory;
typedef Trammel__Adapter__V1__Service wire_service;
typedef Trammel__Adapter__V1__Workload wire_workload;
typedef Trammel__Adapter__V1__Label wire_label;

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "out of memory, or above the limit of one call");
}

const char *port_protocol_name(enum port_protocol protocol) {
  switch (protocol) {
  case PORT_HTTP:
    return "http";
  case PORT_TCP:
    return "tcp";
  case PORT_UDP:
    return "udp";
  }
  return "unknown";
}

static int port_from_wire(uint32_t port, uint32_t target_port, int protocol, const char *of,
                          struct inventory_port *ret_port, struct error **err) {
  if (port == 0 || port > UINT16_MAX || target_port > UINT16_MAX)
    return error_set(err, EINVAL, "%s: port %u (target port %u) is not between 1 and 65535", of, port, target_port);
  if (protocol < PORT_HTTP || protocol > PORT_UDP)
    return error_set(err, EINVAL, "%s: port %u has the unknown protocol %d", of, port, protocol);
  *ret_port = (struct inventory_port){.name = "",
                                      .port = (uint16_t)port,
                                      .target_port = (uint16_t)target_port,
                                      .protocol = (enum port_protocol)protocol};
  return 0;
}

static int check_name(const char *what, const char *ns, const char *name, struct error **err) {
  if (!*ns || !*name || strlen(ns) > 253 || strlen(name) > 253)
    return error_set(err, EINVAL,
                     "inventory: a %s needs a name and a namespace of 1 to 253 bytes, found \"%.60s/%.60s\"", what, ns,
                     name);
  return 0;
}

static int service_from_wire(struct arena *arena, const wire_service *message, struct inventory_service *ret_service,
                             struct error **err) {
  int r = check_name("service", message->namespace_, message->name, err);
  if (r < 0)
    return r;
  if (message->n_ports > INVENTORY_PORTS_MAX || message->n_workloads > INVENTORY_MAX)
    return error_set(err, EINVAL, "service %s: too many ports or workloads", message->name);
  struct inventory_port *ports = arena_array(arena, message->n_ports, sizeof *ports);
  const char **workloads = arena_array(arena, message->n_workloads, sizeof *workloads);
  const char *name = arena_strdup(arena, message->name);
  const char *ns = arena_strdup(arena, message->namespace_);
  if (!ports || !workloads || !name || !ns)
    return no_memory(err);
  for (size_t i = 0; i < message->n_ports; i++) {
    const Trammel__Adapter__V1__ServicePort *port = message->ports[i];
    uint32_t target = port->target_port ? port->target_port : port->port;
    r = port_from_wire(port->port, target, (int)port->protocol, message->name, &ports[i], err);
    if (r < 0)
      return r;
    ports[i].name = arena_strdup(arena, port->name);
    if (!ports[i].name)
      return no_memory(err);
  }
  for (size_t i = 0; i < message->n_workloads; i++)
    if (!(workloads[i] = arena_strdup(arena, message->workloads[i])))
      return no_memory(err);
  *ret_service = (struct inventory_service){.name = name,
                                            .ns = ns,
                                            .ports = ports,
                                            .port_count = message->n_ports,
                                            .workloads = workloads,
                                            .workload_count = message->n_workloads};
  return 0;
}

static const struct smi_label *labels_from_wire(struct arena *arena, wire_label *const *messages, size_t count) {
  struct smi_label *labels = arena_array(arena, count, sizeof *labels);
  for (size_t i = 0; labels && i < count; i++) {
    labels[i].name = arena_strdup(arena, messages[i]->name);
    labels[i].value = arena_strdup(arena, messages[i]->value);
    if (!labels[i].name || !labels[i].value)
      return NULL;
  }
  return labels;
}

static int workload_from_wire(struct arena *arena, const wire_workload *message,
                              struct inventory_workload *ret_workload, struct error **err) {
  int r = check_name("workload", message->namespace_, message->name, err);
  if (r < 0)
    return r;
  if (message->n_ports > INVENTORY_PORTS_MAX || message->n_labels > INVENTORY_PORTS_MAX)
    return error_set(err, EINVAL, "workload %s: too many ports or labels", message->name);
  struct inventory_port *ports = arena_array(arena, message->n_ports, sizeof *ports);
  struct inventory_workload workload = {
      .name = arena_strdup(arena, message->name),
      .ns = arena_strdup(arena, message->namespace_),
      .service_account = arena_strdup(arena, message->service_account),
      .labels = labels_from_wire(arena, message->labels, message->n_labels),
      .label_count = message->n_labels,
      .ports = ports,
      .port_count = message->n_ports,
      .app_address = arena_strdup(arena, message->app_address),
      .inbound_address = arena_strdup(arena, message->inbound_address),
      .outbound_address = arena_strdup(arena, message->outbound_address),
  };
  if (!ports || !workload.name || !workload.ns || !workload.service_account || !workload.labels ||
      !workload.app_address || !workload.inbound_address || !workload.outbound_address)
    return no_memory(err);
  for (size_t i = 0; i < message->n_ports; i++) {
    r = port_from_wire(message->ports[i]->port, 0, (int)message->ports[i]->protocol, message->name, &ports[i], err);
    if (r < 0)
      return r;
  }
  *ret_workload = workload;
  return 0;
}

static int compare(const char *ns_a, const char *name_a, const char *ns_b, const char *name_b) {
  int by_ns = strcmp(ns_a, ns_b);
  return by_ns ? by_ns : strcmp(name_a, name_b);
}

static int compare_services(const void *a, const void *b) {
  const struct inventory_service *x = a, *y = b;
  return compare(x->ns, x->name, y->ns, y->name);
}

static int compare_workloads(const void *a, const void *b) {
  const struct inventory_workload *x = a, *y = b;
  return compare(x->ns, x->name, y->ns, y->name);
}

static int services_from_wire(struct arena *arena, const wire_inventory *message, struct inventory *inventory,
                              struct error **err) {
  struct inventory_service *services = arena_array(arena, message->n_services, sizeof *services);
  if (!services)
    return no_memory(err);
  for (size_t i = 0; i < message->n_services; i++) {
    int r = service_from_wire(arena, message->services[i], &services[i], err);
    if (r < 0)
      return r;
  }
  qsort(services, message->n_services, sizeof *services, compare_services);
  for (size_t i = 1; i < message->n_services; i++)
    if (compare_services(&services[i - 1], &services[i]) == 0)
      return error_set(err, EINVAL, "inventory: service %s/%s is there twice", services[i].ns, services[i].name);
  inventory->services = services;
  inventory->service_count = message->n_services;
  return 0;
}

static int workloads_from_wire(struct arena *arena, const wire_inventory *message, struct inventory *inventory,
                               struct error **err) {
  struct inventory_workload *workloads = arena_array(arena, message->n_workloads, sizeof *workloads);
  if (!workloads)
    return no_memory(err);
  for (size_t i = 0; i < message->n_workloads; i++) {
    int r = workload_from_wire(arena, message->workloads[i], &workloads[i], err);
    if (r < 0)
      return r;
  }
  qsort(workloads, message->n_workloads, sizeof *workloads, compare_workloads);
  for (size_t i = 1; i < message->n_workloads; i++)
    if (compare_workloads(&workloads[i - 1], &workloads[i]) == 0)
      return error_set(err, EINVAL, "inventory: workload %s/%s is there twice", workloads[i].ns, workloads[i].name);
  inventory->workloads = workloads;
  inventory->workload_count = message->n_workloads;
  return 0;
}

int inventory_from_wire(struct arena *arena, const wire_inventory *message, struct inventory *ret_inventory,
                        struct error **err) {
  if (message->n_services > INVENTORY_MAX || message->n_workloads > INVENTORY_MAX)
    return error_set(err, EINVAL, "inventory: more than %d services or workloads", INVENTORY_MAX);
  struct inventory inventory = {0};
  int r = services_from_wire(arena, message, &inventory, err);
  if (r == 0)
    r = workloads_from_wire(arena, message, &inventory, err);
  if (r == 0)
    *ret_inventory = inventory;
  return r;
}

const struct inventory_service *inventory_service(const struct inventory *inventory, const char *ns, const char *name) {
  struct inventory_service key = {.name = name, .ns = ns};
  return inventory->service_count
             ? bsearch(&key, inventory->services, inventory->service_count, sizeof key, compare_services)
             : NULL;
}

const struct inventory_workload *inventory_workload(const struct inventory *inventory, const char *ns,
                                                    const char *name) {
  struct inventory_workload key = {.name = name, .ns = ns};
  return inventory->workload_count
             ? bsearch(&key, inventory->workloads, inventory->workload_count, sizeof key, compare_workloads)
             : NULL;
}

const struct inventory_port *inventory_service_port(const struct inventory_service *service, uint16_t port,
                                                    enum port_protocol transport) {
  for (size_t i = 0; i < service->port_count; i++)
    if (service->ports[i].port == port && (service->ports[i].protocol == PORT_UDP) == (transport == PORT_UDP))
      return &service->ports[i];
  return NULL;
}

bool workload_has_labels(const struct inventory_workload *workload, const struct smi_label *labels, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool found = false;
    for (size_t j = 0; j < workload->label_count && !found; j++)
      found = strcmp(workload->labels[j].name, labels[i].name) == 0 &&
              strcmp(workload->labels[j].value, labels[i].value) == 0;
    if (!found)
      return false;
  }
  return true;
}
