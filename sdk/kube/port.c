#include "sdk/kube/port.h"

#include <stdlib.h>

struct list {
  uint16_t *items;
  size_t count, capacity;
};

/* One account and what is written for it. */
struct resolving {
  const struct kube_directory *directory;
  const struct kube_account *account;
  const uint16_t *written;
  size_t written_count;
  bool udp;
  bool *found, *renumbered; /* of each written port */
  struct list *open;        /* of each workload */
};

static bool add(struct arena *arena, struct list *list, uint16_t port) {
  if (arena_reserve(arena, (void **)&list->items, &list->capacity, list->count, sizeof *list->items) < 0)
    return false;
  list->items[list->count++] = port;
  return true;
}

static int by_value(const void *a, const void *b) {
  return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void sort(struct list *list) {
  size_t kept = 0;
  if (list->count > 1)
    qsort(list->items, list->count, sizeof *list->items, by_value);
  for (size_t i = 0; i < list->count; i++)
    if (kept == 0 || list->items[i] != list->items[kept - 1])
      list->items[kept++] = list->items[i];
  list->count = kept;
}

static bool contains(const struct list *list, uint16_t port) {
  return list->count && bsearch(&port, list->items, list->count, sizeof port, by_value);
}

/* One written port at one workload, through every Service that selects it. */
static bool resolve_port(struct resolving *r, size_t written, const struct kube_service_of *services, size_t count,
                         struct list *open) {
  struct arena *arena = call_arena(r->directory->call);
  const uint16_t port = r->written[written];
  bool found = false;
  for (size_t i = 0; i < count; i++) {
    const struct inventory_port *of_service =
        inventory_service_port(services[i].service, port, r->udp ? PORT_UDP : PORT_TCP);
    if (!of_service)
      continue;
    found = true;
    r->renumbered[written] |= of_service->target_port != port;
    if (!add(arena, open, of_service->target_port))
      return false;
  }
  r->found[written] |= found;
  return found || add(arena, open, port);
}

static bool resolve_workload(struct resolving *r, size_t workload) {
  size_t count;
  const struct kube_service_of *services = kube_services_of(r->directory, r->account->workloads[workload], &count);
  for (size_t i = 0; i < r->written_count; i++)
    if (!resolve_port(r, i, services, count, &r->open[workload]))
      return false;
  sort(&r->open[workload]);
  return true;
}

static bool has_port(const struct inventory_workload *workload, uint16_t port, bool udp) {
  for (size_t i = 0; i < workload->port_count; i++)
    if (workload->ports[i].port == port && (workload->ports[i].protocol == PORT_UDP) == udp)
      return true;
  return false;
}

/* Whether every workload of the account that listens on the port is meant. */
static bool meant_everywhere(const struct resolving *r, uint16_t port) {
  for (size_t i = 0; i < r->account->workload_count; i++)
    if (has_port(r->account->workloads[i], port, r->udp) && !contains(&r->open[i], port))
      return false;
  return true;
}

static bool unite(const struct resolving *r, struct kube_ports *ports) {
  struct arena *arena = call_arena(r->directory->call);
  struct list all = {0}, open = {0};
  for (size_t i = 0; i < r->account->workload_count; i++)
    for (size_t j = 0; j < r->open[i].count; j++)
      if (!add(arena, &all, r->open[i].items[j]))
        return false;
  sort(&all);
  for (size_t i = 0; i < all.count; i++) {
    if (!meant_everywhere(r, all.items[i]))
      ports->left_out++;
    else if (!add(arena, &open, all.items[i]))
      return false;
  }
  ports->items = open.items;
  ports->count = open.count;
  return true;
}

static bool resolve(struct resolving *r, struct kube_ports *ports) {
  struct arena *arena = call_arena(r->directory->call);
  r->found = arena_array(arena, r->written_count, sizeof *r->found);
  r->renumbered = arena_array(arena, r->written_count, sizeof *r->renumbered);
  r->open = arena_array(arena, r->account->workload_count, sizeof *r->open);
  if (!r->found || !r->renumbered || !r->open)
    return false;
  for (size_t i = 0; i < r->account->workload_count; i++)
    if (!resolve_workload(r, i))
      return false;
  for (size_t i = 0; i < r->written_count; i++) {
    ports->renumbered += r->renumbered[i];
    ports->own += !r->found[i];
  }
  return unite(r, ports);
}

bool kube_ports_resolve(const struct kube_directory *directory, const struct kube_account *account,
                        const uint16_t *written, size_t count, enum port_protocol transport,
                        struct kube_ports *ret_ports) {
  struct resolving r = {.directory = directory,
                        .account = account,
                        .written = written,
                        .written_count = count,
                        .udp = transport == PORT_UDP};
  struct kube_ports ports = {0};
  if (!resolve(&r, &ports)) {
    call_out_of_memory(directory->call);
    return false;
  }
  *ret_ports = ports;
  return true;
}
