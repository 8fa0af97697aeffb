/* Performance tests of the Service Mesh Performance specification: read as it has them, all clients and all URLs, and
 * written so that they read back as the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/perf/smp.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

static struct profile *parse(const char *text) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct profile *profile = NULL;
  int r = profile_parse("test.yaml", text, strlen(text), diagnostics, &profile);
  diagnostics_print(diagnostics, stdout);
  assert_int_equal(r, 0);
  return profile;
}

/* Every field of the messages. */
#define FULL                                                                                                           \
  "test:\n"                                                                                                            \
  "  smp_version: v0.0.1\n"                                                                                            \
  "  id: 5f6c\n"                                                                                                       \
  "  name: Istio Performance Test\n"                                                                                   \
  "  labels: {team: mesh}\n"                                                                                           \
  "  duration: 1m30s\n"                                                                                                \
  "  clients:\n"                                                                                                       \
  "  - internal: false\n"                                                                                              \
  "    load_generator: fortio\n"                                                                                       \
  "    protocol: 1\n"                                                                                                  \
  "    connections: 5\n"                                                                                               \
  "    rps: 10\n"                                                                                                      \
  "    headers: {X-One: one}\n"                                                                                        \
  "    cookies: {a: b, c: d}\n"                                                                                        \
  "    body: '{}'\n"                                                                                                   \
  "    content_type: application/json\n"                                                                               \
  "    endpoint_urls: [https://localhost:2323/productpage, https://localhost:2323/b, https://localhost:2323/c]\n"      \
  "    ssl_certificate: /etc/ca.pem\n"                                                                                 \
  "    additional_options: ''\n"                                                                                       \
  "  - protocol: http\n"                                                                                               \
  "    connections: 1\n"                                                                                               \
  "    rps: 7\n"                                                                                                       \
  "    endpoint_urls: ['http://other:80/']\n"                                                                          \
  "mesh: {type: 3, version: 1.20.0, labels: {x: y}, annotations: {z: w}}\n"

static void all_clients_and_all_urls_are_honoured(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile = parse(FULL);
  double rate = 0;
  unsigned connections = 0;
  (void)state;
  assert_string_equal(profile->name, "Istio Performance Test");
  assert_string_equal(profile->smp->version, "v0.0.1");
  assert_string_equal(profile->smp->id, "5f6c");
  assert_string_equal(profile->smp->labels.list[0].value, "mesh");
  assert_string_equal(smp_mesh_name(profile->smp->mesh_type), "ISTIO");
  assert_string_equal(profile->smp->mesh_version, "1.20.0");
  assert_int_equal(profile->load_count, 4);
  for (size_t i = 0; i < 3; i++) {
    const struct profile_load *load = &profile->loads[i];
    rate += load->options.schedule.rate;
    connections += load->options.connections;
    assert_int_equal(load->options.schedule.kind, SCHEDULE_CONSTANT);
    assert_int_equal(load->options.schedule.duration_ns, 90 * NS_PER_SECOND);
    assert_int_equal(load->target.header_count, 3);
    assert_string_equal(load->target.headers[1], "Cookie: a=b; c=d");
    assert_string_equal(load->target.body, "{}");
    assert_string_equal(load->target.tls.trust_file, "/etc/ca.pem");
  }
  assert_true(rate > 9.999999 && rate < 10.000001);
  assert_int_equal(connections, 5);
  assert_string_equal(profile->loads[1].target.url, "https://localhost:2323/b");
  assert_string_equal(profile->loads[3].target.url, "http://other:80/");
  assert_true(profile->loads[3].options.schedule.rate == 7);
  assert_true(profile->whole.schedule.rate == 17);
  assert_int_equal(profile->whole.connections, 6);
}

static void zero_is_not_given(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile =
      parse("{\"test\": {\"name\": \"a\", \"duration\": \"10s\", \"clients\": [{\"protocol\": \"HTTP\", \"rps\": 0, "
            "\"connections\": 0, \"endpoint_urls\": [\"http://a\"]}]}}");
  (void)state;
  assert_true(profile_is_closed(profile));
  assert_int_equal(profile->whole.connections, 10);
  assert_false(profile->smp->has_mesh);
}

static void each_protocol_is_one_of_ours(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile =
      parse("test:\n  name: a\n  duration: 10s\n  clients:\n"
            "  - {protocol: GRPC, endpoint_urls: ['http://a:1']}\n"
            "  - {protocol: 2, body: x, endpoint_urls: ['tcp://a:1']}\n"
            "  - {protocol: UDP, body: x, endpoint_urls: ['udp://a:1']}\n");
  (void)state;
  assert_string_equal(profile->loads[0].target.grpc_health, "");
  assert_null(profile->loads[1].target.grpc_health);
}

static char *written(const struct profile *profile) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  json_t *json = NULL;
  if (smp_test_json(profile, &json, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(yaml_write(json, &text), 0);
  json_decref(json);
  return strbuf_steal(&text);
}

static void what_is_written_reads_back_as_the_same(void **state) {
  static const char *const texts[] = {
      FULL,
      "test: {name: a, duration: 1ns, clients: [{protocol: GRPC, endpoint_urls: ['http://a:1']}, {protocol: TCP, body: "
      "'1.0', endpoint_urls: ['tcp://a:1', 'tcp://b:1']}]}\nmesh: {type: CILIUM_SERVICE_MESH}",
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
    _cleanup_(profile_destroy_p) struct profile *profile = parse(texts[i]);
    _cleanup_free_ char *once = written(profile);
    _cleanup_(profile_destroy_p) struct profile *again = parse(once);
    _cleanup_free_ char *twice = written(again);
    assert_string_equal(once, twice);
    assert_int_equal(profile->load_count, again->load_count);
    for (size_t k = 0; k < profile->load_count; k++) {
      assert_string_equal(profile->loads[k].target.url, again->loads[k].target.url);
      assert_true(profile->loads[k].options.schedule.rate == again->loads[k].options.schedule.rate);
      assert_int_equal(profile->loads[k].options.connections, again->loads[k].options.connections);
    }
  }
}

#define TEST "test:\n  name: a\n  duration: 10s\n  clients:\n"

static void what_cannot_be_honoured_is_refused_with_its_place(void **state) {
  static const struct {
    const char *text, *pointer;
    unsigned line;
  } wrong[] = {
      {"test: 5\n", "/test", 1},
      {"test:\n  name: a\n", "/test", 2},
      {TEST "  - {protocol: 1, endpoint_urls: ['http://a']}\nmash: {}\n", "/mash", 6},
      {TEST "  - {protocol: 1, endpoint_urls: ['http://a'], rqs: 5}\n", "/test/clients/0/rqs", 5},
      {TEST "  - {endpoint_urls: ['http://a']}\n", "/test/clients/0", 5},
      {TEST "  - {protocol: INVALID, endpoint_urls: ['http://a']}\n", "/test/clients/0/protocol", 5},
      {TEST "  - {protocol: 5, endpoint_urls: ['http://a']}\n", "/test/clients/0/protocol", 5},
      {TEST "  - {protocol: QUIC, endpoint_urls: ['http://a']}\n", "/test/clients/0/protocol", 5},
      {TEST "  - {protocol: TCP, endpoint_urls: ['http://a']}\n", "/test/clients/0/endpoint_urls/0", 5},
      {TEST "  - {protocol: GRPC, body: x, endpoint_urls: ['http://a']}\n", "/test/clients/0/body", 5},
      {TEST "  - {protocol: 1}\n", "/test/clients/0", 5},
      {TEST "  - {protocol: 1, endpoint_urls: []}\n", "/test/clients/0/endpoint_urls", 5},
      {TEST "  - {protocol: 1, endpoint_urls: [5]}\n", "/test/clients/0/endpoint_urls/0", 5},
      {TEST "  - {protocol: 1, rps: -1, endpoint_urls: ['http://a']}\n", "/test/clients/0/rps", 5},
      {TEST "  - {protocol: 1, rps: 10000001, endpoint_urls: ['http://a']}\n", "/test/clients/0/rps", 5},
      {TEST "  - {protocol: 1, rps: 1.5, endpoint_urls: ['http://a']}\n", "/test/clients/0/rps", 5},
      {TEST "  - {protocol: 1, connections: 2147483647, endpoint_urls: ['http://a']}\n", "/test/clients/0/connections",
       5},
      {TEST "  - {protocol: 1, connections: 1, endpoint_urls: ['http://a', 'http://b']}\n", "/test/clients/0", 5},
      {TEST "  - {protocol: 1, internal: true, endpoint_urls: ['http://a']}\n", "/test/clients/0/internal", 5},
      {TEST "  - {protocol: 1, additional_options: '-k', endpoint_urls: ['http://a']}\n",
       "/test/clients/0/additional_options", 5},
      {TEST "  - {protocol: 1, ssl_certificate: '-----BEGIN CERTIFICATE-----', endpoint_urls: ['http://a']}\n",
       "/test/clients/0/ssl_certificate", 5},
      {TEST "  - {protocol: 1, rps: 5, endpoint_urls: ['http://a']}\n  - {protocol: 1, endpoint_urls: ['http://a']}\n",
       "/test/clients/1", 6},
      {TEST "  - {protocol: 1, endpoint_urls: ['http://a']}\nmesh: {type: 13}\n", "/mesh/type", 6},
      {TEST "  - {protocol: 1, endpoint_urls: ['http://a']}\nmesh: {kind: 1}\n", "/mesh/kind", 6},
      {"test:\n  name: a\n  duration: 30x\n  clients: [{protocol: 1, endpoint_urls: ['http://a']}]\n", "/test/duration",
       3},
      {"test:\n  name: a\n  duration: 10s\n  clients: []\n", "/test/clients", 4},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
    _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
    struct profile *profile = NULL;
    int r = profile_parse("a.yaml", wrong[i].text, strlen(wrong[i].text), diagnostics, &profile);
    if (r != -EINVAL || diagnostics_count(diagnostics) == 0)
      fail_msg("%zu was taken: %s", i, wrong[i].text);
    const struct diagnostic *first = diagnostics_at(diagnostics, 0);
    if (first->position.line != wrong[i].line || strcmp(first->pointer ? first->pointer : "?", wrong[i].pointer) != 0)
      fail_msg("%zu: line %u, %s: %s", i, first->position.line, first->pointer, first->summary);
  }
}

/* Nor is a part of a target that would be another one. */
static void what_a_target_has_without_a_place_is_refused_by_name(void **state) {
  static const struct {
    const char *target, *more, *named;
  } cases[] = {{"name: shop", "", "names of targets"},
               {"body: ''", "", "an empty body"},
               {"method: POST, body: ''", "", "an empty body"},
               {"headers: {A: b, a: c}", "", "a header twice"},
               {"method: GET", "threads: 2", "threads"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    char text[512];
    _cleanup_error_ struct error *err = NULL;
    json_t *json = NULL;
    (void)snprintf(text, sizeof(text), "name: a\ntargets: [{url: 'http://a', %s}]\nschedule: {kind: closed}\n%s\n",
                   cases[i].target, cases[i].more);
    _cleanup_(profile_destroy_p) struct profile *profile = parse(text);
    assert_int_equal(smp_test_json(profile, &json, &err), -ENOTSUP);
    if (!strstr(error_message(err), cases[i].named))
      fail_msg("%s: %s", cases[i].named, error_message(err));
  }
}

/* A profile of our own that says more than the format can is not written as less. */
static void what_has_no_place_is_refused_by_name(void **state) {
  static const struct {
    const char *more, *named;
  } cases[] = {
      {"warmUp: 1s", "a warm-up"},        {"repetitions: 2", "repetitions"}, {"objectives: [p50 < 1s]", "objectives"},
      {"protocol: h2", "HTTP/2"},         {"fresh: true", "fresh"},          {"timeout: 1s", "timeouts"},
      {"description: x", "a description"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    char text[512];
    _cleanup_error_ struct error *err = NULL;
    json_t *json = NULL;
    (void)snprintf(text, sizeof(text), "name: a\ntargets: [{url: 'http://a'}]\nschedule: {kind: closed}\n%s\n",
                   cases[i].more);
    _cleanup_(profile_destroy_p) struct profile *profile = parse(text);
    assert_int_equal(smp_test_json(profile, &json, &err), -ENOTSUP);
    if (!strstr(error_message(err), cases[i].named))
      fail_msg("%s: %s", cases[i].more, error_message(err));
  }
}

static void a_profile_of_our_own_becomes_a_client_for_each_target(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile =
      parse("name: a\ntargets: [{url: 'http://a', weight: 3}, {url: 'http://b'}]\n"
            "schedule: {kind: constant, rate: 400}\nconnections: 8\n");
  _cleanup_free_ char *text = written(profile);
  _cleanup_(profile_destroy_p) struct profile *again = parse(text);
  (void)state;
  assert_int_equal(again->load_count, 2);
  assert_true(again->loads[0].options.schedule.rate == 300 && again->loads[1].options.schedule.rate == 100);
  assert_int_equal(again->loads[0].options.connections, 6);
}

static void a_part_of_a_request_per_second_is_not_rounded(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile =
      parse("name: a\ntargets: [{url: 'http://a', weight: 3}, {url: 'http://b'}]\n"
            "schedule: {kind: constant, rate: 10}\n");
  json_t *json = NULL;
  (void)state;
  assert_int_equal(smp_test_json(profile, &json, NULL), -ENOTSUP);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_clients_and_all_urls_are_honoured),
      cmocka_unit_test(zero_is_not_given),
      cmocka_unit_test(each_protocol_is_one_of_ours),
      cmocka_unit_test(what_is_written_reads_back_as_the_same),
      cmocka_unit_test(what_cannot_be_honoured_is_refused_with_its_place),
      cmocka_unit_test(what_has_no_place_is_refused_by_name),
      cmocka_unit_test(what_a_target_has_without_a_place_is_refused_by_name),
      cmocka_unit_test(a_profile_of_our_own_becomes_a_client_for_each_target),
      cmocka_unit_test(a_part_of_a_request_per_second_is_not_rounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
