/* Topologies: what is read, and what each mistake is told as. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/lab/topology.h"

struct reading {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct topology topology;
  int result;
};

static void reading_finish(struct reading *reading) {
  diagnostics_destroy(reading->diagnostics);
  arena_destroy(reading->arena);
}

static struct reading read_topology(const char *text) {
  struct reading reading = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  struct document_list documents;
  assert_non_null(reading.arena);
  assert_non_null(reading.diagnostics);
  assert_int_equal(document_read(reading.arena, "t.yaml", text, strlen(text), DOCUMENT_YAML, &document_limits_default,
                                 reading.diagnostics, &documents),
                   0);
  assert_int_equal(documents.count, 1);
  reading.result = topology_read(reading.arena, "small", documents.roots[0], reading.diagnostics, &reading.topology);
  return reading;
}

static void test_a_topology_is_read(void **state) {
  (void)state;
  _cleanup_(reading_finish) struct reading reading =
      read_topology("workloads:\n"
                    "  - {name: client, service_account: caller}\n"
                    "  - {name: server, namespace: other, ports: [{port: 8081}, {port: 53, protocol: udp}]}\n"
                    "services:\n"
                    "  - name: web\n"
                    "    namespace: other\n"
                    "    workloads: [server]\n"
                    "    ports: [{port: 80, target_port: 8081}, {name: dns, port: 53, protocol: udp}]\n");
  const struct topology *topology = &reading.topology;
  assert_int_equal(reading.result, 0);
  assert_int_equal(diagnostics_count(reading.diagnostics), 0);
  const struct topology_workload *client = topology_workload_find(topology, "main", "client");
  assert_non_null(client);
  assert_string_equal(client->service_account, "caller");
  assert_string_equal(client->deployment, "client");
  assert_int_equal(client->port_count, 0);
  const struct topology_workload *server = topology_workload_find(topology, "other", "server");
  assert_non_null(server);
  assert_string_equal(server->service_account, "server");
  assert_null(topology_workload_find(topology, "main", "server"));
  const struct topology_service *web = topology_service_find(topology, "other", "web");
  assert_non_null(web);
  assert_int_equal(web->workload_count, 1);
  assert_string_equal(web->workloads[0], "server");
  assert_string_equal(web->ports[0].name, "http-80");
  assert_int_equal(web->ports[0].target_port, 8081);
  assert_string_equal(web->ports[1].name, "dns");
  assert_int_equal(web->ports[1].protocol, PROTOCOL_UDP);
  assert_non_null(topology_port_find(web->ports, web->port_count, 53, PROTOCOL_UDP));
  assert_null(topology_port_find(web->ports, web->port_count, 53, PROTOCOL_TCP));
}

static void test_port_to(void **state) {
  (void)state;
  _cleanup_(reading_finish) struct reading reading =
      read_topology("workloads:\n"
                    "  - {name: a, ports: [{port: 8081}, {port: 53, protocol: udp}]}\n"
                    "  - {name: b, ports: [{port: 8081}]}\n"
                    "services:\n"
                    "  - {name: both, workloads: [a, b], ports: [{port: 80, target_port: 8081}]}\n"
                    "  - {name: only-a, workloads: [a], ports: [{port: 81, target_port: 8081}]}\n");
  const struct topology *topology = &reading.topology;
  const struct topology_service *service = NULL;
  assert_int_equal(reading.result, 0);
  const struct topology_port *port = topology_port_to(topology, "main/a", 8081, PROTOCOL_HTTP, &service);
  assert_non_null(port);
  assert_int_equal(port->port, 81);
  assert_string_equal(service->name, "only-a");
  assert_null(topology_port_to(topology, "main/a", 81, PROTOCOL_HTTP, &service));
  assert_null(topology_port_to(topology, "main/a", 8081, PROTOCOL_TCP, &service));
  assert_null(topology_port_to(topology, "main/a", 53, PROTOCOL_UDP, &service));
  assert_null(topology_port_to(topology, "main/b", 8081, PROTOCOL_HTTP, &service)); /* may come to a as well */
  assert_null(topology_port_to(topology, "other/a", 8081, PROTOCOL_HTTP, &service));
  assert_null(topology_port_to(topology, "a", 8081, PROTOCOL_HTTP, &service));
}

struct mistake {
  const char *text;
  const char *code;
  const char *pointer;
};

static void test_mistakes(void **state) {
  static const struct mistake mistakes[] = {
      {"[]", "TOPO-0003", ""},
      {"{workloads: [], services: [], pods: []}", "TOPO-0001", "/pods"},
      {"{workloads: []}", "TOPO-0002", ""},
      {"{workloads: {}, services: []}", "TOPO-0003", "/workloads"},
      {"{workloads: [{}], services: []}", "TOPO-0002", "/workloads/0"},
      {"{workloads: [{name: Big}], services: []}", "TOPO-0003", "/workloads/0/name"},
      {"{workloads: [{name: a}, {name: a}], services: []}", "TOPO-0005", "/workloads/1"},
      {"{workloads: [{name: a, ports: [{port: 0}]}], services: []}", "TOPO-0003", "/workloads/0/ports/0/port"},
      {"{workloads: [{name: a, ports: [{port: 70000}]}], services: []}", "TOPO-0003", "/workloads/0/ports/0/port"},
      {"{workloads: [{name: a, ports: [{port: 1, protocol: sctp}]}], services: []}", "TOPO-0003",
       "/workloads/0/ports/0/protocol"},
      {"{workloads: [{name: a, ports: [{port: 1}, {port: 1, protocol: tcp}]}], services: []}", "TOPO-0005",
       "/workloads/0/ports/1"},
      {"{workloads: [{name: a, ports: [{port: 1, target_port: 2}]}], services: []}", "TOPO-0001",
       "/workloads/0/ports/0/target_port"},
      {"{workloads: [{name: a}], services: [{name: s, ports: [], workloads: [b]}]}", "TOPO-0006",
       "/services/0/workloads/0"},
      {"{workloads: [{name: a, namespace: x}], services: [{name: s, ports: [], workloads: [a]}]}", "TOPO-0006",
       "/services/0/workloads/0"},
      {"{workloads: [{name: a, ports: [{port: 1}]}], services: [{name: s, ports: [{port: 2}], workloads: [a]}]}",
       "TOPO-0007", "/services/0/workloads/0"},
      {"{workloads: [{name: a, ports: [{port: 1}]}], services: [{name: s, ports: [{port: 1, protocol: tcp}], "
       "workloads: [a]}]}",
       "TOPO-0007", "/services/0/workloads/0"},
      {"{workloads: [{name: a, deployment: d, service_account: x}, {name: b, deployment: d, service_account: y}], "
       "services: []}",
       "TOPO-0008", "/workloads/1"},
      {"{workloads: [{name: a, ports: [{port: 1}]}, {name: b, deployment: a, service_account: a}], services: []}",
       "TOPO-0008", "/workloads/1"},
      {"{workloads: [{name: a, ports: [{port: 1}]}, {name: b, deployment: a, service_account: a, ports: [{port: 2}]}], "
       "services: []}",
       "TOPO-0008", "/workloads/1"},
      {"{workloads: [{name: a, deployment: A}], services: []}", "TOPO-0003", "/workloads/0/deployment"},
      {"{workloads: [], services: [{name: s, ports: [], workloads: []}, {name: s, ports: [], workloads: []}]}",
       "TOPO-0005", "/services/1"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
    _cleanup_(reading_finish) struct reading reading = read_topology(mistakes[i].text);
    assert_int_equal(reading.result, -EINVAL);
    assert_int_equal(diagnostics_count(reading.diagnostics), 1);
    const struct diagnostic *diagnostic = diagnostics_at(reading.diagnostics, 0);
    assert_string_equal(diagnostic->code, mistakes[i].code);
    assert_string_equal(diagnostic->pointer, mistakes[i].pointer);
    assert_int_equal(diagnostic->position.line, 1);
  }
}

static void test_pods_of_one_deployment(void **state) {
  (void)state;
  _cleanup_(reading_finish) struct reading reading =
      read_topology("workloads:\n"
                    "  - {name: a, deployment: web, service_account: web, ports: [{port: 1}, {port: 2}]}\n"
                    "  - {name: b, deployment: web, service_account: web, ports: [{port: 2}, {port: 1}]}\n"
                    "  - {name: a, namespace: other, deployment: web}\n"
                    "services: []\n");
  assert_int_equal(reading.result, 0);
  assert_string_equal(topology_workload_find(&reading.topology, "main", "a")->deployment, "web");
  assert_string_equal(topology_workload_find(&reading.topology, "main", "b")->deployment, "web");
}

static void test_too_many_workloads(void **state) {
  char text[4096] = "workloads:\n";
  size_t length = strlen(text);
  (void)state;
  for (int i = 0; i <= TOPOLOGY_WORKLOADS_MAX; i++)
    length += (size_t)snprintf(text + length, sizeof(text) - length, "  - {name: w%d}\n", i);
  (void)snprintf(text + length, sizeof(text) - length, "services: []\n");
  _cleanup_(reading_finish) struct reading reading = read_topology(text);
  assert_int_equal(reading.result, -EINVAL);
  assert_string_equal(diagnostics_at(reading.diagnostics, 0)->code, "TOPO-0004");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_topology_is_read), cmocka_unit_test(test_port_to),
      cmocka_unit_test(test_mistakes),           cmocka_unit_test(test_pods_of_one_deployment),
      cmocka_unit_test(test_too_many_workloads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
