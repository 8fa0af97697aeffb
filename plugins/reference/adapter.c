#include "plugins/reference/reference.h"

#include <string.h>

#include "plugins/reference/faults.h"

static const char *const draft_limits[] = {
    "podLabelSelector is resolved to ServiceAccounts when it is translated.",
    NULL,
};
static const char *const metrics_limits[] = {
    "Counts Pods, Deployments, Namespaces, Services and TrafficSplits, since the mesh started.",
    NULL,
};

static const struct smi_support smi[] = {SMI_ALL_TRANSLATED(NULL, draft_limits, NULL, NULL),
                                         {{SMI_METRICS, 1}, SMI_NATIVE, metrics_limits}};

#define FAULT_NAME(enumerator, name, requirement, what) ",\"" name "\""
#define FAULT_NAMES "[\"none\"" REFERENCE_FAULTS(FAULT_NAME) "]"

static const char config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"fault\":{\"type\":\"string\",\"default\":\"none\",\"enum\":" FAULT_NAMES ","
    "\"description\":\"One way for the mesh to be wrong\"},"
    "\"faults\":{\"type\":\"array\",\"maxItems\":128,\"items\":{\"type\":\"string\",\"enum\":" FAULT_NAMES "},"
    "\"description\":\"Several ways for the mesh to be wrong at once\"},"
    "\"image\":{\"type\":\"string\",\"default\":\"" IMAGE_DEFAULT "\",\"minLength\":1,\"maxLength\":512,"
    "\"description\":\"The container image of trammel-refmesh, for a lab on Kubernetes\"},"
    "\"trust_domain\":{\"type\":\"string\",\"default\":\"" TRUST_DOMAIN_DEFAULT "\","
    "\"minLength\":1,\"maxLength\":253,\"pattern\":\"^[a-z0-9][a-z0-9._-]*$\","
    "\"description\":\"The trust domain of the certificates\"}}}";

static const struct endpoint_permission permissions[] = {
    {"GET", "/v1/"}, {"PUT", "/v1/"}, {"DELETE", "/v1/"}, {"GET", "/apis/metrics.smi-spec.io/v1alpha1/"}};
static const struct endpoint_need endpoints[] = {
    {.name = CONTROL_ENDPOINT,
     .purpose = "the control API of trammel-refmesh",
     .permissions = permissions,
     .permission_count = sizeof permissions / sizeof permissions[0]},
};

static const char *const mesh_versions[] = {"the one that comes with this Trammel", NULL};

static const struct kubernetes_kind kinds[] = {{"apps/v1", "Deployment"}, {"v1", "Namespace"}, {"v1", "Service"}};

static const struct adapter_class reference = {
    .description =
        {
            .mesh_name = "Trammel reference mesh",
            .summary = "A small complete mesh on this machine: the oracle of the conformance suite",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = config_schema,
            .endpoints = endpoints,
            .endpoint_count = sizeof endpoints / sizeof endpoints[0],
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .embedded = true,
        },
    .translate = reference_translate,
    .detect = reference_detect,
    .enroll = reference_enroll,
    .plan = reference_plan,
    .metrics = reference_metrics,
};

ADAPTER_DEFINE(reference, "reference", "0.1.0", "reference")

const char *reference_trust_domain(const struct call *call) {
  const char *domain = json_string_value(json_object_get(call_config(call), "trust_domain"));
  return domain ? domain : TRUST_DOMAIN_DEFAULT;
}

const char *reference_image(const struct call *call) {
  const char *image = json_string_value(json_object_get(call_config(call), "image"));
  return image ? image : IMAGE_DEFAULT;
}

struct native_object *reference_object(struct call *call, uint32_t wave, const char *collection, const char *ns,
                                       const char *name, json_t *body) {
  const char *id = arena_printf(call_arena(call), "%s/%s%s%s", collection, path_segment(call, ns), name ? "/" : "",
                                name ? path_segment(call, name) : "");
  const char *path = id ? arena_printf(call_arena(call), "/v1/%s", id) : NULL;
  if (!path) {
    json_decref(body);
    call_out_of_memory(call);
    return NULL;
  }
  return native_http(call, id, wave, &(struct http_place){.endpoint = CONTROL_ENDPOINT, .path = path}, body);
}
