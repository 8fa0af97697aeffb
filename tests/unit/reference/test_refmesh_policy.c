/* The reference mesh's decision, as docs/reference-mesh.md has it, and what each fault changes in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/head.h"
#include "plugins/reference/mesh/pattern.h"
#include "plugins/reference/mesh/policy.h"
#include "sdk/base/error.h"

static struct permission *permission_of(const char *json) {
  json_t *body = json_loads(json, 0, NULL);
  assert_non_null(body);
  struct permission *permission = NULL;
  struct problem problem = {0};
  if (declare_permission(body, &permission, &problem) < 0)
    fail_msg("%s: %s", strbuf_text(&problem.pointer), strbuf_text(&problem.text));
  problem_finish(&problem);
  json_decref(body);
  return permission;
}

/* A permission for client → server with the rules. */
static struct permission *permission_with(const char *rules) {
  char json[2048];
  snprintf(json, sizeof json,
           "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
           "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"client\"}],\"rules\":%s}",
           rules);
  return permission_of(json);
}

/* A head as the parser would build it; fields are name, value, …, NULL. */
static struct head head_of(const char *method, const char *target, const char *const *fields) {
  struct head head = {.method = method};
  assert_int_equal(head_add_start(&head, target, strlen(target)), 0);
  for (; fields && *fields; fields += 2) {
    assert_int_equal(head_add_name(&head, fields[0], strlen(fields[0])), 0);
    assert_int_equal(head_add_value(&head, fields[1], strlen(fields[1])), 0);
  }
  assert_int_equal(head_normalise_target(&head), 0);
  head_drop_hop_by_hop(&head);
  return head;
}

#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct account client = {"main", "client"};
static const struct account foreign_client = {"other", "client"};

static bool allows(const struct permission *const *permissions, size_t count, struct fault_set faults,
                   const struct access *access) {
  struct policy policy = {.enforced = true, .permissions = permissions, .count = count, .faults = faults};
  return policy_allows(&policy, access);
}

static bool request_allowed_with(const char *rules, const char *fault, const char *method, const char *target,
                                 const char *const *fields) {
  struct permission *permission = permission_with(rules);
  struct fault_set faults = {0};
  if (fault)
    assert_int_equal(fault_set_add(&faults, fault, NULL), 0);
  struct head head = head_of(method, target, fields);
  struct access access = {.caller = &client, .port = 8080, .protocol = PROTOCOL_HTTP, .request = &head};
  const struct permission *list[] = {permission};
  bool allowed = allows(list, 1, faults, &access);
  head_finish(&head);
  permission_destroy(permission);
  return allowed;
}

static bool request_allowed(const char *rules, const char *method, const char *target, const char *const *fields) {
  return request_allowed_with(rules, NULL, method, target, fields);
}

static bool port_allowed(const char *rules, enum protocol protocol, uint16_t port, const char *fault) {
  struct permission *permission = permission_with(rules);
  struct fault_set faults = {0};
  if (fault)
    assert_int_equal(fault_set_add(&faults, fault, NULL), 0);
  struct access access = {.caller = &client, .port = port, .protocol = protocol};
  const struct permission *list[] = {permission};
  bool allowed = allows(list, 1, faults, &access);
  permission_destroy(permission);
  return allowed;
}

static bool connection_allowed(const char *rules, uint16_t port, const char *fault) {
  return port_allowed(rules, PROTOCOL_TCP, port, fault);
}

static bool flow_allowed(const char *rules, uint16_t port, const char *fault) {
  return port_allowed(rules, PROTOCOL_UDP, port, fault);
}

#define METRICS "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/metrics\",\"methods\":[\"GET\"]}]}]"

static void test_path_is_anchored_at_its_start_only(void **state) {
  (void)state;
  assert_true(request_allowed(METRICS, "GET", "/metrics", NULL));
  assert_true(request_allowed(METRICS, "GET", "/metrics/deep?x=/y", NULL));
  assert_false(request_allowed(METRICS, "GET", "/a/metrics", NULL));
  assert_false(request_allowed(METRICS, "GET", "/a?/metrics", NULL));
  assert_false(request_allowed(METRICS, "POST", "/metrics", NULL));
  assert_false(request_allowed(METRICS, "get", "/metrics", NULL));
}

static void test_alternatives_of_a_path_are_all_anchored(void **state) {
  (void)state;
  static const char rules[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/a|/b\"}]}]";
  assert_true(request_allowed(rules, "GET", "/b", NULL));
  assert_false(request_allowed(rules, "GET", "/x/b", NULL));
}

static void test_the_query_is_not_part_of_the_path(void **state) {
  (void)state;
  static const char rules[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/a$\"}]}]";
  assert_true(request_allowed(rules, "GET", "/a?q", NULL));
  assert_false(request_allowed(rules, "GET", "/a/b", NULL));
}

static void test_absolute_form_is_matched_by_its_path(void **state) {
  (void)state;
  assert_true(request_allowed(METRICS, "GET", "http://server/metrics", FIELDS("Host", "x")));
  assert_false(request_allowed(METRICS, "GET", "http://server/other", FIELDS("Host", "x")));
  assert_false(request_allowed(METRICS, "GET", "http://metrics", FIELDS("Host", "x")));
}

static void test_a_path_that_servers_read_differently_matches_no_pattern(void **state) {
  (void)state;
  static const char *const targets[] = {
      "/metrics/../admin", "/metrics/..",       "/metrics/%2e%2E/admin", "/metrics/.%2e/admin", "/metrics/..;x/admin",
      "/metrics/./a",      "/metrics%2f..%2fa", "/metrics/..\\admin",    "/metrics%5c",         "/metrics%00"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
    if (request_allowed(METRICS, "GET", targets[i], NULL))
      fail_msg("%s was allowed", targets[i]);
  assert_true(request_allowed(METRICS, "GET", "/metrics/.hidden/...", NULL));
  assert_true(request_allowed("[{\"protocol\":\"http\"}]", "GET", "/metrics/../admin", NULL));
}

#define ENV "[{\"protocol\":\"http\",\"http\":[{\"headers\":[{\"name\":\"X-Env\",\"regex\":\"prod|test\"}]}]}]"

static void test_headers_match_whole_and_names_without_case(void **state) {
  (void)state;
  assert_true(request_allowed(ENV, "GET", "/", FIELDS("x-env", "prod")));
  assert_true(request_allowed(ENV, "PUT", "/any", FIELDS("X-ENV", "  test ")));
  assert_false(request_allowed(ENV, "GET", "/", FIELDS("x-env", "production")));
  assert_false(request_allowed(ENV, "GET", "/", FIELDS("x-env", "preprod")));
  assert_false(request_allowed(ENV, "GET", "/", FIELDS("x-env", "PROD")));
  assert_false(request_allowed(ENV, "GET", "/", NULL));
}

static void test_a_missing_header_never_matches(void **state) {
  (void)state;
  static const char rules[] =
      "[{\"protocol\":\"http\",\"http\":[{\"headers\":[{\"name\":\"x-a\",\"regex\":\".*\"}]}]}]";
  assert_false(request_allowed(rules, "GET", "/", FIELDS("x-b", "1")));
  assert_true(request_allowed(rules, "GET", "/", FIELDS("x-a", "")));
}

static void test_a_repeated_header_is_matched_joined(void **state) {
  (void)state;
  assert_false(request_allowed(ENV, "GET", "/", FIELDS("x-env", "prod", "x-env", "evil")));
  static const char both[] =
      "[{\"protocol\":\"http\",\"http\":[{\"headers\":[{\"name\":\"x-env\",\"regex\":\"a, b\"}]}]}]";
  assert_true(request_allowed(both, "GET", "/", FIELDS("x-env", "a", "X-Env", "b")));
}

static void test_a_header_that_is_not_passed_on_never_matches(void **state) {
  (void)state;
  assert_false(request_allowed(ENV, "GET", "/", FIELDS("Connection", "close, X-Env", "x-env", "prod")));
}

static void test_headers_of_a_match_are_all_needed(void **state) {
  (void)state;
  static const char rules[] = "[{\"protocol\":\"http\",\"http\":[{\"headers\":[{\"name\":\"a\",\"regex\":\"1\"},"
                              "{\"name\":\"b\",\"regex\":\"2\"}]}]}]";
  assert_true(request_allowed(rules, "GET", "/", FIELDS("a", "1", "b", "2")));
  assert_false(request_allowed(rules, "GET", "/", FIELDS("a", "1")));
  assert_false(request_allowed(rules, "GET", "/", FIELDS("a", "1", "b", "3")));
}

static void test_matches_and_rules_are_alternatives(void **state) {
  (void)state;
  static const char matches[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/a\"},{\"path\":\"/b\"}]}]";
  static const char rules[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/a\"}]},"
                              "{\"protocol\":\"http\",\"http\":[{\"path\":\"/b\"}]}]";
  assert_true(request_allowed(matches, "GET", "/b", NULL));
  assert_true(request_allowed(rules, "GET", "/b", NULL));
  assert_false(request_allowed(rules, "GET", "/c", NULL));
  assert_false(request_allowed("[]", "GET", "/a", NULL));
  assert_false(request_allowed("[{\"protocol\":\"http\",\"http\":[]}]", "GET", "/a", NULL));
}

static void test_ports_limit_a_rule(void **state) {
  (void)state;
  assert_true(request_allowed("[{\"protocol\":\"http\",\"ports\":[80,8080]}]", "GET", "/", NULL));
  assert_false(request_allowed("[{\"protocol\":\"http\",\"ports\":[80]}]", "GET", "/", NULL));
  assert_true(connection_allowed("[{\"protocol\":\"tcp\",\"ports\":[7070]}]", 7070, NULL));
  assert_false(connection_allowed("[{\"protocol\":\"tcp\",\"ports\":[7070]}]", 7071, NULL));
  assert_true(connection_allowed("[{\"protocol\":\"tcp\"}]", 7071, NULL));
}

static void test_protocols_of_rules(void **state) {
  (void)state;
  assert_true(request_allowed("[{\"protocol\":\"tcp\"}]", "GET", "/../x", NULL));
  assert_false(request_allowed("[{\"protocol\":\"udp\"}]", "GET", "/", NULL));
  assert_false(connection_allowed("[{\"protocol\":\"udp\",\"ports\":[7070]}]", 7070, NULL));
  assert_false(connection_allowed("[{\"protocol\":\"http\"}]", 7070, NULL));
}

/* As SMI's own example: TCP on three ports, UDP on two of them. */
#define APART "[{\"protocol\":\"tcp\",\"ports\":[8300,8301]},{\"protocol\":\"udp\",\"ports\":[8301]}]"

static void test_udp_is_opened_by_udp_rules_only(void **state) {
  (void)state;
  assert_true(flow_allowed(APART, 8301, NULL));
  assert_false(flow_allowed(APART, 8300, NULL));
  assert_true(connection_allowed(APART, 8300, NULL));
  assert_true(flow_allowed("[{\"protocol\":\"udp\"}]", 53, NULL));
  assert_false(flow_allowed("[{\"protocol\":\"tcp\"}]", 53, NULL));
  assert_false(flow_allowed("[{\"protocol\":\"http\"}]", 53, NULL));
  assert_false(connection_allowed("[{\"protocol\":\"udp\"}]", 53, NULL));
  struct policy closed = {.enforced = true}, open = {0};
  struct access nobody = {.port = 53, .protocol = PROTOCOL_UDP};
  assert_false(policy_allows(&closed, &nobody));
  assert_true(policy_allows(&open, &nobody));
}

static void test_faults_of_udp(void **state) {
  (void)state;
  assert_true(flow_allowed(APART, 8300, "udp-unenforced"));
  assert_true(flow_allowed("[]", 53, "udp-unenforced"));
  assert_false(connection_allowed("[]", 53, "udp-unenforced"));
  assert_true(flow_allowed(APART, 8300, "tcp-route-opens-udp"));
  assert_false(flow_allowed(APART, 8302, "tcp-route-opens-udp"));
  assert_false(connection_allowed("[{\"protocol\":\"udp\"}]", 53, "tcp-route-opens-udp"));
  assert_true(flow_allowed(APART, 8300, "udp-ports-ignored"));
  assert_false(flow_allowed("[{\"protocol\":\"tcp\"}]", 8300, "udp-ports-ignored"));
  assert_false(connection_allowed(APART, 8302, "udp-ports-ignored"));
}

static void test_only_listed_sources_of_the_same_namespace(void **state) {
  (void)state;
  struct permission *permission = permission_with("[{\"protocol\":\"tcp\"}]");
  const struct permission *list[] = {permission};
  struct fault_set none = {0}, ignore_source = {0};
  assert_int_equal(fault_set_add(&ignore_source, "ignore-source", NULL), 0);
  struct access access = {.caller = &client, .port = 1, .protocol = PROTOCOL_TCP};
  assert_true(allows(list, 1, none, &access));
  access.caller = &foreign_client;
  assert_false(allows(list, 1, none, &access));
  assert_true(allows(list, 1, ignore_source, &access));
  access.caller = NULL;
  assert_false(allows(list, 1, none, &access));
  assert_false(allows(list, 1, ignore_source, &access));
  permission_destroy(permission);
}

static void test_open_until_enforced(void **state) {
  (void)state;
  struct policy open = {0}, closed = {.enforced = true}, faulty = {.enforced = true};
  assert_int_equal(fault_set_add(&faulty.faults, "allow-by-default", NULL), 0);
  struct access access = {.port = 1, .protocol = PROTOCOL_TCP};
  assert_true(policy_allows(&open, &access));
  assert_false(policy_allows(&closed, &access));
  assert_true(policy_allows(&faulty, &access));
}

static void test_permissions_add_up(void **state) {
  (void)state;
  struct permission *a = permission_with("[{\"protocol\":\"tcp\",\"ports\":[1]}]");
  struct permission *b = permission_with("[{\"protocol\":\"tcp\",\"ports\":[2]}]");
  const struct permission *list[] = {a, b};
  struct fault_set none = {0}, first_only = {0};
  assert_int_equal(fault_set_add(&first_only, "first-target-only", NULL), 0);
  struct access access = {.caller = &client, .port = 2, .protocol = PROTOCOL_TCP};
  assert_true(allows(list, 2, none, &access));
  assert_false(allows(list, 2, first_only, &access));
  permission_destroy(a);
  permission_destroy(b);
}

static void test_faults_of_matches(void **state) {
  (void)state;
  assert_true(request_allowed_with(METRICS, "ignore-method", "POST", "/metrics", NULL));
  assert_false(request_allowed_with(METRICS, "ignore-method", "POST", "/x", NULL));
  assert_true(request_allowed_with(METRICS, "ignore-path", "GET", "/x", NULL));
  assert_false(request_allowed_with(METRICS, "ignore-path", "POST", "/x", NULL));
  assert_true(request_allowed_with(ENV, "ignore-headers", "GET", "/", NULL));
  assert_true(request_allowed_with(METRICS, "exact-only-path", "GET", "/metrics", NULL));
  assert_false(request_allowed_with(METRICS, "exact-only-path", "GET", "/metrics/a", NULL));
  assert_true(connection_allowed("[{\"protocol\":\"tcp\",\"ports\":[1]}]", 2, "ports-ignored"));
}

static void test_faults_of_paths(void **state) {
  (void)state;
  assert_true(request_allowed_with(METRICS, "unanchored-path", "GET", "/x/metrics", NULL));
  assert_false(request_allowed_with(METRICS, "unanchored-path", "GET", "/x", NULL));
  assert_true(request_allowed_with(METRICS, "prefix-by-segment", "GET", "/metrics/a", NULL));
  assert_false(request_allowed_with(METRICS, "prefix-by-segment", "GET", "/metricsa", NULL));
  static const char whole[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/metrics$\"}]}]";
  assert_true(request_allowed(whole, "GET", "/metrics?a", NULL));
  assert_false(request_allowed_with(whole, "query-in-path", "GET", "/metrics?a", NULL));
  assert_true(request_allowed_with(whole, "query-in-path", "GET", "/metrics", NULL));
  static const char any_method[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/\"}]}]";
  assert_true(request_allowed_with(any_method, "star-common-only", "POST", "/", NULL));
  assert_false(request_allowed_with(any_method, "star-common-only", "DELETE", "/", NULL));
}

static void test_faults_of_headers(void **state) {
  (void)state;
  static const char both[] = "[{\"protocol\":\"http\",\"http\":[{\"headers\":[{\"name\":\"a\",\"regex\":\"x\"},"
                             "{\"name\":\"b\",\"regex\":\"y\"}]}]}]";
  assert_true(request_allowed(both, "GET", "/", FIELDS("a", "x", "b", "y")));
  assert_true(request_allowed_with(both, "headers-ored", "GET", "/", FIELDS("b", "y")));
  assert_false(request_allowed_with(both, "headers-ored", "GET", "/", FIELDS("b", "x")));
  assert_true(request_allowed_with(both, "absent-header-matches", "GET", "/", FIELDS("a", "x")));
  assert_false(request_allowed_with(both, "absent-header-matches", "GET", "/", FIELDS("a", "y")));
  assert_true(request_allowed_with(both, "header-prefix", "GET", "/", FIELDS("a", "xx", "b", "yy")));
  assert_false(request_allowed_with(both, "header-prefix", "GET", "/", FIELDS("a", "yx", "b", "yy")));
  assert_false(request_allowed_with(both, "headers-alone-ignored", "GET", "/", FIELDS("a", "x", "b", "y")));
  assert_true(request_allowed_with(METRICS, "headers-alone-ignored", "GET", "/metrics", NULL));
}

static void test_faults_of_rules(void **state) {
  (void)state;
  static const char two[] = "[{\"protocol\":\"http\",\"ports\":[8080],\"http\":[{\"path\":\"/a\"},{\"path\":\"/b\"}]}]";
  assert_true(request_allowed_with(two, "first-match-only", "GET", "/a", NULL));
  assert_false(request_allowed_with(two, "first-match-only", "GET", "/b", NULL));
  assert_true(request_allowed_with(two, "matches-ignored", "GET", "/c", NULL));
  assert_true(request_allowed_with(two, "port-route-union", "GET", "/c", NULL));
  static const char tcp[] = "[{\"protocol\":\"tcp\",\"ports\":[3,5]}]", http[] = "[{\"protocol\":\"http\"}]";
  assert_true(connection_allowed(tcp, 3, "first-port-only"));
  assert_false(connection_allowed(tcp, 5, "first-port-only"));
  assert_true(connection_allowed(tcp, 4, "ports-as-range"));
  assert_false(connection_allowed(tcp, 6, "ports-as-range"));
  assert_false(connection_allowed(http, 1, NULL));
  assert_true(connection_allowed(http, 1, "http-rule-opens-tcp"));
}

static bool source_allowed(const char *sources, const char *fault, const struct account *caller) {
  char json[1024];
  snprintf(json, sizeof json,
           "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},\"sources\":%s,"
           "\"rules\":[{\"protocol\":\"tcp\"}]}",
           sources);
  struct permission *permission = permission_of(json);
  const struct permission *list[] = {permission};
  struct fault_set faults = {0};
  if (fault)
    assert_int_equal(fault_set_add(&faults, fault, NULL), 0);
  struct access access = {.caller = caller, .port = 1, .protocol = PROTOCOL_TCP};
  bool allowed = allows(list, 1, faults, &access);
  permission_destroy(permission);
  return allowed;
}

static void test_faults_of_sources(void **state) {
  (void)state;
  static const char both[] = "[{\"namespace\":\"other\",\"serviceAccount\":\"client\"},"
                             "{\"namespace\":\"main\",\"serviceAccount\":\"client\"}]";
  static const char foreign[] = "[{\"namespace\":\"other\",\"serviceAccount\":\"client\"}]";
  assert_true(source_allowed(both, NULL, &client));
  assert_false(source_allowed(both, "first-source-only", &client));
  assert_true(source_allowed(both, "first-source-only", &foreign_client));
  assert_false(source_allowed(foreign, NULL, &client));
  assert_true(source_allowed(foreign, "source-namespace-ignored", &client));
  assert_false(source_allowed(foreign, "foreign-sources-refused", &foreign_client));
  assert_false(source_allowed("[]", NULL, &client));
  assert_true(source_allowed("[]", "empty-means-any", &client));
}

static void test_a_pattern_that_never_ends_is_given_up(void **state) {
  (void)state;
  static const char rules[] = "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/(a*)*(a*)*(a*)*b\"}]}]";
  char target[4096];
  memset(target, 'a', sizeof target);
  target[0] = '/';
  target[sizeof target - 1] = '\0';
  assert_false(request_allowed(rules, "GET", target, NULL));
}

static int cleanup(void **state) {
  (void)state;
  pattern_cleanup();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_path_is_anchored_at_its_start_only),
      cmocka_unit_test(test_alternatives_of_a_path_are_all_anchored),
      cmocka_unit_test(test_the_query_is_not_part_of_the_path),
      cmocka_unit_test(test_absolute_form_is_matched_by_its_path),
      cmocka_unit_test(test_a_path_that_servers_read_differently_matches_no_pattern),
      cmocka_unit_test(test_headers_match_whole_and_names_without_case),
      cmocka_unit_test(test_a_missing_header_never_matches),
      cmocka_unit_test(test_a_repeated_header_is_matched_joined),
      cmocka_unit_test(test_a_header_that_is_not_passed_on_never_matches),
      cmocka_unit_test(test_headers_of_a_match_are_all_needed),
      cmocka_unit_test(test_matches_and_rules_are_alternatives),
      cmocka_unit_test(test_ports_limit_a_rule),
      cmocka_unit_test(test_protocols_of_rules),
      cmocka_unit_test(test_udp_is_opened_by_udp_rules_only),
      cmocka_unit_test(test_faults_of_udp),
      cmocka_unit_test(test_only_listed_sources_of_the_same_namespace),
      cmocka_unit_test(test_open_until_enforced),
      cmocka_unit_test(test_permissions_add_up),
      cmocka_unit_test(test_faults_of_matches),
      cmocka_unit_test(test_faults_of_paths),
      cmocka_unit_test(test_faults_of_headers),
      cmocka_unit_test(test_faults_of_rules),
      cmocka_unit_test(test_faults_of_sources),
      cmocka_unit_test(test_a_pattern_that_never_ends_is_given_up),
  };
  return cmocka_run_group_tests_name("refmesh_policy", tests, NULL, cleanup);
}
