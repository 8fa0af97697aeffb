#include "plugins/consul/consul.h"
#include "sdk/prometheus/traffic.h"

static const char *const access_limits[] = {
    "Identity is the name of a service: a ServiceAccount has to be named after its service.",
    "A service has one port: ports of TCPRoutes must be all that its workloads have.",
    "UDPRoutes are not carried over; with Consul 1.8 HTTPRouteGroups are not either.",
    NULL,
};
static const char *const split_limits[] = {
    "Only HTTP is split, in hundredths of a percent.",
    "A backend that is itself the root of a split is not carried over.",
    NULL,
};

static const char *const metrics_limits[] = {
    "The mesh serves no SMI metrics; `trammel mesh metrics` reads Prometheus.",
    NULL,
};

static const struct smi_support smi[] = {SMI_ALL_TRANSLATED(access_limits, access_limits, NULL, split_limits),
                                         {{SMI_METRICS, 1}, SMI_UNSUPPORTED, metrics_limits}};

static const char config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"transport\":{\"type\":\"string\",\"enum\":[\"crd\",\"http\"],\"default\":\"crd\","
    "\"description\":\"Where config entries go: custom resources of Kubernetes, or Consul's HTTP API, as always for "
    "Consul 1.8\"},"
    "\"generation\":{\"type\":\"string\",\"enum\":[\"1.8\",\"1.9\"],\"default\":\"1.9\","
    "\"description\":\"The oldest Consul that has to take it: 1.9 stands for all that are newer\"},"
    "\"acls\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"ACLs are on, so that a workload can only register under the name of its ServiceAccount\"},"
    "\"namespaces\":{\"type\":\"boolean\",\"default\":false,"
    "\"description\":\"Consul Enterprise has the namespaces of Kubernetes\"},"
    "\"default_deny\":{\"type\":\"string\",\"enum\":[\"intention\",\"acl\"],\"default\":\"intention\","
    "\"description\":\"What denies by default: an intention from all to all, or already the mesh's own policy\"},"
    "\"ports\":{\"type\":\"string\",\"enum\":[\"one\",\"each\"],\"default\":\"one\","
    "\"description\":\"one: a service is all of a workload, and has one port. each: of a workload with several ports, "
    "each is a service of its own, NAME-PORT\"},"
    "\"protocols\":{\"type\":\"string\",\"enum\":[\"write\",\"leave\"],\"default\":\"write\","
    "\"description\":\"Whether service-defaults are written for services that have to be of HTTP\"},"
    "\"proxies\":{\"type\":\"string\",\"enum\":[\"envoy\",\"built-in\"],\"default\":\"envoy\","
    "\"description\":\"What carries the traffic. built-in: `consul connect proxy`, which only carries connections\"},"
    "\"names\":{\"type\":\"string\",\"enum\":[\"plain\",\"qualified\"],\"default\":\"plain\","
    "\"description\":\"What services are called: as their ServiceAccount, or name_prefix, its namespace, _ and its "
    "name\"},"
    "\"name_prefix\":{\"type\":\"string\",\"pattern\":\"^[a-z0-9-]*$\",\"maxLength\":32,\"default\":\"\","
    "\"description\":\"What qualified names begin with\"},"
    "\"control_port\":{\"type\":\"integer\",\"default\":9901,\"minimum\":1,\"maximum\":65535,"
    "\"description\":\"Port of the workloads of a lab on Kubernetes that stays outside of the mesh\"}," TRAFFIC_OPTIONS
    "}}";

static const struct endpoint_permission permissions[] = {
    {"GET", "/v1/agent/"},
    {"PUT", "/v1/agent/service/"},
    {"GET", "/v1/status/"},
    {"GET", "/v1/config/"},
    {"PUT", "/v1/config"},
    {"DELETE", "/v1/config/"},
    {"GET", "/v1/connect/intentions"},
    {"POST", "/v1/connect/intentions"},
    {"PUT", "/v1/connect/intentions/"},
    {"DELETE", "/v1/connect/intentions/"},
};
static const struct endpoint_permission prometheus_permissions[] = {{"GET", PROMETHEUS_QUERY_PATH}};
static const struct endpoint_need endpoints[] = {
    {.name = CONSUL_ENDPOINT,
     .purpose = "the HTTP API of a Consul agent",
     .permissions = permissions,
     .permission_count = sizeof permissions / sizeof permissions[0]},
    {.name = PROMETHEUS_ENDPOINT,
     .purpose = "the Prometheus that scrapes the mesh's proxies, for metrics",
     .permissions = prometheus_permissions,
     .permission_count = sizeof prometheus_permissions / sizeof prometheus_permissions[0]},
};

static const struct program_need programs[] = {
    {CONSUL_PROGRAM, "the sidecars of a process lab: `consul connect proxy`"},
};

static const char *const mesh_versions[] = {">=1.8.4", NULL};

static const struct kubernetes_kind kinds[] = {
    {CONSUL_API_VERSION, "ServiceDefaults"},
    {CONSUL_API_VERSION, "ServiceIntentions"},
    {CONSUL_API_VERSION, "ServiceRouter"},
    {CONSUL_API_VERSION, "ServiceSplitter"},
};

static const struct adapter_class consul = {
    .description =
        {
            .mesh_name = "Consul",
            .summary = "Intentions, splitters and routers of HashiCorp Consul",
            .mesh_versions = mesh_versions,
            .smi = smi,
            .smi_count = sizeof smi / sizeof smi[0],
            .config_schema = config_schema,
            .endpoints = endpoints,
            .endpoint_count = sizeof endpoints / sizeof endpoints[0],
            .kinds = kinds,
            .kind_count = sizeof kinds / sizeof kinds[0],
            .programs = programs,
            .program_count = sizeof programs / sizeof programs[0],
        },
    .configure = consul_configure,
    .enroll = consul_enroll,
    .translate = consul_translate,
    .detect = consul_detect,
    .metrics = consul_metrics,
};

ADAPTER_DEFINE(consul, "consul", "0.1.0", "consul")
