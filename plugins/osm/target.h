/* TrafficTargets as OSM takes them. A target is written anew for each ServiceAccount that is its destination, in that
 * account's namespace (OSM ignores others), with routes and ports of its own:
 *
 * - OSM lets callers of a target reach every port, also those that speak no HTTP, unless TCPRoutes limit it; so a
 * TCPRoute always does. Its ports are those of pods.
 * - A target with UDPRoutes is ignored as a whole; so they are left out.
 * - A target of TCPRoutes alone allows HTTP as well, which OSM wants an HTTPRouteGroup for. */
#ifndef TRAMMEL_PLUGINS_OSM_TARGET_H
#define TRAMMEL_PLUGINS_OSM_TARGET_H

#include "plugins/osm/route.h"
#include "sdk/kube/subject.h"

#define ROUTE_WAVE 1u
#define TARGET_WAVE 2u

struct target;

struct port_set {
  uint16_t *items; /* sorted, each once */
  size_t count;
};

/* What a target allows at one destination. */
struct grant {
  const struct target *target;
  const struct kube_account *account;
  struct port_set ports; /* of TCP, HTTP among them, that are opened; none: nothing is emitted */
  struct port_set http;  /* those of HTTP */
  bool refused;          /* it does not go together with another target's, see agreement.h */
};

struct target {
  const struct smi_traffic_target *smi;
  struct kube_rules rules;
  struct coverage_list coverage, subject_coverage;
  struct kube_identities sources;
  struct route *routes; /* one for each of rules.matches; without a key: left out */
  size_t route_count;
  struct route anything; /* of TCPRoutes alone */
  bool tcp_only;
  struct grant *grants;
  size_t grant_count;
  bool *order_matters; /* of each rule, see order.h */
  bool ports_shared;   /* some were left out */
};

/* The routes that callers of the grant may take: its own, or the one of anything, or none. */
const struct route *grant_routes(const struct grant *grant, size_t *ret_count);

void target_read(const struct kube_subjects *subjects, const struct smi_traffic_target *smi, struct target *ret_target);

/* After the grants of all targets were judged. */
void target_emit(struct target *target, struct translation *translation);

#endif
