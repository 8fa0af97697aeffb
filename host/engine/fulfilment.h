/* Whether an object on a cluster is as it is wanted. */
#ifndef TRAMMEL_HOST_ENGINE_FULFILMENT_H
#define TRAMMEL_HOST_ENGINE_FULFILMENT_H

#include <jansson.h>
#include <stdbool.h>

/* Everything that is wanted is so, and it came from the very same body, which its hash says; more may be there: what
 * the server fills in, and fields of others. Lists are whole. */
bool is_fulfilled(const json_t *wanted, const json_t *there);

#endif
