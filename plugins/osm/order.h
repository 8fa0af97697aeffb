/* Where it matters which of several routes OSM tries first. OSM's proxies take the first route that matches a request,
 * and ask only for the callers of that one. A caller of another route that matches as well may so be denied. The order
 * is that of a map in OSM's memory: any. */
#ifndef TRAMMEL_PLUGINS_OSM_ORDER_H
#define TRAMMEL_PLUGINS_OSM_ORDER_H

#include "plugins/osm/target.h"

/* Different routes of one destination that are compared with each other. With more of them, those with different
 * callers count as overlapping. */
#define ROUTES_COMPARED_MAX 256

/* Sets `order_matters` of the targets that the grants are of. False, and the call marked, without memory. */
bool grants_order(struct call *call, struct target *targets, struct grant **grants, size_t count);

#endif
