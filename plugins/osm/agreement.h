/* Whether targets can be carried over side by side. OSM joins all targets of a destination: a caller may take the
 * routes of any of them on the ports of any of them. That is what SMI says only when those with a caller in common have
 * the same ports, or the same routes. */
#ifndef TRAMMEL_PLUGINS_OSM_AGREEMENT_H
#define TRAMMEL_PLUGINS_OSM_AGREEMENT_H

#include "plugins/osm/target.h"

/* Refuses, in the order of the targets, each grant that does not go together with those before it: with routes as a
 * whole; of TCPRoutes alone the ports of HTTP. False, and the call marked, without memory. */
bool grants_agree(struct call *call, struct grant **grants, size_t count);

#endif
