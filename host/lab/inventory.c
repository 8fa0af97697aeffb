#include <string.h>

#include "host/lab/inventory.h"

#define PB(name) Trammel__Adapter__V1__##name

/* What all parts are built with. */
struct builder {
  struct arena *arena;
  const char *(*namespace_of)(const void *ctx, const char *alias);
  const void *ctx;
};

static PB(Protocol) protocol_of(enum protocol protocol) {
  switch (protocol) {
  case PROTOCOL_HTTP:
    return TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP;
  case PROTOCOL_TCP:
    return TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP;
  case PROTOCOL_UDP:
    return TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP;
  }
  return TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UNSPECIFIED;
}

/* Messages only point to what they hold, and are only packed: the texts stay where they are. */
static char *text(const char *borrowed) {
  return (char *)borrowed;
}

static PB(WorkloadPort) * workload_port(const struct builder *b, const struct topology_port *from) {
  PB(WorkloadPort) *port = arena_new(b->arena, PB(WorkloadPort));

  if (!port)
    return NULL;
  *port = (PB(WorkloadPort))TRAMMEL__ADAPTER__V1__WORKLOAD_PORT__INIT;
  port->port = from->port;
  port->protocol = protocol_of(from->protocol);
  return port;
}

static PB(ServicePort) * service_port(const struct builder *b, const struct topology_port *from) {
  PB(ServicePort) *port = arena_new(b->arena, PB(ServicePort));

  if (!port)
    return NULL;
  *port = (PB(ServicePort))TRAMMEL__ADAPTER__V1__SERVICE_PORT__INIT;
  port->name = text(from->name ? from->name : "");
  port->port = from->port;
  port->target_port = from->target_port;
  port->protocol = protocol_of(from->protocol);
  return port;
}

static PB(Label) * label(const struct builder *b, const char *name, const char *value) {
  PB(Label) *label = arena_new(b->arena, PB(Label));

  if (!label)
    return NULL;
  *label = (PB(Label))TRAMMEL__ADAPTER__V1__LABEL__INIT;
  label->name = text(name);
  label->value = text(value);
  return label;
}

/* The labels that every workload has: its name, as Kubernetes' own examples call it, and the deployment whose pod it
 * is.
 */
static bool add_labels(const struct builder *b, const struct topology_workload *from, PB(Workload) * workload) {
  workload->labels = arena_array(b->arena, 2, sizeof(PB(Label) *));
  if (!workload->labels || !(workload->labels[0] = label(b, "app", from->name)) ||
      !(workload->labels[1] = label(b, "deployment", from->deployment ? from->deployment : from->name)))
    return false;
  workload->n_labels = 2;
  return true;
}

static PB(Workload) *
    workload_message(const struct builder *b, const struct topology_workload *from, const struct site *site) {
  PB(Workload) *workload = arena_new(b->arena, PB(Workload));

  if (!workload)
    return NULL;
  *workload = (PB(Workload))TRAMMEL__ADAPTER__V1__WORKLOAD__INIT;
  workload->name = text(from->name);
  workload->namespace_ = text(b->namespace_of(b->ctx, from->ns));
  workload->service_account = text(from->service_account);
  workload->app_address = text(site->app);
  workload->inbound_address = text(site->inbound);
  workload->outbound_address = text(site->outbound);
  workload->ports = arena_array(b->arena, from->port_count, sizeof(PB(WorkloadPort) *));
  if (!workload->ports || !add_labels(b, from, workload))
    return NULL;
  for (; workload->n_ports < from->port_count; workload->n_ports++)
    if (!(workload->ports[workload->n_ports] = workload_port(b, &from->ports[workload->n_ports])))
      return NULL;
  return workload;
}

static PB(Service) * service_message(const struct builder *b, const struct topology_service *from) {
  PB(Service) *service = arena_new(b->arena, PB(Service));

  if (!service)
    return NULL;
  *service = (PB(Service))TRAMMEL__ADAPTER__V1__SERVICE__INIT;
  service->name = text(from->name);
  service->namespace_ = text(b->namespace_of(b->ctx, from->ns));
  service->ports = arena_array(b->arena, from->port_count, sizeof(PB(ServicePort) *));
  service->workloads = arena_array(b->arena, from->workload_count, sizeof(char *));
  if (!service->ports || !service->workloads)
    return NULL;
  for (; service->n_ports < from->port_count; service->n_ports++)
    if (!(service->ports[service->n_ports] = service_port(b, &from->ports[service->n_ports])))
      return NULL;
  for (; service->n_workloads < from->workload_count; service->n_workloads++)
    service->workloads[service->n_workloads] = text(from->workloads[service->n_workloads]);
  return service;
}

PB(Inventory) * lab_inventory(struct arena *arena, const struct topology *topology, const struct site *sites,
                              const char *(*namespace_of)(const void *ctx, const char *alias), const void *ctx) {
  struct builder b = {.arena = arena, .namespace_of = namespace_of, .ctx = ctx};
  PB(Inventory) *inventory = arena_new(arena, PB(Inventory));

  if (!inventory)
    return NULL;
  *inventory = (PB(Inventory))TRAMMEL__ADAPTER__V1__INVENTORY__INIT;
  inventory->workloads = arena_array(arena, topology->workload_count, sizeof(PB(Workload) *));
  inventory->services = arena_array(arena, topology->service_count, sizeof(PB(Service) *));
  if (!inventory->workloads || !inventory->services)
    return NULL;
  for (size_t i = 0; i < topology->workload_count; i++) {
    if (topology->workloads[i].outside)
      continue;
    PB(Workload) *workload = workload_message(&b, &topology->workloads[i], &sites[i]);
    if (!workload)
      return NULL;
    inventory->workloads[inventory->n_workloads++] = workload;
  }
  for (size_t i = 0; i < topology->service_count; i++, inventory->n_services++)
    if (!(inventory->services[i] = service_message(&b, &topology->services[i])))
      return NULL;
  return inventory;
}
