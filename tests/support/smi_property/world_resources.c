#include "tests/support/smi_property/samples.h"
#include "tests/support/smi_property/world_parts.h"

#include <string.h>

enum {
  GROUPS = 3, /* of a namespace, "g0" … */
  MATCHES = 4,
  ROUTES = 2, /* of each kind in a namespace, "tcp0", "udp0" … */
  RULES = 3,
  SOURCES = 3,
  BACKENDS = 4,
};

static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD"};
/* Two are one name, written differently. */
static const char *const header_names[] = {"x-user", "X-User", "x-env", "X-Role"};
static const uint16_t tcp_ports[] = {80, 8080, 81, 8081, 9000, 9001, 9100, 7777};
static const uint16_t udp_ports[] = {53, 9000, 5300, 7777};
static const uint64_t weights[] = {0, 0, 1, 1, 2, 5, 10, 50, 90, 100, 333, 500, 1000, 99999, 999983, 4294967296};

static struct smi_meta meta(enum smi_kind kind, const char *ns, const char *name) {
  const uint8_t alpha = kind == SMI_TRAFFIC_TARGET ? 3 : 4;
  return (struct smi_meta){.kind = kind, .version = {smi_kind_group(kind), alpha}, .name = name, .ns = ns};
}

static void add_methods(struct world *world, struct smi_http_match *match) {
  struct random *random = &world->random;
  const char **names = world_array(world, 3, sizeof *names);
  match->methods = names;
  size_t kind = random_below(random, 8);
  if (kind < 2) /* none: any */
    return;
  if (kind < 4) {
    names[match->method_count++] = "*";
    return;
  }
  size_t first = random_below(random, sizeof methods / sizeof *methods);
  for (size_t i = 4; i <= (kind < 6 ? kind : 6); i++)
    names[match->method_count++] = methods[(first + i) % (sizeof methods / sizeof *methods)];
  if (kind == 4 && random_chance(random, 1, 4))
    names[match->method_count++] = "*";
}

static void add_headers(struct world *world, struct smi_http_match *match) {
  struct random *random = &world->random;
  size_t count = random_chance(random, 2, 3) ? 0 : 1 + random_below(random, 2);
  struct smi_header *headers = world_array(world, count, sizeof *headers);
  for (size_t i = 0; i < count; i++)
    headers[i] = (struct smi_header){random_item(random, header_names), sample_header_regex(random)};
  match->headers = headers;
  match->header_count = count;
}

static void add_groups(struct world *world, const char *ns, struct smi_http_route_group *groups, size_t *count) {
  struct random *random = &world->random;
  for (size_t i = 0; i < GROUPS; i++) {
    struct smi_http_route_group *group = &groups[(*count)++];
    struct smi_http_match *matches = world_array(world, MATCHES, sizeof *matches);
    *group = (struct smi_http_route_group){.meta = meta(SMI_HTTP_ROUTE_GROUP, ns, world_text(world, "g%zu", i)),
                                           .matches = matches};
    group->match_count = random_chance(random, 1, 20) ? 0 : 1 + random_below(random, MATCHES);
    for (size_t j = 0; j < group->match_count; j++) {
      matches[j] =
          (struct smi_http_match){.name = world_text(world, "m%zu", j), .path_regex = sample_path_regex(random)};
      add_methods(world, &matches[j]);
      add_headers(world, &matches[j]);
    }
  }
}

static void add_port_routes(struct world *world, const char *ns, enum smi_kind kind, struct smi_port_route *routes,
                            size_t *count) {
  struct random *random = &world->random;
  const bool udp = kind == SMI_UDP_ROUTE;
  for (size_t i = 0; i < ROUTES; i++) {
    struct smi_port_route *route = &routes[(*count)++];
    uint16_t *ports = world_array(world, 3, sizeof *ports);
    *route = (struct smi_port_route){.meta = meta(kind, ns, world_text(world, "%s%zu", udp ? "udp" : "tcp", i)),
                                     .ports = ports};
    route->port_count = random_chance(random, 1, 4) ? 0 : 1 + random_below(random, 3);
    for (size_t j = 0; j < route->port_count; j++)
      ports[j] = udp ? random_item(random, udp_ports) : random_item(random, tcp_ports);
  }
}

static const char *route_name(struct world *world, enum smi_kind kind) {
  struct random *random = &world->random;
  bool dangling = random_chance(random, 1, 20);
  if (kind == SMI_HTTP_ROUTE_GROUP)
    return world_text(world, "g%zu", dangling ? GROUPS : random_below(random, GROUPS));
  return world_text(world, "%s%zu", kind == SMI_UDP_ROUTE ? "udp" : "tcp",
                    dangling ? ROUTES : random_below(random, ROUTES));
}

static void add_rules(struct world *world, struct smi_traffic_target *target) {
  static const enum smi_kind kinds[] = {SMI_HTTP_ROUTE_GROUP, SMI_HTTP_ROUTE_GROUP, SMI_HTTP_ROUTE_GROUP,
                                        SMI_TCP_ROUTE,        SMI_TCP_ROUTE,        SMI_UDP_ROUTE};
  struct random *random = &world->random;
  struct smi_rule *rules = world_array(world, RULES, sizeof *rules);
  target->rules = rules;
  target->rule_count = random_chance(random, 1, 2) ? 1 : 1 + random_below(random, RULES);
  for (size_t i = 0; i < target->rule_count; i++) {
    enum smi_kind kind = random_item(random, kinds);
    rules[i] = (struct smi_rule){.kind = kind, .name = route_name(world, kind)};
    if (kind != SMI_HTTP_ROUTE_GROUP || random_chance(random, 1, 2))
      continue;
    const char **names = world_array(world, 2, sizeof *names);
    rules[i].matches = names;
    rules[i].match_count = 1 + random_below(random, 2);
    for (size_t j = 0; j < rules[i].match_count; j++) /* also some that the group does not have */
      names[j] = world_text(world, "m%zu", random_below(random, random_chance(random, 1, 6) ? MATCHES : 2));
  }
}

static struct smi_subject subject(struct world *world, const char *ns) {
  struct random *random = &world->random;
  return (struct smi_subject){.kind = SMI_SERVICE_ACCOUNT,
                              .name = random_item(random, world_accounts),
                              .ns = random_chance(random, 3, 4) ? ns : random_item(random, world_namespaces)};
}

static void add_targets(struct world *world, size_t most) {
  struct random *random = &world->random;
  size_t count = most ? 1 + random_below(random, most) : 0;
  struct smi_traffic_target *targets = world_array(world, count, sizeof *targets);
  /* Few destinations, so that targets overlap. */
  const char *busy = random_item(random, world_namespaces);
  for (size_t i = 0; i < count; i++) {
    const char *ns = random_chance(random, 3, 4) ? busy : random_item(random, world_namespaces);
    struct smi_traffic_target *target = &targets[i];
    struct smi_subject *sources = world_array(world, SOURCES, sizeof *sources);
    *target = (struct smi_traffic_target){.meta = meta(SMI_TRAFFIC_TARGET, ns, world_text(world, "t%zu", i)),
                                          .destination = subject(world, ns),
                                          .sources = sources,
                                          .source_count = 1 + random_below(random, SOURCES)};
    for (size_t j = 0; j < target->source_count; j++)
      sources[j] = subject(world, ns);
    add_rules(world, target);
  }
  world->set.targets = targets;
  world->set.target_count = count;
}

static void add_backends(struct world *world, struct smi_traffic_split *split) {
  struct random *random = &world->random;
  struct smi_backend *backends = world_array(world, BACKENDS, sizeof *backends);
  const char *names[WORLD_ACCOUNTS + 1];
  memcpy(names, world_accounts, sizeof world_accounts);
  names[WORLD_ACCOUNTS] = WORLD_GHOST_SERVICE;
  split->backends = backends;
  split->backend_count = 1 + random_below(random, BACKENDS);
  for (size_t i = 0; i < split->backend_count; i++) {
    size_t rest = WORLD_ACCOUNTS + 1 - i;
    /* The ghost last and seldom. */
    size_t chosen = random_below(random, random_chance(random, 1, 8) ? rest : rest - 1);
    backends[i] = (struct smi_backend){.service = names[chosen], .weight = random_item(random, weights)};
    memmove(&names[chosen], &names[chosen + 1], (rest - chosen - 1) * sizeof *names);
  }
}

/* The root is of its own, so that no backend is a root: chains and two splits of one root are for lint. */
static void add_splits(struct world *world, size_t most) {
  struct random *random = &world->random;
  size_t count = most ? 1 + random_below(random, most < WORLD_NAMESPACES ? most : WORLD_NAMESPACES) : 0;
  struct smi_traffic_split *splits = world_array(world, count, sizeof *splits);
  for (size_t i = 0; i < count; i++) {
    struct smi_traffic_split *split = &splits[i];
    const char *ns = world_namespaces[i];
    const char **names = world_array(world, 2, sizeof *names);
    *split = (struct smi_traffic_split){.meta = meta(SMI_TRAFFIC_SPLIT, ns, world_text(world, "s%zu", i)),
                                        .service = WORLD_ROOT_SERVICE,
                                        .matches = names};
    add_backends(world, split);
    split->match_count = random_chance(random, 1, 2) ? 0 : 1 + random_below(random, 2);
    for (size_t j = 0; j < split->match_count; j++)
      names[j] = j == 0 ? route_name(world, SMI_HTTP_ROUTE_GROUP)
                        : world_text(world, "g%zu", (size_t)(names[0][1] - '0' + 1) % GROUPS);
  }
  world->set.splits = splits;
  world->set.split_count = count;
}

void world_add_resources(struct world *world, const struct world_options *options) {
  struct smi_http_route_group *groups = world_array(world, (size_t)WORLD_NAMESPACES * GROUPS, sizeof *groups);
  struct smi_port_route *routes = world_array(world, (size_t)WORLD_NAMESPACES * ROUTES * 2, sizeof *routes);
  struct smi_set *set = &world->set;
  set->route_groups = groups;
  set->port_routes = routes;
  for (size_t i = 0; i < WORLD_NAMESPACES; i++) {
    add_groups(world, world_namespaces[i], groups, &set->route_group_count);
    add_port_routes(world, world_namespaces[i], SMI_TCP_ROUTE, routes, &set->port_route_count);
    add_port_routes(world, world_namespaces[i], SMI_UDP_ROUTE, routes, &set->port_route_count);
  }
  add_targets(world, options->targets_max);
  add_splits(world, options->splits_max);
}
