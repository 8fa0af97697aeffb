/* Puts together what was read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/inventory/internal.h"

/* ---- each thing once, in order */

static int compare(const char *ns_a, const char *name_a, const char *ns_b, const char *name_b) {
  int r = strcmp(ns_a, ns_b);
  return r ? r : strcmp(name_a, name_b);
}

static int by_workload(const void *a, const void *b) {
  const struct found_workload *x = a, *y = b;
  int r = compare(x->ns, x->name, y->ns, y->name);
  return r ? r : strcmp(x->kind, y->kind);
}

static int by_service(const void *a, const void *b) {
  const struct found_service *x = a, *y = b;
  return compare(x->ns, x->name, y->ns, y->name);
}

static int by_account(const void *a, const void *b) {
  const struct inventory_account *x = a, *y = b;
  return compare(x->ns, x->name, y->ns, y->name);
}

static void sort(const struct found_list *list, size_t size, int (*order)(const void *a, const void *b)) {
  if (list->count > 1)
    qsort(list->items, list->count, size, order);
}

static void complain_twice(struct inventory_reader *reader, const struct node *at, const struct node *other,
                           const char *kind, const char *ns, const char *name) {
  fields_complain(&reader->fields, at, FIELD_TWICE, "Leave one of them out.",
                  "the %s %s/%s is given twice; the other one is at %s:%u", kind, ns, name,
                  other->position.file ? other->position.file : "-", (unsigned)other->position.line);
}

static bool is_controlled(const struct inventory_reader *reader, const struct found_workload *workload) {
  const struct found_workload key = {.kind = workload->owner_kind, .ns = workload->ns, .name = workload->owner_name};
  return workload->owner_kind &&
         bsearch(&key, reader->workloads.items, reader->workloads.count, sizeof key, by_workload);
}

static char lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Two kinds may have an object of one name; the contract knows workloads by name alone. */
static const char *name_with_kind(struct inventory_reader *reader, const struct found_workload *workload) {
  char *name =
      fields_checked(&reader->fields, arena_printf(reader->fields.arena, "%s.%s", workload->name, workload->kind));
  for (char *c = name; c && *c; c++)
    *c = lower(*c);
  return name;
}

static void rename_namesakes(struct inventory_reader *reader) {
  struct found_workload *workloads = found_workloads(reader);
  const char *name = NULL, *ns = NULL;
  for (size_t i = 0; i < reader->workloads.count; i++) {
    bool same = name && compare(ns, name, workloads[i].ns, workloads[i].name) == 0;
    name = workloads[i].name;
    ns = workloads[i].ns;
    if (same)
      workloads[i].name = name_with_kind(reader, &workloads[i]);
    if (!workloads[i].name)
      return;
  }
  sort(&reader->workloads, sizeof *workloads, by_workload);
}

static void order_workloads(struct inventory_reader *reader) {
  struct found_workload *workloads = found_workloads(reader);
  size_t kept = 0;
  sort(&reader->workloads, sizeof *workloads, by_workload);
  bool *controlled =
      fields_checked(&reader->fields, arena_array(reader->fields.arena, reader->workloads.count, sizeof *controlled));
  for (size_t i = 0; controlled && i < reader->workloads.count; i++)
    controlled[i] = is_controlled(reader, &workloads[i]);
  for (size_t i = 0; controlled && i < reader->workloads.count; i++) {
    if (controlled[i])
      continue;
    if (kept > 0 && by_workload(&workloads[kept - 1], &workloads[i]) == 0)
      complain_twice(reader, workloads[i].node, workloads[kept - 1].node, workloads[i].kind, workloads[i].ns,
                     workloads[i].name);
    else
      workloads[kept++] = workloads[i];
  }
  reader->workloads.count = kept;
  rename_namesakes(reader);
}

static void order_services(struct inventory_reader *reader) {
  struct found_service *services = found_services(reader);
  sort(&reader->services, sizeof *services, by_service);
  for (size_t i = 1; i < reader->services.count; i++)
    if (by_service(&services[i - 1], &services[i]) == 0)
      complain_twice(reader, services[i].node, services[i - 1].node, "service", services[i].ns, services[i].name);
}

static void order_accounts(struct inventory_reader *reader) {
  struct found_account *accounts = found_accounts(reader);
  sort(&reader->accounts, sizeof *accounts, by_account);
  for (size_t i = 1; i < reader->accounts.count; i++)
    if (by_account(&accounts[i - 1], &accounts[i]) == 0)
      complain_twice(reader, accounts[i].node, accounts[i - 1].node, "ServiceAccount", accounts[i].account.ns,
                     accounts[i].account.name);
}

/* ---- where the ports of services lead */

static struct found_port *find_port(const struct found_ports *ports, uint16_t port, bool udp) {
  for (size_t i = 0; i < ports->count; i++)
    if (ports->items[i].port == port && (ports->items[i].protocol == PROTOCOL_UDP) == udp)
      return &ports->items[i];
  return NULL;
}

static const struct found_port *find_named(const struct found_ports *ports, const char *name, bool udp) {
  for (size_t i = 0; i < ports->count; i++)
    if (strcmp(ports->items[i].name, name) == 0 && (ports->items[i].protocol == PROTOCOL_UDP) == udp)
      return &ports->items[i];
  return NULL;
}

/* The number of a named target port; 0 after a note when no workload has it. */
static uint16_t resolve_name(struct inventory_reader *reader, const struct found_service *service,
                             const struct found_port *port) {
  const struct found_workload *workloads = found_workloads(reader), *first = NULL;
  uint16_t number = 0;
  for (size_t i = 0; i < service->workload_count; i++) {
    const struct found_workload *workload = &workloads[service->workloads[i]];
    const struct found_port *named = find_named(&workload->ports, port->target_name, port->protocol == PROTOCOL_UDP);
    if (named && !first) {
      first = workload;
      number = named->port;
    } else if (named && named->port != number) {
      found_note(reader, SEVERITY_WARNING, INVENTORY_TARGETS_DIFFER, port->node,
                 "give the workloads of one service one number for the port",
                 "service %s/%s: the port \"%s\" is %u in %s, and %u in %s; %u is taken", service->ns, service->name,
                 port->target_name, (unsigned)number, first->name, (unsigned)named->port, workload->name,
                 (unsigned)number);
      return number;
    }
  }
  if (!first)
    found_note(reader, SEVERITY_WARNING, INVENTORY_PORT_LEFT_OUT, port->node,
               "name a port of the containers that the service selects, or write its number",
               "service %s/%s: port %u is left out: none of its %zu workloads has a port called \"%s\"", service->ns,
               service->name, (unsigned)port->port, service->workload_count, port->target_name);
  return number;
}

static void resolve_targets(struct inventory_reader *reader, struct found_service *service) {
  size_t kept = 0;
  for (size_t i = 0; i < service->ports.count; i++) {
    struct found_port port = service->ports.items[i];
    if (port.target_name)
      port.target = resolve_name(reader, service, &port);
    if (port.target != 0)
      service->ports.items[kept++] = port;
  }
  service->ports.count = kept;
}

/* ---- which protocol is spoken */

/* Two services say different things of one port: without what HTTP offers, nothing is allowed that should not be. */
static void disagree(struct inventory_reader *reader, const struct found_service *service,
                     const struct found_port *port, const struct found_workload *workload, struct found_port *target) {
  if (target->protocol != PROTOCOL_TCP)
    found_note(reader, SEVERITY_WARNING, INVENTORY_PROTOCOLS_DIFFER, port->node, "say the same of it everywhere",
               "service %s/%s says %s of port %u of the workload %s, which is %s elsewhere: it is taken for tcp",
               service->ns, service->name, inventory_protocol_name(port->protocol), (unsigned)target->port,
               workload->name, inventory_protocol_name(target->protocol));
  target->protocol = PROTOCOL_TCP;
}

/* What `port` says goes to the port of the workload that it leads to. */
static void tell_workload(struct inventory_reader *reader, const struct found_service *service,
                          const struct found_port *port, struct found_workload *workload) {
  bool udp = port->protocol == PROTOCOL_UDP;
  struct found_port *target = find_port(&workload->ports, port->target, udp);
  if (!target) {
    const struct found_port listens = {
        .name = "", .port = port->target, .protocol = port->protocol, .by_service = true, .node = port->node};
    found_ports_add(reader, &workload->ports, &listens);
  } else if (!target->by_service) {
    target->protocol = port->protocol;
    target->by_service = true;
  } else if (target->protocol != port->protocol) {
    disagree(reader, service, port, workload, target);
  }
}

static void tell_workloads(struct inventory_reader *reader, const struct found_service *service, bool said) {
  struct found_workload *workloads = found_workloads(reader);
  for (size_t i = 0; i < service->ports.count; i++) {
    const struct found_port *port = &service->ports.items[i];
    for (size_t k = 0; (port->protocol != PROTOCOL_UNSAID) == said && k < service->workload_count; k++)
      tell_workload(reader, service, port, &workloads[service->workloads[k]]);
  }
}

static PB(Protocol) assume(struct inventory_reader *reader, const struct node *at) {
  if (reader->assumed++ == 0)
    reader->first_assumed = at;
  return reader->default_protocol;
}

/* A service's port that says nothing is what the workloads' port is. */
static void ask_workloads(struct inventory_reader *reader, struct found_service *service) {
  const struct found_workload *workloads = found_workloads(reader);
  for (size_t i = 0; i < service->ports.count; i++) {
    struct found_port *port = &service->ports.items[i];
    for (size_t k = 0; port->protocol == PROTOCOL_UNSAID && k < service->workload_count; k++) {
      const struct found_port *target = find_port(&workloads[service->workloads[k]].ports, port->target, false);
      port->protocol = target ? target->protocol : PROTOCOL_UNSAID;
    }
    if (port->protocol != PROTOCOL_UNSAID)
      continue;
    port->protocol = assume(reader, port->node);
    for (size_t k = 0; k < service->workload_count; k++)
      tell_workload(reader, service, port, &found_workloads(reader)[service->workloads[k]]);
  }
}

/* The same port may be listed by several containers, and in the end it has one protocol. */
static void settle_workload(struct inventory_reader *reader, struct found_workload *workload) {
  size_t kept = 0;
  for (size_t i = 0; i < workload->ports.count; i++) {
    struct found_port port = workload->ports.items[i];
    const struct found_ports before = {.items = workload->ports.items, .count = kept};
    if (find_port(&before, port.port, port.protocol == PROTOCOL_UDP))
      continue;
    if (port.protocol == PROTOCOL_UNSAID)
      port.protocol = assume(reader, port.node);
    workload->ports.items[kept++] = port;
  }
  workload->ports.count = kept;
}

static void settle(struct inventory_reader *reader) {
  struct found_service *services = found_services(reader);
  for (size_t i = 0; i < reader->services.count; i++)
    resolve_targets(reader, &services[i]);
  for (size_t i = 0; i < reader->services.count; i++)
    tell_workloads(reader, &services[i], true);
  for (size_t i = 0; i < reader->services.count; i++)
    ask_workloads(reader, &services[i]);
  for (size_t i = 0; i < reader->workloads.count; i++)
    settle_workload(reader, &found_workloads(reader)[i]);
  if (reader->assumed > 0)
    found_note(reader, SEVERITY_INFO, INVENTORY_PROTOCOL_ASSUMED, reader->first_assumed,
               "set appProtocol, or begin the port's name with http, grpc or tcp",
               "%zu port%s: nothing says the protocol%s, and %s is assumed", reader->assumed,
               reader->assumed == 1 ? "" : "s", reader->assumed == 1 ? "" : "; this one is the first",
               inventory_protocol_name(reader->default_protocol));
}

/* ---- ServiceAccounts */

static bool account_known(const struct inventory_reader *reader, const char *ns, const char *name) {
  const struct inventory_account key = {.name = name, .ns = ns};
  return bsearch(&key, reader->accounts.items, reader->accounts.count, sizeof(struct found_account), by_account);
}

static bool namespace_has_accounts(const struct inventory_reader *reader, const char *ns) {
  const struct found_account *accounts = found_accounts(reader);
  size_t low = 0, high = reader->accounts.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(accounts[middle].account.ns, ns) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < reader->accounts.count && strcmp(accounts[low].account.ns, ns) == 0;
}

static void check_accounts(struct inventory_reader *reader) {
  const struct found_workload *workloads = found_workloads(reader);
  for (size_t i = 0; i < reader->workloads.count && reader->accounts.count > 0; i++)
    if (strcmp(workloads[i].service_account, "default") != 0 && namespace_has_accounts(reader, workloads[i].ns) &&
        !account_known(reader, workloads[i].ns, workloads[i].service_account))
      found_note(reader, SEVERITY_WARNING, INVENTORY_UNKNOWN_ACCOUNT, workloads[i].node,
                 "correct the name, or add the ServiceAccount",
                 "the workload %s/%s runs as the ServiceAccount \"%s\", which is not in the input", workloads[i].ns,
                 workloads[i].name, workloads[i].service_account);
}

/* ---- the message */

static char *text(const char *borrowed) {
  return (char *)borrowed; /* messages only point to it, and are only packed */
}

/* Memory for `count` messages of one type and the list that points to them. */
static void *messages(struct inventory_reader *reader, size_t count, size_t size, void ***ret_list) {
  struct arena *arena = reader->fields.arena;
  char *items = fields_checked(&reader->fields, arena_array(arena, count, size));
  *ret_list = fields_checked(&reader->fields, arena_array(arena, count, sizeof(void *)));
  if (!items || !*ret_list)
    return NULL;
  for (size_t i = 0; i < count; i++)
    (*ret_list)[i] = items + i * size;
  return items;
}

static void fill_workload(struct inventory_reader *reader, const struct found_workload *from, PB(Workload) * to) {
  *to = (PB(Workload))TRAMMEL__ADAPTER__V1__WORKLOAD__INIT;
  to->name = text(from->name);
  to->namespace_ = text(from->ns);
  to->service_account = text(from->service_account);
  PB(Label) *labels = messages(reader, from->labels.count, sizeof *labels, (void ***)&to->labels);
  PB(WorkloadPort) *ports = messages(reader, from->ports.count, sizeof *ports, (void ***)&to->ports);
  if (!labels || !ports)
    return;
  to->n_labels = from->labels.count;
  to->n_ports = from->ports.count;
  for (size_t i = 0; i < to->n_labels; i++) {
    labels[i] = (PB(Label))TRAMMEL__ADAPTER__V1__LABEL__INIT;
    labels[i].name = text(from->labels.items[i].name);
    labels[i].value = text(from->labels.items[i].value);
  }
  for (size_t i = 0; i < to->n_ports; i++) {
    ports[i] = (PB(WorkloadPort))TRAMMEL__ADAPTER__V1__WORKLOAD_PORT__INIT;
    ports[i].port = from->ports.items[i].port;
    ports[i].protocol = from->ports.items[i].protocol;
  }
}

static void fill_service(struct inventory_reader *reader, const struct found_service *from, PB(Service) * to) {
  *to = (PB(Service))TRAMMEL__ADAPTER__V1__SERVICE__INIT;
  to->name = text(from->name);
  to->namespace_ = text(from->ns);
  PB(ServicePort) *ports = messages(reader, from->ports.count, sizeof *ports, (void ***)&to->ports);
  to->workloads =
      fields_checked(&reader->fields, arena_array(reader->fields.arena, from->workload_count, sizeof(char *)));
  if (!ports || !to->workloads)
    return;
  to->n_ports = from->ports.count;
  to->n_workloads = from->workload_count;
  for (size_t i = 0; i < to->n_ports; i++) {
    ports[i] = (PB(ServicePort))TRAMMEL__ADAPTER__V1__SERVICE_PORT__INIT;
    ports[i].name = text(from->ports.items[i].name);
    ports[i].port = from->ports.items[i].port;
    ports[i].target_port = from->ports.items[i].target;
    ports[i].protocol = from->ports.items[i].protocol;
  }
  for (size_t i = 0; i < to->n_workloads; i++)
    to->workloads[i] = text(found_workloads(reader)[from->workloads[i]].name);
}

static PB(Inventory) * make_message(struct inventory_reader *reader) {
  PB(Inventory) *message = fields_checked(&reader->fields, arena_new(reader->fields.arena, PB(Inventory)));
  if (!message)
    return NULL;
  *message = (PB(Inventory))TRAMMEL__ADAPTER__V1__INVENTORY__INIT;
  PB(Workload) *workloads = messages(reader, reader->workloads.count, sizeof *workloads, (void ***)&message->workloads);
  PB(Service) *services = messages(reader, reader->services.count, sizeof *services, (void ***)&message->services);
  if (!workloads || !services)
    return NULL;
  message->n_workloads = reader->workloads.count;
  message->n_services = reader->services.count;
  for (size_t i = 0; i < message->n_workloads; i++)
    fill_workload(reader, &found_workloads(reader)[i], &workloads[i]);
  for (size_t i = 0; i < message->n_services; i++)
    fill_service(reader, &found_services(reader)[i], &services[i]);
  return message;
}

static void fill_accounts(struct inventory_reader *reader, struct inventory_found *found) {
  size_t count = reader->accounts.count;
  struct inventory_account *accounts =
      fields_checked(&reader->fields, arena_array(reader->fields.arena, count, sizeof *accounts));
  for (size_t i = 0; accounts && i < count; i++)
    accounts[i] = found_accounts(reader)[i].account;
  found->accounts = accounts;
  found->account_count = accounts ? count : 0;
}

int inventory_reader_finish(struct inventory_reader *reader, struct inventory_found *ret_found) {
  struct inventory_found found = {0};
  order_workloads(reader);
  order_services(reader);
  order_accounts(reader);
  if (!reader->fields.no_memory)
    inventory_select(reader);
  if (!reader->fields.no_memory)
    settle(reader);
  check_accounts(reader);
  found.message = make_message(reader);
  fill_accounts(reader, &found);
  int r = fields_status(&reader->fields);
  if (r != -ENOMEM)
    *ret_found = found;
  return r;
}
