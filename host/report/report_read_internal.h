/* The parts of report_read. The document fits the schema: what is required is there, and of its type. */
#ifndef TRAMMEL_HOST_REPORT_REPORT_READ_INTERNAL_H
#define TRAMMEL_HOST_REPORT_REPORT_READ_INTERNAL_H

#include <limits.h>

#include "host/conformance/result.h"
#include "sdk/base/fields.h"

/* The text under `key`, which lives as long as the document; NULL when absent. */
const char *kept_text(const struct node *map, const char *key);

/* The same; NULL for an empty one, too. */
const char *kept_name(const struct node *map, const char *key);

/* A whole number up to `most`; `fallback` when absent, 0 after a complaint. */
unsigned kept_number(struct fields *fields, const struct node *map, const char *key, unsigned most, unsigned fallback);

/* The same for a duration. */
int64_t kept_nanoseconds(struct fields *fields, const struct node *map, const char *key, int64_t most,
                         int64_t fallback);
bool kept_flag(const struct node *map, const char *key);

/* CLOCK_REALTIME nanoseconds; 0 after a complaint. */
int64_t kept_time(struct fields *fields, const struct node *map, const char *key);

/* Any value, as a new reference; NULL when absent. */
json_t *kept_value(struct fields *fields, const struct node *map, const char *key);

/* A list of strings. NULL when absent. */
const char *const *kept_texts(struct fields *fields, const struct node *map, const char *key, size_t *ret_count);

enum smi_group kept_group(const struct node *map);

/* "v1alpha3" under `key`; {0} when absent, or after a complaint about one that no matrix has a column for. */
struct smi_version kept_version(struct fields *fields, const struct node *map, const char *key, enum smi_group group);

/* What a metrics check expected. NULL after a complaint. */
const struct metrics_expectation *kept_metrics(struct fields *fields, const struct node *map);

/* Reads one of the report's cases. What it owns is released with case_result_finish(), also after a complaint. */
void kept_case(struct fields *fields, const struct node *map, struct case_result *ret_result);

#endif
