/* Inside schema*.c. */
#ifndef TRAMMEL_SDK_BASE_SCHEMA_INTERNAL_H
#define TRAMMEL_SDK_BASE_SCHEMA_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

/* Nesting of a schema, and so of what is checked by one. */
#define SCHEMA_DEPTH_MAX 64

/* Where the walk is: a chain of stack frames from the innermost step outwards. The root has no parent. */
struct schema_path {
  const struct schema_path *parent;
  const char *key; /* NULL: `index` in a list */
  size_t index;
  size_t depth;
};
void schema_path_append(struct strbuf *out, const struct schema_path *path);

bool schema_type_known(const char *name);

/* Whether `value` is of the type (an integer is one that is written so and fits int64_t: not 1.0). */
bool schema_is_of_type(const json_t *value, const char *type);

/* Whether the schema's `type` names `type`; without one, all are allowed. */
bool schema_allows_type(const json_t *schema, const char *type);

/* Appends the members of a list, or the keys of an object, as "a, b, c"; "none" when there are none. */
void schema_append_known(struct strbuf *out, const json_t *collection);

/* A regular expression, found anywhere in a text as JSON Schema has it, with bounds on what a match may cost. */
struct pattern;
int pattern_compile(const char *text, struct pattern **ret_pattern, struct error **err);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_free);
#define _cleanup_pattern_ _cleanup_(pattern_free_p)

/* 1 when it is found, 0 when not, -E2BIG when the search costs too much, -ENOMEM. */
int pattern_match(const struct pattern *pattern, const char *text, size_t length);

#endif
