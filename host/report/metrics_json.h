/* What a metrics check expects, as a report has it. */
#ifndef TRAMMEL_HOST_REPORT_METRICS_JSON_H
#define TRAMMEL_HOST_REPORT_METRICS_JSON_H

#include <jansson.h>

#include "host/conformance/metrics_expectation.h"

/* A new reference; NULL without memory. */
json_t *metrics_json(const struct metrics_expectation *metrics);

#endif
