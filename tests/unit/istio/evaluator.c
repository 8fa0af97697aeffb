#include "tests/unit/istio/evaluator.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>
#include <strings.h>

void only_members(const json_t *object, const char *const *names) {
  assert_true(json_is_object(object));
  for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
       at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
    bool known = false;
    for (size_t i = 0; names[i]; i++)
      known |= strcmp(names[i], json_object_iter_key(at)) == 0;
    if (!known)
      fail_msg("%s is not modelled, or not Istio's", json_object_iter_key(at));
  }
}

const char *text_member(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  if (!text)
    fail_msg("%s is no string", name);
  return text;
}

bool labels_select(const json_t *labels, const struct inventory_workload *workload) {
  for (void *at = json_object_iter((json_t *)(uintptr_t)labels); at;
       at = json_object_iter_next((json_t *)(uintptr_t)labels, at)) {
    const struct smi_label label = {json_object_iter_key(at), json_string_value(json_object_iter_value(at))};
    assert_non_null(label.value);
    if (!workload_has_labels(workload, &label, 1))
      return false;
  }
  return true;
}

const char *envoy_header(const struct request_http *http, const char *name) {
  return request_header(http, strcmp(name, ":authority") == 0 ? "host" : name);
}

/* AuthorizationPolicy's own strings: "*" is presence, "*x" a suffix, "x*" a prefix. */
static bool string_matches(const char *pattern, const char *text) {
  const size_t length = strlen(pattern), text_length = strlen(text);
  if (length == 0)
    fail_msg("an empty string, which istiod refuses");
  if (strcmp(pattern, "*") == 0)
    return true;
  if (pattern[0] == '*')
    return text_length >= length - 1 && strcmp(text + text_length - (length - 1), pattern + 1) == 0;
  if (pattern[length - 1] == '*')
    return strncmp(text, pattern, length - 1) == 0;
  return strcmp(pattern, text) == 0;
}

static bool any_matches(const json_t *patterns, const char *text) {
  size_t i;
  const json_t *pattern;
  bool matches = false;
  assert_true(json_array_size(patterns) > 0);
  json_array_foreach(patterns, i, pattern) {
    assert_true(json_is_string(pattern));
    matches |= string_matches(json_string_value(pattern), text);
  }
  return matches;
}

/* One request, as a policy sees it. */
struct seen {
  const struct request *request;
  const char *principal, *local_principal; /* the second says cluster.local for the mesh's trust domain */
};

static bool source_matches(const json_t *from, const struct seen *seen) {
  static const char *const outer[] = {"source", NULL}, *const inner[] = {"principals", NULL};
  const json_t *source = json_object_get(from, "source");
  only_members(from, outer);
  only_members(source, inner);
  const json_t *principals = json_object_get(source, "principals");
  return any_matches(principals, seen->principal) || any_matches(principals, seen->local_principal);
}

static bool port_matches(const json_t *ports, uint16_t port) {
  char text[8];
  size_t i;
  const json_t *item;
  (void)snprintf(text, sizeof text, "%u", port);
  assert_true(json_array_size(ports) > 0);
  json_array_foreach(ports, i, item) {
    const char *value = json_string_value(item);
    assert_true(value && *value && strspn(value, "0123456789") == strlen(value)); /* no patterns, istiod refuses them */
    if (strcmp(value, text) == 0)
      return true;
  }
  return false;
}

/* From Istio 1.22 on, braces are of path templates. */
static void check_paths(const json_t *paths) {
  size_t i;
  const json_t *path;
  json_array_foreach(paths, i, path) assert_null(strpbrk(json_string_value(path), "{}"));
}

static bool operation_matches(const json_t *to, const struct seen *seen) {
  static const char *const outer[] = {"operation", NULL}, *const inner[] = {"paths", "methods", "ports", NULL};
  const json_t *operation = json_object_get(to, "operation");
  only_members(to, outer);
  only_members(operation, inner);
  const json_t *paths = json_object_get(operation, "paths"), *methods = json_object_get(operation, "methods");
  const json_t *ports = json_object_get(operation, "ports");
  check_paths(paths);
  return (!paths || any_matches(paths, seen->request->http.path)) &&
         (!methods || any_matches(methods, seen->request->http.method)) &&
         (!ports || port_matches(ports, seen->request->port));
}

static bool condition_matches(const json_t *when, const struct seen *seen) {
  static const char *const members[] = {"key", "values", NULL};
  static const char prefix[] = "request.headers[";
  only_members(when, members);
  const char *key = text_member(when, "key");
  const size_t length = strlen(key);
  assert_true(strncmp(key, prefix, sizeof prefix - 1) == 0 && key[length - 1] == ']');
  char name[256];
  (void)snprintf(name, sizeof name, "%.*s", (int)(length - sizeof prefix), key + sizeof prefix - 1);
  const char *value = envoy_header(&seen->request->http, name);
  return any_matches(json_object_get(when, "values"), value ? value : "") && value;
}

/* Whether it says something of HTTP: on a TCP port such a rule is not there. */
static bool is_of_http(const json_t *rule) {
  size_t i;
  const json_t *to;
  json_array_foreach(json_object_get(rule, "to"), i, to) {
    const json_t *operation = json_object_get(to, "operation");
    if (json_object_get(operation, "paths") || json_object_get(operation, "methods") ||
        json_object_get(operation, "hosts"))
      return true;
  }
  return json_object_get(rule, "when") != NULL;
}

typedef bool (*matcher)(const json_t *item, const struct seen *seen);

/* Any of the items, or all of them; an absent list holds. */
static bool list_matches(const json_t *list, matcher matches, bool all, const struct seen *seen) {
  size_t i;
  const json_t *item;
  size_t count = 0;
  if (!list)
    return true;
  assert_true(json_array_size(list) > 0);
  json_array_foreach(list, i, item) count += matches(item, seen);
  return all ? count == json_array_size(list) : count > 0;
}

static bool rule_matches(const json_t *rule, const struct seen *seen) {
  static const char *const members[] = {"from", "to", "when", NULL};
  only_members(rule, members);
  if (seen->request->protocol == PORT_TCP && is_of_http(rule))
    return false;
  return list_matches(json_object_get(rule, "from"), source_matches, false, seen) &&
         list_matches(json_object_get(rule, "to"), operation_matches, false, seen) &&
         list_matches(json_object_get(rule, "when"), condition_matches, true, seen);
}

static bool policy_matches(const json_t *spec, const struct seen *seen) {
  static const char *const members[] = {"selector", "action", "rules", NULL};
  const json_t *rules = json_object_get(spec, "rules"), *rule, *action = json_object_get(spec, "action");
  size_t i;
  only_members(spec, members);
  assert_true(!action || strcmp(json_string_value(action), "ALLOW") == 0);
  assert_true(json_array_size(rules) <= 512);
  json_array_foreach(rules, i, rule) if (rule_matches(rule, seen)) return true;
  return false;
}

/* Policies hold in their namespace, those of the root namespace everywhere. */
static bool applies(const struct istio *istio, const json_t *object, const json_t *labels,
                    const struct inventory_workload *workload) {
  const char *ns = text_member(json_object_get(object, "metadata"), "namespace");
  return (strcmp(ns, workload->ns) == 0 || strcmp(ns, istio->root_namespace) == 0) && labels_select(labels, workload);
}

static bool is_a(const json_t *object, const char *kind) {
  return strcmp(text_member(object, "kind"), kind) == 0;
}

/* Without any policy that allows, everything is allowed; with one, what one of them has a rule for. */
static bool policies_admit(const struct istio *istio, const struct seen *seen) {
  bool any = false, admitted = false;
  size_t i;
  const json_t *object;
  json_array_foreach(istio->objects, i, object) {
    const json_t *spec = json_object_get(object, "spec");
    const json_t *labels = json_object_get(json_object_get(spec, "selector"), "matchLabels");
    if (!is_a(object, "AuthorizationPolicy") || !applies(istio, object, labels, seen->request->destination))
      continue;
    any = true;
    admitted |= policy_matches(spec, seen);
  }
  return !any || admitted;
}

static const json_t *filter_rbac(const json_t *spec) {
  const json_t *patches = json_object_get(spec, "configPatches"), *patch = json_array_get(patches, 0);
  assert_int_equal(json_array_size(patches), 1);
  assert_string_equal(text_member(patch, "applyTo"), "HTTP_FILTER");
  assert_string_equal(text_member(json_object_get(patch, "match"), "context"), "SIDECAR_INBOUND");
  const json_t *value = json_object_get(json_object_get(patch, "patch"), "value");
  const json_t *config = json_object_get(value, "typed_config");
  assert_string_equal(text_member(config, "@type"), "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC");
  return json_object_get(config, "rules");
}

/* Each filter decides for itself, and on HTTP only. The identity is what the certificate has. */
static bool filters_admit(const struct istio *istio, const struct seen *seen) {
  char principal[512];
  size_t i;
  const json_t *object;
  (void)snprintf(principal, sizeof principal, "spiffe://%s", seen->principal);
  json_array_foreach(istio->objects, i, object) {
    const json_t *spec = json_object_get(object, "spec");
    const json_t *labels = json_object_get(json_object_get(spec, "workloadSelector"), "labels");
    if (is_a(object, "EnvoyFilter") && applies(istio, object, labels, seen->request->destination) &&
        !envoy_rbac_admits(filter_rbac(spec), principal, seen->request))
      return false;
  }
  return true;
}

bool istio_admits(const struct istio *istio, const struct request *request) {
  char principal[400], local[400];
  assert_int_not_equal(request->protocol, PORT_UDP);
  (void)snprintf(principal, sizeof principal, "%s/ns/%s/sa/%s", istio->trust_domain, request->source_ns,
                 request->source_account);
  (void)snprintf(local, sizeof local, "cluster.local/ns/%s/sa/%s", request->source_ns, request->source_account);
  const struct seen seen = {request, principal, local};
  return policies_admit(istio, &seen) && (request->protocol != PORT_HTTP || filters_admit(istio, &seen));
}
