#include "tests/unit/consul/consul_mesh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A service of Consul. */
struct identity {
  char name[300];
  const char *ns;
};

/* Custom resources write "pathRegex" where the HTTP API writes "PathRegex". */
static json_t *get(const json_t *object, const char *key) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)object, name, value) {
    if (strcasecmp(name, key) == 0)
      return value;
  }
  return NULL;
}

static const char *text(const json_t *object, const char *key) {
  const char *value = json_string_value(get(object, key));
  return value ? value : "";
}

/* The content, and the name, of an entry of this kind; NULL: it is of another. */
static const json_t *entry_of(const json_t *body, const char *resource, const char *kind, const char **ret_name,
                              const char **ret_ns) {
  if (strcmp(text(body, "kind"), resource) == 0) {
    const json_t *metadata = get(body, "metadata"), *destination = get(get(body, "spec"), "destination");
    *ret_name = text(destination ? destination : metadata, "name");
    *ret_ns = text(metadata, "namespace");
    return get(body, "spec");
  }
  if (strcmp(text(body, "kind"), kind) != 0)
    return NULL;
  *ret_name = text(body, "name");
  *ret_ns = text(body, "namespace");
  return body;
}

static bool same_ns(const struct consul_mesh *mesh, const char *a, const char *b) {
  return !mesh->namespaces || strcmp(a, b) == 0;
}

/* The entry of a service; NULL: none. */
static const json_t *find_entry(const struct consul_mesh *mesh, const char *resource, const char *kind, const char *ns,
                                const char *service) {
  size_t i;
  json_t *body;
  json_array_foreach(mesh->translated->objects, i, body) {
    const char *name = "", *where = "";
    const json_t *entry = entry_of(body, resource, kind, &name, &where);
    if (entry && strcmp(name, service) == 0 && same_ns(mesh, where, ns))
      return entry;
  }
  return NULL;
}

/* How specific an intention is for a call: 9, 8, 6 or 5; 0: it is not for it. */
static int precedence(const struct consul_mesh *mesh, const char *to, const char *to_ns, const json_t *source,
                      const struct identity *caller, const struct identity *callee) {
  const char *from = text(source, "name"), *from_ns = text(source, "namespace");
  bool any_to = strcmp(to, "*") == 0, any_from = strcmp(from, "*") == 0;
  if ((!any_to && strcmp(to, callee->name) != 0) || !same_ns(mesh, to_ns, callee->ns))
    return 0;
  if (!any_from && (strcmp(from, caller->name) != 0 || !same_ns(mesh, from_ns, caller->ns)))
    return 0;
  if (any_from && mesh->namespaces && strcmp(from_ns, "*") != 0 && strcmp(from_ns, caller->ns) != 0)
    return 0;
  return any_to ? (any_from ? 5 : 6) : (any_from ? 8 : 9);
}

/* The most specific intention for a call, as a source of a config entry; NULL: none. */
static const json_t *find_intention(const struct consul_mesh *mesh, const struct identity *caller,
                                    const struct identity *callee, json_t **ret_made) {
  const json_t *best = NULL;
  int most = 0;
  size_t i, j;
  json_t *body, *source;
  json_array_foreach(mesh->translated->objects, i, body) {
    const char *to = "", *to_ns = "";
    const json_t *entry = entry_of(body, "ServiceIntentions", "service-intentions", &to, &to_ns);
    json_array_foreach(entry ? get(entry, "sources") : NULL, j, source) {
      int here = precedence(mesh, to, to_ns, source, caller, callee);
      if (here > most) {
        most = here;
        best = source;
      }
    }
    if (*text(body, "DestinationName")) { /* Consul 1.8 */
      json_t *old = json_pack("{s:s, s:s}", "name", text(body, "SourceName"), "action", text(body, "Action"));
      int here = precedence(mesh, text(body, "DestinationName"), "", old, caller, callee);
      assert_int_equal(json_array_append_new(*ret_made, old), 0);
      if (here > most) {
        most = here;
        best = old;
      }
    }
  }
  return best;
}

static bool header_matches(const json_t *criterion, const struct request_http *http) {
  const char *value = request_header(http, text(criterion, "name"));
  return value && oracle_regex(text(criterion, "regex"), value, true);
}

static bool method_matches(const json_t *methods, const char *method) {
  size_t i;
  json_t *item;
  json_array_foreach(methods, i, item) {
    if (strcmp(json_string_value(item), method) == 0)
      return true;
  }
  return json_array_size(methods) == 0;
}

static bool criteria_match(const json_t *criteria, const struct request_http *http) {
  const char *exact = json_string_value(get(criteria, "pathExact"));
  const char *prefix = json_string_value(get(criteria, "pathPrefix"));
  const char *regex = json_string_value(get(criteria, "pathRegex"));
  size_t i;
  json_t *header;
  assert_true(json_object_size(criteria) > 0); /* Consul refuses it */
  assert_true((exact != NULL) + (prefix != NULL) + (regex != NULL) <= 1);
  if ((exact && strcmp(http->path, exact) != 0) || (prefix && strncmp(http->path, prefix, strlen(prefix)) != 0) ||
      (regex && !oracle_regex(regex, http->path, true)))
    return false;
  json_array_foreach(get(criteria, "header"), i, header) {
    if (!header_matches(header, http))
      return false;
  }
  return method_matches(get(criteria, "methods"), http->method);
}

/* The first that matches decides. */
static bool permitted(const struct consul_mesh *mesh, const json_t *permissions, const struct request_http *http) {
  size_t i;
  json_t *permission;
  json_array_foreach(permissions, i, permission) {
    if (criteria_match(get(permission, "http"), http))
      return strcmp(text(permission, "action"), "allow") == 0;
  }
  return mesh->default_allow;
}

static bool runs_as(const struct inventory_workload *a, const struct inventory_workload *b) {
  return strcmp(a->ns, b->ns) == 0 && strcmp(a->service_account, b->service_account) == 0;
}

/* Whether workloads that run as the same account have different ports. */
static bool has_several_ports(const struct consul_mesh *mesh, const struct inventory_workload *workload) {
  const struct inventory *inventory = &mesh->world->inventory;
  unsigned first = 0;
  for (size_t i = 0; i < inventory->workload_count; i++)
    for (size_t j = 0; runs_as(&inventory->workloads[i], workload) && j < inventory->workloads[i].port_count; j++) {
      const struct inventory_port *port = &inventory->workloads[i].ports[j];
      if (port->protocol == PORT_UDP || port->port == first)
        continue;
      if (first)
        return true;
      first = port->port;
    }
  return false;
}

/* consul-k8s registers a workload as the Services that select it, which with ACLs have to have its account's name; one
 * that none selects may be registered by its account. */
static bool is_registered(const struct consul_mesh *mesh, const struct inventory_workload *workload) {
  const struct inventory *inventory = &mesh->world->inventory;
  bool selected = false;
  for (size_t i = 0; i < inventory->service_count; i++)
    for (size_t j = 0; j < inventory->services[i].workload_count; j++) {
      const struct inventory_service *service = &inventory->services[i];
      if (strcmp(service->ns, workload->ns) != 0 || strcmp(service->workloads[j], workload->name) != 0)
        continue;
      if (strcmp(service->name, workload->service_account) == 0)
        return true;
      selected = true;
    }
  return !selected;
}

/* The service that carries the port; false: none does. */
static bool find_callee(const struct consul_mesh *mesh, const struct request *request, struct identity *ret_callee) {
  const struct inventory_workload *workload = request->destination;
  if (!is_registered(mesh, workload))
    return false;
  ret_callee->ns = workload->ns;
  bool several = has_several_ports(mesh, workload);
  if (several && mesh->each_port) {
    (void)snprintf(ret_callee->name, sizeof ret_callee->name, "%s-%u", workload->service_account, request->port);
    return true;
  }
  (void)snprintf(ret_callee->name, sizeof ret_callee->name, "%s", workload->service_account);
  for (size_t i = 0; i < workload->port_count; i++)
    if (workload->ports[i].protocol != PORT_UDP)
      return workload->ports[i].port == request->port; /* the first */
  return false;
}

bool consul_admits(const struct consul_mesh *mesh, const struct request *request) {
  struct identity callee, caller = {.ns = request->source_ns};
  (void)snprintf(caller.name, sizeof caller.name, "%s", request->source_account);
  if (!find_callee(mesh, request, &callee))
    return false;
  const json_t *defaults = find_entry(mesh, "ServiceDefaults", "service-defaults", callee.ns, callee.name);
  bool asked = request->protocol == PORT_HTTP;
  bool http = strcmp(text(defaults, "protocol"), "http") == 0 || (mesh->http_by_others && asked);
  if (http && !asked)
    return false; /* not what its proxy speaks */
  json_t *made = json_array();
  const json_t *intention = find_intention(mesh, &caller, &callee, &made);
  const json_t *permissions = get(intention, "permissions");
  bool admitted = mesh->default_allow;
  if (permissions) {
    assert_null(get(intention, "action")); /* they exclude each other */
    admitted = http && permitted(mesh, permissions, &request->http);
  } else if (intention) {
    admitted = strcmp(text(intention, "action"), "allow") == 0;
  }
  json_decref(made);
  return admitted;
}

static uint16_t first_port(const struct consul_mesh *mesh, const char *ns, const char *name) {
  const struct inventory_service *service = inventory_service(&mesh->world->inventory, ns, name);
  for (size_t i = 0; service && i < service->port_count; i++)
    if (service->ports[i].protocol != PORT_UDP)
      return service->ports[i].target_port ? service->ports[i].target_port : service->ports[i].port;
  return 0;
}

/* A splitter leads to the splitters of its backends, and else to their instances. */
static void follow(const struct consul_mesh *mesh, const char *ns, const char *service, double part, unsigned depth,
                   struct shares *shares) {
  const json_t *splitter = find_entry(mesh, "ServiceSplitter", "service-splitter", ns, service);
  size_t i;
  json_t *split;
  assert_true(depth < 4);
  if (splitter) {
    json_array_foreach(get(splitter, "splits"), i, split) follow(
        mesh, ns, text(split, "service"), part * json_number_value(get(split, "weight")) / 100, depth + 1, shares);
    return;
  }
  if (part <= 0)
    return;
  const struct inventory_service *found = inventory_service(&mesh->world->inventory, ns, service);
  const struct share share = {found ? found->name : "", first_port(mesh, ns, service), (uint64_t)(part * 10000 + 0.5),
                              ORACLE_NONE};
  assert_true(shares->count < SHARES_MAX);
  shares->items[shares->count++] = share;
  shares->sum += share.weight;
}

void consul_shares(const struct consul_mesh *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  const char *ns = request->service->ns, *service = request->service->name;
  const json_t *router = find_entry(mesh, "ServiceRouter", "service-router", ns, service);
  bool carried = request->port->protocol == PORT_HTTP;
  size_t i;
  json_t *route;
  *ret_shares = (struct shares){0};
  if (carried) {
    json_array_foreach(get(router, "routes"), i, route) {
      if (criteria_match(get(get(route, "match"), "http"), &request->http)) {
        follow(mesh, ns, text(get(route, "destination"), "service"), 1, 0, ret_shares);
        return;
      }
    }
  }
  if (carried && find_entry(mesh, "ServiceSplitter", "service-splitter", ns, service)) {
    follow(mesh, ns, service, 1, 0, ret_shares);
    return;
  }
  uint16_t port = request->port->target_port ? request->port->target_port : request->port->port;
  ret_shares->items[0] = (struct share){service, port, 1, ORACLE_NONE};
  ret_shares->count = 1;
  ret_shares->sum = 1;
}
