#include "plugins/reference/target.h"

#include <stdio.h>
#include <string.h>

#include "plugins/reference/match.h"
#include "plugins/reference/ports.h"
#include "plugins/reference/reference.h"
#include "plugins/reference/subject.h"

/* The routes of a target that are lists of ports: its TCPRoutes, or its UDPRoutes. */
struct port_routes {
  enum smi_kind kind;
  struct port_list ports;               /* as written */
  struct port_resolution *resolutions;  /* of each destination, when the ports are limited */
  struct port_resolution resolved_most; /* the most of each count */
  bool written;
  bool found;        /* at least one of them is there */
  bool all_ports;    /* one of them has no ports, which means all */
  bool open_nowhere; /* the ports are limited, and none is open at any destination */
};

/* What one target comes to. */
struct work {
  struct call *call;
  const struct translate_request *request;
  const struct lookup *lookup;
  const struct smi_traffic_target *target;
  struct coverage_list coverage;
  struct coverage_list subject_coverage; /* stated after the rules' */
  struct accounts destinations, sources;
  struct port_routes tcp, udp;
  bool http_written;
  json_t *rules; /* without their ports */
};

static void cover(struct work *w, size_t rule, enum coverage_level level, const char *code, const char *reason,
                  const char *remedy) {
  coverage_add(&w->coverage,
               &(struct coverage){
                   .resource = &w->target->meta, .level = level, .code = code, .reason = reason, .remedy = remedy},
               "/spec/rules/%zu", rule);
}

static void dangling(struct work *w, size_t index) {
  const struct smi_rule *rule = &w->target->rules[index];
  const char *reason = arena_printf(call_arena(w->call), "there is no %s %s in namespace %s", smi_kind_name(rule->kind),
                                    rule->name, w->target->meta.ns);
  cover(w, index, COVERAGE_UNSUPPORTED, CODE_DANGLING, reason, "create it, or take the rule out");
}

static void collect_route(struct work *w, struct port_routes *routes, const char *name) {
  routes->written = true;
  const struct smi_port_route *route = lookup_port_route(w->lookup, routes->kind, w->target->meta.ns, name);
  if (!route)
    return;
  routes->found = true;
  routes->all_ports |= route->port_count == 0;
  for (size_t i = 0; i < route->port_count; i++)
    if (!ports_add(call_arena(w->call), &routes->ports, route->ports[i]))
      call_out_of_memory(w->call);
}

/* Looks at the ports first: TCPRoutes limit the HTTPRouteGroups in the same target. */
static void collect_ports(struct work *w) {
  for (size_t i = 0; i < w->target->rule_count; i++) {
    const struct smi_rule *rule = &w->target->rules[i];
    w->http_written |= rule->kind == SMI_HTTP_ROUTE_GROUP;
    if (rule->kind == SMI_TCP_ROUTE)
      collect_route(w, &w->tcp, rule->name);
    else if (rule->kind == SMI_UDP_ROUTE)
      collect_route(w, &w->udp, rule->name);
  }
  ports_sort(&w->tcp.ports); /* so that the order of the rules changes nothing */
  ports_sort(&w->udp.ports);
}

static bool limited(const struct port_routes *routes) {
  return routes->found && !routes->all_ports;
}

static size_t most(size_t a, size_t b) {
  return a > b ? a : b;
}

/* The ports of Services as ports of each destination's workloads. */
static void resolve_ports(struct work *w, struct port_routes *routes) {
  struct arena *arena = call_arena(w->call);
  if (!limited(routes))
    return;
  routes->resolutions = arena_array(arena, w->destinations.count, sizeof *routes->resolutions);
  size_t open = 0;
  for (size_t i = 0; routes->resolutions && i < w->destinations.count; i++) {
    struct port_resolution *r = &routes->resolutions[i];
    if (!ports_resolve(arena, &w->request->inventory, &w->destinations.items[i], &routes->ports, r)) {
      call_out_of_memory(w->call);
      return;
    }
    routes->resolved_most.resolved = most(routes->resolved_most.resolved, r->resolved);
    routes->resolved_most.own = most(routes->resolved_most.own, r->own);
    routes->resolved_most.left_out = most(routes->resolved_most.left_out, r->left_out);
    open += r->open.count;
  }
  routes->open_nowhere = w->destinations.count > 0 && open == 0;
  if (!routes->resolutions)
    call_out_of_memory(w->call);
}

/* Without its ports, which are of each destination. Takes `matches` (NULL: not of HTTP). */
static void append_rule(struct work *w, const char *protocol, json_t *matches) {
  json_t *rule = json_pack("{s:s}", "protocol", protocol);
  int failed = rule ? 0 : -1;
  if (matches)
    failed |= json_object_set(rule, "http", matches);
  if (!failed)
    failed |= json_array_append(w->rules, rule);
  json_decref(rule);
  json_decref(matches);
  if (failed)
    call_out_of_memory(w->call);
}

/* The matches that a rule names, or all of its group; what cannot be carried over is covered and left out. Returns how
 * many were meant. */
static size_t collect_matches(struct work *w, size_t index, const struct smi_http_route_group *group, json_t *matches) {
  const struct smi_rule *rule = &w->target->rules[index];
  for (size_t i = 0; rule->match_count == 0 && i < group->match_count; i++)
    match_append(&w->coverage, group, i, matches);
  for (size_t i = 0; i < rule->match_count; i++) {
    const struct smi_http_match *match = smi_find_match(group, rule->matches[i]);
    if (match) {
      match_append(&w->coverage, group, (size_t)(match - group->matches), matches);
      continue;
    }
    coverage_add(&w->coverage,
                 &(struct coverage){.resource = &w->target->meta,
                                    .level = COVERAGE_UNSUPPORTED,
                                    .code = CODE_DANGLING,
                                    .reason = arena_printf(call_arena(w->call), "HTTPRouteGroup %s has no match %s",
                                                           rule->name, rule->matches[i]),
                                    .remedy = "name a match of the group, or none for all of them"},
                 "/spec/rules/%zu/matches/%zu", index, i);
  }
  return rule->match_count ? rule->match_count : group->match_count;
}

static void translate_http(struct work *w, size_t index) {
  const struct smi_rule *rule = &w->target->rules[index];
  const struct smi_http_route_group *group = lookup_route_group(w->lookup, w->target->meta.ns, rule->name);
  if (!group) {
    dangling(w, index);
    return;
  }
  if (w->tcp.written && !w->tcp.found) {
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "the TCPRoutes that limit its ports are not there, and without them it would allow every port",
          "create the TCPRoutes");
    return;
  }
  if (w->tcp.open_nowhere) {
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "none of the ports that limit it could be carried over, and without them it would allow every port", NULL);
    return;
  }
  json_t *matches = json_array();
  if (!matches) {
    call_out_of_memory(w->call);
    return;
  }
  size_t meant = collect_matches(w, index, group, matches);
  size_t carried = json_array_size(matches);
  if (carried)
    append_rule(w, "http", matches);
  else
    json_decref(matches);
  if (carried == meant) /* also none of none: a group without matches matches nothing, and no rule says exactly that */
    cover(w, index, COVERAGE_EXACT, NULL, NULL, NULL);
  else if (carried)
    cover(w, index, COVERAGE_APPROXIMATED, CODE_NOTHING_LEFT, "only some of its matches could be carried over", NULL);
  else
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT, "none of its matches could be carried over", NULL);
}

/* How the ports were read, for the coverage of the routes. NULL: as they are. */
static const char *port_reading(const struct port_routes *routes) {
  if (!limited(routes))
    return NULL;
  if (routes->resolved_most.resolved && routes->resolved_most.own)
    return "ports are resolved through the Services of the destination to ports of its workloads; a port that no "
           "Service of it has is taken as the workload's own";
  if (routes->resolved_most.resolved)
    return "ports are resolved through the Services of the destination to ports of its workloads";
  return routes->resolved_most.own ? "a port that no Service of the destination has is taken as the workload's own"
                                   : NULL;
}

static void cover_ports(struct work *w, size_t index, const struct port_routes *routes) {
  static const char remedy[] = "give workloads with different ports ServiceAccounts of their own";
  if (!lookup_port_route(w->lookup, routes->kind, w->target->meta.ns, w->target->rules[index].name))
    dangling(w, index);
  else if (routes->open_nowhere)
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_PORT_SHARED,
          "each of its ports is meant at some workloads of the destination's ServiceAccount, and is another thing at "
          "others",
          remedy);
  else if (routes->resolved_most.left_out)
    cover(w, index, COVERAGE_APPROXIMATED, CODE_PORT_SHARED,
          "ports that are meant at some workloads of the destination's ServiceAccount, and are another thing at "
          "others, are left out",
          remedy);
  else
    cover(w, index, COVERAGE_EXACT, NULL, port_reading(routes), NULL);
}

static void cover_tcp(struct work *w, size_t index, bool http_carried) {
  bool found = lookup_port_route(w->lookup, SMI_TCP_ROUTE, w->target->meta.ns, w->target->rules[index].name) != NULL;
  if (found && w->http_written && !http_carried && !w->tcp.open_nowhere)
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "the HTTPRouteGroups of its target are left out, and alone it would allow every request on its ports", NULL);
  else
    cover_ports(w, index, &w->tcp);
}

static void translate_rules(struct work *w) {
  collect_ports(w);
  resolve_ports(w, &w->tcp);
  resolve_ports(w, &w->udp);
  for (size_t i = 0; i < w->target->rule_count; i++)
    if (w->target->rules[i].kind == SMI_HTTP_ROUTE_GROUP)
      translate_http(w, i);
  bool http_carried = json_array_size(w->rules) > 0;
  /* Alone, TCPRoutes allow; beside HTTPRouteGroups they only limit these. UDPRoutes allow in either case (docs/smi.md,
   * TCPRoute with HTTPRouteGroup in one target). */
  if (w->tcp.found && !w->http_written && !w->tcp.open_nowhere)
    append_rule(w, "tcp", NULL);
  if (w->udp.found && !w->udp.open_nowhere)
    append_rule(w, "udp", NULL);
  for (size_t i = 0; i < w->target->rule_count; i++) {
    if (w->target->rules[i].kind == SMI_TCP_ROUTE)
      cover_tcp(w, i, http_carried);
    else if (w->target->rules[i].kind == SMI_UDP_ROUTE)
      cover_ports(w, i, &w->udp);
  }
}

static json_t *accounts_json(const struct accounts *accounts) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < accounts->count; i++)
    if (json_array_append_new(list, json_pack("{s:s, s:s}", "namespace", accounts->items[i].ns, "serviceAccount",
                                              accounts->items[i].name)) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *ports_json(const struct port_list *open) {
  json_t *ports = json_array();
  for (size_t i = 0; ports && i < open->count; i++)
    if (json_array_append_new(ports, json_integer(open->items[i])) < 0) {
      json_decref(ports);
      return NULL;
    }
  return ports;
}

/* Adds a rule with the ports of one destination. A rule without ports allows all of them: so where they are limited
 * they go in, or there is no rule. */
static int add_rule(const struct work *w, const json_t *rule, size_t destination, json_t *rules) {
  const char *protocol = json_string_value(json_object_get(rule, "protocol"));
  const struct port_routes *routes = strcmp(protocol, "udp") == 0 ? &w->udp : &w->tcp;
  const struct port_list *open = limited(routes) ? &routes->resolutions[destination].open : NULL;
  if (open && open->count == 0)
    return 0;
  json_t *copy = json_deep_copy(rule);
  int failed = copy ? 0 : -1;
  if (open)
    failed |= json_object_set_new(copy, "ports", ports_json(open));
  if (!failed)
    failed |= json_array_append(rules, copy);
  json_decref(copy);
  return failed;
}

/* NULL without memory. */
static json_t *rules_for(const struct work *w, size_t destination) {
  json_t *rules = json_array();
  for (size_t i = 0; rules && i < json_array_size(w->rules); i++)
    if (add_rule(w, json_array_get(w->rules, i), destination, rules) < 0) {
      json_decref(rules);
      return NULL;
    }
  return rules;
}

/* A permission is for one destination account; a target whose binding stands for several becomes several. No name of
 * Kubernetes has an underscore, so these cannot meet another target. Takes `rules`. */
static struct native_object *permission(struct work *w, size_t index, json_t *rules) {
  const struct account *destination = &w->destinations.items[index];
  const struct smi_meta *meta = &w->target->meta;
  const char *name = meta->name;
  if (w->target->destination.kind == SMI_BINDING)
    name = arena_printf(call_arena(w->call), "%s_%s", meta->name, destination->name);
  json_t *body = json_pack("{s:{s:s, s:s}, s:o?, s:o?}", "destination", "namespace", destination->ns, "serviceAccount",
                           destination->name, "sources", accounts_json(&w->sources), "rules", rules);
  if (!body || !name || json_is_null(json_object_get(body, "sources")) ||
      json_is_null(json_object_get(body, "rules"))) {
    json_decref(body);
    call_out_of_memory(w->call);
    return NULL;
  }
  struct native_object *object = reference_object(w->call, 1, "permissions", meta->ns, name, body);
  native_source(object, meta);
  return object;
}

static void resolve_subjects(struct work *w) {
  subject_resolve(&w->subject_coverage, w->request, w->target, &w->target->destination, "/spec/destination",
                  &w->destinations);
  for (size_t i = 0; i < w->target->source_count; i++) {
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/spec/sources/%zu", i);
    subject_resolve(&w->subject_coverage, w->request, w->target, &w->target->sources[i], pointer, &w->sources);
  }
}

/* What was written without rules, or without sources, is carried over as such and allows nothing; what lost them all on
 * the way is not carried over. */
static bool has_substance(const struct work *w) {
  return (json_array_size(w->rules) || w->target->rule_count == 0) &&
         (w->sources.count || w->target->source_count == 0);
}

static void emit(struct work *w, struct translation *translation) {
  size_t count = 0;
  bool resolved = (!limited(&w->tcp) || w->tcp.resolutions) && (!limited(&w->udp) || w->udp.resolutions);
  size_t most_objects = resolved && has_substance(w) ? w->destinations.count : 0;
  if (w->destinations.count == 0 || (w->sources.count == 0 && w->target->source_count)) {
    /* They are in force nowhere, and not because someone wrote it so. */
    static const char reason[] = "no destination or no source of its target could be carried over";
    coverage_withdraw(&w->coverage, CODE_NOTHING_LEFT, reason);
    coverage_withdraw(&w->subject_coverage, CODE_NOTHING_LEFT, reason);
  }
  struct native_object **objects = arena_array(call_arena(w->call), most_objects, sizeof(void *));
  if (!objects) {
    call_out_of_memory(w->call);
    return;
  }
  for (size_t i = 0; i < most_objects; i++) {
    json_t *rules = rules_for(w, i);
    if (!rules) {
      call_out_of_memory(w->call);
      return;
    }
    if (json_array_size(rules) == 0 && w->target->rule_count > 0) {
      json_decref(rules);
      continue;
    }
    objects[count] = permission(w, i, rules);
    translation_add(translation, objects[count++]);
  }
  coverage_state(&w->coverage, translation, (const struct native_object *const *)objects, count);
  coverage_state(&w->subject_coverage, translation, (const struct native_object *const *)objects, count);
}

void target_translate(struct call *call, const struct translate_request *request, const struct lookup *lookup,
                      const struct smi_traffic_target *target, struct translation *translation) {
  struct work w = {.call = call,
                   .request = request,
                   .lookup = lookup,
                   .target = target,
                   .coverage = {.call = call},
                   .subject_coverage = {.call = call},
                   .tcp.kind = SMI_TCP_ROUTE,
                   .udp = {.kind = SMI_UDP_ROUTE, .ports.udp = true},
                   .rules = json_array()};
  if (!w.rules) {
    call_out_of_memory(call);
  } else {
    resolve_subjects(&w);
    translate_rules(&w);
    emit(&w, translation);
  }
  json_decref(w.rules);
}
