/* Matches of HTTPRouteGroups as the mesh takes them. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_MATCH_H
#define TRAMMEL_PLUGINS_REFERENCE_MATCH_H

#include "sdk/adapter/coverage.h"

/* Appends the match to the array `matches`. What cannot be carried over is left out (matches are OR'd, so that narrows)
 * and covered. */
void match_append(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                  json_t *matches);

#endif
