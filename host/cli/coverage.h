/* How exactly a translation carries over each rule, match and backend: for people, and as a file. */
#ifndef TRAMMEL_HOST_CLI_COVERAGE_H
#define TRAMMEL_HOST_CLI_COVERAGE_H

#include <jansson.h>
#include <stdio.h>

#include "sdk/smi/model.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* Rows that are printed; those that are not exact come first when there are more. */
#define COVERAGE_ROWS_MAX 200

struct coverage_counts {
  size_t exact, approximated, unsupported;
};
struct coverage_counts coverage_count(const Trammel__Adapter__V1__TranslateResponse *response);

/* A table with resource, pointer, level and reason, and a line with the counts. -ENOMEM. */
int coverage_print(const Trammel__Adapter__V1__TranslateResponse *response, FILE *out);

/* The rows as a list: kind, namespace, name, pointer, level, reason, the ids of the objects that carry it, and the file
 * and line of the resource when it is in `set`. A new reference; NULL without memory. */
json_t *coverage_to_json(const Trammel__Adapter__V1__TranslateResponse *response, const struct smi_set *set);

#endif
