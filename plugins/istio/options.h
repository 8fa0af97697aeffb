/* The adapter's configuration. */
#ifndef TRAMMEL_PLUGINS_ISTIO_OPTIONS_H
#define TRAMMEL_PLUGINS_ISTIO_OPTIONS_H

#include "sdk/adapter/call.h"

struct istio_options {
  const char *security_version;   /* apiVersion of AuthorizationPolicy and PeerAuthentication */
  const char *networking_version; /* apiVersion of VirtualService */
  const char *trust_domain;
  const char *cluster_domain;
  const char *root_namespace;
  const char *revision;  /* of the control plane that injects; "": the default one */
  uint16_t control_port; /* of workloads, which stays outside of the mesh */
  bool mesh_wide;        /* the default denial is one policy in the root namespace */
  bool strict_mtls;      /* PeerAuthentications go with the default denial */
  bool envoy_filter;     /* what an AuthorizationPolicy cannot say goes into EnvoyFilters */
};

extern const char istio_config_schema[];

/* Borrows the call's configuration. */
struct istio_options istio_options(const struct call *call);

#endif
