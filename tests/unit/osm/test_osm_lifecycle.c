/* Detect and Enroll of the adapter of Open Service Mesh, through a fake host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define DEPLOYMENT(name, image, ready)                                                                                 \
  "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"" name          \
  "\",\"image\":\"" image "\"}]}}},\"status\":{\"readyReplicas\":" ready "}}"
#define OTHERS(ready) DEPLOYMENT("osm-injector", "i", ready) "," DEPLOYMENT("osm-bootstrap", "b", "1")
#define LIST(items) "{\"items\":[" items "]}"

struct found {
  bool present, ready;
  const char *version, *detail; /* the detail in part */
};

static void assert_detects(const char *config, const char *body, const struct found *wanted) {
  Trammel__Adapter__V1__DetectRequest request = TRAMMEL__ADAPTER__V1__DETECT_REQUEST__INIT;
  struct fake_op op;
  fake_op_init(&op);
  op.http_body = body;
  assert_int_equal(adapter_call(config, "Detect", &request.base, &op), TRAMMEL_OK);
  Trammel__Adapter__V1__DetectResponse *response =
      trammel__adapter__v1__detect_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  assert_true(response->present == wanted->present);
  assert_true(response->ready == wanted->ready);
  assert_string_equal(response->mesh_version, wanted->version);
  assert_non_null(strstr(response->detail, wanted->detail));
  assert_int_equal(response->n_served, wanted->present ? 3 : 0);
  trammel__adapter__v1__detect_response__free_unpacked(response, NULL);
  fake_op_finish(&op);
}

static void the_controller_tells_of_osm(void **state) {
  (void)state;
  assert_detects("", LIST(OTHERS("1") "," DEPLOYMENT("osm-controller", "host:5000/osm-controller:v1.2.4", "1")),
                 &(struct found){true, true, "v1.2.4", ""});
  assert_detects("", LIST(OTHERS("1") "," DEPLOYMENT("osm-controller", "osm-controller:v1.2.4@sha256:0", "1")),
                 &(struct found){true, true, "v1.2.4", ""});
  assert_detects("", LIST(OTHERS("1") "," DEPLOYMENT("osm-controller", "host:5000/osm-controller@sha256:0", "1")),
                 &(struct found){true, true, "", ""});
}

static void all_of_its_parts_have_to_be_ready(void **state) {
  (void)state;
  assert_detects("", LIST(OTHERS("1") "," DEPLOYMENT("osm-controller", "c:v1.2.4", "0")),
                 &(struct found){true, false, "v1.2.4", "osm-controller"});
  assert_detects("", LIST(OTHERS("0") "," DEPLOYMENT("osm-controller", "c:v1.2.4", "1")),
                 &(struct found){true, false, "v1.2.4", "osm-injector"});
}

static void an_absent_osm_is_no_error(void **state) {
  (void)state;
  assert_detects("{\"namespace\":\"mesh\"}", LIST(OTHERS("1")), &(struct found){false, false, "", "namespace mesh"});
  assert_detects("", NULL, &(struct found){false, false, "", "endpoint kubernetes"});
  assert_detects("", "no JSON", &(struct found){false, false, "", "endpoint kubernetes"});
}

static void the_request_is_one_that_is_declared(void **state) {
  (void)state;
  Trammel__Adapter__V1__DetectRequest request = TRAMMEL__ADAPTER__V1__DETECT_REQUEST__INIT;
  struct fake_op op;
  fake_op_init(&op);
  op.http_body = LIST("");
  assert_int_equal(adapter_call("", "Detect", &request.base, &op), TRAMMEL_OK);
  assert_string_equal(op.http_path, "/apis/apps/v1/namespaces/osm-system/deployments");
  fake_op_finish(&op);
}

static void namespaces_join_and_the_control_port_stays_out(void **state) {
  (void)state;
  Trammel__Adapter__V1__EnrollRequest request = TRAMMEL__ADAPTER__V1__ENROLL_REQUEST__INIT;
  struct fake_op op;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  assert_int_equal(adapter_call("{\"mesh_name\":\"mine\",\"control_port\":8000}", "Enroll", &request.base, &op),
                   TRAMMEL_OK);
  Trammel__Adapter__V1__EnrollResponse *response =
      trammel__adapter__v1__enroll_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  assert_int_equal(response->n_sidecars, 1);
  assert_string_equal(response->sidecars[0], "envoy");
  assert_int_equal(response->n_namespace_labels, 1);
  assert_string_equal(response->namespace_labels[0]->name, "openservicemesh.io/monitored-by");
  assert_string_equal(response->namespace_labels[0]->value, "mine");
  assert_int_equal(response->n_namespace_annotations, 1);
  assert_string_equal(response->namespace_annotations[0]->name, "openservicemesh.io/sidecar-injection");
  assert_string_equal(response->namespace_annotations[0]->value, "enabled");
  json_t *overlay =
      json_loadb((const char *)response->pod_template_overlay.data, response->pod_template_overlay.len, 0, NULL);
  const json_t *annotations = json_object_get(json_object_get(overlay, "metadata"), "annotations");
  assert_string_equal(json_string_value(json_object_get(annotations, "openservicemesh.io/inbound-port-exclusion-list")),
                      "8000");
  json_decref(overlay);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
  fake_op_finish(&op);
}

static void a_process_lab_is_refused(void **state) {
  (void)state;
  Trammel__Adapter__V1__EnrollRequest request = TRAMMEL__ADAPTER__V1__ENROLL_REQUEST__INIT;
  struct fake_op op;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  assert_int_equal(adapter_call("", "Enroll", &request.base, &op), TRAMMEL_UNIMPLEMENTED);
  assert_string_equal(json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "code")), "OSM-0019");
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_controller_tells_of_osm),
      cmocka_unit_test(all_of_its_parts_have_to_be_ready),
      cmocka_unit_test(an_absent_osm_is_no_error),
      cmocka_unit_test(the_request_is_one_that_is_declared),
      cmocka_unit_test(namespaces_join_and_the_control_port_stays_out),
      cmocka_unit_test(a_process_lab_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
