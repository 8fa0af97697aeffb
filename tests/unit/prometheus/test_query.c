/* How long a query may be; with an adapter of one metrics call, through a fake host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/adapter/adapter.h"
#include "sdk/prometheus/prometheus.h"
#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define HOST_TAKES 8191 /* bytes of a path: host/adapter/services.c */
#define HEAD "/api/v1/query?query="

/* The name is the expression. */
static int metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  struct prometheus_answer answer = {0};
  (void)metrics;
  return prometheus_query(call, request->resource.name, &answer);
}

static const struct adapter_class class = {.description = {.mesh_name = "Test"}, .metrics = metrics};
ADAPTER_DEFINE(class, "test", "1.0.0", "mesh")

/* With a path of this many bytes. */
static int query(size_t length, struct fake_op *op) {
  Trammel__Adapter__V1__ResourceRef resource = TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  Trammel__Adapter__V1__MetricsRequest request = TRAMMEL__ADAPTER__V1__METRICS_REQUEST__INIT;
  char *expression = calloc(1, length);
  assert_non_null(expression);
  memset(expression, 'x', length - strlen(HEAD));
  resource.kind = (char *)"Pod";
  resource.namespace_ = (char *)"ns";
  resource.name = expression;
  request.resource = &resource;
  fake_op_init(op);
  op->http_body = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}";
  int status = adapter_call("{}", "Metrics", &request.base, op);
  free(expression);
  return status;
}

static void a_query_is_as_long_as_a_host_takes_it(void **state) {
  struct fake_op op;
  (void)state;
  assert_int_equal(query(HOST_TAKES, &op), TRAMMEL_OK);
  assert_memory_equal(op.http_path, HEAD "xx", strlen(HEAD) + 2);
  fake_op_finish(&op);
  assert_int_equal(query(HOST_TAKES + 1, &op), TRAMMEL_INVALID_ARGUMENT);
  const json_t *diagnostic = json_array_get(op.diagnostics, 0);
  assert_string_equal(json_string_value(json_object_get(diagnostic, "code")), CODE_PROMETHEUS_QUERY);
  assert_non_null(strstr(json_string_value(json_object_get(diagnostic, "summary")), "takes 8192 bytes"));
  assert_string_equal(op.http_path, "");
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_query_is_as_long_as_a_host_takes_it)};
  return cmocka_run_group_tests_name("prometheus_query", tests, NULL, NULL);
}
