/* A regular expression of a permission or split, compiled once. Time and memory of a match are bounded; a match that
 * runs into the bound does not match. */
#ifndef TRAMMEL_REFERENCE_MESH_PATTERN_H
#define TRAMMEL_REFERENCE_MESH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/memory.h"

struct error;
struct pattern;

/* -EINVAL with the reason and the offset. */
int pattern_create(const char *regex, struct pattern **ret_pattern, struct error **err);
void pattern_destroy(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_destroy);

/* Whether the pattern matches from the first byte of `text`; with `whole`, to its last. Bytes, not characters. */
bool pattern_matches(const struct pattern *pattern, const char *text, size_t length, bool whole);

/* Frees what matching shares; at the end of the program. */
void pattern_cleanup(void);

#endif
