/* An inventory in Trammel's own form. */
#include "host/inventory/internal.h"

/* Takes the reference to `value`; remembers in `*failed` when memory ran out. */
static void put(json_t *object, const char *key, json_t *value, bool *failed) {
  if (json_object_set_new(object, key, value) < 0)
    *failed = true;
}

static void append(json_t *list, json_t *value, bool *failed) {
  if (json_array_append_new(list, value) < 0)
    *failed = true;
}

static json_t *workload_json(const PB(Workload) * from, bool *failed) {
  json_t *to = json_pack("{s:s, s:s, s:s}", "name", from->name, "namespace", from->namespace_, "service_account",
                         from->service_account);
  json_t *labels = json_object(), *ports = json_array();
  for (size_t i = 0; i < from->n_labels; i++)
    put(labels, from->labels[i]->name, json_string(from->labels[i]->value), failed);
  for (size_t i = 0; i < from->n_ports; i++)
    append(ports,
           json_pack("{s:i, s:s}", "port", (int)from->ports[i]->port, "protocol",
                     inventory_protocol_name(from->ports[i]->protocol)),
           failed);
  put(to, "labels", labels, failed);
  put(to, "ports", ports, failed);
  return to;
}

static json_t *port_json(const PB(ServicePort) * from, bool *failed) {
  json_t *to = json_object();
  if (*from->name)
    put(to, "name", json_string(from->name), failed);
  put(to, "port", json_integer(from->port), failed);
  put(to, "target_port", json_integer(from->target_port), failed);
  put(to, "protocol", json_string(inventory_protocol_name(from->protocol)), failed);
  return to;
}

static json_t *service_json(const PB(Service) * from, bool *failed) {
  json_t *to = json_pack("{s:s, s:s}", "name", from->name, "namespace", from->namespace_);
  json_t *ports = json_array(), *workloads = json_array();
  for (size_t i = 0; i < from->n_ports; i++)
    append(ports, port_json(from->ports[i], failed), failed);
  for (size_t i = 0; i < from->n_workloads; i++)
    append(workloads, json_string(from->workloads[i]), failed);
  put(to, "ports", ports, failed);
  put(to, "workloads", workloads, failed);
  return to;
}

json_t *inventory_to_json(const struct inventory_found *found) {
  bool failed = false;
  json_t *root = json_object(), *workloads = json_array(), *services = json_array(), *accounts = json_array();
  for (size_t i = 0; i < found->message->n_workloads; i++)
    append(workloads, workload_json(found->message->workloads[i], &failed), &failed);
  for (size_t i = 0; i < found->message->n_services; i++)
    append(services, service_json(found->message->services[i], &failed), &failed);
  for (size_t i = 0; i < found->account_count; i++)
    append(accounts, json_pack("{s:s, s:s}", "name", found->accounts[i].name, "namespace", found->accounts[i].ns),
           &failed);
  put(root, "workloads", workloads, &failed);
  put(root, "services", services, &failed);
  put(root, "service_accounts", accounts, &failed);
  if (!failed)
    return root;
  json_decref(root);
  return NULL;
}
