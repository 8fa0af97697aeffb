/* Which workloads, services and ServiceAccounts come out of Kubernetes manifests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/unit/inventory/support.h"

#define CONTAINER "{containers: [{name: c, ports: [{containerPort: 8080, name: http}]}]}"
#define TEMPLATE "{metadata: {labels: {app: a}}, spec: " CONTAINER "}"

static void expect_summary(const char *yaml, const char *expected) {
  _cleanup_reading_ struct reading reading = read_inventory(yaml, NULL);
  diagnostics_print(reading.diagnostics, stderr);
  assert_int_equal(reading.result, 0);
  assert_string_equal(summary(&reading), expected);
  assert_int_equal(diagnostics_count(reading.diagnostics), 0);
}

static void every_kind_with_pods_is_a_workload(void **state) {
  static const char *const kinds[][2] = {
      {"apps/v1", "Deployment"},
      {"apps/v1beta2", "Deployment"},
      {"extensions/v1beta1", "Deployment"},
      {"apps/v1", "StatefulSet"},
      {"apps/v1", "DaemonSet"},
      {"apps/v1", "ReplicaSet"},
      {"v1", "ReplicationController"},
      {"batch/v1", "Job"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
    char text[512];
    (void)snprintf(text, sizeof text, "apiVersion: %s\nkind: %s\nmetadata: {name: w}\nspec: {template: " TEMPLATE "}\n",
                   kinds[i][0], kinds[i][1]);
    expect_summary(text, "default/w(default)[8080/http]{app=a} | ");
  }
  expect_summary("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: w}\n"
                 "spec: {jobTemplate: {spec: {template: " TEMPLATE "}}}\n",
                 "default/w(default)[8080/http]{app=a} | ");
  expect_summary("apiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: n, labels: {app: a}}\nspec: " CONTAINER
                 "\n",
                 "n/w(default)[8080/http]{app=a} | ");
}

static void kinds_of_other_groups_are_passed_over(void **state) {
  (void)state;
  expect_summary("apiVersion: serving.example.org/v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: 7}\n---\n"
                 "apiVersion: example.org/v1\nkind: Deployment\nmetadata: {}\n---\n"
                 "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n---\n"
                 "apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: s}\n",
                 " | ");
}

static void what_another_workload_controls_is_not_counted_again(void **state) {
  (void)state;
  expect_summary(
      "apiVersion: v1\nkind: List\nitems:\n"
      "- {apiVersion: v1, kind: Pod, metadata: {name: w-1-x, ownerReferences: [{kind: ReplicaSet, name: w-1, "
      "controller: true}]}, spec: {}}\n"
      "- {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: w-1, ownerReferences: [{kind: Deployment, name: w, "
      "controller: true}]}, spec: {template: " TEMPLATE "}}\n"
      "- {apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: " TEMPLATE "}}\n"
      "- {apiVersion: v1, kind: Pod, metadata: {name: alone, ownerReferences: [{kind: ReplicaSet, name: elsewhere, "
      "controller: true}]}, spec: {}}\n",
      "default/alone(default)[]{}; default/w(default)[8080/http]{app=a} | ");
}

static void a_pod_that_has_ended_is_none(void **state) {
  (void)state;
  expect_summary("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\nstatus: {phase: Succeeded}\n---\n"
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {}\nstatus: {phase: Failed}\n---\n"
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: {}\nstatus: {phase: Running}\n",
                 "default/c(default)[]{} | ");
}

static void two_kinds_may_share_a_name(void **state) {
  (void)state;
  expect_summary("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: w}\nspec: {template: {spec: {}}}\n---\n"
                 "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {template: {spec: {}}}\n",
                 "default/w(default)[]{}; default/w.statefulset(default)[]{} | ");
}

static void items_of_a_typed_list_need_no_kind(void **state) {
  (void)state;
  expect_summary("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n"
                 "- {metadata: {name: w}, spec: {template: " TEMPLATE "}}\n",
                 "default/w(default)[8080/http]{app=a} | ");
}

static void accounts_and_namespaces_have_defaults(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading = read_inventory(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccountName: one, serviceAccount: two}\n---\n"
      "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: null}\nspec: {serviceAccount: two}\n---\n"
      "apiVersion: v1\nkind: Pod\nmetadata: {generateName: c-, namespace: other}\nspec: {serviceAccountName: ''}\n",
      &(struct inventory_options){.default_namespace = "mine"});
  assert_int_equal(reading.result, 0);
  assert_string_equal(summary(&reading), "mine/a(one)[]{}; mine/b(two)[]{}; other/c(default)[]{} | ");
}

static void services_select_by_all_their_labels(void **state) {
  static const char pods[] =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: x, tier: web, all: y}}\nspec: {}\n---\n"
      "apiVersion: v1\nkind: Pod\nmetadata: {name: b, labels: {app: x, all: y}}\nspec: {}\n---\n"
      "apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: other, labels: {app: x, tier: web, all: y}}\n"
      "spec: {}\n---\n"
      "apiVersion: v1\nkind: Pod\nmetadata: {name: d, labels: {all: y, x: app}}\nspec: {}\n---\n";
  static const struct {
    const char *selector, *expected;
  } cases[] = {
      {"{app: x}", "a,b"},
      {"{app: x, tier: web}", "a"},
      {"{tier: web, app: x, all: y}", "a"},
      {"{all: y}", "a,b,d"},
      {"{app: x, tier: db}", ""},
      {"{none: x}", ""},
      {"{}", ""},
      {"null", ""},
      {"{x: app, all: y}", "d"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, "%sapiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: %s}\n", pods,
                  cases[i].selector);
    _cleanup_reading_ struct reading reading = read_inventory(strbuf_text(&text), NULL);
    assert_int_equal(reading.result, 0);
    const char *members = strstr(summary(&reading), "default/s[]->");
    assert_non_null(members);
    assert_string_equal(members + strlen("default/s[]->"), cases[i].expected);
  }
}

static void external_names_are_no_services(void **state) {
  (void)state;
  expect_summary("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: ExternalName, externalName: e.org}\n"
                 "---\napiVersion: v1\nkind: Service\nmetadata: {name: h}\nspec: {clusterIP: None}\n",
                 " | default/h[]->");
}

static void an_account_that_is_not_there_is_told(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading =
      read_inventory("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: right}\n---\n"
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccountName: right}\n---\n"
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {serviceAccountName: wrong}\n---\n"
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: {}\n---\n"
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: d, namespace: other}\n"
                     "spec: {serviceAccountName: wrong}\n",
                     NULL);
  assert_int_equal(reading.result, 0);
  assert_int_equal(reading.found.account_count, 1);
  assert_string_equal(reading.found.accounts[0].name, "right");
  expect_only(&reading, "INV-0016", "default/b runs as the ServiceAccount \"wrong\"");
}

/* Each mistake with its code, line and the field. */
static void mistakes_are_told_with_their_place(void **state) {
  static const struct {
    const char *text, *code, *pointer;
    unsigned line;
  } cases[] = {
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: 7}\nspec: {}\n", "INV-0003", "/metadata/name", 3},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: Bad_Name}\nspec: {}\n", "INV-0003", "/metadata/name", 3},
      {"apiVersion: v1\nkind: Pod\nmetadata: {generateName: Bad-}\nspec: {}\n", "INV-0003", "/metadata/generateName",
       3},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccountName: Bad}\n", "INV-0003",
       "/spec/serviceAccountName", 4},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccount: Bad}\n", "INV-0003",
       "/spec/serviceAccount", 4},
      {"apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {}\n", "INV-0002", "/metadata", 3},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "INV-0002", "", 1},
      {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    v: 1\nspec: {}\n", "INV-0003",
       "/metadata/labels/v", 6},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - ports:\n    - containerPort: 70000\n",
       "INV-0003", "/spec/containers/0/ports/0/containerPort", 7},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: 3}\n", "INV-0003", "/spec/containers", 4},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: 80\n    targetPort: '8080'\n",
       "INV-0003", "/spec/ports/0/targetPort", 7},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - name: http\n", "INV-0002",
       "/spec/ports/0", 6},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n"
       "  - {port: 53, protocol: UDP}\n  - {port: 53, protocol: UDP}\n",
       "INV-0005", "/spec/ports/1", 7},
      {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n", "INV-0002", "/spec", 4},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n---\n"
       "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n",
       "INV-0005", "", 6},
      {"apiVersion: v1\nkind: List\nitems: {}\n", "INV-0003", "/items", 3},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    _cleanup_reading_ struct reading reading = read_inventory(cases[i].text, NULL);
    assert_int_equal(reading.result, -EINVAL);
    expect_only(&reading, cases[i].code, "");
    const struct diagnostic *told = diagnostics_at(reading.diagnostics, 0);
    assert_string_equal(told->position.file, "t.yaml");
    assert_int_equal(told->position.line, cases[i].line);
    assert_string_equal(told->pointer, cases[i].pointer);
  }
}

static void what_is_no_resource_is_an_error_only_for_who_reads_nothing_else(void **state) {
  (void)state;
  _cleanup_reading_ struct reading alone = read_inventory("a: 1\n", &(struct inventory_options){.only = true});
  assert_int_equal(alone.result, -EINVAL);
  expect_only(&alone, "INV-0003", "without `kind`");
  _cleanup_reading_ struct reading together = read_inventory("a: 1\n", NULL);
  assert_int_equal(together.result, 0);
  assert_int_equal(diagnostics_count(together.diagnostics), 0);
}

static void lists_nest_no_deeper_than_the_limit(void **state) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  (void)state;
  for (int i = 0; i < INVENTORY_LIST_DEPTH_MAX + 1; i++)
    strbuf_puts(&text, "{apiVersion: v1, kind: List, items: [");
  for (int i = 0; i < INVENTORY_LIST_DEPTH_MAX + 1; i++)
    strbuf_puts(&text, "]}");
  _cleanup_reading_ struct reading reading = read_inventory(strbuf_text(&text), NULL);
  expect_only(&reading, "INV-0004", "within one another");
}

/* 4,000 services that each select one of 4,000 workloads, all of which share a label: without an index, 16 million
 * comparisons of maps. What counts here is that every service finds its own. */
static void many_services_find_their_workloads(void **state) {
  enum { MANY = 4000 };
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  (void)state;
  for (int i = 0; i < MANY; i++)
    strbuf_printf(&text,
                  "---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, labels: {all: x, app: a%d}}, spec: {}}\n---\n"
                  "{apiVersion: v1, kind: Service, metadata: {name: p%d}, spec: {selector: {all: x, app: a%d}}}\n",
                  i, i, i, i);
  _cleanup_reading_ struct reading reading = read_inventory(strbuf_text(&text), NULL);
  assert_int_equal(reading.result, 0);
  assert_int_equal(reading.found.message->n_services, MANY);
  for (int i = 0; i < MANY; i++) {
    const Trammel__Adapter__V1__Service *service = reading.found.message->services[i];
    assert_int_equal(service->n_workloads, 1);
    assert_string_equal(service->workloads[0], service->name);
  }
}

/* Beyond the limit one diagnostic says so, and not one for each. */
static void too_many_workloads_are_told_once(void **state) {
  static const char text[] = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}";
  struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents = {0};
  (void)state;
  assert_int_equal(document_read(arena, NULL, text, sizeof text - 1, DOCUMENT_YAML, NULL, NULL, &documents), 0);
  struct inventory_reader *reader = inventory_reader_create(arena, NULL, diagnostics);
  for (size_t i = 0; i < INVENTORY_ITEMS_MAX; i++)
    assert_int_equal(inventory_reader_document(reader, documents.roots[0]), 1);
  assert_int_equal(inventory_reader_document(reader, documents.roots[0]), -EINVAL);
  assert_int_equal(inventory_reader_document(reader, documents.roots[0]), 0);
  assert_int_equal(diagnostics_count(diagnostics), 1);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "INV-0011");
  arena_destroy(arena);
}

static void members_of_all_services_are_bounded(void **state) {
  enum { SIDE = 1500 }; /* its square is above the limit */
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  (void)state;
  assert_true(SIDE * SIDE > INVENTORY_MEMBERS_MAX);
  for (int i = 0; i < SIDE; i++)
    strbuf_printf(&text,
                  "---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, labels: {all: x}}, spec: {}}\n---\n"
                  "{apiVersion: v1, kind: Service, metadata: {name: p%d}, spec: {selector: {all: x}}}\n",
                  i, i);
  _cleanup_reading_ struct reading reading = read_inventory(strbuf_text(&text), NULL);
  assert_int_equal(reading.result, -EINVAL);
  assert_string_equal(diagnostics_at(reading.diagnostics, 0)->code, "INV-0011");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_with_pods_is_a_workload),
      cmocka_unit_test(kinds_of_other_groups_are_passed_over),
      cmocka_unit_test(what_another_workload_controls_is_not_counted_again),
      cmocka_unit_test(a_pod_that_has_ended_is_none),
      cmocka_unit_test(two_kinds_may_share_a_name),
      cmocka_unit_test(items_of_a_typed_list_need_no_kind),
      cmocka_unit_test(accounts_and_namespaces_have_defaults),
      cmocka_unit_test(services_select_by_all_their_labels),
      cmocka_unit_test(external_names_are_no_services),
      cmocka_unit_test(an_account_that_is_not_there_is_told),
      cmocka_unit_test(mistakes_are_told_with_their_place),
      cmocka_unit_test(what_is_no_resource_is_an_error_only_for_who_reads_nothing_else),
      cmocka_unit_test(lists_nest_no_deeper_than_the_limit),
      cmocka_unit_test(many_services_find_their_workloads),
      cmocka_unit_test(too_many_workloads_are_told_once),
      cmocka_unit_test(members_of_all_services_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
