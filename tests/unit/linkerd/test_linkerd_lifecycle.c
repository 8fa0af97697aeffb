/* Detect and Enroll of the adapter of Linkerd, through a fake host. It answers every request with the same document, so
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

#define PART(name, ready) "{\"metadata\":{\"name\":\"" name "\"},\"status\":{\"readyReplicas\":" ready "}}"
#define DOCUMENT(items, values) "{\"items\":[" items "],\"data\":{\"values\":\"" values "\"}}"
#define ALL PART("linkerd-destination", "1") "," PART("linkerd-identity", "2") "," PART("linkerd-proxy-injector", "1")
#define VALUES "cliVersion: linkerd/cli x\\nproxy:\\n  linkerdVersion: inner\\nlinkerdVersion: edge-25.9.1\\n"

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

static void the_control_plane_tells_of_linkerd(void **state) {
  (void)state;
  assert_detects("", DOCUMENT(ALL, VALUES), &(struct found){true, true, "edge-25.9.1", ""});
  assert_detects("", DOCUMENT(ALL, "linkerdVersion: \\\"stable-2.14.10\\\"\\n"),
                 &(struct found){true, true, "stable-2.14.10", ""});
  assert_detects("", DOCUMENT(ALL, "identity: {}"), &(struct found){true, true, "", ""});
}

static void every_part_has_to_be_ready(void **state) {
  (void)state;
  assert_detects("",
                 DOCUMENT(PART("linkerd-destination", "1") "," PART("linkerd-identity",
                                                                    "0") "," PART("linkerd-proxy-injector", "1"),
                          VALUES),
                 &(struct found){true, false, "edge-25.9.1", "linkerd-identity in namespace linkerd has no ready pod"});
  assert_detects("{\"control_namespace\":\"mesh\"}", DOCUMENT(PART("linkerd-identity", "1"), VALUES),
                 &(struct found){true, false, "edge-25.9.1", "linkerd-destination in namespace mesh is not there"});
}

static void an_absent_linkerd_is_no_error(void **state) {
  (void)state;
  assert_detects("", "{\"items\":[]}", &(struct found){false, false, "", "is not there"});
  assert_detects("", NULL, &(struct found){false, false, "", "endpoint kubernetes"});
  assert_detects("", "no JSON", &(struct found){false, false, "", "endpoint kubernetes"});
}

static void assert_enrolls(const char *config, const char *port) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  assert_int_equal(adapter_call(config, "Enroll", &request.base, &op), TRAMMEL_OK);
  PB(EnrollResponse) *response = UNPACK(enroll_response, &op);
  assert_non_null(response);
  assert_int_equal(response->n_sidecars, 1);
  assert_string_equal(response->sidecars[0], "linkerd-proxy");
  assert_int_equal(response->n_namespace_labels, 0);
  assert_int_equal(response->n_namespace_annotations, 1);
  assert_string_equal(response->namespace_annotations[0]->name, "linkerd.io/inject");
  assert_string_equal(response->namespace_annotations[0]->value, "enabled");
  json_t *overlay =
      json_loadb((const char *)response->pod_template_overlay.data, response->pod_template_overlay.len, 0, NULL);
  const json_t *annotations = json_object_get(json_object_get(overlay, "metadata"), "annotations");
  assert_string_equal(json_string_value(json_object_get(annotations, "config.linkerd.io/skip-inbound-ports")), port);
  json_decref(overlay);
  FREE(enroll_response, response);
  fake_op_finish(&op);
}

static void namespaces_are_annotated_and_the_control_port_stays_out(void **state) {
  (void)state;
  assert_enrolls("", "9901");
  assert_enrolls("{\"control_port\":8000}", "8000");
}

static void a_process_lab_is_refused(void **state) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  struct fake_op op;
  (void)state;
  fake_op_init(&op);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  assert_int_equal(adapter_call("", "Enroll", &request.base, &op), TRAMMEL_UNIMPLEMENTED);
  assert_string_equal(json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "code")), "LINKERD-0018");
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_control_plane_tells_of_linkerd),
      cmocka_unit_test(every_part_has_to_be_ready),
      cmocka_unit_test(an_absent_linkerd_is_no_error),
      cmocka_unit_test(namespaces_are_annotated_and_the_control_port_stays_out),
      cmocka_unit_test(a_process_lab_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
