/* What a watch counts. Any thread. */
#ifndef TRAMMEL_HOST_WATCH_COUNTERS_H
#define TRAMMEL_HOST_WATCH_COUNTERS_H

#include <stdatomic.h>

#include "host/engine/rollout.h"
#include "sdk/base/strbuf.h"

#define COUNTERS_BUCKETS 12

struct counters {
  /* Counted up. */
  atomic_ullong partial, whole; /* translations */
  atomic_ullong corrections;    /* objects that a whole translation had otherwise than partial ones before */
  atomic_ullong changes;        /* of resources and of the inventory */
  atomic_ullong interruptions;  /* of feeds */
  atomic_ullong relists;        /* of kinds whose feed had fallen too far behind */
  atomic_ullong events;         /* that were put on resources */
  atomic_ullong undone;         /* objects that others had added to */
  atomic_ullong outcomes[ROLLOUT_OUTCOMES];
  /* From the moment that a change was learnt of until an object was as it should be. */
  atomic_ullong latency[COUNTERS_BUCKETS], latency_count, latency_sum_ns;

  /* As it is. */
  atomic_ullong resources, invalid, wanted, there, pending, failing, contested;
  atomic_bool leading, ready;
  atomic_llong alive_ns; /* when the main thread was last seen, CLOCK_MONOTONIC */
};

/* An object that is now as it should be since a change `since_ns` (CLOCK_MONOTONIC). */
void counters_done(struct counters *counters, enum rollout_outcome outcome, int64_t since_ns);

/* In the text format of Prometheus (version 0.0.4). */
void counters_write(struct counters *counters, const char *adapter, struct strbuf *out);

#endif
