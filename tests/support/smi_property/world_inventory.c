#include "tests/support/smi_property/world_parts.h"

#include <string.h>

/* What a port of a workload speaks is told by its number, so that every service that leads to it says the same. A port
 * of a service may have the number of another port of the workload. */
static const struct inventory_port workload_ports[] = {
    {.port = 8080, .protocol = PORT_HTTP}, {.port = 8081, .protocol = PORT_HTTP}, {.port = 9000, .protocol = PORT_TCP},
    {.port = 9001, .protocol = PORT_TCP},  {.port = 53, .protocol = PORT_UDP},    {.port = 9000, .protocol = PORT_UDP},
};
static const struct inventory_port service_ports[] = {
    {"http", 80, 8080, PORT_HTTP},   {"same", 8080, 8080, PORT_HTTP}, {"alt", 81, 8081, PORT_HTTP},
    {"trap", 8081, 8080, PORT_HTTP}, {"raw", 9000, 9000, PORT_TCP},   {"moved", 9100, 9000, PORT_TCP},
    {"cross", 9001, 9000, PORT_TCP}, {"dns", 53, 53, PORT_UDP},       {"datagram", 9000, 9000, PORT_UDP},
    {"far", 5300, 53, PORT_UDP},
};
enum {
  WORKLOAD_PORTS = sizeof workload_ports / sizeof *workload_ports,
  SERVICE_PORTS = sizeof service_ports / sizeof *service_ports,
  WORKLOADS_OF_ACCOUNT = 3, /* at most */
};

/* Labels of which some account's are like another's, some select exactly, and some are of a revision only. */
static void add_labels(struct world *world, struct inventory_workload *workload) {
  struct random *random = &world->random;
  struct smi_label *labels = world_array(world, 4, sizeof *labels);
  size_t count = 0;
  if (random_chance(random, 7, 8))
    labels[count++] = (struct smi_label){"app", random_chance(random, 5, 6) ? workload->service_account
                                                                            : random_item(random, world_accounts)};
  if (random_chance(random, 1, 2))
    labels[count++] = (struct smi_label){"tier", random_chance(random, 1, 2) ? "front" : "back"};
  if (random_chance(random, 1, 2))
    labels[count++] = (struct smi_label){"version", random_chance(random, 1, 2) ? "v1" : "v2"};
  if (random_chance(random, 1, 2))
    labels[count++] = (struct smi_label){"pod-template-hash", workload->name};
  workload->labels = labels;
  workload->label_count = count;
}

static void add_ports(struct world *world, struct inventory_workload *workload) {
  struct inventory_port *ports = world_array(world, WORKLOAD_PORTS, sizeof *ports);
  for (size_t i = 0; i < WORKLOAD_PORTS; i++)
    if (i == 0 || (!world->one_port && random_chance(&world->random, 3, 4))) {
      ports[workload->port_count] = workload_ports[i];
      ports[workload->port_count++].name = "";
    }
  workload->ports = ports;
}

/* In the order of names: accounts are sorted, and so are their workloads'. */
static void add_workloads(struct world *world, const char *ns, struct inventory_workload *workloads, size_t *count) {
  for (size_t i = 0; i < WORLD_ACCOUNTS; i++) {
    /* Mostly one or two. */
    size_t of_account = random_below(&world->random, WORKLOADS_OF_ACCOUNT + 1);
    for (size_t j = 0; j < of_account; j++) {
      struct inventory_workload *workload = &workloads[(*count)++];
      *workload = (struct inventory_workload){.name = world_text(world, "%s-%zu", world_accounts[i], j),
                                              .ns = ns,
                                              .service_account = world_accounts[i],
                                              .app_address = "",
                                              .inbound_address = "",
                                              .outbound_address = ""};
      add_labels(world, workload);
      add_ports(world, workload);
    }
  }
}

/* Half of the worlds have no UDP at roots of splits: few meshes split it, and it would hide what they do with the rest.
 */
static bool is_without_udp(const struct world *world, const struct inventory_service *service) {
  struct random random = {~world->seed};
  return strcmp(service->name, WORLD_ROOT_SERVICE) == 0 && random_chance(&random, 1, 2);
}

static void add_service_ports(struct world *world, struct inventory_service *service) {
  struct inventory_port *ports = world_array(world, SERVICE_PORTS, sizeof *ports);
  unsigned chance = random_chance(&world->random, 1, 2) ? 6 : 3; /* of 8 */
  if (world->one_port)                                           /* 80 or 8080 */
    ports[service->port_count++] = service_ports[random_below(&world->random, 2)];
  for (size_t i = 0; !world->one_port && i < SERVICE_PORTS; i++)
    if (random_chance(&world->random, chance, 8) &&
        (service_ports[i].protocol != PORT_UDP || !is_without_udp(world, service)))
      ports[service->port_count++] = service_ports[i];
  if (service->port_count == 0)
    ports[service->port_count++] = service_ports[0];
  service->ports = ports;
}

/* A service of one account's workloads; `account` "": of any. */
static void add_service(struct world *world, const char *ns, const char *name, const char *account,
                        struct inventory_service *service) {
  const struct inventory *inventory = &world->inventory;
  const char **names = world_array(world, inventory->workload_count, sizeof *names);
  *service = (struct inventory_service){.name = name, .ns = ns, .workloads = names};
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *workload = &inventory->workloads[i];
    if (strcmp(workload->ns, ns) == 0 &&
        (*account ? strcmp(workload->service_account, account) == 0 : random_chance(&world->random, 1, 3)))
      names[service->workload_count++] = workload->name;
  }
  add_service_ports(world, service);
}

void world_add_inventory(struct world *world) {
  struct inventory_workload *workloads =
      world_array(world, (size_t)WORLD_NAMESPACES * WORLD_ACCOUNTS * WORKLOADS_OF_ACCOUNT, sizeof *workloads);
  struct inventory_service *services =
      world_array(world, (size_t)WORLD_NAMESPACES * (WORLD_ACCOUNTS + 2), sizeof *services);
  struct inventory *inventory = &world->inventory;
  *inventory = (struct inventory){.workloads = workloads, .services = services};
  for (size_t i = 0; i < WORLD_NAMESPACES; i++)
    add_workloads(world, world_namespaces[i], workloads, &inventory->workload_count);
  for (size_t i = 0; i < WORLD_NAMESPACES; i++) {
    const char *ns = world_namespaces[i];
    for (size_t j = 0; j < WORLD_ACCOUNTS; j++)
      if (random_chance(&world->random, 5, 6))
        add_service(world, ns, world_accounts[j], world_accounts[j], &services[inventory->service_count++]);
    if (random_chance(&world->random, 1, 2))
      add_service(world, ns, "x-all", "", &services[inventory->service_count++]);
    add_service(world, ns, WORLD_ROOT_SERVICE, "", &services[inventory->service_count++]);
  }
}
