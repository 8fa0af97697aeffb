/* What a regular expression of SMI can say, for meshes that cannot match regexes. The dialect is what RE2 and Rust's
 * regex both accept (SMI leaves it open; see docs/smi.md). */
#ifndef TRAMMEL_SDK_SMI_REGEX_H
#define TRAMMEL_SDK_SMI_REGEX_H

#include "sdk/base/arena.h"
#include "sdk/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum regex_kind {
  REGEX_ANYTHING =
      1, /* matches every path that starts with '/', or every header value: ".*", "", "/", "/.*" for paths */
  REGEX_LITERAL_PREFIX, /* a path or value that starts with `literal` */
  REGEX_EXACT,          /* exactly `literal` */
  REGEX_GENERAL,        /* none of these */
};

struct regex_analysis {
  enum regex_kind kind;
  const char *literal; /* for prefix and exact, escapes resolved; else NULL */
};

/* Checks the dialect: 0, or -EINVAL with what is not accepted and its offset (back-references, look-around, possessive
 * quantifiers, atomic groups, conditionals, bad syntax, repetition counts over 1000). */
int regex_check(const char *pattern, struct error **err);

/* The kind of a pathRegex (anchored at the start only: a literal is a prefix, a literal and '$' is exact). A leading
 * '^' changes nothing. `pattern` NULL is REGEX_ANYTHING. 0, -EINVAL as regex_check, -ENOMEM. */
int regex_analyse_path(struct arena *arena, const char *pattern, struct regex_analysis *ret_analysis,
                       struct error **err);

/* The kind of a header regex (full match: a literal is exact, a literal and ".*" is a prefix). */
int regex_analyse_header(struct arena *arena, const char *pattern, struct regex_analysis *ret_analysis,
                         struct error **err);

/* The same pattern for a data plane that matches the whole string: "(?:R).*" for paths, "(?:R)" for headers. */
const char *regex_full_path(struct arena *arena, const char *pattern);
const char *regex_full_header(struct arena *arena, const char *pattern);

#ifdef __cplusplus
}
#endif

#endif
