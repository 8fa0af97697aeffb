/* trammel mesh detect and enroll on a real API server. It has no controllers: what these would report, pods and
 * statuses, the tests put there themselves. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/cluster/on_cluster.h"

static struct api_server *server;

#define RUN(...) on_cluster_run(api_server_kubeconfig(server), NULL, (const char *const[]){__VA_ARGS__, NULL})
#define RUN_AS_NOBODY(...)                                                                                             \
  on_cluster_run(api_server_kubeconfig_nobody(server), NULL, (const char *const[]){__VA_ARGS__, NULL})

/* ---- detect */

static void a_cluster_without_a_mesh_has_none(void **state) {
  (void)state;
  json_auto_t *answer = expect_json(RUN("mesh", "detect", "-o", "json"), 1);
  static const char *const meshes[] = {"istio", "linkerd", "osm"};
  for (size_t i = 0; i < ARRAY_COUNT(meshes); i++) {
    const json_t *mesh = item_with(answer, "meshes", "mesh", meshes[i]);
    assert_string_equal(text_of(mesh, "state"), "absent");
    assert_true(json_array_size(json_object_get(mesh, "requests")) > 0);
  }
  assert_string_equal(text_of(item_with(answer, "meshes", "mesh", "consul"), "state"), "not asked");
  expect(RUN("mesh", "detect", "--mesh", "consul"), 3, "--endpoint consul=URL");
}

/* That of 1.18 serves no v1 of all that is written: the version that it does serve is taken. */
static void a_mesh_is_told_with_what_tells_it(void **state) {
  (void)state;
  _cleanup_free_ char *definitions = crds_directory("istio-1.18");
  if (!definitions)
    skip();
  put_istiod(server, 1);
  expect(RUN("mesh", "detect", "--mesh", "istio"), 1, "does not serve security.istio.io");
  assert_true(crds_install(server, definitions) > 0);
  json_auto_t *answer = expect_json(RUN("mesh", "detect", "-o", "json"), 0);
  const json_t *mesh = item_with(answer, "meshes", "mesh", "istio");
  assert_string_equal(text_of(mesh, "state"), "ready");
  assert_string_equal(text_of(mesh, "version"), "1.18.7");
  assert_string_equal(text_of(mesh, "namespace"), "istio-system");
  assert_non_null(strstr(text_of(mesh, "evidence"), "deployment istiod runs docker.io/istio/pilot:1.18.7"));
  const json_t *request = item_with(mesh, "requests", "method", "GET");
  assert_int_equal(json_integer_value(json_object_get(request, "status")), 200);
  expect(RUN("mesh", "detect", "--mesh", "istio", "--set", "api_version=v1"), 0, "ready");
  put_istiod(server, 0);
  expect(RUN("mesh", "detect"), 1, "istiod has no ready pod");
}

static void who_may_not_look_is_told_the_rule(void **state) {
  (void)state;
  if (!api_server_kubeconfig_nobody(server))
    skip();
  struct command_result result = RUN_AS_NOBODY("mesh", "detect", "--mesh", "linkerd");
  assert_code(&result, 3);
  assert_says(&result, "unknown");
  assert_says(&result, "a Role in namespace linkerd with the rule {apiGroups: [\"apps\"], resources: "
                       "[\"deployments\"], verbs: [\"list\"]}");
  command_result_finish(&result);
}

static void a_cluster_that_does_not_answer_is_told_once(void **state) {
  static const char kubeconfig[] =
      "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], "
      "users: "
      "[{name: u, user: {token: t}}], clusters: [{name: k, cluster: {server: 'http://127.0.0.1:9'}}]}\n";
  (void)state;
  char *folder = scratch_create();
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "%s/config", folder) > 0);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  (void)fputs(kubeconfig, file);
  assert_int_equal(fclose(file), 0);
  expect(on_cluster_run(path, NULL, (const char *const[]){"mesh", "detect", NULL}), 3, "127.0.0.1:9");
  scratch_remove(folder);
}

/* ---- enroll */

struct fixture {
  char ns[32]; /* of its own for each test */
  char *ns_path;
  char *web_path;
};

static int setup(void **state) {
  static unsigned number;
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  (void)snprintf(f->ns, sizeof(f->ns), "enroll-%u-%d", ++number, (int)getpid());
  assert_true(asprintf(&f->ns_path, "/api/v1/namespaces/%s", f->ns) > 0);
  assert_true(asprintf(&f->web_path, "/apis/apps/v1/namespaces/%s/deployments/web", f->ns) > 0);
  api_namespace_create(server, f->ns);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  free(f->ns_path);
  free(f->web_path);
  free(f);
  return 0;
}

/* '@' is the namespace. */
static const char web[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: @}\n"
    "spec: {replicas: 2, selector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: NotIn, values: "
    "[back]}]}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: x}]}}}\n";
static const char pod[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: @, labels: {app: web, tier: %s}}\n"
    "spec: {automountServiceAccountToken: false, containers: [{name: app, image: x}%s]}\n"
    "status: {phase: Running, conditions: [{type: Ready, status: '%s'}]}\n";
static const char account[] = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: @}}\n";

static void put_text(const struct fixture *f, const char *text) {
  _cleanup_free_ char *there = with_ns(text, f->ns);
  put_all(server, there);
}

/* Something else was injected into one without a sidecar. */
static void put_pod(const struct fixture *f, const char *name, const char *tier, bool sidecar, bool ready) {
  _cleanup_free_ char *text = NULL;
  assert_true(asprintf(&text, pod, name, tier, sidecar ? ", {name: istio-proxy, image: y}" : ", {name: logs, image: y}",
                       ready ? "True" : "False") > 0);
  put_text(f, text);
}

/* .metadata of a namespace, or of a workload's pods; a new reference. */
static json_t *metadata_of(const char *path, bool of_pods) {
  json_auto_t *object = object_at(server, path);
  const json_t *from = of_pods ? json_object_get(json_object_get(object, "spec"), "template") : (const json_t *)object;
  return json_incref(json_object_get(from, "metadata"));
}

static void assert_has(const char *path, bool of_pods, const char *map, const char *key, const char *value) {
  json_auto_t *metadata = metadata_of(path, of_pods);
  assert_string_equal(text_of(json_object_get(metadata, map), key), value);
}

/* The object is there, and has no such key. */
static void assert_lacks(const char *path, bool of_pods, const char *map, const char *key) {
  json_auto_t *metadata = metadata_of(path, of_pods);
  assert_non_null(metadata);
  assert_null(json_object_get(json_object_get(metadata, map), key));
}

static void a_namespace_joins_and_leaves(void **state) {
  struct fixture *f = *state;
  put_text(f, "{apiVersion: v1, kind: Namespace, metadata: {name: @, labels: {team: shop}}}\n");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--dry-run", f->ns), 0, "joined     Namespace ");
  assert_lacks(f->ns_path, false, "labels", "istio-injection");
  expect(RUN("mesh", "enroll", "--mesh", "istio", f->ns), 0, "joined     Namespace ");
  assert_has(f->ns_path, false, "labels", "istio-injection", "enabled");
  json_auto_t *again = expect_json(RUN("mesh", "enroll", "--mesh", "istio", f->ns, "-o", "json"), 0);
  assert_int_equal(count_of(again, "unchanged"), 1);
  assert_int_equal(count_of(again, "joined"), 0);
  expect(RUN("mesh", "enroll", "--mesh", "osm", f->ns), 0, "joined");
  assert_has(f->ns_path, false, "annotations", "openservicemesh.io/sidecar-injection", "enabled");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--undo", f->ns), 0, "left       Namespace ");
  assert_lacks(f->ns_path, false, "labels", "istio-injection");
  assert_has(f->ns_path, false, "labels", "openservicemesh.io/monitored-by", "osm");
  assert_has(f->ns_path, false, "labels", "team", "shop");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--undo", f->ns), 0, "unchanged");
}

static void what_others_set_is_left_as_it_is(void **state) {
  struct fixture *f = *state;
  put_text(f, "{apiVersion: v1, kind: Namespace, metadata: {name: @, labels: {istio-injection: disabled}}}\n");
  struct command_result result = RUN("mesh", "enroll", "--mesh", "istio", f->ns);
  assert_code(&result, 1);
  assert_says(&result, "refused    Namespace ");
  assert_says(&result, ".metadata.labels.istio-injection of \"test\"");
  command_result_finish(&result);
  assert_has(f->ns_path, false, "labels", "istio-injection", "disabled");
  put_text(f, "{apiVersion: v1, kind: Namespace, metadata: {name: @, labels: {istio-injection: enabled}}}\n");
  expect(RUN("mesh", "enroll", "--mesh", "istio", f->ns), 0, "unchanged");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--undo", f->ns), 0, "others have set the same");
  assert_has(f->ns_path, false, "labels", "istio-injection", "enabled");
}

static void what_is_not_there_is_not_made(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *workload = with_ns("@/deployment/none", f->ns);
  expect(RUN("mesh", "enroll", "--mesh", "istio", "no-such-namespace"), 3, "failed     Namespace no-such-namespace");
  assert_null(object_at(server, "/api/v1/namespaces/no-such-namespace"));
  expect(RUN("mesh", "enroll", "--mesh", "linkerd", workload), 3, "failed     Deployment ");
  expect(RUN("mesh", "enroll", "--mesh", "reference", f->ns), 2, "enrolls the workloads of labs only");
  expect(RUN("mesh", "enroll", "--mesh", "gateway", f->ns), 2, "enrolls nothing");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "shop/pod/web"), 2, "deployment, statefulset or daemonset");
  expect(RUN("mesh", "enroll", "--mesh", "istio"), 2, "say who");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--wait", f->ns), 2, "--wait wants a duration");
}

static void a_single_workload_joins_and_leaves(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *workload = with_ns("@/deployment/web", f->ns);
  put_text(f, web);
  expect(RUN("mesh", "enroll", "--mesh", "istio", workload), 0, "joined     Deployment ");
  assert_has(f->web_path, true, "labels", "sidecar.istio.io/inject", "true");
  assert_has(f->web_path, true, "annotations", "trammel.dev/enrolled", "istio");
  assert_lacks(f->web_path, true, "annotations", "traffic.sidecar.istio.io/excludeInboundPorts");
  assert_lacks(f->ns_path, false, "labels", "istio-injection");
  expect(RUN("mesh", "enroll", "--mesh", "istio", workload), 0, "unchanged  Deployment ");
  expect(RUN("mesh", "enroll", "--mesh", "istio", "--undo", workload), 0, "left       Deployment ");
  assert_lacks(f->web_path, true, "labels", "sidecar.istio.io/inject");
  assert_has(f->web_path, true, "labels", "app", "web");
  expect(RUN("mesh", "enroll", "--mesh", "osm", workload), 0, "joined     Deployment ");
  assert_has(f->ns_path, false, "labels", "openservicemesh.io/monitored-by", "osm");
  assert_lacks(f->ns_path, false, "annotations", "openservicemesh.io/sidecar-injection");
}

static void pods_of_consul_join_by_workload_alone(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *workload = with_ns("@/deployment/web", f->ns);
  put_text(f, web);
  expect(RUN("mesh", "enroll", "--mesh", "consul", f->ns), 2, "name each workload");
  expect(RUN("mesh", "enroll", "--mesh", "consul", workload), 0, "joined     Deployment ");
  assert_has(f->web_path, true, "annotations", "consul.hashicorp.com/connect-inject", "true");
  assert_lacks(f->web_path, true, "annotations", "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports");
  expect(RUN("mesh", "enroll", "--mesh", "consul", "--undo", workload), 0, "left       Deployment ");
  assert_lacks(f->web_path, true, "annotations", "consul.hashicorp.com/connect-inject");
}

/* When pods were last to be made anew, a heap string. */
static char *restarted_at(const struct fixture *f) {
  json_auto_t *metadata = metadata_of(f->web_path, true);
  char *time = strdup(text_of(json_object_get(metadata, "annotations"), "trammel.dev/restarted-at"));
  assert_non_null(time);
  assert_int_equal(strlen(time), strlen("2026-01-01T00:00:00.000Z"));
  return time;
}

static void pods_are_counted_and_waited_for(void **state) {
  struct fixture *f = *state;
  put_text(f, account);
  put_text(f, web);
  put_pod(f, "a", "front", true, true);
  put_pod(f, "b", "front", false, true);
  put_pod(f, "of-another", "back", false, false);
  struct command_result result = RUN("mesh", "enroll", "--mesh", "istio", f->ns);
  assert_code(&result, 0);
  assert_says(&result, ": 1 of 2 with a sidecar (istio-proxy), 2 ready, 2 wanted\n");
  assert_says(&result, "--restart has that done");
  command_result_finish(&result);
  expect(RUN("mesh", "enroll", "--mesh", "istio", f->ns, "--restart", "--wait=300ms"), 1, "joined     Deployment ");
  assert_has(f->web_path, true, "annotations", "trammel.dev/enrolled", "istio");
  /* Nobody made pods anew: asked for again, it is another change, or no controller would act on it. */
  _cleanup_free_ char *first = restarted_at(f);
  expect(RUN("mesh", "enroll", "--mesh", "istio", f->ns, "--restart"), 0, "joined     Deployment ");
  _cleanup_free_ char *second = restarted_at(f);
  assert_true(strcmp(first, second) < 0);
  /* What the controllers do then, while the command waits. */
  const char *const words[] = {"mesh", "enroll", "--mesh", "istio", f->ns, "--wait", "2m", "-o", "json", NULL};
  struct running running = on_cluster_start(api_server_kubeconfig(server), NULL, words);
  _cleanup_free_ char *path = with_ns("/api/v1/namespaces/@/pods/b?gracePeriodSeconds=0", f->ns);
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = "DELETE", .path = path}, &answer);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  put_pod(f, "c", "front", true, true);
  json_auto_t *object = object_at(server, f->web_path);
  put_status(
      server, f->web_path,
      json_pack("{s:O}", "observedGeneration", json_object_get(json_object_get(object, "metadata"), "generation")));
  command_wait(&running, ON_CLUSTER_TIMEOUT_S, &result);
  json_auto_t *settled = expect_json(result, 0);
  const json_t *look = item_with(settled, "workloads", "name", "web");
  assert_true(json_is_true(json_object_get(look, "settled")));
  assert_int_equal(json_integer_value(json_object_get(look, "withSidecar")), 2);
  expect(RUN("mesh", "enroll", "--mesh", "istio", f->ns, "--undo"), 0, "left       Deployment ");
  assert_lacks(f->web_path, true, "annotations", "trammel.dev/enrolled");
  assert_lacks(f->web_path, true, "annotations", "trammel.dev/restarted-at");
}

static void an_interruption_ends_the_wait(void **state) {
  struct fixture *f = *state;
  put_text(f, web);
  const char *const words[] = {"mesh", "enroll", "--mesh", "linkerd", f->ns, "--wait=10m", NULL};
  struct running running = on_cluster_start(api_server_kubeconfig(server), NULL, words);
  struct command_result result;
  char line[32] = {0};
  assert_true(read(running.out, line, sizeof(line) - 1) > 0); /* it has joined */
  assert_int_equal(strncmp(line, "joined", strlen("joined")), 0);
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, ON_CLUSTER_TIMEOUT_S, &result);
  assert_code(&result, 3);
  command_result_finish(&result);
  assert_has(f->ns_path, false, "annotations", "linkerd.io/inject", "enabled");
}

static void who_may_not_enroll_is_told_the_rule(void **state) {
  struct fixture *f = *state;
  if (!api_server_kubeconfig_nobody(server))
    skip();
  _cleanup_free_ char *workload = with_ns("@/deployment/web", f->ns);
  expect(RUN_AS_NOBODY("mesh", "enroll", "--mesh", "istio", f->ns), 3,
         "a ClusterRole with the rule {apiGroups: [\"\"], resources: [\"namespaces\"], verbs: [\"get\"]}");
  expect(RUN_AS_NOBODY("mesh", "enroll", "--mesh", "istio", workload), 3,
         "resources: [\"deployments\"], verbs: [\"get\"]}");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cluster_without_a_mesh_has_none),
      cmocka_unit_test(a_mesh_is_told_with_what_tells_it),
      cmocka_unit_test(who_may_not_look_is_told_the_rule),
      cmocka_unit_test(a_cluster_that_does_not_answer_is_told_once),
      TEST(a_namespace_joins_and_leaves),
      TEST(what_others_set_is_left_as_it_is),
      TEST(what_is_not_there_is_not_made),
      TEST(a_single_workload_joins_and_leaves),
      TEST(pods_of_consul_join_by_workload_alone),
      TEST(pods_are_counted_and_waited_for),
      TEST(an_interruption_ends_the_wait),
      TEST(who_may_not_enroll_is_told_the_rule),
  };
  server = api_server_start();
  int failed = server ? cmocka_run_group_tests_name("mesh", tests, NULL, NULL) : 77;
  api_server_stop(server);
  return failed;
}
