/* An adapter of no mesh, whose objects are Kubernetes': what `trammel translate` writes is seen with it. A
 * TrafficTarget becomes a Grant, a TrafficSplit a Share, a namespace that denies by default a Wall. UDPRoutes are
 * unsupported; a destination without a workload is approximated. `over_http` makes Shares requests; `lie` makes bodies
 * that are not what the object says. */
#include <string.h>

#include "sdk/adapter/adapter.h"

static const char *const mesh_versions[] = {"any", NULL};
static const struct smi_support smi[] = {{{SMI_ACCESS, 3}, SMI_TRANSLATED, NULL},
                                         {{SMI_SPLIT, 4}, SMI_TRANSLATED, NULL}};
static const struct endpoint_permission permissions[] = {
    {"PUT", "/shares/"}, {"DELETE", "/shares/"}, {"GET", "/shares/"}};
static const struct endpoint_need endpoints[] = {{"control", "keeps shares", permissions, 3}};

static bool is_set(struct call *call, const char *key) {
  return json_is_true(json_object_get(call_config(call), key));
}

static const struct inventory_workload *workload_of(const struct inventory *inventory, const struct smi_subject *who) {
  for (size_t i = 0; i < inventory->workload_count; i++)
    if (strcmp(inventory->workloads[i].ns, who->ns) == 0 &&
        strcmp(inventory->workloads[i].service_account, who->name) == 0)
      return &inventory->workloads[i];
  return NULL;
}

static json_t *labels_of(const struct inventory_workload *workload) {
  json_t *labels = json_object();
  for (size_t i = 0; workload && i < workload->label_count; i++)
    (void)json_object_set_new(labels, workload->labels[i].name, json_string(workload->labels[i].value));
  return labels;
}

static json_t *ports_of(const struct inventory_workload *workload) {
  json_t *ports = json_array();
  for (size_t i = 0; workload && i < workload->port_count; i++)
    (void)json_array_append_new(ports, json_sprintf("%u/%s", (unsigned)workload->ports[i].port,
                                                    port_protocol_name(workload->ports[i].protocol)));
  return ports;
}

static void cover_rules(struct call *call, const struct smi_traffic_target *target, bool found,
                        const struct native_object *object, struct translation *translation) {
  for (size_t i = 0; i < target->rule_count; i++) {
    bool udp = target->rules[i].kind == SMI_UDP_ROUTE;
    struct coverage coverage = {.resource = &target->meta,
                                .level = udp     ? COVERAGE_UNSUPPORTED
                                         : found ? COVERAGE_EXACT
                                                 : COVERAGE_APPROXIMATED,
                                .pointer = arena_printf(call_arena(call), "/spec/rules/%zu", i),
                                .objects = &object,
                                .object_count = 1};
    if (coverage.level != COVERAGE_EXACT) {
      coverage.code = "KUBE-0001";
      coverage.reason = udp ? "no mesh carries UDP" : "nothing runs as the destination";
    }
    translation_cover(translation, &coverage);
  }
}

static void grant(struct call *call, const struct translate_request *request, const struct smi_traffic_target *target,
                  struct translation *translation) {
  const struct inventory_workload *workload = workload_of(&request->inventory, &target->destination);
  json_t *body = json_pack("{s:{s:o, s:o, s:s}}", "spec", "labels", labels_of(workload), "ports", ports_of(workload),
                           "text", "yes: no\n# 'quoted'");
  struct native_object *object =
      native_kubernetes(call, 1, "example.org/v1", "Grant", target->meta.ns, target->meta.name, body);
  native_source(object, &target->meta);
  translation_add(translation, object);
  cover_rules(call, target, workload != NULL, object, translation);
}

static void share(struct call *call, const struct smi_traffic_split *split, struct translation *translation) {
  json_t *body = json_pack("{s:{s:s}}", "spec", "root", split->service);
  const struct http_place place = {.endpoint = "control", .path = "/shares/1"};
  struct native_object *object = is_set(call, "over_http") ? native_http(call, "share", 2, &place, body)
                                                           : native_kubernetes(call, 2, "example.org/v1", "Share",
                                                                               split->meta.ns, split->meta.name, body);
  native_source(object, &split->meta);
  translation_add(translation, object);
  translation_cover(translation, &(struct coverage){.resource = &split->meta,
                                                    .level = COVERAGE_EXACT,
                                                    .pointer = "/spec",
                                                    .objects = (const struct native_object *const[]){object},
                                                    .object_count = 1});
}

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  for (size_t i = 0; i < request->deny_count; i++)
    translation_add(translation, native_kubernetes(call, 0, "example.org/v1", "Wall", request->deny_by_default[i],
                                                   "deny", json_object()));
  for (size_t i = 0; i < request->smi.target_count; i++)
    grant(call, request, &request->smi.targets[i], translation);
  for (size_t i = 0; i < request->smi.split_count; i++)
    share(call, &request->smi.splits[i], translation);
  return TRAMMEL_OK;
}

static const struct adapter_class kube = {
    .description = {.mesh_name = "Kube",
                    .summary = "An adapter whose objects are Kubernetes'",
                    .mesh_versions = mesh_versions,
                    .smi = smi,
                    .smi_count = 2,
                    .endpoints = endpoints,
                    .endpoint_count = 1,
                    .config_schema =
                        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"over_http\":"
                        "{\"type\":\"boolean\",\"default\":false}}}"},
    .translate = translate,
};

ADAPTER_DEFINE(kube, "kube", "1.0.0", "kube")
