#include "plugins/reference/mesh/policy.h"

#include <string.h>

#include "plugins/reference/mesh/head.h"
#include "plugins/reference/mesh/pattern.h"

static bool method_matches(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (match->method_count == 0 || fault_on(faults, FAULT_IGNORE_METHOD))
    return true;
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], request->method) == 0)
      return true;
  return false;
}

/* An ambiguous path matches no pattern: what is matched here must be what the server understands. */
static bool path_matches(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (!match->path || fault_on(faults, FAULT_IGNORE_PATH))
    return true;
  struct slice path = head_path(request);
  if (path_is_ambiguous(path))
    return false;
  return pattern_matches(match->path, path.data, path.length, fault_on(faults, FAULT_EXACT_ONLY_PATH));
}

static bool headers_match(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (fault_on(faults, FAULT_IGNORE_HEADERS))
    return true;
  _cleanup_strbuf_ struct strbuf scratch = STRBUF_INIT;
  for (size_t i = 0; i < match->header_count; i++) {
    struct slice value;
    if (!head_combined(request, match->headers[i].name, &scratch, &value) ||
        !pattern_matches(match->headers[i].value, value.data, value.length, true))
      return false;
  }
  return true;
}

bool matches_request(const struct http_matches *matches, const struct head *request, struct fault_set faults) {
  if (matches->any)
    return true;
  for (size_t i = 0; i < matches->count; i++) {
    const struct http_match *match = &matches->items[i];
    if (method_matches(match, request, faults) && path_matches(match, request, faults) &&
        headers_match(match, request, faults))
      return true;
  }
  return false;
}

static bool port_matches(const struct rule *rule, uint16_t port, struct fault_set faults) {
  if (rule->any_port || fault_on(faults, FAULT_PORTS_IGNORED))
    return true;
  for (size_t i = 0; i < rule->port_count; i++)
    if (rule->ports[i] == port)
      return true;
  return false;
}

static bool rule_allows(const struct rule *rule, const struct access *access, struct fault_set faults) {
  if (!port_matches(rule, access->port, faults))
    return false;
  if (rule->protocol == PROTOCOL_TCP)
    return access->protocol != PROTOCOL_UDP; /* HTTP is carried by TCP */
  return rule->protocol == PROTOCOL_HTTP && access->protocol == PROTOCOL_HTTP && access->request &&
         matches_request(&rule->matches, access->request, faults);
}

static bool lists_source(const struct permission *permission, const struct account *caller, struct fault_set faults) {
  if (fault_on(faults, FAULT_IGNORE_SOURCE))
    return true;
  for (size_t i = 0; i < permission->source_count; i++)
    if (strcmp(permission->sources[i].namespace, caller->namespace) == 0 &&
        strcmp(permission->sources[i].name, caller->name) == 0)
      return true;
  return false;
}

static bool permission_allows(const struct permission *permission, const struct access *access,
                              struct fault_set faults) {
  if (!access->caller || !lists_source(permission, access->caller, faults))
    return false;
  for (size_t i = 0; i < permission->rule_count; i++)
    if (rule_allows(&permission->rules[i], access, faults))
      return true;
  return false;
}

static size_t counted_permissions(const struct policy *policy) {
  if (policy->count > 1 && fault_on(policy->faults, FAULT_FIRST_TARGET_ONLY))
    return 1;
  return policy->count;
}

bool policy_allows(const struct policy *policy, const struct access *access) {
  if (!policy->enforced || fault_on(policy->faults, FAULT_ALLOW_BY_DEFAULT))
    return true;
  for (size_t i = 0; i < counted_permissions(policy); i++)
    if (permission_allows(policy->permissions[i], access, policy->faults))
      return true;
  return false;
}
