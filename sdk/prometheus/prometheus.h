/* Instant queries of Prometheus' HTTP API (GET /api/v1/query), asked through the host, and their answers read strictly.
 * Everything belongs to the call: its memory, its thread. */
#ifndef TRAMMEL_SDK_PROMETHEUS_PROMETHEUS_H
#define TRAMMEL_SDK_PROMETHEUS_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/adapter/call.h"

/* For the description of an adapter: the endpoint, and the one request that it needs there. */
#define PROMETHEUS_ENDPOINT "prometheus"
#define PROMETHEUS_QUERY_PATH "/api/v1/query"

#define PROMETHEUS_SERIES_MAX 5000 /* of an answer */
#define PROMETHEUS_LABELS_MAX 64   /* of a series */

/* Of diagnostics (docs/diagnostics.md). */
#define CODE_PROMETHEUS_ANSWER "SDK-0019" /* an answer that is an error, or not as documented */
#define CODE_PROMETHEUS_QUERY "SDK-0022"  /* a query that is too long for a request */

struct prometheus_label {
  const char *name;
  const char *value;
};

struct prometheus_series {
  const struct prometheus_label *labels;
  size_t label_count;
  double value; /* may be NaN or infinite */
};

struct prometheus_answer {
  const struct prometheus_series *series;
  size_t count;
};

/* `value` as a string literal of PromQL, with its quotation marks; in the call's memory, NULL and the call marked
 * without. */
const char *prometheus_quote(struct call *call, const char *value);

/* Evaluates an expression of the type instant vector now. Prometheus' warnings become diagnostics. TRAMMEL_OK;
 * UNAVAILABLE with a diagnostic for an error of Prometheus' and what is not such an answer, RESOURCE_EXHAUSTED for one
 * of more series than PROMETHEUS_SERIES_MAX; INVALID_ARGUMENT for an expression that is too long for a path; else the
 * status of call_http. */
int prometheus_query(struct call *call, const char *expression, struct prometheus_answer *ret_answer);

/* Reads the body of an answer with that HTTP status; statuses as above. For tests, and fuzzing. */
int prometheus_read(struct call *call, unsigned status, const char *body, size_t length,
                    struct prometheus_answer *ret_answer);

/* The value of a label; "" when the series does not have it, as in PromQL. */
const char *prometheus_label(const struct prometheus_series *series, const char *name);

#endif
