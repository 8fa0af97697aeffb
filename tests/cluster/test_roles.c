/* The roles of packaging/kubernetes: who is bound to one can do what its job needs, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/support/api_objects.h"
#include "tests/support/api_server.h"
#include "tests/support/command.h"

#define RBAC "/apis/rbac.authorization.k8s.io/v1"
#define KNOWN_S 30

/* What "apply" stands for as a verb. */
static const char apply_verbs[] = "get,list,create,patch,delete";

/* A right is "VERB,... GROUP/RESOURCE,..."; a "=NAME" behind it is the one object that it is about. */
static const struct job {
  const char *file;
  const char *role;
  bool everywhere; /* bound in all namespaces, or in one */
  const char *rights[13];
} jobs[] = {
    {"read.yaml",
     "trammel-read",
     true,
     {"get,list /namespaces,pods,replicationcontrollers,serviceaccounts,services", "get,list batch/cronjobs,jobs",
      "get,list apps/daemonsets,deployments,replicasets,statefulsets", "get,list access.smi-spec.io/traffictargets",
      "get,list specs.smi-spec.io/httproutegroups,tcproutes,udproutes", "get,list split.smi-spec.io/trafficsplits",
      "get,list security.istio.io/authorizationpolicies,peerauthentications",
      "get,list networking.istio.io/envoyfilters,virtualservices",
      "get,list policy.linkerd.io/authorizationpolicies,httproutes,servers",
      "get,list policy.linkerd.io/meshtlsauthentications,networkauthentications", "get,list linkerd.io/serviceprofiles",
      "get,list consul.hashicorp.com/servicedefaults,serviceintentions,servicerouters,servicesplitters",
      "get,list gateway.networking.k8s.io/httproutes,tcproutes"}},
    {"apply-istio.yaml",
     "trammel-apply-istio",
     false,
     {"apply security.istio.io/authorizationpolicies,peerauthentications",
      "apply networking.istio.io/envoyfilters,virtualservices"}},
    {"apply-linkerd.yaml",
     "trammel-apply-linkerd",
     false,
     {"apply policy.linkerd.io/authorizationpolicies,httproutes,meshtlsauthentications,networkauthentications,servers",
      "apply linkerd.io/serviceprofiles", "apply gateway.networking.k8s.io/httproutes"}},
    {"apply-consul.yaml",
     "trammel-apply-consul",
     false,
     {"apply consul.hashicorp.com/servicedefaults,serviceintentions,servicerouters,servicesplitters"}},
    {"apply-osm.yaml",
     "trammel-apply-osm",
     false,
     {"apply access.smi-spec.io/traffictargets", "apply specs.smi-spec.io/httproutegroups,tcproutes",
      "apply split.smi-spec.io/trafficsplits"}},
    {"enroll.yaml",
     "trammel-enroll",
     true,
     {"get,patch /namespaces", "get,list,patch apps/daemonsets,deployments,statefulsets", "list /pods"}},
    {"lab.yaml",
     "trammel-lab",
     true,
     {"apply /namespaces,serviceaccounts,services", "apply apps/deployments", "get,list /pods",
      "get,create,update,delete /pods/proxy"}},
    {"reference-mesh.yaml",
     "trammel-reference-mesh",
     true,
     {"apply /namespaces,services", "apply apps/deployments", "get,update,delete /services/proxy"}},
    {"apply-gateway.yaml", "trammel-apply-gateway", false, {"apply gateway.networking.k8s.io/httproutes,tcproutes"}},
    {"watch.yaml",
     "trammel-watch",
     true,
     {"watch /pods,replicationcontrollers,serviceaccounts,services",
      "watch apps/daemonsets,deployments,replicasets,statefulsets", "watch batch/cronjobs,jobs",
      "watch access.smi-spec.io/traffictargets", "watch specs.smi-spec.io/httproutegroups,tcproutes,udproutes",
      "watch split.smi-spec.io/trafficsplits", "watch security.istio.io/authorizationpolicies,peerauthentications",
      "watch networking.istio.io/envoyfilters,virtualservices",
      "watch policy.linkerd.io/authorizationpolicies,httproutes,servers,meshtlsauthentications,networkauthentications",
      "watch linkerd.io/serviceprofiles",
      "watch consul.hashicorp.com/servicedefaults,serviceintentions,servicerouters,servicesplitters",
      "watch gateway.networking.k8s.io/httproutes,tcproutes", "create,patch /events"}},
    {"watch.yaml",
     "trammel-watch-leader",
     false,
     {"create coordination.k8s.io/leases", "get,update coordination.k8s.io/leases=trammel-watch-consul",
      "get,update coordination.k8s.io/leases=trammel-watch-gateway",
      "get,update coordination.k8s.io/leases=trammel-watch-istio",
      "get,update coordination.k8s.io/leases=trammel-watch-linkerd",
      "get,update coordination.k8s.io/leases=trammel-watch-osm"}},
};

static struct api_server *server;

/* ---- sets of rights, as an object whose keys are "VERB GROUP/RESOURCE[=NAME]" */

static void add_right(json_t *set, const char *verb, const char *group, const char *resource, const char *name) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
  strbuf_printf(&key, "%s %s/%s%s%s", verb, group, resource, *name ? "=" : "", name);
  (void)json_object_set_new(set, strbuf_text(&key), json_true());
}

static void add_written(json_t *set, const char *right) {
  _cleanup_free_ char *copy = strdup(right), *expanded = strdup(apply_verbs);
  char *verbs = copy, *resources = strchr(copy, ' '), *rest_of_verbs = NULL;
  *resources++ = '\0';
  if (strcmp(verbs, "apply") == 0)
    verbs = expanded;
  char *name = strchr(resources, '='), *group = resources;
  if (name)
    *name++ = '\0';
  resources = strchr(resources, '/');
  *resources++ = '\0';
  for (char *verb = strtok_r(verbs, ",", &rest_of_verbs); verb; verb = strtok_r(NULL, ",", &rest_of_verbs)) {
    _cleanup_free_ char *list = strdup(resources);
    char *rest = NULL;
    for (char *resource = strtok_r(list, ",", &rest); resource; resource = strtok_r(NULL, ",", &rest))
      add_right(set, verb, group, resource, name ? name : "");
  }
}

static json_t *rights_needed(const struct job *job) {
  json_t *set = json_object();
  for (size_t i = 0; i < ARRAY_COUNT(job->rights) && job->rights[i]; i++)
    add_written(set, job->rights[i]);
  return set;
}

static void add_rule(json_t *set, const json_t *rule) {
  const json_t *verb, *group, *resource, *name, *names = json_object_get(rule, "resourceNames");
  size_t v, g, r, n;
  json_array_foreach(json_object_get(rule, "verbs"), v, verb) {
    json_array_foreach(json_object_get(rule, "apiGroups"), g, group) {
      json_array_foreach(json_object_get(rule, "resources"), r, resource) {
        if (json_array_size(names) == 0)
          add_right(set, json_string_value(verb), json_string_value(group), json_string_value(resource), "");
        json_array_foreach(names, n, name) {
          add_right(set, json_string_value(verb), json_string_value(group), json_string_value(resource),
                    json_string_value(name));
        }
      }
    }
  }
}

/* What the server says that this account may do in a namespace. */
static json_t *rights_of(const char *account, const char *namespace) {
  json_t *set = json_object(), *body = json_pack("{s:{s:s}}", "spec", "namespace", namespace), *rule;
  struct api_answer answer;
  size_t i;
  api_server_send(server,
                  &(struct api_request){.method = "POST",
                                        .path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                        .as = account,
                                        .body = body},
                  &answer);
  assert_int_equal(answer.status, 201);
  json_array_foreach(json_object_get(json_object_get(answer.body, "status"), "resourceRules"), i, rule) {
    add_rule(set, rule);
  }
  api_answer_finish(&answer);
  json_decref(body);
  return set;
}

/* Those of `set` that are not in `other`, in one line each. */
static void difference(json_t *set, json_t *other, const char *title, struct strbuf *out) {
  const char *key;
  json_t *value;
  json_object_foreach(set, key, value) {
    if (!json_object_get(other, key))
      strbuf_printf(out, "\n  %s: %s", title, key);
  }
}

/* ---- objects */

static void put(const json_t *object) {
  struct api_answer answer;
  _cleanup_free_ char *path = api_object_path(server, object);
  assert_non_null(path);
  api_object_apply(server, path, object, false, &answer);
  if (answer.status != 200 && answer.status != 201)
    fail_msg("%s: %s", path, api_answer_message(&answer));
  api_answer_finish(&answer);
}

static void put_roles(const char *file) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_free_ char *path = NULL, *data = NULL;
  struct document_list documents;
  size_t length;
  assert_true(asprintf(&path, "%s/packaging/kubernetes/%s", source, file) > 0);
  assert_int_equal(file_read(path, FILE_READ_MAX, &data, &length, NULL), 0);
  assert_int_equal(document_read(arena, path, data, length, DOCUMENT_YAML, NULL, NULL, &documents), 0);
  for (size_t i = 0; i < documents.count; i++) {
    json_t *role = node_to_json(documents.roots[i]);
    assert_string_equal(json_string_value(json_object_get(role, "kind")), "ClusterRole");
    put(role);
    json_decref(role);
  }
}

/* An account in a namespace named as the role, bound to it there or everywhere. */
static void bind(const struct job *job) {
  api_namespace_create(server, job->role);
  json_t *account = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "ServiceAccount", "metadata",
                              "name", "trammel", "namespace", job->role);
  json_t *binding = json_pack(
      "{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion", "rbac.authorization.k8s.io/v1",
      "kind", job->everywhere ? "ClusterRoleBinding" : "RoleBinding", "metadata", "name", job->role, "namespace",
      job->role, "roleRef", "apiGroup", "rbac.authorization.k8s.io", "kind", "ClusterRole", "name", job->role,
      "subjects", "kind", "ServiceAccount", "name", "trammel", "namespace", job->role);
  if (job->everywhere)
    (void)json_object_del(json_object_get(binding, "metadata"), "namespace");
  put(account);
  put(binding);
  json_decref(account);
  json_decref(binding);
}

/* ---- the tests */

struct comparison {
  const struct job *job;
  const char *namespace;
  struct strbuf text; /* "" when the rights are those that are needed */
};

/* The server takes a moment to know of a binding. */
static bool rights_are_those_needed(void *ctx) {
  struct comparison *comparison = ctx;
  const struct job *job = comparison->job;
  _cleanup_free_ char *account = NULL;
  assert_true(asprintf(&account, "system:serviceaccount:%s:trammel", job->role) > 0);
  json_t *needed = rights_needed(job), *has = rights_of(account, comparison->namespace),
         *everyone = rights_of("system:serviceaccount:default:another", comparison->namespace);
  (void)json_object_update(needed, everyone);
  strbuf_clear(&comparison->text);
  difference(needed, has, "may not", &comparison->text);
  difference(has, needed, "may", &comparison->text);
  json_decref(needed);
  json_decref(has);
  json_decref(everyone);
  return comparison->text.length == 0;
}

static void a_role_gives_what_its_job_needs_and_no_more(void **state) {
  struct comparison comparison = {.job = *state, .text = STRBUF_INIT};
  const struct job *job = comparison.job;
  put_roles(job->file);
  bind(job);
  comparison.namespace = job->everywhere ? "kube-system" : job->role;
  int64_t tries = KNOWN_S * 20;
  while (!rights_are_those_needed(&comparison) && --tries > 0)
    (void)usleep(50000);
  if (tries == 0)
    fail_msg("an account bound to %s%s", job->role, strbuf_text(&comparison.text));
  strbuf_finish(&comparison.text);
}

/* What was bound in one namespace holds in no other. */
static void a_role_bound_in_one_namespace_gives_nothing_in_another(void **state) {
  const struct job *job = *state;
  _cleanup_free_ char *account = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  assert_true(asprintf(&account, "system:serviceaccount:%s:trammel", job->role) > 0);
  json_t *has = rights_of(account, "default"),
         *everyone = rights_of("system:serviceaccount:default:another", "default");
  difference(has, everyone, "may", &text);
  assert_string_equal(strbuf_text(&text), "");
  json_decref(has);
  json_decref(everyone);
}

static long status_of(const char *path, const char *as) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = "GET", .path = path, .as = as}, &answer);
  api_answer_finish(&answer);
  return answer.status;
}

static void who_reads_is_let_read_and_refused_the_rest(void **state) {
  (void)state;
  const char *account = "system:serviceaccount:trammel-read:trammel";
  assert_int_equal(status_of("/api/v1/pods", account), 200);
  assert_int_equal(status_of("/apis/apps/v1/deployments", account), 200);
  assert_int_equal(status_of("/api/v1/secrets", account), 403);
  assert_int_equal(status_of("/api/v1/namespaces/kube-system/configmaps", account), 403);
  assert_int_equal(status_of("/api/v1/nodes", account), 403);
}

/* ---- names */

/* Whether some version of the group has this resource. */
static bool is_served(const char *group, const char *resource) {
  struct api_answer versions, resources;
  const json_t *version, *item;
  bool found = false;
  size_t i, j;
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, *group ? "/apis/%s" : "/api%s", group) > 0);
  api_server_send(server, &(struct api_request){.method = "GET", .path = path}, &versions);
  json_array_foreach(json_object_get(versions.body, "versions"), i, version) {
    _cleanup_free_ char *base = NULL;
    const char *name = json_string_value(*group ? json_object_get(version, "version") : version);
    assert_true(asprintf(&base, "%s/%s", path, name) > 0);
    api_server_send(server, &(struct api_request){.method = "GET", .path = base}, &resources);
    json_array_foreach(json_object_get(resources.body, "resources"), j, item) {
      found = found || strcmp(json_string_value(json_object_get(item, "name")), resource) == 0;
    }
    api_answer_finish(&resources);
  }
  api_answer_finish(&versions);
  return found;
}

static void assert_served(const struct job *job) {
  json_t *needed = rights_needed(job), *value;
  const char *key;
  json_object_foreach(needed, key, value) {
    _cleanup_free_ char *group = strdup(strchr(key, ' ') + 1);
    char *resource = strchr(group, '/'), *name = strchr(group, '=');
    *resource++ = '\0';
    if (name)
      *name = '\0';
    if (!is_served(group, resource))
      fail_msg("%s: no API server has %s of group '%s'", job->file, resource, group);
  }
  json_decref(needed);
}

static void all_resources_in_roles_exist(void **state) {
  (void)state;
  static const char *const names[] = {"consul-k8s-2.0", "gateway-api-1.6", "istio-1.30", "linkerd-2.20", "smi"};
  char *paths[ARRAY_COUNT(names)];
  for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
    paths[i] = crds_directory(names[i]);
    if (!paths[i])
      skip();
    (void)crds_install(server, paths[i]);
  }
  for (size_t i = 0; i < ARRAY_COUNT(jobs); i++)
    assert_served(&jobs[i]);
  for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
    crds_remove(server, paths[i]);
    free(paths[i]);
  }
}

int main(void) {
  static const struct CMUnitTest others[] = {
      cmocka_unit_test(who_reads_is_let_read_and_refused_the_rest),
      cmocka_unit_test(all_resources_in_roles_exist),
  };
  struct CMUnitTest tests[2 * ARRAY_COUNT(jobs) + ARRAY_COUNT(others)];
  size_t n = 0;
  server = api_server_start();
  if (!server)
    return 77;
  for (size_t i = 0; i < ARRAY_COUNT(jobs); i++) {
    void *job = (void *)&jobs[i];
    tests[n++] = (struct CMUnitTest){jobs[i].role, a_role_gives_what_its_job_needs_and_no_more, NULL, NULL, job};
    if (!jobs[i].everywhere)
      tests[n++] =
          (struct CMUnitTest){jobs[i].role, a_role_bound_in_one_namespace_gives_nothing_in_another, NULL, NULL, job};
  }
  for (size_t i = 0; i < ARRAY_COUNT(others); i++)
    tests[n++] = others[i];
  int failed = _cmocka_run_group_tests("roles", tests, n, NULL, NULL);
  api_server_stop(server);
  return failed;
}
