#include "plugins/linkerd/options.h"

#include <string.h>

#include "sdk/prometheus/traffic.h"

#define DOMAIN "\"minLength\":1,\"maxLength\":253,\"pattern\":\"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$\""

const char linkerd_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"http_route\":{\"type\":\"string\",\"default\":\"policy.linkerd.io\",\"enum\":[\"policy.linkerd.io\","
    "\"gateway.networking.k8s.io\"],"
    "\"description\":\"API group of HTTPRoutes: policy.linkerd.io/v1beta3, which Linkerd brings, or "
    "gateway.networking.k8s.io/v1\"},"
    "\"split\":{\"type\":\"string\",\"default\":\"httproute\",\"enum\":[\"httproute\",\"serviceprofile\"],"
    "\"description\":\"What TrafficSplits become: HTTPRoutes, or dstOverrides of ServiceProfiles, the older form, "
    "which "
    "takes precedence over HTTPRoutes where both are\"},"
    "\"server_version\":{\"type\":\"string\",\"default\":\"v1beta3\",\"enum\":[\"v1beta3\",\"v1beta2\",\"v1beta1\"],"
    "\"description\":\"Version of Servers to write: v1beta3 from Linkerd 2.16 on\"},"
    "\"identities\":{\"type\":\"string\",\"default\":\"references\",\"enum\":[\"references\",\"names\"],"
    "\"description\":\"How sources are written: as references to ServiceAccounts, which are of the mesh's own trust "
    "domain, or as the names in their certificates, of trust_domain\"},"
    "\"trust_domain\":{\"type\":\"string\",\"default\":\"cluster.local\"," DOMAIN ","
    "\"description\":\"Trust domain of the mesh's identities\"},"
    "\"cluster_domain\":{\"type\":\"string\",\"default\":\"cluster.local\"," DOMAIN ","
    "\"description\":\"DNS domain of the cluster's Services\"},"
    "\"control_namespace\":{\"type\":\"string\",\"default\":\"linkerd\",\"minLength\":1,\"maxLength\":63,"
    "\"pattern\":\"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$\","
    "\"description\":\"Namespace of Linkerd's control plane\"},"
    "\"control_port\":{\"type\":\"integer\",\"default\":9901,\"minimum\":1,\"maximum\":65535,"
    "\"description\":\"Port of a lab's workloads that stays outside of the mesh\"},"
    "\"probe_paths\":{\"type\":\"array\",\"maxItems\":8,\"default\":[],\"items\":{\"type\":\"string\",\"minLength\":1,"
    "\"maxLength\":256,\"pattern\":\"^/[!-~]*$\"},"
    "\"description\":\"Paths that the kubelet probes with GET: allowed from probe_networks without an identity, on "
    "every "
    "port that has HTTP rules\"},"
    "\"probe_networks\":{\"type\":\"array\",\"maxItems\":16,\"default\":[],\"items\":{\"type\":\"string\","
    "\"minLength\":1,\"maxLength\":64,\"pattern\":\"^[0-9a-fA-F:.]+/[0-9]{1,3}$\"},"
    "\"description\":\"Networks of the nodes, as CIDR blocks\"}," TRAFFIC_OPTIONS "}}";

static const char *text(const struct call *call, const char *key) {
  const char *value = json_string_value(json_object_get(call_config(call), key));
  return value ? value : "";
}

static bool is(const struct call *call, const char *key, const char *value) {
  return strcmp(text(call, key), value) == 0;
}

static const char *server_version(const struct call *call) {
  if (is(call, "server_version", "v1beta1"))
    return "policy.linkerd.io/v1beta1";
  return is(call, "server_version", "v1beta2") ? "policy.linkerd.io/v1beta2" : "policy.linkerd.io/v1beta3";
}

struct linkerd_options linkerd_options(const struct call *call) {
  const bool gateway = is(call, "http_route", "gateway.networking.k8s.io");
  return (struct linkerd_options){
      .server_version = server_version(call),
      .access_policy = is(call, "server_version", "v1beta3"),
      .route_version = gateway ? "gateway.networking.k8s.io/v1" : "policy.linkerd.io/v1beta3",
      .route_group = gateway ? "gateway.networking.k8s.io" : "policy.linkerd.io",
      .trust_domain = text(call, "trust_domain"),
      .cluster_domain = text(call, "cluster_domain"),
      .control_namespace = text(call, "control_namespace"),
      .control_port = (uint16_t)json_integer_value(json_object_get(call_config(call), "control_port")),
      .identity_names = is(call, "identities", "names"),
      .profiles = is(call, "split", "serviceprofile"),
      .probe_paths = json_object_get(call_config(call), "probe_paths"),
      .probe_networks = json_object_get(call_config(call), "probe_networks"),
  };
}
