/* Trammel's own form of an inventory: read, written, and read back as the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/adapter/inventory.h"
#include "sdk/base/strbuf.h"
#include "tests/unit/inventory/support.h"

static const char topology[] = "workloads:\n"
                               "- {name: client, service_account: caller, ports: []}\n"
                               "- {name: server, namespace: other, deployment: d, ports: [{port: 8080}, "
                               "{port: 53, protocol: udp}]}\n"
                               "- {name: guest, mesh: false}\n"
                               "services:\n"
                               "- {name: web, namespace: other, workloads: [server], ports: [{port: 80, target_port: "
                               "8080}, {name: dns, port: 53, protocol: udp}, {port: 9, protocol: tcp}]}\n";

static void the_form_of_a_topology_is_read(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading = read_inventory(topology, &(struct inventory_options){.only = true});
  diagnostics_print(reading.diagnostics, stderr);
  assert_int_equal(reading.result, 0);
  assert_int_equal(diagnostics_count(reading.diagnostics), 0);
  assert_string_equal(summary(&reading), "default/client(caller)[]{app=client,deployment=client}; "
                                         "other/server(server)[8080/http 53/udp 9/tcp]{app=server,deployment=d} | "
                                         "other/web[:80>8080/http dns:53>53/udp :9>9/tcp]->server");
}

static void labels_are_those_written(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading =
      read_inventory("workloads: [{name: a, labels: {x: 'y'}}, {name: b, labels: {}}]\n", NULL);
  assert_string_equal(summary(&reading), "default/a(a)[]{x=y}; default/b(b)[]{} | ");
}

/* Written, read again, and written again: the same, from manifests as well. */
static void what_is_written_reads_back_as_the_same(void **state) {
  static const char *const texts[] = {
      topology,
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a.b/c: 'true', empty: ''}}\n"
      "spec: {serviceAccountName: sa, containers: [{ports: [{containerPort: 1}, {containerPort: 2, protocol: UDP}]}]}\n"
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {empty: ''}, ports: [{port: 80}]}\n"
      "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n",
      "workloads: []\n",
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
    _cleanup_strbuf_ struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
    _cleanup_reading_ struct reading first = read_inventory(texts[i], NULL);
    json_t *json = inventory_to_json(&first.found);
    assert_int_equal(yaml_write(json, &once), 0);
    json_decref(json);
    _cleanup_reading_ struct reading second = read_inventory(strbuf_text(&once), NULL);
    diagnostics_print(second.diagnostics, stderr);
    assert_int_equal(second.result, 0);
    assert_int_equal(diagnostics_count(second.diagnostics), 0);
    json = inventory_to_json(&second.found);
    assert_int_equal(yaml_write(json, &twice), 0);
    json_decref(json);
    assert_string_equal(strbuf_text(&once), strbuf_text(&twice));
    assert_string_equal(summary(&first), summary(&second));
  }
}

/* What the host sends must be what the typed layer of adapters takes. */
static void adapters_take_the_message(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading = read_inventory(topology, NULL);
  struct inventory taken;
  assert_int_equal(inventory_from_wire(reading.arena, reading.found.message, &taken, NULL), 0);
  const struct inventory_service *web = inventory_service(&taken, "other", "web");
  assert_non_null(web);
  assert_int_equal(inventory_service_port(web, 80, PORT_HTTP)->target_port, 8080);
  assert_int_equal(inventory_workload(&taken, "other", "server")->port_count, 3);
}

static void mistakes_are_told(void **state) {
  static const struct {
    const char *text, *code, *pointer;
  } cases[] = {
      {"workloads: [{name: a, nmae: b}]\n", "INV-0001", "/workloads/0/nmae"},
      {"workloads: [{}]\n", "INV-0002", "/workloads/0"},
      {"workloads: 3\n", "INV-0003", "/workloads"},
      {"workloads: [{name: a, ports: [{port: 1, protocol: sctp}]}]\n", "INV-0003", "/workloads/0/ports/0/protocol"},
      {"workloads: [{name: a, ports: [{port: 1}, {port: 1}]}]\n", "INV-0005", "/workloads/0/ports/1"},
      {"workloads: [{name: a}, {name: a}]\n", "INV-0005", "/workloads/1"},
      {"workloads: [{name: a, namespace: n}]\nservices: [{name: s, workloads: [a]}]\n", "INV-0010",
       "/services/0/workloads/0"},
      {"services: []\nworkload: []\n", "INV-0001", "/workload"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    _cleanup_reading_ struct reading reading = read_inventory(cases[i].text, NULL);
    assert_int_equal(reading.result, -EINVAL);
    expect_only(&reading, cases[i].code, "");
    assert_string_equal(diagnostics_at(reading.diagnostics, 0)->pointer, cases[i].pointer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_form_of_a_topology_is_read),
      cmocka_unit_test(labels_are_those_written),
      cmocka_unit_test(what_is_written_reads_back_as_the_same),
      cmocka_unit_test(adapters_take_the_message),
      cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
