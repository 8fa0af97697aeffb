#include "plugins/istio/filter.h"

#include <string.h>

#include "sdk/kube/object.h"

/* EnvoyFilter has no later version. */
#define API_VERSION "networking.istio.io/v1alpha3"
#define FILTER_NAME "dev.trammel.smi"
#define RBAC_TYPE "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"

/* A StringMatcher of Envoy's, which matches the whole of a string; RE2. */
static json_t *string_matcher(const struct pattern *pattern) {
  switch (pattern->kind) {
  case PATTERN_EXACT:
    return json_pack("{s:s}", "exact", pattern->literal);
  case PATTERN_PREFIX:
    return json_pack("{s:s}", "prefix", pattern->literal);
  case PATTERN_SUFFIX:
    return json_pack("{s:s}", "suffix", pattern->literal);
  case PATTERN_ANY:
  case PATTERN_NEVER:
  case PATTERN_REGEX:
    break;
  }
  return json_pack("{s:{s:s}}", "safe_regex", "regex", pattern->regex);
}

static json_t *header_permission(const char *name, json_t *matcher) {
  return json_pack("{s:{s:s, s:o}}", "header", "name", name, "string_match", matcher);
}

/* {"or_rules": {"rules": rules}}. Takes the reference. */
static json_t *any_of(json_t *rules) {
  return json_pack("{s:{s:o}}", "or_rules", "rules", rules);
}

static json_t *ports_permission(const struct kube_ports *ports) {
  json_t *rules = json_array();
  int failed = 0;
  for (size_t i = 0; i < ports->count; i++)
    failed |= json_array_append_new(rules, json_pack("{s:i}", "destination_port", ports->items[i]));
  if (!failed)
    return any_of(rules);
  json_decref(rules);
  return NULL;
}

static json_t *methods_permission(const struct smi_http_match *match) {
  json_t *rules = json_array();
  int failed = 0;
  for (size_t i = 0; i < match->method_count; i++)
    failed |=
        json_array_append_new(rules, header_permission(":method", json_pack("{s:s}", "exact", match->methods[i])));
  if (!failed)
    return any_of(rules);
  json_decref(rules);
  return NULL;
}

static json_t *match_header(struct call *call, const struct istio_match *match, size_t index) {
  const char *name = match_header_name(call, match->smi->headers[index].name);
  if (match->headers[index].kind == PATTERN_ANY)
    return json_pack("{s:{s:s, s:b}}", "header", "name", name, "present_match", 1);
  return header_permission(name, string_matcher(&match->headers[index]));
}

/* All of what a match asks for. NULL without memory: what lost a part would match more. */
static json_t *match_permission(struct call *call, const struct grant *grant, const struct istio_match *match) {
  json_t *rules = json_array();
  int failed = rules ? 0 : -1;
  if (grant->ports)
    failed |= json_array_append_new(rules, ports_permission(grant->ports));
  if (match && match->path.kind != PATTERN_ANY)
    failed |= json_array_append_new(rules, json_pack("{s:{s:o}}", "url_path", "path", string_matcher(&match->path)));
  if (match && !match->any_method)
    failed |= json_array_append_new(rules, methods_permission(match->smi));
  for (size_t i = 0; match && i < match->smi->header_count; i++)
    failed |= json_array_append_new(rules, match_header(call, match, i));
  if (!failed && json_array_size(rules) == 0)
    failed |= json_array_append_new(rules, json_pack("{s:b}", "any", 1));
  if (!failed)
    return json_pack("{s:{s:o}}", "and_rules", "rules", rules);
  json_decref(rules);
  return NULL;
}

static json_t *permissions_json(struct call *call, const struct grant *grant) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  if (grant->anything)
    failed |= json_array_append_new(list, match_permission(call, grant, NULL));
  for (size_t i = 0; !grant->anything && i < grant->match_count; i++)
    if (grant_has(grant, i))
      failed |= json_array_append_new(list, match_permission(call, grant, &grant->matches[i]));
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *principals_json(const struct istio_options *options, const struct kube_identities *sources) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < sources->count; i++) {
    json_t *id =
        json_sprintf("spiffe://%s/ns/%s/sa/%s", options->trust_domain, sources->items[i].ns, sources->items[i].name);
    json_t *principal = json_pack("{s:{s:{s:o}}}", "authenticated", "principal_name", "exact", id);
    if (json_array_append_new(list, principal) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static json_t *policies_json(struct call *call, const struct istio_options *options, const struct filter_grant *grants,
                             size_t count) {
  json_t *policies = json_object();
  int failed = policies ? 0 : -1;
  for (size_t i = 0; i < count; i++) {
    if (grant_is_empty(grants[i].grant))
      continue;
    const char *name = arena_printf(call_arena(call), "%s/%s", grants[i].target->meta.ns, grants[i].target->meta.name);
    json_t *policy = json_pack("{s:o, s:o}", "permissions", permissions_json(call, grants[i].grant), "principals",
                               principals_json(options, grants[i].grant->sources));
    failed |= name ? json_object_set_new(policies, name, policy) : -1;
  }
  if (!failed)
    return policies;
  json_decref(policies);
  return NULL;
}

/* Before the router, in every chain of inbound HTTP. */
static json_t *patch_json(json_t *policies) {
  return json_pack("{s:s, s:{s:s, s:{s:{s:{s:s, s:{s:s}}}}}, s:{s:s, s:{s:s, s:{s:s, s:{s:s, s:o}}}}}", "applyTo",
                   "HTTP_FILTER", "match", "context", "SIDECAR_INBOUND", "listener", "filterChain", "filter", "name",
                   "envoy.filters.network.http_connection_manager", "subFilter", "name", "envoy.filters.http.router",
                   "patch", "operation", "INSERT_BEFORE", "value", "name", FILTER_NAME, "typed_config", "@type",
                   RBAC_TYPE, "rules", "action", "ALLOW", "policies", policies);
}

struct native_object *filter_object(struct call *call, const struct istio_options *options,
                                    const struct kube_account *account, const struct filter_grant *grants,
                                    size_t count) {
  const struct smi_meta **sources = arena_array(call_arena(call), count, sizeof *sources);
  const char *key =
      arena_printf(call_arena(call), "ServiceAccount/%s/%s/%s", account->ns, account->name, account_part_name(account));
  if (!sources || !key) {
    call_out_of_memory(call);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    sources[i] = &grants[i].target->meta;
  json_t *patch = patch_json(policies_json(call, options, grants, count));
  json_t *body = json_pack("{s:{s:{s:o}, s:[o]}}", "spec", "workloadSelector", "labels", kube_account_labels(account),
                           "configPatches", patch);
  return kube_object(call,
                     &(struct kube_object){.wave = FILTER_WAVE,
                                           .api_version = API_VERSION,
                                           .kind = "EnvoyFilter",
                                           .ns = account->ns,
                                           .name = kube_name(call, account->name, key),
                                           .sources = sources,
                                           .source_count = count},
                     body);
}
