/* What an adapter says of traffic, as a table for people or as SMI's TrafficMetricsList. */
#ifndef TRAMMEL_HOST_CLI_TRAFFIC_METRICS_H
#define TRAMMEL_HOST_CLI_TRAFFIC_METRICS_H

#include <jansson.h>
#include <stdio.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

/* Sorts the items by their names, so that the same answer is always printed alike. */
void traffic_metrics_sort(Trammel__Adapter__V1__MetricsResponse *response);

/* -ENOMEM. */
int traffic_metrics_print(const Trammel__Adapter__V1__MetricsResponse *response, FILE *out);

/* metrics v1alpha1, about what was asked for. What there are no samples of is left out, and so is the window of what
 * counts since the mesh started. NULL without memory. */
json_t *traffic_metrics_json(const Trammel__Adapter__V1__MetricsRequest *request,
                             const Trammel__Adapter__V1__MetricsResponse *response);

#endif
