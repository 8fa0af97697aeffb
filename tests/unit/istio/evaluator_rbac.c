/* Envoy's RBAC filter, action ALLOW: what a policy has a permission and a principal for is admitted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/istio/evaluator.h"

static bool ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool string_matcher(const json_t *matcher, const char *text) {
  static const char *const members[] = {"exact", "prefix", "suffix", "safe_regex", NULL};
  only_members(matcher, members);
  assert_int_equal(json_object_size(matcher), 1);
  if (json_object_get(matcher, "exact"))
    return strcmp(text, text_member(matcher, "exact")) == 0;
  if (json_object_get(matcher, "suffix")) {
    assert_true(*text_member(matcher, "suffix")); /* Envoy refuses an empty one, and an empty prefix */
    return ends_with(text, text_member(matcher, "suffix"));
  }
  if (!json_object_get(matcher, "prefix"))
    return oracle_regex(text_member(json_object_get(matcher, "safe_regex"), "regex"), text, true);
  assert_true(*text_member(matcher, "prefix"));
  return strncmp(text, text_member(matcher, "prefix"), strlen(text_member(matcher, "prefix"))) == 0;
}

static bool header_matches(const json_t *header, const struct request_http *http) {
  static const char *const members[] = {"name", "string_match", "present_match", NULL};
  only_members(header, members);
  const char *name = text_member(header, "name");
  const char *value = strcmp(name, ":method") == 0 ? http->method : envoy_header(http, name);
  if (!value)
    return false;
  if (json_object_get(header, "present_match")) {
    assert_true(json_is_true(json_object_get(header, "present_match")));
    return true;
  }
  return string_matcher(json_object_get(header, "string_match"), value);
}

/* Nested as deep as the adapter writes it: sets of sets of conditions. */
static bool permission_matches(const json_t *permission, const struct request *request, unsigned depth) {
  static const char *const members[] = {"and_rules", "or_rules", "any", "destination_port", "url_path", "header", NULL};
  const json_t *all = json_object_get(permission, "and_rules"), *any = json_object_get(permission, "or_rules"), *rule;
  only_members(permission, members);
  assert_int_equal(json_object_size(permission), 1);
  assert_true(depth < 8);
  if (all || any) {
    const json_t *rules = json_object_get(all ? all : any, "rules");
    size_t i, count = 0;
    assert_true(json_array_size(rules) > 0); /* Envoy refuses an empty set */
    json_array_foreach(rules, i, rule) count += permission_matches(rule, request, depth + 1);
    return all ? count == json_array_size(rules) : count > 0;
  }
  if (json_object_get(permission, "any"))
    return json_is_true(json_object_get(permission, "any"));
  if (json_object_get(permission, "destination_port"))
    return json_integer_value(json_object_get(permission, "destination_port")) == request->port;
  if (json_object_get(permission, "url_path"))
    return string_matcher(json_object_get(json_object_get(permission, "url_path"), "path"), request->http.path);
  return header_matches(json_object_get(permission, "header"), &request->http);
}

static bool principal_matches(const json_t *item, const char *principal) {
  const json_t *name = json_object_get(json_object_get(item, "authenticated"), "principal_name");
  return string_matcher(name, principal);
}

static bool policy_matches(const json_t *policy, const char *principal, const struct request *request) {
  const json_t *permissions = json_object_get(policy, "permissions"), *principals, *item;
  bool permitted = false, known = false;
  size_t i;
  principals = json_object_get(policy, "principals");
  assert_true(json_array_size(permissions) > 0 && json_array_size(principals) > 0);
  json_array_foreach(permissions, i, item) permitted |= permission_matches(item, request, 0);
  json_array_foreach(principals, i, item) known |= principal_matches(item, principal);
  return permitted && known;
}

bool envoy_rbac_admits(const json_t *rbac, const char *principal, const struct request *request) {
  json_t *policies = json_object_get(rbac, "policies");
  assert_string_equal(text_member(rbac, "action"), "ALLOW");
  assert_true(json_is_object(policies));
  for (void *at = json_object_iter(policies); at; at = json_object_iter_next(policies, at))
    if (policy_matches(json_object_iter_value(at), principal, request))
      return true;
  return false;
}
