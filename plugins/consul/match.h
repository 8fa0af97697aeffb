/* Matches of HTTPRouteGroups as Consul takes them, in intentions and in routers. */
#ifndef TRAMMEL_PLUGINS_CONSUL_MATCH_H
#define TRAMMEL_PLUGINS_CONSUL_MATCH_H

#include "plugins/consul/verdict.h"

/* The criteria of a match ({"pathPrefix": …, "methods": …, "header": …}, never empty) as a new reference; NULL, with
 * why in `ret_verdict`, for what cannot be carried over, and without memory. */
json_t *match_criteria(struct call *call, const struct smi_http_match *match, struct verdict *ret_verdict);

#endif
