#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/smi/support.h"

#define ACCESS "apiVersion: access.smi-spec.io/"
#define SPECS "apiVersion: specs.smi-spec.io/"
#define SPLIT "apiVersion: split.smi-spec.io/"

static void expect_clean(const struct reading_result *r) {
  if (diagnostics_count(r->diagnostics) > 0)
    diagnostics_print(r->diagnostics, stderr);
  assert_int_equal(diagnostics_count(r->diagnostics), 0);
  assert_int_equal(r->result, 0);
}

/* Reads `yaml`, which must give exactly one error `code` at `pointer` that says `part`. */
static void expect_one(const char *yaml, const char *code, const char *pointer, const char *part) {
  struct reading_result r = read_text(yaml);
  const struct diagnostic *d = expect_diagnostic(r.diagnostics, code);

  if (diagnostics_count(r.diagnostics) != 1 || !diagnostic_says(d, part) || strcmp(d->pointer, pointer) != 0)
    diagnostics_print(r.diagnostics, stderr);
  assert_int_equal(r.result, -EINVAL);
  assert_int_equal(diagnostics_count(r.diagnostics), 1);
  assert_string_equal(d->pointer, pointer);
  assert_true(d->position.line > 0 && d->position.column > 0);
  assert_string_equal(d->position.file, "test.yaml");
  if (!diagnostic_says(d, part))
    fail_msg("the diagnostic does not say: %s", part);
  assert_int_equal(r.set.target_count + r.set.route_group_count + r.set.port_route_count + r.set.split_count +
                       r.set.binding_count,
                   0);
  reading_finish(&r);
}

static void access_v1alpha3_is_the_hub(void **state) {
  struct reading_result r =
      read_text(ACCESS "v1alpha3\nkind: TrafficTarget\n"
                       "metadata: {name: t, namespace: ns, labels: {a: b}, uid: x, finalizers: [f]}\n"
                       "status: {anything: [1]}\n"
                       "spec:\n"
                       "  destination: {kind: ServiceAccount, name: server}\n"
                       "  rules:\n"
                       "  - {kind: HTTPRouteGroup, name: g, matches: [m, n]}\n"
                       "  - {kind: TCPRoute, name: tcp}\n"
                       "  - {kind: UDPRoute, name: udp, matches: null}\n"
                       "  sources:\n"
                       "  - {kind: ServiceAccount, name: client, namespace: other}\n");
  const struct smi_traffic_target *t = r.set.targets;
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.target_count, 1);
  assert_string_equal(t->meta.name, "t");
  assert_string_equal(t->meta.ns, "ns");
  assert_int_equal(t->meta.version.alpha, 3);
  assert_int_equal(t->meta.label_count, 1);
  assert_string_equal(t->meta.labels[0].value, "b");
  assert_int_equal(t->destination.kind, SMI_SERVICE_ACCOUNT);
  assert_string_equal(t->destination.ns, "ns");
  assert_int_equal(t->rule_count, 3);
  assert_int_equal(t->rules[0].match_count, 2);
  assert_string_equal(t->rules[0].matches[1], "n");
  assert_int_equal(t->rules[2].kind, SMI_UDP_ROUTE);
  assert_int_equal(t->rules[2].match_count, 0);
  assert_string_equal(t->sources[0].ns, "other");
  reading_finish(&r);
}

static void access_v1alpha1_has_specs_beside_metadata(void **state) {
  struct reading_result r = read_text(ACCESS "v1alpha1\nkind: TrafficTarget\nmetadata: {name: t}\n"
                                             "destination: {kind: ServiceAccount, name: server, namespace: d}\n"
                                             "specs: [{kind: HTTPRouteGroup, name: g, matches: [m]}]\n"
                                             "sources: [{kind: ServiceAccount, name: client}]\n");
  (void)state;

  expect_clean(&r);
  assert_string_equal(r.set.targets[0].meta.ns, "default");
  assert_string_equal(r.set.targets[0].rules[0].name, "g");
  assert_string_equal(r.set.targets[0].sources[0].ns, "default");
  assert_int_equal(r.set.port_route_count, 0);
  reading_finish(&r);
}

static void port_of_access_v1alpha2_becomes_a_route(void **state) {
  struct reading_result r = read_text(ACCESS "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                                             "  destination: {kind: ServiceAccount, name: server, port: 8080}\n"
                                             "  rules: [{kind: HTTPRouteGroup, name: g}]\n"
                                             "  sources: [{kind: ServiceAccount, name: client}]\n");
  const struct smi_port_route *route = r.set.port_routes;
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.port_route_count, 1);
  assert_true(route->meta.synthesised);
  assert_int_equal(route->meta.kind, SMI_TCP_ROUTE);
  assert_int_equal(route->port_count, 1);
  assert_int_equal(route->ports[0], 8080);
  assert_int_equal(r.set.targets[0].rule_count, 2);
  assert_int_equal(r.set.targets[0].rules[1].kind, SMI_TCP_ROUTE);
  assert_string_equal(r.set.targets[0].rules[1].name, route->meta.name);
  reading_finish(&r);
}

/* TCPRoutes of one target are a union: the port beside a TCPRoute of all ports would not limit anything. */
static void port_narrows_the_tcp_routes_that_are_there(void **state) {
  struct reading_result r = read_text(SPECS "v1alpha3\nkind: TCPRoute\nmetadata: {name: tcp}\nspec: {}\n---\n" ACCESS
                                            "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                                            "  destination: {kind: ServiceAccount, name: server, port: 8080}\n"
                                            "  rules: [{kind: TCPRoute, name: tcp}]\n"
                                            "  sources: [{kind: ServiceAccount, name: client}]\n");
  const struct smi_port_route *route;
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.targets[0].rule_count, 1);
  route = smi_find_port_route(&r.set, SMI_TCP_ROUTE, "default", r.set.targets[0].rules[0].name);
  assert_non_null(route);
  assert_int_equal(route->port_count, 1);
  assert_int_equal(route->ports[0], 8080);
  reading_finish(&r);
}

static void port_without_rules_allows_nothing(void **state) {
  struct reading_result r = read_text(ACCESS "v1alpha1\nkind: TrafficTarget\nmetadata: {name: t}\n"
                                             "destination: {kind: ServiceAccount, name: server, port: 8080}\n"
                                             "sources: [{kind: ServiceAccount, name: client}]\n");
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.targets[0].rule_count, 0);
  assert_int_equal(r.set.port_route_count, 1);
  reading_finish(&r);
}

static void port_outside_a_routes_ports_is_refused(void **state) {
  struct reading_result r = read_text(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: tcp}\n"
                                            "spec: {matches: {ports: [1, 2]}}\n---\n" ACCESS
                                            "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                                            "  destination: {kind: ServiceAccount, name: server, port: 8080}\n"
                                            "  rules: [{kind: TCPRoute, name: tcp}]\n"
                                            "  sources: [{kind: ServiceAccount, name: client}]\n");
  (void)state;

  assert_int_equal(r.result, -EINVAL);
  assert_string_equal(expect_diagnostic(r.diagnostics, "SMI-0013")->pointer, "/spec/destination/port");
  assert_int_equal(r.set.target_count, 0);
  assert_int_equal(r.set.port_route_count, 1);
  reading_finish(&r);
}

static void synthesised_name_avoids_routes_that_exist(void **state) {
  struct reading_result r = read_text(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: t-port-80}\n---\n" ACCESS
                                            "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                                            "  destination: {kind: ServiceAccount, name: server, port: 80}\n"
                                            "  rules: [{kind: HTTPRouteGroup, name: g}]\n"
                                            "  sources: [{kind: ServiceAccount, name: client}]\n");
  (void)state;

  expect_clean(&r);
  assert_string_not_equal(r.set.targets[0].rules[1].name, "t-port-80");
  assert_non_null(smi_find_port_route(&r.set, SMI_TCP_ROUTE, "default", r.set.targets[0].rules[1].name));
  reading_finish(&r);
}

static void identity_bindings_of_the_draft(void **state) {
  struct reading_result r = read_text(
      ACCESS "v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\nspec: {schemes: {"
             "podLabelSelector: {matchLabels: {app: x}}, spiffeIdentities: [i, j],"
             "serviceAccount: sa}}\n---\n" ACCESS "v1alpha4\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
             "  destination: {kind: IdentityBinding, group: access.smi-spec.io, name: b}\n"
             "  rules: [{kind: HTTPRouteGroup, name: g}]\n"
             "  sources: [{kind: ServiceAccount, name: client}]\n");
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.bindings[0].pod_label_count, 1);
  assert_int_equal(r.set.bindings[0].spiffe_id_count, 2);
  assert_string_equal(r.set.bindings[0].service_account, "sa");
  assert_int_equal(r.set.targets[0].destination.kind, SMI_BINDING);
  assert_int_equal(r.set.targets[0].sources[0].kind, SMI_SERVICE_ACCOUNT);
  reading_finish(&r);
}

static void route_groups_of_every_version(void **state) {
  static const char *const versions[] = {
      SPECS
      "v1alpha1\nkind: HTTPRouteGroup\nmetadata: {name: g}\nmatches:\n- {name: m, pathRegex: /a, methods: [GET]}\n",
      SPECS
      "v1alpha2\nkind: HTTPRouteGroup\nmetadata: {name: g}\nmatches:\n- {name: m, pathRegex: /a, methods: [GET]}\n",
      SPECS "v1alpha3\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, pathRegex: /a, methods: "
            "[GET]}]}",
      SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, pathRegex: /a, methods: "
            "[GET]}]}",
  };
  (void)state;

  for (size_t i = 0; i < 4; i++) {
    struct reading_result r = read_text(versions[i]);

    expect_clean(&r);
    assert_int_equal(r.set.route_groups[0].meta.version.alpha, i + 1);
    assert_string_equal(r.set.route_groups[0].matches[0].name, "m");
    assert_string_equal(r.set.route_groups[0].matches[0].path_regex, "/a");
    assert_string_equal(r.set.route_groups[0].matches[0].methods[0], "GET");
    reading_finish(&r);
  }
}

static void headers_as_map_and_as_list_are_the_same(void **state) {
  static const char head[] =
      SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, headers: ";
  static const char *const forms[] = {"{a: x, B: y}}]}", "[{a: x}, {B: y}]}]}", "[{a: x, B: y}]}]}"};
  (void)state;

  for (size_t i = 0; i < 3; i++) {
    char text[256];
    struct reading_result r;
    const struct smi_http_match *m;

    snprintf(text, sizeof(text), "%s%s", head, forms[i]);
    r = read_text(text);
    expect_clean(&r);
    m = &r.set.route_groups[0].matches[0];
    assert_null(m->path_regex);
    assert_int_equal(m->header_count, 2);
    assert_string_equal(m->headers[0].name, "a");
    assert_string_equal(m->headers[1].name, "B");
    assert_string_equal(m->headers[1].regex, "y");
    reading_finish(&r);
  }
}

static void port_routes_of_every_version(void **state) {
  struct reading_result r =
      read_text(SPECS "v1alpha1\nkind: TCPRoute\nmetadata: {name: a}\n---\n" SPECS
                      "v1alpha3\nkind: TCPRoute\nmetadata: {name: b}\nspec: {}\n---\n" SPECS
                      "v1alpha4\nkind: TCPRoute\nmetadata: {name: c}\nspec: {matches: {ports: [1, 65535]}}\n---\n" SPECS
                      "v1alpha4\nkind: UDPRoute\nmetadata: {name: d}\nspec: {matches: {ports: null}}\n---\n" SPECS
                      "v1alpha4\nkind: UDPRoute\nmetadata: {name: e}\nspec: {matches: {ports: []}}\n");
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.port_route_count, 5);
  assert_int_equal(r.set.port_routes[0].port_count, 0);
  assert_int_equal(r.set.port_routes[2].port_count, 2);
  assert_int_equal(r.set.port_routes[2].ports[1], 65535);
  assert_int_equal(r.set.port_routes[3].meta.kind, SMI_UDP_ROUTE);
  assert_int_equal(r.set.port_routes[4].port_count, 0);
  reading_finish(&r);
}

static void quantities_become_proportions(void **state) {
  struct reading_result r =
      read_text(SPLIT "v1alpha1\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: root, backends: ["
                      "{service: a, weight: 1}, {service: b, weight: 500m}, {service: c, weight: 1.5},"
                      "{service: d, weight: \"0\"}]}\n");
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.splits[0].backends[0].weight, 2);
  assert_int_equal(r.set.splits[0].backends[1].weight, 1);
  assert_int_equal(r.set.splits[0].backends[2].weight, 3);
  assert_int_equal(r.set.splits[0].backends[3].weight, 0);
  reading_finish(&r);
}

static void split_weights_stay_as_written_from_v1alpha2(void **state) {
  struct reading_result r =
      read_text(SPLIT "v1alpha3\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: root, matches: ["
                      "{kind: HTTPRouteGroup, name: g, apiGroup: specs.smi-spec.io}, {kind: HTTPRouteGroup, name: h}],"
                      "backends: [{service: a, weight: 1000}, {service: b, weight: 500}]}\n");
  (void)state;

  expect_clean(&r);
  assert_int_equal(r.set.splits[0].backends[0].weight, 1000);
  assert_int_equal(r.set.splits[0].match_count, 2);
  assert_string_equal(r.set.splits[0].matches[1], "h");
  reading_finish(&r);
}

static void other_kinds_are_passed_over(void **state) {
  struct reading_result r =
      read_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n"
                "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: d}\n---\n"
                "apiVersion: metrics.smi-spec.io/v1alpha1\nkind: TrafficMetrics\n");
  (void)state;

  assert_int_equal(r.result, 0);
  assert_int_equal(diagnostics_count_of(r.diagnostics, SEVERITY_INFO), 3);
  expect_diagnostic(r.diagnostics, "SMI-0005");
  expect_diagnostic(r.diagnostics, "SMI-0015");
  reading_finish(&r);
}

static void what_is_no_resource_is_refused(void **state) {
  (void)state;
  expect_one("- a\n- b\n", "SMI-0001", "", "found a list");
  expect_one("kind: TrafficSplit\nmetadata: {name: s}\n", "SMI-0002", "", "split.smi-spec.io/v1alpha1 to v1alpha4");
  expect_one("kind: UDPRoute\n", "SMI-0002", "", "specs.smi-spec.io/v1alpha4");
  expect_one("kind: Service\n", "SMI-0002", "", "add `apiVersion` and `kind`");
  expect_one("apiVersion: v1alpha1\nkind: HTTPRouteGroup\n", "SMI-0003", "/apiVersion", "specs.smi-spec.io/v1alpha4");
  expect_one(ACCESS "v1beta1\nkind: TrafficTarget\n", "SMI-0003", "/apiVersion", "v1alpha1 to v1alpha4");
  expect_one(ACCESS "v1alpha3\nkind: TrafficSplit\n", "SMI-0004", "/kind", "split.smi-spec.io");
  expect_one(ACCESS "v1alpha3\nkind: IdentityBinding\n", "SMI-0004", "/kind", "access.smi-spec.io/v1alpha4");
  expect_one(ACCESS "v1alpha3\nkind: traffictarget\n", "SMI-0004", "/kind", "TrafficTarget is of access");
  expect_one("apiVersion: 1\nkind: TrafficTarget\n", "SMI-0008", "/apiVersion", "expected a string");
  expect_one("apiVersion: acces.smi-spec.io/v1\nkind: Foo\n", "SMI-0003", "/apiVersion", "SMI has TrafficTarget");
}

static void common_mistakes_get_a_remedy(void **state) {
  (void)state;
  expect_one(SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nmatches: [{name: m}]\n", "SMI-0006",
             "/matches", "move it under `spec`");
  expect_one(SPECS "v1alpha2\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m}]}\n", "SMI-0006",
             "/spec", "specs.smi-spec.io/v1alpha3");
  expect_one(ACCESS "v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                    "  destination: {kind: ServiceAccount, name: s, port: \"9091\"}\n",
             "SMI-0006", "/spec/destination/port", "add a TCPRoute");
  expect_one(ACCESS "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                    "  destination: {kind: ServiceAccount, name: s, port: \"9091\"}\n",
             "SMI-0008", "/spec/destination/port", "take the quotes off");
  expect_one(ACCESS "v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
                    "  destination: {kind: ServiceAccount, name: s}\n  specs: []\n",
             "SMI-0006", "/spec/specs", "write `rules`");
  expect_one(ACCESS "v1alpha1\nkind: TrafficTarget\nmetadata: {name: t}\n"
                    "destination: {kind: ServiceAccount, name: s}\nrules: []\n",
             "SMI-0006", "/rules", "write `specs`");
  expect_one(SPECS "v1alpha1\nkind: HTTPRouteGroup\nmetadata: {name: g}\nmatches: [{name: m, headers: {a: b}}]\n",
             "SMI-0006", "/matches/0/headers", "specs.smi-spec.io/v1alpha2");
  expect_one(SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, pathregex: /}]}\n",
             "SMI-0006", "/spec/matches/0/pathregex", "write `pathRegex`");
  expect_one(SPECS
             "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, headers: {a: 1}}]}\n",
             "SMI-0008", "/spec/matches/0/headers/a", "put it in quotes");
  expect_one(SPLIT "v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r, matches: [], backends: []}\n",
             "SMI-0006", "/spec/matches", "split.smi-spec.io/v1alpha3");
  expect_one(
      SPLIT
      "v1alpha2\nkind: TrafficSplit\nmetadata: {name: s, namespace: <NAMESPACE>}\nspec: {service: r, backends: []}\n",
      "SMI-0010", "/metadata/namespace", "template placeholder");
  expect_one(
      SPLIT
      "v1alpha2\nkind: TrafficSplit\nmetadata: {name: \"{{ .Values.name }}\"}\nspec: {service: r, backends: []}\n",
      "SMI-0010", "/metadata/name", "template placeholder");
  expect_one(SPLIT "v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r.ns.svc, backends: []}\n",
             "SMI-0010", "/spec/service", "bare name");
  expect_one(
      ACCESS
      "v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\nspec: {schemes: {podLabelSelector: {matchLabels: {}}}}\n",
      "SMI-0007", "/spec/schemes/podLabelSelector/matchLabels", "every pod");
}

static void weights_that_are_none(void **state) {
  static const struct {
    const char *version, *weight, *part;
  } bad[] = {
      {"v1alpha1", "-1", "negative"},
      {"v1alpha1", "1.0001", "finer"},
      {"v1alpha1", "9e99", "too large"},
      {"v1alpha1", "10x", "no quantity"},
      {"v1alpha2", "-1", "negative"},
      {"v1alpha2", "1.5", "1.5 is no whole number"},
      {"v1alpha4", "9e99", "9e99"},
      {"v1alpha4", "\"50\"", "quotes"},
      {"v1alpha2", "500m", "v1alpha1 only"},
      {"v1alpha2", "true", "no number"},
      {"v1alpha2", "99999999999999999999", "63 bits"},
  };
  (void)state;

  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    char text[256];

    snprintf(text, sizeof(text),
             SPLIT
             "%s\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r, backends: [{service: a, weight: %s}]}\n",
             bad[i].version, bad[i].weight);
    expect_one(text, "SMI-0012", "/spec/backends/0/weight", bad[i].part);
  }
  expect_one(SPLIT "v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r, backends: ["
                   "{service: a, weight: 9223372036854775807}, {service: b, weight: 1}]}\n",
             "SMI-0012", "/spec/backends", "add up");
}

static void values_out_of_range(void **state) {
  (void)state;
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\nspec: {matches: {ports: [1, 0]}}\n", "SMI-0009",
             "/spec/matches/ports/1", "1 to 65535");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\nspec: {matches: {ports: [65536]}}\n", "SMI-0009",
             "/spec/matches/ports/0", "65536");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: R}\n", "SMI-0010", "/metadata/name", "DNS-1123");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: a..b}\n", "SMI-0010", "/metadata/name", "DNS-1123");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: 5}\n", "SMI-0008", "/metadata/name", "quotes");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\n", "SMI-0007", "", "metadata");
  expect_one(SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {generateName: x-}\n", "SMI-0007", "/metadata", "name");
  expect_one(SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{pathRegex: /}]}\n",
             "SMI-0007", "/spec/matches/0", "`name`");
  expect_one(
      SPECS
      "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec: {matches: [{name: m, headers: {\"a b\": x}}]}\n",
      "SMI-0016", "/spec/matches/0/headers/a b", "header name");
  expect_one(ACCESS
             "v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec: {destination: {kind: ServiceAccount, name: d}, "
             "rules: [{kind: UDPRoute, name: u}]}\n",
             "SMI-0011", "/spec/rules/0/kind", "v1alpha3");
  expect_one(
      ACCESS
      "v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec: {destination: {kind: IdentityBinding, name: d}}\n",
      "SMI-0011", "/spec/destination/kind", "v1alpha4");
  expect_one(ACCESS "v1alpha4\nkind: TrafficTarget\nmetadata: {name: t}\nspec: {destination: {kind: IdentityBinding, "
                    "group: x, name: d}}\n",
             "SMI-0011", "/spec/destination/group", "access.smi-spec.io");
  expect_one(ACCESS "v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec: {sources: []}\n", "SMI-0007", "/spec",
             "destination");
}

static void versions_and_names(void **state) {
  struct arena *arena = arena_create(0);
  struct smi_version version;
  static const char *const bad[] = {"",
                                    "access",
                                    "access/",
                                    "access/v1alpha5",
                                    "access/v1alpha0",
                                    "access/v1alpha11",
                                    "foo/v1alpha1",
                                    "access.example.org/v1alpha1",
                                    "metrics/v1alpha2",
                                    "/v1alpha1"};
  (void)state;

  assert_int_equal(smi_version_parse("access/v1alpha4", &version), 0);
  assert_int_equal(version.group, SMI_ACCESS);
  assert_int_equal(version.alpha, 4);
  assert_string_equal(smi_version_name(arena, version), "access/v1alpha4");
  assert_int_equal(smi_version_parse("split.smi-spec.io/v1alpha2", &version), 0);
  assert_int_equal(version.group, SMI_SPLIT);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(smi_version_parse(bad[i], &version), -EINVAL);
  assert_int_equal(smi_kind_group(SMI_IDENTITY_BINDING), SMI_ACCESS);
  assert_string_equal(smi_kind_name(SMI_HTTP_ROUTE_GROUP), "HTTPRouteGroup");
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(access_v1alpha3_is_the_hub),
      cmocka_unit_test(access_v1alpha1_has_specs_beside_metadata),
      cmocka_unit_test(port_of_access_v1alpha2_becomes_a_route),
      cmocka_unit_test(port_narrows_the_tcp_routes_that_are_there),
      cmocka_unit_test(port_without_rules_allows_nothing),
      cmocka_unit_test(port_outside_a_routes_ports_is_refused),
      cmocka_unit_test(synthesised_name_avoids_routes_that_exist),
      cmocka_unit_test(identity_bindings_of_the_draft),
      cmocka_unit_test(route_groups_of_every_version),
      cmocka_unit_test(headers_as_map_and_as_list_are_the_same),
      cmocka_unit_test(port_routes_of_every_version),
      cmocka_unit_test(quantities_become_proportions),
      cmocka_unit_test(split_weights_stay_as_written_from_v1alpha2),
      cmocka_unit_test(other_kinds_are_passed_over),
      cmocka_unit_test(what_is_no_resource_is_refused),
      cmocka_unit_test(common_mistakes_get_a_remedy),
      cmocka_unit_test(weights_that_are_none),
      cmocka_unit_test(values_out_of_range),
      cmocka_unit_test(versions_and_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
