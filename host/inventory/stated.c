/* Trammel's own form of an inventory: that of a topology, with labels. */
#include <string.h>

#include "host/inventory/internal.h"

static const char *const protocol_words[] = {"http", "tcp", "udp", NULL};

const char *inventory_protocol_name(PB(Protocol) protocol) {
  return protocol >= PROTOCOL_HTTP && protocol <= PROTOCOL_UDP ? protocol_words[protocol - PROTOCOL_HTTP] : "?";
}

/* As in topologies, a port whose protocol is not written is HTTP. */
static PB(Protocol) read_protocol(struct inventory_reader *reader, const struct node *map) {
  const struct node *node = node_get(map, "protocol");
  int word = node ? fields_word(&reader->fields, node, "\"protocol\"", protocol_words) : 0;
  return (PB(Protocol))(PROTOCOL_HTTP + (word < 0 ? 0 : word));
}

static const struct node *list_of(struct inventory_reader *reader, const struct node *map, const char *key,
                                  size_t limit, size_t *ret_count) {
  const struct node *list = fields_get(&reader->fields, map, key, NODE_LIST, false);
  *ret_count = fields_count(&reader->fields, list, key, limit);
  return list;
}

static void read_ports(struct inventory_reader *reader, const struct node *map, bool of_service,
                       struct found_ports *ports) {
  static const char *const workload_fields[] = {"port", "protocol", NULL};
  static const char *const service_fields[] = {"name", "port", "target_port", "protocol", NULL};
  struct fields *fields = &reader->fields;
  size_t count = 0;
  const struct node *list = list_of(reader, map, "ports", INVENTORY_FIELDS_MAX, &count);
  for (size_t i = 0; i < count; i++) {
    struct found_port port = {.name = "", .node = list->items[i]};
    if (!fields_known(fields, port.node, "a port", of_service ? service_fields : workload_fields))
      continue;
    port.port = fields_port(fields, port.node, "port", 0);
    if (port.port == 0)
      continue;
    port.protocol = read_protocol(reader, port.node);
    port.by_service = true; /* it is said, whatever others say */
    if (of_service) {
      const char *name = found_text(reader, port.node, "name");
      port.name = name ? name : "";
      port.target = fields_port(fields, port.node, "target_port", port.port);
    }
    found_ports_add_new(reader, ports, &port);
  }
}

/* What labs give workloads that say nothing of labels. */
static void default_labels(struct inventory_reader *reader, const char *deployment, struct found_workload *workload) {
  struct smi_label *labels = fields_checked(&reader->fields, arena_array(reader->fields.arena, 2, sizeof *labels));
  if (!labels)
    return;
  labels[0] = (struct smi_label){"app", workload->name};
  labels[1] = (struct smi_label){"deployment", deployment};
  workload->labels = (struct found_labels){labels, 2};
}

/* A workload outside of the mesh is none that an adapter hears of. */
static bool is_outside(struct inventory_reader *reader, const struct node *map) {
  const struct node *mesh = found_get(reader, map, "mesh", NODE_BOOLEAN);
  return mesh && !mesh->boolean;
}

static void read_workload(struct inventory_reader *reader, const struct node *map) {
  static const char *const known[] = {"name", "namespace", "service_account", "labels", "deployment", "ports",
                                      "mesh", NULL};
  if (!fields_known(&reader->fields, map, "a workload", known))
    return;
  struct found_workload workload = {
      .kind = "workload", .name = found_name(reader, map, "name"), .ns = found_namespace(reader, map), .node = map};
  if (!workload.name || !workload.ns || is_outside(reader, map))
    return;
  const char *deployment = node_get(map, "deployment") ? found_name(reader, map, "deployment") : workload.name;
  workload.service_account =
      node_get(map, "service_account") ? found_name(reader, map, "service_account") : workload.name;
  if (node_get(map, "labels"))
    workload.labels = found_read_labels(reader, map, "labels");
  else
    default_labels(reader, deployment, &workload);
  read_ports(reader, map, false, &workload.ports);
  if (workload.service_account && deployment)
    found_keep(reader, &reader->workloads, &workload, sizeof workload, map, "workloads");
}

static void read_service(struct inventory_reader *reader, const struct node *map) {
  static const char *const known[] = {"name", "namespace", "ports", "workloads", NULL};
  if (!fields_known(&reader->fields, map, "a service", known))
    return;
  struct found_service service = {
      .name = found_name(reader, map, "name"), .ns = found_namespace(reader, map), .node = map};
  service.members = fields_get(&reader->fields, map, "workloads", NODE_LIST, false);
  read_ports(reader, map, true, &service.ports);
  if (service.name && service.ns)
    found_keep(reader, &reader->services, &service, sizeof service, map, "services");
}

static void read_account(struct inventory_reader *reader, const struct node *map) {
  static const char *const known[] = {"name", "namespace", NULL};
  if (!fields_known(&reader->fields, map, "a ServiceAccount", known))
    return;
  struct found_account account = {{found_name(reader, map, "name"), found_namespace(reader, map)}, map};
  if (account.account.name && account.account.ns)
    found_keep(reader, &reader->accounts, &account, sizeof account, map, "ServiceAccounts");
}

static void read_each(struct inventory_reader *reader, const struct node *root, const char *key,
                      void (*read)(struct inventory_reader *reader, const struct node *map)) {
  size_t count = 0;
  const struct node *list = list_of(reader, root, key, INVENTORY_ITEMS_MAX, &count);
  for (size_t i = 0; i < count && !reader->fields.no_memory; i++)
    read(reader, list->items[i]);
}

void inventory_read_stated(struct inventory_reader *reader, const struct node *root) {
  static const char *const known[] = {"workloads", "services", "service_accounts", NULL};
  (void)fields_known(&reader->fields, root, "an inventory", known);
  read_each(reader, root, "workloads", read_workload);
  read_each(reader, root, "services", read_service);
  read_each(reader, root, "service_accounts", read_account);
}
