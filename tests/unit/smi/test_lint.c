#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/smi/lint.h"
#include "tests/unit/smi/support.h"

#define GROUP(matches)                                                                                                 \
  "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [" matches "]}"  \
  "\n"
#define TARGET(rules, sources)                                                                                         \
  "---\napiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"                    \
  "  destination: {kind: ServiceAccount, name: s}\n  rules: [" rules "]\n  sources: [" sources "]\n"
#define SPLIT(name, service, backends)                                                                                 \
  "---\napiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: " name                            \
  "}\nspec: {service: " service ", backends: [" backends "]}\n"
#define CLIENT "{kind: ServiceAccount, name: c}"

/* Lints `yaml`, which must give one diagnostic with this code and severity that points to `pointer`. */
static void expect(const char *yaml, const char *code, enum severity severity, const char *pointer) {
  struct reading_result r = read_text(yaml);
  const struct diagnostic *d;
  int result;

  assert_int_equal(r.result, 0);
  result = smi_lint(&r.set, r.diagnostics);
  d = expect_diagnostic(r.diagnostics, code);
  if (diagnostics_count(r.diagnostics) != 1 || d->severity != severity || strcmp(d->pointer, pointer) != 0)
    diagnostics_print(r.diagnostics, stderr);
  assert_int_equal(diagnostics_count(r.diagnostics), 1);
  assert_int_equal(d->severity, severity);
  assert_string_equal(d->pointer, pointer);
  assert_non_null(d->remedy);
  assert_true(d->position.line > 0);
  assert_int_equal(result, severity == SEVERITY_ERROR ? -EINVAL : 0);
  reading_finish(&r);
}

static void expect_nothing(const char *yaml) {
  struct reading_result r = read_text(yaml);

  assert_int_equal(r.result, 0);
  assert_int_equal(smi_lint(&r.set, r.diagnostics), 0);
  diagnostics_print(r.diagnostics, stderr);
  assert_int_equal(diagnostics_count(r.diagnostics), 0);
  reading_finish(&r);
}

static void what_is_fine_gives_nothing(void **state) {
  (void)state;
  expect_nothing(
      GROUP("{name: m, pathRegex: /api/.*, methods: [GET, HEAD], headers: {a: x}}, {name: n, methods: ['*']}")
          TARGET("{kind: HTTPRouteGroup, name: g, matches: [m]}, {kind: HTTPRouteGroup, name: g}", CLIENT));
  expect_nothing(SPLIT("s", "root", "{service: a, weight: 0}, {service: b, weight: 1}"));
  expect_nothing("apiVersion: access.smi-spec.io/v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\n"
                 "spec: {schemes: {serviceAccount: a, spiffeIdentities: [x]}}\n");
}

static void references_that_lead_nowhere(void **state) {
  (void)state;
  expect(TARGET("{kind: TCPRoute, name: r}", CLIENT), "SMI-0201", SEVERITY_WARNING, "/spec/rules/0");
  expect(GROUP("{name: m}") TARGET("{kind: HTTPRouteGroup, name: g, matches: [m, n]}", CLIENT), "SMI-0202",
         SEVERITY_ERROR, "/spec/rules/0/matches/1");
  expect("apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r, "
         "matches: [{kind: HTTPRouteGroup, name: g}], backends: [{service: a, weight: 1}]}\n",
         "SMI-0201", SEVERITY_WARNING, "/spec/matches/0");
  expect("apiVersion: access.smi-spec.io/v1alpha4\nkind: TrafficTarget\nmetadata: {name: t}\nspec: {"
         "destination: {kind: IdentityBinding, name: b}, rules: [{kind: TCPRoute, name: r}], sources: [" CLIENT "]}\n"
         "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\n",
         "SMI-0222", SEVERITY_WARNING, "/spec/destination");
}

/* The route that stands for the port is there; what the rule named is not. */
static void route_replaced_by_a_port_is_still_looked_up(void **state) {
  (void)state;
  expect("apiVersion: access.smi-spec.io/v1alpha1\nkind: TrafficTarget\nmetadata: {name: t}\n"
         "destination: {kind: ServiceAccount, name: s, port: 80}\nspecs: [{kind: TCPRoute, name: r}]\nsources: [" CLIENT
         "]\n",
         "SMI-0201", SEVERITY_WARNING, "/specs/0");
}

static void names_given_twice(void **state) {
  (void)state;
  expect(GROUP("{name: m}") "---\n" GROUP("{name: m}"), "SMI-0203", SEVERITY_ERROR, "/metadata/name");
  expect(GROUP("{name: m}, {name: n}, {name: m}"), "SMI-0204", SEVERITY_ERROR, "/spec/matches/2/name");
  expect(SPLIT("s", "root", "{service: a, weight: 1}, {service: a, weight: 2}"), "SMI-0205", SEVERITY_ERROR,
         "/spec/backends/1/service");
  expect(GROUP("{name: m}") TARGET("{kind: HTTPRouteGroup, name: g}", CLIENT ", " CLIENT), "SMI-0220", SEVERITY_WARNING,
         "/spec/sources/1");
  expect("apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\nspec: {matches: {ports: [80, "
         "81, 80]}}\n",
         "SMI-0219", SEVERITY_WARNING, "/spec/matches/ports/2");
  expect(GROUP("{name: m, headers: [{Cookie: x}, {cookie: y}]}"), "SMI-0224", SEVERITY_WARNING,
         "/spec/matches/0/headers/1/cookie");
}

static void targets_that_allow_nothing(void **state) {
  (void)state;
  expect(TARGET("", CLIENT), "SMI-0207", SEVERITY_ERROR, "/spec/rules");
  expect(GROUP("{name: m}") TARGET("{kind: HTTPRouteGroup, name: g}", ""), "SMI-0208", SEVERITY_ERROR, "/spec/sources");
  expect("apiVersion: access.smi-spec.io/v1alpha1\nkind: TrafficTarget\nmetadata: {name: t}\n"
         "destination: {kind: ServiceAccount, name: s}\nsources: [" CLIENT "]\n",
         "SMI-0207", SEVERITY_WARNING, "/specs");
  expect(GROUP(""), "SMI-0225", SEVERITY_WARNING, "/spec/matches");
}

static void target_without_destination_from_elsewhere(void **state) {
  struct diagnostics *diagnostics = diagnostics_create();
  const struct smi_subject source = {.kind = SMI_SERVICE_ACCOUNT, .name = "c", .ns = "ns"};
  const struct smi_rule rule = {.kind = SMI_TCP_ROUTE, .name = ""};
  const struct smi_traffic_target target = {.meta = {.kind = SMI_TRAFFIC_TARGET, .name = "t", .ns = "ns"},
                                            .rules = &rule,
                                            .rule_count = 1,
                                            .sources = &source,
                                            .source_count = 1};
  const struct smi_traffic_target unnamed = {.meta = {.kind = SMI_TRAFFIC_TARGET, .ns = ""}};
  const struct smi_set set = {.targets = &target, .target_count = 1}, bad = {.targets = &unnamed, .target_count = 1};
  (void)state;

  assert_int_equal(smi_lint(&set, diagnostics), -EINVAL);
  expect_diagnostic(diagnostics, "SMI-0206");
  expect_diagnostic(diagnostics, "SMI-0221");
  assert_int_equal(smi_lint(&bad, diagnostics), -EINVAL);
  diagnostics_destroy(diagnostics);
}

static void splits_that_contradict_themselves(void **state) {
  (void)state;
  expect(SPLIT("s", "root", "{service: root, weight: 1}"), "SMI-0209", SEVERITY_ERROR, "/spec/backends/0/service");
  expect(SPLIT("s", "root", "{service: a, weight: 1}") SPLIT("u", "root", "{service: b, weight: 1}"), "SMI-0210",
         SEVERITY_ERROR, "/spec/service");
  expect(SPLIT("s", "root", "{service: a, weight: 1}") SPLIT("u", "a", "{service: b, weight: 1}"), "SMI-0211",
         SEVERITY_WARNING, "/spec/backends/0/service");
  expect(SPLIT("s", "root", "{service: a, weight: 0}"), "SMI-0212", SEVERITY_WARNING, "/spec/backends");
  expect(SPLIT("s", "root", ""), "SMI-0226", SEVERITY_WARNING, "/spec/backends");
}

static void methods_and_expressions(void **state) {
  (void)state;
  expect(GROUP("{name: m, methods: [get]}"), "SMI-0213", SEVERITY_ERROR, "/spec/matches/0/methods/0");
  expect(GROUP("{name: m, methods: [FETCH]}"), "SMI-0213", SEVERITY_ERROR, "/spec/matches/0/methods/0");
  expect(GROUP("{name: m, methods: [GET, '*']}"), "SMI-0223", SEVERITY_WARNING, "/spec/matches/0/methods/1");
  expect(GROUP("{name: m, pathRegex: '/a(?!b)'}"), "SMI-0214", SEVERITY_ERROR, "/spec/matches/0/pathRegex");
  expect(GROUP("{name: m, headers: {a: '(x'}}"), "SMI-0214", SEVERITY_ERROR, "/spec/matches/0/headers/a");
  expect(GROUP("{name: m, pathRegex: api}"), "SMI-0215", SEVERITY_WARNING, "/spec/matches/0/pathRegex");
  expect(GROUP("{name: m, pathRegex: ''}"), "SMI-0215", SEVERITY_WARNING, "/spec/matches/0/pathRegex");
  expect(GROUP("{name: m, pathRegex: '/api/*'}"), "SMI-0215", SEVERITY_WARNING, "/spec/matches/0/pathRegex");
  expect("apiVersion: specs.smi-spec.io/v1alpha2\nkind: HTTPRouteGroup\nmetadata: {name: g}\nmatches: [{name: m, "
         "pathRegex: '*'}]\n",
         "SMI-0214", SEVERITY_ERROR, "/matches/0/pathRegex");
}

/* File, line and field, also in a list of resources; of what is absent, the place it should be in. */
static void findings_are_where_the_field_is(void **state) {
  struct reading_result r = read_text("apiVersion: v1\nkind: List\nitems:\n"
                                      "- apiVersion: specs.smi-spec.io/v1alpha4\n  kind: HTTPRouteGroup\n"
                                      "  metadata: {name: g}\n  spec:\n    matches:\n    - name: m\n"
                                      "      pathRegex: '/('\n      headers:\n      - {a: x, b: y}\n      - c: '('\n"
                                      "- apiVersion: split.smi-spec.io/v1alpha4\n  kind: TrafficSplit\n"
                                      "  metadata: {name: s}\n  spec:\n    service: root\n    backends: []\n");
  const struct diagnostic *d;
  (void)state;

  assert_int_equal(smi_lint(&r.set, r.diagnostics), -EINVAL);
  assert_int_equal(diagnostics_count(r.diagnostics), 3);
  d = diagnostics_at(r.diagnostics, 0);
  assert_string_equal(d->pointer, "/items/0/spec/matches/0/pathRegex");
  assert_int_equal(d->position.line, 10);
  assert_int_equal(d->position.column, 18);
  d = diagnostics_at(r.diagnostics, 1);
  assert_string_equal(d->pointer, "/items/0/spec/matches/0/headers/1/c");
  assert_int_equal(d->position.line, 13);
  d = diagnostics_at(r.diagnostics, 2);
  assert_string_equal(d->code, "SMI-0226");
  assert_int_equal(d->position.line, 19);
  assert_string_equal(d->position.file, "test.yaml");
  reading_finish(&r);
}

/* Anyone can write the annotation; it excuses nothing. */
static void annotated_routes_are_linted_as_others(void **state) {
  static const char twice[] = "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\n"
                              "metadata: {name: r, annotations: {trammel/port-of: t, trammel/stands-for: x}}\n"
                              "spec: {matches: {ports: [80]}}\n---\n"
                              "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\n"
                              "metadata: {name: r, annotations: {trammel/port-of: t, trammel/stands-for: x}}\n"
                              "spec: {matches: {ports: [81]}}\n";
  (void)state;

  expect(twice, "SMI-0203", SEVERITY_ERROR, "/metadata/name");
  expect_nothing("apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\n"
                 "metadata: {name: r, annotations: {trammel/port-of: t, trammel/stands-for: x}}\n"
                 "spec: {matches: {ports: [80]}}\n" TARGET("{kind: TCPRoute, name: r}", CLIENT));
}

static void bindings_with_wrong_schemes(void **state) {
  (void)state;
  expect("apiVersion: access.smi-spec.io/v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\n"
         "spec: {schemes: {serviceAccount: a, podLabelSelector: {matchLabels: {x: y}}}}\n",
         "SMI-0217", SEVERITY_ERROR, "/spec/schemes");
  expect("apiVersion: access.smi-spec.io/v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\nspec: {schemes: {}}\n",
         "SMI-0218", SEVERITY_ERROR, "/spec/schemes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_fine_gives_nothing),
      cmocka_unit_test(references_that_lead_nowhere),
      cmocka_unit_test(route_replaced_by_a_port_is_still_looked_up),
      cmocka_unit_test(names_given_twice),
      cmocka_unit_test(targets_that_allow_nothing),
      cmocka_unit_test(target_without_destination_from_elsewhere),
      cmocka_unit_test(splits_that_contradict_themselves),
      cmocka_unit_test(methods_and_expressions),
      cmocka_unit_test(findings_are_where_the_field_is),
      cmocka_unit_test(annotated_routes_are_linted_as_others),
      cmocka_unit_test(bindings_with_wrong_schemes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
