#include "sdk/kube/rules.h"

#include <stdlib.h>
#include <string.h>

static void cover(const struct kube_rules *rules, size_t rule, enum coverage_level level, const char *code,
                  const char *reason, const char *remedy) {
  coverage_add(rules->coverage,
               &(struct coverage){
                   .resource = &rules->target->meta, .level = level, .code = code, .reason = reason, .remedy = remedy},
               "/spec/rules/%zu", rule);
}

static void dangling(const struct kube_rules *rules, size_t index) {
  const struct smi_rule *rule = &rules->target->rules[index];
  cover(rules, index, COVERAGE_UNSUPPORTED, rules->code_dangling,
        arena_printf(call_arena(rules->coverage->call), "there is no %s %s in namespace %s", smi_kind_name(rule->kind),
                     rule->name, rules->target->meta.ns),
        "create it, or take the rule out");
}

static void collect_route(struct kube_rules *rules, struct kube_port_rules *routes, const char *name) {
  const struct smi_port_route *route = kube_port_route(rules->directory, routes->kind, rules->target->meta.ns, name);
  routes->written = true;
  if (!route)
    return;
  routes->limited = (routes->limited || !routes->found) && route->port_count > 0;
  routes->found = true;
  for (size_t i = 0; i < route->port_count; i++) {
    if (arena_reserve(call_arena(rules->coverage->call), (void **)&routes->ports, &routes->capacity, routes->port_count,
                      sizeof *routes->ports) < 0) {
      call_out_of_memory(rules->coverage->call);
      return;
    }
    routes->ports[routes->port_count++] = route->ports[i];
  }
}

static int by_value(const void *a, const void *b) {
  return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* So that the order of the rules changes nothing. */
static void sort(struct kube_port_rules *routes) {
  if (routes->port_count > 1)
    qsort(routes->ports, routes->port_count, sizeof *routes->ports, by_value);
}

static void add_match(struct kube_rules *rules, size_t rule, const struct smi_http_route_group *group, size_t index) {
  if (arena_reserve(call_arena(rules->coverage->call), (void **)&rules->matches, &rules->capacity, rules->match_count,
                    sizeof *rules->matches) < 0)
    call_out_of_memory(rules->coverage->call);
  else
    rules->matches[rules->match_count++] = (struct kube_match){group, index, rule, COVERAGE_EXACT};
}

static void no_such_match(const struct kube_rules *rules, size_t rule, size_t match) {
  const struct smi_rule *written = &rules->target->rules[rule];
  coverage_add(
      rules->coverage,
      &(struct coverage){.resource = &rules->target->meta,
                         .level = COVERAGE_UNSUPPORTED,
                         .code = rules->code_dangling,
                         .reason = arena_printf(call_arena(rules->coverage->call), "HTTPRouteGroup %s has no match %s",
                                                written->name, written->matches[match]),
                         .remedy = "name a match of the group, or none for all of them"},
      "/spec/rules/%zu/matches/%zu", rule, match);
}

static void read_http(struct kube_rules *rules, size_t index) {
  const struct smi_rule *rule = &rules->target->rules[index];
  const struct smi_http_route_group *group = kube_route_group(rules->directory, rules->target->meta.ns, rule->name);
  if (!group)
    return;
  for (size_t i = 0; rule->match_count == 0 && i < group->match_count; i++)
    add_match(rules, index, group, i);
  for (size_t i = 0; i < rule->match_count; i++) {
    const struct smi_http_match *match = smi_find_match(group, rule->matches[i]);
    if (match)
      add_match(rules, index, group, (size_t)(match - group->matches));
    else
      no_such_match(rules, index, i);
  }
}

/* TCPRoutes limit the HTTPRouteGroups beside them: without the routes, nothing is known of the limit. */
static bool limit_unknown(const struct kube_rules *rules) {
  return rules->tcp.written && !rules->tcp.found;
}

void kube_rules_read(struct kube_rules *rules) {
  rules->tcp = (struct kube_port_rules){.kind = SMI_TCP_ROUTE};
  rules->udp = (struct kube_port_rules){.kind = SMI_UDP_ROUTE};
  for (size_t i = 0; i < rules->target->rule_count; i++) {
    const struct smi_rule *rule = &rules->target->rules[i];
    rules->http_written |= rule->kind == SMI_HTTP_ROUTE_GROUP;
    if (rule->kind == SMI_TCP_ROUTE)
      collect_route(rules, &rules->tcp, rule->name);
    else if (rule->kind == SMI_UDP_ROUTE)
      collect_route(rules, &rules->udp, rule->name);
  }
  sort(&rules->tcp);
  sort(&rules->udp);
  for (size_t i = 0; !limit_unknown(rules) && i < rules->target->rule_count; i++)
    if (rules->target->rules[i].kind == SMI_HTTP_ROUTE_GROUP)
      read_http(rules, i);
}

bool kube_rules_open_nowhere(const struct kube_port_rules *routes) {
  return routes->limited && routes->destinations > 0 && routes->open == 0;
}

static size_t most(size_t a, size_t b) {
  return a > b ? a : b;
}

void kube_rules_ports(struct kube_rules *rules, struct kube_port_rules *routes, const struct kube_account *account,
                      struct kube_ports *ret_ports) {
  const enum port_protocol transport = routes->kind == SMI_UDP_ROUTE ? PORT_UDP : PORT_TCP;
  *ret_ports = (struct kube_ports){0};
  if (!routes->limited ||
      !kube_ports_resolve(rules->directory, account, routes->ports, routes->port_count, transport, ret_ports))
    return;
  routes->destinations++;
  routes->open += ret_ports->count;
  routes->most.renumbered = most(routes->most.renumbered, ret_ports->renumbered);
  routes->most.own = most(routes->most.own, ret_ports->own);
  routes->most.left_out = most(routes->most.left_out, ret_ports->left_out);
}

/* What a rule's matches came to. `meant` has the names that lead nowhere as well. */
struct tally {
  size_t meant, exact, carried;
};

static void cover_http(const struct kube_rules *rules, size_t index, const struct tally *tally) {
  const char *nothing = rules->code_nothing_left;
  if (!kube_route_group(rules->directory, rules->target->meta.ns, rules->target->rules[index].name))
    dangling(rules, index);
  else if (limit_unknown(rules))
    cover(rules, index, COVERAGE_UNSUPPORTED, nothing,
          "the TCPRoutes that limit its ports are not there, and without them it would allow every port",
          "create the TCPRoutes");
  else if (kube_rules_open_nowhere(&rules->tcp))
    cover(rules, index, COVERAGE_UNSUPPORTED, nothing,
          "none of the ports that limit it could be carried over, and without them it would allow every port", NULL);
  else if (tally->exact == tally->meant) /* also none of none: a group without matches matches nothing */
    cover(rules, index, COVERAGE_EXACT, NULL, NULL, NULL);
  else if (tally->carried == tally->meant)
    cover(rules, index, COVERAGE_APPROXIMATED, nothing, "some of its matches are carried over approximately", NULL);
  else if (tally->carried)
    cover(rules, index, COVERAGE_APPROXIMATED, nothing, "only some of its matches could be carried over", NULL);
  else
    cover(rules, index, COVERAGE_UNSUPPORTED, nothing, "none of its matches could be carried over", NULL);
}

/* How the ports were read. NULL: as they are. */
static const char *port_reading(const struct kube_port_rules *routes) {
  if (routes->most.renumbered && routes->most.own)
    return "ports are resolved through the Services of the destination to ports of its pods; a port that no Service of "
           "it has is taken as the pod's own";
  if (routes->most.renumbered)
    return "ports are resolved through the Services of the destination to ports of its pods";
  return routes->most.own ? "a port that no Service of the destination has is taken as the pod's own" : NULL;
}

static void cover_ports(const struct kube_rules *rules, size_t index, const struct kube_port_rules *routes) {
  static const char remedy[] = "give workloads with different ports ServiceAccounts of their own";
  if (!kube_port_route(rules->directory, routes->kind, rules->target->meta.ns, rules->target->rules[index].name))
    dangling(rules, index);
  else if (kube_rules_open_nowhere(routes))
    cover(rules, index, COVERAGE_UNSUPPORTED, rules->code_port_shared,
          "each of its ports is meant at some workloads of the destination's ServiceAccount, and is another thing at "
          "others",
          remedy);
  else if (routes->most.left_out)
    cover(rules, index, COVERAGE_APPROXIMATED, rules->code_port_shared,
          "ports that are meant at some workloads of the destination's ServiceAccount, and are another thing at "
          "others, are left out",
          remedy);
  else
    cover(rules, index, COVERAGE_EXACT, NULL, port_reading(routes), NULL);
}

static void cover_tcp(const struct kube_rules *rules, size_t index) {
  bool found =
      kube_port_route(rules->directory, SMI_TCP_ROUTE, rules->target->meta.ns, rules->target->rules[index].name);
  if (found && rules->http_written && !rules->http_carried && !kube_rules_open_nowhere(&rules->tcp))
    cover(rules, index, COVERAGE_UNSUPPORTED, rules->code_nothing_left,
          "the HTTPRouteGroups of its target are left out, and alone it would allow every request on its ports", NULL);
  else
    cover_ports(rules, index, &rules->tcp);
}

static void cover_udp(const struct kube_rules *rules, size_t index) {
  if (rules->no_udp)
    cover(rules, index, COVERAGE_UNSUPPORTED, rules->code_udp, rules->no_udp, NULL);
  else
    cover_ports(rules, index, &rules->udp);
}

static struct tally *tally_matches(struct kube_rules *rules) {
  struct tally *tallies = arena_array(call_arena(rules->coverage->call), rules->target->rule_count, sizeof *tallies);
  if (!tallies) {
    call_out_of_memory(rules->coverage->call);
    return NULL;
  }
  for (size_t i = 0; i < rules->match_count; i++) {
    struct tally *tally = &tallies[rules->matches[i].rule];
    tally->meant++;
    tally->exact += rules->matches[i].level == COVERAGE_EXACT;
    tally->carried += rules->matches[i].level != COVERAGE_UNSUPPORTED;
    rules->http_carried |= rules->matches[i].level != COVERAGE_UNSUPPORTED;
  }
  for (size_t i = 0; i < rules->target->rule_count; i++)
    if (rules->target->rules[i].match_count > tallies[i].meant)
      tallies[i].meant = rules->target->rules[i].match_count;
  return tallies;
}

void kube_rules_cover(struct kube_rules *rules) {
  struct tally *tallies = tally_matches(rules);
  for (size_t i = 0; tallies && i < rules->target->rule_count; i++)
    switch (rules->target->rules[i].kind) {
    case SMI_HTTP_ROUTE_GROUP:
      cover_http(rules, i, &tallies[i]);
      break;
    case SMI_TCP_ROUTE:
      cover_tcp(rules, i);
      break;
    case SMI_UDP_ROUTE:
      cover_udp(rules, i);
      break;
    case SMI_TRAFFIC_TARGET:
    case SMI_TRAFFIC_SPLIT:
    case SMI_IDENTITY_BINDING:
      break;
    }
}
