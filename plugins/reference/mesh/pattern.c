#include "plugins/reference/mesh/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "sdk/base/error.h"

enum {
  MATCH_STEPS = 100000,
  MATCH_HEAP_KIB = 1024,
  JIT_STACK_START = 32 * 1024,
  JIT_STACK_MAX = 1024 * 1024,
};

/* JIT code can't be anchored at the end when matching, so that each way has code of its own. */
struct pattern {
  pcre2_code *prefix;
  pcre2_code *whole;
};

/* The program matches on one thread, one pattern at a time. */
static pcre2_match_context *match_context;
static pcre2_jit_stack *jit_stack;
static pcre2_match_data *match_data;

static int shared_prepare(void) {
  if (match_data)
    return 0;
  match_context = pcre2_match_context_create(NULL);
  jit_stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
  match_data = pcre2_match_data_create(1, NULL);
  if (!match_context || !jit_stack || !match_data) {
    pattern_cleanup();
    return -ENOMEM;
  }
  pcre2_set_match_limit(match_context, MATCH_STEPS);
  pcre2_set_heap_limit(match_context, MATCH_HEAP_KIB);
  pcre2_jit_stack_assign(match_context, NULL, jit_stack);
  return 0;
}

void pattern_cleanup(void) {
  pcre2_match_data_free(take(match_data));
  pcre2_jit_stack_free(take(jit_stack));
  pcre2_match_context_free(take(match_context));
}

static pcre2_code *compile(const char *regex, uint32_t anchors, struct error **err) {
  int code = 0;
  PCRE2_SIZE offset = 0;
  uint32_t options = anchors | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C;
  pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
  if (compiled) {
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without JIT it is interpreted */
    return compiled;
  }
  char reason[128];
  if (pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason) < 0)
    memcpy(reason, "unknown", sizeof "unknown");
  error_set(err, EINVAL, "the regular expression \"%s\" is wrong at offset %zu: %s", regex, (size_t)offset, reason);
  return NULL;
}

int pattern_create(const char *regex, struct pattern **ret_pattern, struct error **err) {
  if (strlen(regex) > LIMIT_REGEX)
    return error_set(err, EINVAL, "a regular expression has at most %d bytes, this one has %zu", LIMIT_REGEX,
                     strlen(regex));
  _cleanup_(pattern_destroy_p) struct pattern *pattern = calloc(1, sizeof *pattern);
  if (!pattern || shared_prepare() < 0)
    return error_set(err, ENOMEM, "no memory for a regular expression");
  pattern->prefix = compile(regex, PCRE2_ANCHORED, err);
  if (!pattern->prefix)
    return -EINVAL;
  pattern->whole = compile(regex, PCRE2_ANCHORED | PCRE2_ENDANCHORED, err);
  if (!pattern->whole)
    return -EINVAL;
  *ret_pattern = take(pattern);
  return 0;
}

void pattern_destroy(struct pattern *pattern) {
  if (!pattern)
    return;
  pcre2_code_free(pattern->prefix);
  pcre2_code_free(pattern->whole);
  free(pattern);
}

bool pattern_matches(const struct pattern *pattern, const char *text, size_t length, bool whole) {
  const pcre2_code *code = whole ? pattern->whole : pattern->prefix;
  return pcre2_match(code, (PCRE2_SPTR)text, length, 0, 0, match_data, match_context) >= 0;
}
