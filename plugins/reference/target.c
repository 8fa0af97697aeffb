#include "plugins/reference/target.h"

#include <stdio.h>
#include <string.h>

#include "plugins/reference/match.h"
#include "plugins/reference/reference.h"
#include "plugins/reference/subject.h"

/* What one target comes to. */
struct work {
  struct call *call;
  const struct translate_request *request;
  const struct smi_traffic_target *target;
  struct coverage_list coverage;
  json_t *ports; /* of its TCPRoutes; NULL: not limited */
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
      if (json_array_append_new(w->ports, json_integer(route->ports[j])) < 0)
        call_out_of_memory(w->call);
  }
}

static int by_value(const void *a, const void *b) {
  uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
  return x < y ? -1 : x > y;
}

/* The ports sorted, each once, so that the order of the rules changes nothing. NULL without memory. */
static json_t *sorted_ports(struct work *w) {
  size_t count = json_array_size(w->ports);
  uint16_t *ports = arena_array(call_arena(w->call), count, sizeof *ports);
  json_t *sorted = json_array();
  if (!ports || !sorted) {
    json_decref(sorted);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    ports[i] = (uint16_t)json_integer_value(json_array_get(w->ports, i));
  qsort(ports, count, sizeof *ports, by_value);
  int failed = 0;
  for (size_t i = 0; i < count; i++)
    if (i == 0 || ports[i] != ports[i - 1])
      failed |= json_array_append_new(sorted, json_integer(ports[i]));
  if (!failed)
    return sorted;
  json_decref(sorted);
  return NULL;
}

/* A rule without ports allows all of them: so the ports go in, or the rule doesn't. Takes `matches` (NULL: a TCP rule).
 */
static void append_rule(struct work *w, const char *protocol, json_t *matches) {
  json_t *rule = json_pack("{s:s}", "protocol", protocol);
  int failed = rule ? 0 : -1;
  if (w->tcp_found && !w->all_ports)
    failed |= json_object_set_new(rule, "ports", sorted_ports(w));
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

static void translate_tcp(struct work *w, size_t index, bool http_carried) {
  if (!smi_find_port_route(&w->request->smi, SMI_TCP_ROUTE, w->target->meta.ns, w->target->rules[index].name))
    dangling(w, index);
  else if (w->http_written && !http_carried)
    cover(w, index, COVERAGE_UNSUPPORTED, CODE_NOTHING_LEFT,
          "the HTTPRouteGroups of its target are left out, and alone it would allow every request on its ports", NULL);
  else
    cover(w, index, COVERAGE_EXACT, NULL, NULL, NULL);
}

static void translate_rules(struct work *w) {
  collect_ports(w);
  for (size_t i = 0; i < w->target->rule_count; i++)
    if (w->target->rules[i].kind == SMI_HTTP_ROUTE_GROUP)
      translate_http(w, i);
  bool http_carried = json_array_size(w->rules) > 0;
  /* Alone, TCPRoutes allow; beside HTTPRouteGroups they only limit these (docs/smi.md, TCPRoute and HTTPRouteGroup in
   * one target). */
  if (w->tcp_found && !w->http_written)
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

/* A permission is for one destination account; a target whose binding stands for several becomes several. No name of
 * Kubernetes has an underscore, so these cannot meet another target. */
static struct native_object *permission(struct work *w, const struct account *destination,
                                        const struct accounts *sources) {
  const struct smi_meta *meta = &w->target->meta;
  const char *name = meta->name;
  if (w->target->destination.kind == SMI_BINDING)
    name = arena_printf(call_arena(w->call), "%s_%s", meta->name, destination->name);
  json_t *body = json_pack("{s:{s:s, s:s}, s:o?, s:O}", "destination", "namespace", destination->ns, "serviceAccount",
                           destination->name, "sources", accounts_json(sources), "rules", w->rules);
  if (!body || !name || json_is_null(json_object_get(body, "sources"))) {
    json_decref(body);
    call_out_of_memory(w->call);
    return NULL;
  }
  struct native_object *object = reference_object(w->call, 1, "permissions", meta->ns, name, body);
  native_source(object, meta);
  return object;
}

static void resolve_subjects(struct work *w, struct accounts *destinations, struct accounts *sources) {
  subject_resolve(&w->coverage, w->request, w->target, &w->target->destination, "/spec/destination", destinations);
  for (size_t i = 0; i < w->target->source_count; i++) {
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/spec/sources/%zu", i);
    subject_resolve(&w->coverage, w->request, w->target, &w->target->sources[i], pointer, sources);
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

static void emit(struct work *w, struct translation *translation) {
  struct accounts destinations = {0}, sources = {0};
  resolve_subjects(w, &destinations, &sources);
  size_t count = json_array_size(w->rules) && sources.count ? destinations.count : 0;
  if (destinations.count == 0 || (sources.count == 0 && w->target->source_count))
    withdraw(&w->coverage);
  struct native_object **objects = arena_array(call_arena(w->call), count, sizeof(void *));
  if (!objects) {
    call_out_of_memory(w->call);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    objects[i] = permission(w, &destinations.items[i], &sources);
    translation_add(translation, objects[i]);
  }
  coverage_state(&w->coverage, translation, (const struct native_object *const *)objects, count);
}

void target_translate(struct call *call, const struct translate_request *request,
                      const struct smi_traffic_target *target, struct translation *translation) {
  struct work w = {.call = call,
                   .request = request,
                   .target = target,
                   .coverage = {.call = call},
                   .ports = json_array(),
                   .rules = json_array()};
  if (!w.ports || !w.rules) {
    call_out_of_memory(call);
  } else {
    translate_rules(&w);
    emit(&w, translation);
  }
  json_decref(w.ports);
  json_decref(w.rules);
}
