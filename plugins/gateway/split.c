#include "plugins/gateway/split.h"

#include "plugins/gateway/codes.h"
#include "plugins/gateway/route.h"
#include "sdk/kube/root.h"
#include "sdk/smi/weight.h"

struct split {
  const struct kube_directory *directory;
  const struct gateway_options *options;
  const struct smi_traffic_split *smi;
  struct coverage_list coverage;
  const struct inventory_service *root;
  struct match_list matches;
  const struct native_object **objects;
  struct native_object **routes;
  size_t count;
};

static void cover(struct split *split, enum coverage_level level, const char *pointer, const char *code,
                  const char *reason, const char *remedy) {
  coverage_add(&split->coverage,
               &(struct coverage){.resource = &split->smi->meta,
                                  .level = level,
                                  .code = code,
                                  .reason = level != COVERAGE_EXACT && !reason ? "out of memory" : reason,
                                  .remedy = remedy},
               "%s", pointer);
}

static const char *place(const struct split *split, const char *list, size_t index) {
  const char *pointer = arena_printf(call_arena(split->coverage.call), "/spec/%s/%zu", list, index);
  return pointer ? pointer : "";
}

static const struct inventory_service *service(const struct split *split, const char *name) {
  return inventory_service(&split->directory->request->inventory, split->smi->meta.ns, name);
}

/* The matches of all groups, merged (SPL-12). False when a group is missing: without it, fewer requests would be split
 * than meant, and without any group all of them. */
static bool read_matches(struct split *split) {
  const char *ns = split->smi->meta.ns;
  bool complete = true, left_out = false;
  split->matches.items = json_array();
  if (!split->matches.items) {
    call_out_of_memory(split->coverage.call);
    return false;
  }
  for (size_t i = 0; i < split->smi->match_count; i++) {
    const char *name = split->smi->matches[i];
    const struct smi_http_route_group *group = kube_route_group(split->directory, ns, name);
    bool whole = true;
    for (size_t j = 0; group && j < group->match_count; j++)
      whole &= match_append(&split->coverage, split->options, group, j, &split->matches);
    left_out |= !whole;
    complete &= group != NULL;
    if (!group)
      cover(split, COVERAGE_UNSUPPORTED, place(split, "matches", i), CODE_DANGLING,
            arena_printf(call_arena(split->coverage.call), "there is no HTTPRouteGroup %s in namespace %s", name, ns),
            "create it, or take the match out");
    else
      cover(split, whole ? COVERAGE_EXACT : COVERAGE_APPROXIMATED, place(split, "matches", i),
            whole ? NULL : CODE_NOTHING_LEFT, whole ? NULL : "only some of its matches could be carried over", NULL);
  }
  if (complete && left_out && json_array_size(split->matches.items) == 0) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/matches", CODE_NOTHING_LEFT,
          "none of the groups has a match that could be carried over", NULL);
    return false;
  }
  if (json_array_size(split->matches.items) >= ROUTE_MATCHES_MAX) { /* one is for the rest */
    cover(split, COVERAGE_UNSUPPORTED, "/spec/matches", CODE_LIMIT,
          "the matches come to more than 127 matches of an HTTPRoute, each method counting for one",
          "use fewer matches, or expressions for several of them");
    return false;
  }
  if (matches_finish(&split->matches) < 0)
    call_out_of_memory(split->coverage.call);
  if (complete && split->matches.regex_path && split->options->regex == COVERAGE_APPROXIMATED)
    cover(split, COVERAGE_APPROXIMATED, "/spec/matches", CODE_SUPPORT,
          "requests are told apart by RegularExpressions, which implementations need not support", NULL);
  return complete;
}

/* The backends of one port. Those that get nothing are left out, unless nobody gets anything. */
static bool read_backends(struct split *split, const struct inventory_port *port, struct route_backend *backends,
                          uint64_t *weights, size_t *ret_count) {
  const size_t all = split->smi->backend_count;
  size_t count = 0;
  for (size_t i = 0; i < all; i++) {
    const struct inventory_service *backend = service(split, split->smi->backends[i].service);
    const bool has = backend && inventory_service_port(backend, port->port, port->protocol);
    weights[i] = has ? split->smi->backends[i].weight : 0;
  }
  weights_reduce(weights, all);
  for (size_t i = 0; i < all; i++) {
    if (weights[i] == 0)
      continue;
    if (weights[i] > ROUTE_WEIGHT_MAX || count == ROUTE_BACKENDS_MAX) {
      const bool heavy = weights[i] > ROUTE_WEIGHT_MAX;
      cover(split, COVERAGE_UNSUPPORTED, "/spec/backends", heavy ? CODE_WEIGHT : CODE_LIMIT,
            heavy ? "the weights have no common divisor that brings each to 1000000 or less"
                  : "more than 16 backends have a weight above 0, and a rule of a route takes 16",
            heavy ? "use smaller weights" : "use fewer backends");
      return false;
    }
    backends[count++] = (struct route_backend){split->smi->backends[i].service, weights[i]};
  }
  *ret_count = count;
  return true;
}

static bool translate_port(struct split *split, const struct inventory_port *port) {
  struct call *call = split->coverage.call;
  struct arena *arena = call_arena(call);
  if (port->protocol == PORT_UDP) {
    cover(split, COVERAGE_APPROXIMATED, "/spec/service", CODE_UDP,
          arena_printf(arena, "UDP port %u of %s is not split: routes of UDP are no part of the API's mesh profile",
                       port->port, split->smi->service),
          NULL);
    return true;
  }
  if (port->protocol == PORT_TCP && split->smi->match_count)
    return true; /* nothing of TCP matches: all of it goes to the root, as without a route */
  struct route_backend *backends = arena_array(arena, split->smi->backend_count, sizeof *backends);
  uint64_t *weights = arena_array(arena, split->smi->backend_count, sizeof *weights);
  size_t count = 0;
  if (!backends || !weights) {
    call_out_of_memory(call);
    return false;
  }
  if (!read_backends(split, port, backends, weights, &count))
    return false;
  const struct route route = {.split = split->smi,
                              .port = port->port,
                              .backends = backends,
                              .backend_count = count,
                              .matches = split->smi->match_count ? &split->matches : NULL};
  split->routes[split->count++] =
      port->protocol == PORT_TCP ? tcp_route(call, split->options, &route) : http_route(call, &route);
  return true;
}

static bool translate_ports(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  split->root = service(split, split->smi->service);
  if (!split->root) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/service", CODE_ROOT,
          arena_printf(arena, "there is no Service %s in namespace %s, whose ports are to be split",
                       split->smi->service, split->smi->meta.ns),
          "create it, or put it into the inventory");
    return false;
  }
  split->routes = arena_array(arena, split->root->port_count, sizeof *split->routes);
  split->objects = arena_array(arena, split->root->port_count, sizeof *split->objects);
  if (!split->routes || !split->objects) {
    call_out_of_memory(split->coverage.call);
    return false;
  }
  for (size_t i = 0; i < split->root->port_count; i++)
    if (!translate_port(split, &split->root->ports[i]))
      return false;
  return true;
}

static void cover_backends(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const char *name = split->smi->backends[i].service;
    if (service(split, name))
      cover(split, COVERAGE_EXACT, place(split, "backends", i), NULL, NULL, NULL);
    else
      cover(split, COVERAGE_APPROXIMATED, place(split, "backends", i), CODE_BACKEND,
            arena_printf(arena, "there is no Service %s yet; the others divide its share, which would be errors", name),
            "translate again when it exists");
  }
}

static void split_translate(const struct kube_directory *directory, const void *options,
                            const struct smi_traffic_split *smi, struct translation *translation) {
  struct split split = {.directory = directory, .options = options, .smi = smi, .coverage = {.call = directory->call}};
  if ((!smi->match_count || read_matches(&split)) && translate_ports(&split)) {
    cover_backends(&split);
    for (size_t i = 0; i < split.count; i++) {
      translation_add(translation, split.routes[i]);
      split.objects[i] = split.routes[i];
    }
  } else {
    split.count = 0;
    coverage_withdraw(&split.coverage, CODE_NOTHING_LEFT,
                      "another part of the split cannot be carried over, and the split only makes sense whole");
  }
  coverage_state(&split.coverage, translation, split.objects, split.count);
  json_decref(split.matches.items);
}

/* Of two routes for one Service the older one would count. */
void splits_translate(const struct kube_directory *directory, const struct gateway_options *options,
                      struct translation *translation) {
  kube_roots_translate(directory, options, CODE_ROOT_TAKEN, split_translate, translation);
}
