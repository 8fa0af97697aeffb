/* Splits as HTTPRoutes whose parent is the root Service: one for each of its HTTP ports. */
#include <string.h>

#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/http_match.h"
#include "plugins/linkerd/split.h"
#include "sdk/kube/object.h"
#include "sdk/smi/weight.h"

/* Bounds of the CRD httproutes.policy.linkerd.io, which are not above those of Gateway API. */
#define WEIGHT_MAX 1000000u
#define BACKENDS_MAX 16u
#define RULES_MAX 16u
#define RULE_MATCHES_MAX 8u

static json_t *backend_json(const char *service, uint16_t port, uint64_t weight) {
  return json_pack("{s:s, s:s, s:i, s:I}", "kind", "Service", "name", service, "port", port, "weight",
                   (json_int_t)weight);
}

static void too_much(struct split *split, const char *reason, const char *remedy) {
  split_cover(split, COVERAGE_UNSUPPORTED, "backends", SIZE_MAX, CODE_WEIGHT, reason, remedy);
}

/* The weights of the backends that have the port, as small as can be. False: nobody gets anything. */
static bool read_weights(const struct split *split, const struct inventory_port *port, uint64_t *weights,
                         size_t *ret_count) {
  bool any = false;
  *ret_count = 0;
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const bool has = split_backend_has(split, i, port);
    weights[i] = has ? split->smi->backends[i].weight : 0;
    any |= weights[i] > 0;
    *ret_count += has;
  }
  weights_reduce(weights, split->smi->backend_count);
  return any;
}

/* NULL when an HTTPRoute cannot say it, or without memory. */
static json_t *backends_json(struct split *split, const struct inventory_port *port, const uint64_t *weights,
                             size_t count) {
  json_t *backends = json_array();
  bool failed = backends == NULL;
  bool fits = count <= BACKENDS_MAX;
  if (!fits)
    too_much(split, "an HTTPRoute takes at most 16 backends", "use fewer backends");
  for (size_t i = 0; fits && !failed && i < split->smi->backend_count; i++) {
    if (weights[i] > WEIGHT_MAX) {
      fits = false;
      too_much(split, "an HTTPRoute takes weights up to 1000000, and smaller ones of the same proportion there are not",
               "use weights with a common divisor");
    } else if (split_backend_has(split, i, port)) {
      failed =
          json_array_append_new(backends, backend_json(split->smi->backends[i].service, port->port, weights[i])) < 0;
    }
  }
  if (failed)
    call_out_of_memory(split->coverage.call);
  if (fits && !failed)
    return backends;
  json_decref(backends);
  return NULL;
}

/* ---- matches */

/* Adds a match for each method. */
static bool append_match(struct call *call, const struct http_match *match, json_t *matches) {
  const char *path = match->path.kind == PATH_ANY ? NULL : path_regex(call_arena(call), &match->path, NULL, 0);
  const size_t count = match->method_count ? match->method_count : 1;
  for (size_t i = 0; i < count; i++) {
    const char *method = match->method_count ? match->methods[i] : NULL;
    if (json_array_append_new(matches, http_match_json(path, method, match->headers, match->header_count)) < 0)
      return false;
  }
  return true;
}

static bool append_group(struct split *split, const struct smi_http_route_group *group, json_t *matches) {
  for (size_t i = 0; i < group->match_count; i++) {
    struct http_match match;
    struct coverage coverage;
    if (http_match_read(split->coverage.call, &group->matches[i], &match, &coverage) == COVERAGE_EXACT &&
        !append_match(split->coverage.call, &match, matches))
      return false;
    coverage.resource = &group->meta;
    coverage_add(&split->coverage, &coverage, "/spec/matches/%zu", i);
  }
  return true;
}

/* All matches of all groups (SPL-12). False: the split is left out. */
static bool read_matches(struct split *split, json_t *matches) {
  struct arena *arena = call_arena(split->coverage.call);
  bool complete = true;
  for (size_t i = 0; i < split->smi->match_count; i++) {
    const char *name = split->smi->matches[i];
    const struct smi_http_route_group *group = kube_route_group(split->directory, split->smi->meta.ns, name);
    if (!group) {
      complete = false;
      split_cover(split, COVERAGE_UNSUPPORTED, "matches", i, CODE_DANGLING,
                  arena_printf(arena, "there is no HTTPRouteGroup %s in namespace %s", name, split->smi->meta.ns),
                  "create it, or take the match out");
    } else if (!append_group(split, group, matches)) {
      call_out_of_memory(split->coverage.call);
      return false;
    } else {
      split_cover(split, COVERAGE_EXACT, "matches", i, NULL, NULL, NULL);
    }
  }
  if (complete && json_array_size(matches) == 0)
    split_cover(split, COVERAGE_UNSUPPORTED, "matches", SIZE_MAX, CODE_NOTHING_LEFT,
                "none of the groups has a match that could be carried over", NULL);
  if (json_array_size(matches) > (RULES_MAX - 1) * RULE_MATCHES_MAX) {
    complete = false;
    split_cover(split, COVERAGE_UNSUPPORTED, "matches", SIZE_MAX, CODE_MATCH,
                "an HTTPRoute takes at most 120 matches beside the rest", "use fewer matches or methods");
  }
  return complete && json_array_size(matches) > 0;
}

/* ---- routes */

/* With matches: rules of as many as one takes, each with all backends, then the root for the rest (SPL-11). Among
 * equally good rules of a route the first counts. */
static json_t *rules_json(const struct split *split, uint16_t port, json_t *backends, const json_t *matches) {
  if (!matches)
    return json_pack("[{s:O}]", "backendRefs", backends);
  json_t *rules = json_array();
  int failed = rules ? 0 : -1;
  for (size_t start = 0; !failed && start < json_array_size(matches); start += RULE_MATCHES_MAX) {
    json_t *part = json_array();
    for (size_t i = start; !failed && i < start + RULE_MATCHES_MAX && i < json_array_size(matches); i++)
      failed = json_array_append(part, json_array_get(matches, i));
    failed |= json_array_append_new(rules, json_pack("{s:o, s:O}", "matches", part, "backendRefs", backends));
  }
  if (!failed)
    failed =
        json_array_append_new(rules, json_pack("{s:[o]}", "backendRefs", backend_json(split->smi->service, port, 1)));
  if (!failed)
    return rules;
  json_decref(rules);
  return NULL;
}

static void add_route(struct split *split, uint16_t port, json_t *backends, const json_t *matches) {
  struct call *call = split->coverage.call;
  const char *key =
      arena_printf(call_arena(call), "TrafficSplit/%s/%s/%u", split->smi->meta.ns, split->smi->meta.name, port);
  json_t *spec = json_pack("{s:[{s:s, s:s, s:s, s:i}], s:o}", "parentRefs", "group", "core", "kind", "Service", "name",
                           split->smi->service, "port", port, "rules", rules_json(split, port, backends, matches));
  split_add_object(split, split->options->route_version, "HTTPRoute",
                   kube_name(call, split->smi->meta.name, key ? key : ""), spec);
}

/* What became of the root's ports. */
struct ports {
  size_t split, not_http, unserved;
};

static void split_port(struct split *split, const struct inventory_port *port, const json_t *matches, uint64_t *weights,
                       struct ports *ports) {
  size_t count = 0;
  if (port->protocol != PORT_HTTP) {
    ports->not_http++;
  } else if (!read_weights(split, port, weights, &count)) {
    ports->unserved++;
  } else {
    json_auto_t *backends = backends_json(split, port, weights, count);
    if (backends) {
      add_route(split, port->port, backends, matches);
      ports->split++;
    }
  }
}

static void cover_root(struct split *split, const struct ports *ports) {
  const enum coverage_level level = ports->split ? COVERAGE_APPROXIMATED : COVERAGE_UNSUPPORTED;
  if (ports->unserved)
    split_cover(split, level, "service", SIZE_MAX, CODE_BACKEND,
                "the root has a port that no backend with a weight has: requests to it stay with the root", NULL);
  else if (ports->not_http && !split->smi->match_count) /* else no such connection is meant */
    split_cover(split, level, "service", SIZE_MAX, CODE_ROOT,
                "an HTTPRoute splits HTTP alone: connections to the root's other ports stay with the root",
                "for TCP, configure split: serviceprofile");
  else if (ports->split)
    split_cover(split, COVERAGE_EXACT, "service", SIZE_MAX, NULL, NULL, NULL);
  else
    split_cover(split, COVERAGE_UNSUPPORTED, "service", SIZE_MAX, CODE_ROOT, "the root has no HTTP port", NULL);
}

void split_to_routes(struct split *split) {
  struct call *call = split->coverage.call;
  json_auto_t *matches = json_array();
  uint64_t *weights = arena_array(call_arena(call), split->smi->backend_count, sizeof *weights);
  if (!matches || !weights) {
    call_out_of_memory(call);
    return;
  }
  if (split->smi->match_count && !read_matches(split, matches))
    return;
  struct ports ports = {0};
  for (size_t i = 0; i < split->root->port_count; i++)
    split_port(split, &split->root->ports[i], split->smi->match_count ? matches : NULL, weights, &ports);
  cover_root(split, &ports);
}
