#include "plugins/osm/lifecycle.h"
#include "plugins/osm/options.h"
#include "plugins/osm/translate.h"
#include "sdk/prometheus/prometheus.h"

static const char *const access_limits[] = {
    "Traffic is denied by default in the whole mesh or nowhere.",
    "UDPRoutes are left out: OSM does not take UDP.",
    "Targets of one destination with a source in common need the same ports, or the same routes.",
    "Where matches with different sources overlap, a request may be denied.",
    NULL,
};
static const char *const draft_limits[] = {
    "podLabelSelector is resolved to ServiceAccounts when it is translated.",
    "Traffic is denied by default in the whole mesh or nowhere.",
    "UDPRoutes are left out: OSM does not take UDP.",
    "Targets of one destination with a source in common need the same ports, or the same routes.",
    "Where matches with different sources overlap, a request may be denied.",
    NULL,
};
static const char *const specs_limits[] = {
    "A match with two expressions for one header is left out.",
    NULL,
};
static const char *const split_limits[] = {
    "A split whose weights are all 0, or with a port that no backend has, is left out.",
    "UDP stays with the root Service.",
    NULL,
};
static const char *const match_limits[] = {
    "Splits with matches are left out.",
    "A split whose weights are all 0, or with a port that no backend has, is left out.",
    "UDP stays with the root Service.",
    NULL,
};

static const char *const metrics_limits[] = {
    "The mesh serves no SMI metrics; `trammel mesh metrics` reads Prometheus.",
    NULL,
};

/* OSM reads access v1alpha3, specs v1alpha4 and split v1alpha2 itself, but not as the specification says: what is
 * written for it is not what was read. */
static const struct smi_support smi[] = {
    {{SMI_ACCESS, 1}, SMI_TRANSLATED, access_limits},
    {{SMI_ACCESS, 2}, SMI_TRANSLATED, access_limits},
    {{SMI_ACCESS, 3}, SMI_TRANSLATED, access_limits},
    {{SMI_ACCESS, 4}, SMI_TRANSLATED, draft_limits},
    {{SMI_SPECS, 1}, SMI_TRANSLATED, NULL},
    {{SMI_SPECS, 2}, SMI_TRANSLATED, specs_limits},
    {{SMI_SPECS, 3}, SMI_TRANSLATED, specs_limits},
    {{SMI_SPECS, 4}, SMI_TRANSLATED, specs_limits},
    {{SMI_SPLIT, 1}, SMI_TRANSLATED, split_limits},
    {{SMI_SPLIT, 2}, SMI_TRANSLATED, split_limits},
    {{SMI_SPLIT, 3}, SMI_TRANSLATED, match_limits},
    {{SMI_SPLIT, 4}, SMI_TRANSLATED, match_limits},
    {{SMI_METRICS, 1}, SMI_UNSUPPORTED, metrics_limits},
};

static const char *const mesh_versions[] = {"1.0 to 1.2", NULL};

static const struct endpoint_permission permissions[] = {
    {"GET", DEPLOYMENTS_PATH},
    {"GET", "/apis/config.openservicemesh.io/"},
    {"PATCH", "/apis/config.openservicemesh.io/"},
};

static const struct endpoint_permission prometheus_permissions[] = {{"GET", PROMETHEUS_QUERY_PATH}};

static const struct endpoint_need endpoints[] = {
    {KUBERNETES_ENDPOINT, "the Kubernetes API, for OSM's deployments and its MeshConfig", permissions,
     sizeof permissions / sizeof permissions[0]},
    {PROMETHEUS_ENDPOINT, "the Prometheus that scrapes the mesh's proxies, for metrics", prometheus_permissions,
     sizeof prometheus_permissions / sizeof prometheus_permissions[0]},
};

static const struct kubernetes_kind kinds[] = {
    {"access.smi-spec.io/v1alpha3", "TrafficTarget"},
    {"specs.smi-spec.io/v1alpha4", "HTTPRouteGroup"},
    {"specs.smi-spec.io/v1alpha4", "TCPRoute"},
    {"split.smi-spec.io/v1alpha2", "TrafficSplit"},
};

static const char *const control_domains[] = {"openservicemesh.io", NULL};

static const struct adapter_class osm = {
    .description =
        {
            .mesh_name = "Open Service Mesh",
            .summary = "SMI as OSM reads it, and its MeshConfig",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = osm_config_schema,
            .endpoints = endpoints,
            .endpoint_count = sizeof endpoints / sizeof endpoints[0],
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .control_domains = control_domains,
        },
    .translate = osm_translate,
    .detect = osm_detect,
    .metrics = osm_metrics,
    .enroll = osm_enroll,
};

ADAPTER_DEFINE(osm, "osm", "0.1.0", "osm")
