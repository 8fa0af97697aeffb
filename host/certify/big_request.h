/* Requests for Translate with many rules. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_BIG_REQUEST_H
#define TRAMMEL_HOST_CERTIFY_BIG_REQUEST_H

#include <stddef.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

/* Ten thousand rules. */
#define BIG_TARGETS 100
#define BIG_RULES 100

/* `targets` TrafficTargets of `rules` rules each, with a match of a route group for each rule. In `arena`; NULL without
 * memory. */
struct arena;
Trammel__Adapter__V1__TranslateRequest *big_request(struct arena *arena, unsigned targets, unsigned rules);

/* Its bytes, in `arena`. 0, and a finding otherwise. */
struct sitting;
int big_request_make(struct sitting *sitting, struct arena *arena, unsigned targets, unsigned rules,
                     const void **ret_data, size_t *ret_length);

#endif
