#include "plugins/linkerd/lifecycle.h"
#include "plugins/linkerd/options.h"
#include "plugins/linkerd/translate.h"
#include "sdk/prometheus/prometheus.h"

#define ACCESS_LIMITS                                                                                                  \
  "The pods of a destination's ServiceAccount need labels that no other pods have.",                                   \
      "A Server is for one port: without a TCPRoute that names ports, those of the inventory are meant.",              \
      "Matches that overlap with different sources need paths that are plain prefixes, the same, or apart.",           \
      "Denying by default reaches the ports of the inventory; the rest needs an annotation of the namespace.",         \
      "UDPRoutes are left out: Linkerd does not take UDP."

static const char *const access_limits[] = {ACCESS_LIMITS, NULL};
static const char *const draft_limits[] = {
    "podLabelSelector is resolved to ServiceAccounts when it is translated.",
    ACCESS_LIMITS,
    NULL,
};
static const char *const split_limits[] = {
    "As HTTPRoutes, splits are for HTTP alone; as ServiceProfiles, for all requests and ports alike.",
    "A split whose weights are all 0 is left out.",
    NULL,
};

static const char *const metrics_limits[] = {
    "The mesh serves no SMI metrics; `trammel mesh metrics` reads Prometheus.",
    NULL,
};

static const struct smi_support smi[] = {SMI_ALL_TRANSLATED(access_limits, draft_limits, NULL, split_limits),
                                         {{SMI_METRICS, 1}, SMI_UNSUPPORTED, metrics_limits}};

static const char *const mesh_versions[] = {"2.14 and later", NULL};

static const struct endpoint_permission permissions[] = {{"GET", DEPLOYMENTS_PATH}, {"GET", CONFIGURATION_PATH}};
static const struct endpoint_permission prometheus_permissions[] = {{"GET", PROMETHEUS_QUERY_PATH}};
static const struct endpoint_need endpoints[] = {
    {.name = KUBERNETES_ENDPOINT,
     .purpose = "the Kubernetes API: whether Linkerd is installed, in which version, and ready",
     .permissions = permissions,
     .permission_count = sizeof permissions / sizeof permissions[0]},
    {.name = PROMETHEUS_ENDPOINT,
     .purpose = "the Prometheus that scrapes the mesh's proxies, for metrics",
     .permissions = prometheus_permissions,
     .permission_count = sizeof prometheus_permissions / sizeof prometheus_permissions[0]},
};

static const struct kubernetes_kind kinds[] = {
    {"gateway.networking.k8s.io/v1", "HTTPRoute"},
    {"linkerd.io/v1alpha2", "ServiceProfile"},
    {"policy.linkerd.io/v1alpha1", "AuthorizationPolicy"},
    {"policy.linkerd.io/v1alpha1", "MeshTLSAuthentication"},
    {"policy.linkerd.io/v1alpha1", "NetworkAuthentication"},
    {"policy.linkerd.io/v1beta1", "Server"},
    {"policy.linkerd.io/v1beta2", "Server"},
    {"policy.linkerd.io/v1beta3", "HTTPRoute"},
    {"policy.linkerd.io/v1beta3", "Server"},
};

static const char *const servers[] = {"Server", NULL};
static const struct version_option version_options[] = {{"server_version", "policy.linkerd.io", servers}};

/* "retry.linkerd.io/…", "timeout.linkerd.io/…" on routes, "config.linkerd.io/…" (Linkerd, "Retries", "Timeouts"). */
static const char *const control_domains[] = {"linkerd.io", NULL};

static const struct adapter_class linkerd = {
    .description =
        {
            .mesh_name = "Linkerd",
            .summary = "Servers, AuthorizationPolicies, HTTPRoutes and ServiceProfiles from SMI",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = linkerd_config_schema,
            .endpoints = endpoints,
            .endpoint_count = sizeof endpoints / sizeof endpoints[0],
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .version_options = version_options,
            .version_option_count = sizeof version_options / sizeof version_options[0],
            .control_domains = control_domains,
        },
    .translate = linkerd_translate,
    .detect = linkerd_detect,
    .metrics = linkerd_metrics,
    .enroll = linkerd_enroll,
};

ADAPTER_DEFINE(linkerd, "linkerd", "0.1.0", "linkerd")
