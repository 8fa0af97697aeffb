#include "plugins/osm/options.h"

#include "sdk/prometheus/traffic.h"

const char osm_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"namespace\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":63,\"default\":\"osm-system\","
    "\"description\":\"Namespace of OSM's control plane, where its MeshConfig osm-mesh-config is.\"},"
    "\"trust_domain\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":253,\"default\":\"cluster.local\","
    "\"description\":\"Trust domain of the mesh: what SPIFFE ids of IdentityBindings begin with.\"},"
    "\"mesh_name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":63,\"default\":\"osm\","
    "\"description\":\"Name of the mesh that the namespaces of a lab join.\"},"
    "\"control_port\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535,\"default\":9901,"
    "\"description\":\"Port of a lab's workloads that stays outside of the mesh.\"}," TRAFFIC_OPTIONS "}}";

struct osm_options osm_options(const struct call *call) {
  const json_t *config = call_config(call);
  return (struct osm_options){.osm_namespace = json_string_value(json_object_get(config, "namespace")),
                              .trust_domain = json_string_value(json_object_get(config, "trust_domain")),
                              .mesh_name = json_string_value(json_object_get(config, "mesh_name")),
                              .control_port = (uint16_t)json_integer_value(json_object_get(config, "control_port"))};
}
