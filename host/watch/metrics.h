/* What a watch counts, and how it is, over HTTP: GET /metrics (Prometheus), /healthz and /readyz. On a thread of its
 * own, without authentication: for a loopback address, or where a NetworkPolicy lets only the monitoring in. */
#ifndef TRAMMEL_HOST_WATCH_METRICS_H
#define TRAMMEL_HOST_WATCH_METRICS_H

#include <stdint.h>

#include "host/watch/counters.h"

#define METRICS_HEAD_MAX 8192
#define METRICS_TIMEOUT_S 10

/* The main thread counts as alive for so long after it was last seen: a translation of everything takes its time. */
#define METRICS_ALIVE_NS (180 * INT64_C(1000000000))

struct metrics;

/* `port` 0: one that is free. `adapter` is its id; borrowed, as the counters are. */
int metrics_start(const char *address, uint16_t port, const char *adapter, struct counters *counters,
                  struct metrics **ret_metrics, struct error **err);
uint16_t metrics_port(const struct metrics *metrics);
/* NULL is fine. */
void metrics_stop(struct metrics *metrics);

#endif
