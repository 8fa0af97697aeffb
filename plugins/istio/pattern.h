/* Regular expressions of SMI as the strings that an AuthorizationPolicy matches: exactly, by prefix ("x*"), by suffix
 * ("*x"), or anything that is there ("*"). */
#ifndef TRAMMEL_PLUGINS_ISTIO_PATTERN_H
#define TRAMMEL_PLUGINS_ISTIO_PATTERN_H

#include "sdk/base/arena.h"
#include "sdk/base/error.h"

enum pattern_kind {
  PATTERN_ANY = 1,
  PATTERN_EXACT,
  PATTERN_PREFIX,
  PATTERN_SUFFIX,
  PATTERN_NEVER, /* a path that does not begin with '/', which no request has */
  PATTERN_REGEX, /* none of these */
};

struct pattern {
  enum pattern_kind kind;
  const char *literal; /* for exact, prefix and suffix */
  const char *regex;   /* for a data plane that matches all of a string, RE2's dialect */
};

/* A pathRegex (anchored at its start; NULL: any path), and a header's (which matches all of the value). 0, -EINVAL for
 * what is outside SMI's dialect, -ENOMEM. */
int pattern_path(struct arena *arena, const char *regex, struct pattern *ret_pattern, struct error **err);
int pattern_header(struct arena *arena, const char *regex, struct pattern *ret_pattern, struct error **err);

/* The pattern as an item of `paths`, or of the `values` of a header. 1, or 0 when it cannot be said: Istio has no
 * escapes for '*', nor for the '{' and '}' of path templates, and takes no empty string. -ENOMEM. */
int pattern_path_string(struct arena *arena, const struct pattern *pattern, const char **ret_string);
int pattern_header_string(struct arena *arena, const struct pattern *pattern, const char **ret_string);

#endif
