/* One answer of the metrics API, and what is wrong with it as such: with how it was served, not with what it counts. */
#ifndef TRAMMEL_HOST_CONFORMANCE_METRICS_READING_H
#define TRAMMEL_HOST_CONFORMANCE_METRICS_READING_H

#include "host/conformance/suite.h"
#include "host/engine/engine.h"
#include "host/lab/lab.h"

/* What is asked for, with real namespaces. */
struct metrics_query {
  const struct metrics_expectation *metrics;
  const char *ns;      /* "": a Namespace has none */
  const char *name;    /* "": all of the kind */
  const char *peer_ns; /* of an edge */
  const char *peer;
};

/* Texts live in `arena` or are the expectation's. -ENOENT when the placement has no such namespace. */
int metrics_query_create(const struct metrics_expectation *metrics, const struct placement *placement,
                         struct metrics_query *ret_query, struct error **err);

struct metrics_reading {
  struct arena *arena; /* of `problem` */
  Trammel__Adapter__V1__MetricsResponse *response;
  const char *problem; /* NULL: served as SMI says */
};

/* Asks once. */
int metrics_read(struct engine *engine, const struct metrics_query *query, struct metrics_reading *ret_reading,
                 struct error **err);
void metrics_reading_finish(struct metrics_reading *reading);
#define _cleanup_reading_ _cleanup_(metrics_reading_finish)

/* The item that the query is about, of a list the one called `name`, of a split that of `backend` (NULL: any). NULL
 * when there is none. */
const Trammel__Adapter__V1__MetricsItem *metrics_find(const struct metrics_reading *reading,
                                                      const struct metrics_query *query, const char *name,
                                                      const char *backend);

/* All that was counted, over all items: it only grows. */
uint64_t metrics_sum(const struct metrics_reading *reading);

#endif
