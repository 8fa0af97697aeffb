#include "plugins/consul/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/consul/match.h"
#include "plugins/consul/named_subject.h"
#include "plugins/consul/reach.h"

/* A service of Consul that stands for a destination, or for one port of it. */
struct service {
  const char *ns;
  const char *name;
  bool meant;             /* its port is one of those that the target allows */
  bool http;              /* it can be asked for HTTP */
  struct verdict verdict; /* unsupported: it cannot be told whether it is meant */
};

/* What one target comes to. */
struct work {
  struct call *call;
  const struct directory *directory;
  struct intentions *intentions;
  struct protocols *protocols;
  const struct smi_traffic_target *target;
  size_t order;
  struct coverage_list *coverage; /* of the rules and their matches */
  struct coverage_list subjects;  /* stated after them */
  struct kube_identities destinations, sources;
  bool http_written, tcp_written;
  bool tcp_found;  /* at least one TCPRoute is there */
  bool all_ports;  /* one of them has no ports, which means all */
  uint16_t *ports; /* of the others, sorted */
  size_t port_count, port_capacity;
  struct permission *permissions; /* of its HTTPRouteGroups */
  size_t permission_count, permission_capacity;
  struct service *services; /* of the destinations */
  size_t service_count, service_capacity;
};

static struct verdict unsupported(const char *code, const char *reason, const char *remedy) {
  return (struct verdict){COVERAGE_UNSUPPORTED, code, reason ? reason : "out of memory", remedy};
}

static void cover(struct work *w, size_t rule, struct verdict verdict) {
  verdict_cover(w->coverage, &w->target->meta, verdict, "/spec/rules/%zu", rule);
}

static const struct smi_meta *route_of(const struct work *w, const struct smi_rule *rule) {
  return smi_index_get(&w->directory->kube.resources, rule->kind, w->target->meta.ns, rule->name);
}

static struct verdict dangling(struct work *w, const struct smi_rule *rule) {
  return unsupported(CODE_DANGLING,
                     arena_printf(call_arena(w->call), "there is no %s %s in namespace %s", smi_kind_name(rule->kind),
                                  rule->name, w->target->meta.ns),
                     "create it, or take the rule out");
}

static int by_value(const void *a, const void *b) {
  return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void collect_ports(struct work *w, const struct smi_rule *rule) {
  const struct smi_port_route *route = (const struct smi_port_route *)route_of(w, rule);
  w->tcp_written = true;
  if (!route)
    return;
  w->tcp_found = true;
  w->all_ports |= route->port_count == 0;
  for (size_t i = 0; i < route->port_count; i++) {
    if (arena_reserve(call_arena(w->call), (void **)&w->ports, &w->port_capacity, w->port_count, sizeof *w->ports) <
        0) {
      call_out_of_memory(w->call);
      w->port_count = 0;
      return;
    }
    w->ports[w->port_count++] = route->ports[i];
  }
}

static bool limited(const struct work *w) {
  return w->tcp_found && !w->all_ports;
}

/* Looks at the ports first: TCPRoutes limit the HTTPRouteGroups in the same target (docs/smi.md). */
static void collect_routes(struct work *w) {
  for (size_t i = 0; i < w->target->rule_count; i++) {
    const struct smi_rule *rule = &w->target->rules[i];
    w->http_written |= rule->kind == SMI_HTTP_ROUTE_GROUP;
    if (rule->kind == SMI_TCP_ROUTE)
      collect_ports(w, rule);
  }
  if (w->port_count)
    qsort(w->ports, w->port_count, sizeof *w->ports, by_value);
}

/* Whether the port of a service is meant. `only`: the port, or 0 for what the account has. */
static void judge_reach(const struct work *w, const struct kube_identity *destination, uint16_t only,
                        struct service *service) {
  static const char remedy[] = "name every port of the destination's workloads, or give the ports services and "
                               "ServiceAccounts of their own";
  struct arena *arena = call_arena(w->call);
  service->meant = true;
  if (!limited(w))
    return;
  switch (ports_reach(w->directory, destination, only, w->ports, w->port_count)) {
  case REACH_UNKNOWN:
    service->verdict = unsupported(
        CODE_PORT,
        arena_printf(arena, "a service of Consul has one port, and the inventory does not say which one %s has",
                     destination->name),
        "give the workloads with their ports, or allow all ports");
    break;
  case REACH_SOME:
    service->verdict =
        unsupported(CODE_PORT,
                    arena_printf(arena, "a service of Consul is all of %s, and only some of its ports are the route's",
                                 destination->name),
                    remedy);
    break;
  case REACH_NONE:
    service->meant = false;
    break;
  default:
    break;
  }
}

static void add_service(struct work *w, const struct service *service) {
  if (arena_reserve(call_arena(w->call), (void **)&w->services, &w->service_capacity, w->service_count,
                    sizeof *w->services) < 0)
    call_out_of_memory(w->call);
  else
    w->services[w->service_count++] = *service;
}

/* All of an account as one service. */
static void add_account(struct work *w, const struct kube_identity *destination, const struct account_ports *ports) {
  struct service service = {.ns = destination->ns,
                            .name = destination->name,
                            .http = ports->count == 0 || ports->http, /* not known: it is made so */
                            .verdict = VERDICT_EXACT};
  if (ports->count > 1)
    service.verdict =
        (struct verdict){COVERAGE_APPROXIMATED, CODE_PORT,
                         arena_printf(call_arena(w->call),
                                      "%s has several ports, of which a service of Consul carries one: the others "
                                      "cannot be reached through the mesh",
                                      destination->name),
                         "give the ports services and ServiceAccounts of their own"};
  judge_reach(w, destination, 0, &service);
  add_service(w, &service);
}

/* One port of an account as a service of its own. */
static void add_port(struct work *w, const struct kube_identity *destination, uint16_t port) {
  struct account_ports own;
  const struct kube_identity named = {destination->ns, directory_port_name(w->directory, destination->name, port)};
  struct service service = {.ns = named.ns, .name = named.name, .verdict = VERDICT_EXACT};
  if (!named.name || !ports_of(w->directory, destination, port, &own))
    return;
  service.http = own.http;
  judge_reach(w, destination, port, &service);
  if (service.verdict.level == COVERAGE_EXACT)
    service.verdict = directory_judge_port_name(w->directory, &named);
  add_service(w, &service);
}

static void collect_services(struct work *w) {
  for (size_t i = 0; i < w->destinations.count; i++) {
    const struct kube_identity *destination = &w->destinations.items[i];
    struct account_ports ports;
    if (!ports_of(w->directory, destination, 0, &ports))
      return;
    if (!w->directory->config->each_port || ports.count < 2)
      add_account(w, destination, &ports);
    for (size_t j = 0; w->directory->config->each_port && ports.count > 1 && j < ports.count; j++)
      add_port(w, destination, ports.ports[j]);
  }
}

static bool permitted(const struct service *service, bool http) {
  return service->meant && service->verdict.level != COVERAGE_UNSUPPORTED && (!http || service->http);
}

/* Permissions of HTTP on a service of TCP deny everything, and its own protocol would not pass any more; on a port that
 * is not meant nothing is allowed anyway. */
static struct verdict nothing_meant(struct work *w, bool http) {
  const char *name = w->destinations.items[0].name;
  for (size_t i = 0; i < w->service_count; i++)
    if (w->services[i].meant && http)
      return unsupported(
          CODE_PROTOCOL,
          arena_printf(call_arena(w->call), "%s has no port of HTTP, and routes of HTTP on TCP deny", name),
          "use a TCPRoute, or mark the port as one of HTTP");
  return unsupported(CODE_PORT,
                     arena_printf(call_arena(w->call),
                                  "a service of Consul has one port, and that of %s is none of "
                                  "the route's",
                                  name),
                     "name the port of the destination");
}

/* Of all services together: unsupported when none is left, less than exact when one is. */
static struct verdict overall(struct work *w, bool http) {
  struct verdict worst = VERDICT_EXACT;
  size_t left = 0, meant = 0;
  for (size_t i = 0; i < w->service_count; i++) {
    const struct service *service = &w->services[i];
    left += permitted(service, http);
    if (!service->meant || (http && !service->http))
      continue;
    meant++;
    if (service->verdict.level > worst.level)
      worst = service->verdict;
  }
  if (meant == 0 && w->service_count > 0)
    return nothing_meant(w, http);
  if (worst.level == COVERAGE_UNSUPPORTED && left > 0)
    worst.level = COVERAGE_APPROXIMATED;
  return worst;
}

static bool keep_permission(struct work *w, const struct smi_http_route_group *group, size_t match, json_t *criteria) {
  if (!intentions_keep(w->intentions, criteria))
    return false;
  if (arena_reserve(call_arena(w->call), (void **)&w->permissions, &w->permission_capacity, w->permission_count,
                    sizeof *w->permissions) < 0) {
    call_out_of_memory(w->call);
    return false;
  }
  w->permissions[w->permission_count++] = (struct permission){&group->meta, match, criteria};
  return true;
}

/* One match of a group; true when it is carried over. What is not is covered: matches are OR'd, so that it narrows. */
static bool add_match(struct work *w, const struct smi_http_route_group *group, size_t match) {
  struct verdict verdict;
  json_t *criteria = match_criteria(w->call, &group->matches[match], &verdict);
  bool carried = criteria && keep_permission(w, group, match, criteria);
  verdict_cover(w->coverage, &group->meta, verdict, "/spec/matches/%zu", match);
  return carried;
}

static size_t add_named_matches(struct work *w, size_t index, const struct smi_http_route_group *group) {
  const struct smi_rule *rule = &w->target->rules[index];
  size_t carried = 0;
  for (size_t i = 0; i < rule->match_count; i++) {
    const struct smi_http_match *match = smi_find_match(group, rule->matches[i]);
    if (match)
      carried += add_match(w, group, (size_t)(match - group->matches));
    else
      verdict_cover(w->coverage, &w->target->meta,
                    unsupported(CODE_DANGLING,
                                arena_printf(call_arena(w->call), "HTTPRouteGroup %s has no match %s", rule->name,
                                             rule->matches[i]),
                                "name a match of the group, or none for all of them"),
                    "/spec/rules/%zu/matches/%zu", index, i);
  }
  return carried;
}

static size_t add_matches(struct work *w, size_t index, const struct smi_http_route_group *group) {
  if (w->target->rules[index].match_count)
    return add_named_matches(w, index, group);
  size_t carried = 0;
  for (size_t i = 0; i < group->match_count; i++)
    carried += add_match(w, group, i);
  return carried;
}

/* Why no match of an HTTPRouteGroup can be carried over, whatever it says. Exact: nothing is in the way. */
static struct verdict http_obstacle(struct work *w, const struct smi_rule *rule) {
  if (!route_of(w, rule))
    return dangling(w, rule);
  if (w->directory->config->old)
    return unsupported(CODE_GENERATION, "Consul 1.8 has no intentions for HTTP, and one for all of it would be wider",
                       "use Consul 1.9 or newer, or a TCPRoute");
  if (w->directory->config->built_in)
    return unsupported(CODE_PROXY, "`consul connect proxy` carries connections, and does not look at requests",
                       "use Envoy, and set the option proxies, or use a TCPRoute");
  if (w->tcp_written && !w->tcp_found)
    return unsupported(CODE_NOTHING_LEFT,
                       "the TCPRoutes that limit its ports are not there, and without them it would allow every port",
                       "create the TCPRoutes");
  return overall(w, true);
}

static void translate_http(struct work *w, size_t index) {
  const struct smi_rule *rule = &w->target->rules[index];
  struct verdict verdict = http_obstacle(w, rule);
  if (verdict.level == COVERAGE_UNSUPPORTED) {
    cover(w, index, verdict);
    return;
  }
  const struct smi_http_route_group *group = (const struct smi_http_route_group *)route_of(w, rule);
  size_t meant = rule->match_count ? rule->match_count : group->match_count;
  size_t carried = add_matches(w, index, group);
  if (meant && carried == 0)
    verdict = unsupported(CODE_NOTHING_LEFT, "none of its matches could be carried over", NULL);
  else if (carried < meant)
    verdict = (struct verdict){COVERAGE_APPROXIMATED, CODE_NOTHING_LEFT,
                               "only some of its matches could be carried over", NULL};
  cover(w, index, verdict);
}

static void translate_tcp(struct work *w, size_t index) {
  const struct smi_rule *rule = &w->target->rules[index];
  if (!route_of(w, rule))
    cover(w, index, dangling(w, rule));
  else if (w->http_written && w->permission_count == 0)
    cover(w, index,
          unsupported(CODE_NOTHING_LEFT,
                      "the HTTPRouteGroups of its target are left out, and alone it would allow every request", NULL));
  else
    cover(w, index, overall(w, w->http_written));
}

static void translate_rules(struct work *w) {
  for (size_t i = 0; i < w->target->rule_count; i++)
    if (w->target->rules[i].kind == SMI_HTTP_ROUTE_GROUP)
      translate_http(w, i);
  for (size_t i = 0; i < w->target->rule_count; i++) {
    if (w->target->rules[i].kind == SMI_TCP_ROUTE)
      translate_tcp(w, i);
    else if (w->target->rules[i].kind == SMI_UDP_ROUTE)
      cover(w, i,
            route_of(w, &w->target->rules[i])
                ? unsupported(CODE_UDP, "Consul's mesh does not carry UDP", "keep UDP out of the mesh")
                : dangling(w, &w->target->rules[i]));
  }
}

static void grant_service(struct work *w, const struct service *service) {
  if (w->http_written && w->sources.count)
    protocols_need(w->protocols, service->ns, service->name, &w->target->meta);
  for (size_t i = 0; i < w->sources.count; i++)
    intentions_grant(w->intentions, &(struct grant){.destination = {service->ns, service->name},
                                                    .source = w->sources.items[i],
                                                    .target = &w->target->meta,
                                                    .target_order = w->order,
                                                    .permissions = w->permissions,
                                                    .permission_count = w->permission_count});
}

static void grant(struct work *w) {
  bool http = w->http_written;
  if (http ? w->permission_count == 0 : !w->tcp_found)
    return;
  for (size_t i = 0; i < w->service_count; i++)
    if (permitted(&w->services[i], http))
      grant_service(w, &w->services[i]);
}

static void resolve_subjects(struct work *w) {
  named_subject_resolve(w->directory, w->target, &w->target->destination, "/spec/destination", &w->subjects,
                        &w->destinations);
  for (size_t i = 0; i < w->target->source_count; i++) {
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/spec/sources/%zu", i);
    named_subject_resolve(w->directory, w->target, &w->target->sources[i], pointer, &w->subjects, &w->sources);
  }
  kube_identities_sort(&w->destinations);
  kube_identities_sort(&w->sources);
}

/* Rules whose subjects are all left out are in force nowhere, and not because someone wrote it so. */
static void judge_subjects(struct work *w) {
  if (w->destinations.count == 0 || (w->sources.count == 0 && w->target->source_count)) {
    static const char reason[] = "no destination or no source of its target could be carried over";
    coverage_withdraw(w->coverage, CODE_NOTHING_LEFT, reason);
    coverage_withdraw(&w->subjects, CODE_NOTHING_LEFT, reason);
  } else if (!w->directory->config->acls) {
    verdict_lower(w->coverage,
                  (struct verdict){COVERAGE_APPROXIMATED, CODE_UNVERIFIED,
                                   "without ACLs any workload can register under the name of a source, which is all "
                                   "the identity that Consul has",
                                   "turn ACLs on, and set the option acls"});
  }
  for (size_t i = 0; i < w->subjects.count; i++)
    coverage_add(w->coverage, &w->subjects.items[i], "%s", w->subjects.items[i].pointer);
}

void target_translate(struct intentions *intentions, struct protocols *protocols, size_t index,
                      struct coverage_list *coverage) {
  const struct directory *directory = intentions->directory;
  struct work w = {.call = directory->call,
                   .directory = directory,
                   .intentions = intentions,
                   .protocols = protocols,
                   .target = &directory->request->smi.targets[index],
                   .order = index,
                   .coverage = coverage,
                   .subjects.call = directory->call};
  resolve_subjects(&w);
  collect_routes(&w);
  collect_services(&w);
  translate_rules(&w);
  grant(&w);
  judge_subjects(&w);
}
