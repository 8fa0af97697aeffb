/* Requests and matches of HTTPRouteGroups. For the oracle only. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_ORACLE_HTTP_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_ORACLE_HTTP_H

#include "tests/support/smi_property/request.h"

/* NULL when it is not there. */
const struct smi_http_route_group *oracle_group(const struct smi_set *set, const char *ns, const char *name);

/* SPC-02 to SPC-04, SPC-06, SPC-07. */
bool oracle_match(const struct smi_http_match *match, const struct request_http *http);

#endif
