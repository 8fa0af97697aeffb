#include "plugins/linkerd/denial.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/linkerd/codes.h"

static bool denies(const struct translate_request *request, const char *ns) {
  size_t low = 0, high = request->deny_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(request->deny_by_default[middle], ns);
    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

static void add_port(struct call *call, struct denial_ports *ports, const struct kube_account *account, uint16_t port) {
  if (arena_reserve(call_arena(call), (void **)&ports->items, &ports->capacity, ports->count, sizeof *ports->items) < 0)
    call_out_of_memory(call);
  else
    ports->items[ports->count++] = (struct server_grant){.account = account, .port = port};
}

static void add_ports(struct call *call, struct denial_ports *ports, const struct kube_account *account) {
  for (size_t i = 0; account->selectable && i < account->workload_count; i++)
    for (size_t j = 0; j < account->workloads[i]->port_count; j++)
      if (account->workloads[i]->ports[j].protocol != PORT_UDP)
        add_port(call, ports, account, account->workloads[i]->ports[j].port);
}

void denial_collect(const struct kube_directory *directory, struct denial_ports *ret_ports) {
  struct denial_ports ports = {0};
  for (size_t i = 0; i < directory->accounts.count; i++) {
    const struct kube_account *account = &directory->accounts.items[i];
    if (!denies(directory->request, account->ns))
      continue;
    add_ports(directory->call, &ports, account);
    for (size_t j = 0; j < account->part_count; j++)
      add_ports(directory->call, &ports, &account->parts[j]);
  }
  *ret_ports = ports;
}

/* ---- accounts that cannot be selected */

static const struct smi_label *find_label(const struct inventory_workload *workload, const char *name) {
  for (size_t i = 0; i < workload->label_count; i++)
    if (strcmp(workload->labels[i].name, name) == 0)
      return &workload->labels[i];
  return NULL;
}

/* Excludes a workload that the labels of `selected` select as well, by a label that `selected` does not have. */
static bool exclude(const struct inventory_workload *selected, const struct inventory_workload *other,
                    json_t *expressions) {
  for (size_t i = 0; i < other->label_count; i++) {
    const char *name = other->labels[i].name;
    if (kube_label_is_volatile(name) || find_label(selected, name))
      continue;
    for (size_t j = 0; j < json_array_size(expressions); j++)
      if (strcmp(json_string_value(json_object_get(json_array_get(expressions, j), "key")), name) == 0)
        return true;
    return json_array_append_new(expressions, json_pack("{s:s, s:s}", "key", name, "operator", "DoesNotExist")) == 0;
  }
  return true;
}

static json_t *labels_json(const struct inventory_workload *workload) {
  json_t *labels = json_object();
  for (size_t i = 0; labels && i < workload->label_count; i++)
    if (!kube_label_is_volatile(workload->labels[i].name) &&
        json_object_set_new(labels, workload->labels[i].name, json_string(workload->labels[i].value)) < 0) {
      json_decref(labels);
      return NULL;
    }
  return labels;
}

/* Whether `other` has all lasting labels of the workload. */
static bool is_selected(const struct inventory_workload *workload, const struct inventory_workload *other) {
  for (size_t i = 0; i < workload->label_count; i++)
    if (!kube_label_is_volatile(workload->labels[i].name) && !workload_has_labels(other, &workload->labels[i], 1))
      return false;
  return true;
}

static bool exclude_account(const struct inventory_workload *selected, const struct kube_account *other,
                            json_t *expressions) {
  for (size_t i = 0; other->selectable && i < other->workload_count; i++)
    if (is_selected(selected, other->workloads[i]) && !exclude(selected, other->workloads[i], expressions))
      return false;
  for (size_t i = 0; i < other->part_count; i++)
    if (!exclude_account(selected, &other->parts[i], expressions))
      return false;
  return true;
}

/* Of the pods with these labels, but for those that other Servers select. */
static json_t *workload_selector(const struct kube_directory *directory, const struct inventory_workload *workload) {
  json_t *expressions = json_array();
  bool failed = expressions == NULL;
  for (size_t i = 0; !failed && i < directory->accounts.count; i++)
    if (strcmp(directory->accounts.items[i].ns, workload->ns) == 0)
      failed = !exclude_account(workload, &directory->accounts.items[i], expressions);
  json_t *selector = failed ? NULL : json_pack("{s:o}", "matchLabels", labels_json(workload));
  if (selector && json_array_size(expressions))
    failed |= json_object_set(selector, "matchExpressions", expressions) < 0;
  json_decref(expressions);
  if (!failed)
    return selector;
  json_decref(selector);
  return NULL;
}

/* A port of pods that only the labels of their workload select. */
struct rest_port {
  const char *ns, *text; /* `selector` as text */
  json_t *selector;
  uint16_t port;
  bool opaque;
};

struct rest {
  const struct kube_directory *directory;
  struct rest_port *items;
  size_t count, capacity;
};

static void deny_workload(struct rest *rest, const struct inventory_workload *workload) {
  struct call *call = rest->directory->call;
  json_auto_t *selector = workload_selector(rest->directory, workload);
  const char *text = call_json_text(call, selector);
  for (size_t i = 0; text && i < workload->port_count; i++) {
    const struct inventory_port *port = &workload->ports[i];
    if (port->protocol == PORT_UDP)
      continue;
    if (arena_reserve(call_arena(call), (void **)&rest->items, &rest->capacity, rest->count, sizeof *rest->items) < 0)
      call_out_of_memory(call);
    else
      rest->items[rest->count++] = (struct rest_port){.ns = workload->ns,
                                                      .text = text,
                                                      .selector = json_incref(selector),
                                                      .port = port->port,
                                                      .opaque = port->protocol == PORT_TCP};
  }
}

static void deny_part(struct rest *rest, const struct kube_account *part) {
  for (size_t i = 0; !part->selectable && i < part->workload_count; i++)
    deny_workload(rest, part->workloads[i]);
}

static int by_place(const void *a, const void *b) {
  const struct rest_port *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  if (order == 0)
    order = (x->port > y->port) - (x->port < y->port);
  return order != 0 ? order : strcmp(x->text, y->text);
}

/* Those that are opaque last. */
static int by_use(const void *a, const void *b) {
  const struct rest_port *x = a, *y = b;
  int order = by_place(a, b);
  return order != 0 ? order : (int)x->opaque - (int)y->opaque;
}

/* One Server for all workloads that have the same labels. */
static void emit_rest(struct rest *rest, const struct linkerd_options *options, struct translation *translation) {
  if (rest->count > 1)
    qsort(rest->items, rest->count, sizeof *rest->items, by_use);
  for (size_t i = 0; i < rest->count; i++) {
    const struct rest_port *item = &rest->items[i];
    if (i == 0 || by_place(item, &rest->items[i - 1]) != 0)
      translation_add(translation, server_object(rest->directory->call, options, item->ns, json_incref(item->selector),
                                                 item->port, item->opaque));
  }
  for (size_t i = 0; i < rest->count; i++)
    json_decref(rest->items[i].selector);
}

void denial_emit_rest(const struct kube_directory *directory, const struct linkerd_options *options,
                      struct translation *translation) {
  struct rest rest = {.directory = directory};
  for (size_t i = 0; i < directory->accounts.count; i++) {
    const struct kube_account *account = &directory->accounts.items[i];
    if (!denies(directory->request, account->ns))
      continue;
    for (size_t j = 0; j < account->part_count; j++)
      deny_part(&rest, &account->parts[j]);
    if (account->part_count == 0)
      deny_part(&rest, account);
  }
  emit_rest(&rest, options, translation);
}

void denial_diagnose(const struct kube_directory *directory) {
  const struct translate_request *request = directory->request;
  if (request->deny_count == 0)
    return;
  call_diagnose(
      directory->call,
      &(struct finding){
          .severity = TRAMMEL_WARNING,
          .code = CODE_DENIAL,
          .detail = "Servers deny what no policy allows, and there is one for every TCP port that the inventory "
                    "has of the workloads in these namespaces. Ports that it does not have, and workloads "
                    "that come later, take what the mesh's default takes. UDP goes past Linkerd's proxies.",
          .remedy = "annotate the namespaces with config.linkerd.io/default-inbound-policy: deny before their "
                    "pods are made; Namespaces are yours, so Trammel does not change them"},
      "denying by default reaches the ports in the inventory alone (%zu %s, %s first)", request->deny_count,
      request->deny_count == 1 ? "namespace" : "namespaces", request->deny_by_default[0]);
}
