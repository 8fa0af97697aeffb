/* trammel apply waits until a mesh has taken what was applied, in the versions that the cluster serves, and tells what
 * right is missing. The API server is real and has no mesh: the tests set the conditions themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/cluster/bad_line.h"
#include "tests/cluster/on_cluster.h"

#define ROUTES "/apis/gateway.networking.k8s.io/v1/namespaces/%s/httproutes"

static struct api_server *server;

struct fixture {
  char ns[32]; /* of its own for each test */
  char *routes;
};

#define RUN(input, ...) on_cluster_run(api_server_kubeconfig(server), input, (const char *const[]){__VA_ARGS__, NULL})
#define RUN_AS_NOBODY(input, ...)                                                                                      \
  on_cluster_run(api_server_kubeconfig_nobody(server), input, (const char *const[]){__VA_ARGS__, NULL})
#define TO_GATEWAY "--to", "gateway", "-f", "-"

/* '@' is the namespace. */
#define SERVICE(name, ports)                                                                                           \
  "{apiVersion: v1, kind: Service, metadata: {name: " name ", namespace: @}, spec: {selector: {app: " name             \
  "}, ports: [" ports "]}}\n---\n"
#define DEPLOYMENT(name)                                                                                               \
  "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " name                                                     \
  ", namespace: @}, spec: {selector: {matchLabels: {app: " name "}}, template: {metadata: {labels: {app: " name        \
  "}}, spec: {containers: [{name: app, image: x, ports: [{name: http, containerPort: 8080}, {name: http-b, "           \
  "containerPort: 8081}]}]}}}}\n---\n"
#define PORT_80 "{name: http, port: 80, targetPort: 8080}"
#define PORT_81 "{name: http-b, port: 81, targetPort: 8081}"
#define SPLIT(weight)                                                                                                  \
  "{apiVersion: split.smi-spec.io/v1alpha4, kind: TrafficSplit, metadata: {name: s, namespace: @}, spec: {service: "   \
  "root, backends: [{service: a, weight: " weight "}, {service: b, weight: 1}]}}\n"
#define INPUT(ports, weight)                                                                                           \
  SERVICE("root", ports)                                                                                               \
  SERVICE("a", ports) SERVICE("b", ports) DEPLOYMENT("root") DEPLOYMENT("a") DEPLOYMENT("b") SPLIT(weight)

static int setup(void **state) {
  static unsigned number;
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  (void)snprintf(f->ns, sizeof(f->ns), "ready-%u-%d", ++number, (int)getpid());
  assert_true(asprintf(&f->routes, ROUTES, f->ns) > 0);
  api_namespace_create(server, f->ns);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  free(f->routes);
  free(f);
  return 0;
}

/* The paths of the routes there are, in an array. */
static json_t *routes(const struct fixture *f) {
  json_auto_t *list = object_at(server, f->routes);
  json_t *paths = json_array();
  const json_t *item;
  size_t i;
  json_array_foreach(json_object_get(list, "items"), i, item) {
    const char *name = text_of(json_object_get(item, "metadata"), "name");
    assert_int_equal(json_array_append_new(paths, json_sprintf("%s/%s", f->routes, name)), 0);
  }
  return paths;
}

static size_t count_routes(const struct fixture *f) {
  json_auto_t *paths = routes(f);
  return json_array_size(paths);
}

/* What who implements the routes says of each. */
static void say(const struct fixture *f, const char *accepted, const char *reason, json_int_t generation) {
  json_auto_t *paths = routes(f);
  const json_t *path;
  size_t i;
  json_array_foreach(paths, i, path) {
    json_t *parent = json_pack(
        "{s:{s:s, s:s, s:s}, s:s, s:[{s:s, s:s, s:s, s:s, s:I, s:s}, {s:s, s:s, s:s, s:s, s:I, s:s}]}", "parentRef",
        "group", "", "kind", "Service", "name", "root", "controllerName", "example.org/mesh", "conditions", "type",
        "Accepted", "status", accepted, "reason", reason, "message", "because", "observedGeneration", generation,
        "lastTransitionTime", "2026-01-01T00:00:00Z", "type", "ResolvedRefs", "status", "True", "reason",
        "ResolvedRefs", "message", "", "observedGeneration", generation, "lastTransitionTime", "2026-01-01T00:00:00Z");
    put_status(server, json_string_value(path), json_pack("{s:[o]}", "parents", parent));
  }
}

static bool has_route(void *ctx) {
  return count_routes(ctx) > 0;
}

static void what_the_mesh_takes_is_waited_for(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *text = with_ns(INPUT(PORT_80, "9"), f->ns);
  const char *const words[] = {"apply", TO_GATEWAY, "--wait=2m", NULL};
  struct running running = on_cluster_start(api_server_kubeconfig(server), text, words);
  struct command_result result;
  wait_until(has_route, f, ON_CLUSTER_TIMEOUT_S, "the route is there");
  say(f, "True", "Accepted", 1);
  command_wait(&running, ON_CLUSTER_TIMEOUT_S, &result);
  expect(result, 0, "1 created\n");
}

static void what_nobody_takes_is_told_and_nothing_pruned(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *both = with_ns(INPUT(PORT_80 "," PORT_81, "9"), f->ns),
                      *one = with_ns(INPUT(PORT_80, "9"), f->ns);
  expect(RUN(both, "apply", TO_GATEWAY, "--wait=0"), 0, "2 created\n");
  json_auto_t *answer = expect_json(RUN(one, "apply", TO_GATEWAY, "--wait=300ms", "-o", "json"), 3);
  assert_int_equal(count_of(answer, "notReady"), 1);
  assert_int_equal(count_of(answer, "pruned"), 0);
  assert_string_equal(text_of(item_with(answer, "objects", "outcome", "not ready"), "why"),
                      "nobody has set the condition Accepted for its parents");
  assert_int_equal(count_routes(f), 2);
  say(f, "True", "Accepted", 1);
  expect(RUN(one, "apply", TO_GATEWAY), 0, "1 unchanged, 1 pruned\n");
  assert_int_equal(count_routes(f), 1);
}

static void what_the_mesh_does_not_take_is_refused(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *first = with_ns(INPUT(PORT_80, "9"), f->ns), *second = with_ns(INPUT(PORT_80, "4"), f->ns);
  expect(RUN(first, "apply", TO_GATEWAY, "--wait=0"), 0, "1 created\n");
  say(f, "False", "NoMatchingParent", 1);
  struct command_result result = RUN(first, "apply", TO_GATEWAY, "--wait=300ms");
  assert_code(&result, 1);
  assert_says(&result, "refused    HTTPRoute ");
  assert_says(&result, "its condition Accepted is False (NoMatchingParent): because");
  command_result_finish(&result);
  /* What was said of the object as it was before is no word on it as it is. */
  say(f, "True", "Accepted", 1);
  expect(RUN(second, "apply", TO_GATEWAY, "--wait=300ms"), 3, "condition Accepted since it was changed");
  say(f, "True", "Accepted", 2);
  expect(RUN(second, "apply", TO_GATEWAY), 0, "1 unchanged\n");
  expect(RUN(second, "apply", TO_GATEWAY, "--dry-run"), 0, "1 unchanged (dry run)\n");
}

/* It is looked for once more after a deletion, and not told of twice. */
static void what_waits_for_its_finalizers_is_removed_once(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *text = with_ns(INPUT(PORT_80, "9"), f->ns);
  expect(RUN(text, "apply", TO_GATEWAY, "--wait=0"), 0, "1 created\n");
  json_auto_t *paths = routes(f);
  const char *path = json_string_value(json_array_get(paths, 0));
  json_auto_t *patch = json_pack("{s:{s:[s]}}", "metadata", "finalizers", "example.org/wait");
  const struct api_request request = {
      .method = "PATCH", .path = path, .content_type = "application/merge-patch+json", .body = patch};
  struct api_answer answer;
  api_server_send(server, &request, &answer);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  expect(RUN(text, "delete", TO_GATEWAY), 0, "it goes when its finalizers are done\n1 removed\n");
  assert_int_equal(count_routes(f), 1);
  (void)json_object_set_new(json_object_get(patch, "metadata"), "finalizers", json_null());
  api_server_send(server, &request, &answer);
  api_answer_finish(&answer);
  assert_int_equal(count_routes(f), 0);
}

/* ---- versions */

static const char target[] =
    "{apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTarget, metadata: {name: t, namespace: @}, spec: "
    "{destination: {kind: ServiceAccount, name: api}, sources: [{kind: ServiceAccount, name: web}], rules: [{kind: "
    "HTTPRouteGroup, name: g}]}}\n---\n"
    "{apiVersion: specs.smi-spec.io/v1alpha4, kind: HTTPRouteGroup, metadata: {name: g, namespace: @}, spec: {matches: "
    "[{name: read, pathRegex: '/items', methods: [GET]}]}}\n---\n"
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api, namespace: @}}\n---\n"
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: @}}\n---\n"
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: @}, spec: {selector: {matchLabels: {app: "
    "api}}, template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api, containers: [{name: app, image: "
    "x, ports: [{name: http, containerPort: 8080}]}]}}}}\n";

/* Istio 1.18 serves AuthorizationPolicies in both versions, but the other kinds in v1beta1 alone. */
static void the_version_is_one_that_is_served(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *text = with_ns(target, f->ns), *definitions = crds_directory("istio-1.18");
  if (!definitions)
    skip();
  assert_true(crds_install(server, definitions) > 0);
  json_auto_t *answer =
      expect_json(RUN(text, "apply", "--to", "istio", "-f", "-", "--deny-by-default", f->ns, "-o", "json"), 0);
  assert_int_equal(count_of(answer, "created"), 3);
  assert_string_equal(text_of(item_with(answer, "objects", "kind", "PeerAuthentication"), "apiVersion"),
                      "security.istio.io/v1beta1");
  expect(RUN(text, "translate", "--to", "istio", "-f", "-"), 0, "security.istio.io/v1beta1");
  expect(RUN(text, "apply", "--to", "istio", "-f", "-", "--deny-by-default", f->ns, "--set", "api_version=v1"), 3,
         "security.istio.io/v1");
}

/* There are no pods, so that the case can't be judged; but the run has begun. */
static void a_run_has_the_version_that_is_served(void **state) {
  (void)state;
  _cleanup_free_ char *definitions = crds_directory("istio-1.18");
  if (!definitions)
    skip();
  assert_true(crds_install(server, definitions) > 0);
  put_istiod(server, 1);
  json_auto_t *report =
      expect_json(RUN(NULL, "conformance", "run", "-q", "-o", "json", "--lab", "kubernetes", "--mesh", "istio",
                      "--case", "access/http/unlisted-source", "--spec-version", "access/v1alpha3", "--timeout", "3s"),
                  3);
  const json_t *adapter = json_object_get(report, "adapter");
  assert_string_equal(text_of(json_object_get(adapter, "config"), "api_version"), "v1beta1");
  assert_int_equal(json_array_size(json_object_get(report, "cases")), 1);
}

/* ---- a bad line */

/* A kubeconfig that leads through the line, which the server's certificate knows as localhost. `folder` gets it. */
static char *write_kubeconfig(const char *folder, const char *text, const char *address, unsigned port) {
  const char *at = strstr(text, address);
  char *path = NULL;
  assert_non_null(at);
  assert_true(asprintf(&path, "%s/config", folder) > 0);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "%.*shttps://localhost:%u%s", (int)(at - text), text, port, at + strlen(address));
  assert_int_equal(fclose(file), 0);
  return path;
}

#define SPLITS 12

/* Root Services of their own, so that each is a route. */
static char *many_splits(const struct fixture *f) {
  _cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
  strbuf_puts(&all, INPUT(PORT_80, "9"));
  for (unsigned i = 0; i + 1 < SPLITS; i++)
    strbuf_printf(
        &all,
        "---\n{apiVersion: v1, kind: Service, metadata: {name: root%u, namespace: @}, spec: {selector: {app: "
        "root}, ports: [" PORT_80 "]}}\n---\n{apiVersion: split.smi-spec.io/v1alpha4, kind: TrafficSplit, "
        "metadata: {name: s%u, namespace: @}, spec: {service: root%u, backends: [{service: a, weight: 1}]}}\n",
        i, i, i);
  return with_ns(strbuf_text(&all), f->ns);
}

/* The apply ends with a list of what is there, which has to fit on one connection. */
static void assert_goes_through(const struct fixture *f, const struct bad_line_way *way) {
  _cleanup_free_ char *kubeconfig = NULL, *text = many_splits(f);
  size_t length;
  assert_int_equal(file_read(api_server_kubeconfig(server), FILE_READ_MAX, &kubeconfig, &length, NULL), 0);
  char *start = strstr(kubeconfig, "https://"), *folder = scratch_create();
  assert_non_null(start);
  _cleanup_free_ char *address = strndup(start, strcspn(start, "\", \n"));
  struct bad_line line = bad_line_start(address, way);
  _cleanup_free_ char *path = write_kubeconfig(folder, kubeconfig, address, line.port);
  const char *const words[] = {"apply", TO_GATEWAY, "--wait=0", NULL};
  /* One whose answer was lost is there already when it is sent again. */
  struct command_result result = on_cluster_run(path, text, words);
  assert_code(&result, 0);
  command_result_finish(&result);
  assert_int_equal(count_routes(f), SPLITS);
  expect(on_cluster_run(path, text, (const char *const[]){"apply", TO_GATEWAY, "--dry-run", NULL}), 0, "unchanged");
  assert_true(!way->bytes_most == !atomic_load(line.cuts));
  bad_line_stop(&line);
  scratch_remove(folder);
}

static void connections_that_are_cut_keep_nothing_from_being_done(void **state) {
  assert_goes_through(*state, &(struct bad_line_way){.bytes_most = 30000});
}

static void a_slow_line_only_takes_longer(void **state) {
  assert_goes_through(*state, &(struct bad_line_way){.pause_ms = 10});
}

/* ---- who may */

/* Gives everyone these verbs on routes in the namespace. */
static void allow(const struct fixture *f, const char *verbs) {
  static const char text[] =
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: @}, rules: [{apiGroups: "
      "[gateway.networking.k8s.io], resources: [httproutes, tcproutes], verbs: [%s]}]}\n---\n"
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: r, namespace: @}, roleRef: "
      "{apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{apiGroup: rbac.authorization.k8s.io, "
      "kind: Group, name: 'system:authenticated'}]}\n";
  _cleanup_free_ char *with_verbs = NULL;
  assert_true(asprintf(&with_verbs, text, verbs) > 0);
  _cleanup_free_ char *there = with_ns(with_verbs, f->ns);
  put_all(server, there);
}

struct attempt {
  const char *text, *command, *wanted;
};

/* The server takes a moment to know of a role. */
static bool is_told(void *ctx) {
  const struct attempt *attempt = ctx;
  struct command_result result = RUN_AS_NOBODY(attempt->text, attempt->command, TO_GATEWAY);
  bool told = result.exit_code == 3 && (strstr(strbuf_text(&result.out), attempt->wanted) ||
                                        strstr(strbuf_text(&result.errors), attempt->wanted));
  command_result_finish(&result);
  return told;
}

#define RULE(verbs) "resources: [\"httproutes\"], verbs: [" verbs "]}"

/* Each verb that is missing is told, until none is. */
static void a_missing_verb_is_told_with_its_rule(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *text = with_ns(INPUT(PORT_80, "9"), f->ns);
  if (!api_server_kubeconfig_nobody(server))
    skip();
  const struct {
    const char *granted;
    struct attempt attempt;
  } steps[] = {{"watch", {text, "apply", RULE("\"get\"")}},
               {"get", {text, "diff", RULE("\"create\", \"patch\"")}},
               {"get, patch, create", {text, "delete", RULE("\"list\"")}},
               {"get, list", {text, "delete", RULE("\"delete\"")}}};
  for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
    struct attempt attempt = steps[i].attempt;
    allow(f, steps[i].granted);
    if (i == 3) /* or there would be nothing to delete */
      expect(RUN(text, "apply", TO_GATEWAY, "--wait=0"), 0, "1 created\n");
    wait_until(is_told, &attempt, ON_CLUSTER_TIMEOUT_S, attempt.wanted);
  }
}

static int install(void **state) {
  _cleanup_free_ char *definitions = crds_directory("gateway-api-1.6");
  (void)state;
  return crds_install(server, definitions) > 0 ? 0 : -1;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(what_the_mesh_takes_is_waited_for),
      TEST(what_nobody_takes_is_told_and_nothing_pruned),
      TEST(what_the_mesh_does_not_take_is_refused),
      TEST(what_waits_for_its_finalizers_is_removed_once),
      TEST(connections_that_are_cut_keep_nothing_from_being_done),
      TEST(a_slow_line_only_takes_longer),
      TEST(a_missing_verb_is_told_with_its_rule),
      TEST(the_version_is_one_that_is_served),
      TEST(a_run_has_the_version_that_is_served),
  };
  char *definitions = crds_directory("gateway-api-1.6");
  if (!definitions) {
    printf("skipped: the definitions gateway-api-1.6 are not there: they are looked for in crds/ of ../shared or "
           "$TRAMMEL_SHARED_DIR\n");
    return 77;
  }
  free(definitions);
  server = api_server_start();
  int failed = server ? cmocka_run_group_tests_name("apply until ready", tests, install, NULL) : 77;
  api_server_stop(server);
  return failed;
}
