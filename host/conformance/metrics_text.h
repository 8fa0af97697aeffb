/* What is said of metrics: what was expected, what is wrong with a reading, what it held. Texts live in the arena; NULL
 * without memory. */
#ifndef TRAMMEL_HOST_CONFORMANCE_METRICS_TEXT_H
#define TRAMMEL_HOST_CONFORMANCE_METRICS_TEXT_H

#include "host/conformance/suite.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* "Pod server", "the edge of Pod server from Pod client at the server's side", "all of kind Pod with app=server". */
const char *metrics_what(struct arena *arena, const struct metrics_expectation *metrics);

/* "after GET / from client to server:8080 (20 times, 5 of them answered with 500), Pod server has 15 successes and 5
 * failures more". */
const char *metrics_expected(struct arena *arena, const struct check *check);

/* What is wrong, as it was printed; without memory (NULL) something is still wrong. */
const char *metrics_problem(const char *text);

/* The first items of a reading, as evidence: a new reference. */
json_t *metrics_items_json(const Trammel__Adapter__V1__MetricsResponse *response);

#endif
