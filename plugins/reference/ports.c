#include "plugins/reference/ports.h"

#include <string.h>

bool ports_add(struct arena *arena, struct port_list *list, uint16_t port) {
  if (arena_reserve(arena, (void **)&list->items, &list->capacity, list->count, sizeof *list->items) < 0)
    return false;
  list->items[list->count++] = port;
  return true;
}

static int by_value(const void *a, const void *b) {
  uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
  return x < y ? -1 : x > y;
}

void ports_sort(struct port_list *list) {
  if (list->count == 0)
    return;
  qsort(list->items, list->count, sizeof *list->items, by_value);
  size_t kept = 1;
  for (size_t i = 1; i < list->count; i++)
    if (list->items[i] != list->items[kept - 1])
      list->items[kept++] = list->items[i];
  list->count = kept;
}

static bool contains(const struct port_list *list, uint16_t port) {
  return list->count && bsearch(&port, list->items, list->count, sizeof port, by_value);
}

static bool selects(const struct inventory_service *service, const struct inventory_workload *workload) {
  if (strcmp(service->ns, workload->ns) != 0)
    return false;
  for (size_t i = 0; i < service->workload_count; i++)
    if (strcmp(service->workloads[i], workload->name) == 0)
      return true;
  return false;
}

static bool of_transport(const struct inventory_port *port, bool udp) {
  return (port->protocol == PORT_UDP) == udp;
}

/* One written port at one workload, through every Service that selects it. */
struct lookup {
  bool found;
  bool renumbered;
};

static bool resolve_port(struct arena *arena, const struct inventory *inventory,
                         const struct inventory_workload *workload, uint16_t port, struct port_list *open,
                         struct lookup *lookup) {
  bool found = false;
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *service = &inventory->services[i];
    if (!selects(service, workload))
      continue;
    for (size_t j = 0; j < service->port_count; j++) {
      if (service->ports[j].port != port || !of_transport(&service->ports[j], open->udp))
        continue;
      found = true;
      uint16_t target = service->ports[j].target_port ? service->ports[j].target_port : port;
      lookup->renumbered |= target != port;
      if (!ports_add(arena, open, target))
        return false;
    }
  }
  lookup->found |= found;
  return found || ports_add(arena, open, port);
}

/* The ports that are meant at one workload. */
static bool resolve_workload(struct arena *arena, const struct inventory *inventory,
                             const struct inventory_workload *workload, const struct port_list *written,
                             struct lookup *lookups, struct port_list *open) {
  for (size_t i = 0; i < written->count; i++)
    if (!resolve_port(arena, inventory, workload, written->items[i], open, &lookups[i]))
      return false;
  ports_sort(open);
  return true;
}

static bool has_port(const struct inventory_workload *workload, uint16_t port, bool udp) {
  for (size_t i = 0; i < workload->port_count; i++)
    if (workload->ports[i].port == port && of_transport(&workload->ports[i], udp))
      return true;
  return false;
}

/* The workloads of the account, and what is open at each. */
struct member {
  const struct inventory_workload *workload;
  struct port_list open;
};

struct members {
  struct member *items;
  size_t count, capacity;
  bool udp; /* what is open */
};

static bool find_members(struct arena *arena, const struct inventory *inventory, const struct account *account,
                         struct members *members) {
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *w = &inventory->workloads[i];
    if (strcmp(w->ns, account->ns) != 0 || strcmp(w->service_account, account->name) != 0)
      continue;
    if (arena_reserve(arena, (void **)&members->items, &members->capacity, members->count, sizeof *members->items) < 0)
      return false;
    members->items[members->count++] = (struct member){.workload = w, .open.udp = members->udp};
  }
  return true;
}

/* Whether every workload of the account that listens on the port is meant. */
static bool meant_everywhere(const struct members *members, uint16_t port) {
  for (size_t i = 0; i < members->count; i++)
    if (has_port(members->items[i].workload, port, members->udp) && !contains(&members->items[i].open, port))
      return false;
  return true;
}

static bool unite(struct arena *arena, const struct members *members, struct port_resolution *resolution) {
  struct port_list all = {0};
  for (size_t i = 0; i < members->count; i++)
    for (size_t j = 0; j < members->items[i].open.count; j++)
      if (!ports_add(arena, &all, members->items[i].open.items[j]))
        return false;
  ports_sort(&all);
  for (size_t i = 0; i < all.count; i++) {
    if (!meant_everywhere(members, all.items[i]))
      resolution->left_out++;
    else if (!ports_add(arena, &resolution->open, all.items[i]))
      return false;
  }
  return true;
}

bool ports_resolve(struct arena *arena, const struct inventory *inventory, const struct account *account,
                   const struct port_list *written, struct port_resolution *ret_resolution) {
  struct members members = {.udp = written->udp};
  struct lookup *lookups = arena_array(arena, written->count, sizeof *lookups);
  *ret_resolution = (struct port_resolution){0};
  if (!lookups || !find_members(arena, inventory, account, &members))
    return false;
  for (size_t i = 0; i < members.count; i++)
    if (!resolve_workload(arena, inventory, members.items[i].workload, written, lookups, &members.items[i].open))
      return false;
  for (size_t i = 0; i < written->count; i++) {
    ret_resolution->resolved += lookups[i].renumbered;
    ret_resolution->own += !lookups[i].found;
  }
  if (members.count)
    return unite(arena, &members, ret_resolution);
  for (size_t i = 0; i < written->count; i++) /* of workloads that are not there yet: nothing to resolve them with */
    if (!ports_add(arena, &ret_resolution->open, written->items[i]))
      return false;
  return true;
}
