#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/linkerd/evaluator.h"

static const char *name_of(const json_t *object) {
  return text_of(json_object_get(object, "metadata"), "name");
}

static const struct smi_label *label_of(const struct inventory_workload *workload, const char *name) {
  for (size_t i = 0; i < workload->label_count; i++)
    if (strcmp(workload->labels[i].name, name) == 0)
      return &workload->labels[i];
  return NULL;
}

static bool selects(const json_t *selector, const struct inventory_workload *workload) {
  const json_t *expression, *value;
  const char *key;
  size_t i;
  json_object_foreach((json_t *)json_object_get(selector, "matchLabels"), key, value) {
    const struct smi_label *label = label_of(workload, key);
    if (!label || strcmp(label->value, json_string_value(value)) != 0)
      return false;
  }
  json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression) {
    assert_string_equal(text_of(expression, "operator"), "DoesNotExist");
    if (label_of(workload, text_of(expression, "key")))
      return false;
  }
  return true;
}

static bool is_server_of(const json_t *object, const struct request *request) {
  const json_t *spec = json_object_get(object, "spec");
  return is_object(object, "policy.linkerd.io", "Server", request->destination->ns) &&
         json_integer_value(json_object_get(spec, "port")) == request->port &&
         selects(json_object_get(spec, "podSelector"), request->destination);
}

/* An identity of a meshed client; networks are not what requests of these tests are told by. */
static bool authenticates(const json_t *object, const struct request *request) {
  const json_t *spec = json_object_get(object, "spec"), *item;
  size_t i;
  if (strcmp(text_of(object, "kind"), "MeshTLSAuthentication") != 0)
    return false;
  assert_true(json_object_get(spec, "identityRefs") || json_object_get(spec, "identities"));
  json_array_foreach(json_object_get(spec, "identityRefs"), i,
                     item) if (strcmp(text_of(item, "kind"), "ServiceAccount") == 0 &&
                               strcmp(text_of(item, "name"), request->source_account) == 0 &&
                               strcmp(text_of(item, "namespace"), request->source_ns) == 0) return true;
  json_array_foreach(json_object_get(spec, "identities"), i, item) {
    char name[512];
    (void)snprintf(name, sizeof name, "%s.%s.serviceaccount.identity.linkerd.cluster.local", request->source_account,
                   request->source_ns);
    if (strcmp(json_string_value(item), name) == 0)
      return true;
  }
  return false;
}

/* All that it requires have to be there and to hold. */
static bool policy_holds(const struct linkerd_mesh *mesh, const json_t *policy, const struct request *request) {
  const json_t *refs = json_object_get(json_object_get(policy, "spec"), "requiredAuthenticationRefs"), *ref, *object;
  size_t i, j;
  json_array_foreach(refs, i, ref) {
    bool holds = false;
    json_array_foreach(mesh->objects, j, object) holds |=
        is_object(object, text_of(ref, "group"), text_of(ref, "kind"), request->destination->ns) &&
        strcmp(name_of(object), text_of(ref, "name")) == 0 && authenticates(object, request);
    if (!holds)
      return false;
  }
  return true;
}

static bool authorised(const struct linkerd_mesh *mesh, const json_t *target, const struct request *request) {
  const json_t *object;
  size_t i;
  json_array_foreach(mesh->objects, i, object) {
    const json_t *ref = json_object_get(json_object_get(object, "spec"), "targetRef");
    if (is_object(object, "policy.linkerd.io", "AuthorizationPolicy", request->destination->ns) &&
        is_object(target, text_of(ref, "group"), text_of(ref, "kind"), request->destination->ns) &&
        strcmp(text_of(ref, "name"), name_of(target)) == 0 && policy_holds(mesh, object, request))
      return true;
  }
  return false;
}

static bool is_route_of(const json_t *object, const json_t *server, const char *ns) {
  const json_t *parents = json_object_get(json_object_get(object, "spec"), "parentRefs"), *parent;
  size_t i;
  if (!is_object(object, "policy.linkerd.io", "HTTPRoute", ns) &&
      !is_object(object, "gateway.networking.k8s.io", "HTTPRoute", ns))
    return false;
  json_array_foreach(parents, i, parent) if (strcmp(text_of(parent, "group"), "policy.linkerd.io") == 0 &&
                                             strcmp(text_of(parent, "kind"), "Server") == 0 &&
                                             strcmp(text_of(parent, "name"), name_of(server)) == 0) return true;
  return false;
}

/* Of all routes of the server, those that are best for the request. Each of them may be the oldest. */
struct verdict {
  bool any_route, found, admits, denies;
  struct rank rank;
};

static void ask_route(const struct linkerd_mesh *mesh, const json_t *route, const struct request *request,
                      struct verdict *verdict) {
  struct rank rank;
  verdict->any_route = true;
  if (linkerd_best_rule(route, &request->http, &rank) < 0)
    return;
  const int order = verdict->found ? rank_compare(&rank, &verdict->rank) : 1;
  if (order < 0)
    return;
  const bool admits = authorised(mesh, route, request);
  verdict->admits = admits || (order == 0 && verdict->admits);
  verdict->denies = !admits || (order == 0 && verdict->denies);
  verdict->found = true;
  verdict->rank = rank;
}

static bool server_admits(const struct linkerd_mesh *mesh, const json_t *server, const struct request *request) {
  const char *protocol = text_of(json_object_get(server, "spec"), "proxyProtocol");
  struct verdict verdict = {0};
  const json_t *object;
  size_t i;
  assert_string_equal(text_of(json_object_get(server, "spec"), "accessPolicy"), "deny");
  if (authorised(mesh, server, request)) {
    verdict.admits = true; /* on every route, but there has to be one */
    json_array_foreach(mesh->objects, i, object) if (request->protocol == PORT_HTTP &&
                                                     strcmp(protocol, "opaque") != 0 &&
                                                     is_route_of(object, server, request->destination->ns))
        ask_route(mesh, object, request, &verdict);
    return !verdict.any_route || verdict.found;
  }
  if (request->protocol != PORT_HTTP || strcmp(protocol, "opaque") == 0)
    return false;
  json_array_foreach(mesh->objects, i, object) if (is_route_of(object, server, request->destination->ns))
      ask_route(mesh, object, request, &verdict);
  if (verdict.admits && verdict.denies)
    fail_msg("which route decides depends on their age");
  return verdict.found && verdict.admits;
}

bool linkerd_admits(const struct linkerd_mesh *mesh, const struct request *request) {
  const json_t *object;
  size_t i;
  bool any = false, admits = false, denies = false;
  json_array_foreach(mesh->objects, i, object) {
    if (!is_server_of(object, request))
      continue;
    const bool admitted = server_admits(mesh, object, request);
    any = true;
    admits |= admitted;
    denies |= !admitted;
  }
  if (admits && denies)
    fail_msg("which Server decides depends on their age");
  return !any || admits; /* the mesh's default: all-unauthenticated */
}
