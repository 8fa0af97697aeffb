/* Matches of HTTPRouteGroups as a VirtualService has them. */
#ifndef TRAMMEL_PLUGINS_ISTIO_ROUTE_MATCH_H
#define TRAMMEL_PLUGINS_ISTIO_ROUTE_MATCH_H

#include "sdk/adapter/coverage.h"

/* Adds the match, without a port, to the array `matches`. What a VirtualService cannot say is left out (matches are
 * OR'd, so fewer requests are split) and covered. False when it is left out. */
bool route_match_append(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                        json_t *matches);

#endif
