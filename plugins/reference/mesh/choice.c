#include "plugins/reference/mesh/choice.h"

#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/split.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/clock.h"

/* The next of the service's workloads that has the port; NULL when none can take it. */
static struct workload *take_turn(const struct store *store, const char *namespace, struct service *service,
                                  uint16_t port, enum transport transport) {
  for (size_t i = 0; i < service->workload_count; i++) {
    size_t at = service->turn++ % service->workload_count;
    struct workload *workload = store_workload(store, namespace, service->workloads[at]);
    if (workload && workload_port(workload, port, transport))
      return workload;
  }
  return NULL;
}

/* The service's port of the root's number; NULL: it has none, and counts for nothing. */
static const struct service_port *reached_port(const struct service *service, const struct choice_question *question,
                                               struct fault_set faults) {
  const struct service_port *found = service_port(service, question->port, question->transport);
  return !found && service->port_count > 0 && fault_on(faults, FAULT_PORT_MISMATCH_SERVED) ? &service->ports[0] : found;
}

/* The point between the shares: by chance, for each request anew. */
static bool choose_point(struct mesh *mesh, const struct choice_question *question, uint64_t *ret_point) {
  if (!fault_on(mesh->faults, FAULT_SPLIT_BY_CLIENT) || !question->client)
    return mesh_random(mesh, ret_point);
  uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
  const char *const parts[] = {question->client->namespace, "/", question->client->name};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    for (const char *at = parts[i]; *at; at++)
      hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
  *ret_point = hash * UINT64_C(0x9e3779b97f4a7c15);
  return true;
}

static bool lacks_a_backend(const struct mesh *mesh, const struct choice_question *question,
                            const struct split *split) {
  for (size_t i = 0; i < split->backend_count; i++)
    if (!store_service(&mesh->store, question->namespace, split->backends[i].service))
      return true;
  return false;
}

/* A backend counts when it exists and has the root's port number (SMI split, "Ports"). NULL when none can be chosen. */
static struct service *choose_backend(struct mesh *mesh, const struct choice_question *question, struct service *root,
                                      const struct split *split, struct choice *choice) {
  struct service *services[LIMIT_BACKENDS];
  const char *names[LIMIT_BACKENDS];
  uint32_t weights[LIMIT_BACKENDS];
  size_t count = 0;
  for (size_t i = 0; i < split->backend_count; i++) {
    struct service *service = store_service(&mesh->store, question->namespace, split->backends[i].service);
    if (!service || !reached_port(service, question, mesh->faults))
      continue;
    services[count] = service;
    names[count] = split->backends[i].service;
    weights[count++] = backend_weight(&split->backends[i], mesh->faults);
  }
  uint64_t point;
  if (!choose_point(mesh, question, &point))
    return NULL;
  int chosen = split_choose(weights, count, mesh->faults, point);
  if (chosen == SPLIT_REST)
    return root;
  if (chosen == SPLIT_NONE)
    return NULL;
  choice->backend = names[chosen];
  return services[chosen];
}

static const struct split *split_for(const struct mesh *mesh, const struct choice_question *question,
                                     const char **ret_name) {
  const struct split *split = store_split(&mesh->store, question->namespace, question->service, ret_name);
  if (!split && fault_on(mesh->faults, FAULT_DIRECT_TRAFFIC_SPLIT))
    split = store_split_of_backend(&mesh->store, question->namespace, question->service, ret_name);
  if (split && fault_on(mesh->faults, FAULT_MISSING_BACKEND_VOIDS) && lacks_a_backend(mesh, question, split))
    return NULL;
  return split;
}

/* A backend's own split counts for nothing (SMI split: splits are not hierarchical). With the fault one more is
 * followed, which may lead back. */
static struct service *follow_backend(struct mesh *mesh, const struct choice_question *question,
                                      struct service *backend, const char *backend_name) {
  struct choice_question nested = *question;
  nested.service = backend_name;
  if (!backend || !fault_on(mesh->faults, FAULT_NESTED_SPLITS) || strcmp(nested.service, question->service) == 0)
    return backend;
  const char *name;
  const struct split *split = split_for(mesh, &nested, &name);
  if (!split || split_scope(split, question->request, mesh->faults) != SPLIT_APPLIES)
    return backend;
  struct choice unused;
  return choose_backend(mesh, &nested, backend, split, &unused);
}

/* The service that takes it. */
static struct service *choose_service(struct mesh *mesh, const struct choice_question *question,
                                      struct choice *choice) {
  const char *name = "";
  struct service *root = store_service(&mesh->store, question->namespace, question->service);
  const struct split *split = root ? split_for(mesh, question, &name) : NULL;
  if (!split || (split->unsettled_until_ns > 0 && split->unsettled_until_ns > clock_monotonic_ns()))
    return root;
  switch (split_scope(split, question->request, mesh->faults)) {
  case SPLIT_APPLIES:
    choice->split = name;
    struct service *backend = choose_backend(mesh, question, root, split, choice);
    return follow_backend(mesh, question, backend, choice->backend);
  case SPLIT_ROOT:
    return root;
  case SPLIT_DROPPED:
    break;
  }
  return NULL;
}

bool choice_make(struct mesh *mesh, const struct choice_question *question, struct choice *ret_choice) {
  *ret_choice = (struct choice){.split = "", .backend = ""};
  struct service *service = choose_service(mesh, question, ret_choice);
  const struct service_port *port = service ? reached_port(service, question, mesh->faults) : NULL;
  if (!port)
    return false;
  uint16_t target = fault_on(mesh->faults, FAULT_TARGET_PORT_IGNORED) ? port->port : port->target;
  struct workload *workload = take_turn(&mesh->store, question->namespace, service, target, question->transport);
  if (!workload)
    return false;
  ret_choice->workload = workload;
  ret_choice->port = target;
  return true;
}

static bool serves(const struct service *service, const struct workload *workload) {
  for (size_t i = 0; i < service->workload_count; i++)
    if (strcmp(service->workloads[i], workload->name) == 0)
      return true;
  return false;
}

/* The number of the service's TCP port that leads to the workload's; 0: none. */
static uint16_t port_to(const struct service *service, const struct workload *workload, uint16_t target) {
  for (size_t i = 0; serves(service, workload) && i < service->port_count; i++)
    if (service->ports[i].target == target && transport_of(service->ports[i].protocol) == TRANSPORT_TCP)
      return service->ports[i].port;
  return 0;
}

bool choice_for_outsider(const struct workload *workload, uint16_t port, struct choice *ret_choice) {
  const struct store *store = &workload->mesh->store;
  char key[STORE_KEY];
  store_key(key, workload->namespace, "");
  for (size_t i = table_lower_bound(&store->splits, key); i < store->splits.count; i++) {
    if (strncmp(store->splits.entries[i].key, key, strlen(key)) != 0)
      return false;
    const struct split *split = store->splits.entries[i].object;
    const struct service *root = store_service(store, workload->namespace, split->service);
    struct choice_question question = {.namespace = workload->namespace,
                                       .service = split->service,
                                       .port = root ? port_to(root, workload, port) : 0,
                                       .transport = TRANSPORT_TCP};
    struct choice choice;
    if (!question.port || !choice_make(workload->mesh, &question, &choice))
      continue;
    *ret_choice = choice;
    return true;
  }
  return false;
}
