/* trammel apply, delete, diff and inventory on a real API server, which has the definitions of a real mesh. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "tests/cluster/policies.h"

#define DEFINITIONS "istio-1.30"

static struct api_server *server;
static char *definitions; /* folder */

/* ---- what is done */

#define RUN(input, ...) on_cluster_run(api_server_kubeconfig(server), input, (const char *const[]){__VA_ARGS__, NULL})
#define RUN_AS_NOBODY(input, ...)                                                                                      \
  on_cluster_run(api_server_kubeconfig_nobody(server), input, (const char *const[]){__VA_ARGS__, NULL})
#define TO_ISTIO "--to", "istio", "-f", "-"

/* The first object with this outcome; "" when there is none. Borrowed. */
static const char *named(const json_t *answer, const char *outcome, const char *key) {
  const json_t *object;
  size_t i;
  json_array_foreach(json_object_get(answer, "objects"), i, object) {
    const char *text = json_string_value(json_object_get(object, key));
    if (strcmp(json_string_value(json_object_get(object, "outcome")), outcome) == 0)
      return text ? text : "";
  }
  return "";
}

static int setup(void **state) {
  *state = policies_create(server);
  return 0;
}

static int teardown(void **state) {
  policies_destroy(*state);
  return 0;
}

/* ---- the tests */

static void objects_are_created_left_alone_and_changed(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *first = input(f, false), *second = input(f, true);
  json_auto_t *planned =
      expect_json(RUN(first, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json", "--dry-run"), 0);
  assert_int_equal(count_of(planned, "created"), 3);
  assert_int_equal(count_policies(f), 0);
  json_auto_t *made = expect_json(RUN(first, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json"), 0);
  assert_int_equal(count_of(made, "created"), 3);
  assert_int_equal(count_policies(f), 2);
  expect(RUN(first, "apply", TO_ISTIO, "--deny-by-default", f->ns), 0, "3 unchanged\n");
  json_auto_t *changed = expect_json(RUN(second, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json"), 0);
  assert_int_equal(count_of(changed, "changed"), 1);
  assert_int_equal(count_of(changed, "unchanged"), 2);
  json_auto_t *object = policy(f, named(changed, "changed", "name"));
  _cleanup_free_ char *text = json_dumps(json_object_get(object, "spec"), JSON_COMPACT);
  assert_non_null(strstr(text, "[\"PUT\"]"));
}

/* What is there, ours, and of these resources alone goes when the translation no longer has it. */
static void what_is_no_longer_translated_is_pruned(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *http = input(f, false), *udp = input_of(f, udp_target);
  json_auto_t *made = expect_json(RUN(http, "apply", TO_ISTIO, "-o", "json"), 0);
  assert_int_equal(count_policies(f), 1);
  expect(RUN(udp, "apply", TO_ISTIO), 1, "nothing was applied");
  assert_int_equal(count_policies(f), 1);
  json_auto_t *planned = expect_json(RUN(udp, "apply", TO_ISTIO, "--allow-unsupported", "--dry-run", "-o", "json"), 0);
  assert_int_equal(count_of(planned, "pruned"), 1);
  assert_int_equal(count_policies(f), 1);
  json_auto_t *pruned = expect_json(RUN(udp, "apply", TO_ISTIO, "--allow-unsupported", "-o", "json"), 0);
  assert_int_equal(count_of(pruned, "pruned"), 1);
  assert_string_equal(named(pruned, "pruned", "name"), named(made, "created", "name"));
  assert_int_equal(count_policies(f), 0);
}

/* Of six policies that look alike, the one goes that is ours and comes from the given resources alone. */
static void only_what_is_ours_and_of_these_resources_is_pruned(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false), *own = with_ns("TrafficTarget/@/t", f->ns),
                      *shared = with_ns("TrafficTarget/@/t,TrafficTarget/@/other", f->ns),
                      *cut = with_ns("TrafficTarget/@/t,…", f->ns);
  put_policy(f, "old", POLICIES_MANAGER, "trammel", own, json_object());
  put_policy(f, "shared", POLICIES_MANAGER, "trammel", shared, json_object());
  put_policy(f, "cut", POLICIES_MANAGER, "trammel", cut, json_object());
  put_policy(f, "for-all", POLICIES_MANAGER, "trammel", NULL, json_object());
  put_policy(f, "unlabelled", POLICIES_MANAGER, NULL, own, json_object());
  put_policy(f, "another-manager", "trammel/other", "trammel", own, json_object());
  json_auto_t *answer = expect_json(RUN(text, "apply", TO_ISTIO, "-o", "json"), 0);
  assert_int_equal(count_of(answer, "pruned"), 1);
  assert_string_equal(named(answer, "pruned", "name"), "old");
  assert_int_equal(count_of(answer, "kept"), 1);
  assert_string_equal(named(answer, "kept", "name"), "cut");
  assert_false(has_policy(f, "old"));
  assert_int_equal(count_policies(f), 6);
}

static void a_difference_is_shown_and_nothing_is_changed(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *first = input(f, false), *second = input(f, true), *own = with_ns("TrafficTarget/@/t", f->ns);
  expect(RUN(first, "diff", TO_ISTIO), 1, "+kind: AuthorizationPolicy\n");
  assert_int_equal(count_policies(f), 0);
  expect(RUN(first, "apply", TO_ISTIO), 0, "1 created");
  struct command_result same = RUN(first, "diff", TO_ISTIO);
  assert_code(&same, 0);
  assert_string_equal(strbuf_text(&same.out), "");
  command_result_finish(&same);
  put_policy(f, "old", POLICIES_MANAGER, "trammel", own, json_object());
  struct command_result result = RUN(second, "diff", TO_ISTIO);
  assert_code(&result, 1);
  assert_says(&result, "-        - GET\n+        - PUT\n");
  assert_says(&result, "/old (not in the translation)\n");
  assert_says(&result, "-  name: old\n");
  assert_null(strstr(strbuf_text(&result.out), "managedFields"));
  assert_null(strstr(strbuf_text(&result.out), "resourceVersion"));
  assert_null(strstr(strbuf_text(&result.out), "creationTimestamp"));
  assert_null(strstr(strbuf_text(&result.out), "uid"));
  command_result_finish(&result);
  assert_true(has_policy(f, "old"));
  _cleanup_free_ char *udp = input_of(f, udp_target);
  expect(RUN(udp, "diff", TO_ISTIO), 2, "nothing was compared"); /* 1 would be a difference */
}

static void a_deletion_takes_what_the_resources_have(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false), *own = with_ns("TrafficTarget/@/t", f->ns),
                      *shared = with_ns("TrafficTarget/@/t,TrafficTarget/@/other", f->ns);
  expect(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns), 0, "3 created");
  put_policy(f, "older", POLICIES_MANAGER, "trammel", own, json_object());
  put_policy(f, "shared", POLICIES_MANAGER, "trammel", shared, json_object());
  put_policy(f, "foreign", "test", NULL, NULL, json_object());
  expect(RUN(text, "delete", TO_ISTIO, "--dry-run", "--deny-by-default", f->ns), 0, "4 removed (dry run)");
  assert_int_equal(count_policies(f), 5);
  struct command_result result = RUN(text, "delete", TO_ISTIO, "--deny-by-default", f->ns);
  assert_code(&result, 0);
  assert_says(&result, "4 removed\n");
  const char *denial = strstr(strbuf_text(&result.out), "smi-deny"),
             *grant = strstr(strbuf_text(&result.out), "smi-t-");
  assert_true(grant && denial && grant < denial); /* what was applied first goes last */
  command_result_finish(&result);
  assert_true(has_policy(f, "shared"));
  assert_true(has_policy(f, "foreign"));
  assert_int_equal(count_policies(f), 2);
  expect(RUN(text, "delete", TO_ISTIO, "--deny-by-default", f->ns), 0, "nothing to do\n");
}

/* An object that others' resources need too is made anew without them, not removed. */
static void what_comes_from_others_as_well_is_kept(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false), *shared = with_ns("TrafficTarget/@/t,TrafficTarget/@/other", f->ns);
  json_auto_t *planned = expect_json(RUN(text, "apply", TO_ISTIO, "--dry-run", "-o", "json"), 0);
  const char *name = named(planned, "created", "name");
  put_policy(f, name, POLICIES_MANAGER, "trammel", shared, json_object());
  json_auto_t *kept = expect_json(RUN(text, "delete", TO_ISTIO, "-o", "json"), 0);
  assert_string_equal(named(kept, "kept", "name"), name);
  assert_non_null(strstr(named(kept, "kept", "why"), "/other"));
  assert_true(has_policy(f, name));
  json_auto_t *changed = expect_json(RUN(text, "apply", TO_ISTIO, "-o", "json"), 0);
  assert_non_null(strstr(named(changed, "changed", "why"), "/other"));
}

static void a_conflict_is_told_and_nothing_forced(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *first = input(f, false), *second = input(f, true);
  json_auto_t *made = expect_json(RUN(first, "apply", TO_ISTIO, "-o", "json"), 0);
  const char *name = named(made, "created", "name");
  put_policy(f, name, "somebody", "trammel", NULL, json_pack("{s:[{}]}", "rules"));
  expect(RUN(second, "diff", TO_ISTIO), 3, "somebody");
  json_auto_t *refused = expect_json(RUN(second, "apply", TO_ISTIO, "-o", "json"), 1);
  assert_int_equal(count_of(refused, "refused"), 1);
  assert_non_null(strstr(named(refused, "refused", "why"), "somebody"));
  assert_non_null(strstr(named(refused, "refused", "why"), ".spec.rules"));
  json_auto_t *object = policy(f, name);
  _cleanup_free_ char *rules = json_dumps(json_object_get(json_object_get(object, "spec"), "rules"), JSON_COMPACT);
  assert_string_equal(rules, "[{}]");
}

/* And what counts on it is not begun: a grant without its denial. */
static void a_foreign_object_is_refused_and_untouched(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false);
  json_auto_t *planned =
      expect_json(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json", "--dry-run"), 0);
  const char *denial = named(planned, "created", "name");
  put_policy(f, denial, "somebody", NULL, NULL, json_pack("{s:s}", "action", "ALLOW"));
  json_auto_t *before = policy(f, denial);
  json_auto_t *refused = expect_json(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json"), 1);
  json_auto_t *after = policy(f, denial);
  assert_true(json_equal(before, after));
  assert_string_equal(named(refused, "refused", "name"), denial);
  assert_non_null(strstr(named(refused, "refused", "why"), "not Trammel's"));
  assert_int_equal(count_of(refused, "created"), 1);
  assert_int_equal(count_of(refused, "notDone"), 1);
  assert_int_equal(count_policies(f), 1);
  expect(RUN(text, "delete", TO_ISTIO, "--deny-by-default", f->ns), 0, "1 removed");
  assert_true(has_policy(f, denial));
}

static void hold_policy(const struct policies *f, const char *name, json_t *finalizers) {
  _cleanup_free_ char *path = NULL;
  json_auto_t *patch = json_pack("{s:{s:o}}", "metadata", "finalizers", finalizers);
  struct api_answer answer;
  assert_true(asprintf(&path, "%s/%s", f->path, name) > 0);
  api_server_send(server,
                  &(struct api_request){
                      .method = "PATCH", .path = path, .content_type = "application/merge-patch+json", .body = patch},
                  &answer);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
}

/* Once its finalizers are done the denial would be gone, and the grants with nothing to be exempt from. */
static void an_object_that_is_being_removed_is_not_there(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false);
  json_auto_t *planned =
      expect_json(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json", "--dry-run"), 0);
  const char *denial = named(planned, "created", "name");
  expect(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns), 0, "3 created\n");
  hold_policy(f, denial, json_pack("[s]", "example.com/held"));
  expect(RUN(text, "delete", TO_ISTIO, "--deny-by-default", f->ns), 0, "finalizers");
  assert_true(has_policy(f, denial));
  json_auto_t *going = expect_json(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns, "-o", "json"), 3);
  assert_string_equal(named(going, "failed", "name"), denial);
  assert_non_null(strstr(named(going, "failed", "why"), "is being removed: apply again when it is gone"));
  expect(RUN(text, "diff", TO_ISTIO, "--deny-by-default", f->ns), 3, "is being removed");
  hold_policy(f, denial, json_null());
  expect(RUN(text, "apply", TO_ISTIO, "--deny-by-default", f->ns), 0, "created");
  assert_true(has_policy(f, denial));
}

static void a_mesh_whose_definitions_are_not_there_is_told(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false);
  expect(RUN(text, "apply", "--to", "linkerd", "-f", "-"), 3, "policy.linkerd.io");
  expect(RUN(text, "delete", "--to", "linkerd", "-f", "-"), 0, "nothing to do");
}

/* Requests for a mesh's own API are nothing for a cluster. */
static void objects_over_http_are_refused(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false);
  expect(RUN(text, "apply", "--to", "reference", "-f", "-"), 2, "HTTP API");
}

/* ---- who may */

static void bind_everyone(const struct policies *f, const char *const *rules) {
  json_auto_t *role = json_pack("{s:s, s:s, s:{s:s, s:s}, s:[]}", "apiVersion", "rbac.authorization.k8s.io/v1", "kind",
                                "Role", "metadata", "name", "apply", "namespace", f->ns, "rules");
  json_auto_t *binding =
      json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion",
                "rbac.authorization.k8s.io/v1", "kind", "RoleBinding", "metadata", "name", "apply", "namespace", f->ns,
                "roleRef", "apiGroup", "rbac.authorization.k8s.io", "kind", "Role", "name", "apply", "subjects",
                "apiGroup", "rbac.authorization.k8s.io", "kind", "Group", "name", "system:authenticated");
  for (; *rules; rules += 2)
    (void)json_array_append_new(json_object_get(role, "rules"),
                                json_pack("{s:[s], s:[s], s:[s, s, s, s, s]}", "apiGroups", rules[0], "resources",
                                          rules[1], "verbs", "get", "list", "create", "patch", "delete"));
  const json_t *const both[] = {role, binding};
  for (size_t i = 0; i < ARRAY_COUNT(both); i++) {
    _cleanup_free_ char *path = api_object_path(server, both[i]);
    struct api_answer answer;
    api_object_apply(server, path, both[i], false, &answer);
    assert_int_equal(answer.status, 201);
    api_answer_finish(&answer);
  }
}

static void who_may_not_is_told_the_rule(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false), *bare = with_ns(target, f->ns);
  if (!api_server_kubeconfig_nobody(server))
    skip();
  struct command_result result = RUN_AS_NOBODY(text, "apply", TO_ISTIO);
  assert_code(&result, 3);
  assert_says(&result, "failed ");
  assert_says(&result, "authorizationpolicies");
  assert_says(&result, "verbs: [\"get\"]");
  command_result_finish(&result);
  expect(RUN_AS_NOBODY(bare, "apply", TO_ISTIO), 3, "verbs: [\"list\"]");
  expect(RUN_AS_NOBODY("", "inventory"), 3, "deployments");
}

struct right {
  const struct policies *f;
  const char *text;
};

/* The server takes a moment to know of a binding. */
static bool may_apply(void *ctx) {
  const struct right *right = ctx;
  struct command_result result = RUN_AS_NOBODY(right->text, "apply", TO_ISTIO, "--dry-run");
  bool may = result.exit_code == 0;
  command_result_finish(&result);
  return may;
}

/* Who may list in some namespaces only still prunes there. */
static void rights_in_one_namespace_suffice(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = input(f, false), *own = with_ns("TrafficTarget/@/t", f->ns);
  struct right right = {f, text};
  if (!api_server_kubeconfig_nobody(server))
    skip();
  bind_everyone(f, (const char *const[]){"security.istio.io", "authorizationpolicies", "security.istio.io",
                                         "peerauthentications", "networking.istio.io", "virtualservices",
                                         "networking.istio.io", "envoyfilters", NULL});
  wait_until(may_apply, &right, ON_CLUSTER_TIMEOUT_S, "the role is bound");
  put_policy(f, "old", POLICIES_MANAGER, "trammel", own, json_object());
  struct command_result result = RUN_AS_NOBODY(text, "apply", TO_ISTIO);
  assert_code(&result, 0);
  assert_says(&result, "1 created, 1 pruned\n");
  assert_says(&result, "looked for in the namespaces of these resources");
  command_result_finish(&result);
  assert_false(has_policy(f, "old"));
}

/* ---- the inventory */

static void an_inventory_is_the_same_from_the_cluster_as_from_files(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *all = NULL;
  assert_true(asprintf(&all, "%s%s", accounts, workloads) > 0);
  _cleanup_free_ char *text = with_ns(all, f->ns), *bare = with_ns(target, f->ns), *whole = input(f, false);
  put_all(server, text);
  const char *const words[] = {"trammel", "inventory", "-f", "-", "-o", "yaml", NULL};
  struct command_result from_files, from_cluster = RUN("", "inventory", "-n", f->ns, "-o", "yaml");
  command_run(words, text, ON_CLUSTER_TIMEOUT_S, &from_files);
  assert_code(&from_files, 0);
  assert_code(&from_cluster, 0);
  assert_string_equal(strbuf_text(&from_files.out), strbuf_text(&from_cluster.out));
  command_result_finish(&from_files);
  command_result_finish(&from_cluster);
  expect(RUN("", "inventory"), 0, f->ns);
  expect(RUN(bare, "apply", TO_ISTIO), 0, "1 created"); /* with the cluster's workloads, or there would be none */
  expect(RUN(whole, "apply", TO_ISTIO), 0, "1 unchanged");
  expect(RUN(bare, "translate", TO_ISTIO), 0, "app: api");
}

/* Pods of a Deployment are not workloads of their own; those of a controller nobody here knows are. */
static void what_others_control_is_counted_once(void **state) {
  struct policies *f = *state;
  static const char pod[] =
      "{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: @, labels: {app: %s}, ownerReferences: "
      "[{apiVersion: "
      "%s, kind: %s, name: owner, uid: u, controller: true}]}, spec: {automountServiceAccountToken: false, containers: "
      "[{name: app, image: x}]}}\n---\n";
  _cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
  strbuf_printf(&all, pod, "of-known", "a", "apps/v1", "ReplicaSet");
  strbuf_printf(&all, pod, "of-unknown", "b", "example.com/v1", "Rollout");
  strbuf_puts(&all, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: @}}\n");
  _cleanup_free_ char *text = with_ns(strbuf_text(&all), f->ns);
  put_all(server, strstr(text, "---\n{apiVersion: v1, kind: ServiceAccount") + 4);
  put_all(server, text);
  struct command_result result = RUN("", "inventory", "-n", f->ns);
  assert_code(&result, 0);
  assert_says(&result, "of-unknown");
  assert_null(strstr(strbuf_text(&result.out), "of-known"));
  command_result_finish(&result);
}

/* ---- an interruption */

#define MANY 600

static char *many_targets(const struct policies *f) {
  struct strbuf all = STRBUF_INIT;
  strbuf_printf(&all, "%s%s%s", accounts, workloads, target);
  for (unsigned i = 0; i < MANY; i++)
    strbuf_printf(&all,
                  "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t%u, namespace: @}\n"
                  "spec:\n  destination: {kind: ServiceAccount, name: api}\n"
                  "  sources: [{kind: ServiceAccount, name: web}]\n  rules: [{kind: HTTPRouteGroup, name: g}]\n---\n",
                  i);
  char *text = with_ns(strbuf_text(&all), f->ns);
  strbuf_finish(&all);
  return text;
}

static bool some_are_there(void *ctx) {
  return count_policies(ctx) > 0;
}

static void an_interrupted_apply_ends_at_once_and_is_finished_by_another(void **state) {
  struct policies *f = *state;
  _cleanup_free_ char *text = many_targets(f);
  const char *const words[] = {"apply", TO_ISTIO, NULL};
  struct running running = on_cluster_start(api_server_kubeconfig(server), text, words);
  struct command_result result;
  wait_until(some_are_there, f, ON_CLUSTER_TIMEOUT_S, "the first object is there");
  int64_t interrupted_ns = clock_monotonic_ns();
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, ON_CLUSTER_TIMEOUT_S, &result);
  int64_t took_ns = clock_monotonic_ns() - interrupted_ns;
  assert_code(&result, 3);
  assert_says(&result, "not done   AuthorizationPolicy");
  assert_says(&result, "the same command does the rest");
  assert_true(took_ns < NS_PER_SECOND);
  size_t there = count_policies(f);
  command_result_finish(&result);
  assert_in_range(there, 1, MANY);
  json_auto_t *rest = expect_json(RUN(text, "apply", TO_ISTIO, "-o", "json"), 0);
  assert_int_equal(count_of(rest, "created") + count_of(rest, "unchanged"), MANY + 1);
  assert_int_equal(count_of(rest, "unchanged"), there);
  assert_int_equal(count_policies(f), MANY + 1);
  expect(RUN(text, "delete", TO_ISTIO), 0, "601 removed\n");
  assert_int_equal(count_policies(f), 0);
}

static int install(void **state) {
  (void)state;
  return crds_install(server, definitions) > 0 ? 0 : -1;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(objects_are_created_left_alone_and_changed),
      TEST(what_is_no_longer_translated_is_pruned),
      TEST(only_what_is_ours_and_of_these_resources_is_pruned),
      TEST(a_difference_is_shown_and_nothing_is_changed),
      TEST(a_deletion_takes_what_the_resources_have),
      TEST(what_comes_from_others_as_well_is_kept),
      TEST(a_conflict_is_told_and_nothing_forced),
      TEST(a_foreign_object_is_refused_and_untouched),
      TEST(an_object_that_is_being_removed_is_not_there),
      TEST(a_mesh_whose_definitions_are_not_there_is_told),
      TEST(objects_over_http_are_refused),
      TEST(who_may_not_is_told_the_rule),
      TEST(rights_in_one_namespace_suffice),
      TEST(an_inventory_is_the_same_from_the_cluster_as_from_files),
      TEST(what_others_control_is_counted_once),
      TEST(an_interrupted_apply_ends_at_once_and_is_finished_by_another),
  };
  definitions = crds_directory(DEFINITIONS);
  if (!definitions) {
    printf("skipped: the definitions " DEFINITIONS " are not there: they are looked for in crds/ of ../shared or "
           "$TRAMMEL_SHARED_DIR\n");
    return 77;
  }
  server = api_server_start();
  int failed = server ? cmocka_run_group_tests_name("apply", tests, install, NULL) : 77;
  api_server_stop(server);
  free(definitions);
  return failed;
}
