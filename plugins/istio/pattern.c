#include "plugins/istio/pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/smi/regex.h"

typedef int (*analysis)(struct arena *arena, const char *regex, struct regex_analysis *ret_analysis,
                        struct error **err);

static void adopt(const struct regex_analysis *found, struct pattern *pattern) {
  static const enum pattern_kind kinds[] = {
      [REGEX_ANYTHING] = PATTERN_ANY,
      [REGEX_LITERAL_PREFIX] = PATTERN_PREFIX,
      [REGEX_EXACT] = PATTERN_EXACT,
      [REGEX_GENERAL] = PATTERN_REGEX,
  };
  pattern->kind = kinds[found->kind];
  pattern->literal = found->literal;
}

/* What comes after a leading ".*", which is what is left to match at the end; NULL: it has none. A path begins with
 * '/' anyway: "/.*" is no more, unless the rest is to match that very '/' as well ("/.*" and then "/x" is not "/x"). */
static const char *after_anything(const char *regex, bool path) {
  regex += *regex == '^';
  bool slash = path && strncmp(regex, "/.*", 3) == 0;
  if (!slash && strncmp(regex, ".*", 2) != 0)
    return NULL;
  const char *rest = regex + (slash ? 3 : 2);
  if (*rest == '^' || (slash && (*rest == '/' || strncmp(rest, "\\/", 2) == 0)))
    return NULL; /* "^" in the middle matches nothing */
  return rest;
}

/* ".*" and then a literal to the end. */
static int find_suffix(struct arena *arena, const char *regex, bool path, analysis analyse, struct pattern *pattern) {
  _cleanup_error_ struct error *no_regex_alone = NULL; /* "?x" after ".*" */
  struct regex_analysis found;
  const char *rest = after_anything(regex, path);
  if (!rest)
    return 0;
  int r = analyse(arena, rest, &found, &no_regex_alone);
  if (r == 0 && found.kind == REGEX_EXACT && *found.literal)
    *pattern = (struct pattern){PATTERN_SUFFIX, found.literal, pattern->regex};
  return r == -ENOMEM ? r : 0;
}

static int read_regex(struct arena *arena, const char *regex, bool path, struct pattern *ret_pattern,
                      struct error **err) {
  const analysis analyse = path ? regex_analyse_path : regex_analyse_header;
  struct regex_analysis found;
  struct pattern pattern = {.regex = path ? regex_full_path(arena, regex) : regex_full_header(arena, regex)};
  int r = analyse(arena, regex, &found, err);
  if (r < 0)
    return r;
  adopt(&found, &pattern);
  if (pattern.regex && pattern.kind == PATTERN_REGEX)
    r = find_suffix(arena, regex, path, analyse, &pattern);
  if (!pattern.regex || r < 0)
    return error_set(err, ENOMEM, "out of memory");
  *ret_pattern = pattern;
  return 0;
}

int pattern_path(struct arena *arena, const char *regex, struct pattern *ret_pattern, struct error **err) {
  int r = read_regex(arena, regex, true, ret_pattern, err);
  if (r == 0 && (ret_pattern->kind == PATTERN_EXACT || ret_pattern->kind == PATTERN_PREFIX) &&
      ret_pattern->literal[0] != '/')
    ret_pattern->kind = PATTERN_NEVER;
  return r;
}

int pattern_header(struct arena *arena, const char *regex, struct pattern *ret_pattern, struct error **err) {
  return read_regex(arena, regex, false, ret_pattern, err);
}

static int to_string(struct arena *arena, const struct pattern *pattern, const char *special, const char *anything,
                     const char **ret_string) {
  const char *string = anything;
  if (pattern->kind == PATTERN_REGEX || pattern->kind == PATTERN_NEVER)
    return 0;
  if (pattern->kind != PATTERN_ANY) {
    if (pattern->literal[0] == '\0' || strpbrk(pattern->literal, special))
      return 0;
    string = arena_printf(arena, "%s%s%s", pattern->kind == PATTERN_SUFFIX ? "*" : "", pattern->literal,
                          pattern->kind == PATTERN_PREFIX ? "*" : "");
  }
  if (!string)
    return -ENOMEM;
  *ret_string = string;
  return 1;
}

int pattern_path_string(struct arena *arena, const struct pattern *pattern, const char **ret_string) {
  return to_string(arena, pattern, "*{}", "/*", ret_string);
}

int pattern_header_string(struct arena *arena, const struct pattern *pattern, const char **ret_string) {
  return to_string(arena, pattern, "*", "*", ret_string);
}
