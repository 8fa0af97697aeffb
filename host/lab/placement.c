#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/patience.h"
#include "host/lab/internal.h"
#include "host/lab/sidecars.h"

#define PB(name) Trammel__Adapter__V1__##name

/* Kubernetes' limit on a namespace's name. */
#define NAMESPACE_MAX 63

static const struct lab_ops *ops_of(const struct placement *placement) {
  return placement->lab->ops;
}

const PB(Inventory) * placement_inventory(const struct placement *placement) {
  return placement->inventory;
}

static const char *namespace_of(const void *ctx, const char *alias) {
  const struct placement *placement = ctx;

  for (size_t i = 0; i < placement->namespace_count; i++)
    if (strcmp(placement->namespaces[i].alias, alias) == 0)
      return placement->namespaces[i].name;
  return NULL;
}

const char *placement_namespace(const struct placement *placement, const char *alias) {
  return namespace_of(placement, alias);
}

static int out_of_memory(const struct placement *placement, struct error **err) {
  return error_set(err, ENOMEM, "placing topology %s: out of memory", placement->topology->name);
}

static int add_namespace(struct placement *placement, const char *alias, struct error **err) {
  if (namespace_of(placement, alias))
    return 0;
  const char *name = arena_printf(placement->arena, "%s-%s-%u-%u", alias, placement->lab->run_mark, placement->slot,
                                  placement->number);
  if (!name)
    return out_of_memory(placement, err);
  if (strlen(name) > NAMESPACE_MAX)
    return error_set(err, EINVAL, "the namespace alias %s makes a name of more than %d characters: %s", alias,
                     NAMESPACE_MAX, name);
  placement->namespaces[placement->namespace_count++] = (struct placed_namespace){.alias = alias, .name = name};
  return 0;
}

static int name_namespaces(struct placement *placement, struct error **err) {
  const struct topology *topology = placement->topology;
  int r = 0;

  placement->namespaces =
      arena_array(placement->arena, topology->workload_count + topology->service_count, sizeof(*placement->namespaces));
  if (!placement->namespaces)
    return out_of_memory(placement, err);
  for (size_t i = 0; r == 0 && i < topology->workload_count; i++)
    r = add_namespace(placement, topology->workloads[i].ns, err);
  for (size_t i = 0; r == 0 && i < topology->service_count; i++)
    r = add_namespace(placement, topology->services[i].ns, err);
  return r;
}

static int configure(const struct placement *placement, size_t i, struct error **err) {
  const struct topology_workload *workload = &placement->topology->workloads[i];
  struct workload_client *client = ops_of(placement)->client(placement, i);
  struct workload_listener *listeners = arena_array(placement->arena, workload->port_count, sizeof(*listeners));

  if (!listeners)
    return out_of_memory(placement, err);
  for (size_t k = 0; k < workload->port_count; k++)
    listeners[k] = (struct workload_listener){.port = workload->ports[k].port,
                                              .protocol = protocol_call(workload->ports[k].protocol)};
  int r = workload_configure(client, workload->name, placement->sites[i].app, listeners, workload->port_count, err);
  return r < 0 ? ops_of(placement)->blame(placement, i, r, err) : 0;
}

static int check_upstream(const struct placement *placement, const PB(Upstream) * upstream, struct error **err) {
  if (*upstream->unsupported)
    return 0;
  if (upstream->listen_port < 1 || upstream->listen_port > UINT16_MAX)
    return error_set(err, EPROTO, "the adapter's Enroll: %u is no port", upstream->listen_port);
  return ops_of(placement)->check_upstream(upstream, err);
}

int lab_enroll(const struct lab *lab, struct engine *engine, PB(Inventory) * inventory,
               PB(EnrollResponse) * *ret_enrollment, struct error **err) {
  PB(EnrollRequest) request = TRAMMEL__ADAPTER__V1__ENROLL_REQUEST__INIT;
  struct call_options options = {.deadline_ns = patience_deadline_ns(CALL_TIMEOUT_DEFAULT_NS), .cancel = lab->cancel};
  ProtobufCMessage *response = NULL;

  request.lab = lab->ops->kind;
  request.inventory = inventory;
  int r = instance_call(engine_instance(engine), "Enroll", &request.base,
                        &trammel__adapter__v1__enroll_response__descriptor, &options, &response, err);
  if (r == 0)
    *ret_enrollment = (PB(EnrollResponse) *)response;
  return r;
}

static int call_enroll(struct placement *placement, struct error **err) {
  int r = lab_enroll(placement->lab, placement->engine, placement->inventory, &placement->enrollment, err);
  for (size_t i = 0; r == 0 && i < placement->enrollment->n_upstreams; i++)
    r = check_upstream(placement, placement->enrollment->upstreams[i], err);
  return r;
}

/* Registrations first: a sidecar asks the mesh who it is. */
static int enroll(struct placement *placement, struct error **err) {
  int r = call_enroll(placement, err);
  if (r < 0)
    return r;
  const PB(EnrollResponse) *enrollment = placement->enrollment;
  r = engine_apply(placement->engine, placement->owner, enrollment->registrations, enrollment->n_registrations, err);
  if (r == 0 && enrollment->n_plain_network > 0)
    r = engine_apply(placement->engine, placement->plain_owner, enrollment->plain_network, enrollment->n_plain_network,
                     err);
  return r < 0 ? r
               : sidecars_start(&placement->sidecars, placement->engine, placement->owner, enrollment,
                                placement->inventory, placement->lab->cancel, err);
}

int placement_end_plain_network(struct placement *placement, struct error **err) {
  return engine_remove(placement->engine, placement->plain_owner, err);
}

int placement_take_inventory(struct placement *placement, struct error **err) {
  placement->inventory =
      lab_inventory(placement->arena, placement->topology, placement->sites, namespace_of, placement);
  return placement->inventory ? 0 : out_of_memory(placement, err);
}

static int place(struct placement *placement, struct error **err) {
  placement->sites = arena_array(placement->arena, placement->topology->workload_count, sizeof(*placement->sites));
  int r = placement->sites ? name_namespaces(placement, err) : out_of_memory(placement, err);
  if (r == 0)
    r = ops_of(placement)->prepare(placement, err);
  if (r < 0)
    return r;
  r = placement_take_inventory(placement, err);
  for (size_t i = 0; r == 0 && i < placement->topology->workload_count; i++)
    r = configure(placement, i, err);
  return r < 0 ? r : enroll(placement, err);
}

static void placement_free(struct placement *placement) {
  if (placement->enrollment)
    trammel__adapter__v1__enroll_response__free_unpacked(placement->enrollment, NULL);
  arena_destroy(placement->arena);
}

int lab_place(struct lab *lab, unsigned slot, struct engine *engine, const struct topology *topology,
              struct placement **ret_placement, struct error **err) {
  if (slot >= lab->slots)
    return error_set(err, EINVAL, "the lab has %u slots, there is no slot %u", lab->slots, slot);
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct placement *placement = arena ? arena_new(arena, struct placement) : NULL;
  if (!placement)
    return error_set(err, ENOMEM, "placing topology %s: out of memory", topology->name);
  *placement = (struct placement){
      .lab = lab,
      .engine = engine,
      .arena = take(arena),
      .topology = topology,
      .slot = slot,
      .number = atomic_fetch_add(&lab->placements, 1) + 1,
  };
  if (lab->ops->number)
    lab->ops->number(placement);
  (void)snprintf(placement->owner, sizeof(placement->owner), "placement-%u-%u", slot, placement->number);
  (void)snprintf(placement->plain_owner, sizeof(placement->plain_owner), "plain-%s", placement->owner);
  int r = place(placement, err);
  if (r < 0 && r != -ECANCELED && engine_check(engine, NULL) < 0)
    r = engine_check(engine, err); /* says more than the request that failed */
  if (r < 0) {
    (void)placement_remove(placement, NULL);
    return r;
  }
  *ret_placement = placement;
  return 0;
}

int placement_remove(struct placement *placement, struct error **err) {
  if (!placement)
    return 0;
  sidecars_stop(&placement->sidecars);
  int plain = engine_remove(placement->engine, placement->plain_owner, err);
  int r = engine_remove(placement->engine, placement->owner, plain < 0 ? NULL : err);
  placement_free(placement);
  return plain < 0 ? plain : r;
}

/* The parts of "alias/name"; `*ret_ns` is the real namespace. -ENOENT when the topology has no such namespace. */
static int resolve(const struct placement *placement, const char *what, const char **ret_ns, const char **ret_name,
                   struct error **err) {
  char alias[NAMESPACE_MAX + 1];
  const char *slash = strchr(what, '/');
  size_t length = slash ? (size_t)(slash - what) : sizeof(alias);

  if (length >= sizeof(alias)) {
    (void)error_set(err, EINVAL, "a workload or service is named alias/name, not '%s'", what);
    return -EINVAL;
  }
  (void)memcpy(alias, what, length);
  alias[length] = '\0';
  const char *ns = namespace_of(placement, alias);
  if (!ns) {
    (void)error_set(err, ENOENT, "topology %s has no namespace '%s'", placement->topology->name, alias);
    return -ENOENT;
  }
  *ret_ns = ns;
  *ret_name = slash + 1;
  return 0;
}

/* The position of a workload "alias/name" in the topology; the count when there is none. */
static size_t find_workload(const struct placement *placement, const char *workload) {
  const struct topology *topology = placement->topology;
  size_t i = 0;

  for (; i < topology->workload_count; i++) {
    const struct topology_workload *candidate = &topology->workloads[i];
    size_t length = strlen(candidate->ns);
    if (strncmp(workload, candidate->ns, length) == 0 && workload[length] == '/' &&
        strcmp(workload + length + 1, candidate->name) == 0)
      break;
  }
  return i;
}

/* An adapter may leave the protocol open where it is not UDP. */
static bool leads_to(const PB(Upstream) * upstream, uint16_t port, enum protocol protocol) {
  return upstream->port == port &&
         (upstream->protocol == TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP) == (protocol == PROTOCOL_UDP);
}

int placement_upstream(const struct placement *placement, const char *client, const char *service, uint16_t port,
                       enum protocol protocol, const char **ret_address, uint16_t *ret_port, struct error **err) {
  const char *client_ns, *client_name, *service_ns, *service_name;
  size_t position = find_workload(placement, client);

  if (position < placement->topology->workload_count && placement->topology->workloads[position].outside)
    return ops_of(placement)->plain_service(placement, service, port, protocol, ret_address, ret_port, err);
  int r = resolve(placement, client, &client_ns, &client_name, err);
  if (r == 0)
    r = resolve(placement, service, &service_ns, &service_name, err);
  if (r < 0)
    return r;
  for (size_t i = 0; i < placement->enrollment->n_upstreams; i++) {
    const PB(Upstream) *upstream = placement->enrollment->upstreams[i];
    if (leads_to(upstream, port, protocol) && strcmp(upstream->workload, client_name) == 0 &&
        strcmp(upstream->workload_namespace, client_ns) == 0 && strcmp(upstream->service, service_name) == 0 &&
        strcmp(upstream->service_namespace, service_ns) == 0) {
      if (*upstream->unsupported)
        return error_set(err, ENOTSUP, "%s", upstream->unsupported);
      *ret_address = upstream->address;
      *ret_port = (uint16_t)upstream->listen_port;
      return 0;
    }
  }
  if (ops_of(placement)->kind == TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES)
    return ops_of(placement)->plain_service(placement, service, port, protocol, ret_address, ret_port, err);
  return error_set(err, ENOENT, "the adapter's Enroll gives %s no way to %s port %u of %s", client,
                   protocol_name(protocol), port, service);
}

/* The site of a workload that has such a port; NULL with a reason. */
static const struct site *site_of(const struct placement *placement, const char *workload, uint16_t port,
                                  enum protocol protocol, struct error **err) {
  const struct topology *topology = placement->topology;
  size_t i = find_workload(placement, workload);

  if (i == topology->workload_count) {
    (void)error_set(err, ENOENT, "topology %s has no workload %s", topology->name, workload);
    return NULL;
  }
  const struct topology_workload *found = &topology->workloads[i];
  if (topology_port_find(found->ports, found->port_count, port, protocol))
    return &placement->sites[i];
  (void)error_set(err, ENOENT, "workload %s of topology %s has no %s port %u", workload, topology->name,
                  protocol_name(protocol), port);
  return NULL;
}

int placement_direct(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                     const char **ret_address, uint16_t *ret_port, struct error **err) {
  const struct site *site = site_of(placement, workload, port, protocol, err);

  if (!site)
    return -ENOENT;
  *ret_address = site->inbound;
  *ret_port = port;
  return 0;
}

int placement_program(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                      const char **ret_address, uint16_t *ret_port, struct error **err) {
  const struct site *site = site_of(placement, workload, port, protocol, err);

  if (!site)
    return -ENOENT;
  if (ops_of(placement)->kind != TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS)
    return error_set(err, ENOTSUP, "the program of %s listens inside of its pod", workload);
  *ret_address = site->app;
  *ret_port = port;
  return 0;
}

struct workload_client *placement_workload(const struct placement *placement, const char *workload) {
  size_t i = find_workload(placement, workload);

  return i < placement->topology->workload_count ? ops_of(placement)->client(placement, i) : NULL;
}

int placement_dial(const struct placement *placement, const char *workload, struct workload_client **ret_client,
                   struct error **err) {
  size_t i = find_workload(placement, workload);

  if (i == placement->topology->workload_count)
    return error_set(err, ENOENT, "topology %s has no workload %s", placement->topology->name, workload);
  return ops_of(placement)->dial(placement, i, ret_client, err);
}

int placement_check(const struct placement *placement, struct error **err) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < placement->topology->workload_count; i++)
    r = ops_of(placement)->check(placement, i, err);
  if (r == 0)
    r = sidecars_check(&placement->sidecars, err);
  return r < 0 ? r : engine_check(placement->engine, err);
}

int placement_ask(const struct placement *placement, struct error **err) {
  int r = placement_check(placement, err);

  patience_set(0);
  for (size_t i = 0; r == 0 && i < placement->topology->workload_count; i++)
    r = ops_of(placement)->ask(placement, i, err);
  return r;
}
