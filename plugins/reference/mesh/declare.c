#include "plugins/reference/mesh/declare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/pattern.h"
#include "plugins/reference/mesh/value.h"
#include "sdk/base/error.h"
#include "sdk/smi/weight.h"

#define MEMBERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int model_init(struct model *model) {
  model->arena = arena_create(0); /* the body's size bounds it */
  return model->arena ? 0 : -ENOMEM;
}

static int copy_text(struct model *model, const char *text, const char **ret_text) {
  *ret_text = arena_strdup(model->arena, text);
  return *ret_text ? 0 : -ENOMEM;
}

static int declare_name(struct model *model, const struct value *object, const char *key, size_t limit,
                        const char **ret_name) {
  struct value value = value_member(object, key);
  const char *name;
  int r = value_name(&value, limit, &name);
  return r < 0 ? r : copy_text(model, name, ret_name);
}

static int declare_member_port(const struct value *object, const char *key, uint16_t *ret_port) {
  struct value value = value_member(object, key);
  return value_port(&value, ret_port);
}

static int declare_protocol(const struct value *object, enum protocol *ret_protocol) {
  struct value value = value_member(object, "protocol");
  const char *name;
  int r = value_string(&value, 8, &name);
  if (r < 0)
    return r;
  if (strcmp(name, "http") == 0)
    *ret_protocol = PROTOCOL_HTTP;
  else if (strcmp(name, "tcp") == 0)
    *ret_protocol = PROTOCOL_TCP;
  else if (strcmp(name, "udp") == 0)
    *ret_protocol = PROTOCOL_UDP;
  else
    return value_complain(&value, "the protocol is one of http, tcp, udp, found \"%s\"", name);
  return 0;
}

/* Absent: TCP. */
static int declare_transport(const struct value *object, enum transport *ret_transport) {
  struct value value = value_member(object, "transport");
  const char *name = "tcp";
  int r = value_present(&value) ? value_string(&value, 8, &name) : 0;
  if (r < 0)
    return r;
  if (strcmp(name, "tcp") != 0 && strcmp(name, "udp") != 0)
    return value_complain(&value, "the transport is tcp or udp, found \"%s\"", name);
  *ret_transport = strcmp(name, "udp") == 0 ? TRANSPORT_UDP : TRANSPORT_TCP;
  return 0;
}

/* Reads the list under `key` into an array of `size` bytes an item. An absent list is an empty one. */
typedef int (*declare_item)(struct model *model, const struct value *item, void *out);

static int declare_list(struct model *model, const struct value *list, size_t limit, size_t size, declare_item item,
                        void *ret_items, size_t *ret_count) {
  size_t count = 0;
  if (value_present(list)) {
    int r = value_list(list, limit, &count);
    if (r < 0)
      return r;
  }
  char *items = arena_array(model->arena, count, size);
  if (!items)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++) {
    struct value at = value_item(list, i);
    int r = item(model, &at, items + i * size);
    if (r < 0)
      return r;
  }
  memcpy(ret_items, &items, sizeof items);
  *ret_count = count;
  return 0;
}

static int declare_account(struct model *model, const struct value *value, void *out) {
  struct account *account = out;
  int r = value_object(value, MEMBERS("namespace", "serviceAccount"));
  if (r == 0)
    r = declare_name(model, value, "namespace", LIMIT_NAMESPACE, &account->namespace);
  return r < 0 ? r : declare_name(model, value, "serviceAccount", LIMIT_NAME, &account->name);
}

static int declare_pattern(struct model *model, const struct value *value, const struct pattern **ret_pattern) {
  const char *regex;
  int r = value_string(value, LIMIT_REGEX, &regex);
  if (r < 0)
    return r;
  r = array_reserve((void **)&model->patterns, &model->pattern_capacity, model->pattern_count,
                    sizeof(struct pattern *));
  if (r < 0)
    return r;
  _cleanup_error_ struct error *err = NULL;
  struct pattern *pattern;
  r = pattern_create(regex, &pattern, &err);
  if (r == -EINVAL)
    return value_complain(value, "%s", error_message(err));
  if (r < 0)
    return r;
  model->patterns[model->pattern_count++] = pattern;
  *ret_pattern = pattern;
  return 0;
}

static int declare_header(struct model *model, const struct value *value, void *out) {
  struct header_match *header = out;
  int r = value_object(value, MEMBERS("name", "regex"));
  if (r < 0)
    return r;
  struct value name = value_member(value, "name"), regex = value_member(value, "regex");
  const char *text;
  r = value_string(&name, LIMIT_NAME, &text);
  if (r < 0)
    return r;
  if (*text == '\0')
    return value_complain(&name, "a header's name is expected here");
  r = copy_text(model, text, &header->name);
  return r < 0 ? r : declare_pattern(model, &regex, &header->value);
}

static int declare_method(struct model *model, const struct value *value, void *out) {
  const char *method;
  int r = value_name(value, 32, &method);
  return r < 0 ? r : copy_text(model, method, out);
}

/* "*" anywhere in the list is any method (SMI specs, HTTPRouteGroup). */
static int declare_methods(struct model *model, const struct value *list, struct http_match *match) {
  if (!value_present(list))
    return 0;
  size_t count;
  int r = value_list(list, LIMIT_METHODS, &count);
  if (r < 0)
    return r;
  if (count == 0)
    return value_complain(list, "the list of methods is empty: leave it out to allow any");
  for (size_t i = 0; i < count; i++) {
    const char *method = json_string_value(json_array_get(list->json, i));
    if (method && strcmp(method, "*") == 0)
      return 0;
  }
  return declare_list(model, list, LIMIT_METHODS, sizeof *match->methods, declare_method, &match->methods,
                      &match->method_count);
}

static int declare_match(struct model *model, const struct value *value, void *out) {
  struct http_match *match = out;
  int r = value_object(value, MEMBERS("path", "methods", "headers"));
  if (r < 0)
    return r;
  struct value path = value_member(value, "path"), methods = value_member(value, "methods");
  struct value headers = value_member(value, "headers");
  if (value_present(&path))
    r = declare_pattern(model, &path, &match->path);
  if (r == 0)
    r = declare_methods(model, &methods, match);
  if (r < 0)
    return r;
  return declare_list(model, &headers, LIMIT_HEADER_MATCHES, sizeof *match->headers, declare_header, &match->headers,
                      &match->header_count);
}

static int declare_matches(struct model *model, const struct value *list, struct http_matches *matches) {
  matches->any = !value_present(list);
  return declare_list(model, list, LIMIT_MATCHES, sizeof *matches->items, declare_match, &matches->items,
                      &matches->count);
}

static int declare_rule_port(struct model *model, const struct value *value, void *out) {
  (void)model;
  return value_port(value, out);
}

static int declare_rule(struct model *model, const struct value *value, void *out) {
  struct rule *rule = out;
  int r = value_object(value, MEMBERS("protocol", "ports", "http"));
  if (r == 0)
    r = declare_protocol(value, &rule->protocol);
  if (r < 0)
    return r;
  struct value ports = value_member(value, "ports"), http = value_member(value, "http");
  rule->any_port = !value_present(&ports);
  r = declare_list(model, &ports, LIMIT_RULE_PORTS, sizeof *rule->ports, declare_rule_port, &rule->ports,
                   &rule->port_count);
  if (r < 0)
    return r;
  if (!rule->any_port && rule->port_count == 0)
    return value_complain(&ports, "the list of ports is empty: leave it out to allow all");
  if (value_present(&http) && rule->protocol != PROTOCOL_HTTP)
    return value_complain(&http, "only a rule of protocol http has matches");
  return declare_matches(model, &http, &rule->matches);
}

static int read_permission(const struct value *body, struct permission *permission) {
  struct model *model = &permission->model;
  int r = value_object(body, MEMBERS("destination", "sources", "rules"));
  if (r == 0)
    r = model_init(model);
  if (r < 0)
    return r;
  struct value destination = value_member(body, "destination");
  struct value sources = value_member(body, "sources"), rules = value_member(body, "rules");
  r = declare_account(model, &destination, &permission->destination);
  if (r == 0)
    r = declare_list(model, &sources, LIMIT_SOURCES, sizeof *permission->sources, declare_account, &permission->sources,
                     &permission->source_count);
  if (r < 0)
    return r;
  return declare_list(model, &rules, LIMIT_RULES, sizeof *permission->rules, declare_rule, &permission->rules,
                      &permission->rule_count);
}

int declare_permission(const json_t *body, struct permission **ret_permission, struct problem *problem) {
  _cleanup_(permission_destroy_p) struct permission *permission = calloc(1, sizeof *permission);
  if (!permission)
    return -ENOMEM;
  struct value root = value_root(body, problem);
  int r = read_permission(&root, permission);
  if (r == 0)
    *ret_permission = take(permission);
  return r;
}

/* A Quantity of Kubernetes, as SMI split v1alpha1 has weights. */
static int declare_quantity(struct model *model, const struct value *weight, struct backend *backend) {
  const char *text;
  uint64_t milli = 0;
  _cleanup_error_ struct error *err = NULL;
  int r = value_string(weight, LIMIT_QUANTITY, &text);
  if (r < 0)
    return r;
  if (quantity_parse_milli(text, &milli, &err) < 0)
    return value_complain(weight, "%s", error_message(err));
  if (milli > LIMIT_WEIGHT)
    return value_complain(weight, "a weight of at most %dm is expected here", LIMIT_WEIGHT);
  backend->weight = (uint32_t)milli;
  return copy_text(model, text, &backend->quantity);
}

static int declare_backend(struct model *model, const struct value *value, void *out) {
  struct backend *backend = out;
  int r = value_object(value, MEMBERS("service", "weight"));
  if (r == 0)
    r = declare_name(model, value, "service", LIMIT_NAME, &backend->service);
  if (r < 0)
    return r;
  struct value weight = value_member(value, "weight");
  if (json_is_string(weight.json))
    return declare_quantity(model, &weight, backend);
  int64_t number;
  r = value_integer(&weight, 0, LIMIT_WEIGHT, &number);
  if (r == 0)
    backend->weight = (uint32_t)number;
  return r;
}

static int check_backends(const struct value *list, const struct split *split) {
  for (size_t i = 0; i < split->backend_count; i++)
    for (size_t k = 0; k < i; k++)
      if (strcmp(split->backends[i].service, split->backends[k].service) == 0) {
        struct value item = value_item(list, i);
        return value_complain(&item, "the backend \"%s\" is listed twice", split->backends[i].service);
      }
  for (size_t i = 1; i < split->backend_count; i++)
    if (!split->backends[i].quantity != !split->backends[0].quantity)
      return value_complain(list, "weights are either all quantities or all whole numbers");
  return 0;
}

static int read_split(const struct value *body, struct split *split) {
  struct model *model = &split->model;
  int r = value_object(body, MEMBERS("service", "backends", "matches"));
  if (r == 0)
    r = model_init(model);
  if (r == 0)
    r = declare_name(model, body, "service", LIMIT_NAME, &split->service);
  if (r < 0)
    return r;
  struct value backends = value_member(body, "backends"), matches = value_member(body, "matches");
  r = declare_list(model, &backends, LIMIT_BACKENDS, sizeof *split->backends, declare_backend, &split->backends,
                   &split->backend_count);
  if (r == 0)
    r = check_backends(&backends, split);
  return r < 0 ? r : declare_matches(model, &matches, &split->matches);
}

int declare_split(const json_t *body, struct split **ret_split, struct problem *problem) {
  _cleanup_(split_destroy_p) struct split *split = calloc(1, sizeof *split);
  if (!split)
    return -ENOMEM;
  struct value root = value_root(body, problem);
  int r = read_split(&root, split);
  if (r == 0)
    *ret_split = take(split);
  return r;
}

static int declare_service_port(struct model *model, const struct value *value, void *out) {
  (void)model;
  struct service_port *port = out;
  int r = value_object(value, MEMBERS("port", "targetPort", "protocol"));
  if (r == 0)
    r = declare_member_port(value, "port", &port->port);
  if (r < 0)
    return r;
  struct value target = value_member(value, "targetPort");
  port->target = port->port;
  if (value_present(&target))
    r = value_port(&target, &port->target);
  return r < 0 ? r : declare_protocol(value, &port->protocol);
}

static int declare_workload_name(struct model *model, const struct value *value, void *out) {
  const char *name;
  int r = value_name(value, LIMIT_NAME, &name);
  return r < 0 ? r : copy_text(model, name, out);
}

static int read_service(const struct value *body, struct service *service) {
  struct model *model = &service->model;
  int r = value_object(body, MEMBERS("ports", "workloads"));
  if (r == 0)
    r = model_init(model);
  if (r < 0)
    return r;
  struct value ports = value_member(body, "ports"), workloads = value_member(body, "workloads");
  r = declare_list(model, &ports, LIMIT_PORTS, sizeof *service->ports, declare_service_port, &service->ports,
                   &service->port_count);
  if (r < 0)
    return r;
  return declare_list(model, &workloads, LIMIT_SERVICE_WORKLOADS, sizeof *service->workloads, declare_workload_name,
                      &service->workloads, &service->workload_count);
}

int declare_service(const json_t *body, struct service **ret_service, struct problem *problem) {
  _cleanup_(service_destroy_p) struct service *service = calloc(1, sizeof *service);
  if (!service)
    return -ENOMEM;
  struct value root = value_root(body, problem);
  int r = read_service(&root, service);
  if (r == 0)
    *ret_service = take(service);
  return r;
}

static int declare_address(const struct value *object, const char *key, bool loopback, struct in_addr *ret_address) {
  struct value value = value_member(object, key);
  const char *text;
  int r = value_string(&value, 64, &text);
  if (r < 0)
    return r;
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1 || (loopback && ntohl(address.s_addr) >> 24 != 127))
    return value_complain(&value, "%s is expected here, found \"%s\"",
                          loopback ? "a loopback address (127.x.y.z)" : "an IPv4 address", text);
  *ret_address = address;
  return 0;
}

static int declare_workload_port(struct model *model, const struct value *value, void *out) {
  (void)model;
  struct workload_port *port = out;
  int r = value_object(value, MEMBERS("port", "protocol"));
  if (r == 0)
    r = declare_member_port(value, "port", &port->port);
  return r < 0 ? r : declare_protocol(value, &port->protocol);
}

static int declare_upstream(struct model *model, const struct value *value, void *out) {
  struct upstream *upstream = out;
  int r = value_object(value, MEMBERS("namespace", "service", "port", "listen", "transport"));
  if (r == 0)
    r = declare_name(model, value, "namespace", LIMIT_NAMESPACE, &upstream->namespace);
  if (r == 0)
    r = declare_name(model, value, "service", LIMIT_NAME, &upstream->service);
  if (r == 0)
    r = declare_member_port(value, "port", &upstream->port);
  if (r == 0)
    r = declare_member_port(value, "listen", &upstream->listen);
  return r < 0 ? r : declare_transport(value, &upstream->transport);
}

/* Labels are kept in the body that GET reads back, where metrics look them up. */
static int check_labels(const struct value *labels) {
  if (!value_present(labels))
    return 0;
  if (!json_is_object(labels->json))
    return value_complain(labels, "labels are an object of strings");
  if (json_object_size(labels->json) > LIMIT_LABELS)
    return value_complain(labels, "at most %d labels are taken", LIMIT_LABELS);
  const char *key;
  json_t *label;
  json_object_foreach((json_t *)labels->json, key, label) {
    if (!json_is_string(label))
      return value_complain(labels, "labels are strings, \"%s\" is none", key);
  }
  struct value deployment = value_member(labels, LABEL_DEPLOYMENT);
  const char *name;
  return value_present(&deployment) ? value_name(&deployment, LIMIT_NAME, &name) : 0;
}

static int read_addresses(const struct value *body, bool loopback, struct workload_spec *spec) {
  int r = declare_address(body, "app", loopback, &spec->app);
  if (r == 0)
    r = declare_address(body, "inbound", loopback, &spec->inbound);
  if (r == 0)
    r = declare_address(body, "outbound", loopback, &spec->outbound);
  if (r == 0 && spec->app.s_addr == spec->inbound.s_addr) {
    struct value inbound = value_member(body, "inbound");
    return value_complain(&inbound, "the inbound address must differ from the app's: both listen on the same ports");
  }
  return r;
}

static int read_workload(const struct value *body, bool loopback, struct workload_spec *spec) {
  struct model *model = &spec->model;
  int r = value_object(body, MEMBERS("serviceAccount", "app", "inbound", "outbound", "labels", "ports", "upstreams"));
  if (r == 0)
    r = model_init(model);
  if (r == 0)
    r = declare_name(model, body, "serviceAccount", LIMIT_NAME, &spec->account);
  if (r == 0)
    r = read_addresses(body, loopback, spec);
  if (r < 0)
    return r;
  struct value labels = value_member(body, "labels"), ports = value_member(body, "ports");
  struct value upstreams = value_member(body, "upstreams");
  r = check_labels(&labels);
  if (r == 0)
    r = declare_list(model, &ports, LIMIT_PORTS, sizeof *spec->ports, declare_workload_port, &spec->ports,
                     &spec->port_count);
  if (r < 0)
    return r;
  return declare_list(model, &upstreams, LIMIT_UPSTREAMS, sizeof *spec->upstreams, declare_upstream, &spec->upstreams,
                      &spec->upstream_count);
}

int declare_workload(const json_t *body, bool loopback, struct workload_spec **ret_spec, struct problem *problem) {
  _cleanup_(workload_spec_destroy_p) struct workload_spec *spec = calloc(1, sizeof *spec);
  if (!spec)
    return -ENOMEM;
  struct value root = value_root(body, problem);
  int r = read_workload(&root, loopback, spec);
  if (r == 0)
    *ret_spec = take(spec);
  return r;
}

int declare_enforcement(const json_t *body, struct problem *problem) {
  struct value root = value_root(body, problem);
  int r = value_object(&root, MEMBERS("mode"));
  if (r < 0)
    return r;
  struct value mode = value_member(&root, "mode");
  const char *text;
  r = value_string(&mode, 16, &text);
  if (r < 0)
    return r;
  return strcmp(text, "deny") == 0 ? 0 : value_complain(&mode, "the mode is \"deny\", found \"%s\"", text);
}
