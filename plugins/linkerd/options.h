/* The adapter's configuration. */
#ifndef TRAMMEL_PLUGINS_LINKERD_OPTIONS_H
#define TRAMMEL_PLUGINS_LINKERD_OPTIONS_H

#include "sdk/adapter/call.h"

/* Texts live as long as the call. */
struct linkerd_options {
  const char *server_version; /* policy.linkerd.io/v1beta3 */
  bool access_policy;         /* that version has spec.accessPolicy */
  const char *route_version;  /* of HTTPRoutes */
  const char *route_group;
  const char *trust_domain;
  const char *cluster_domain;
  const char *control_namespace;
  uint16_t control_port;                      /* of workloads, which stays outside of the mesh */
  bool identity_names;                        /* write sources as names in certificates instead of references */
  bool profiles;                              /* splits as ServiceProfiles */
  const json_t *probe_paths, *probe_networks; /* arrays of texts */
};

extern const char linkerd_config_schema[];

struct linkerd_options linkerd_options(const struct call *call);

#endif
