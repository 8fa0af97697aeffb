#include "plugins/reference/reference.h"

/* The first port that a workload's outbound proxy listens on. */
#define LISTEN_PORT_FIRST 20000

/* Ports as the control API has them. NULL without memory. */
static json_t *ports_json(const struct inventory_port *ports, size_t count, bool of_service) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (size_t i = 0; i < count; i++) {
    json_t *port = json_pack("{s:i, s:s}", "port", ports[i].port, "protocol", port_protocol_name(ports[i].protocol));
    if (of_service)
      failed |= json_object_set_new(port, "targetPort", json_integer(ports[i].target_port));
    failed |= json_array_append_new(list, port);
  }
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static struct native_object *service_object(struct call *call, const struct inventory_service *service) {
  json_t *ports = ports_json(service->ports, service->port_count, true);
  json_t *workloads = json_array();
  int failed = ports && workloads ? 0 : -1;
  for (size_t i = 0; i < service->workload_count; i++)
    failed |= json_array_append_new(workloads, json_string(service->workloads[i]));
  json_t *body = failed ? NULL : json_pack("{s:O, s:O}", "ports", ports, "workloads", workloads);
  json_decref(ports);
  json_decref(workloads);
  return reference_object(call, 0, "services", service->ns, service->name, body);
}

/* In a pod the same for all. */
static const char *outbound_address(const struct inventory_workload *workload) {
  return *workload->outbound_address ? workload->outbound_address : OUTBOUND_ADDRESS;
}

/* Every service port gets a port of the workload's outbound address, in the order of the inventory (namespace, name)
 * and of the service. */
static json_t *add_upstreams(struct enrollment *enrollment, const struct inventory *inventory,
                             const struct inventory_workload *workload) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  uint16_t listen = LISTEN_PORT_FIRST;
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *service = &inventory->services[i];
    for (size_t j = 0; j < service->port_count; j++) {
      const struct inventory_port *port = &service->ports[j];
      json_t *upstream = json_pack("{s:s, s:s, s:i, s:i}", "namespace", service->ns, "service", service->name, "port",
                                   port->port, "listen", listen);
      if (port->protocol == PORT_UDP)
        failed |= json_object_set_new(upstream, "transport", json_string("udp"));
      failed |= json_array_append_new(list, upstream);
      enrollment_upstream(enrollment, &(struct upstream){.workload = workload,
                                                         .service = service,
                                                         .port = port->port,
                                                         .protocol = port->protocol,
                                                         .address = outbound_address(workload),
                                                         .listen_port = listen});
      listen++;
    }
  }
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *labels_json(const struct inventory_workload *workload) {
  json_t *labels = json_object();
  int failed = labels ? 0 : -1;
  for (size_t i = 0; i < workload->label_count; i++)
    failed |= json_object_set_new(labels, workload->labels[i].name, json_string(workload->labels[i].value));
  if (!failed)
    return labels;
  json_decref(labels);
  return NULL;
}

static struct native_object *workload_object(struct call *call, struct enrollment *enrollment,
                                             const struct inventory *inventory,
                                             const struct inventory_workload *workload) {
  json_t *labels = labels_json(workload);
  json_t *ports = ports_json(workload->ports, workload->port_count, false);
  json_t *upstreams = add_upstreams(enrollment, inventory, workload);
  json_t *body = NULL;
  if (labels && ports && upstreams)
    body = json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:O}", "serviceAccount", workload->service_account, "app",
                     *workload->app_address ? workload->app_address : APP_ADDRESS, "inbound", workload->inbound_address,
                     "outbound", outbound_address(workload), "labels", labels, "ports", ports, "upstreams", upstreams);
  json_decref(labels);
  json_decref(ports);
  json_decref(upstreams);
  return reference_object(call, 1, "workloads", workload->ns, workload->name, body);
}

static size_t count_upstreams(const struct inventory *inventory) {
  size_t count = 0;
  for (size_t i = 0; i < inventory->service_count; i++)
    count += inventory->services[i].port_count;
  return count;
}

/* Whether its pods have addresses. */
static bool is_placed(const struct inventory *inventory) {
  for (size_t i = 0; i < inventory->workload_count; i++)
    if (!*inventory->workloads[i].inbound_address)
      return false;
  return true;
}

int reference_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct inventory *inventory = &request->inventory;
  size_t upstreams = count_upstreams(inventory);
  if (upstreams > UINT16_MAX - LISTEN_PORT_FIRST)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_PORTS,
                     "%zu service ports, at most %d can be given a port of an outbound proxy", upstreams,
                     UINT16_MAX - LISTEN_PORT_FIRST);
  int status = request->lab == LAB_KUBERNETES ? kubernetes_overlay(call, enrollment) : TRAMMEL_OK;
  if (status != TRAMMEL_OK || (request->lab == LAB_KUBERNETES && !is_placed(inventory)))
    return status;
  for (size_t i = 0; i < inventory->service_count; i++)
    enrollment_register(enrollment, service_object(call, &inventory->services[i]));
  for (size_t i = 0; i < inventory->workload_count; i++)
    enrollment_register(enrollment, workload_object(call, enrollment, inventory, &inventory->workloads[i]));
  return TRAMMEL_OK;
}
