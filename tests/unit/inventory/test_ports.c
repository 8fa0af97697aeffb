/* Where the ports of services lead, and which protocol is spoken there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/unit/inventory/support.h"

/* A pod with these ports, and a service of all pods with those. */
static struct reading read_ports(const char *of_pod, const char *of_service) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(
      &text,
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: x}}\nspec: {containers: [{ports: [%s]}]}\n"
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: x}, ports: [%s]}\n",
      of_pod, of_service);
  return read_inventory(strbuf_text(&text), NULL);
}

static void expect_ports(const char *of_pod, const char *of_service, const char *expected) {
  _cleanup_reading_ struct reading reading = read_ports(of_pod, of_service);
  assert_int_equal(reading.result, 0);
  assert_string_equal(summary(&reading), expected);
}

static void a_target_is_a_number_a_name_or_the_port(void **state) {
  (void)state;
  expect_ports("", "{name: http, port: 80}", "default/p(default)[80/http]{app=x} | default/s[http:80>80/http]->p");
  expect_ports("", "{name: http, port: 80, targetPort: 0}",
               "default/p(default)[80/http]{app=x} | default/s[http:80>80/http]->p");
  expect_ports("", "{name: http, port: 80, targetPort: 8080}",
               "default/p(default)[8080/http]{app=x} | default/s[http:80>8080/http]->p");
  expect_ports("{name: web, containerPort: 8080}", "{name: http, port: 80, targetPort: web}",
               "default/p(default)[8080/http]{app=x} | default/s[http:80>8080/http]->p");
  /* TCP and UDP have names and numbers of their own. */
  expect_ports("{name: dns, containerPort: 53, protocol: UDP}, {name: dns, containerPort: 5353}",
               "{name: dns, port: 53, protocol: UDP, targetPort: dns}, {name: tcp-dns, port: 53, targetPort: dns}",
               "default/p(default)[53/udp 5353/tcp]{app=x} | default/s[dns:53>53/udp tcp-dns:53>5353/tcp]->p");
}

static void the_protocol_is_what_app_protocol_or_the_name_says(void **state) {
  static const struct {
    const char *port, *protocol;
  } cases[] = {
      {"name: http", "http"},
      {"name: http-web", "http"},
      {"name: http2", "http"},
      {"name: http2-web", "http"},
      {"name: grpc", "http"},
      {"name: grpc-web", "http"},
      {"name: HTTP-web", "http"},
      {"name: tcp", "tcp"},
      {"name: tcp-http", "tcp"},
      {"name: https", "tcp"},
      {"name: tls-x", "tcp"},
      {"name: redis", "tcp"},
      {"name: x, appProtocol: http", "http"},
      {"name: tcp, appProtocol: grpc", "http"},
      {"name: http, appProtocol: tcp", "tcp"},
      {"name: http, appProtocol: https", "tcp"},
      {"name: x, appProtocol: kubernetes.io/h2c", "http"},
      {"name: x, appProtocol: kubernetes.io/ws", "http"},
      {"name: x, appProtocol: kubernetes.io/wss", "tcp"},
      {"name: http, appProtocol: example.org/own", "tcp"},
      {"name: http, protocol: UDP", "udp"},
      {"name: udp-x", "tcp"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    char port[100], expected[40];
    (void)snprintf(port, sizeof port, "{port: 80, %s}", cases[i].port);
    (void)snprintf(expected, sizeof expected, ":80>80/%s]->p", cases[i].protocol);
    _cleanup_reading_ struct reading reading = read_ports("", port);
    assert_int_equal(reading.result, 0);
    if (!strstr(summary(&reading), expected))
      fail_msg("%s: %s", cases[i].port, summary(&reading));
    (void)snprintf(expected, sizeof expected, "[80/%s]", cases[i].protocol); /* the workload's port is the same */
    assert_non_null(strstr(summary(&reading), expected));
    assert_int_equal(diagnostics_count(reading.diagnostics), 0);
  }
}

static void a_service_that_says_nothing_has_the_containers_protocol(void **state) {
  (void)state;
  expect_ports("{name: tcp-x, containerPort: 80}", "{port: 80}",
               "default/p(default)[80/tcp]{app=x} | default/s[:80>80/tcp]->p");
  /* What a service says outweighs what a container's port is called. */
  expect_ports("{name: tcp-x, containerPort: 80}", "{name: http, port: 80}",
               "default/p(default)[80/http]{app=x} | default/s[http:80>80/http]->p");
}

static void a_port_that_says_nothing_is_the_default(void **state) {
  static const char text[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: x}}\n"
                             "spec: {containers: [{ports: [{containerPort: 9}]}]}\n---\n"
                             "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
                             "spec: {selector: {app: x}, ports: [{port: 80}]}\n";
  (void)state;
  _cleanup_reading_ struct reading http = read_inventory(text, NULL);
  assert_string_equal(summary(&http), "default/p(default)[9/http 80/http]{app=x} | default/s[:80>80/http]->p");
  expect_only(&http, "INV-0015", "2 ports: nothing says the protocol; this one is the first, and http is assumed");
  assert_int_equal(diagnostics_at(http.diagnostics, 0)->severity, SEVERITY_INFO);
  _cleanup_reading_ struct reading tcp = read_inventory(
      text, &(struct inventory_options){.default_protocol = TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP});
  assert_string_equal(summary(&tcp), "default/p(default)[9/tcp 80/tcp]{app=x} | default/s[:80>80/tcp]->p");
}

static void what_leads_nowhere_is_left_out_and_told(void **state) {
  (void)state;
  _cleanup_reading_ struct reading name = read_ports("{name: web, containerPort: 80}", "{port: 80, targetPort: wbe}");
  assert_int_equal(name.result, 0);
  assert_string_equal(diagnostics_at(name.diagnostics, 0)->code, "INV-0012");
  assert_non_null(strstr(summary(&name), "default/s[]->p"));
  _cleanup_reading_ struct reading sctp = read_ports("", "{port: 80, protocol: SCTP}");
  assert_int_equal(sctp.result, 0);
  expect_only(&sctp, "INV-0012", "SCTP");
}

#define POD(NAME, PORT)                                                                                                \
  "apiVersion: v1\nkind: Pod\nmetadata: {name: " NAME ", labels: {app: x}}\n"                                          \
  "spec: {containers: [{ports: [{name: http, containerPort: " PORT "}]}]}\n---\n"

static void a_name_with_two_numbers_is_told(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading =
      read_inventory(POD("a", "8080") POD("b", "9090") "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
                                                       "spec: {selector: {app: x}, ports: [{port: 80, name: http, "
                                                       "targetPort: http}]}\n",
                     NULL);
  assert_int_equal(reading.result, 0);
  expect_only(&reading, "INV-0013", "is 8080 in a, and 9090 in b; 8080 is taken");
}

static void services_that_disagree_leave_tcp(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading =
      read_inventory(POD("a", "80") "apiVersion: v1\nkind: Service\nmetadata: {name: one}\n"
                                    "spec: {selector: {app: x}, ports: [{port: 80, name: http}]}\n---\n"
                                    "apiVersion: v1\nkind: Service\nmetadata: {name: two}\n"
                                    "spec: {selector: {app: x}, ports: [{port: 80, name: tcp}]}\n",
                     NULL);
  assert_int_equal(reading.result, 0);
  expect_only(&reading, "INV-0014", "default/two says tcp of port 80 of the workload a, which is http elsewhere");
  assert_non_null(strstr(summary(&reading), "default/a(default)[80/tcp]"));
}

static void containers_may_list_a_port_twice(void **state) {
  (void)state;
  expect_ports("{name: http, containerPort: 80}, {containerPort: 80}", "",
               "default/p(default)[80/http]{app=x} | default/s[]->p");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_target_is_a_number_a_name_or_the_port),
      cmocka_unit_test(the_protocol_is_what_app_protocol_or_the_name_says),
      cmocka_unit_test(a_service_that_says_nothing_has_the_containers_protocol),
      cmocka_unit_test(a_port_that_says_nothing_is_the_default),
      cmocka_unit_test(what_leads_nowhere_is_left_out_and_told),
      cmocka_unit_test(a_name_with_two_numbers_is_told),
      cmocka_unit_test(services_that_disagree_leave_tcp),
      cmocka_unit_test(containers_may_list_a_port_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
