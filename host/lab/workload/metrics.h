/* The counters of the known sample app: who sent requests to /call and /echo, and which calls of /call succeeded.
 * Bounded. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_METRICS_H
#define TRAMMEL_HOST_LAB_WORKLOAD_METRICS_H

#include <stdbool.h>

#include "sdk/base/strbuf.h"

/* The most bytes each of the three lists grows to; what comes after is not kept. */
#define METRICS_LIST_MAX (1024u * 1024)

/* The lists' items as JSON, separated by commas. Zero-initialised: empty. */
struct metrics {
  struct strbuf received;
  struct strbuf succeeded;
  struct strbuf failed;
};

void metrics_finish(struct metrics *metrics);
void metrics_clear(struct metrics *metrics);
/* A request came from the service that called itself `caller` ("" for none). */
void metrics_received(struct metrics *metrics, const char *caller);
/* A call was made. `headers` is a JSON object or "null". */
void metrics_called(struct metrics *metrics, bool succeeded, const char *url, const char *method, const char *headers);
void metrics_write(const struct metrics *metrics, struct strbuf *out);

#endif
