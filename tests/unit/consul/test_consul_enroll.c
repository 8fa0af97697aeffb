/* How workloads become services of Consul, those of a process lab and pods, and what keeps a run from reaching into
 * somebody's mesh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

#define LAB                                                                                                            \
  "{\"generation\":\"1.8\",\"proxies\":\"built-in\",\"default_deny\":\"acl\",\"ports\":\"each\",\"names\":"            \
  "\"qualified\","                                                                                                     \
  "\"name_prefix\":\"t-\"}"

/* A client, a server with two ports and one of UDP, and a second workload of the server's ServiceAccount on one of
 * them, which has a Service of its own. */
struct world {
  PB(WorkloadPort) ports[3];
  PB(WorkloadPort) * port_list[3];
  PB(Workload) workloads[3];
  PB(Workload) * workload_list[3];
  PB(ServicePort) service_ports[3];
  PB(ServicePort) * service_port_list[3];
  PB(Service) services[2];
  PB(Service) * service_list[2];
  char *selected[2][1];
  PB(Inventory) inventory;
  PB(EnrollRequest) request;
};

static void add_workload(struct world *w, size_t i, const char *name, const char *account, const char *octet,
                         size_t port_count) {
  static char addresses[3][3][16];
  PB(Workload) *workload = &w->workloads[i];
  *workload = (PB(Workload))PB_INIT(WORKLOAD);
  for (unsigned k = 0; k < 3; k++)
    (void)snprintf(addresses[i][k], sizeof addresses[i][k], "127.9.%u.%s", k, octet);
  workload->name = (char *)name;
  workload->namespace_ = (char *)"main";
  workload->service_account = (char *)account;
  workload->app_address = addresses[i][0];
  workload->inbound_address = addresses[i][1];
  workload->outbound_address = addresses[i][2];
  workload->ports = w->port_list;
  workload->n_ports = port_count;
  w->workload_list[i] = workload;
}

static void add_service(struct world *w, size_t i, const char *name, size_t port_count) {
  w->services[i] = (PB(Service))PB_INIT(SERVICE);
  w->services[i].name = (char *)name;
  w->services[i].namespace_ = (char *)"main";
  w->services[i].ports = w->service_port_list;
  w->services[i].n_ports = port_count;
  w->selected[i][0] = (char *)name;
  w->services[i].workloads = w->selected[i];
  w->services[i].n_workloads = 1;
  w->service_list[i] = &w->services[i];
}

static void world_init(struct world *w) {
  static const struct {
    uint32_t port;
    PB(Protocol) protocol;
  } ports[] = {{7070, TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP},
               {8080, TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP},
               {53, TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP}};
  for (size_t i = 0; i < 3; i++) {
    w->ports[i] = (PB(WorkloadPort))PB_INIT(WORKLOAD_PORT);
    w->ports[i].port = ports[i].port;
    w->ports[i].protocol = ports[i].protocol;
    w->port_list[i] = &w->ports[i];
    w->service_ports[i] = (PB(ServicePort))PB_INIT(SERVICE_PORT);
    w->service_ports[i].port = ports[i].port;
    w->service_ports[i].target_port = ports[i].port;
    w->service_ports[i].protocol = ports[i].protocol;
    w->service_port_list[i] = &w->service_ports[i];
  }
  add_workload(w, 0, "client", "client", "1", 0);
  add_workload(w, 1, "server", "server", "2", 3);
  add_workload(w, 2, "twin", "server", "3", 1);
  add_service(w, 0, "server", 3);
  add_service(w, 1, "twin", 1);
  w->inventory = (PB(Inventory))PB_INIT(INVENTORY);
  w->inventory.workloads = w->workload_list;
  w->inventory.n_workloads = 3;
  w->inventory.services = w->service_list;
  w->inventory.n_services = 2;
  w->request = (PB(EnrollRequest))PB_INIT(ENROLL_REQUEST);
  w->request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  w->request.inventory = &w->inventory;
}

static PB(EnrollResponse) * enroll(const char *config) {
  struct world world;
  struct fake_op op;
  world_init(&world);
  fake_op_init(&op);
  assert_int_equal(adapter_call(config, "Enroll", &world.request.base, &op), TRAMMEL_OK);
  PB(EnrollResponse) *response =
      trammel__adapter__v1__enroll_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  fake_op_finish(&op);
  return response;
}

static json_t *registration(const PB(EnrollResponse) * response, const char *id) {
  for (size_t i = 0; i < response->n_registrations; i++) {
    const PB(NativeObject) *object = response->registrations[i];
    json_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
    if (strcmp(json_string_value(json_object_get(body, "ID")), id) == 0)
      return body;
    json_decref(body);
  }
  fail_msg("nothing is registered as %s", id);
  return NULL;
}

static const PB(Upstream) * upstream(const PB(EnrollResponse) * response, const char *service, uint32_t port) {
  for (size_t i = 0; i < response->n_upstreams; i++) {
    const PB(Upstream) *u = response->upstreams[i];
    if (strcmp(u->workload, "client") == 0 && strcmp(u->service, service) == 0 && u->port == port)
      return u;
  }
  fail_msg("client knows no %s:%u", service, port);
  return NULL;
}

static void each_port_is_a_service_with_a_sidecar(void **state) {
  PB(EnrollResponse) *response = enroll(LAB);
  (void)state;
  assert_int_equal(response->n_registrations, 6); /* three that call, server's two ports, twin's one */
  assert_int_equal(response->n_processes, 6);
  json_t *port = registration(response, "t-main_server_7070.server");
  assert_string_equal(json_string_value(json_object_get(port, "Name")), "t-main_server_7070");
  const json_t *sidecar = json_object_get(json_object_get(port, "Connect"), "SidecarService");
  assert_string_equal(json_string_value(json_object_get(sidecar, "Address")), "127.9.1.2");
  assert_int_equal(json_integer_value(json_object_get(sidecar, "Port")), 7070);
  const json_t *proxy = json_object_get(sidecar, "Proxy");
  assert_string_equal(json_string_value(json_object_get(proxy, "LocalServiceAddress")), "127.9.0.2");
  assert_int_equal(json_array_size(json_object_get(proxy, "Upstreams")), 0);
  json_decref(port);
  json_t *client = registration(response, "t-main_client.client");
  proxy = json_object_get(json_object_get(json_object_get(client, "Connect"), "SidecarService"), "Proxy");
  const json_t *way = json_array_get(json_object_get(proxy, "Upstreams"), 0);
  assert_string_equal(json_string_value(json_object_get(way, "DestinationName")), "t-main_server_8080");
  assert_string_equal(json_string_value(json_object_get(way, "LocalBindAddress")), "127.9.2.1");
  json_decref(client);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void there_is_no_way_to_what_consul_cannot_tell_apart(void **state) {
  PB(EnrollResponse) *response = enroll(LAB);
  (void)state;
  assert_string_equal(upstream(response, "server", 8080)->unsupported, "");
  assert_string_equal(upstream(response, "server", 8080)->address, "127.9.2.1");
  assert_non_null(strstr(upstream(response, "server", 7070)->unsupported, "one service of Consul"));
  assert_non_null(strstr(upstream(response, "twin", 7070)->unsupported, "one service of Consul"));
  assert_non_null(strstr(upstream(response, "server", 53)->unsupported, "does not carry UDP"));
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void everybody_may_call_the_lab_and_nothing_else_until_there_is_a_policy(void **state) {
  PB(EnrollResponse) *response = enroll(LAB);
  (void)state;
  assert_int_equal(response->n_plain_network, 2); /* 7070, of both workloads, and 8080 */
  for (size_t i = 0; i < response->n_plain_network; i++) {
    const PB(NativeObject) *object = response->plain_network[i];
    json_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(body, "SourceName")), "*");
    assert_memory_equal(json_string_value(json_object_get(body, "DestinationName")), "t-main_server_", 14);
    assert_string_equal(json_string_value(json_object_get(body, "Action")), "allow");
    json_decref(body);
  }
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void sidecars_are_told_the_agent_by_the_host(void **state) {
  PB(EnrollResponse) *response = enroll(LAB);
  (void)state;
  for (size_t i = 0; i < response->n_processes; i++) {
    const PB(Process) *process = response->processes[i];
    assert_string_equal(process->program, "consul");
    assert_int_equal(process->n_endpoints, 1);
    assert_string_equal(process->endpoints[0]->endpoint, "consul");
    assert_string_equal(process->endpoints[0]->url_variable, "CONSUL_HTTP_ADDR");
    assert_string_equal(process->endpoints[0]->token_file_variable, "CONSUL_HTTP_TOKEN_FILE");
  }
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void assert_refused(const char *config, const char *why) {
  struct world world;
  struct fake_op op;
  world_init(&world);
  fake_op_init(&op);
  assert_int_not_equal(adapter_call(config, "Enroll", &world.request.base, &op), TRAMMEL_OK);
  const char *summary = json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "summary"));
  assert_non_null(summary);
  assert_non_null(strstr(summary, why));
  fake_op_finish(&op);
}

/* Each would change what is not the lab's. */
static void options_that_reach_beyond_the_lab_are_refused(void **state) {
  (void)state;
  assert_refused("", "transport: http");
  assert_refused("{\"generation\":\"1.8\"}", "names: qualified");
  assert_refused("{\"generation\":\"1.8\",\"names\":\"qualified\",\"name_prefix\":\"t-\"}", "default_deny: acl");
  assert_refused("{\"generation\":\"1.8\",\"names\":\"qualified\",\"default_deny\":\"acl\"}", "name_prefix");
}

static void names_are_qualified_by_the_http_api_only(void **state) {
  struct world world;
  struct fake_op op;
  (void)state;
  world_init(&world);
  fake_op_init(&op);
  assert_int_equal(adapter_call("{\"names\":\"qualified\"}", "Enroll", &world.request.base, &op),
                   TRAMMEL_INVALID_ARGUMENT);
  fake_op_finish(&op);
}

/* ---- Kubernetes */

static PB(EnrollResponse) * enroll_pods(const char *config, PB(EnrollScope) scope) {
  struct world world;
  struct fake_op op;
  world_init(&world);
  fake_op_init(&op);
  world.request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  world.request.scope = scope;
  assert_int_equal(adapter_call(config, "Enroll", &world.request.base, &op), TRAMMEL_OK);
  PB(EnrollResponse) *response =
      trammel__adapter__v1__enroll_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  assert_int_equal(response->scope, scope);
  assert_int_equal(response->n_sidecars, 1);
  assert_string_equal(response->sidecars[0], "consul-dataplane");
  assert_int_equal(response->n_registrations + response->n_processes, 0);
  assert_int_equal(response->n_namespace_labels + response->n_namespace_annotations, 0);
  fake_op_finish(&op);
  return response;
}

/* The annotations of the overlay as text, sorted. */
static char *annotations_of(const PB(EnrollResponse) * response) {
  json_t *overlay =
      json_loadb((const char *)response->pod_template_overlay.data, response->pod_template_overlay.len, 0, NULL);
  char *text = json_dumps(json_object_get(json_object_get(overlay, "metadata"), "annotations"), JSON_SORT_KEYS);
  assert_non_null(text);
  json_decref(overlay);
  return text;
}

static void pods_are_injected_and_a_labs_control_port_stays_out(void **state) {
  (void)state;
  PB(EnrollResponse) *response =
      enroll_pods("{\"namespaces\":true}", TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_UNSPECIFIED);
  char *annotations = annotations_of(response);
  assert_string_equal(annotations, "{\"consul.hashicorp.com/connect-inject\": \"true\", "
                                   "\"consul.hashicorp.com/transparent-proxy\": \"true\", "
                                   "\"consul.hashicorp.com/transparent-proxy-exclude-inbound-ports\": \"9901\"}");
  free(annotations);
  assert_int_equal(response->n_plain_network, 0);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
  response = enroll_pods("", TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_WORKLOAD);
  annotations = annotations_of(response);
  assert_string_equal(annotations, "{\"consul.hashicorp.com/connect-inject\": \"true\"}");
  free(annotations);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void on_a_mesh_that_denies_pods_of_a_lab_may_be_called_until_there_is_a_policy(void **state) {
  (void)state;
  PB(EnrollResponse) *response = enroll_pods("{\"default_deny\":\"acl\",\"namespaces\":true}",
                                             TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_UNSPECIFIED);
  assert_int_equal(response->n_plain_network, 1);
  json_t *body =
      json_loadb((const char *)response->plain_network[0]->body.data, response->plain_network[0]->body.len, 0, NULL);
  assert_string_equal(json_string_value(json_object_get(body, "kind")), "ServiceIntentions");
  json_decref(body);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static void assert_pods_refused(const char *config, PB(EnrollScope) scope, int status, const char *why) {
  struct world world;
  struct fake_op op;
  world_init(&world);
  fake_op_init(&op);
  world.request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  world.request.scope = scope;
  assert_int_equal(adapter_call(config, "Enroll", &world.request.base, &op), status);
  const char *summary = json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "summary"));
  assert_non_null(summary);
  assert_non_null(strstr(summary, why));
  fake_op_finish(&op);
}

static void what_consul_k8s_cannot_do_is_refused(void **state) {
  const PB(EnrollScope) workload = TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_WORKLOAD;
  (void)state;
  assert_pods_refused("{\"default_deny\":\"acl\"}", TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_UNSPECIFIED,
                      TRAMMEL_FAILED_PRECONDITION, "set namespaces: true");
  assert_pods_refused("", TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_NAMESPACE, TRAMMEL_UNIMPLEMENTED,
                      "name each workload");
  assert_pods_refused("{\"generation\":\"1.8\"}", workload, TRAMMEL_FAILED_PRECONDITION, "generation");
  assert_pods_refused("{\"proxies\":\"built-in\"}", workload, TRAMMEL_FAILED_PRECONDITION, "proxies");
  assert_pods_refused("{\"transport\":\"http\",\"names\":\"qualified\"}", workload, TRAMMEL_FAILED_PRECONDITION,
                      "names");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pods_are_injected_and_a_labs_control_port_stays_out),
      cmocka_unit_test(on_a_mesh_that_denies_pods_of_a_lab_may_be_called_until_there_is_a_policy),
      cmocka_unit_test(what_consul_k8s_cannot_do_is_refused),
      cmocka_unit_test(each_port_is_a_service_with_a_sidecar),
      cmocka_unit_test(there_is_no_way_to_what_consul_cannot_tell_apart),
      cmocka_unit_test(everybody_may_call_the_lab_and_nothing_else_until_there_is_a_policy),
      cmocka_unit_test(sidecars_are_told_the_agent_by_the_host),
      cmocka_unit_test(options_that_reach_beyond_the_lab_are_refused),
      cmocka_unit_test(names_are_qualified_by_the_http_api_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
