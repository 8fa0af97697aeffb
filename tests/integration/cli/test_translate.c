/* trammel translate and trammel inventory as a user runs them. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/schema.h"
#include "tests/support/command.h"

#define TIMEOUT_S 60
#define WORDS_MAX 24

static const char target[] =
    "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t, namespace: shop}\n"
    "spec:\n  destination: {kind: ServiceAccount, name: api}\n"
    "  sources: [{kind: ServiceAccount, name: web}]\n"
    "  rules: [{kind: HTTPRouteGroup, name: g, matches: [read]}]\n---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g, namespace: shop}\n"
    "spec: {matches: [{name: read, pathRegex: /items, methods: [GET]}]}\n---\n";
static const char split[] = "apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\n"
                            "metadata: {name: s, namespace: shop}\n"
                            "spec: {service: api, backends: [{service: api-a, weight: 1}]}\n---\n";
static const char udp[] =
    "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: u, namespace: shop}\n"
    "spec:\n  destination: {kind: ServiceAccount, name: api}\n"
    "  sources: [{kind: ServiceAccount, name: web}]\n  rules: [{kind: UDPRoute, name: r}]\n---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\nkind: UDPRoute\nmetadata: {name: r, namespace: shop}\n"
    "spec: {matches: {ports: [53]}}\n---\n";
static const char manifests[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n"
    "spec: {template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api, containers: [{ports: "
    "[{containerPort: 8080}]}]}}}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\n"
    "spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n---\n";

static char adapters[512]; /* --adapter-dir of the adapter that makes Kubernetes objects */

static struct command_result run_words(const char *input, const char *const *words) {
  const char *argv[WORDS_MAX + 2] = {"trammel"};
  struct command_result result;
  for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
    argv[i + 1] = words[i];
  command_run(argv, input, TIMEOUT_S, &result);
  return result;
}
#define RUN(input, ...) run_words(input, (const char *const[]){__VA_ARGS__, NULL})
#define KUBE "translate", "--to", "kube", "--adapter-dir", adapters, "--placement", "in-process", "-f", "-"

static void joined(struct strbuf *out, const char *a, const char *b, const char *c) {
  strbuf_printf(out, "%s%s%s", a, b, c);
  assert_false(strbuf_failed(out));
}

static void expect(struct command_result result, int code, const char *out, const char *errors) {
  if (result.exit_code != code || !strstr(strbuf_text(&result.out), out) ||
      !strstr(strbuf_text(&result.errors), errors))
    fail_msg("exit code %d\n%s\n%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void expect_nothing_written(struct command_result result, int code, const char *errors) {
  if (result.out.length > 0)
    fail_msg("%s", strbuf_text(&result.out));
  expect(result, code, "", errors);
}

static void kubernetes_objects_are_a_stream_of_documents(void **state) {
  static const char expected[] = "---\n"
                                 "apiVersion: example.org/v1\n"
                                 "kind: Wall\n"
                                 "metadata:\n"
                                 "  name: deny\n"
                                 "  namespace: shop\n"
                                 "---\n"
                                 "apiVersion: example.org/v1\n"
                                 "kind: Grant\n"
                                 "metadata:\n"
                                 "  name: t\n"
                                 "  namespace: shop\n"
                                 "spec:\n"
                                 "  labels:\n"
                                 "    app: api\n"
                                 "  ports:\n"
                                 "  - 8080/http\n";
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, split, manifests);
  struct command_result result = RUN(strbuf_text(&input), KUBE, "--deny-by-default", "shop");
  assert_int_equal(result.exit_code, 0);
  /* Read back, each is the object, whatever order its keys are in. */
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list written = {0}, wanted = {0};
  assert_int_equal(document_read(arena, NULL, result.out.data, result.out.length, DOCUMENT_YAML, NULL, NULL, &written),
                   0);
  assert_int_equal(document_read(arena, NULL, expected, strlen(expected), DOCUMENT_YAML, NULL, NULL, &wanted), 0);
  assert_int_equal(written.count, 3);
  for (size_t i = 0; i < wanted.count; i++) {
    json_t *is = node_to_json(written.roots[i]), *should = node_to_json(wanted.roots[i]);
    json_t *text = json_object_get(json_object_get(is, "spec"), "text");
    if (text) /* what other readers could take for something else stays what it is */
      assert_string_equal(json_string_value(text), "yes: no\n# 'quoted'");
    (void)json_object_del(json_object_get(is, "spec"), "text");
    if (!json_equal(is, should))
      fail_msg("%s", strbuf_text(&result.out));
    json_decref(is);
    json_decref(should);
  }
  assert_non_null(strstr(strbuf_text(&result.errors), "2 exact, 0 approximated, 0 unsupported; 3 objects"));
  command_result_finish(&result);
}

static void json_is_a_list_for_kubectl(void **state) {
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, split, manifests);
  struct command_result result = RUN(strbuf_text(&input), KUBE, "-o", "json");
  assert_int_equal(result.exit_code, 0);
  json_t *list = json_loadb(result.out.data, result.out.length, 0, NULL);
  assert_string_equal(json_string_value(json_object_get(list, "kind")), "List");
  json_t *items = json_object_get(list, "items");
  assert_int_equal(json_array_size(items), 2);
  assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "kind")), "Grant");
  assert_string_equal(json_string_value(json_object_get(json_array_get(items, 1), "kind")), "Share");
  assert_null(json_object_get(list, "requests"));
  json_decref(list);
  command_result_finish(&result);
}

static void requests_are_documents_of_their_own(void **state) {
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, split, manifests);
  expect(RUN(strbuf_text(&input), KUBE, "--set", "over_http=true"), 0,
         "---\nendpoint: control\nmethod: PUT\npath: /shares/1\nbody:\n  spec:\n    root: api\n", "");
  struct command_result result = RUN(strbuf_text(&input), KUBE, "--set", "over_http=true", "-o", "json");
  assert_int_equal(result.exit_code, 0);
  json_t *list = json_loadb(result.out.data, result.out.length, 0, NULL);
  assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
  assert_int_equal(json_array_size(json_object_get(list, "requests")), 1);
  json_decref(list);
  command_result_finish(&result);
}

static void what_is_unsupported_fails_unless_it_is_allowed(void **state) {
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, udp, manifests);
  struct command_result refused = RUN(strbuf_text(&input), KUBE);
  assert_non_null(strstr(strbuf_text(&refused.errors), "error[KUBE-0001]"));
  assert_non_null(strstr(strbuf_text(&refused.errors), "TrafficTarget shop/u"));
  assert_non_null(strstr(strbuf_text(&refused.errors), "1 exact, 0 approximated, 1 unsupported"));
  assert_non_null(strstr(strbuf_text(&refused.errors), "no mesh carries UDP"));
  expect_nothing_written(refused, 1, "Kube cannot do all of it (1 unsupported), and nothing was written");
  expect(RUN(strbuf_text(&input), KUBE, "--allow-unsupported"), 0, "kind: Grant", "warning[KUBE-0001]");
}

static void an_approximation_is_told_and_no_failure(void **state) {
  (void)state;
  expect(RUN(target, KUBE), 0, "kind: Grant", "approximated  nothing runs as the destination");
  expect(RUN(target, KUBE), 0, "", "warning[INV-0017]");
}

/* Nobody can say which one is meant, and the wider one may be first; also in different versions. */
static void two_definitions_of_one_resource_are_an_error(void **state) {
  static const char wider[] =
      "apiVersion: specs.smi-spec.io/v1alpha3\nkind: HTTPRouteGroup\nmetadata: {name: g, namespace: shop}\n"
      "spec: {matches: [{name: read, pathRegex: '.*', methods: ['*']}]}\n---\n";
  _cleanup_strbuf_ struct strbuf groups = STRBUF_INIT, targets = STRBUF_INIT;
  (void)state;
  joined(&groups, wider, target, manifests);
  joined(&targets, target, udp, target);
  struct command_result result = RUN(strbuf_text(&groups), KUBE);
  assert_non_null(strstr(strbuf_text(&result.errors), "<stdin>:14"));
  expect_nothing_written(result, 2,
                         "error[SMI-0203]: HTTPRouteGroup shop/g: another HTTPRouteGroup of this name is at "
                         "-:1");
  expect_nothing_written(RUN(strbuf_text(&targets), KUBE), 2, "error[SMI-0203]: TrafficTarget shop/t");
}

static json_t *read_schema(const char *name) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/docs/schema/%s", getenv("TRAMMEL_SOURCE_DIR"), name);
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  (void)json_object_del(schema, "$schema");
  (void)json_object_del(schema, "$id");
  return schema;
}

/* Whether `value` is as the schema of that name says. */
static void expect_schema(const char *name, const json_t *value) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  json_t *schema = read_schema(name);
  if (schema_check(schema, &err) < 0)
    fail_msg("%s", error_message(err));
  int r = schema_validate(schema, value, NULL, diagnostics);
  diagnostics_print(diagnostics, stderr);
  assert_int_equal(r, 0);
  json_decref(schema);
}

static void the_coverage_file_has_every_row_also_of_a_refusal(void **state) {
  char *directory = scratch_create(), path[512];
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, udp, manifests);
  (void)snprintf(path, sizeof path, "%s/coverage.json", directory);
  expect_nothing_written(RUN(strbuf_text(&input), KUBE, "--coverage", path), 1, "");
  json_t *coverage = json_load_file(path, 0, NULL);
  assert_non_null(coverage);
  expect_schema("translate-coverage.json", coverage);
  assert_true(json_is_false(json_object_get(coverage, "complete")));
  json_t *rows = json_object_get(coverage, "coverage");
  assert_int_equal(json_array_size(rows), 2);
  json_t *second = json_array_get(rows, 1);
  assert_string_equal(json_string_value(json_object_get(second, "name")), "u");
  assert_string_equal(json_string_value(json_object_get(second, "level")), "unsupported");
  assert_string_equal(json_string_value(json_object_get(second, "file")), "-");
  assert_int_equal(json_integer_value(json_object_get(second, "line")), 14);
  json_decref(coverage);
  expect(RUN(strbuf_text(&input), KUBE, "--coverage", "/nonexistent/c.json", "--allow-unsupported"), 2, "",
         "/nonexistent");
  scratch_remove(directory);
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Manifests, what `trammel inventory` wrote of them as YAML and as JSON, and a directory: all the same. */
static void an_inventory_may_come_from_a_file_of_its_own(void **state) {
  char *directory = scratch_create(), plain[512], own[512];
  _cleanup_strbuf_ struct strbuf together = STRBUF_INIT;
  (void)state;
  joined(&together, target, manifests, "");
  struct command_result wanted = RUN(strbuf_text(&together), KUBE);
  (void)snprintf(plain, sizeof plain, "%s/manifests.yaml", directory);
  (void)snprintf(own, sizeof own, "%s/own.yaml", directory);
  write_file(plain, manifests);
  expect(RUN(target, KUBE, "--inventory", plain), 0, strbuf_text(&wanted.out), "");
  expect(RUN(target, KUBE, "--inventory", directory), 0, strbuf_text(&wanted.out), "");
  static const char *const formats[] = {"yaml", "json"};
  for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
    struct command_result written = RUN(manifests, "inventory", "-f", "-", "-o", formats[i]);
    assert_int_equal(written.exit_code, 0);
    write_file(own, strbuf_text(&written.out));
    expect(RUN(target, KUBE, "--inventory", own), 0, strbuf_text(&wanted.out), "");
    command_result_finish(&written);
  }
  /* What the file has counts, and not what -f has. */
  write_file(own, "workloads: []\n");
  expect(RUN(strbuf_text(&together), KUBE, "--inventory", own), 0, "", "nothing runs as the destination");
  write_file(own, "a: 1\n");
  expect_nothing_written(RUN(target, KUBE, "--inventory", own), 2, "error[INV-0003]");
  command_result_finish(&wanted);
  scratch_remove(directory);
}

static void a_confined_adapter_gives_the_same(void **state) {
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, split, manifests);
  struct command_result here = RUN(strbuf_text(&input), KUBE);
  struct command_result there = RUN(strbuf_text(&input), "translate", "--to", "kube", "--adapter-dir", adapters,
                                    "--placement", "child", "--allow-unconfined", "-f", "-");
  assert_int_equal(here.exit_code, 0);
  assert_int_equal(there.exit_code, 0);
  assert_string_equal(strbuf_text(&here.out), strbuf_text(&there.out));
  command_result_finish(&here);
  command_result_finish(&there);
}

static void the_reference_mesh_is_translated_for(void **state) {
  _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
  (void)state;
  joined(&input, target, split, manifests);
  expect(RUN(strbuf_text(&input), "translate", "-t", "reference", "-f", "-", "--deny-by-default", "shop"), 0,
         "path: /v1/permissions/shop/t\n", "0 unsupported; 3 objects");
}

static void mistakes_have_their_exit_codes(void **state) {
  (void)state;
  expect_nothing_written(RUN(target, "translate", "-f", "-"), 2, "--to MESH");
  expect_nothing_written(RUN(NULL, "translate", "--to", "kube"), 2, "nothing to read");
  expect_nothing_written(RUN(target, "translate", "--to", "nobody", "-f", "-"), 2, "nobody");
  expect_nothing_written(RUN(target, KUBE, "-o", "xml"), 2, "yaml, json");
  expect_nothing_written(RUN(target, KUBE, "--set", "no=1"), 2, "no");
  expect_nothing_written(RUN(target, KUBE, "--deny-by-default", "A_B"), 2, "is no namespace");
  expect_nothing_written(RUN(target, KUBE, "--default-protocol", "smtp"), 2, "http, tcp");
  expect_nothing_written(RUN(manifests, KUBE), 2, "SMI-0017");
  expect_nothing_written(RUN(manifests, KUBE, "--set", "no=1"), 2, "--set no=1");
  expect_nothing_written(RUN(manifests, "translate", "--to", "nobody", "-f", "-"), 2, "nobody");
  expect_nothing_written(RUN(NULL, "inventory", "--kubeconfig", "/nonexistent"), 2, "/nonexistent");
  expect_nothing_written(RUN(NULL, "mesh", "enroll", "--mesh", "consul", "shop"), 2, "as NAMESPACE/KIND/NAME");
  expect_nothing_written(RUN(NULL, "watch", "--to", "kube", "--lease", "Bad Name!"), 2, "'Bad Name!'");
  expect_nothing_written(RUN(NULL, "watch", "--to", "kube", "--lease-namespace", "A_B"), 2, "is no namespace");
  expect_nothing_written(RUN("kind: [", KUBE), 2, "DOC-0005");
  expect_nothing_written(RUN(target, KUBE, "--inventory", "/nonexistent"), 2, "SMI-0018");
  expect_nothing_written(RUN(target, "translate", "--adapter", "remote:127.0.0.1:1", "--to", "kube", "-f", "-"), 2, "");
  expect_nothing_written(RUN("apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\n"
                             "spec: {service: root, backends: [{service: a, weight: -1}]}\n",
                             KUBE),
                         2, "SMI-0012");
}

static void an_inventory_is_shown_in_three_forms(void **state) {
  (void)state;
  expect(RUN(manifests, "inventory", "-f", "-"), 0,
         "NAMESPACE  WORKLOAD  SERVICEACCOUNT  PORTS      LABELS\n"
         "shop       api       api             8080/http  app=api\n"
         "\n"
         "NAMESPACE  SERVICE  PORTS              WORKLOADS\n"
         "shop       api      http:80>8080/http  api\n",
         "");
  struct command_result result = RUN(manifests, "inventory", "-f", "-", "-o", "json");
  json_t *inventory = json_loadb(result.out.data, result.out.length, 0, NULL);
  expect_schema("inventory.json", inventory);
  json_decref(inventory);
  command_result_finish(&result);
  expect_nothing_written(RUN("apiVersion: v1\nkind: Service\nmetadata: {name: 7}\nspec: {}\n", "inventory", "-"), 2,
                         "<stdin>:3:18: error[INV-0003]");
}

/* A name from a file must not steer the terminal. */
static void names_cannot_steer_a_terminal(void **state) {
  (void)state;
  struct command_result result =
      RUN("workloads: [{name: a, labels: {\"x\\e[31m\": \"y\\e[0m\"}}]\n", "inventory", "-f", "-");
  assert_int_equal(result.exit_code, 0);
  assert_null(strchr(strbuf_text(&result.out), '\033'));
  command_result_finish(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kubernetes_objects_are_a_stream_of_documents),
      cmocka_unit_test(json_is_a_list_for_kubectl),
      cmocka_unit_test(requests_are_documents_of_their_own),
      cmocka_unit_test(what_is_unsupported_fails_unless_it_is_allowed),
      cmocka_unit_test(an_approximation_is_told_and_no_failure),
      cmocka_unit_test(two_definitions_of_one_resource_are_an_error),
      cmocka_unit_test(the_coverage_file_has_every_row_also_of_a_refusal),
      cmocka_unit_test(an_inventory_may_come_from_a_file_of_its_own),
      cmocka_unit_test(a_confined_adapter_gives_the_same),
      cmocka_unit_test(the_reference_mesh_is_translated_for),
      cmocka_unit_test(mistakes_have_their_exit_codes),
      cmocka_unit_test(an_inventory_is_shown_in_three_forms),
      cmocka_unit_test(names_cannot_steer_a_terminal),
  };
  (void)snprintf(adapters, sizeof adapters, "%s/tests/kube-adapter", getenv("TRAMMEL_BUILD_DIR"));
  return cmocka_run_group_tests(tests, NULL, NULL);
}
