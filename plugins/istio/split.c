#include "plugins/istio/split.h"

#include "plugins/istio/codes.h"
#include "plugins/istio/route_match.h"
#include "sdk/kube/object.h"
#include "sdk/kube/root.h"
#include "sdk/smi/weight.h"

/* A weight is an int32; the proxy adds those of a route up in 32 bits without sign. */
#define WEIGHT_MAX INT32_MAX
#define WEIGHT_SUM_MAX UINT32_MAX

/* One split on its way. */
struct split {
  const struct kube_directory *directory;
  const struct istio_options *options;
  const struct smi_traffic_split *smi;
  struct coverage_list coverage;
  const struct inventory_service *root;
  const struct inventory_service **backends; /* NULL: not there */
  uint64_t *weights;                         /* of one port: 0 for backends that are left out there */
  bool *served;                              /* backends that have some port of the root */
  json_t *matches;                           /* without ports; NULL: all requests */
  json_t *http, *tcp;                        /* routes */
};

static void cover(struct split *split, enum coverage_level level, const char *pointer, const char *code,
                  const char *reason, const char *remedy) {
  coverage_add(&split->coverage,
               &(struct coverage){.resource = &split->smi->meta,
                                  .level = level,
                                  .code = code,
                                  .reason = reason                    ? reason
                                            : level == COVERAGE_EXACT ? NULL
                                                                      : "out of memory",
                                  .remedy = remedy},
               "%s", pointer);
}

static const char *place(const struct split *split, const char *list, size_t index) {
  const char *pointer = arena_printf(call_arena(split->coverage.call), "/spec/%s/%zu", list, index);
  return pointer ? pointer : "";
}

static json_t *host_json(const struct split *split, const char *service) {
  return json_sprintf("%s.%s.svc.%s", service, split->smi->meta.ns, split->options->cluster_domain);
}

/* The port is always said: without it, a Service with one port would be reached on that, whatever it is. */
static json_t *destination_json(const struct split *split, const char *service, uint16_t port) {
  return json_pack("{s:{s:o, s:{s:i}}}", "destination", "host", host_json(split, service), "port", "number", port);
}

/* The weights of the backends on one port, as small as can be. False when no backend is left. */
static bool port_weights(struct split *split, const struct inventory_port *port) {
  bool any = false;
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const struct inventory_service *backend = split->backends[i];
    bool has = backend && inventory_service_port(backend, port->port, port->protocol);
    split->weights[i] = has ? split->smi->backends[i].weight : 0;
    split->served[i] |= has;
    any |= split->weights[i] > 0;
  }
  weights_reduce(split->weights, split->smi->backend_count);
  return any;
}

static bool weights_fit(const struct split *split) {
  uint64_t sum = 0;
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    if (split->weights[i] > WEIGHT_MAX)
      return false;
    sum += split->weights[i];
  }
  return sum <= WEIGHT_SUM_MAX;
}

/* `route` of one port: the backends that get something. One alone gets everything, whatever its weight. */
static json_t *route_json(const struct split *split, uint16_t port) {
  json_t *route = json_array();
  int failed = route ? 0 : -1;
  size_t count = 0;
  for (size_t i = 0; i < split->smi->backend_count; i++)
    count += split->weights[i] > 0;
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    if (split->weights[i] == 0)
      continue;
    json_t *item = destination_json(split, split->smi->backends[i].service, port);
    if (count > 1)
      failed |= json_object_set_new(item, "weight", json_integer((json_int_t)split->weights[i]));
    failed |= json_array_append_new(route, item);
  }
  if (!failed)
    return route;
  json_decref(route);
  return NULL;
}

/* The split's matches, each on this port; without any, the port itself. */
static json_t *match_json(const struct split *split, uint16_t port) {
  if (!split->matches)
    return json_pack("[{s:i}]", "port", port);
  json_t *list = json_array();
  size_t i;
  json_t *match;
  int failed = list ? 0 : -1;
  json_array_foreach(split->matches, i, match) {
    json_t *copy = json_copy(match);
    failed |= json_object_set_new(copy, "port", json_integer(port));
    failed |= json_array_append_new(list, copy);
  }
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static int add_route(json_t *routes, json_t *match, json_t *route) {
  return json_array_append_new(routes, json_pack("{s:o, s:o}", "match", match, "route", route));
}

/* Requests that match are split, and the rest goes to the root: the first route that matches is taken. */
static int add_http(struct split *split, uint16_t port) {
  int failed = 0;
  if (!split->matches || json_array_size(split->matches))
    failed |= add_route(split->http, match_json(split, port), route_json(split, port));
  if (split->matches)
    failed |= add_route(split->http, json_pack("[{s:i}]", "port", port),
                        json_pack("[o]", destination_json(split, split->smi->service, port)));
  return failed;
}

static void add_port(struct split *split, const struct inventory_port *port) {
  int failed = port->protocol == PORT_HTTP
                   ? add_http(split, port->port)
                   : add_route(split->tcp, json_pack("[{s:i}]", "port", port->port), route_json(split, port->port));
  if (failed)
    call_out_of_memory(split->coverage.call);
}

/* What is not split on one of the root's ports. Gives back whether the split may go on. */
static bool translate_port(struct split *split, const struct inventory_port *port) {
  struct arena *arena = call_arena(split->coverage.call);
  if (port->protocol == PORT_UDP) {
    cover(split, COVERAGE_APPROXIMATED, "/spec/service", CODE_UDP,
          arena_printf(arena,
                       "UDP port %u of %s is not split: Istio's proxies do not take UDP, which goes to the "
                       "Service itself",
                       port->port, split->smi->service),
          NULL);
    return true;
  }
  if (!port_weights(split, port)) {
    cover(split, COVERAGE_APPROXIMATED, "/spec/service", CODE_BACKEND,
          arena_printf(arena,
                       "no backend with a weight above 0 has port %u: what goes to it is not split, and stays "
                       "with %s",
                       port->port, split->smi->service),
          "give a backend that port");
    return true;
  }
  if (!weights_fit(split)) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/backends", CODE_WEIGHT,
          "the weights have no common divisor that brings each below 2147483648, and their sum below 4294967296",
          "use smaller weights");
    return false;
  }
  if (!split->matches || port->protocol == PORT_HTTP) /* TCP has nothing to match: all of it stays with the root */
    add_port(split, port);
  return true;
}

static bool translate_ports(struct split *split) {
  for (size_t i = 0; i < split->root->port_count; i++)
    if (!translate_port(split, &split->root->ports[i]))
      return false;
  if (json_array_size(split->http) || json_array_size(split->tcp))
    return true;
  cover(split, COVERAGE_UNSUPPORTED, "/spec/service", CODE_ROOT,
        arena_printf(call_arena(split->coverage.call), "%s has no port that can be split among these backends",
                     split->smi->service),
        "give the backends its ports");
  return false;
}

static void cover_backends(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const char *name = split->smi->backends[i].service, *pointer = place(split, "backends", i);
    if (!split->backends[i])
      cover(split, COVERAGE_APPROXIMATED, pointer, CODE_BACKEND,
            arena_printf(arena, "there is no Service %s yet; the others divide its share", name),
            "translate again when it exists");
    else
      cover(split, COVERAGE_EXACT, pointer, NULL,
            split->served[i]
                ? NULL
                : arena_printf(arena, "%s has none of the ports of %s, and so gets nothing", name, split->smi->service),
            NULL);
  }
}

/* The matches of all groups, merged (SPL-12). False when a group is missing: without it, fewer requests would be split
 * than meant, and without any group all of them. */
static bool read_matches(struct split *split) {
  struct call *call = split->coverage.call;
  const char *ns = split->smi->meta.ns;
  bool complete = true, left_out = false;
  split->matches = json_array();
  for (size_t i = 0; split->matches && i < split->smi->match_count; i++) {
    const char *name = split->smi->matches[i];
    const struct smi_http_route_group *group = kube_route_group(split->directory, ns, name);
    bool whole = true;
    for (size_t j = 0; group && j < group->match_count; j++)
      whole &= route_match_append(&split->coverage, group, j, split->matches);
    left_out |= !whole;
    complete &= group != NULL;
    if (!group)
      cover(split, COVERAGE_UNSUPPORTED, place(split, "matches", i), CODE_DANGLING,
            arena_printf(call_arena(call), "there is no HTTPRouteGroup %s in namespace %s", name, ns),
            "create it, or take the match out");
    else
      cover(split, whole ? COVERAGE_EXACT : COVERAGE_APPROXIMATED, place(split, "matches", i),
            whole ? NULL : CODE_NOTHING_LEFT, whole ? NULL : "only some of its matches could be carried over", NULL);
  }
  if (!split->matches)
    call_out_of_memory(call);
  if (complete && left_out && json_array_size(split->matches) == 0) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/matches", CODE_NOTHING_LEFT,
          "none of the groups has a match that could be carried over", NULL);
    return false;
  }
  return complete && split->matches;
}

static bool find_services(struct split *split) {
  const struct inventory *inventory = &split->directory->request->inventory;
  const char *ns = split->smi->meta.ns;
  uint64_t sum = 0;
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    split->backends[i] = inventory_service(inventory, ns, split->smi->backends[i].service);
    sum |= split->smi->backends[i].weight;
  }
  split->root = inventory_service(inventory, ns, split->smi->service);
  if (!split->root)
    cover(split, COVERAGE_UNSUPPORTED, "/spec/service", CODE_ROOT,
          arena_printf(call_arena(split->coverage.call),
                       "there is no Service %s in namespace %s, whose ports are to be "
                       "split",
                       split->smi->service, ns),
          "create it, or put it into the inventory");
  else if (sum == 0)
    cover(split, COVERAGE_UNSUPPORTED, "/spec/backends", CODE_NO_WEIGHT,
          "no backend has a weight above 0: Istio sends everything to a backend that is alone whatever its weight, and "
          "takes no several that sum to 0",
          "give a backend a weight, or take the split out");
  return split->root && sum > 0;
}

static json_t *spec_json(const struct split *split) {
  json_t *spec = json_pack("{s:[o]}", "hosts", host_json(split, split->smi->service));
  int failed = spec ? 0 : -1;
  if (json_array_size(split->http))
    failed |= json_object_set(spec, "http", split->http);
  if (json_array_size(split->tcp))
    failed |= json_object_set(spec, "tcp", split->tcp);
  if (!failed)
    return spec;
  json_decref(spec);
  return NULL;
}

static struct native_object *split_object(const struct split *split) {
  struct call *call = split->coverage.call;
  const struct smi_meta *meta = &split->smi->meta;
  const char *key = arena_printf(call_arena(call), "TrafficSplit/%s/%s", meta->ns, meta->name);
  json_t *spec = key ? spec_json(split) : NULL;
  return kube_object(call,
                     &(struct kube_object){.wave = SPLIT_WAVE,
                                           .api_version = split->options->networking_version,
                                           .kind = "VirtualService",
                                           .ns = meta->ns,
                                           .name = kube_name(call, meta->name, key ? key : ""),
                                           .sources = &meta,
                                           .source_count = 1},
                     spec ? json_pack("{s:o}", "spec", spec) : NULL);
}

static bool split_init(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  const size_t count = split->smi->backend_count;
  split->backends = arena_array(arena, count, sizeof *split->backends);
  split->weights = arena_array(arena, count, sizeof *split->weights);
  split->served = arena_array(arena, count, sizeof *split->served);
  split->http = json_array();
  split->tcp = json_array();
  if (split->backends && split->weights && split->served && split->http && split->tcp)
    return true;
  call_out_of_memory(split->coverage.call);
  return false;
}

static void split_finish(struct split *split) {
  json_decref(split->matches);
  json_decref(split->http);
  json_decref(split->tcp);
}

static bool split_read(struct split *split) {
  if (!find_services(split) || (split->smi->match_count && !read_matches(split)) || !translate_ports(split))
    return false;
  cover_backends(split);
  return true;
}

static void split_translate(const struct kube_directory *directory, const void *options,
                            const struct smi_traffic_split *smi, struct translation *translation) {
  struct split split = {.directory = directory, .options = options, .smi = smi, .coverage = {.call = directory->call}};
  const struct native_object *object = NULL;
  if (split_init(&split)) {
    if (split_read(&split)) {
      struct native_object *made = split_object(&split);
      translation_add(translation, made);
      object = made;
    } else {
      coverage_withdraw(&split.coverage, CODE_NOTHING_LEFT,
                        "another part of the split cannot be carried over, and the split only makes sense whole");
    }
    coverage_state(&split.coverage, translation, &object, object ? 1 : 0);
  }
  split_finish(&split);
}

/* Two VirtualServices for one host contradict each other. */
void splits_translate(const struct kube_directory *directory, const struct istio_options *options,
                      struct translation *translation) {
  kube_roots_translate(directory, options, CODE_ROOT_TAKEN, split_translate, translation);
}
