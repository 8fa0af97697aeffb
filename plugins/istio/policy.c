#include "plugins/istio/policy.h"

#include <string.h>

bool grant_has(const struct grant *grant, size_t match) {
  return grant->carried[match].level != COVERAGE_UNSUPPORTED && !match_is_void(&grant->matches[match]);
}

bool grant_is_empty(const struct grant *grant) {
  if (grant->sources->count == 0 || (grant->ports && grant->ports->count == 0))
    return true;
  if (grant->anything)
    return false;
  for (size_t i = 0; i < grant->match_count; i++)
    if (grant_has(grant, i))
      return false;
  return true;
}

const char *account_part_name(const struct kube_account *account) {
  return account->is_part ? account->workloads[0]->name : "";
}

/* `from`: any of the sources. */
static json_t *from_json(struct call *call, const struct istio_options *options,
                         const struct kube_identities *sources) {
  json_t *principals = json_array();
  for (size_t i = 0; i < sources->count; i++) {
    json_t *principal =
        json_sprintf("%s/ns/%s/sa/%s", options->trust_domain, sources->items[i].ns, sources->items[i].name);
    if (json_array_append_new(principals, principal) < 0)
      call_out_of_memory(call);
  }
  return json_pack("[{s:{s:o}}]", "source", "principals", principals);
}

static json_t *ports_json(const struct kube_ports *ports) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < ports->count; i++)
    if (json_array_append_new(list, json_sprintf("%u", ports->items[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *methods_json(const struct smi_http_match *match) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < match->method_count; i++)
    if (json_array_append_new(list, json_string(match->methods[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* {"operation": …}: all of its members have to hold. `match` NULL: of any kind. NULL without memory: what lost a member
 * would match more. */
static json_t *operation_json(const struct grant *grant, const struct istio_match *match) {
  json_t *operation = json_object();
  bool failed = !operation;
  if (match && match->path_string)
    failed |= json_object_set_new(operation, "paths", json_pack("[s]", match->path_string)) < 0;
  if (match && match->say_methods)
    failed |= json_object_set_new(operation, "methods", methods_json(match->smi)) < 0;
  if (grant->ports)
    failed |= json_object_set_new(operation, "ports", ports_json(grant->ports)) < 0;
  if (!failed)
    return json_pack("{s:o}", "operation", operation);
  json_decref(operation);
  return NULL;
}

/* All of the headers have to match. */
static json_t *when_json(struct call *call, const struct istio_match *match) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < match->smi->header_count; i++) {
    json_t *key = json_sprintf("request.headers[%s]", match_header_name(call, match->smi->headers[i].name));
    json_t *condition = json_pack("{s:o, s:[s]}", "key", key, "values", match->header_strings[i]);
    if (json_array_append_new(list, condition) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static int add_rule(json_t *rules, json_t *from, json_t *to, json_t *when) {
  json_t *rule = json_pack("{s:O}", "from", from);
  int failed = rule ? 0 : -1;
  if (to)
    failed |= json_object_set(rule, "to", to);
  if (when)
    failed |= json_object_set(rule, "when", when);
  return failed | json_array_append_new(rules, rule);
}

/* A match with headers: `when` holds for all of a rule, so the match has one for itself. */
static int add_match_with_headers(struct call *call, const struct grant *grant, const struct istio_match *match,
                                  json_t *from, json_t *rules) {
  json_auto_t *to = NULL, *when = when_json(call, match);
  if (match->path_string || match->say_methods || grant->ports) {
    to = json_pack("[o]", operation_json(grant, match));
    if (!to)
      return -1;
  }
  return when ? add_rule(rules, from, to, when) : -1;
}

static int add_matches(struct call *call, const struct grant *grant, json_t *from, json_t *rules) {
  json_auto_t *to = json_array();
  int failed = to ? 0 : -1;
  for (size_t i = 0; i < grant->match_count; i++)
    if (grant_has(grant, i) && grant->matches[i].smi->header_count == 0)
      failed |= json_array_append_new(to, operation_json(grant, &grant->matches[i]));
  if (!failed && json_array_size(to))
    failed |= add_rule(rules, from, to, NULL);
  for (size_t i = 0; i < grant->match_count; i++)
    if (grant_has(grant, i) && grant->matches[i].smi->header_count)
      failed |= add_match_with_headers(call, grant, &grant->matches[i], from, rules);
  return failed;
}

static int add_anything(const struct grant *grant, json_t *from, json_t *rules) {
  if (!grant->ports)
    return add_rule(rules, from, NULL, NULL);
  json_auto_t *to = json_pack("[o]", operation_json(grant, NULL));
  return to ? add_rule(rules, from, to, NULL) : -1;
}

json_t *policy_rules(struct call *call, const struct istio_options *options, const struct grant *grant) {
  json_t *rules = json_array();
  if (!rules || grant_is_empty(grant))
    return rules;
  json_auto_t *from = from_json(call, options, grant->sources);
  int failed = from ? 0 : -1;
  failed |= grant->anything ? add_anything(grant, from, rules) : add_matches(call, grant, from, rules);
  if (!failed)
    return rules;
  json_decref(rules);
  return NULL;
}
