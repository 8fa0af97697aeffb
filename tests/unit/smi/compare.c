#include "tests/unit/smi/compare.h"

#include <string.h>

#include "sdk/smi/weight.h"

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count) {
  bool same = a_count == b_count;

  for (size_t i = 0; same && i < a_count; i++)
    same = same_text(a[i], b[i]);
  return same;
}

static bool same_labels(const struct smi_label *a, size_t a_count, const struct smi_label *b, size_t b_count) {
  bool same = a_count == b_count;

  for (size_t i = 0; same && i < a_count; i++)
    same = same_text(a[i].name, b[i].name) && same_text(a[i].value, b[i].value);
  return same;
}

static bool same_meta(const struct smi_meta *a, const struct smi_meta *b) {
  return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->ns, b->ns) &&
         a->ns_implied == b->ns_implied && a->synthesised == b->synthesised &&
         same_labels(a->labels, a->label_count, b->labels, b->label_count) &&
         same_labels(a->annotations, a->annotation_count, b->annotations, b->annotation_count);
}

static bool same_subject(const struct smi_subject *a, const struct smi_subject *b) {
  return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->ns, b->ns) && a->ns_implied == b->ns_implied;
}

static const char *note(const struct smi_meta *meta, const char *name) {
  for (size_t i = 0; i < meta->annotation_count; i++)
    if (strcmp(meta->annotations[i].name, name) == 0)
      return meta->annotations[i].value;
  return NULL;
}

static bool same_ports(const struct smi_port_route *a, const struct smi_port_route *b) {
  return a->port_count == b->port_count &&
         (a->port_count == 0 || memcmp(a->ports, b->ports, a->port_count * sizeof(*a->ports)) == 0);
}

/* The synthesised TCPRoute that a rule names; NULL. */
static const struct smi_port_route *synthesised(const struct smi_set *set, const struct smi_traffic_target *target,
                                                const struct smi_rule *rule) {
  const struct smi_port_route *route =
      rule->kind == SMI_TCP_ROUTE ? smi_find_port_route(set, SMI_TCP_ROUTE, target->meta.ns, rule->name) : NULL;

  return route && route->meta.synthesised ? route : NULL;
}

static bool same_rule(const struct smi_set *left, const struct smi_traffic_target *a, const struct smi_set *right,
                      const struct smi_traffic_target *b, size_t number, unsigned how) {
  const struct smi_rule *x = &a->rules[number], *y = &b->rules[number];
  const struct smi_port_route *port_x = synthesised(left, a, x), *port_y = synthesised(right, b, y);
  bool same_name = same_text(x->name, y->name);

  if ((how & COMPARE_PORTS) && port_x && port_y)
    same_name = same_ports(port_x, port_y) &&
                same_text(note(&port_x->meta, "trammel/stands-for"), note(&port_y->meta, "trammel/stands-for"));
  return same_name && x->kind == y->kind && same_texts(x->matches, x->match_count, y->matches, y->match_count);
}

static bool same_target(const struct smi_set *left, const struct smi_traffic_target *a, const struct smi_set *right,
                        const struct smi_traffic_target *b, unsigned how) {
  bool same = same_meta(&a->meta, &b->meta) && same_subject(&a->destination, &b->destination) &&
              a->rule_count == b->rule_count && a->source_count == b->source_count;

  for (size_t i = 0; same && i < a->rule_count; i++)
    same = same_rule(left, a, right, b, i, how);
  for (size_t i = 0; same && i < a->source_count; i++)
    same = same_subject(&a->sources[i], &b->sources[i]);
  return same;
}

static bool same_match(const struct smi_http_match *a, const struct smi_http_match *b) {
  bool same = same_text(a->name, b->name) && same_text(a->path_regex, b->path_regex) &&
              a->header_count == b->header_count &&
              same_texts(a->methods, a->method_count, b->methods, b->method_count);

  for (size_t i = 0; same && i < a->header_count; i++)
    same = same_text(a->headers[i].name, b->headers[i].name) && same_text(a->headers[i].regex, b->headers[i].regex);
  return same;
}

static bool same_group(const struct smi_http_route_group *a, const struct smi_http_route_group *b) {
  bool same = same_meta(&a->meta, &b->meta) && a->match_count == b->match_count;

  for (size_t i = 0; same && i < a->match_count; i++)
    same = same_match(&a->matches[i], &b->matches[i]);
  return same;
}

/* In order, without the synthesised ones if those are compared by what they say. */
static const char *routes_difference(struct arena *arena, const struct smi_set *a, const struct smi_set *b,
                                     unsigned how) {
  size_t i = 0, j = 0;

  for (;; i++, j++) {
    while ((how & COMPARE_PORTS) && i < a->port_route_count && a->port_routes[i].meta.synthesised)
      i++;
    while ((how & COMPARE_PORTS) && j < b->port_route_count && b->port_routes[j].meta.synthesised)
      j++;
    if (i >= a->port_route_count || j >= b->port_route_count)
      break;
    if (!same_meta(&a->port_routes[i].meta, &b->port_routes[j].meta) ||
        !same_ports(&a->port_routes[i], &b->port_routes[j]))
      return arena_printf(arena, "port route %zu, %s", i, a->port_routes[i].meta.name);
  }
  return i >= a->port_route_count && j >= b->port_route_count ? NULL : "port routes are missing";
}

static void copy_weights(const struct smi_traffic_split *split, uint64_t *weights, bool proportions) {
  for (size_t i = 0; i < split->backend_count; i++)
    weights[i] = split->backends[i].weight;
  if (proportions)
    weights_reduce(weights, split->backend_count);
}

static bool same_split(struct arena *arena, const struct smi_traffic_split *a, const struct smi_traffic_split *b,
                       bool proportions) {
  uint64_t *left = arena_array(arena, a->backend_count, sizeof(*left));
  uint64_t *right = arena_array(arena, b->backend_count, sizeof(*right));
  bool same = same_meta(&a->meta, &b->meta) && same_text(a->service, b->service) &&
              a->backend_count == b->backend_count &&
              same_texts(a->matches, a->match_count, b->matches, b->match_count);

  copy_weights(a, left, proportions);
  copy_weights(b, right, proportions);
  for (size_t i = 0; same && i < a->backend_count; i++)
    same = same_text(a->backends[i].service, b->backends[i].service) && left[i] == right[i];
  return same;
}

static bool same_binding(const struct smi_identity_binding *a, const struct smi_identity_binding *b) {
  return same_meta(&a->meta, &b->meta) && same_text(a->service_account, b->service_account) &&
         same_labels(a->pod_labels, a->pod_label_count, b->pod_labels, b->pod_label_count) &&
         same_texts(a->spiffe_ids, a->spiffe_id_count, b->spiffe_ids, b->spiffe_id_count);
}

const char *set_difference(struct arena *arena, const struct smi_set *a, const struct smi_set *b, unsigned how) {
  if (a->target_count != b->target_count || a->route_group_count != b->route_group_count ||
      a->port_route_count != b->port_route_count || a->split_count != b->split_count ||
      a->binding_count != b->binding_count)
    return arena_printf(
        arena, "counts: %zu/%zu targets, %zu/%zu groups, %zu/%zu routes, %zu/%zu splits, %zu/%zu bindings",
        a->target_count, b->target_count, a->route_group_count, b->route_group_count, a->port_route_count,
        b->port_route_count, a->split_count, b->split_count, a->binding_count, b->binding_count);
  for (size_t i = 0; i < a->target_count; i++)
    if (!same_target(a, &a->targets[i], b, &b->targets[i], how))
      return arena_printf(arena, "target %zu, %s", i, a->targets[i].meta.name);
  for (size_t i = 0; i < a->route_group_count; i++)
    if (!same_group(&a->route_groups[i], &b->route_groups[i]))
      return arena_printf(arena, "route group %zu, %s", i, a->route_groups[i].meta.name);
  for (size_t i = 0; i < a->split_count; i++)
    if (!same_split(arena, &a->splits[i], &b->splits[i], how & COMPARE_PROPORTIONS))
      return arena_printf(arena, "split %zu, %s", i, a->splits[i].meta.name);
  for (size_t i = 0; i < a->binding_count; i++)
    if (!same_binding(&a->bindings[i], &b->bindings[i]))
      return arena_printf(arena, "binding %zu, %s", i, a->bindings[i].meta.name);
  return routes_difference(arena, a, b, how);
}
