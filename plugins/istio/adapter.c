#include "plugins/istio/lifecycle.h"
#include "plugins/istio/options.h"
#include "plugins/istio/translate.h"
#include "sdk/prometheus/prometheus.h"

static const char *const access_limits[] = {
    "The pods of a destination's ServiceAccount need labels that no other pods have.",
    "A pathRegex or header that is no literal, prefix or suffix is left out, unless EnvoyFilters are allowed.",
    "UDPRoutes are left out: Istio does not take UDP.",
    NULL,
};
static const char *const draft_limits[] = {
    "podLabelSelector is resolved to ServiceAccounts when it is translated.",
    "The pods of a destination's ServiceAccount need labels that no other pods have.",
    "A pathRegex or header that is no literal, prefix or suffix is left out, unless EnvoyFilters are allowed.",
    "UDPRoutes are left out: Istio does not take UDP.",
    NULL,
};
static const char *const split_limits[] = {
    "A split whose weights are all 0 is left out.",
    "A port that no backend has, and UDP, stay with the root Service.",
    NULL,
};

static const char *const metrics_limits[] = {
    "The mesh serves no SMI metrics; `trammel mesh metrics` reads Prometheus.",
    NULL,
};

static const struct smi_support smi[] = {SMI_ALL_TRANSLATED(access_limits, draft_limits, NULL, split_limits),
                                         {{SMI_METRICS, 1}, SMI_UNSUPPORTED, metrics_limits}};

static const struct endpoint_permission permissions[] = {
    {"GET", DEPLOYMENTS_PATH},
    {"GET", SECURITY_PATH},
};
static const struct endpoint_permission prometheus_permissions[] = {{"GET", PROMETHEUS_QUERY_PATH}};
static const struct endpoint_need endpoints[] = {
    {.name = KUBERNETES_ENDPOINT,
     .purpose = "the Kubernetes API, to look for istiod and the APIs that are served",
     .permissions = permissions,
     .permission_count = sizeof permissions / sizeof permissions[0]},
    {.name = PROMETHEUS_ENDPOINT,
     .purpose = "the Prometheus that scrapes the mesh's proxies, for metrics",
     .permissions = prometheus_permissions,
     .permission_count = sizeof prometheus_permissions / sizeof prometheus_permissions[0]},
};

static const char *const mesh_versions[] = {"1.18 and later", NULL};

static const struct kubernetes_kind kinds[] = {
    {"networking.istio.io/v1", "VirtualService"},        {"networking.istio.io/v1alpha3", "EnvoyFilter"},
    {"networking.istio.io/v1beta1", "VirtualService"},   {"security.istio.io/v1", "AuthorizationPolicy"},
    {"security.istio.io/v1", "PeerAuthentication"},      {"security.istio.io/v1beta1", "AuthorizationPolicy"},
    {"security.istio.io/v1beta1", "PeerAuthentication"},
};

static const char *const policies[] = {"AuthorizationPolicy", "PeerAuthentication", NULL};
static const char *const services[] = {"VirtualService", NULL};
static const struct version_option version_options[] = {
    {"api_version", "security.istio.io", policies},
    {"api_version", "networking.istio.io", services},
};

/* "networking.istio.io/…", "sidecar.istio.io/…" (Istio, "Resource Annotations"). */
static const char *const control_domains[] = {"istio.io", NULL};

static const struct adapter_class istio = {
    .description =
        {
            .mesh_name = "Istio",
            .summary = "AuthorizationPolicies, PeerAuthentications and VirtualServices from SMI",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = istio_config_schema,
            .endpoints = endpoints,
            .endpoint_count = sizeof endpoints / sizeof endpoints[0],
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .version_options = version_options,
            .version_option_count = sizeof version_options / sizeof version_options[0],
            .control_domains = control_domains,
        },
    .translate = istio_translate,
    .detect = istio_detect,
    .metrics = istio_metrics,
    .enroll = istio_enroll,
};

ADAPTER_DEFINE(istio, "istio", "0.1.0", "istio")
