#include "plugins/osm/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/osm/codes.h"
#include "sdk/kube/object.h"

#define ACCESS_VERSION "access.smi-spec.io/v1alpha3"
#define SPECS_VERSION "specs.smi-spec.io/v1alpha4"

const struct route *grant_routes(const struct grant *grant, size_t *ret_count) {
  const struct target *target = grant->target;
  *ret_count = target->tcp_only ? grant->http.count > 0 : target->route_count;
  return target->tcp_only ? &target->anything : target->routes;
}

/* ---- reading */

static int by_value(const void *a, const void *b) {
  return *(const uint16_t *)a - *(const uint16_t *)b;
}

static bool contains(const struct kube_ports *ports, uint16_t port) {
  return ports->count && bsearch(&port, ports->items, ports->count, sizeof port, by_value);
}

static void add_port(struct port_set *set, uint16_t port) {
  if (set->count == 0 || set->items[set->count - 1] != port)
    set->items[set->count++] = port;
}

/* A port of the account's pods, and whether all of them that have it speak HTTP there. */
struct account_port {
  uint16_t port;
  bool http;
};

static int by_port(const void *a, const void *b) {
  return ((const struct account_port *)a)->port - ((const struct account_port *)b)->port;
}

static struct account_port *account_ports(struct call *call, const struct kube_account *account, size_t *ret_count) {
  size_t most = 0, count = 0, kept = 0;
  for (size_t i = 0; i < account->workload_count; i++)
    most += account->workloads[i]->port_count;
  struct account_port *ports = arena_array(call_arena(call), most, sizeof *ports);
  if (!ports) {
    call_out_of_memory(call);
    return NULL;
  }
  for (size_t i = 0; i < account->workload_count; i++)
    for (size_t j = 0; j < account->workloads[i]->port_count; j++) {
      const struct inventory_port *port = &account->workloads[i]->ports[j];
      if (port->protocol != PORT_UDP)
        ports[count++] = (struct account_port){port->port, port->protocol == PORT_HTTP};
    }
  if (count)
    qsort(ports, count, sizeof *ports, by_port);
  for (size_t i = 0; i < count; i++) {
    if (kept == 0 || ports[i].port != ports[kept - 1].port)
      ports[kept++] = ports[i];
    else
      ports[kept - 1].http &= ports[i].http;
  }
  *ret_count = kept;
  return ports;
}

/* A port that is HTTP at one pod and something else at another is for TCPRoutes alone: routes cannot hold there. */
static bool is_mixed(const struct kube_account *account, uint16_t port) {
  for (size_t i = 0; i < account->workload_count; i++)
    for (size_t j = 0; j < account->workloads[i]->port_count; j++)
      if (account->workloads[i]->ports[j].port == port && account->workloads[i]->ports[j].protocol == PORT_HTTP)
        return true;
  return false;
}

static void open_ports(struct target *target, struct grant *grant, const struct kube_ports *resolved) {
  struct call *call = target->coverage.call;
  const bool limited = target->rules.tcp.limited;
  size_t count = 0;
  struct account_port *ports = account_ports(call, grant->account, &count);
  grant->ports.items = arena_array(call_arena(call), count + resolved->count, sizeof *grant->ports.items);
  grant->http.items = arena_array(call_arena(call), count, sizeof *grant->http.items);
  if (!ports || !grant->ports.items || !grant->http.items) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (limited && !contains(resolved, ports[i].port))
      continue;
    const bool mixed = !ports[i].http && is_mixed(grant->account, ports[i].port);
    target->ports_shared |= mixed && !target->tcp_only;
    if (ports[i].http || target->tcp_only)
      add_port(&grant->ports, ports[i].port);
    if (ports[i].http || (mixed && target->tcp_only))
      add_port(&grant->http, ports[i].port);
  }
}

static void add_grant(struct target *target, const struct kube_account *account) {
  struct grant *grant = &target->grants[target->grant_count++];
  struct kube_ports resolved;
  *grant = (struct grant){.target = target, .account = account};
  kube_rules_ports(&target->rules, &target->rules.tcp, account, &resolved);
  if (target->tcp_only ? target->rules.tcp.found : target->route_count > 0)
    open_ports(target, grant, &resolved);
}

static void no_account(struct target *target, const struct kube_identity *identity) {
  const char *reason = arena_printf(call_arena(target->coverage.call),
                                    "no workload runs as ServiceAccount %s/%s, so its ports are not known, and without "
                                    "them OSM would open all",
                                    identity->ns, identity->name);
  coverage_add(&target->subject_coverage,
               &(struct coverage){.resource = &target->smi->meta,
                                  .level = COVERAGE_UNSUPPORTED,
                                  .code = CODE_ACCOUNT,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = "translate again when its workloads exist"},
               "/spec/destination");
}

static void read_grants(const struct kube_subjects *subjects, struct target *target) {
  struct call *call = target->coverage.call;
  struct kube_identities identities;
  kube_destinations_resolve(subjects, &target->subject_coverage, target->smi, &identities);
  target->grants = arena_array(call_arena(call), identities.count, sizeof *target->grants);
  if (!target->grants) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < identities.count; i++) {
    const struct kube_account *account =
        kube_account_find(&subjects->directory->accounts, identities.items[i].ns, identities.items[i].name);
    if (account)
      add_grant(target, account);
    else
      no_account(target, &identities.items[i]);
  }
}

static void read_routes(struct target *target) {
  struct call *call = target->coverage.call;
  struct kube_rules *rules = &target->rules;
  target->routes = arena_array(call_arena(call), rules->match_count, sizeof *target->routes);
  target->order_matters = arena_array(call_arena(call), target->smi->rule_count, sizeof *target->order_matters);
  if (!target->routes || !target->order_matters) {
    call_out_of_memory(call);
    rules->match_count = 0;
    return;
  }
  bool any = false;
  for (size_t i = 0; i < rules->match_count; i++)
    any |= route_read(&target->coverage, &rules->matches[i], &target->routes[i]);
  target->route_count = any ? rules->match_count : 0;
}

void target_read(const struct kube_subjects *subjects, const struct smi_traffic_target *smi,
                 struct target *ret_target) {
  struct call *call = subjects->directory->call;
  struct target *target = ret_target;
  *target = (struct target){.smi = smi, .coverage.call = call, .subject_coverage.call = call};
  kube_sources_resolve(subjects, &target->subject_coverage, smi, &target->sources);
  target->rules = (struct kube_rules){.directory = subjects->directory,
                                      .target = smi,
                                      .coverage = &target->coverage,
                                      .code_dangling = CODE_DANGLING,
                                      .code_nothing_left = CODE_NOTHING_LEFT,
                                      .code_port_shared = CODE_PORT_SHARED,
                                      .code_udp = CODE_UDP,
                                      .no_udp = "OSM does not take UDP, and ignores targets that name a UDPRoute"};
  kube_rules_read(&target->rules);
  target->tcp_only = !target->rules.http_written;
  target->anything = route_of_anything(call);
  read_routes(target);
  read_grants(subjects, target);
}

/* ---- coverage */

static bool is_rule(const struct target *target, const struct coverage *coverage, size_t rule) {
  char pointer[64];
  (void)snprintf(pointer, sizeof pointer, "/spec/rules/%zu", rule);
  return coverage->resource == &target->smi->meta && strcmp(coverage->pointer, pointer) == 0;
}

static bool is_udp(const struct target *target, const struct coverage *coverage) {
  for (size_t i = 0; i < target->smi->rule_count; i++)
    if (target->smi->rules[i].kind == SMI_UDP_ROUTE && is_rule(target, coverage, i))
      return true;
  return false;
}

/* Rules that are carried, and for which something more holds. `rule` SIZE_MAX: all of them. */
static void qualify(struct target *target, size_t rule, enum coverage_level level, const char *code, const char *reason,
                    const char *remedy) {
  for (size_t i = 0; i < target->coverage.count; i++) {
    struct coverage *item = &target->coverage.items[i];
    const bool meant =
        rule == SIZE_MAX ? item->resource == &target->smi->meta && !is_udp(target, item) : is_rule(target, item, rule);
    if (!meant || item->level == COVERAGE_UNSUPPORTED)
      continue;
    item->level = level;
    item->code = code;
    item->reason = reason;
    item->remedy = remedy;
  }
}

static void cover_order(struct target *target) {
  for (size_t i = 0; target->order_matters && i < target->smi->rule_count; i++)
    if (target->order_matters[i])
      qualify(target, i, COVERAGE_APPROXIMATED, CODE_FIRST_ROUTE,
              "OSM takes the first route that matches a request, in any order, and asks only for that one's sources: "
              "requests that a match of a target with other sources matches as well may be denied",
              "give targets with overlapping matches the same sources");
}

static void cover_grants(struct target *target) {
  size_t carried = 0, refused = 0, narrowed = 0;
  for (size_t i = 0; i < target->grant_count; i++) {
    const struct grant *grant = &target->grants[i];
    carried += grant->ports.count > 0;
    refused += grant->refused && grant->ports.count == 0;
    narrowed += grant->refused;
  }
  static const char mixed[] = "a target with some of its sources has other routes and other ports for the destination, "
                              "and OSM would allow the routes of either on the ports of both";
  static const char remedy[] = "let the targets have the same ports, or the same routes";
  if (!target->tcp_only && target->ports_shared)
    qualify(target, SIZE_MAX, COVERAGE_APPROXIMATED, CODE_PORT_SHARED,
            "ports that are HTTP at some workloads of the destination's ServiceAccount and something else at others "
            "are left out",
            "give workloads with different ports ServiceAccounts of their own");
  cover_order(target);
  if (narrowed)
    qualify(target, SIZE_MAX, refused && !carried ? COVERAGE_UNSUPPORTED : COVERAGE_APPROXIMATED, CODE_MIXED, mixed,
            remedy);
  else if (!carried && target->grant_count && target->route_count && !target->tcp_only)
    qualify(target, SIZE_MAX, COVERAGE_UNSUPPORTED, CODE_NO_HTTP,
            "the destination has no port of HTTP among those that are meant",
            "name its ports of HTTP in the inventory");
}

/* Rules whose subjects are all left out are in force nowhere, and not because someone wrote it so. */
static void cover(struct target *target) {
  kube_rules_cover(&target->rules);
  cover_grants(target);
  if (target->grant_count > 0 && (target->sources.count > 0 || target->smi->source_count == 0))
    return;
  static const char reason[] = "no destination or no source of its target could be carried over";
  coverage_withdraw(&target->coverage, CODE_NOTHING_LEFT, reason);
  coverage_withdraw(&target->subject_coverage, CODE_NOTHING_LEFT, reason);
}

/* ---- objects */

static json_t *subject_json(const char *ns, const char *name) {
  return json_pack("{s:s, s:s, s:s}", "kind", "ServiceAccount", "name", name, "namespace", ns);
}

static json_t *sources_json(const struct target *target) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < target->sources.count; i++)
    if (json_array_append_new(list, subject_json(target->sources.items[i].ns, target->sources.items[i].name)) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *ports_json(const struct port_set *ports) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < ports->count; i++)
    if (json_array_append_new(list, json_integer(ports->items[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* What is written for one grant. */
struct writing {
  const struct grant *grant;
  struct call *call;
  const char *name; /* of all its objects */
  const struct smi_meta *sources[3];
  const struct native_object *objects[3];
  size_t object_count;
};

static void write_object(struct writing *w, struct translation *translation, uint32_t wave, const char *api_version,
                         const char *kind, json_t *spec) {
  const struct smi_meta *meta = &w->grant->target->smi->meta;
  struct native_object *object = kube_object(w->call,
                                             &(struct kube_object){.wave = wave,
                                                                   .api_version = api_version,
                                                                   .kind = kind,
                                                                   .ns = w->grant->account->ns,
                                                                   .name = w->name,
                                                                   .sources = &meta,
                                                                   .source_count = 1},
                                             spec ? json_pack("{s:o}", "spec", spec) : NULL);
  translation_add(translation, object);
  w->objects[w->object_count++] = object;
}

/* The matches of the group, and their names: OSM takes none that a rule does not name. */
static bool write_matches(const struct writing *w, json_t *matches, json_t *names) {
  size_t count;
  const struct route *routes = grant_routes(w->grant, &count);
  for (size_t i = 0; i < count; i++) {
    if (!routes[i].key)
      continue;
    char name[32];
    (void)snprintf(name, sizeof name, "m%zu", i);
    if (json_array_append_new(matches, route_json(w->call, &routes[i], name)) < 0 ||
        json_array_append_new(names, json_string(name)) < 0)
      return false;
  }
  return true;
}

static json_t *rules_json(const struct writing *w, json_t *names) {
  if (json_array_size(names) == 0)
    return json_pack("[{s:s, s:s}]", "kind", "TCPRoute", "name", w->name);
  return json_pack("[{s:s, s:s, s:O}, {s:s, s:s}]", "kind", "HTTPRouteGroup", "name", w->name, "matches", names, "kind",
                   "TCPRoute", "name", w->name);
}

static void write_grant(const struct grant *grant, struct writing *w, struct translation *translation) {
  json_auto_t *matches = json_array(), *names = json_array();
  if (!matches || !names || !write_matches(w, matches, names)) {
    call_out_of_memory(w->call);
    return;
  }
  if (json_array_size(matches))
    write_object(w, translation, ROUTE_WAVE, SPECS_VERSION, "HTTPRouteGroup", json_pack("{s:O}", "matches", matches));
  write_object(w, translation, ROUTE_WAVE, SPECS_VERSION, "TCPRoute",
               json_pack("{s:{s:o}}", "matches", "ports", ports_json(&grant->ports)));
  write_object(w, translation, TARGET_WAVE, ACCESS_VERSION, "TrafficTarget",
               json_pack("{s:o, s:o, s:o}", "destination", subject_json(grant->account->ns, grant->account->name),
                         "rules", rules_json(w, names), "sources", sources_json(grant->target)));
}

static const char *name_of(struct call *call, const struct grant *grant) {
  const struct smi_meta *meta = &grant->target->smi->meta;
  const char *key = arena_printf(call_arena(call), "TrafficTarget/%s/%s/%s/%s", meta->ns, meta->name,
                                 grant->account->ns, grant->account->name);
  if (!key)
    call_out_of_memory(call);
  return kube_name(call, meta->name, key ? key : "");
}

void target_emit(struct target *target, struct translation *translation) {
  struct call *call = target->coverage.call;
  cover(target);
  const struct native_object **objects = arena_array(call_arena(call), 3 * target->grant_count, sizeof *objects);
  size_t count = 0;
  for (size_t i = 0; objects && target->sources.count && i < target->grant_count; i++) {
    const struct grant *grant = &target->grants[i];
    if (grant->ports.count == 0)
      continue;
    struct writing w = {.grant = grant, .call = call, .name = name_of(call, grant)};
    write_grant(grant, &w, translation);
    for (size_t j = 0; j < w.object_count; j++)
      objects[count++] = w.objects[j];
  }
  if (!objects)
    call_out_of_memory(call);
  coverage_state(&target->coverage, translation, objects, count);
  coverage_state(&target->subject_coverage, translation, objects, count);
}
