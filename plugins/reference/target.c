#include "plugins/reference/target.h"

#include <stdio.h>
#include <string.h>

#include "plugins/reference/match.h"
#include "plugins/reference/ports.h"
#include "plugins/reference/reference.h"
#include "plugins/reference/subject.h"

/* What one target comes to. */
struct work {
  struct call *call;
  const struct translate_request *request;
  const struct smi_traffic_target *target;
  struct coverage_list coverage;
  struct coverage_list subject_coverage; /* stated after the rules' */
  struct accounts destinations, sources;
  struct port_list ports;               /* of its TCPRoutes, as written */
  struct port_resolution *resolutions;  /* of each destination, when the ports are limited */
  struct port_resolution resolved_most; /* the most of each count */
  bool open_nowhere;                    /* the ports are limited, and none is open at any destination */
  bool tcp_written;
  bool tcp_found; /* at least one of its TCPRoutes is there */
  bool all_ports; /* one of them has no ports, which means all */
  bool http_written;
  json_t *rules;
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

/* Looks at the TCPRoutes first: with HTTPRouteGroups in the same target they limit the ports of these. */
static void collect_ports(struct work *w) {
  for (size_t i = 0; i < w->target->rule_count; i++) {
    const struct smi_rule *rule = &w->target->rules[i];
    w->http_written |= rule->kind == SMI_HTTP_ROUTE_GROUP;
    if (rule->kind != SMI_TCP_ROUTE)
      continue;
    w->tcp_written = true;
    const struct smi_port_route *route =
        smi_find_port_route(&w->request->smi, SMI_TCP_ROUTE, w->target->meta.ns, rule->name);
    if (!route)
      continue;
    w->tcp_found = true;
    w->all_ports |= route->port_count == 0;
    for (size_t j = 0; j < route->port_count; j++)
      if (!ports_add(call_arena(w->call), &w->ports, route->ports[j]))
        call_out_of_memory(w->call);
  }
  ports_sort(&w->ports); /* so that the order of the rules changes nothing */
}

static bool limited(const struct work *w) {
  return w->tcp_found && !w->all_ports;
}

static size_t most(size_t a, size_t b) {
  return a > b ? a : b;
}

/* The ports of Services as ports of each destination's workloads. */
static void resolve_ports(struct work *w) {
  struct arena *arena = call_arena(w->call);
  w->resolutions = arena_array(arena, w->destinations.count, sizeof *w->resolutions);
  size_t open = 0;
  for (size_t i = 0; w->resolutions && i < w->destinations.count; i++) {
    struct port_resolution *r = &w->resolutions[i];
    if (!ports_resolve(arena, &w->request->inventory, &w->destinations.items[i], &w->ports, r)) {
      call_out_of_memory(w->call);
      return;
    }
    w->resolved_most.resolved = most(w->resolved_most.resolved, r->resolved);
    w->resolved_most.own = most(w->resolved_most.own, r->own);
    w->resolved_most.left_out = most(w->resolved_most.left_out, r->left_out);
    open += r->open.count;
  }
  w->open_nowhere = w->destinations.count > 0 && open == 0;
  if (!w->resolutions)
    call_out_of_memory(w->call);
}

/* Without its ports, which are of each destination. Takes `matches` (NULL: a TCP rule). */
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
  const struct smi_http_route_group *group = smi_find_route_group(&w->request->smi, w->target->meta.ns, rule->name);
  if (!group) {
    dangling(w, index);
    return;
  }
  if (w->tcp_written && !w->tcp_found) {
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "the TCPRoutes that limit its ports are not there, and without them it would allow every port",
          "create the TCPRoutes");
    return;
  }
  if (w->open_nowhere) {
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

/* How the ports were read, for the coverage of the TCPRoutes. NULL: as they are. */
static const char *port_reading(const struct work *w) {
  if (!limited(w))
    return NULL;
  if (w->resolved_most.resolved && w->resolved_most.own)
    return "ports are resolved through the Services of the destination to ports of its workloads; a port that no "
           "Service of it has is taken as the workload's own";
  if (w->resolved_most.resolved)
    return "ports are resolved through the Services of the destination to ports of its workloads";
  return w->resolved_most.own ? "a port that no Service of the destination has is taken as the workload's own" : NULL;
}

static void cover_ports(struct work *w, size_t index) {
  static const char remedy[] = "give workloads with different ports ServiceAccounts of their own";
  if (w->open_nowhere)
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_PORT_SHARED,
          "each of its ports is meant at some workloads of the destination's ServiceAccount, and is another thing at "
          "others",
          remedy);
  else if (w->resolved_most.left_out)
    cover(w, index, COVERAGE_APPROXIMATED, CODE_PORT_SHARED,
          "ports that are meant at some workloads of the destination's ServiceAccount, and are another thing at "
          "others, are left out",
          remedy);
  else
    cover(w, index, COVERAGE_EXACT, NULL, port_reading(w), NULL);
}

static void translate_tcp(struct work *w, size_t index, bool http_carried) {
  if (!smi_find_port_route(&w->request->smi, SMI_TCP_ROUTE, w->target->meta.ns, w->target->rules[index].name))
    dangling(w, index);
  else if (w->http_written && !http_carried && !w->open_nowhere)
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "the HTTPRouteGroups of its target are left out, and alone it would allow every request on its ports", NULL);
  else
    cover_ports(w, index);
}

static void translate_rules(struct work *w) {
  collect_ports(w);
  if (limited(w))
    resolve_ports(w);
  for (size_t i = 0; i < w->target->rule_count; i++)
    if (w->target->rules[i].kind == SMI_HTTP_ROUTE_GROUP)
      translate_http(w, i);
  bool http_carried = json_array_size(w->rules) > 0;
  /* Alone, TCPRoutes allow; beside HTTPRouteGroups they only limit these (docs/smi.md, TCPRoute and HTTPRouteGroup in
   * one target). */
  if (w->tcp_found && !w->http_written && !w->open_nowhere)
    append_rule(w, "tcp", NULL);
  for (size_t i = 0; i < w->target->rule_count; i++) {
    if (w->target->rules[i].kind == SMI_TCP_ROUTE)
      translate_tcp(w, i, http_carried);
    else if (w->target->rules[i].kind == SMI_UDP_ROUTE)
      cover(w, i, COVERAGE_UNSUPPORTED, CODE_NO_UDP, "no UDP relay", "use a mesh that relays UDP");
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

/* The rules with the ports of one destination. A rule without ports allows all of them: so the ports go in, or there
 * are no rules. NULL without memory. */
static json_t *rules_for(const struct work *w, size_t destination) {
  if (!limited(w))
    return json_incref(w->rules);
  const struct port_list *open = &w->resolutions[destination].open;
  json_t *rules = json_deep_copy(w->rules), *ports = json_array();
  int failed = rules && ports ? 0 : -1;
  for (size_t i = 0; !failed && i < open->count; i++)
    failed |= json_array_append_new(ports, json_integer(open->items[i]));
  for (size_t i = 0; !failed && i < json_array_size(rules); i++)
    failed |= json_object_set(json_array_get(rules, i), "ports", ports);
  json_decref(ports);
  if (!failed)
    return rules;
  json_decref(rules);
  return NULL;
}

/* A permission is for one destination account; a target whose binding stands for several becomes several. No name of
 * Kubernetes has an underscore, so these cannot meet another target. */
static struct native_object *permission(struct work *w, size_t index) {
  const struct account *destination = &w->destinations.items[index];
  const struct smi_meta *meta = &w->target->meta;
  const char *name = meta->name;
  if (w->target->destination.kind == SMI_BINDING)
    name = arena_printf(call_arena(w->call), "%s_%s", meta->name, destination->name);
  json_t *body = json_pack("{s:{s:s, s:s}, s:o?, s:o?}", "destination", "namespace", destination->ns, "serviceAccount",
                           destination->name, "sources", accounts_json(&w->sources), "rules", rules_for(w, index));
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

/* Rules whose subjects are all left out are in force nowhere, and not because someone wrote it so. */
static void withdraw(struct coverage_list *coverage) {
  for (size_t i = 0; i < coverage->count; i++)
    if (coverage->items[i].level != COVERAGE_UNSUPPORTED) {
      coverage->items[i].level = COVERAGE_UNSUPPORTED;
      coverage->items[i].code = CODE_NOTHING_LEFT;
      coverage->items[i].reason = "no destination or no source of its target could be carried over";
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
  size_t most_objects = has_substance(w) ? w->destinations.count : 0;
  if (w->destinations.count == 0 || (w->sources.count == 0 && w->target->source_count)) {
    withdraw(&w->coverage);
    withdraw(&w->subject_coverage);
  }
  struct native_object **objects = arena_array(call_arena(w->call), most_objects, sizeof(void *));
  if (!objects) {
    call_out_of_memory(w->call);
    return;
  }
  for (size_t i = 0; i < most_objects; i++) {
    if (limited(w) && (!w->resolutions || w->resolutions[i].open.count == 0))
      continue;
    objects[count] = permission(w, i);
    translation_add(translation, objects[count++]);
  }
  coverage_state(&w->coverage, translation, (const struct native_object *const *)objects, count);
  coverage_state(&w->subject_coverage, translation, (const struct native_object *const *)objects, count);
}

void target_translate(struct call *call, const struct translate_request *request,
                      const struct smi_traffic_target *target, struct translation *translation) {
  struct work w = {.call = call,
                   .request = request,
                   .target = target,
                   .coverage = {.call = call},
                   .subject_coverage = {.call = call},
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
