/* What a mesh does with HTTPRoutes and TCPRoutes whose parents are Services, as the Gateway API 1.6 says. What it
 * leaves to implementations differs from world to world: where a path by RegularExpression ranks among others, and
 * whether it is held against all of a value or searched for in it. It knows nothing of the adapter. */
#ifndef TRAMMEL_TESTS_UNIT_GATEWAY_EVALUATOR_H
#define TRAMMEL_TESTS_UNIT_GATEWAY_EVALUATOR_H

#include "tests/support/smi_property/property.h"

struct routes;

/* Checks each route against the API's limits, too. */
struct routes *routes_create(const struct world *world, const struct translated *translated);
void routes_destroy(struct routes *routes);

void routes_shares(const struct routes *routes, const struct outbound_request *request, struct shares *ret_shares);

#endif
