#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/unit/smi/generate.h"
#include "tests/unit/smi/support.h"

#define TARGET_WITH_PORT                                                                                               \
  "apiVersion: access.smi-spec.io/v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"                         \
  "  destination: {kind: ServiceAccount, name: server, port: 8080}\n"                                                  \
  "  rules: [{kind: HTTPRouteGroup, name: g}]\n"                                                                       \
  "  sources: [{kind: ServiceAccount, name: client}]\n"

static json_t *convert(const struct reading_result *from, const char *to) {
  struct smi_target_versions versions = target_versions(to);
  json_t *resources = NULL;
  int r = smi_convert(&from->set, &versions, from->diagnostics, &resources);

  assert_true(r == 0 || r == -ENOTSUP);
  assert_true((r == 0) == (resources != NULL));
  return resources;
}

/* Reads `yaml`, converts, and compares with `expected`, one line of JSON with sorted keys. */
static void expect_conversion(const char *yaml, const char *to, const char *expected) {
  struct reading_result r = read_text(yaml);
  json_t *resources, *want = json_loads(expected, 0, NULL);

  assert_non_null(want);
  assert_int_equal(r.result, 0);
  resources = convert(&r, to);
  if (!resources)
    diagnostics_print(r.diagnostics, stderr);
  assert_non_null(resources);
  if (!json_equal(resources, want))
    json_dumpf(resources, stderr, JSON_INDENT(1));
  assert_true(json_equal(resources, want));
  json_decref(resources);
  json_decref(want);
  reading_finish(&r);
}

static void expect_refusal(const char *yaml, const char *to, const char *code, const char *resource,
                           const char *remedy) {
  struct reading_result r = read_text(yaml);
  json_t *resources;
  const struct diagnostic *d;

  assert_int_equal(r.result, 0);
  resources = convert(&r, to);
  assert_null(resources);
  d = expect_diagnostic(r.diagnostics, code);
  assert_int_equal(d->severity, SEVERITY_ERROR);
  assert_non_null(strstr(d->summary, resource));
  assert_non_null(d->remedy);
  if (!strstr(d->remedy, remedy))
    fail_msg("%s does not say %s", d->remedy, remedy);
  reading_finish(&r);
}

static void access_down_to_v1alpha1_unwraps_and_renames(void **state) {
  (void)state;
  expect_conversion(
      "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t, labels: {a: b}}\nspec:\n"
      "  destination: {kind: ServiceAccount, name: server}\n"
      "  rules: [{kind: HTTPRouteGroup, name: g, matches: [m]}]\n"
      "  sources: [{kind: ServiceAccount, name: client, namespace: o}]\n",
      "access/v1alpha1",
      "[{\"apiVersion\":\"access.smi-spec.io/v1alpha1\",\"kind\":\"TrafficTarget\","
      "\"metadata\":{\"name\":\"t\",\"labels\":{\"a\":\"b\"}},"
      "\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"server\"},"
      "\"specs\":[{\"kind\":\"HTTPRouteGroup\",\"name\":\"g\",\"matches\":[\"m\"]}],"
      "\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"client\",\"namespace\":\"o\"}]}]");
}

/* Made-up ones would stay behind when kubectl -n or kustomize set the target's. */
static void namespaces_are_written_where_they_were(void **state) {
  (void)state;
  expect_conversion(
      "apiVersion: access.smi-spec.io/v1alpha2\nkind: TrafficTarget\nmetadata: {name: t, namespace: n}\nspec:\n"
      "  destination: {kind: ServiceAccount, name: server}\n  rules: [{kind: HTTPRouteGroup, name: g}]\n"
      "  sources: [{kind: ServiceAccount, name: a, namespace: n}, {kind: ServiceAccount, name: b, namespace: "
      "default}]\n",
      "access/v1alpha3",
      "[{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\","
      "\"metadata\":{\"name\":\"t\",\"namespace\":\"n\"},"
      "\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"server\"},"
      "\"rules\":[{\"kind\":\"HTTPRouteGroup\",\"name\":\"g\"}],"
      "\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"a\",\"namespace\":\"n\"},"
      "{\"kind\":\"ServiceAccount\",\"name\":\"b\",\"namespace\":\"default\"}]}}]");
}

static void namespaces_of_sets_from_elsewhere_are_written(void **state) {
  const struct smi_subject source = {SMI_SERVICE_ACCOUNT, "c", "ns", false};
  const struct smi_rule rule = {.kind = SMI_TCP_ROUTE, .name = "r"};
  const struct smi_traffic_target target = {.meta = {.kind = SMI_TRAFFIC_TARGET, .name = "t", .ns = "ns"},
                                            .destination = {SMI_SERVICE_ACCOUNT, "s", "other", true},
                                            .rules = &rule,
                                            .rule_count = 1,
                                            .sources = &source,
                                            .source_count = 1};
  const struct smi_set set = {.targets = &target, .target_count = 1};
  const struct smi_target_versions hub = {0};
  json_t *resources = NULL, *spec;
  (void)state;

  assert_int_equal(smi_convert(&set, &hub, NULL, &resources), 0);
  spec = json_object_get(json_array_get(resources, 0), "spec");
  assert_string_equal(json_string_value(json_object_get(json_object_get(spec, "destination"), "namespace")), "other");
  assert_string_equal(
      json_string_value(json_object_get(json_array_get(json_object_get(spec, "sources"), 0), "namespace")), "ns");
  json_decref(resources);
}

static void metadata_that_is_left_out_is_told(void **state) {
  struct reading_result r =
      read_text("apiVersion: specs.smi-spec.io/v1alpha3\nkind: TCPRoute\n"
                "metadata:\n  name: r\n  uid: x\n  finalizers: [f]\n  ownerReferences: []\nspec: {}\n");
  json_t *resources = convert(&r, "");
  const struct diagnostic *d = expect_diagnostic(r.diagnostics, "SMI-0110");
  (void)state;

  assert_non_null(resources);
  assert_int_equal(d->severity, SEVERITY_INFO);
  assert_int_equal(d->position.line, 4);
  assert_string_equal(d->pointer, "/metadata");
  assert_true(diagnostic_says(d, "metadata: finalizers, ownerReferences"));
  assert_false(diagnostic_says(d, "uid"));
  assert_int_equal(diagnostics_count(r.diagnostics), 1);
  json_decref(resources);
  reading_finish(&r);
}

static void port_is_folded_back(void **state) {
  (void)state;
  expect_conversion(TARGET_WITH_PORT, "access/v1alpha1 specs/v1alpha2",
                    "[{\"apiVersion\":\"access.smi-spec.io/v1alpha1\",\"kind\":\"TrafficTarget\","
                    "\"metadata\":{\"name\":\"t\"},"
                    "\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"server\",\"port\":8080},"
                    "\"specs\":[{\"kind\":\"HTTPRouteGroup\",\"name\":\"g\"}],"
                    "\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"client\"}]}]");
}

static void headers_are_written_as_the_crd_wants_them(void **state) {
  (void)state;
  expect_conversion("apiVersion: specs.smi-spec.io/v1alpha2\nkind: HTTPRouteGroup\nmetadata: {name: g}\n"
                    "matches: [{name: m, headers: {a: x, b: y}}]\n",
                    "",
                    "[{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"HTTPRouteGroup\","
                    "\"metadata\":{\"name\":\"g\"},"
                    "\"spec\":{\"matches\":[{\"name\":\"m\",\"headers\":[{\"a\":\"x\"},{\"b\":\"y\"}]}]}}]");
}

static void tcp_route_without_ports_in_every_version(void **state) {
  static const char yaml[] = "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\n";
  (void)state;

  expect_conversion(yaml, "specs/v1alpha1",
                    "[{\"apiVersion\":\"specs.smi-spec.io/v1alpha1\",\"kind\":\"TCPRoute\","
                    "\"metadata\":{\"name\":\"r\"}}]");
  expect_conversion(yaml, "specs/v1alpha3",
                    "[{\"apiVersion\":\"specs.smi-spec.io/v1alpha3\",\"kind\":\"TCPRoute\","
                    "\"metadata\":{\"name\":\"r\"},\"spec\":{}}]");
  expect_conversion(yaml, "specs/v1alpha4",
                    "[{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"TCPRoute\","
                    "\"metadata\":{\"name\":\"r\"},\"spec\":{\"matches\":{\"ports\":[]}}}]");
}

static void hub_uses_the_draft_only_where_it_must(void **state) {
  struct reading_result r =
      read_text("apiVersion: access.smi-spec.io/v1alpha4\nkind: TrafficTarget\nmetadata: {name: a}\n"
                "spec: {destination: {kind: ServiceAccount, name: s}, rules: [], sources: []}\n---\n"
                "apiVersion: access.smi-spec.io/v1alpha4\nkind: TrafficTarget\nmetadata: {name: b}\n"
                "spec: {destination: {kind: IdentityBinding, name: s}, rules: [], sources: []}\n");
  json_t *resources = convert(&r, "");
  (void)state;

  assert_string_equal(json_string_value(json_object_get(json_array_get(resources, 0), "apiVersion")),
                      "access.smi-spec.io/v1alpha3");
  assert_string_equal(json_string_value(json_object_get(json_array_get(resources, 1), "apiVersion")),
                      "access.smi-spec.io/v1alpha4");
  json_decref(resources);
  reading_finish(&r);
}

static void weights_too_large_for_quantities_in_units_are_thousandths(void **state) {
  (void)state;
  expect_conversion(
      "apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: r, backends: ["
      "{service: a, weight: 9223372036854775806}, {service: b, weight: 1}]}\n",
      "split/v1alpha1",
      "[{\"apiVersion\":\"split.smi-spec.io/v1alpha1\",\"kind\":\"TrafficSplit\","
      "\"metadata\":{\"name\":\"s\"},\"spec\":{\"service\":\"r\",\"backends\":["
      "{\"service\":\"a\",\"weight\":\"9223372036854775806m\"},{\"service\":\"b\",\"weight\":\"1m\"}]}}]");
}

static void what_a_version_cannot_say_is_refused(void **state) {
  (void)state;
  expect_refusal("apiVersion: access.smi-spec.io/v1alpha4\nkind: IdentityBinding\nmetadata: {name: b}\nspec: {schemes: "
                 "{serviceAccount: s}}\n",
                 "access/v1alpha3", "SMI-0102", "IdentityBinding default/b", "access/v1alpha4");
  expect_refusal("apiVersion: access.smi-spec.io/v1alpha4\nkind: TrafficTarget\nmetadata: {name: t}\n"
                 "spec: {destination: {kind: ServiceAccount, name: s}, sources: [{kind: IdentityBinding, name: b}]}\n",
                 "access/v1alpha3", "SMI-0102", "TrafficTarget default/t", "access/v1alpha4");
  expect_refusal("apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
                 "spec: {destination: {kind: ServiceAccount, name: s}, rules: [{kind: UDPRoute, name: u}]}\n",
                 "access/v1alpha2", "SMI-0103", "TrafficTarget default/t", "access/v1alpha3");
  expect_refusal("apiVersion: specs.smi-spec.io/v1alpha4\nkind: UDPRoute\nmetadata: {name: u}\n", "specs/v1alpha3",
                 "SMI-0103", "UDPRoute default/u", "specs/v1alpha4");
  expect_refusal(
      "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\nspec: {matches: {ports: [80]}}\n",
      "specs/v1alpha3", "SMI-0104", "TCPRoute default/r", "specs/v1alpha4");
  expect_refusal("apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\n"
                 "spec: {matches: [{name: m, headers: {a: b}}]}\n",
                 "specs/v1alpha1", "SMI-0105", "HTTPRouteGroup default/g", "specs/v1alpha2");
  expect_refusal("apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: s}\n"
                 "spec: {service: r, backends: [], matches: [{kind: HTTPRouteGroup, name: g}]}\n",
                 "split/v1alpha2", "SMI-0106", "TrafficSplit default/s", "split/v1alpha3");
  expect_refusal("apiVersion: access.smi-spec.io/v1alpha2\nkind: TrafficTarget\nmetadata: {name: t}\n"
                 "spec: {destination: {kind: ServiceAccount, name: s}}\n",
                 "access/v1alpha3", "SMI-0108", "TrafficTarget default/t", "allows nothing");
  /* The synthesised route needs ports, which specs v1alpha3 does not have. */
  expect_refusal(TARGET_WITH_PORT, "access/v1alpha3 specs/v1alpha3", "SMI-0104", "TCPRoute default/t-port-8080",
                 "specs/v1alpha4");
}

/* Someone else's use of the route would be lost with it. */
static void port_that_another_target_uses_is_not_folded(void **state) {
  (void)state;
  expect_refusal(TARGET_WITH_PORT
                 "---\napiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: u}\n"
                 "spec: {destination: {kind: ServiceAccount, name: s}, rules: [{kind: TCPRoute, name: t-port-8080}]}\n",
                 "access/v1alpha2 specs/v1alpha3", "SMI-0107", "TrafficTarget default/u", "access/v1alpha3");
}

/* Folding would turn "port 1 or 2" into "port 1". */
static void port_route_that_was_edited_is_not_folded(void **state) {
  static const char edited[] =
      "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: p, annotations: {trammel/port-of: t}}\n"
      "spec: {matches: {ports: [1, 2]}}\n---\n"
      "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
      "spec: {destination: {kind: ServiceAccount, name: s}, rules: [{kind: HTTPRouteGroup, name: g}, {kind: TCPRoute, "
      "name: p}]}\n";
  static const char joined[] =
      "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: p, annotations: {trammel/port-of: t}}\n"
      "spec: {matches: {ports: [1]}}\n---\n"
      "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
      "spec: {destination: {kind: ServiceAccount, name: s}, rules: [{kind: TCPRoute, name: q}, {kind: TCPRoute, name: "
      "p}]}\n";
  static const char alone[] =
      "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: p, annotations: {trammel/port-of: t}}\n"
      "spec: {matches: {ports: [1]}}\n---\n"
      "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
      "spec: {destination: {kind: ServiceAccount, name: s}, rules: [{kind: TCPRoute, name: p}]}\n";
  (void)state;

  expect_refusal(edited, "access/v1alpha2 specs/v1alpha3", "SMI-0107", "TrafficTarget default/t", "access/v1alpha3");
  expect_refusal(joined, "access/v1alpha2 specs/v1alpha3", "SMI-0107", "TrafficTarget default/t", "access/v1alpha3");
  expect_refusal(alone, "access/v1alpha2 specs/v1alpha3", "SMI-0107", "TrafficTarget default/t", "access/v1alpha3");
}

/* A case that tests what a mesh does with it has to be able to write it. */
static void target_without_rules_stays_as_invalid_as_it_was(void **state) {
  struct reading_result r =
      read_text("apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
                "spec: {destination: {kind: ServiceAccount, name: s}}\n");
  json_t *resources = convert(&r, "access/v1alpha3");
  (void)state;

  assert_int_equal(json_array_size(resources), 1);
  json_decref(resources);
  reading_finish(&r);
}

static void versions_that_are_none_are_refused(void **state) {
  struct reading_result r = read_text(TARGET_WITH_PORT);
  static const struct smi_target_versions bad[] = {
      {.access = {SMI_ACCESS, 5}}, {.access = {SMI_SPLIT, 2}}, {.specs = {SMI_SPECS, 0}}, {.split = {SMI_SPLIT, 9}}};
  json_t *resources = NULL;
  (void)state;

  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(smi_convert(&r.set, &bad[i], r.diagnostics, &resources), -ENOTSUP);
    assert_null(resources);
  }
  assert_int_equal(diagnostics_count_of(r.diagnostics, SEVERITY_ERROR), 4);
  reading_finish(&r);
}

static void pairs_of_the_specification(void **state) {
  (void)state;
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_ACCESS, 1}).alpha, 2);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_ACCESS, 2}).alpha, 3);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_ACCESS, 3}).alpha, 4);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_ACCESS, 4}).alpha, 4);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_SPLIT, 3}).alpha, 3);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_SPLIT, 2}).alpha, 4);
  assert_int_equal(smi_paired_specs((struct smi_version){SMI_SPLIT, 4}).group, SMI_SPECS);
}

/* How often each conversion was made and refused, by group, from, to. */
static unsigned made[3][5][5], refused[3][5][5];

static void count_outcome(const struct generator *from, const char *to, bool success) {
  struct smi_target_versions versions = target_versions(to);
  unsigned(*counts)[5][5] = success ? made : refused;

  if (versions.access.alpha)
    counts[0][from->access][versions.access.alpha]++;
  if (versions.specs.alpha)
    counts[1][from->specs][versions.specs.alpha]++;
  if (versions.split.alpha)
    counts[2][from->split][versions.split.alpha]++;
}

/* Converts what was read from `generator`'s versions to `to`, reads it, and compares; then back again, which must
 * succeed. */
static void round_trip(const struct generator *generator, struct reading_result *from, const char *to, uint64_t seed) {
  char back[64];
  json_t *there = convert(from, to), *home;
  struct reading_result far, near;
  const char *difference;
  unsigned how = generator->split == 1 || strstr(to, "split/v1alpha1") ? COMPARE_PROPORTIONS : COMPARE_EXACTLY;

  count_outcome(generator, to, there != NULL);
  if (!there) {
    assert_true(diagnostics_have_error(from->diagnostics));
    return;
  }
  far = read_json(there);
  if (far.result != 0)
    diagnostics_print(far.diagnostics, stderr);
  assert_int_equal(far.result, 0);
  difference = set_difference(far.arena, &from->set, &far.set, how);
  if (difference)
    fail_msg("seed %llu to %s: %s", (unsigned long long)seed, to, difference);
  snprintf(back, sizeof(back), "access/v1alpha%u specs/v1alpha%u split/v1alpha%u", generator->access, generator->specs,
           generator->split);
  home = convert(&far, back);
  if (!home) {
    diagnostics_print(far.diagnostics, stderr);
    fail_msg("seed %llu to %s and back to %s: refused", (unsigned long long)seed, to, back);
  }
  near = read_json(home);
  assert_int_equal(near.result, 0);
  difference = set_difference(near.arena, &from->set, &near.set, how);
  if (difference)
    fail_msg("seed %llu to %s and back to %s: %s", (unsigned long long)seed, to, back, difference);
  json_decref(home);
  json_decref(there);
  reading_finish(&near);
  reading_finish(&far);
}

/* One source in a set with a refusal refuses the whole set: resources of one group at a time give every pair its
 * chance. */
static json_t *only_group(const json_t *set, const char *group) {
  json_t *result = json_array(), *resource;
  size_t i;

  json_array_foreach((json_t *)set, i, resource) if (strncmp(json_string_value(json_object_get(resource, "apiVersion")),
                                                             group, strlen(group)) == 0)
      json_array_append(result, resource);
  return result;
}

static size_t try_set(const struct generator *generator, const json_t *resources, const char *to, uint64_t seed) {
  struct reading_result from = read_json(resources);

  if (from.result != 0)
    diagnostics_print(from.diagnostics, stderr);
  assert_int_equal(from.result, 0);
  round_trip(generator, &from, to, seed);
  reading_finish(&from);
  return json_array_size(resources);
}

static void round_trips_lose_nothing_or_are_refused(void **state) {
  static const char *const groups[] = {"access", "specs", "split"};
  size_t resources = 0;
  (void)state;

  for (uint64_t seed = 1; resources < 40000; seed++) {
    struct generator generator = {.state = seed};
    json_t *set;
    char to[64];

    generator.access = (uint8_t)(generate_number(&generator, 4) + 1);
    generator.specs = (uint8_t)(generate_number(&generator, 4) + 1);
    generator.split = (uint8_t)(generate_number(&generator, 4) + 1);
    set = generate_set(&generator);
    snprintf(to, sizeof(to), "access/v1alpha%u specs/v1alpha%u split/v1alpha%u",
             (unsigned)generate_number(&generator, 4) + 1, (unsigned)generate_number(&generator, 4) + 1,
             (unsigned)generate_number(&generator, 4) + 1);
    resources += try_set(&generator, set, to, seed);
    for (size_t i = 0; i < 3; i++) {
      json_t *one = only_group(set, groups[i]), *single = json_array();

      snprintf(to, sizeof(to), "%s/v1alpha%u", groups[i], (unsigned)generate_number(&generator, 4) + 1);
      json_array_append(single, json_array_get(one, 0));
      resources += try_set(&generator, one, to, seed);
      resources += try_set(&generator, single, to, seed);
      json_decref(single);
      json_decref(one);
    }
    json_decref(set);
  }
  for (unsigned g = 0; g < 3; g++)
    for (unsigned from = 1; from <= 4; from++) {
      for (unsigned to = 1; to <= 4; to++)
        if (made[g][from][to] == 0)
          fail_msg("no conversion of %s from v1alpha%u to v1alpha%u succeeded", groups[g], from, to);
    }
}

/* A resource can always be written in the version it came from, and in the hub. */
static void own_version_is_never_refused(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 500; seed++) {
    struct generator generator = {.state = seed * 7919};
    struct reading_result from;
    char to[64];
    json_t *set, *result;

    generator.access = (uint8_t)(generate_number(&generator, 4) + 1);
    generator.specs = (uint8_t)(generate_number(&generator, 4) + 1);
    generator.split = (uint8_t)(generate_number(&generator, 4) + 1);
    set = generate_set(&generator);
    from = read_json(set);
    snprintf(to, sizeof(to), "access/v1alpha%u specs/v1alpha%u split/v1alpha%u", generator.access, generator.specs,
             generator.split);
    result = convert(&from, to);
    if (!result) {
      diagnostics_print(from.diagnostics, stderr);
      fail_msg("seed %llu: %s", (unsigned long long)seed, to);
    }
    json_decref(result);
    json_decref(set);
    reading_finish(&from);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(access_down_to_v1alpha1_unwraps_and_renames),
      cmocka_unit_test(namespaces_are_written_where_they_were),
      cmocka_unit_test(namespaces_of_sets_from_elsewhere_are_written),
      cmocka_unit_test(metadata_that_is_left_out_is_told),
      cmocka_unit_test(port_is_folded_back),
      cmocka_unit_test(headers_are_written_as_the_crd_wants_them),
      cmocka_unit_test(tcp_route_without_ports_in_every_version),
      cmocka_unit_test(hub_uses_the_draft_only_where_it_must),
      cmocka_unit_test(weights_too_large_for_quantities_in_units_are_thousandths),
      cmocka_unit_test(what_a_version_cannot_say_is_refused),
      cmocka_unit_test(port_that_another_target_uses_is_not_folded),
      cmocka_unit_test(port_route_that_was_edited_is_not_folded),
      cmocka_unit_test(target_without_rules_stays_as_invalid_as_it_was),
      cmocka_unit_test(versions_that_are_none_are_refused),
      cmocka_unit_test(pairs_of_the_specification),
      cmocka_unit_test(round_trips_lose_nothing_or_are_refused),
      cmocka_unit_test(own_version_is_never_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
