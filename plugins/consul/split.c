#include "plugins/consul/split.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/consul/entry.h"
#include "plugins/consul/match.h"
#include "plugins/consul/name.h"
#include "sdk/kube/object.h"
#include "sdk/smi/weight.h"

/* Consul's smallest share of a splitter is 0.01 of 100. */
#define WHOLE 10000u

/* What one split comes to. */
struct work {
  struct call *call;
  const struct splits *splits;
  const struct directory *directory;
  const struct smi_traffic_split *split;
  struct coverage_list coverage;
  bool failed; /* a part of it cannot be carried over, so none is */
  bool *used;  /* for each backend */
  json_t *routes;
};

static struct verdict unsupported(const char *code, const char *reason, const char *remedy) {
  return (struct verdict){COVERAGE_UNSUPPORTED, code, reason ? reason : "out of memory", remedy};
}

static int by_root(const struct smi_traffic_split *a, const struct smi_traffic_split *b) {
  int order = strcmp(a->meta.ns, b->meta.ns);
  return order != 0 ? order : strcmp(a->service, b->service);
}

static int by_root_and_name(const void *a, const void *b) {
  const struct smi_traffic_split *x = *(const struct smi_traffic_split *const *)a;
  const struct smi_traffic_split *y = *(const struct smi_traffic_split *const *)b;
  int order = by_root(x, y);
  return order != 0 ? order : strcmp(x->meta.name, y->meta.name);
}

bool splits_init(struct splits *splits, const struct directory *directory, struct protocols *protocols) {
  const struct smi_set *smi = &directory->request->smi;
  *splits = (struct splits){.directory = directory, .protocols = protocols, .count = smi->split_count};
  splits->roots = arena_array(call_arena(directory->call), smi->split_count, sizeof *splits->roots);
  if (!splits->roots) {
    call_out_of_memory(directory->call);
    return false;
  }
  for (size_t i = 0; i < smi->split_count; i++)
    splits->roots[i] = &smi->splits[i];
  if (splits->count)
    qsort(splits->roots, splits->count, sizeof *splits->roots, by_root_and_name);
  return true;
}

/* The first by name of the splits of a service: it counts when there are several. NULL: none. */
static const struct smi_traffic_split *split_of(const struct splits *splits, const char *ns, const char *service) {
  const struct smi_traffic_split wanted = {.meta.ns = ns, .service = service};
  size_t low = 0, high = splits->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (by_root(splits->roots[middle], &wanted) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < splits->count && by_root(splits->roots[low], &wanted) == 0 ? splits->roots[low] : NULL;
}

/* What fails the split is unsupported, also where alone it would be approximate: its reason is the split's. */
static void fail(struct work *w, struct verdict verdict, const char *list, size_t index) {
  verdict.level = COVERAGE_UNSUPPORTED;
  verdict_cover(&w->coverage, &w->split->meta, verdict, "/spec/%s/%zu", list, index);
  w->failed = true;
}

static void fail_root(struct work *w, struct verdict verdict) {
  verdict.level = COVERAGE_UNSUPPORTED;
  verdict_cover(&w->coverage, &w->split->meta, verdict, "/spec/service");
  w->failed = true;
}

static bool is_http(const struct inventory_service *service) {
  for (size_t i = 0; i < service->port_count; i++)
    if (service->ports[i].protocol == PORT_HTTP)
      return true;
  return service->port_count == 0;
}

/* A call to another port would go to the one that the service has. */
static struct verdict judge_ports(const struct work *w, const struct inventory_service *service) {
  if (service->port_count < 2)
    return VERDICT_EXACT;
  return (struct verdict){
      COVERAGE_APPROXIMATED, CODE_PORT,
      arena_printf(call_arena(w->call), "%s has several ports, of which Consul splits one", service->name),
      "give the ports services of their own"};
}

static void judge_root(struct work *w) {
  const char *ns = w->split->meta.ns, *root = w->split->service;
  const struct smi_traffic_split *first = split_of(w->splits, ns, root);
  const struct inventory_service *service = inventory_service(&w->directory->request->inventory, ns, root);
  struct verdict verdict = directory_judge_service(w->directory, ns, root);
  struct arena *arena = call_arena(w->call);
  if (w->directory->config->built_in)
    fail_root(w, unsupported(CODE_PROXY, "`consul connect proxy` carries connections, and splits nothing",
                             "use Envoy, and set the option proxies"));
  else if (verdict.level != COVERAGE_EXACT)
    fail_root(w, verdict);
  else if (first != w->split)
    fail_root(w, unsupported(CODE_ROOT_TAKEN,
                             arena_printf(arena, "TrafficSplit %s splits %s already", first->meta.name, root),
                             "keep one split for a service"));
  else if (service && !is_http(service))
    fail_root(w, unsupported(CODE_PROTOCOL,
                             arena_printf(arena, "Consul splits only HTTP, and %s has no port of HTTP", root), NULL));
  else if (service && judge_ports(w, service).level != COVERAGE_EXACT)
    fail_root(w, judge_ports(w, service));
}

/* A service of Consul has one port: the root's, on which a backend must be, too (SPL-06). */
static bool shares_port(const struct inventory_service *root, const struct inventory_service *backend) {
  for (size_t i = 0; i < root->port_count; i++)
    if (root->ports[i].protocol != PORT_UDP && !inventory_service_port(backend, root->ports[i].port, PORT_TCP))
      return false;
  return true;
}

/* Consul follows the splitter of a backend, which SMI does not (SPL-13). */
static struct verdict judge_backend(const struct work *w, const struct smi_backend *backend) {
  const char *ns = w->split->meta.ns;
  const struct inventory *inventory = &w->directory->request->inventory;
  const struct inventory_service *root = inventory_service(inventory, ns, w->split->service);
  const struct inventory_service *service = inventory_service(inventory, ns, backend->service);
  struct arena *arena = call_arena(w->call);
  struct verdict verdict = directory_judge_service(w->directory, ns, backend->service);
  if (verdict.level != COVERAGE_EXACT || backend->weight == 0)
    return verdict;
  if (strcmp(backend->service, w->split->service) == 0)
    return unsupported(CODE_CHAIN, "a root is not its own backend", "give the root's workloads a service of their own");
  const struct smi_traffic_split *other = split_of(w->splits, ns, backend->service);
  if (other && other->match_count == 0) /* a splitter does not lead to a router */
    return unsupported(CODE_CHAIN,
                       arena_printf(arena, "TrafficSplit %s splits %s, and Consul would follow it", other->meta.name,
                                    backend->service),
                       "name the backends of that split here");
  if (root && (!service || !shares_port(root, service)))
    return (struct verdict){COVERAGE_APPROXIMATED, CODE_BACKEND,
                            arena_printf(arena, "%s %s: the others divide its share", backend->service,
                                         service ? "does not have the ports of the root" : "is not there now"),
                            "translate again when that changes"};
  if (service && !is_http(service))
    return unsupported(CODE_PROTOCOL,
                       arena_printf(arena, "Consul splits only HTTP, and %s has no port of HTTP", backend->service),
                       NULL);
  verdict = service ? directory_judge_registration(w->directory, service) : VERDICT_EXACT;
  return verdict.level == COVERAGE_EXACT && service ? judge_ports(w, service) : verdict;
}

/* The backends that get something. */
static void choose_backends(struct work *w) {
  size_t count = w->split->backend_count, left = 0;
  w->used = arena_array(call_arena(w->call), count, sizeof *w->used);
  for (size_t i = 0; w->used && i < count; i++) {
    struct verdict verdict = judge_backend(w, &w->split->backends[i]);
    w->used[i] = (verdict.level == COVERAGE_EXACT || strcmp(verdict.code, CODE_BACKEND) != 0) &&
                 w->split->backends[i].weight > 0;
    left += w->used[i];
    if (verdict.level == COVERAGE_UNSUPPORTED)
      fail(w, verdict, "backends", i);
    else
      verdict_cover(&w->coverage, &w->split->meta, verdict, "/spec/backends/%zu", i);
  }
  if (!w->used)
    call_out_of_memory(w->call);
  else if (!w->failed && left == 0)
    fail_root(w,
              unsupported(CODE_WEIGHT, "no backend gets anything, and the shares of a splitter add up to 100", NULL));
}

/* A share that is no whole number of hundredths of a percent makes all of them approximate. */
static void tell_rounding(struct work *w, const uint64_t *weights, const uint32_t *parts) {
  unsigned __int128 sum = 0;
  for (size_t i = 0; i < w->split->backend_count; i++)
    sum += weights[i];
  for (size_t i = 0; i < w->split->backend_count; i++)
    if (parts[i] * sum != (unsigned __int128)weights[i] * WHOLE) {
      verdict_lower(&w->coverage, (struct verdict){COVERAGE_APPROXIMATED, CODE_WEIGHT,
                                                   "shares are rounded to hundredths of a percent", NULL});
      return;
    }
}

/* Shares in hundredths of a percent, of the backends that get something. NULL when Consul cannot say one. */
static uint32_t *shares(struct work *w) {
  size_t count = w->split->backend_count;
  uint64_t *weights = arena_array(call_arena(w->call), count, sizeof *weights);
  uint32_t *parts = arena_array(call_arena(w->call), count, sizeof *parts);
  _cleanup_error_ struct error *err = NULL;
  if (!weights || !parts) {
    call_out_of_memory(w->call);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    weights[i] = w->used[i] ? w->split->backends[i].weight : 0;
  if (weights_to_parts(weights, count, WHOLE, parts, &err) == 0) {
    tell_rounding(w, weights, parts);
    return parts;
  }
  fail_root(w, unsupported(CODE_WEIGHT,
                           arena_printf(call_arena(w->call), "shares of Consul are hundredths of a percent: %s",
                                        error_message(err)),
                           "use weights that are closer to each other"));
  return NULL;
}

static json_t *share_json(const struct work *w, const char *service, uint32_t parts) {
  json_t *weight = parts % 100 == 0 ? json_integer(parts / 100) : json_real((double)parts / 100);
  json_t *share = json_pack("{s:o, s:s}", "weight", weight, "service",
                            service_name(w->call, w->directory->config, w->split->meta.ns, service));
  if (share && w->directory->config->namespaces &&
      json_object_set_new(share, "namespace", json_string(w->split->meta.ns)) < 0) {
    json_decref(share);
    return NULL;
  }
  return share;
}

/* The content of the splitter; NULL when it cannot be said, or without memory. */
static json_t *splitter(struct work *w) {
  const uint32_t *parts = shares(w);
  if (!parts)
    return NULL;
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (size_t i = 0; !failed && i < w->split->backend_count; i++)
    if (w->used[i])
      failed = json_array_append_new(list, share_json(w, w->split->backends[i].service, parts[i]));
  if (!failed)
    return json_pack("{s:o}", "splits", list);
  json_decref(list);
  call_out_of_memory(w->call);
  return NULL;
}

static void add_route(struct work *w, const char *to, json_t *criteria) {
  json_t *destination =
      json_pack("{s:s}", "service", service_name(w->call, w->directory->config, w->split->meta.ns, to));
  int failed = 0;
  if (w->directory->config->namespaces)
    failed = json_object_set_new(destination, "namespace", json_string(w->split->meta.ns));
  json_t *route = json_pack("{s:{s:o}, s:o}", "match", "http", criteria, "destination", destination);
  if (failed || json_array_append_new(w->routes, route) < 0)
    call_out_of_memory(w->call);
}

/* All matches of the split's groups, merged (SPL-12), as routes to `to`. One that is left out would send what it
 * matches to the root. */
static void add_routes(struct work *w, const char *to) {
  for (size_t i = 0; i < w->split->match_count; i++) {
    const char *name = w->split->matches[i];
    const struct smi_http_route_group *group = kube_route_group(&w->directory->kube, w->split->meta.ns, name);
    if (!group) {
      fail(w,
           unsupported(CODE_DANGLING,
                       arena_printf(call_arena(w->call), "there is no HTTPRouteGroup %s in namespace %s", name,
                                    w->split->meta.ns),
                       "create it, or take the match out"),
           "matches", i);
      continue;
    }
    for (size_t j = 0; j < group->match_count; j++) {
      struct verdict verdict;
      json_t *criteria = match_criteria(w->call, &group->matches[j], &verdict);
      if (criteria)
        add_route(w, to, criteria);
      w->failed |= verdict.level == COVERAGE_UNSUPPORTED;
      verdict_cover(&w->coverage, &group->meta, verdict, "/spec/matches/%zu", j);
    }
    verdict_cover(&w->coverage, &w->split->meta, VERDICT_EXACT, "/spec/matches/%zu", i);
  }
  if (!w->failed && json_array_size(w->routes) == 0)
    fail(w, unsupported(CODE_NOTHING_LEFT, "none of the groups has a match", NULL), "matches", 0);
}

static struct native_object *object(struct work *w, enum entry_kind kind, const char *service, json_t *spec) {
  const struct smi_meta *source = &w->split->meta;
  const struct entry entry = {
      .kind = kind, .ns = source->ns, .service = service, .sources = &source, .source_count = 1};
  return entry_object(w->call, w->directory->config, &entry, spec);
}

static void need_protocols(struct work *w, const char *carrier) {
  const struct smi_meta *source = &w->split->meta;
  protocols_need(w->splits->protocols, source->ns, w->split->service, source);
  protocols_need(w->splits->protocols, source->ns, carrier, source);
  for (size_t i = 0; i < w->split->backend_count; i++)
    if (w->used[i])
      protocols_need(w->splits->protocols, source->ns, w->split->backends[i].service, source);
}

static void translate(struct work *w, struct translation *translation) {
  bool matched = w->split->match_count > 0;
  const char *key = arena_printf(call_arena(w->call), "TrafficSplit/%s/%s", w->split->meta.ns, w->split->meta.name);
  const char *carrier = matched ? kube_name(w->call, w->split->meta.name, key ? key : "") : w->split->service;
  struct native_object *objects[2] = {NULL, NULL};
  judge_root(w);
  choose_backends(w);
  if (matched)
    add_routes(w, carrier);
  json_t *spec = w->failed || !w->used ? NULL : splitter(w);
  if (spec) {
    need_protocols(w, carrier);
    objects[0] = object(w, ENTRY_SPLITTER, carrier, spec);
    if (matched)
      objects[1] = object(w, ENTRY_ROUTER, w->split->service, json_pack("{s:O}", "routes", w->routes));
    translation_add(translation, objects[0]);
    translation_add(translation, objects[1]);
  } else {
    coverage_withdraw(&w->coverage, CODE_NOTHING_LEFT,
                      "another part of the split cannot be carried over, and the split only makes sense whole");
  }
  coverage_state(&w->coverage, translation, (const struct native_object *const *)objects, matched ? 2 : 1);
}

void split_translate(const struct splits *splits, size_t index, struct translation *translation) {
  const struct directory *directory = splits->directory;
  struct work w = {.call = directory->call,
                   .splits = splits,
                   .directory = directory,
                   .split = &directory->request->smi.splits[index],
                   .coverage.call = directory->call,
                   .routes = json_array()};
  if (w.routes)
    translate(&w, translation);
  else
    call_out_of_memory(w.call);
  json_decref(w.routes);
}
