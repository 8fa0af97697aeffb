/* An HTTPRoute or TCPRoute for one port of a Service: what clients in the mesh reach under the Service's name. */
#ifndef TRAMMEL_PLUGINS_GATEWAY_ROUTE_H
#define TRAMMEL_PLUGINS_GATEWAY_ROUTE_H

#include "plugins/gateway/match.h"

/* What the API takes at most (Gateway API 1.6). */
#define ROUTE_BACKENDS_MAX 16u     /* of a rule */
#define ROUTE_WEIGHT_MAX 1000000u  /* of a backend */
#define ROUTE_RULE_MATCHES_MAX 64u /* of a rule */
#define ROUTE_MATCHES_MAX 128u     /* of all rules of a route */

#define ROUTE_WAVE 1u

struct route_backend {
  const char *service;
  uint64_t weight; /* up to ROUTE_WEIGHT_MAX */
};

struct route {
  const struct smi_traffic_split *split;
  uint16_t port;
  const struct route_backend *backends; /* none: requests are answered with an error, connections refused */
  size_t backend_count;
  const struct match_list *matches; /* what does not match goes to the Service itself. NULL: everything is split */
};

/* NULL, and the call marked, without memory. */
struct native_object *http_route(struct call *call, const struct route *route);
struct native_object *tcp_route(struct call *call, const struct gateway_options *options, const struct route *route);

#endif
