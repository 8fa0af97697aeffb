/* What the dialect check accepts compiles in PCRE2 too, and what the analysis says of it is what PCRE2 does. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sdk/smi/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small enough that PCRE2's own limits (compiled size, match steps) stay out of it. */
#define PATTERN_MAX 200

static void check_match(const char *pattern, const char *text) {
  int code;
  PCRE2_SIZE offset;
  pcre2_code *regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &offset, NULL);
  pcre2_match_data *data = pcre2_match_data_create(1, NULL);

  if (!regex || !data || pcre2_match(regex, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL) < 0)
    abort();
  pcre2_match_data_free(data);
  pcre2_code_free(regex);
}

/* The literal itself, and for a prefix also something longer, must match the wrapped pattern. */
static void check_analysis(struct arena *arena, const struct regex_analysis *analysis, const char *wrapped) {
  const char *literal = analysis->kind == REGEX_ANYTHING ? "/any" : analysis->literal;

  if (analysis->kind == REGEX_GENERAL || strchr(literal, '\n'))
    return;
  check_match(wrapped, literal);
  if (analysis->kind == REGEX_LITERAL_PREFIX)
    check_match(wrapped, arena_printf(arena, "%s/more", literal));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_arena_ struct arena *arena = arena_create((size_t)1 << 24);
  struct regex_analysis analysis;
  const char *pattern = arena_strndup(arena, (const char *)data, size);
  int code;
  PCRE2_SIZE offset;
  pcre2_code *regex;

  if (!pattern || regex_check(pattern, NULL) < 0 || strlen(pattern) > PATTERN_MAX)
    return 0;
  regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
  if (!regex && code != PCRE2_ERROR_PATTERN_TOO_LARGE)
    abort();
  pcre2_code_free(regex);
  if (regex_analyse_path(arena, pattern, &analysis, NULL) < 0)
    abort();
  check_analysis(arena, &analysis, regex_full_path(arena, pattern));
  if (regex_analyse_header(arena, pattern, &analysis, NULL) < 0)
    abort();
  check_analysis(arena, &analysis, regex_full_header(arena, pattern));
  return 0;
}
