#include "plugins/reference/mesh/policy.h"

#include <string.h>

#include "plugins/reference/mesh/head.h"
#include "plugins/reference/mesh/pattern.h"

/* ---- requests */

static bool is_common(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "POST") == 0;
}

static bool method_matches(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (fault_on(faults, FAULT_IGNORE_METHOD))
    return true;
  if (match->method_count == 0)
    return !fault_on(faults, FAULT_STAR_COMMON_ONLY) || is_common(request->method);
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], request->method) == 0)
      return true;
  return false;
}

static bool matches_anywhere(const struct pattern *pattern, struct slice path) {
  for (size_t i = 0; i <= path.length; i++)
    if (pattern_matches(pattern, path.data + i, path.length - i, false))
      return true;
  return false;
}

static bool matches_whole_segments(const struct pattern *pattern, struct slice path) {
  for (size_t i = 0; i <= path.length; i++)
    if ((i == path.length || path.data[i] == '/') && pattern_matches(pattern, path.data, i, true))
      return true;
  return false;
}

/* The pattern matches from the path's start, and need not reach its end. */
static bool pattern_covers(const struct pattern *pattern, struct slice path, struct fault_set faults) {
  if (fault_on(faults, FAULT_UNANCHORED_PATH))
    return matches_anywhere(pattern, path);
  if (fault_on(faults, FAULT_PREFIX_BY_SEGMENT))
    return matches_whole_segments(pattern, path);
  return pattern_matches(pattern, path.data, path.length, fault_on(faults, FAULT_EXACT_ONLY_PATH));
}

/* An ambiguous path matches no pattern: what is matched here must be what the server understands. */
static bool path_matches(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (!match->path || fault_on(faults, FAULT_IGNORE_PATH))
    return true;
  struct slice path = head_path(request);
  if (path_is_ambiguous(path))
    return false;
  return pattern_covers(match->path, fault_on(faults, FAULT_QUERY_IN_PATH) ? head_start(request) : path, faults);
}

static bool header_matches(const struct header_match *header, const struct head *request, struct strbuf *scratch,
                           struct fault_set faults) {
  struct slice value;
  if (!head_combined(request, header->name, scratch, &value))
    return fault_on(faults, FAULT_ABSENT_HEADER_MATCHES);
  return pattern_matches(header->value, value.data, value.length, !fault_on(faults, FAULT_HEADER_PREFIX));
}

static bool headers_match(const struct http_match *match, const struct head *request, struct fault_set faults) {
  if (match->header_count == 0 || fault_on(faults, FAULT_IGNORE_HEADERS))
    return true;
  _cleanup_strbuf_ struct strbuf scratch = STRBUF_INIT;
  bool one_is_enough = fault_on(faults, FAULT_HEADERS_ORED);
  for (size_t i = 0; i < match->header_count; i++)
    if (header_matches(&match->headers[i], request, &scratch, faults) == one_is_enough)
      return one_is_enough;
  return !one_is_enough;
}

static bool is_ignored(const struct http_match *match, struct fault_set faults) {
  return fault_on(faults, FAULT_HEADERS_ALONE_IGNORED) && !match->path && match->method_count == 0 &&
         match->header_count > 0;
}

bool matches_request(const struct http_matches *matches, const struct head *request, struct fault_set faults) {
  if (matches->any)
    return true;
  for (size_t i = 0; i < matches->count; i++) {
    const struct http_match *match = &matches->items[i];
    if (method_matches(match, request, faults) && path_matches(match, request, faults) &&
        headers_match(match, request, faults) && !is_ignored(match, faults))
      return true;
  }
  return false;
}

struct http_matches matches_first(const struct http_matches *matches) {
  struct http_matches first = *matches;
  if (first.count > 1)
    first.count = 1;
  return first;
}

/* ---- rules */

static bool is_between(const struct rule *rule, uint16_t port) {
  bool above = false, below = false;
  for (size_t i = 0; i < rule->port_count; i++) {
    above |= port >= rule->ports[i];
    below |= port <= rule->ports[i];
  }
  return above && below;
}

static bool port_matches(const struct rule *rule, uint16_t port, struct fault_set faults) {
  if (rule->any_port && rule->protocol == PROTOCOL_TCP && fault_on(faults, FAULT_ANY_PORT_IS_NONE))
    return false;
  if (rule->any_port || fault_on(faults, FAULT_PORTS_IGNORED))
    return true;
  if (rule->protocol == PROTOCOL_UDP && fault_on(faults, FAULT_UDP_PORTS_IGNORED))
    return true;
  if (fault_on(faults, FAULT_PORTS_AS_RANGE))
    return is_between(rule, port);
  size_t count = fault_on(faults, FAULT_FIRST_PORT_ONLY) ? 1 : rule->port_count;
  for (size_t i = 0; i < count; i++)
    if (rule->ports[i] == port)
      return true;
  return false;
}

static bool matches_all(const struct http_matches *matches, const struct head *request, struct fault_set faults) {
  for (size_t i = 0; !matches->any && i < matches->count; i++) {
    struct http_matches one = {.items = &matches->items[i], .count = 1};
    if (!matches_request(&one, request, faults))
      return false;
  }
  return true;
}

static bool rule_matches_request(const struct rule *rule, const struct head *request, struct fault_set faults) {
  if (fault_on(faults, FAULT_MATCHES_IGNORED))
    return true;
  if (fault_on(faults, FAULT_MATCHES_ANDED))
    return matches_all(&rule->matches, request, faults);
  struct http_matches first = matches_first(&rule->matches);
  return matches_request(fault_on(faults, FAULT_FIRST_ROUTE_MATCH_ONLY) ? &first : &rule->matches, request, faults);
}

static bool http_rule_allows(const struct rule *rule, const struct access *access, struct fault_set faults) {
  bool port = port_matches(rule, access->port, faults);
  if (access->protocol == PROTOCOL_TCP)
    return port && fault_on(faults, FAULT_HTTP_RULE_OPENS_TCP);
  if (access->protocol != PROTOCOL_HTTP || !access->request)
    return false;
  bool request = rule_matches_request(rule, access->request, faults);
  if (!rule->any_port && fault_on(faults, FAULT_PORT_ROUTE_UNION))
    return port || request;
  return port && request;
}

/* TCP carries HTTP, and has nothing to do with UDP. */
static bool tcp_rule_is_for(enum protocol asked, struct fault_set faults) {
  return asked != PROTOCOL_UDP || fault_on(faults, FAULT_TCP_ROUTE_OPENS_UDP);
}

static bool rule_allows(const struct rule *rule, const struct access *access, struct fault_set faults) {
  switch (rule->protocol) {
  case PROTOCOL_HTTP:
    return http_rule_allows(rule, access, faults);
  case PROTOCOL_TCP:
    return tcp_rule_is_for(access->protocol, faults) && port_matches(rule, access->port, faults);
  case PROTOCOL_UDP:
    return access->protocol == PROTOCOL_UDP && port_matches(rule, access->port, faults);
  }
  return false;
}

/* ---- permissions */

static bool is_account(const struct account *listed, const struct account *caller, struct fault_set faults) {
  return strcmp(listed->name, caller->name) == 0 &&
         (strcmp(listed->namespace, caller->namespace) == 0 || fault_on(faults, FAULT_SOURCE_NAMESPACE_IGNORED));
}

static bool lists_source(const struct permission *permission, const struct account *caller, struct fault_set faults) {
  if (fault_on(faults, FAULT_IGNORE_SOURCE) ||
      (permission->source_count == 0 && fault_on(faults, FAULT_EMPTY_MEANS_ANY)))
    return true;
  if (fault_on(faults, FAULT_FOREIGN_SOURCES_REFUSED) &&
      strcmp(caller->namespace, permission->destination.namespace) != 0)
    return false;
  size_t count =
      permission->source_count > 1 && fault_on(faults, FAULT_FIRST_SOURCE_ONLY) ? 1 : permission->source_count;
  for (size_t i = 0; i < count; i++)
    if (is_account(&permission->sources[i], caller, faults))
      return true;
  return false;
}

static bool permission_allows(const struct permission *permission, const struct access *access,
                              struct fault_set faults) {
  if (!access->caller || !lists_source(permission, access->caller, faults))
    return false;
  if (permission->rule_count == 0)
    return fault_on(faults, FAULT_EMPTY_MEANS_ANY);
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
  if (access->protocol == PROTOCOL_UDP && fault_on(policy->faults, FAULT_UDP_UNENFORCED))
    return true;
  for (size_t i = 0; i < counted_permissions(policy); i++)
    if (permission_allows(policy->permissions[i], access, policy->faults))
      return true;
  return false;
}
