/* How workloads join: as pods (injection.h), or as those of a process lab. There each is a service with a sidecar,
 * registered over the HTTP API, and the sidecars are the proxy that is built into Consul's own program. */
#include <stdio.h>
#include <string.h>

#include "plugins/consul/entry.h"
#include "plugins/consul/injection.h"
#include "plugins/consul/name.h"
#include "plugins/consul/site.h"

/* Of a workload's outbound address: where its sidecar listens that has no port of the workload behind it, and the first
 * port that leads to a service. */
#define OWN_PORT 19999
#define LISTEN_PORT_FIRST 20000

struct enrolling {
  struct call *call;
  const struct site *site;
  struct enrollment *enrollment;
  size_t sidecars;
};

/* A service with its sidecar. */
struct sidecar {
  const struct inventory_workload *workload;
  const char *service; /* unqualified */
  const char *address; /* where the sidecar takes what comes from other sidecars */
  uint16_t port;       /* the same on the workload's own address */
  json_t *upstreams;   /* NULL: none; the reference is taken */
};

static const char *sidecar_id(const struct enrolling *e, const struct sidecar *sidecar) {
  const char *id = arena_printf(call_arena(e->call), "%s.%s",
                                service_name(e->call, e->site->config, sidecar->workload->ns, sidecar->service),
                                sidecar->workload->name);
  if (!id)
    call_out_of_memory(e->call);
  return id;
}

/* The service is as healthy as whoever started the run sees it: Consul does not ask itself, and the sidecar is as
 * healthy as the service. */
static json_t *registration(const struct enrolling *e, const struct sidecar *sidecar, const char *id) {
  const char *name = service_name(e->call, e->site->config, sidecar->workload->ns, sidecar->service);
  json_t *upstreams = sidecar->upstreams ? sidecar->upstreams : json_array();
  json_t *proxy = json_pack("{s:s, s:i, s:o}", "LocalServiceAddress", sidecar->workload->app_address,
                            "LocalServicePort", (int)sidecar->port, "Upstreams", upstreams);
  json_t *own = json_pack("{s:s, s:i, s:[{s:s, s:s}], s:o}", "Address", sidecar->address, "Port", (int)sidecar->port,
                          "Checks", "Name", "service", "AliasService", id, "Proxy", proxy);
  return json_pack("{s:s, s:s, s:s, s:i, s:{s:s}, s:{s:o}}", "ID", id, "Name", name, "Address", sidecar->address,
                   "Port", (int)sidecar->port, "Meta", MARK_KEY, MARK_VALUE, "Connect", "SidecarService", own);
}

static struct native_object *registration_object(const struct enrolling *e, const struct sidecar *sidecar,
                                                 const char *id) {
  static const struct http_member marks[] = {{"/Meta/" MARK_KEY, MARK_VALUE}};
  static const struct http_identity identity = {.marks = marks, .mark_count = 1};
  const char *segment = path_segment(e->call, id);
  const char *read = arena_printf(call_arena(e->call), "/v1/agent/service/%s", segment);
  const char *remove = arena_printf(call_arena(e->call), "/v1/agent/service/deregister/%s", segment);
  const char *object_id = arena_printf(call_arena(e->call), "services/%s", id);
  json_t *body = registration(e, sidecar, id);
  if (!read || !remove || !object_id || !body) {
    json_decref(body);
    call_out_of_memory(e->call);
    return NULL;
  }
  return native_http(e->call, object_id, 0,
                     &(struct http_place){.endpoint = CONSUL_ENDPOINT,
                                          .path = "/v1/agent/service/register",
                                          .read_path = read,
                                          .delete_method = "PUT",
                                          .delete_path = remove,
                                          .identity = &identity},
                     body);
}

static void add_sidecar(struct enrolling *e, const struct sidecar *sidecar) {
  static const struct process_endpoint agent = {CONSUL_ENDPOINT, "CONSUL_HTTP_ADDR", "CONSUL_HTTP_TOKEN_FILE"};
  const char *id = sidecar_id(e, sidecar);
  const char *proxy = id ? arena_printf(call_arena(e->call), "%s-sidecar-proxy", id) : NULL;
  const char *name = arena_printf(call_arena(e->call), "proxy-%zu", e->sidecars++);
  if (!id || !proxy || !name) {
    json_decref(sidecar->upstreams);
    call_out_of_memory(e->call);
    return;
  }
  enrollment_register(e->enrollment, registration_object(e, sidecar, id));
  enrollment_process(e->enrollment,
                     &(struct mesh_process){
                         .name = name,
                         .program = CONSUL_PROGRAM,
                         .arguments = (const char *const[]){"connect", "proxy", "-proxy-id", proxy, NULL},
                         .endpoints = &agent,
                         .endpoint_count = 1,
                     });
}

/* The port that leads to a service already; 0: none does. A sidecar has one way to each, whatever leads there. */
static uint16_t port_to(const json_t *upstreams, const char *service) {
  size_t i;
  const json_t *item;
  json_array_foreach(upstreams, i, item) {
    if (strcmp(json_string_value(json_object_get(item, "DestinationName")), service) == 0)
      return (uint16_t)json_integer_value(json_object_get(item, "LocalBindPort"));
  }
  return 0;
}

/* Gives the upstream a port of the outbound address. */
static int lead_to(const struct enrolling *e, struct upstream *upstream, const char *target, json_t *list) {
  const char *service = service_name(e->call, e->site->config, upstream->service->ns, target);
  upstream->address = upstream->workload->outbound_address;
  upstream->listen_port = port_to(list, service);
  if (upstream->listen_port)
    return 0;
  upstream->listen_port = (uint16_t)(LISTEN_PORT_FIRST + json_array_size(list));
  return json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "DestinationName", service, "LocalBindAddress",
                                               upstream->address, "LocalBindPort", (int)upstream->listen_port));
}

/* A port of the outbound address for each service of Consul that a Service's port leads to. */
static json_t *add_upstreams(struct enrolling *e, const struct inventory_workload *workload) {
  const struct inventory *inventory = e->site->inventory;
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *service = &inventory->services[i];
    for (size_t j = 0; j < service->port_count; j++) {
      const struct inventory_port *port = &service->ports[j];
      struct upstream upstream = {
          .workload = workload, .service = service, .port = port->port, .protocol = port->protocol};
      const char *target = site_target(e->site, service, port, &upstream.unsupported);
      if (target)
        failed |= lead_to(e, &upstream, target, list);
      enrollment_upstream(e->enrollment, &upstream);
    }
  }
  if (!failed)
    return list;
  json_decref(list);
  call_out_of_memory(e->call);
  return NULL;
}

/* A service for what it calls as, which has its port when it is the only one of its ServiceAccount; and one for each of
 * several. */
static void enroll_workload(struct enrolling *e, const struct inventory_workload *workload) {
  const char *identity = site_identity(e->site, workload);
  struct sidecar own = {.workload = workload,
                        .service = identity,
                        .address = workload->outbound_address,
                        .port = OWN_PORT,
                        .upstreams = add_upstreams(e, workload)};
  for (size_t i = 0; i < workload->port_count; i++) {
    const struct inventory_port *port = &workload->ports[i];
    const char *service = port->protocol == PORT_UDP ? NULL : site_port(e->site, workload, port->port);
    if (!service)
      continue;
    struct sidecar sidecar = {
        .workload = workload, .service = service, .address = workload->inbound_address, .port = port->port};
    if (strcmp(service, identity) == 0) {
      own.address = sidecar.address;
      own.port = sidecar.port;
    } else {
      add_sidecar(e, &sidecar);
    }
  }
  add_sidecar(e, &own);
}

/* Everybody may call the service. */
static struct native_object *open_object(const struct enrolling *e, const char *ns, const char *service) {
  const struct consul_config *config = e->site->config;
  if (config->old)
    return entry_old_intention(e->call, "*", service_name(e->call, config, ns, service), true);
  const struct entry entry = {.kind = ENTRY_INTENTIONS, .ns = ns, .service = service};
  return entry_object(e->call, config, &entry,
                      json_pack("{s:[{s:s, s:s}]}", "sources", "name", "*", "action", "allow"));
}

/* No port before this one, of this workload or of one before it, is the same service. */
static bool is_first(const struct site *site, size_t index, size_t port, const char *service) {
  const struct inventory_workload *workloads = site->inventory->workloads;
  for (size_t i = 0; i <= index; i++) {
    const size_t count = i < index ? workloads[i].port_count : port;
    for (size_t j = 0; strcmp(workloads[i].ns, workloads[index].ns) == 0 && j < count; j++) {
      const char *other = workloads[i].ports[j].protocol == PORT_UDP
                              ? NULL
                              : site_port(site, &workloads[i], workloads[i].ports[j].port);
      if (other && strcmp(other, service) == 0)
        return false;
    }
  }
  return true;
}

static void open_all(struct enrolling *e) {
  const struct inventory *inventory = e->site->inventory;
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *workload = &inventory->workloads[i];
    for (size_t j = 0; j < workload->port_count; j++) {
      const char *service =
          workload->ports[j].protocol == PORT_UDP ? NULL : site_port(e->site, workload, workload->ports[j].port);
      if (service && is_first(e->site, i, j, service))
        enrollment_plain_network(e->enrollment, open_object(e, workload->ns, service));
    }
  }
}

/* What else would reach beyond the lab, into what the operator has on the mesh; or could not be carried out. */
static const char *obstacle(const struct consul_config *config) {
  if (config->crd)
    return "set transport: http, or generation: \"1.8\": there is no Kubernetes";
  if (!config->qualified || !*config->name_prefix)
    return "set names: qualified and a name_prefix: its workloads would become instances of the mesh's own services";
  if (!config->denies_already)
    return "set default_deny: acl: an intention that denies by default is for all of the mesh";
  if (!config->each_port)
    return "set ports: each: its workloads have several";
  return config->built_in ? NULL : "set proxies: built-in: these are its sidecars";
}

static int enroll_pods(struct call *call, const struct consul_config *config, const struct enroll_request *request,
                       struct enrollment *enrollment) {
  struct site site;
  struct translate_request lookup;
  int status = injection_enroll(call, config, request, enrollment);
  if (status != TRAMMEL_OK || request->scope != ENROLL_LAB || !config->denies_already)
    return status;
  if (!site_init(&site, call, config, &request->inventory, &lookup))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  open_all(&(struct enrolling){.call = call, .site = &site, .enrollment = enrollment});
  return TRAMMEL_OK;
}

int consul_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  struct consul_config config;
  struct site site;
  struct translate_request lookup;
  consul_config_read(call, &config);
  if (request->lab == LAB_KUBERNETES)
    return enroll_pods(call, &config, request, enrollment);
  const char *reason = obstacle(&config);
  if (reason)
    return call_fail(call, TRAMMEL_FAILED_PRECONDITION, CODE_LAB, "for a process lab, %s", reason);
  if (!site_init(&site, call, &config, &request->inventory, &lookup))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  struct enrolling e = {.call = call, .site = &site, .enrollment = enrollment};
  for (size_t i = 0; i < request->inventory.workload_count; i++)
    enroll_workload(&e, &request->inventory.workloads[i]);
  open_all(&e);
  return TRAMMEL_OK;
}
