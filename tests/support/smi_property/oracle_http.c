#include "tests/support/smi_property/oracle_http.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pcre2.h>
#include <string.h>

#include "tests/support/smi_property/oracle.h"

bool oracle_regex(const char *regex, const char *text, bool whole) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const uint32_t options = PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY | (whole ? PCRE2_ENDANCHORED : 0);
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
  if (!code)
    fail_msg("\"%s\" is no regular expression, at %zu", regex, offset);
  pcre2_match_data *data = pcre2_match_data_create(1, NULL);
  assert_non_null(data);
  int found = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL);
  pcre2_match_data_free(data);
  pcre2_code_free(code);
  assert_true(found >= 0 || found == PCRE2_ERROR_NOMATCH);
  return found >= 0;
}

const struct smi_http_route_group *oracle_group(const struct smi_set *set, const char *ns, const char *name) {
  for (size_t i = 0; i < set->route_group_count; i++)
    if (strcmp(set->route_groups[i].meta.ns, ns) == 0 && strcmp(set->route_groups[i].meta.name, name) == 0)
      return &set->route_groups[i];
  return NULL;
}

static bool method_matches(const struct smi_http_match *match, const char *method) {
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], "*") == 0 || strcmp(match->methods[i], method) == 0)
      return true;
  return match->method_count == 0;
}

/* A header that is absent never matches. */
static bool headers_match(const struct smi_http_match *match, const struct request_http *http) {
  for (size_t i = 0; i < match->header_count; i++) {
    const char *value = request_header(http, match->headers[i].name);
    if (!value || !oracle_regex(match->headers[i].regex, value, true))
      return false;
  }
  return true;
}

bool oracle_match(const struct smi_http_match *match, const struct request_http *http) {
  return method_matches(match, http->method) && headers_match(match, http) &&
         (!match->path_regex || oracle_regex(match->path_regex, http->path, false));
}
