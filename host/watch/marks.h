/* What a native object on the cluster says of itself in its annotations, for a watch that has not made it, such as one
 * after a restart. Others may have changed it. */
#ifndef TRAMMEL_HOST_WATCH_MARKS_H
#define TRAMMEL_HOST_WATCH_MARKS_H

#include <jansson.h>
#include <stdbool.h>

#define MARKS_WAVE_ANNOTATION "trammel.dev/wave"

/* Whether a translation made it. */
bool marks_made(const json_t *object);

/* What it came from ("Kind/namespace/name,…"); "" without any. Borrowed from the object. */
const char *marks_sources(const json_t *object);

/* A key of its kind and of what it says, whatever it is called, by the hash that the translation gave it: for
 * backlog_describe_content(). Appended; nothing when there is none. */
struct strbuf;
void marks_content(const json_t *object, struct strbuf *key);

/* The kinds of SMI that these are of, as bits 1 << enum smi_kind. */
unsigned marks_kinds(const char *sources);

/* The wave that it was applied in, below `end`; `unknown` when it does not say so. */
unsigned marks_wave(const json_t *object, unsigned end, unsigned unknown);

/* Has it say its wave. 0 or -ENOMEM. */
int marks_set_wave(json_t *object, unsigned wave);

#endif
