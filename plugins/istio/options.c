#include "plugins/istio/options.h"

#include <string.h>

#include "sdk/prometheus/traffic.h"

#define DOMAIN "\"minLength\":1,\"maxLength\":253,\"pattern\":\"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$\""

const char istio_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"api_version\":{\"type\":\"string\",\"default\":\"v1\",\"enum\":[\"v1\",\"v1beta1\"],"
    "\"description\":\"Version of security.istio.io and networking.istio.io to write: v1 from Istio 1.22 on, v1beta1 "
    "for older ones\"},"
    "\"trust_domain\":{\"type\":\"string\",\"default\":\"cluster.local\"," DOMAIN ","
    "\"description\":\"Trust domain of principals. Istio reads cluster.local as its own, whatever that is; "
    "EnvoyFilters want the real one\"},"
    "\"cluster_domain\":{\"type\":\"string\",\"default\":\"cluster.local\"," DOMAIN ","
    "\"description\":\"DNS domain of the cluster's Services\"},"
    "\"deny_scope\":{\"type\":\"string\",\"default\":\"namespace\",\"enum\":[\"namespace\",\"mesh\"],"
    "\"description\":\"Where traffic is denied by default: a policy in each such namespace, or one in root_namespace "
    "that holds for the whole mesh\"},"
    "\"root_namespace\":{\"type\":\"string\",\"default\":\"istio-system\",\"minLength\":1,\"maxLength\":63,"
    "\"pattern\":\"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$\","
    "\"description\":\"Istio's root namespace, for deny_scope mesh and to look for istiod\"},"
    "\"revision\":{\"type\":\"string\",\"default\":\"\",\"maxLength\":63,"
    "\"pattern\":\"^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$\","
    "\"description\":\"Revision of the control plane that workloads of a lab join; empty: the default one\"},"
    "\"control_port\":{\"type\":\"integer\",\"default\":9901,\"minimum\":1,\"maximum\":65535,"
    "\"description\":\"Port of a lab's workloads that stays outside of the mesh\"},"
    "\"mutual_tls\":{\"type\":\"string\",\"default\":\"strict\",\"enum\":[\"strict\",\"unchanged\"],"
    "\"description\":\"strict: where traffic is denied by default, plain text is refused as well\"},"
    "\"regex\":{\"type\":\"string\",\"default\":\"refuse\",\"enum\":[\"refuse\",\"envoyfilter\"],"
    "\"description\":\"What to do with matches that an AuthorizationPolicy cannot express: refuse them, or put them "
    "into EnvoyFilters, which depend on the version of Istio\"}," TRAFFIC_OPTIONS "}}";

static const char *text(const struct call *call, const char *key) {
  const char *value = json_string_value(json_object_get(call_config(call), key));
  return value ? value : "";
}

static bool is(const struct call *call, const char *key, const char *value) {
  return strcmp(text(call, key), value) == 0;
}

struct istio_options istio_options(const struct call *call) {
  const bool v1 = is(call, "api_version", "v1");
  return (struct istio_options){
      .security_version = v1 ? "security.istio.io/v1" : "security.istio.io/v1beta1",
      .networking_version = v1 ? "networking.istio.io/v1" : "networking.istio.io/v1beta1",
      .trust_domain = text(call, "trust_domain"),
      .cluster_domain = text(call, "cluster_domain"),
      .root_namespace = text(call, "root_namespace"),
      .revision = text(call, "revision"),
      .control_port = (uint16_t)json_integer_value(json_object_get(call_config(call), "control_port")),
      .mesh_wide = is(call, "deny_scope", "mesh"),
      .strict_mtls = is(call, "mutual_tls", "strict"),
      .envoy_filter = is(call, "regex", "envoyfilter"),
  };
}
