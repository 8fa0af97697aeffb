/* Matches of HTTPRouteGroups as OSM takes them: routes that its proxies try one after another, each with the callers
 * that it is for. OSM takes routes with the same content as one, for the callers of both. */
#ifndef TRAMMEL_PLUGINS_OSM_ROUTE_H
#define TRAMMEL_PLUGINS_OSM_ROUTE_H

#include "sdk/kube/rules.h"
#include "sdk/smi/regex.h"

struct route {
  const struct smi_http_match *match; /* NULL: any request */
  struct regex_analysis path;
  const char *key; /* its content; in the call's memory */
};

/* Decides whether a match can be carried over, and covers what cannot; its level is set. False when it is left out. */
bool route_read(struct coverage_list *coverage, struct kube_match *match, struct route *ret_route);

/* The route of any request. */
struct route route_of_anything(struct call *call);

/* An entry of an HTTPRouteGroup's `matches`. A new reference; NULL without memory. */
json_t *route_json(struct call *call, const struct route *route, const char *name);

/* False only when no request can match both. */
bool routes_overlap(const struct route *a, const struct route *b);

#endif
