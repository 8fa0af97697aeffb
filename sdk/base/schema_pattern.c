#include "sdk/base/schema_internal.h"

#include <errno.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* An adapter writes the pattern and a user the text: neither may stall the other. */
#define PATTERN_BYTES_MAX 4096
#define PATTERN_MATCH_MAX 1000000
#define PATTERN_DEPTH_MAX 1000
#define PATTERN_HEAP_KIB_MAX 16384

struct pattern {
  pcre2_code *code;
};

int pattern_compile(const char *text, struct pattern **ret_pattern, struct error **err) {
  _cleanup_pattern_ struct pattern *pattern = calloc(1, sizeof(*pattern));
  size_t length = strlen(text);
  PCRE2_UCHAR message[160];
  PCRE2_SIZE offset;
  int code;

  if (!pattern)
    return error_set(err, ENOMEM, "out of memory while compiling a pattern");
  if (length > PATTERN_BYTES_MAX)
    return error_set(err, EINVAL, "the pattern has %zu bytes, the limit is %d", length, PATTERN_BYTES_MAX);
  pattern->code = pcre2_compile((PCRE2_SPTR)text, length,
                                PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                                    PCRE2_MATCH_UNSET_BACKREF,
                                &code, &offset, NULL);
  if (!pattern->code) {
    (void)pcre2_get_error_message(code, message, sizeof(message));
    return error_set(err, EINVAL, "not a regular expression: %s at character %zu", (const char *)message, offset + 1);
  }
  *ret_pattern = take(pattern);
  return 0;
}

void pattern_free(struct pattern *pattern) {
  if (!pattern)
    return;
  pcre2_code_free(pattern->code);
  free(pattern);
}

/* By hand, since PCRE2's names are macros that DEFINE_CLEANUP would expand. */
static void context_free(pcre2_match_context **context) {
  pcre2_match_context_free(*context);
}

static void data_free(pcre2_match_data **data) {
  pcre2_match_data_free(*data);
}

int pattern_match(const struct pattern *pattern, const char *text, size_t length) {
  _cleanup_(context_free) pcre2_match_context *context = pcre2_match_context_create(NULL);
  _cleanup_(data_free) pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
  int r;

  if (!context || !data)
    return -ENOMEM;
  (void)pcre2_set_match_limit(context, PATTERN_MATCH_MAX);
  (void)pcre2_set_depth_limit(context, PATTERN_DEPTH_MAX);
  (void)pcre2_set_heap_limit(context, PATTERN_HEAP_KIB_MAX);
  r = pcre2_match(pattern->code, (PCRE2_SPTR)text, length, 0, 0, data, context);
  if (r == PCRE2_ERROR_NOMEMORY)
    return -ENOMEM;
  return r >= 0 ? 1 : r == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}
