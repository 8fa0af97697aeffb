/* The adapter's configuration. */
#ifndef TRAMMEL_PLUGINS_OSM_OPTIONS_H
#define TRAMMEL_PLUGINS_OSM_OPTIONS_H

#include "sdk/adapter/call.h"

struct osm_options {
  const char *osm_namespace; /* of the control plane and its MeshConfig */
  const char *trust_domain;
  const char *mesh_name;
  uint16_t control_port; /* of a lab's workloads, that stays outside of the mesh */
};

extern const char osm_config_schema[];

/* Texts live as long as the call. */
struct osm_options osm_options(const struct call *call);

#endif
