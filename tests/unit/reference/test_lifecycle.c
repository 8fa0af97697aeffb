/* Enroll, Plan, Detect, Metrics and configuration of the reference adapter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/faults.h"
#include "tests/unit/reference/fixture.h"

#define UNPACK(name, op) trammel__adapter__v1__##name##__unpack(NULL, (op)->length, (const uint8_t *)(op)->message)
#define FREE(name, message) trammel__adapter__v1__##name##__free_unpacked((message), NULL)

static json_t *body_of(PB(EnrollResponse) * response, const char *id) {
  for (size_t i = 0; i < response->n_registrations; i++)
    if (strcmp(response->registrations[i]->id, id) == 0)
      return json_loadb((const char *)response->registrations[i]->body.data, response->registrations[i]->body.len, 0,
                        NULL);
  fail_msg("no registration %s", id);
  return NULL;
}

static PB(EnrollResponse) * enroll(struct fake_op *op) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  request.inventory = (PB(Inventory) *)(uintptr_t)fixture_inventory();
  assert_int_equal(adapter_call("", "Enroll", &request.base, op), TRAMMEL_OK);
  PB(EnrollResponse) *response = UNPACK(enroll_response, op);
  assert_non_null(response);
  return response;
}

static void workloads_and_services_are_registered(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  PB(EnrollResponse) *response = enroll(&op);
  assert_int_equal(response->n_registrations, 6);
  assert_string_equal(response->registrations[0]->id, "services/main/client");
  assert_string_equal(response->registrations[5]->id, "workloads/other/client");
  assert_true(response->registrations[5]->wave > response->registrations[0]->wave);
  json_t *found = body_of(response, "services/main/server");
  json_t *wanted = json_loads("{\"ports\":[{\"port\":80,\"targetPort\":8080,\"protocol\":\"http\"},"
                              "{\"port\":9000,\"targetPort\":9000,\"protocol\":\"tcp\"},"
                              "{\"port\":53,\"targetPort\":53,\"protocol\":\"udp\"}],\"workloads\":[\"server\"]}",
                              0, NULL);
  assert_true(json_equal(found, wanted));
  json_decref(found);
  json_decref(wanted);
  found = body_of(response, "workloads/main/client");
  wanted = json_loads("{\"serviceAccount\":\"client\",\"app\":\"127.9.0.1\",\"inbound\":\"127.9.1.1\","
                      "\"outbound\":\"127.9.2.1\",\"labels\":{\"role\":\"front\",\"tier\":\"edge\"},"
                      "\"ports\":[{\"port\":8080,\"protocol\":\"http\"},{\"port\":9000,\"protocol\":\"tcp\"},"
                      "{\"port\":53,\"protocol\":\"udp\"}],"
                      "\"upstreams\":[{\"namespace\":\"main\",\"service\":\"client\",\"port\":80,\"listen\":20000},"
                      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":80,\"listen\":20001},"
                      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":9000,\"listen\":20002},"
                      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":53,\"listen\":20003,"
                      "\"transport\":\"udp\"}]}",
                      0, NULL);
  assert_true(json_equal(found, wanted));
  json_decref(found);
  json_decref(wanted);
  FREE(enroll_response, response);
  fake_op_finish(&op);
}

static void every_workload_reaches_every_service_port(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  PB(EnrollResponse) *response = enroll(&op);
  assert_int_equal(response->n_upstreams, 4 * 4);
  for (size_t i = 0; i < response->n_upstreams; i++)
    assert_true((response->upstreams[i]->port == 53) ==
                (response->upstreams[i]->protocol == TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP));
  for (size_t i = 0; i < response->n_upstreams; i++)
    for (size_t j = 0; j < i; j++)
      assert_false(response->upstreams[i]->listen_port == response->upstreams[j]->listen_port &&
                   strcmp(response->upstreams[i]->address, response->upstreams[j]->address) == 0);
  FREE(enroll_response, response);
  fake_op_finish(&op);
}

static void addresses_outside_the_machine_are_refused(void **state) {
  (void)state;
  PB(Workload) workload = PB_INIT(WORKLOAD), *list[] = {&workload};
  PB(Inventory) inventory = PB_INIT(INVENTORY);
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  static char name[] = "w", loopback[] = "127.0.0.1", elsewhere[] = "10.0.0.1";
  workload.name = workload.namespace_ = name;
  workload.app_address = workload.inbound_address = loopback;
  workload.outbound_address = elsewhere;
  inventory.n_workloads = 1;
  inventory.workloads = list;
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  request.inventory = &inventory;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(adapter_call("", "Enroll", &request.base, &op), TRAMMEL_INVALID_ARGUMENT);
  assert_int_equal(op.emitted, 0);
  fake_op_finish(&op);
}

static PB(PlanResponse) * plan(const char *config, const char *address, int expected, struct fake_op *op) {
  PB(PlanRequest) request = PB_INIT(PLAN_REQUEST);
  request.action = TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL;
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  request.address = (char *)(uintptr_t)address;
  assert_int_equal(adapter_call(config, "Plan", &request.base, op), expected);
  return expected == TRAMMEL_OK ? UNPACK(plan_response, op) : NULL;
}

static void install_starts_the_mesh(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  PB(PlanResponse) *response = plan("", "127.3.0.1", TRAMMEL_OK, &op);
  assert_int_equal(response->n_steps, 1);
  const PB(Process) *process = response->steps[0]->process;
  assert_string_equal(process->program, "trammel-refmesh");
  assert_int_equal(process->n_arguments, 4);
  assert_string_equal(process->arguments[1], "127.3.0.1:15000");
  assert_string_equal(process->arguments[3], "trammel.test");
  assert_string_equal(process->ready->path, "/v1/ready");
  assert_int_equal(response->steps[0]->n_endpoints, 1);
  assert_string_equal(response->steps[0]->endpoints[0]->endpoint, "control");
  assert_string_equal(response->steps[0]->endpoints[0]->url, "http://127.3.0.1:15000");
  FREE(plan_response, response);
  fake_op_finish(&op);
  fake_op_init(&op);
  assert_null(plan("", "0.0.0.0", TRAMMEL_INVALID_ARGUMENT, &op));
  fake_op_finish(&op);
}

static void every_fault_can_be_configured(void **state) {
  (void)state;
#define NAME(enumerator, name, requirement, what) name,
  static const char *const faults[] = {REFERENCE_FAULTS(NAME)};
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    json_t *config = json_pack("{s:s}", "fault", faults[i]);
    char *text = json_dumps(config, 0);
    struct fake_op op;
    fake_op_init(&op);
    PB(PlanResponse) *response = plan(text, "127.3.0.1", TRAMMEL_OK, &op);
    const PB(Process) *process = response->steps[0]->process;
    assert_int_equal(process->n_arguments, 6);
    assert_string_equal(process->arguments[4], "--fault");
    assert_string_equal(process->arguments[5], faults[i]);
    FREE(plan_response, response);
    fake_op_finish(&op);
    free(text);
    json_decref(config);
  }
}

static void configurations_outside_the_schema_are_refused(void **state) {
  (void)state;
  static const char *const configs[] = {
      "{\"fault\":\"nonsense\"}",
      "{\"fault\":3}",
      "{\"unknown\":1}",
      "{\"trust_domain\":\"--fault\"}",
      "[]",
      "{",
      "nul",
  };
  for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
    struct fake_op op;
    fake_op_init(&op);
    assert_null(plan(configs[i], "127.3.0.1", TRAMMEL_INVALID_ARGUMENT, &op));
    assert_true(json_array_size(op.diagnostics) > 0);
    fake_op_finish(&op);
  }
}

static void detect_tells_absent_from_another_from_ready(void **state) {
  (void)state;
  static const struct {
    const char *body;
    unsigned status;
    bool present;
  } cases[] = {{NULL, 0, false},
               {"<html>", 200, false},
               {"{\"version\":\"1\"}", 500, false},
               {"{\"version\":\"0.1.0\",\"faults\":[],\"trustDomain\":\"trammel.test\"}", 200, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake_op op;
    fake_op_init(&op);
    op.http_body = cases[i].body;
    op.http_status = cases[i].status;
    PB(DetectRequest) request = PB_INIT(DETECT_REQUEST);
    assert_int_equal(adapter_call("", "Detect", &request.base, &op), TRAMMEL_OK);
    PB(DetectResponse) *response = UNPACK(detect_response, &op);
    assert_int_equal(response->present, cases[i].present);
    assert_int_equal(response->ready, cases[i].present);
    assert_string_equal(response->mesh_version, cases[i].present ? "0.1.0" : "");
    assert_int_equal(*response->detail != '\0', !cases[i].present);
    FREE(detect_response, response);
    fake_op_finish(&op);
  }
}

#define ITEM(kind, name, edge, more)                                                                                   \
  "{\"kind\":\"TrafficMetrics\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\",\"resource\":{\"kind\":\"" kind        \
  "\",\"namespace\":\"main\",\"name\":\"" name "\"},\"edge\":" edge "," more                                           \
  "\"timestamp\":\"2019-04-08T22:25:55Z\",\"window\":\"30s\",\"metrics\":["                                            \
  "{\"name\":\"p99_response_latency\",\"unit\":\"seconds\",\"value\":\"90m\"},"                                        \
  "{\"name\":\"p90_response_latency\",\"unit\":\"seconds\",\"value\":\"20m\"},"                                        \
  "{\"name\":\"p50_response_latency\",\"unit\":\"seconds\",\"value\":\"10m\"},"                                        \
  "{\"name\":\"success_count\",\"value\":\"12\"},{\"name\":\"failure_count\",\"value\":\"3\"}]}"
#define WHOLE "{\"direction\":\"from\",\"side\":\"server\",\"resource\":{}}"
#define EDGE                                                                                                           \
  "{\"direction\":\"to\",\"side\":\"client\",\"resource\":{\"kind\":\"Pod\",\"namespace\":\"other\",\"name\":\"t\"}}"
#define LIST(kind, items)                                                                                              \
  "{\"kind\":\"TrafficMetricsList\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\",\"resource\":{\"kind\":\"" kind    \
  "\"},\"items\":[" items "]}"

struct metrics_call {
  const char *kind;
  const char *name;
  bool edges;
  const char *label; /* of the selector; NULL: none */
  const char *body;
  unsigned http_status;
};

/* What is asked of the mesh is left in `ret_path`. */
static PB(MetricsResponse) * metrics(const struct metrics_call *asked, int expected, char ret_path[512]) {
  static char ns[] = "main", value[] = "b/c";
  struct fake_op op;
  fake_op_init(&op);
  op.http_body = asked->body;
  op.http_status = asked->http_status ? asked->http_status : 200;
  PB(ResourceRef) resource = PB_INIT(RESOURCE_REF);
  PB(Label) label = PB_INIT(LABEL), *labels[] = {&label};
  PB(MetricsRequest) request = PB_INIT(METRICS_REQUEST);
  resource.kind = (char *)(uintptr_t)asked->kind;
  resource.namespace_ = ns;
  resource.name = (char *)(uintptr_t)asked->name;
  label.name = (char *)(uintptr_t)asked->label;
  label.value = value;
  request.resource = &resource;
  request.edges = asked->edges;
  request.selector = labels;
  request.n_selector = asked->label != NULL;
  assert_int_equal(adapter_call("", "Metrics", &request.base, &op), expected);
  PB(MetricsResponse) *response = expected == TRAMMEL_OK ? UNPACK(metrics_response, &op) : NULL;
  memcpy(ret_path, op.http_path, sizeof op.http_path);
  fake_op_finish(&op);
  return response;
}

#define API "/apis/metrics.smi-spec.io/v1alpha1"

static void metrics_are_those_of_the_mesh(void **state) {
  (void)state;
  char path[512];
  static const char body[] = ITEM("Pod", "s", WHOLE, "");
  PB(MetricsResponse) *response = metrics(&(struct metrics_call){"Pod", "s", .body = body}, TRAMMEL_OK, path);
  assert_string_equal(path, API "/namespaces/main/pods/s");
  assert_int_equal(response->status, 200);
  assert_int_equal(response->window_ms, 30000);
  assert_int_equal(response->document.len, strlen(body));
  assert_memory_equal(response->document.data, body, strlen(body));
  assert_int_equal(response->n_items, 1);
  assert_string_equal(response->items[0]->resource->name, "s");
  assert_null(response->items[0]->peer);
  assert_null(response->items[0]->backend);
  assert_int_equal(response->items[0]->success_count, 12);
  assert_int_equal(response->items[0]->failure_count, 3);
  assert_int_equal(response->items[0]->p50_ns, 10000000);
  assert_int_equal(response->items[0]->p90_ns, 20000000);
  assert_int_equal(response->items[0]->p99_ns, 90000000);
  FREE(metrics_response, response);
}

static void each_kind_has_its_path(void **state) {
  (void)state;
  char path[512];
  static const struct {
    const char *kind;
    const char *name;
    const char *path;
  } kinds[] = {{"Deployment", "", API "/namespaces/main/deployments"},
               {"Service", "a/b", API "/namespaces/main/services/a%2Fb"},
               {"TrafficSplit", "", API "/namespaces/main/trafficsplits"},
               {"Namespace", "main", API "/namespaces/main"}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct metrics_call asked = {kinds[i].kind, kinds[i].name, .body = LIST("Pod", "")};
    PB(MetricsResponse) *response = metrics(&asked, TRAMMEL_OK, path);
    assert_string_equal(path, kinds[i].path);
    FREE(metrics_response, response);
  }
  struct metrics_call chosen = {"Pod", "", .label = "a=", .body = LIST("Pod", "")};
  PB(MetricsResponse) *response = metrics(&chosen, TRAMMEL_OK, path);
  assert_string_equal(path, API "/namespaces/main/pods?labelSelector=a%3D%3Db%2Fc");
  FREE(metrics_response, response);
  metrics(&(struct metrics_call){"Node", "", .body = "{}"}, TRAMMEL_UNIMPLEMENTED, path);
  metrics(&(struct metrics_call){"Pod", "", .edges = true, .body = "{}"}, TRAMMEL_INVALID_ARGUMENT, path);
  metrics(&(struct metrics_call){"Pod", "s", .body = NULL}, TRAMMEL_UNAVAILABLE, path);
}

static void edges_and_backends_are_told(void **state) {
  (void)state;
  char path[512];
  struct metrics_call edges = {"Pod", "s", .edges = true, .body = LIST("Pod", ITEM("Pod", "s", EDGE, ""))};
  PB(MetricsResponse) *response = metrics(&edges, TRAMMEL_OK, path);
  assert_string_equal(path, API "/namespaces/main/pods/s/edges");
  assert_string_equal(response->items[0]->peer->namespace_, "other");
  assert_string_equal(response->items[0]->peer->name, "t");
  assert_int_equal(response->items[0]->direction, TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_TO);
  assert_int_equal(response->items[0]->side, TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_CLIENT);
  FREE(metrics_response, response);
  struct metrics_call split = {
      "TrafficSplit", "s",
      .body = LIST("TrafficSplit",
                   ITEM("TrafficSplit", "s", WHOLE, "\"backend\":{\"apex\":\"root\",\"name\":\"v1\",\"weight\":9},"))};
  response = metrics(&split, TRAMMEL_OK, path);
  assert_string_equal(response->items[0]->backend->apex, "root");
  assert_string_equal(response->items[0]->backend->name, "v1");
  assert_int_equal(response->items[0]->backend->weight, 9);
  FREE(metrics_response, response);
}

/* What is no answer of SMI's has no items, and is shown to the host. */
static void what_is_not_as_smi_has_it_is_handed_on(void **state) {
  (void)state;
  char path[512];
  static const char *const bodies[] = {"{}", "not JSON", LIST("Pod", "{}"),
                                       LIST("Pod", ITEM("Pod", "s", WHOLE, "") "," ITEM("Pod", "s", "7", ""))};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    PB(MetricsResponse) *response = metrics(&(struct metrics_call){"Pod", "", .body = bodies[i]}, TRAMMEL_OK, path);
    assert_int_equal(response->n_items, 0);
    assert_int_equal(response->document.len, strlen(bodies[i]));
    FREE(metrics_response, response);
  }
  struct metrics_call missing = {"Pod", "", .body = ITEM("Pod", "s", WHOLE, ""), .http_status = 404};
  PB(MetricsResponse) *response = metrics(&missing, TRAMMEL_OK, path);
  assert_int_equal(response->status, 404);
  assert_int_equal(response->n_items, 0);
  FREE(metrics_response, response);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(workloads_and_services_are_registered),
      cmocka_unit_test(every_workload_reaches_every_service_port),
      cmocka_unit_test(addresses_outside_the_machine_are_refused),
      cmocka_unit_test(install_starts_the_mesh),
      cmocka_unit_test(every_fault_can_be_configured),
      cmocka_unit_test(configurations_outside_the_schema_are_refused),
      cmocka_unit_test(detect_tells_absent_from_another_from_ready),
      cmocka_unit_test(metrics_are_those_of_the_mesh),
      cmocka_unit_test(each_kind_has_its_path),
      cmocka_unit_test(edges_and_backends_are_told),
      cmocka_unit_test(what_is_not_as_smi_has_it_is_handed_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
