#include "host/certify/big_request.h"

#include <errno.h>

#include "host/certify/translation.h"
#include "sdk/base/arena.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

static PB(Meta) * make_meta(struct arena *arena, const char *what, unsigned number) {
  PB(Meta) *meta = arena_new(arena, PB(Meta));
  if (!meta)
    return NULL;
  *meta = (PB(Meta))PB_INIT(META);
  meta->name = arena_printf(arena, "%s-%u", what, number);
  meta->namespace_ = text("main");
  return meta->name ? meta : NULL;
}

static PB(Subject) * make_subject(struct arena *arena, const char *name) {
  PB(Subject) *subject = arena_new(arena, PB(Subject));
  if (!subject)
    return NULL;
  *subject = (PB(Subject))PB_INIT(SUBJECT);
  subject->kind = TRAMMEL__ADAPTER__V1__SUBJECT_KIND__SUBJECT_KIND_SERVICE_ACCOUNT;
  subject->name = text(name);
  subject->namespace_ = text("main");
  return subject;
}

static PB(HttpMatch) * make_match(struct arena *arena, unsigned group, unsigned number) {
  PB(HttpMatch) *match = arena_new(arena, PB(HttpMatch));
  char **methods = arena_array(arena, 1, sizeof *methods);
  if (!match || !methods)
    return NULL;
  *match = (PB(HttpMatch))PB_INIT(HTTP_MATCH);
  match->name = arena_printf(arena, "match-%u", number);
  match->path_case = TRAMMEL__ADAPTER__V1__HTTP_MATCH__PATH_PATH_REGEX;
  match->path_regex = arena_printf(arena, "/group-%u/item-%u", group, number);
  methods[0] = text("GET");
  match->methods = methods;
  match->n_methods = 1;
  return match->name && match->path_regex ? match : NULL;
}

static PB(HttpRouteGroup) * make_group(struct arena *arena, unsigned number, unsigned rules) {
  PB(HttpRouteGroup) *group = arena_new(arena, PB(HttpRouteGroup));
  if (!group)
    return NULL;
  *group = (PB(HttpRouteGroup))PB_INIT(HTTP_ROUTE_GROUP);
  group->meta = make_meta(arena, "routes", number);
  group->matches = arena_array(arena, rules, sizeof *group->matches);
  for (; group->matches && group->n_matches < rules; group->n_matches++)
    if (!(group->matches[group->n_matches] = make_match(arena, number, (unsigned)group->n_matches)))
      return NULL;
  return group->meta && group->matches ? group : NULL;
}

static PB(Rule) * make_rule(struct arena *arena, const PB(HttpRouteGroup) * group, unsigned number) {
  PB(Rule) *rule = arena_new(arena, PB(Rule));
  char **matches = arena_array(arena, 1, sizeof *matches);
  if (!rule || !matches)
    return NULL;
  *rule = (PB(Rule))PB_INIT(RULE);
  rule->kind = TRAMMEL__ADAPTER__V1__ROUTE_KIND__ROUTE_KIND_HTTP_ROUTE_GROUP;
  rule->name = group->meta->name;
  matches[0] = group->matches[number]->name;
  rule->matches = matches;
  rule->n_matches = 1;
  return rule;
}

static PB(TrafficTarget) * make_target(struct arena *arena, const PB(HttpRouteGroup) * group, unsigned number) {
  PB(TrafficTarget) *target = arena_new(arena, PB(TrafficTarget));
  if (!target)
    return NULL;
  *target = (PB(TrafficTarget))PB_INIT(TRAFFIC_TARGET);
  target->meta = make_meta(arena, "target", number);
  target->destination = make_subject(arena, "server");
  target->sources = arena_array(arena, 1, sizeof *target->sources);
  target->rules = arena_array(arena, group->n_matches, sizeof *target->rules);
  if (!target->meta || !target->destination || !target->sources || !target->rules ||
      !(target->sources[0] = make_subject(arena, "client")))
    return NULL;
  target->n_sources = 1;
  for (; target->n_rules < group->n_matches; target->n_rules++)
    if (!(target->rules[target->n_rules] = make_rule(arena, group, (unsigned)target->n_rules)))
      return NULL;
  return target;
}

static PB(SmiSet) * make_set(struct arena *arena, unsigned targets, unsigned rules) {
  PB(SmiSet) *set = arena_new(arena, PB(SmiSet));
  if (!set)
    return NULL;
  *set = (PB(SmiSet))PB_INIT(SMI_SET);
  set->targets = arena_array(arena, targets, sizeof *set->targets);
  set->route_groups = arena_array(arena, targets, sizeof *set->route_groups);
  if (!set->targets || !set->route_groups)
    return NULL;
  for (unsigned i = 0; i < targets; i++) {
    PB(HttpRouteGroup) *group = make_group(arena, i, rules);
    PB(TrafficTarget) *target = group ? make_target(arena, group, i) : NULL;
    if (!target)
      return NULL;
    set->route_groups[set->n_route_groups++] = group;
    set->targets[set->n_targets++] = target;
  }
  return set;
}

static PB(Workload) * make_workload(struct arena *arena, const char *name, const char *address) {
  PB(Workload) *workload = arena_new(arena, PB(Workload));
  PB(WorkloadPort) *port = arena_new(arena, PB(WorkloadPort));
  if (!workload || !port)
    return NULL;
  *workload = (PB(Workload))PB_INIT(WORKLOAD);
  *port = (PB(WorkloadPort))PB_INIT(WORKLOAD_PORT);
  port->port = 8080;
  port->protocol = TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP;
  workload->name = workload->service_account = text(name);
  workload->namespace_ = text("main");
  workload->app_address = workload->inbound_address = workload->outbound_address = text(address);
  workload->ports = arena_array(arena, 1, sizeof *workload->ports);
  if (!workload->ports)
    return NULL;
  workload->ports[workload->n_ports++] = port;
  return workload;
}

static PB(Inventory) * make_inventory(struct arena *arena) {
  PB(Inventory) *inventory = arena_new(arena, PB(Inventory));
  if (!inventory)
    return NULL;
  *inventory = (PB(Inventory))PB_INIT(INVENTORY);
  inventory->workloads = arena_array(arena, 2, sizeof *inventory->workloads);
  if (!inventory->workloads || !(inventory->workloads[0] = make_workload(arena, "client", "127.1.2.2")) ||
      !(inventory->workloads[1] = make_workload(arena, "server", "127.1.2.3")))
    return NULL;
  inventory->n_workloads = 2;
  return inventory;
}

PB(TranslateRequest) * big_request(struct arena *arena, unsigned targets, unsigned rules) {
  PB(TranslateRequest) *request = arena_new(arena, PB(TranslateRequest));
  PB(TranslateOptions) *options = arena_new(arena, PB(TranslateOptions));
  if (!request || !options)
    return NULL;
  *request = (PB(TranslateRequest))PB_INIT(TRANSLATE_REQUEST);
  *options = (PB(TranslateOptions))PB_INIT(TRANSLATE_OPTIONS);
  options->allow_unsupported = true;
  request->options = options;
  request->smi = make_set(arena, targets, rules);
  request->inventory = make_inventory(arena);
  return request->smi && request->inventory ? request : NULL;
}

int big_request_make(struct sitting *sitting, struct arena *arena, unsigned targets, unsigned rules,
                     const void **ret_data, size_t *ret_length) {
  PB(TranslateRequest) *request = arena ? big_request(arena, targets, rules) : NULL;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  if (!request) {
    sitting_lacks(sitting, "memory");
    return -ENOMEM;
  }
  int r = translation_pack(sitting, request, &data, &length);
  if (r < 0)
    return r;
  char *copy = arena_strndup(arena, (const char *)data, length);
  if (!copy) {
    sitting_lacks(sitting, "memory");
    return -ENOMEM;
  }
  *ret_data = copy;
  *ret_length = length;
  return 0;
}
