/* Detect and Enroll of the adapter of Istio, through a fake host. It answers every request with the same document, so
 * one has what both requests of Detect look at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT
#define UNPACK(name, op) trammel__adapter__v1__##name##__unpack(NULL, (op)->length, (const uint8_t *)(op)->message)
#define FREE(name, message) trammel__adapter__v1__##name##__free_unpacked((message), NULL)

#define ISTIOD(image, ready)                                                                                           \
  "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"proxy\",\"image\":\"x:9\"},"                         \
  "{\"name\":\"discovery\",\"image\":\"" image "\"}]}}},\"status\":{" ready "}}"
#define READY "\"readyReplicas\":1"
#define V1BETA1 "\"versions\":[{\"groupVersion\":\"security.istio.io/v1beta1\"}]"
#define BOTH                                                                                                           \
  "\"versions\":[{\"groupVersion\":\"security.istio.io/v1beta1\"},{\"groupVersion\":\"security.istio.io/v1\"}]"

struct found {
  bool present, ready;
  const char *version;
  const char *detail; /* part of it */
};

static void assert_detects(const char *config, const char *body, const struct found *wanted) {
  PB(DetectRequest) request = PB_INIT(DETECT_REQUEST);
  struct fake_op op;
  fake_op_init(&op);
  op.http_body = body;
  assert_int_equal(adapter_call(config, "Detect", &request.base, &op), TRAMMEL_OK);
  PB(DetectResponse) *response = UNPACK(detect_response, &op);
  assert_non_null(response);
  assert_true(response->present == wanted->present);
  assert_true(response->ready == wanted->ready);
  assert_string_equal(response->mesh_version, wanted->version);
  assert_non_null(strstr(response->detail, wanted->detail));
  FREE(detect_response, response);
  fake_op_finish(&op);
}

static void istiod_tells_of_istio(void **state) {
  (void)state;
  assert_detects("", "{\"items\":[" ISTIOD("docker.io/istio/pilot:1.30.0", READY) "]," BOTH "}",
                 &(struct found){true, true, "1.30.0", ""});
  assert_detects("", "{\"items\":[" ISTIOD("host:5000/pilot:1.18.2-distroless@sha256:0", READY) "]," BOTH "}",
                 &(struct found){true, true, "1.18.2-distroless", ""});
  assert_detects("", "{\"items\":[" ISTIOD("host:5000/pilot", READY) "]," BOTH "}",
                 &(struct found){true, true, "", ""});
  /* During an upgrade there are two: the one that is ready counts. */
  assert_detects("", "{\"items\":[" ISTIOD("pilot:1.30.0", "") "," ISTIOD("pilot:1.29.0", READY) "]," BOTH "}",
                 &(struct found){true, true, "1.29.0", ""});
  assert_detects("", "{\"items\":[" ISTIOD("pilot:1.30.0", "") "]," BOTH "}",
                 &(struct found){true, false, "1.30.0", "no ready pod"});
}

static void an_absent_istio_is_no_error(void **state) {
  (void)state;
  assert_detects("{\"root_namespace\":\"mesh-root\"}", "{\"items\":[]}",
                 &(struct found){false, false, "", "namespace mesh-root"});
  assert_detects("", NULL, &(struct found){false, false, "", "endpoint kubernetes"});
  assert_detects("", "no JSON", &(struct found){false, false, "", "endpoint kubernetes"});
}

static void the_api_that_is_written_has_to_be_served(void **state) {
  static const char body[] = "{\"items\":[" ISTIOD("pilot:1.18.0", READY) "]," V1BETA1 "}";
  (void)state;
  assert_detects("", body, &(struct found){true, false, "1.18.0", "security.istio.io/v1:"});
  assert_detects("{\"api_version\":\"v1beta1\"}", body, &(struct found){true, true, "1.18.0", ""});
}

static void requests_are_those_that_are_declared(void **state) {
  PB(DetectRequest) request = PB_INIT(DETECT_REQUEST);
  struct fake_op op;
  (void)state;
  fake_op_init(&op);
  op.http_body = "{\"items\":[]}";
  assert_int_equal(adapter_call("", "Detect", &request.base, &op), TRAMMEL_OK);
  assert_string_equal(op.http_path, "/apis/apps/v1/namespaces/istio-system/deployments?labelSelector=app%3Distiod");
  fake_op_finish(&op);
}

static void assert_enrolls(const char *config, const char *label, const char *value, const char *port) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  assert_int_equal(adapter_call(config, "Enroll", &request.base, &op), TRAMMEL_OK);
  PB(EnrollResponse) *response = UNPACK(enroll_response, &op);
  assert_non_null(response);
  assert_int_equal(response->n_namespace_labels, 1);
  assert_string_equal(response->namespace_labels[0]->name, label);
  assert_string_equal(response->namespace_labels[0]->value, value);
  assert_int_equal(response->n_namespace_annotations, 0);
  json_t *overlay =
      json_loadb((const char *)response->pod_template_overlay.data, response->pod_template_overlay.len, 0, NULL);
  const json_t *annotations = json_object_get(json_object_get(overlay, "metadata"), "annotations");
  assert_string_equal(json_string_value(json_object_get(annotations, "traffic.sidecar.istio.io/excludeInboundPorts")),
                      port);
  json_decref(overlay);
  FREE(enroll_response, response);
  fake_op_finish(&op);
}

static void namespaces_are_labelled_and_the_control_port_stays_out(void **state) {
  (void)state;
  assert_enrolls("", "istio-injection", "enabled", "9901");
  assert_enrolls("{\"revision\":\"canary\",\"control_port\":8000}", "istio.io/rev", "canary", "8000");
}

static void assert_joins(const char *config, PB(EnrollScope) scope, const char *label, const char *pod_label) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  request.scope = scope;
  assert_int_equal(adapter_call(config, "Enroll", &request.base, &op), TRAMMEL_OK);
  PB(EnrollResponse) *response = UNPACK(enroll_response, &op);
  assert_non_null(response);
  assert_int_equal(response->scope, scope);
  assert_int_equal(response->n_sidecars, 1);
  assert_string_equal(response->sidecars[0], "istio-proxy");
  assert_int_equal(response->n_namespace_labels, label ? 1 : 0);
  if (label)
    assert_string_equal(response->namespace_labels[0]->name, label);
  json_t *overlay =
      json_loadb((const char *)response->pod_template_overlay.data, response->pod_template_overlay.len, 0, NULL);
  const json_t *metadata = json_object_get(overlay, "metadata");
  assert_true(!pod_label == !json_object_get(json_object_get(metadata, "labels"), pod_label ? pod_label : ""));
  assert_null(json_object_get(metadata, "annotations")); /* no port stays outside */
  json_decref(overlay);
  FREE(enroll_response, response);
  fake_op_finish(&op);
}

static void workloads_that_are_there_join_with_all_their_ports(void **state) {
  const PB(EnrollScope) namespace = TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_NAMESPACE;
  const PB(EnrollScope) workload = TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_WORKLOAD;
  (void)state;
  assert_joins("", namespace, "istio-injection", NULL);
  assert_joins("{\"revision\":\"canary\"}", namespace, "istio.io/rev", NULL);
  assert_joins("", workload, NULL, "sidecar.istio.io/inject");
  assert_joins("{\"revision\":\"canary\"}", workload, NULL, "istio.io/rev");
}

static void an_unknown_scope_is_refused(void **state) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  (void)state;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  request.scope = (PB(EnrollScope))7;
  assert_int_equal(adapter_call("", "Enroll", &request.base, &op), TRAMMEL_INVALID_ARGUMENT);
  fake_op_finish(&op);
}

static void a_process_lab_is_refused(void **state) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  (void)state;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  assert_int_equal(adapter_call("", "Enroll", &request.base, &op), TRAMMEL_UNIMPLEMENTED);
  const json_t *code = json_object_get(json_array_get(op.diagnostics, 0), "code");
  assert_string_equal(json_string_value(code), "ISTIO-0016");
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(istiod_tells_of_istio),
      cmocka_unit_test(an_absent_istio_is_no_error),
      cmocka_unit_test(the_api_that_is_written_has_to_be_served),
      cmocka_unit_test(requests_are_those_that_are_declared),
      cmocka_unit_test(namespaces_are_labelled_and_the_control_port_stays_out),
      cmocka_unit_test(workloads_that_are_there_join_with_all_their_ports),
      cmocka_unit_test(an_unknown_scope_is_refused),
      cmocka_unit_test(a_process_lab_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
