/* What an adapter makes of the answers of Prometheus, and of what is no such answer; with the adapter of Istio, through
 * a fake host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/prometheus/prometheus.h"
#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

#define ANSWER(series) "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series "]}}"
#define SERIES(pod, value, number)                                                                                     \
  "{\"metric\":{\"pod\":\"" pod "\",\"namespace\":\"shop\",\"trammel_value\":\"" value                                 \
  "\"},\"value\":[1700000000.123,\"" number "\"]}"

struct asked {
  const char *config, *kind, *ns, *name;
  bool edges, selector;
};
static const struct asked pods = {"", "Pod", "shop", "", false, false};

static int ask(const struct asked *asked, unsigned status, const char *body, struct fake_op *op) {
  PB(ResourceRef) resource = PB_INIT(RESOURCE_REF);
  PB(MetricsRequest) request = PB_INIT(METRICS_REQUEST);
  PB(Label) label = PB_INIT(LABEL), *labels[] = {&label};
  label.name = (char *)"app";
  label.value = (char *)"web";
  resource.kind = (char *)(uintptr_t)asked->kind;
  resource.namespace_ = (char *)(uintptr_t)asked->ns;
  resource.name = (char *)(uintptr_t)asked->name;
  request.resource = &resource;
  request.edges = asked->edges;
  request.selector = labels;
  request.n_selector = asked->selector ? 1 : 0;
  fake_op_init(op);
  op->http_body = body;
  op->http_status = status;
  return adapter_call(asked->config, "Metrics", &request.base, op);
}

static PB(MetricsResponse) * answered(const char *body) {
  struct fake_op op;
  assert_int_equal(ask(&pods, 200, body, &op), TRAMMEL_OK);
  PB(MetricsResponse) *response =
      trammel__adapter__v1__metrics_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  fake_op_finish(&op);
  return response;
}

static void finish(PB(MetricsResponse) * response) {
  trammel__adapter__v1__metrics_response__free_unpacked(response, NULL);
}

static void assert_refused(const struct asked *asked, unsigned http, const char *body, int status, const char *why) {
  struct fake_op op;
  assert_int_equal(ask(asked, http, body, &op), status);
  const char *summary = json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "summary"));
  assert_non_null(summary);
  if (!strstr(summary, why))
    fail_msg("\"%s\" does not say \"%s\"", summary, why);
  assert_int_equal(op.emitted, 0);
  fake_op_finish(&op);
}

static void series_become_items(void **state) {
  (void)state;
  PB(MetricsResponse) *response =
      answered(ANSWER(SERIES("a", "success", "1e+06") "," SERIES("b", "failure", "3") "," SERIES(
          "a", "p50", "0.25") "," SERIES("a", "p99", "2500") "," SERIES("b", "success", "6.9999999")));
  assert_int_equal(response->n_items, 2);
  assert_int_equal(response->window_ms, 300000);
  const PB(MetricsItem) *a = response->items[0], *b = response->items[1];
  assert_string_equal(a->resource->name, "a");
  assert_string_equal(a->resource->namespace_, "shop");
  assert_int_equal(a->success_count, 1000000);
  assert_int_equal(a->failure_count, 0);
  assert_int_equal(a->p50_ns, 250000);
  assert_int_equal(a->p90_ns, 0);
  assert_int_equal(a->p99_ns, INT64_C(2500000000));
  assert_int_equal(b->success_count, 7);
  assert_int_equal(b->failure_count, 3);
  finish(response);
}

/* A made-up 0 would look like an answer. */
static void what_has_no_samples_has_no_number(void **state) {
  (void)state;
  PB(MetricsResponse) *response = answered(ANSWER(""));
  assert_int_equal(response->n_items, 0);
  finish(response);
  response = answered(ANSWER(SERIES("a", "p50", "12")));
  assert_int_equal(response->n_items, 0);
  finish(response);
  response = answered(ANSWER(SERIES("a", "success", "0") "," SERIES("a", "p50", "NaN")));
  assert_int_equal(response->n_items, 1);
  assert_int_equal(response->items[0]->p50_ns, 0);
  finish(response);
}

static void numbers_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const char *const counts[] = {ANSWER(SERIES("a", "success", "NaN")), ANSWER(SERIES("a", "failure", "+Inf")),
                                       ANSWER(SERIES("a", "success", "-1")), ANSWER(SERIES("a", "success", "1e300"))};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    assert_refused(&pods, 200, counts[i], TRAMMEL_UNAVAILABLE, "which cannot be");
  assert_refused(&pods, 200, ANSWER(SERIES("a", "p50", "+Inf")), TRAMMEL_UNAVAILABLE, "a latency");
  assert_refused(&pods, 200, ANSWER(SERIES("a", "p50", "-Inf")), TRAMMEL_UNAVAILABLE, "a latency");
  assert_refused(&pods, 200, ANSWER(SERIES("a", "p50", "1e12")), TRAMMEL_UNAVAILABLE, "a latency");
}

static void what_is_no_answer_is_told(void **state) {
  (void)state;
  static const char *const bodies[] = {
      "",
      "no JSON",
      "[]",
      "{}",
      "{\"status\":\"success\"}",
      "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
      "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":{}}}",
      ANSWER("1"),
      ANSWER("{\"metric\":{},\"value\":[1]}"),
      ANSWER("{\"metric\":{},\"value\":[1,2]}"),
      ANSWER("{\"metric\":{},\"value\":[1,\"0x10\"]}"),
      ANSWER("{\"metric\":{},\"value\":[1,\"1 \\n2\"]}"),
      ANSWER("{\"metric\":{},\"value\":[1,\"\"]}"),
      ANSWER("{\"metric\":[],\"value\":[1,\"2\"]}"),
      ANSWER("{\"metric\":{\"pod\":1},\"value\":[1,\"2\"]}"),
  };
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
    assert_refused(&pods, 200, bodies[i], TRAMMEL_UNAVAILABLE, "is not Prometheus' API");
  assert_refused(&pods, 200, ANSWER(SERIES("a", "p51", "1")), TRAMMEL_UNAVAILABLE, "not asked for");
  assert_refused(&pods, 404, "not found", TRAMMEL_UNAVAILABLE, "answered 404");
}

static void errors_of_prometheus_are_told_as_it_says_them(void **state) {
  (void)state;
  static const char body[] = "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}";
  assert_refused(&pods, 503, body, TRAMMEL_UNAVAILABLE, "(503, timeout): query timed out");
  assert_refused(&pods, 400, "{\"status\":\"error\"}", TRAMMEL_UNAVAILABLE, "(400, no errorType)");
  /* Cut where a character ends: 299 bytes before one of two. */
  char text[512], expected[320];
  struct fake_op op;
  (void)snprintf(expected, sizeof expected, "): %0299u", 0);
  (void)snprintf(text, sizeof text, "{\"status\":\"error\",\"error\":\"%0299u\xc3\xa4\xc3\xa4\"}", 0);
  assert_int_equal(ask(&pods, 400, text, &op), TRAMMEL_UNAVAILABLE);
  const char *summary = json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "summary"));
  const char *shown = summary ? strstr(summary, "): ") : NULL;
  assert_non_null(shown);
  assert_string_equal(shown, expected);
  fake_op_finish(&op);
}

static void warnings_are_told_and_the_answer_is_taken(void **state) {
  struct fake_op op;
  (void)state;
  static const char body[] = "{\"status\":\"success\",\"warnings\":[\"a block is missing\",7],\"data\":{\"resultType\":"
                             "\"vector\",\"result\":[]}}";
  assert_int_equal(ask(&pods, 200, body, &op), TRAMMEL_OK);
  assert_int_equal(json_array_size(op.diagnostics), 1);
  const char *summary = json_string_value(json_object_get(json_array_get(op.diagnostics, 0), "summary"));
  assert_non_null(strstr(summary, "a block is missing"));
  fake_op_finish(&op);
}

/* `count` series, each with `labels` labels. */
static char *long_answer(size_t count, size_t labels) {
  static const char head[] = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[";
  size_t size = sizeof head + count * (labels * 16 + 64) + 8;
  char *text = malloc(size);
  assert_non_null(text);
  size_t length = (size_t)snprintf(text, size, "%s", head);
  for (size_t i = 0; i < count; i++) {
    length += (size_t)snprintf(text + length, size - length, "%s{\"metric\":{", i ? "," : "");
    for (size_t j = 0; j < labels; j++)
      length += (size_t)snprintf(text + length, size - length, "%s\"l%zu\":\"x\"", j ? "," : "", j);
    length += (size_t)snprintf(text + length, size - length, "},\"value\":[1,\"2\"]}");
  }
  (void)snprintf(text + length, size - length, "]}}");
  return text;
}

static void answers_have_a_limit(void **state) {
  (void)state;
  char *text = long_answer(PROMETHEUS_SERIES_MAX + 1, 0);
  assert_refused(&pods, 200, text, TRAMMEL_RESOURCE_EXHAUSTED, "more than the 5000");
  free(text);
  text = long_answer(1, PROMETHEUS_LABELS_MAX + 1);
  assert_refused(&pods, 200, text, TRAMMEL_UNAVAILABLE, "too many");
  free(text);
}

static void what_the_series_do_not_tell_is_unimplemented(void **state) {
  (void)state;
  assert_refused(&(struct asked){"", "TrafficSplit", "shop", "web", false, false}, 200, ANSWER(""),
                 TRAMMEL_UNIMPLEMENTED, "no metrics of a TrafficSplit: ");
  assert_refused(&(struct asked){"", "Pod", "shop", "web", true, false}, 200, ANSWER(""), TRAMMEL_UNIMPLEMENTED,
                 "no metrics of edges of a Pod: ");
  assert_refused(&(struct asked){"", "Job", "shop", "web", false, false}, 200, ANSWER(""), TRAMMEL_UNIMPLEMENTED,
                 "nothing is counted");
  assert_refused(&(struct asked){"", "Pod", "shop", "", false, true}, 200, ANSWER(""), TRAMMEL_UNIMPLEMENTED,
                 "selector");
  assert_refused(&(struct asked){"", "Deployment", "shop", "", true, false}, 200, ANSWER(""), TRAMMEL_INVALID_ARGUMENT,
                 "name it");
}

static void names_cannot_leave_their_quotation_marks(void **state) {
  struct fake_op op;
  (void)state;
  assert_int_equal(ask(&(struct asked){"{\"metrics_window\":0,\"metrics_labels\":[\"c=a\\\"b\"]}", "Pod", "shop",
                                       "x\"} or up{a=\"\\\n", false, false},
                       200, ANSWER(""), &op),
                   TRAMMEL_OK);
  /* c="a\"b",pod="x\"} or up{a=\"\\\n",namespace="shop" */
  assert_non_null(strstr(op.http_path, "%2Cc%3D%22a%5C%22b%22%2Cpod%3D%22x%5C%22%7D%20or%20up%7Ba%3D%5C%22%5C%5C%5Cn%22"
                                       "%2Cnamespace%3D%22shop%22%7D"));
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(series_become_items),
      cmocka_unit_test(what_has_no_samples_has_no_number),
      cmocka_unit_test(numbers_that_cannot_be_are_refused),
      cmocka_unit_test(what_is_no_answer_is_told),
      cmocka_unit_test(errors_of_prometheus_are_told_as_it_says_them),
      cmocka_unit_test(warnings_are_told_and_the_answer_is_taken),
      cmocka_unit_test(answers_have_a_limit),
      cmocka_unit_test(what_the_series_do_not_tell_is_unimplemented),
      cmocka_unit_test(names_cannot_leave_their_quotation_marks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
