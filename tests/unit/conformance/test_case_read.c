/* Reading cases: what is read, and that each mistake is told with its code, line and field. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/case_read.h"
#include "sdk/base/error.h"
#include "tests/unit/conformance/case_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_a_case_is_read(void **state) {
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(case_text);
  const struct test_case *test = &fixture.test;
  (void)state;
  diagnostics_print(fixture.diagnostics, stderr);
  assert_int_equal(fixture.result, 0);
  assert_int_equal(diagnostics_count(fixture.diagnostics), 0);
  assert_string_equal(test->id, "access/http/example");
  assert_int_equal(test->group, SMI_ACCESS);
  assert_int_equal(test->level, CASE_REQUIRED);
  assert_int_equal(test->requirement_count, 2);
  assert_string_equal(test->topology->name, "small");
  assert_int_equal(test->deny_count, 1);
  assert_string_equal(test->deny_by_default[0], "main");
  assert_int_equal(test->resources->count, 2);
  assert_int_equal(test->step_count, 2);
  assert_true(test->steps[0].apply_all);
}

static void test_checks_are_read(void **state) {
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(case_text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  const struct check *allowed = &fixture.test.steps[0].checks[0];
  assert_int_equal(allowed->kind, CHECK_ALLOWED);
  assert_string_equal(allowed->requirement, "ACC-01");
  assert_string_equal(allowed->from, "other/client");
  assert_string_equal(allowed->to, "main/server");
  assert_string_equal(allowed->method, "GET");
  assert_string_equal(allowed->path, "/");
  assert_int_equal(check_request_count(allowed), 1);
  const struct check *denied = &fixture.test.steps[0].checks[1];
  assert_int_equal(denied->kind, CHECK_DENIED);
  assert_string_equal(denied->requirement, "ACC-03");
  assert_string_equal(denied->path, "/x");
  assert_int_equal(denied->header_count, 1);
  assert_string_equal(denied->headers[0].name, "a");
  assert_string_equal(denied->headers[0].value, "b");
}

static void test_later_steps_are_read(void **state) {
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(case_text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  const struct step *step = &fixture.test.steps[1];
  assert_false(step->apply_all);
  assert_int_equal(step->delete_count, 1);
  assert_int_equal(step->delete[0].kind, SMI_TRAFFIC_TARGET);
  assert_string_equal(step->delete[0].name, "allow");
  assert_int_equal(step->apply_count, 1);
  assert_int_equal(step->apply[0].kind, SMI_HTTP_ROUTE_GROUP);
  assert_int_equal(step->checks[0].protocol, PROTOCOL_TCP);
  const struct check *split = &step->checks[1];
  assert_int_equal(split->kind, CHECK_SPLIT);
  assert_true(split->shares_judged);
  assert_int_equal(split->connections, CONNECTIONS_KEPT);
  assert_int_equal(split->share_count, 1);
  assert_string_equal(split->shares[0].workload, "server");
  assert_int_equal(split->shares[0].weight, 2);
}

static void test_a_split_may_say_how(void **state) {
  _cleanup_free_ char *text = case_text_with("expect: {split: {server: 2}}",
                                             "expect: {split: {server: 2}, tolerance: zero}, connections: fresh");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  assert_false(fixture.test.steps[1].checks[1].shares_judged);
  assert_int_equal(fixture.test.steps[1].checks[1].connections, CONNECTIONS_FRESH);
  assert_int_equal(check_request_count(&fixture.test.steps[1].checks[1]), 135);
}

static void test_a_check_may_be_repeated(void **state) {
  _cleanup_free_ char *text = case_text_with("expect: denied,", "expect: denied, repeat: 5000,");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  assert_int_equal(fixture.test.steps[0].checks[0].repeat, 1);
  assert_int_equal(fixture.test.steps[0].checks[1].repeat, 5000);
  assert_int_equal(check_request_count(&fixture.test.steps[0].checks[1]), 5000);
}

static void test_all_requests_on_one_connection(void **state) {
  _cleanup_free_ char *text =
      case_text_with("expect: {split: {server: 2}}", "expect: {split: {server: 2}}, connections: one");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  assert_int_equal(fixture.test.steps[1].checks[1].connections, CONNECTIONS_ONE);
}

static void test_http_has_a_version(void **state) {
  _cleanup_free_ char *text =
      case_text_with("http: {}, expect: allowed}", "http: {version: h2c}, keep: one, expect: allowed}");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[0].checks[0];
  assert_true(check->h2c);
  assert_string_equal(check->keep, "one");
  assert_false(fixture.test.steps[0].checks[1].h2c);
}

static void test_calls_may_go_on_during_a_change(void **state) {
  _cleanup_free_ char *text = case_text_with("expect: {split: {server: 2}}", "expect: unbroken");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[1].checks[1];
  assert_int_equal(check->kind, CHECK_UNBROKEN);
  assert_true(check_goes_on(check) && check_calls(check));
  assert_false(check_goes_on(&fixture.test.steps[1].checks[0]));
}

static void test_a_check_may_be_about_a_resource(void **state) {
  _cleanup_free_ char *text = case_text_with("  - checks:\n", "  - checks:\n      - {reported: TrafficTarget/allow}\n");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[0].checks[0];
  assert_int_equal(check->kind, CHECK_REPORTED);
  assert_string_equal(check->requirement, "ACC-01");
  assert_int_equal(check->resource.kind, SMI_TRAFFIC_TARGET);
  assert_string_equal(check->resource.name, "allow");
  assert_false(check_calls(check) || check_goes_on(check));
}

static const char *real_name(void *ctx, const char *alias) {
  (void)ctx;
  return strcmp(alias, "main") == 0 ? "main-7f" : "other-7f";
}

static void test_what_is_invalid_is_not_read_with_the_rest(void **state) {
  _cleanup_free_ char *text = case_text_with(
      "steps:\n  - checks:\n",
      "invalid:\n  - {apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTarget, metadata: {name: bad, namespace: "
      "\"${other}\"}}\nsteps:\n  - checks:\n      - {refused: TrafficTarget/bad}\n");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  diagnostics_print(fixture.diagnostics, stderr);
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[0].checks[0];
  assert_int_equal(check->kind, CHECK_REFUSED);
  json_t *resource = NULL;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(
      case_invalid_resource(&fixture.test, &check->resource, fixture.arena, real_name, NULL, &resource, &err), 0);
  assert_string_equal(json_string_value(json_object_get(json_object_get(resource, "metadata"), "namespace")),
                      "other-7f");
  json_decref(resource);
  struct resource_name nobody = {.kind = SMI_TRAFFIC_TARGET, .name = "nobody"};
  assert_int_equal(case_invalid_resource(&fixture.test, &nobody, fixture.arena, real_name, NULL, &resource, &err),
                   -ENOENT);
}

static void test_states_of_a_resource(void **state) {
  (void)state;
  assert_int_equal(resource_base_length("split"), 5);
  assert_int_equal(resource_base_length("split--shifted"), 5);
  struct resource_name a = resource_name_parse("TrafficSplit/split");
  struct resource_name b = resource_name_parse("TrafficSplit/split--shifted");
  struct resource_name c = resource_name_parse("TrafficTarget/split"), d = resource_name_parse("TrafficSplit/splits");
  assert_true(resource_is_state_of(&a, &b) && resource_is_state_of(&b, &a));
  assert_false(resource_is_state_of(&a, &c) || resource_is_state_of(&a, &d));
  assert_int_equal(resource_name_parse("Nonsense/split").kind, 0);
  assert_int_equal(resource_name_parse("split").kind, 0);
}

/* The example with its second check of another kind; the case lists ACC-01 and ACC-03. */
static struct case_fixture read_metrics(const char *metrics) {
  _cleanup_free_ char *expect = NULL;
  assert_true(asprintf(&expect,
                       "expect: {metrics: %s}, repeat: 20, failing: 5, answer: 404, requirement: ACC-03}\n      "
                       "- {from: stranger, to: server, port: 80, http: {}, expect: denied, requirement: ACC-03",
                       metrics) > 0);
  _cleanup_free_ char *text = case_text_with("expect: denied, requirement: ACC-03", expect);
  return case_fixture_read(text);
}

static void test_metrics_of_one_resource(void **state) {
  (void)state;
  _cleanup_fixture_ struct case_fixture fixture =
      read_metrics("{kind: Deployment, name: server, success: 15, failure: 5, latency: true, "
                   "edge: {peer: stranger, direction: to, side: client}}");
  diagnostics_print(fixture.diagnostics, stderr);
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[0].checks[1];
  assert_int_equal(check->kind, CHECK_METRICS);
  assert_int_equal(check->failing, 5);
  assert_int_equal(check->answer, 404);
  assert_int_equal(check_request_count(check), 20);
  assert_int_equal(check->metrics->kind, METRICS_DEPLOYMENT);
  assert_string_equal(check->metrics->ns, "main");
  assert_string_equal(check->metrics->name, "server");
  assert_true(check->metrics->growth.judged);
  assert_int_equal(check->metrics->growth.success, 15);
  assert_int_equal(check->metrics->growth.failure, 5);
  assert_true(check->metrics->latency);
  assert_string_equal(check->metrics->edge->peer, "stranger");
  assert_true(check->metrics->edge->outgoing);
  assert_true(check->metrics->edge->client);
  assert_int_equal(fixture.test.steps[0].checks[0].answer, 200);
}

static void test_metrics_of_a_list(void **state) {
  (void)state;
  _cleanup_fixture_ struct case_fixture fixture =
      read_metrics("{kind: Pod, namespace: other, selector: {app: client}, items: [client]}");
  assert_int_equal(fixture.result, 0);
  const struct metrics_expectation *metrics = fixture.test.steps[0].checks[1].metrics;
  assert_null(metrics->name);
  assert_string_equal(metrics->ns, "other");
  assert_int_equal(metrics->selector_count, 1);
  assert_string_equal(metrics->selector[0].name, "app");
  assert_string_equal(metrics->selector[0].value, "client");
  assert_int_equal(metrics->item_count, 1);
  assert_string_equal(metrics->items[0].name, "client");
  assert_false(metrics->items[0].growth.judged);
}

static void test_metrics_of_namespaces_and_splits(void **state) {
  (void)state;
  _cleanup_fixture_ struct case_fixture namespaces =
      read_metrics("{kind: Namespace, items: [{name: main, success: 1, failure: 0}, other]}");
  assert_int_equal(namespaces.result, 0);
  const struct metrics_expectation *metrics = namespaces.test.steps[0].checks[1].metrics;
  assert_string_equal(metrics->ns, "");
  assert_true(metrics->items[0].growth.judged);
  assert_false(metrics->items[1].growth.judged);
  _cleanup_fixture_ struct case_fixture split =
      read_metrics("{kind: TrafficSplit, name: split, apex: root, backends: {server: 3}}");
  assert_int_equal(split.result, 0);
  metrics = split.test.steps[0].checks[1].metrics;
  assert_string_equal(metrics->apex, "root");
  assert_int_equal(metrics->backend_count, 1);
  assert_string_equal(metrics->backends[0].name, "server");
  assert_int_equal(metrics->backends[0].weight, 3);
}

static void test_mistakes_in_metrics(void **state) {
  static const struct {
    const char *metrics;
    const char *code;
    const char *field; /* below the check's expect/metrics */
  } mistakes[] = {
      {"{name: server}", "CASE-0002", ""},
      {"{kind: Node, name: server}", "CASE-0003", "/kind"},
      {"{kind: Pod}", "CASE-0002", ""},
      {"{kind: Pod, name: nobody}", "CASE-0008", "/name"},
      {"{kind: Deployment, name: nobody}", "CASE-0008", "/name"},
      {"{kind: Service, name: client}", "CASE-0009", "/name"},
      {"{kind: Namespace, name: third}", "CASE-0007", "/name"},
      {"{kind: Namespace, name: main, namespace: main}", "CASE-0021", "/namespace"},
      {"{kind: Pod, name: server, namespace: third}", "CASE-0008", "/name"},
      {"{kind: Pod, name: server, success: 1}", "CASE-0002", ""},
      {"{kind: Pod, name: server, success: -1, failure: 0}", "CASE-0003", "/success"},
      {"{kind: Pod, name: server, latency: yes please}", "CASE-0003", "/latency"},
      {"{kind: Pod, name: server, items: [server]}", "CASE-0021", "/items"},
      {"{kind: Pod, name: server, selector: {app: a}}", "CASE-0021", "/selector"},
      {"{kind: Pod, items: [server], success: 1, failure: 0}", "CASE-0021", "/failure"},
      {"{kind: Pod, items: [server], latency: true}", "CASE-0021", "/latency"},
      {"{kind: Pod, items: []}", "CASE-0003", "/items"},
      {"{kind: Pod, items: [nobody]}", "CASE-0008", "/items/0"},
      {"{kind: Pod, items: [{name: server, failure: 1}]}", "CASE-0002", "/items/0"},
      {"{kind: Pod, items: [server], selector: {app: [a]}}", "CASE-0003", "/selector/app"},
      {"{kind: Pod, name: server, edge: {peer: nobody, direction: to, side: client}}", "CASE-0008", "/edge/peer"},
      {"{kind: Pod, name: server, edge: {peer: stranger, direction: in, side: client}}", "CASE-0003",
       "/edge/direction"},
      {"{kind: Pod, name: server, edge: {peer: stranger, direction: to, side: proxy}}", "CASE-0003", "/edge/side"},
      {"{kind: Pod, name: server, edge: {peer: stranger, direction: to}}", "CASE-0002", "/edge"},
      {"{kind: TrafficSplit, name: split, apex: root}", "CASE-0002", ""},
      {"{kind: TrafficSplit, name: split, backends: {server: 1}}", "CASE-0002", ""},
      {"{kind: TrafficSplit, name: split, apex: root, backends: {nobody: 1}}", "CASE-0009", "/backends/nobody"},
      {"{kind: TrafficSplit, name: split, apex: root, backends: {server: -1}}", "CASE-0003", "/backends/server"},
      {"{kind: TrafficSplit, name: split, apex: root, backends: {server: 1}, success: 1, failure: 1}", "CASE-0021", ""},
      {"{kind: Pod, name: server, retries: 1}", "CASE-0001", "/retries"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(mistakes); i++) {
    _cleanup_fixture_ struct case_fixture fixture = read_metrics(mistakes[i].metrics);
    char pointer[256];
    (void)snprintf(pointer, sizeof(pointer), "/steps/0/checks/1/expect/metrics%s", mistakes[i].field);
    assert_int_equal(fixture.result, -EINVAL);
    const struct diagnostic *last = diagnostics_at(fixture.diagnostics, diagnostics_count(fixture.diagnostics) - 1);
    if (strcmp(last->code, mistakes[i].code) != 0 || strcmp(last->pointer, pointer) != 0) {
      diagnostics_print(fixture.diagnostics, stderr);
      fail_msg("%s gave %s at %s; expected %s at %s", mistakes[i].metrics, last->code, last->pointer, mistakes[i].code,
               pointer);
    }
  }
}

static void test_counters_are_read(void **state) {
  _cleanup_free_ char *text =
      case_text_with("expect: {split: {server: 2}}",
                     "keep: one, repeat: 50, expect: {counted: {succeeded: 49, failed: 1, received: {server: some}}}");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  (void)state;
  diagnostics_print(fixture.diagnostics, stderr);
  assert_int_equal(fixture.result, 0);
  const struct check *check = &fixture.test.steps[1].checks[1];
  assert_int_equal(check->kind, CHECK_COUNTED);
  assert_int_equal(check_request_count(check), 50);
  assert_string_equal(check->keep, "one");
  assert_int_equal(check->counted->succeeded, 49);
  assert_int_equal(check->counted->failed, 1);
  assert_int_equal(check->counted->server_count, 1);
  assert_string_equal(check->counted->servers[0].workload, "server");
  assert_int_equal(check->counted->servers[0].least, 1);
  assert_int_equal(check->counted->servers[0].most, COUNTED_ANY);
  assert_false(check->counted->ordered);
}

static void test_counters_are_written_as_they_were_read(void **state) {
  static const char *const written[] = {"{\"failed\": 1}", "{\"succeeded\": 0, \"received\": {\"server\": 0}}",
                                        "{\"received\": {\"server\": \"some\"}}"};
  (void)state;
  for (size_t i = 0; i < COUNT(written); i++) {
    char expect[128];
    (void)snprintf(expect, sizeof(expect), "expect: {counted: %s}", written[i]);
    _cleanup_free_ char *text = case_text_with("expect: {split: {server: 2}}", expect);
    _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
    assert_int_equal(fixture.result, 0);
    json_t *json = counted_json(fixture.test.steps[1].checks[1].counted);
    _cleanup_free_ char *again = json_dumps(json, 0);
    json_decref(json);
    assert_string_equal(again, written[i]);
  }
}

static void test_an_open_namespace_needs_no_denial(void **state) {
  _cleanup_free_ char *denied = case_text_with("expect: denied", "expect: allowed");
  char *deny = strstr(denied, "[main]");
  (void)state;
  assert_non_null(deny);
  for (char *c = deny + 1; *c != ']'; c++)
    *c = ' ';
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(denied);
  assert_int_equal(fixture.result, 0);
}

/* A change to the example, and the one diagnostic it must give. */
struct mistake {
  const char *from;
  const char *to;
  const char *code;
  uint32_t line;
  const char *pointer;
};

static void assert_mistake(const struct mistake *mistake) {
  _cleanup_free_ char *text = case_text_with(mistake->from, mistake->to);
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  assert_int_equal(fixture.result, -EINVAL);
  const struct diagnostic *last = diagnostics_at(fixture.diagnostics, diagnostics_count(fixture.diagnostics) - 1);
  assert_non_null(last);
  if (strcmp(last->code, mistake->code) != 0 || last->position.line != mistake->line ||
      strcmp(last->pointer, mistake->pointer) != 0) {
    diagnostics_print(fixture.diagnostics, stderr);
    fail_msg("\"%s\" gave %s in line %u at %s; expected %s in line %u at %s", mistake->to, last->code,
             last->position.line, last->pointer, mistake->code, mistake->line, mistake->pointer);
  }
  assert_string_equal(last->position.file, "case.yaml");
}

static void test_mistakes_in_the_head(void **state) {
  static const struct mistake mistakes[] = {
      {"title: An", "titel: An", "CASE-0002", 1, ""},
      {"why: Because.", "why: Because.\nextra: 1", "CASE-0001", 5, "/extra"},
      {"title: An example\n", "", "CASE-0002", 1, ""},
      {"access/http/example", "access/example", "CASE-0003", 1, "/id"},
      {"access/http/example", "events/http/example", "CASE-0003", 1, "/id"},
      {"access/http/example", "access/http/x/y", "CASE-0003", 1, "/id"},
      {"[ACC-01, ACC-03]", "[ACC-01, ACC-03, ACC-99]", "CASE-0011", 3, "/requirements/2"},
      {"[ACC-01, ACC-03]", "[ACC-01, ACC-03, ACC-14]", "CASE-0013", 3, "/requirements/2"},
      {"why: Because.", "why: Because.\nlevel: optional", "CASE-0003", 5, "/level"},
      {"why: Because.", "why: Because.\ninterpretations: [17]", "CASE-0003", 5, "/interpretations/0"},
      {"why: Because.", "why: Because.\nversions: [split/v1alpha2]", "CASE-0003", 5, "/versions/0"},
      {"why: Because.", "why: Because.\nversions: [access/v9]", "CASE-0003", 5, "/versions/0"},
      {"why: Because.", "why: Because.\nwritten_in: access/v1alpha3\nversions: [access/v1alpha1]", "CASE-0020", 1, ""},
      {"topology: small", "topology: huge", "CASE-0006", 5, "/topology"},
      {"deny_by_default: [main]", "deny_by_default: [mian]", "CASE-0007", 6, "/deny_by_default/0"},
      {"deny_by_default: [main]\n", "", "CASE-0002", 1, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(mistakes); i++)
    assert_mistake(&mistakes[i]);
}

static void test_mistakes_in_resources(void **state) {
  static const struct mistake mistakes[] = {
      {"access.smi-spec.io/v1alpha3", "access.smi-spec.io/v1alpha2", "CASE-0018", 12, "/resources/1/apiVersion"},
      {"why: Because.", "why: Because.\nwritten_in: access/v1alpha2", "CASE-0018", 13, "/resources/1/apiVersion"},
      {"rules:", "ruels:", "CASE-0017", 8, "/resources"},
      {"namespace: \"${other}\"", "namespace: \"${third}\"", "CASE-0017", 8, "/resources"},
      {"namespace: \"${other}\"", "namespace: \"${other\"", "CASE-0017", 8, "/resources"},
      {"  - apiVersion: access",
       "  - {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: {name: a}, "
       "spec: {}}\n  - {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: "
       "{name: a}, spec: {}}\n  - apiVersion: access",
       "CASE-0005", 13, "/resources/2"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(mistakes); i++)
    assert_mistake(&mistakes[i]);
}

static void test_an_unknown_alias_is_named(void **state) {
  _cleanup_free_ char *text = case_text_with("${other}", "${third}");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  const struct diagnostic *first = diagnostics_at(fixture.diagnostics, 0);
  (void)state;
  assert_non_null(first);
  assert_string_equal(first->code, "CASE-0019");
  assert_int_equal(first->position.line, 18);
  assert_string_equal(first->pointer, "/resources/1/spec/sources/0/namespace");
}

static void test_mistakes_in_steps(void **state) {
  static const struct mistake mistakes[] = {
      {"delete: [TrafficTarget/allow]", "delete: [TrafficTarget/other]", "CASE-0015", 23, "/steps/1/delete/0"},
      {"delete: [TrafficTarget/allow]", "delete: [allow]", "CASE-0015", 23, "/steps/1/delete/0"},
      {"  - checks:\n", "  - delete: [TrafficTarget/allow]\n    checks:\n", "CASE-0016", 20, "/steps/0/delete/0"},
      {"delete: [TrafficTarget/allow]\n    apply: [HTTPRouteGroup/routes]\n    ", "", "CASE-0016", 23, "/steps/1"},
      {"tcp: {}, expect: allowed", "tcp: {}, expect: denied", "CASE-0014", 23, "/steps/1"},
      {"expect: denied", "expect: allowed", "CASE-0023", 20, "/steps/0"},
      {"expect: denied", "expect: {metrics: {kind: Pod, name: server}}", "CASE-0023", 20, "/steps/0"},
      {"delete:", "remove:", "CASE-0001", 23, "/steps/1/remove"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(mistakes); i++)
    assert_mistake(&mistakes[i]);
}

static void test_mistakes_in_checks(void **state) {
  static const char check[] = "/steps/0/checks/0";
  static const char first[] = "{from: other/client, to: server, port: 80, http: {}, expect: allowed}";
  static const struct mistake mistakes[] = {
      {first, "{from: other/nobody, to: server, port: 80, http: {}, expect: allowed}", "CASE-0008", 21,
       "/steps/0/checks/0/from"},
      {first, "{from: third/client, to: server, port: 80, http: {}, expect: allowed}", "CASE-0007", 21,
       "/steps/0/checks/0/from"},
      {first, "{from: other/client, to: stranger, port: 80, http: {}, expect: allowed}", "CASE-0009", 21,
       "/steps/0/checks/0/to"},
      {first, "{from: other/client, to: nobody, port: 80, http: {}, via: direct, expect: allowed}", "CASE-0008", 21,
       "/steps/0/checks/0/to"},
      {first, "{from: other/client, to: server, port: 80, http: {}, via: direct, expect: allowed}", "CASE-0010", 21,
       "/steps/0/checks/0/port"},
      {first, "{from: other/client, to: server, port: 81, http: {}, expect: allowed}", "CASE-0010", 21,
       "/steps/0/checks/0/port"},
      {first, "{from: other/client, to: server, port: 80, tcp: {}, expect: allowed}", "CASE-0010", 21,
       "/steps/0/checks/0/port"},
      {first, "{from: other/client, to: server, port: 80, expect: allowed}", "CASE-0002", 21, check},
      {first, "{from: other/client, to: server, port: 80, http: {}, tcp: {}, expect: allowed}", "CASE-0021", 21, check},
      {first, "{from: other/client, to: server, port: 80, http: {}}", "CASE-0002", 21, check},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: refused}", "CASE-0003", 21,
       "/steps/0/checks/0/expect"},
      {first, "{from: other/client, to: server, port: 80, http: {method: TRACE}, expect: allowed}", "CASE-0003", 21,
       "/steps/0/checks/0/http/method"},
      {first, "{from: other/client, to: server, port: 80, http: {path: x}, expect: allowed}", "CASE-0003", 21,
       "/steps/0/checks/0/http/path"},
      {first, "{from: other/client, to: server, port: 80, http: {version: h3}, expect: allowed}", "CASE-0003", 21,
       "/steps/0/checks/0/http/version"},
      {first, "{from: other/client, to: server, port: 80, http: {headers: {Host: x}}, expect: allowed}", "CASE-0003",
       21, "/steps/0/checks/0/http/headers/Host"},
      {first, "{from: other/client, to: server, port: 80, http: {headers: {x-trammel-id: x}}, expect: allowed}",
       "CASE-0003", 21, "/steps/0/checks/0/http/headers/x-trammel-id"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, connections: fresh}", "CASE-0021",
       21, "/steps/0/checks/0/connections"},
      {first, "{from: other/client, to: server, port: 53, udp: {}, expect: allowed, keep: one}", "CASE-0021", 21,
       check},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, requirement: ACC-77}", "CASE-0011",
       21, "/steps/0/checks/0/requirement"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, requirement: ACC-14}", "CASE-0012",
       21, "/steps/0/checks/0/requirement"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, retries: 3}", "CASE-0001", 21,
       "/steps/0/checks/0/retries"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, repeat: 0}", "CASE-0003", 21,
       "/steps/0/checks/0/repeat"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, repeat: 5001}", "CASE-0003", 21,
       "/steps/0/checks/0/repeat"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, repeat: often}", "CASE-0003", 21,
       "/steps/0/checks/0/repeat"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, repeat: 2, keep: one}",
       "CASE-0021", 21, check},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: unbroken}", "CASE-0021", 20, "/steps/0"},
      {first, "{refused: TrafficTarget/allow}", "CASE-0015", 21, "/steps/0/checks/0/refused"},
      {first, "{reported: TrafficTarget/nobody}", "CASE-0015", 21, "/steps/0/checks/0/reported"},
      {first, "{reported: TrafficTarget/allow, port: 80}", "CASE-0001", 21, "/steps/0/checks/0/port"},
      {"{split: {server: 2}}", "unbroken, repeat: 2", "CASE-0021", 27, "/steps/1/checks/1"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, failing: 1}", "CASE-0021", 21,
       "/steps/0/checks/0/failing"},
      {first, "{from: other/client, to: server, port: 80, http: {}, expect: allowed, answer: 404}", "CASE-0021", 21,
       "/steps/0/checks/0/answer"},
      {first,
       "{from: other/client, to: server, port: 80, http: {}, repeat: 2, failing: 3, expect: {metrics: {kind: Pod, "
       "name: "
       "server}}}",
       "CASE-0003", 21, "/steps/0/checks/0/failing"},
      {first,
       "{from: other/client, to: server, port: 80, http: {}, answer: 500, expect: {metrics: {kind: Pod, name: "
       "server}}}",
       "CASE-0003", 21, "/steps/0/checks/0/answer"},
      {first,
       "{from: other/client, to: server, port: 80, expect: {metrics: {kind: Pod, name: server}}, http: {headers: "
       "{a: x, b: x, c: x, d: x, e: x, f: x, g: x, h: x, i: x, j: x, k: x, l: x, m: x, n: x, o: x, p: x}}}",
       "CASE-0004", 21, check},
      {first, "{from: other/client, to: server, port: 70, tcp: {}, expect: {metrics: {kind: Pod, name: server}}}",
       "CASE-0021", 21, check},
      {first,
       "{from: other/client, to: server, port: 80, http: {}, keep: a, expect: {metrics: {kind: Pod, name: server}}}",
       "CASE-0021", 21, check},
      {first,
       "{from: other/client, to: server, port: 80, http: {}, expect: {metrics: {kind: Pod, name: server}, split: "
       "{}}}",
       "CASE-0001", 21, "/steps/0/checks/0/expect/split"},
      {"{split: {server: 2}}", "{split: {server: 2}}, repeat: 2", "CASE-0021", 27, "/steps/1/checks/1"},
      {"{split: {server: 2}}", "{split: {server: 2}}, keep: one", "CASE-0021", 27, "/steps/1/checks/1"},
      {"{split: {server: 2}}", "{split: {server: 0}}", "CASE-0003", 27, "/steps/1/checks/1/expect/split"},
      {"{split: {server: 2}}", "{split: {server: 1, nobody: 1}}", "CASE-0008", 27,
       "/steps/1/checks/1/expect/split/nobody"},
      {"{split: {server: 2}}", "{split: {server: 2}, tolerance: some}", "CASE-0003", 27,
       "/steps/1/checks/1/expect/tolerance"},
      {"{split: {server: 2}}", "{split: {server: 2}, counted: {failed: 1}}", "CASE-0001", 27,
       "/steps/1/checks/1/expect/split"},
      {"{split: {server: 2}}", "{counted: {}}", "CASE-0003", 27, "/steps/1/checks/1/expect/counted"},
      {"{split: {server: 2}}", "{counted: 1}", "CASE-0003", 27, "/steps/1/checks/1/expect/counted"},
      {"{split: {server: 2}}", "{counted: {failed: few}}", "CASE-0003", 27, "/steps/1/checks/1/expect/counted/failed"},
      {"{split: {server: 2}}", "{counted: {failed: 1001}}", "CASE-0003", 27, "/steps/1/checks/1/expect/counted/failed"},
      {"{split: {server: 2}}", "{counted: {received: {nobody: 1}}}", "CASE-0008", 27,
       "/steps/1/checks/1/expect/counted/received/nobody"},
      {"{split: {server: 2}}", "{counted: {received: {stranger: 1}}}", "CASE-0008", 27,
       "/steps/1/checks/1/expect/counted/received/stranger"},
      {"{split: {server: 2}}", "{counted: {received: {server: many}}}", "CASE-0003", 27,
       "/steps/1/checks/1/expect/counted/received/server"},
      {"{split: {server: 2}}", "{counted: {more: [server]}}", "CASE-0003", 27, "/steps/1/checks/1/expect/counted/more"},
      {"{split: {server: 2}}", "{counted: {more: [server, nobody]}}", "CASE-0008", 27,
       "/steps/1/checks/1/expect/counted/more/1"},
      {"{split: {server: 2}}", "{counted: {more: [server, server]}}", "CASE-0003", 27,
       "/steps/1/checks/1/expect/counted/more"},
      {"{split: {server: 2}}", "{counted: {failed: 1}}, repeat: 1001", "CASE-0003", 27, "/steps/1/checks/1/repeat"},
      {"port: 70, tcp: {}, expect: allowed", "port: 70, tcp: {}, expect: {counted: {failed: 1}}", "CASE-0021", 26,
       "/steps/1/checks/0"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(mistakes); i++)
    assert_mistake(&mistakes[i]);
}

static void test_a_case_that_is_no_map(void **state) {
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read("[1, 2]");
  (void)state;
  assert_int_equal(fixture.result, -EINVAL);
  assert_string_equal(diagnostics_at(fixture.diagnostics, 0)->code, "CASE-0003");
}

static void test_aliases_become_namespaces(void **state) {
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(case_text);
  _cleanup_error_ struct error *err = NULL;
  struct smi_set set;
  (void)state;
  assert_int_equal(case_resources(&fixture.test, fixture.arena, real_name, NULL, &set, fixture.diagnostics, &err), 0);
  assert_int_equal(set.target_count, 1);
  assert_string_equal(set.targets[0].meta.ns, "main-7f");
  assert_string_equal(set.targets[0].destination.ns, "main-7f");
  assert_string_equal(set.targets[0].sources[0].ns, "other-7f");
  assert_string_equal(set.route_groups[0].meta.ns, "main-7f");
  /* The case itself is untouched: it is placed many times. */
  assert_string_equal(node_get(node_get(fixture.test.resources->items[0], "metadata"), "namespace")->text, "${main}");
}

static void test_a_resource_without_namespace_is_in_main(void **state) {
  _cleanup_free_ char *text = case_text_with("{name: routes, namespace: \"${main}\"}", "{name: routes}");
  _cleanup_fixture_ struct case_fixture fixture = case_fixture_read(text);
  struct smi_set set;
  (void)state;
  assert_int_equal(case_resources(&fixture.test, fixture.arena, real_name, NULL, &set, fixture.diagnostics, NULL), 0);
  assert_string_equal(set.route_groups[0].meta.ns, "main-7f");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_case_is_read),
      cmocka_unit_test(test_checks_are_read),
      cmocka_unit_test(test_later_steps_are_read),
      cmocka_unit_test(test_a_split_may_say_how),
      cmocka_unit_test(test_a_check_may_be_repeated),
      cmocka_unit_test(test_all_requests_on_one_connection),
      cmocka_unit_test(test_http_has_a_version),
      cmocka_unit_test(test_calls_may_go_on_during_a_change),
      cmocka_unit_test(test_a_check_may_be_about_a_resource),
      cmocka_unit_test(test_what_is_invalid_is_not_read_with_the_rest),
      cmocka_unit_test(test_states_of_a_resource),
      cmocka_unit_test(test_metrics_of_one_resource),
      cmocka_unit_test(test_metrics_of_a_list),
      cmocka_unit_test(test_metrics_of_namespaces_and_splits),
      cmocka_unit_test(test_mistakes_in_metrics),
      cmocka_unit_test(test_counters_are_read),
      cmocka_unit_test(test_counters_are_written_as_they_were_read),
      cmocka_unit_test(test_an_open_namespace_needs_no_denial),
      cmocka_unit_test(test_mistakes_in_the_head),
      cmocka_unit_test(test_mistakes_in_resources),
      cmocka_unit_test(test_an_unknown_alias_is_named),
      cmocka_unit_test(test_mistakes_in_steps),
      cmocka_unit_test(test_mistakes_in_checks),
      cmocka_unit_test(test_a_case_that_is_no_map),
      cmocka_unit_test(test_aliases_become_namespaces),
      cmocka_unit_test(test_a_resource_without_namespace_is_in_main),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
