#define PCRE2_CODE_UNIT_WIDTH 8
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pcre2.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/linkerd/evaluator.h"

const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

bool is_object(const json_t *object, const char *group, const char *kind, const char *ns) {
  const char *version = text_of(object, "apiVersion");
  return strncmp(version, group, strlen(group)) == 0 && version[strlen(group)] == '/' &&
         strcmp(text_of(object, "kind"), kind) == 0 &&
         strcmp(text_of(json_object_get(object, "metadata"), "namespace"), ns) == 0;
}

int rank_compare(const struct rank *a, const struct rank *b) {
  if (a->path != b->path)
    return a->path < b->path ? -1 : 1;
  if (a->method != b->method)
    return a->method < b->method ? -1 : 1;
  return (a->headers > b->headers) - (a->headers < b->headers);
}

/* The leftmost find, which has to be all of the text. */
static bool finds_all(const char *regex, const char *text) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code =
      pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, PCRE2_DOLLAR_ENDONLY, &error, &offset, NULL);
  if (!code)
    fail_msg("\"%s\" is no regular expression, at %zu", regex, offset);
  pcre2_match_data *data = pcre2_match_data_create(1, NULL);
  assert_non_null(data);
  bool all = false;
  if (pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL) >=
      0) { /* 0: more groups than room for them */
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(data);
    all = span[0] == 0 && span[1] == strlen(text);
  }
  pcre2_match_data_free(data);
  pcre2_code_free(code);
  return all;
}

/* By segment; `*ret_length` is that of the prefix without slashes at its end. */
static bool has_prefix(const char *prefix, const char *path, size_t *ret_length) {
  size_t length = strlen(prefix), rest = strlen(path);
  if (strcmp(prefix, "/") == 0) {
    *ret_length = 1;
    return true;
  }
  while (length > 0 && prefix[length - 1] == '/')
    length--;
  while (rest > 0 && path[rest - 1] == '/')
    rest--;
  *ret_length = length;
  return rest >= length && strncmp(path, prefix, length) == 0 && (rest == length || path[length] == '/');
}

static bool path_matches(const json_t *match, const char *path, size_t *ret_length) {
  const json_t *condition = json_object_get(match, "path");
  const char *type = condition ? text_of(condition, "type") : "PathPrefix";
  const char *value = condition ? text_of(condition, "value") : "/";
  assert_true(strlen(value) <= 1024);
  *ret_length = strlen(path);
  if (strcmp(type, "RegularExpression") == 0)
    return finds_all(value, path);
  if (strcmp(type, "Exact") == 0)
    return strcmp(value, path) == 0;
  assert_string_equal(type, "PathPrefix");
  return has_prefix(value, path, ret_length);
}

static bool headers_match(const json_t *match, const struct request_http *http, size_t *ret_count) {
  const json_t *list = json_object_get(match, "headers"), *header;
  size_t i;
  *ret_count = json_array_size(list);
  assert_true(*ret_count <= 16);
  json_array_foreach(list, i, header) {
    const char *value = request_header(http, text_of(header, "name"));
    const bool regex = strcmp(text_of(header, "type"), "RegularExpression") == 0;
    if (!value || !(regex ? finds_all(text_of(header, "value"), value) : strcmp(text_of(header, "value"), value) == 0))
      return false;
    for (size_t j = 0; j < i; j++) /* the API server would refuse it */
      assert_int_not_equal(strcasecmp(text_of(header, "name"), text_of(json_array_get(list, j), "name")), 0);
  }
  return true;
}

static bool match_matches(const json_t *match, const struct request_http *http, struct rank *ret_rank) {
  const char *method = text_of(match, "method");
  *ret_rank = (struct rank){.method = *method != '\0'};
  return (!*method || strcmp(method, http->method) == 0) && path_matches(match, http->path, &ret_rank->path) &&
         headers_match(match, http, &ret_rank->headers);
}

static bool rule_matches(const json_t *rule, const struct request_http *http, struct rank *ret_rank) {
  const json_t *matches = json_object_get(rule, "matches"), *match;
  size_t i;
  bool found = json_array_size(matches) == 0;
  *ret_rank = (struct rank){.path = 1};
  assert_true(json_array_size(matches) <= 8);
  json_array_foreach(matches, i, match) {
    struct rank rank;
    if (!match_matches(match, http, &rank))
      continue;
    if (!found || rank_compare(&rank, ret_rank) > 0)
      *ret_rank = rank;
    found = true;
  }
  return found;
}

int linkerd_best_rule(const json_t *route, const struct request_http *http, struct rank *ret_rank) {
  const json_t *rules = json_object_get(json_object_get(route, "spec"), "rules"), *rule;
  size_t i;
  int best = -1;
  assert_in_range(json_array_size(rules), 1, 16);
  json_array_foreach(rules, i, rule) {
    struct rank rank;
    if (!rule_matches(rule, http, &rank) || (best >= 0 && rank_compare(&rank, ret_rank) <= 0))
      continue;
    best = (int)i;
    *ret_rank = rank;
  }
  return best;
}
