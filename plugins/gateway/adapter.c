#include "plugins/gateway/options.h"
#include "plugins/gateway/translate.h"

static const char *const access_limits[] = {"The Gateway API has no access control.", NULL};
static const char *const specs_limits[] = {
    "Matches are for TrafficSplits only.",
    "Paths and headers that are no literals need RegularExpression, which implementations need not support.",
    NULL,
};
static const char *const split_limits[] = {
    "At most 16 backends with a weight above 0, of 1000000 at most after reduction.",
    "UDP stays with the root Service.",
    NULL,
};
static const char *const match_limits[] = {
    "At most 16 backends with a weight above 0, of 1000000 at most after reduction.",
    "At most 127 matches, each method counting for one.",
    "UDP stays with the root Service.",
    NULL,
};

static const struct smi_support smi[] = {
    {{SMI_ACCESS, 1}, SMI_UNSUPPORTED, access_limits}, {{SMI_ACCESS, 2}, SMI_UNSUPPORTED, access_limits},
    {{SMI_ACCESS, 3}, SMI_UNSUPPORTED, access_limits}, {{SMI_ACCESS, 4}, SMI_UNSUPPORTED, access_limits},
    {{SMI_SPECS, 1}, SMI_TRANSLATED, specs_limits},    {{SMI_SPECS, 2}, SMI_TRANSLATED, specs_limits},
    {{SMI_SPECS, 3}, SMI_TRANSLATED, specs_limits},    {{SMI_SPECS, 4}, SMI_TRANSLATED, specs_limits},
    {{SMI_SPLIT, 1}, SMI_TRANSLATED, split_limits},    {{SMI_SPLIT, 2}, SMI_TRANSLATED, split_limits},
    {{SMI_SPLIT, 3}, SMI_TRANSLATED, match_limits},    {{SMI_SPLIT, 4}, SMI_TRANSLATED, match_limits},
};

static const char *const mesh_versions[] = {"Gateway API 1.1 and later, meshes with its mesh profile", NULL};

static const struct kubernetes_kind kinds[] = {
    {"gateway.networking.k8s.io/v1", "HTTPRoute"},
    {"gateway.networking.k8s.io/v1", "TCPRoute"},
    {"gateway.networking.k8s.io/v1alpha2", "TCPRoute"},
};

static const char *const tcp_routes[] = {"TCPRoute", NULL};
static const struct version_option version_options[] = {{"tcp_version", "gateway.networking.k8s.io", tcp_routes}};

static const struct adapter_class gateway = {
    .description =
        {
            .mesh_name = "Gateway API",
            .summary = "HTTPRoutes and TCPRoutes of Services from TrafficSplits",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = gateway_config_schema,
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .version_options = version_options,
            .version_option_count = sizeof version_options / sizeof version_options[0],
        },
    .translate = gateway_translate,
};

ADAPTER_DEFINE(gateway, "gateway", "0.1.0", "gateway")
