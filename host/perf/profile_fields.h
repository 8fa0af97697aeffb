/* What profiles of all formats are read with: values with their ranges, and the parts of a request. Complaints are
 * about the field that is wrong; nothing is brought into range. */
#ifndef TRAMMEL_HOST_PERF_PROFILE_FIELDS_H
#define TRAMMEL_HOST_PERF_PROFILE_FIELDS_H

#include "host/perf/profile.h"
#include "sdk/base/fields.h"

/* One value of any kind but null; NULL when there is none, or after a complaint. */
const struct node *profile_scalar(struct fields *fields, const struct node *map, const char *key);

/* An optional text, which may look like a number, of 1 to PROFILE_TEXT_MAX bytes; NULL when there is none. */
const char *profile_text(struct fields *fields, const struct node *map, const char *key);
/* "name", as people read it: nothing in it steers a terminal. Without a `fallback` it is required. */
const char *profile_name(struct fields *fields, const struct node *map, const char *fallback);

/* `fallback` when there is none, or after a complaint. */
unsigned profile_whole(struct fields *fields, const struct node *map, const char *key, int64_t least, int64_t most,
                       unsigned fallback);
int64_t profile_duration(struct fields *fields, const struct node *map, const char *key, bool zero,
                         int64_t fallback_ns);
/* Requests per second, or a difference of them; 0 when there is none. */
double profile_rate(struct fields *fields, const struct node *map, const char *key);
bool profile_boolean(struct fields *fields, const struct node *map, const char *key);

/* Adds "Name: value" to `headers`, which has room for TARGET_HEADERS_MAX; `target` counts them. */
void profile_add_header(struct fields *fields, struct target_options *target, const char **headers, const char *header,
                        const struct node *at);
/* Those of the map under "headers", and one for all of that under "cookies" (RFC 6265, 4.2). */
void profile_headers(struct fields *fields, const struct node *map, struct target_options *target,
                     const char **headers);
void profile_cookies(struct fields *fields, const struct node *map, struct target_options *target,
                     const char **headers);

#endif
