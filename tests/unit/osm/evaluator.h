/* Open Service Mesh 1.2, as far as it decides on requests: what its controller makes of SMI resources and its
 * MeshConfig, and what its proxies do with that. Written from how OSM reads SMI; it knows nothing of the adapter. */
#ifndef TRAMMEL_TESTS_UNIT_OSM_EVALUATOR_H
#define TRAMMEL_TESTS_UNIT_OSM_EVALUATOR_H

#include "tests/support/smi_property/property.h"

struct osm;

/* The controller keeps resources in maps: it looks at them in any order, here one drawn from the world. */
struct osm *osm_create(const struct world *world, const struct translated *translated);
void osm_destroy(struct osm *osm);

bool osm_admits(const struct osm *osm, const struct request *request);
void osm_shares(const struct osm *osm, const struct outbound_request *request, struct shares *ret_shares);

/* Whether a Service leads to this port of the workload. There is no other way to it: listeners are made for Services.
 */
bool osm_reaches(const struct world *world, const struct request *request);

#endif
