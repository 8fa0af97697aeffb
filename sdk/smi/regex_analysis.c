#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/smi/regex.h"

/* How a pattern goes on after its literal beginning. */
enum tail {
  TAIL_NOTHING,
  TAIL_END, /* "$" */
  TAIL_ANY, /* ".*" or ".*$" */
  TAIL_OTHER,
};

/* Copies the literal beginning of a checked pattern into `literal`, which has room for all of it. */
static enum tail split_literal(const char *pattern, char *literal) {
  const char *at = pattern + (*pattern == '^');

  for (; *at; at++) {
    if (at[0] == '\\' && !((at[1] >= 'a' && at[1] <= 'z') || (at[1] >= 'A' && at[1] <= 'Z')))
      at++; /* an escape that is no letter is the character itself */
    else if (strcmp(at, "$") == 0 || strcmp(at, ".*") == 0 || strcmp(at, ".*$") == 0)
      break;
    else if (strchr("\\^$.*+?()[{|", *at))
      return TAIL_OTHER;
    *literal++ = *at;
  }
  *literal = '\0';
  return *at == '\0' ? TAIL_NOTHING : *at == '$' ? TAIL_END : TAIL_ANY;
}

/* A newline is not matched by '.', and never is in a path or a header. */
static int analyse(struct arena *arena, const char *pattern, enum regex_kind nothing, const char *slash,
                   struct regex_analysis *ret_analysis, struct error **err) {
  struct regex_analysis analysis = {.kind = REGEX_GENERAL};
  char *literal;
  int r;

  if (!pattern) {
    *ret_analysis = (struct regex_analysis){.kind = REGEX_ANYTHING};
    return 0;
  }
  r = regex_check(pattern, err);
  if (r < 0)
    return r;
  literal = arena_alloc(arena, strlen(pattern) + 1);
  if (!literal)
    return error_set(err, ENOMEM, "out of memory");
  switch (split_literal(pattern, literal)) {
  case TAIL_NOTHING:
    analysis = (struct regex_analysis){nothing, literal};
    break;
  case TAIL_END:
    analysis = (struct regex_analysis){REGEX_EXACT, literal};
    break;
  case TAIL_ANY:
    analysis = (struct regex_analysis){REGEX_LITERAL_PREFIX, literal};
    break;
  case TAIL_OTHER:
    break;
  }
  if (analysis.kind == REGEX_LITERAL_PREFIX && (literal[0] == '\0' || strcmp(literal, slash) == 0))
    analysis = (struct regex_analysis){.kind = REGEX_ANYTHING};
  *ret_analysis = analysis;
  return 0;
}

int regex_analyse_path(struct arena *arena, const char *pattern, struct regex_analysis *ret_analysis,
                       struct error **err) {
  return analyse(arena, pattern, REGEX_LITERAL_PREFIX, "/", ret_analysis, err);
}

int regex_analyse_header(struct arena *arena, const char *pattern, struct regex_analysis *ret_analysis,
                         struct error **err) {
  return analyse(arena, pattern, REGEX_EXACT, "", ret_analysis, err);
}

const char *regex_full_path(struct arena *arena, const char *pattern) {
  return pattern ? arena_printf(arena, "(?:%s).*", pattern) : arena_strdup(arena, ".*");
}

const char *regex_full_header(struct arena *arena, const char *pattern) {
  return pattern ? arena_printf(arena, "(?:%s)", pattern) : arena_strdup(arena, ".*");
}
