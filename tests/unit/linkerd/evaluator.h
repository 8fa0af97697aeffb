/* What Linkerd does with objects, as its documentation and the source of linkerd2 and linkerd2-proxy have it: which
 * Server a connection belongs to, which route is best, who is authorised, and where a request to a Service goes. Shares
 * no code with the adapter. What depends on the age of objects ends the test: nobody can write ages down. */
#ifndef TRAMMEL_TESTS_UNIT_LINKERD_EVALUATOR_H
#define TRAMMEL_TESTS_UNIT_LINKERD_EVALUATOR_H

#include "tests/support/smi_property/property.h"

struct linkerd_mesh {
  const struct world *world;
  const json_t *objects; /* borrowed */
};

bool linkerd_admits(const struct linkerd_mesh *mesh, const struct request *request);
void linkerd_shares(const struct linkerd_mesh *mesh, const struct outbound_request *request, struct shares *ret_shares);

/* ---- routes, for both */

/* How good a match is; compared member by member. */
struct rank {
  size_t path, method, headers;
};

/* The best match of the rules of an HTTPRoute: the number of its rule, or -1. */
int linkerd_best_rule(const json_t *route, const struct request_http *http, struct rank *ret_rank);
int rank_compare(const struct rank *a, const struct rank *b);

/* "" when absent. */
const char *text_of(const json_t *object, const char *key);
bool is_object(const json_t *object, const char *group, const char *kind, const char *ns);

#endif
