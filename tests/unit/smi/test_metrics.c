/* What a metrics API serves: what is read of it, and that each way to be wrong is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/smi/metrics.h"

static const char item[] = "{\"kind\":\"TrafficMetrics\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\","
                           "\"metadata\":{\"name\":\"foo\"},"
                           "\"resource\":{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"foo\"},"
                           "\"edge\":{\"direction\":\"to\",\"side\":\"client\",\"resource\":"
                           "{\"kind\":\"Pod\",\"namespace\":\"other\",\"name\":\"baz\"}},"
                           "\"timestamp\":\"2019-04-08T22:25:55Z\",\"window\":\"30s\",\"metrics\":["
                           "{\"name\":\"p99_response_latency\",\"unit\":\"seconds\",\"value\":\"10m\"},"
                           "{\"name\":\"p90_response_latency\",\"unit\":\"ms\",\"value\":\"5\"},"
                           "{\"name\":\"p50_response_latency\",\"unit\":\"ms\",\"value\":\"1500m\"},"
                           "{\"name\":\"success_count\",\"value\":\"1k\"},"
                           "{\"name\":\"failure_count\",\"value\":7},"
                           "{\"name\":\"more\",\"value\":\"no quantity\"}]}";

static const char split_item[] =
    "{\"kind\":\"TrafficMetrics\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\","
    "\"resource\":{\"kind\":\"TrafficSplit\",\"namespace\":\"ns\",\"name\":\"split\"},"
    "\"edge\":{\"direction\":\"from\",\"side\":\"client\",\"resource\":null},"
    "\"backend\":{\"apex\":\"root\",\"name\":\"v1\",\"weight\":90},"
    "\"timestamp\":\"2019-04-08T22:25:55.125+02:00\",\"window\":\"1m0.5s\",\"metrics\":["
    "{\"name\":\"p99_response_latency\",\"unit\":\"seconds\",\"value\":0.01},"
    "{\"name\":\"p90_response_latency\",\"unit\":\"seconds\",\"value\":\"0\"},"
    "{\"name\":\"p50_response_latency\",\"unit\":\"seconds\",\"value\":\"0\"},"
    "{\"name\":\"success_count\",\"value\":\"0\"},{\"name\":\"failure_count\",\"value\":\"0\"}]}";

struct reading {
  struct arena *arena;
  struct smi_metrics metrics;
  struct error *err;
  int result;
};

static void reading_finish(struct reading *reading) {
  error_free(reading->err);
  arena_destroy(reading->arena);
}
#define _cleanup_reading_ _cleanup_(reading_finish)

static struct reading read_text(const char *text) {
  struct reading reading = {.arena = arena_create(0)};
  assert_non_null(reading.arena);
  reading.result = smi_metrics_read(reading.arena, text, strlen(text), &reading.metrics, &reading.err);
  return reading;
}

/* `text` with the first `from` replaced; heap. */
static char *with(const char *text, const char *from, const char *to) {
  const char *at = strstr(text, from);
  char *changed;
  if (!at)
    fail_msg("there is no %s", from);
  assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
  return changed;
}

static void an_item_is_read(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading = read_text(item);
  assert_string_equal(error_message(reading.err), "");
  assert_int_equal(reading.result, 0);
  assert_false(reading.metrics.list);
  assert_int_equal(reading.metrics.count, 1);
  const struct smi_metrics_item *read = &reading.metrics.items[0];
  assert_string_equal(read->resource.kind, "Pod");
  assert_string_equal(read->resource.ns, "ns");
  assert_string_equal(read->resource.name, "foo");
  assert_int_equal(read->direction, SMI_EDGE_TO);
  assert_int_equal(read->side, SMI_SIDE_CLIENT);
  assert_string_equal(read->peer.ns, "other");
  assert_string_equal(read->peer.name, "baz");
  assert_false(read->has_backend);
  assert_int_equal(read->window_ns, INT64_C(30000000000));
  assert_int_equal(read->p99_ns, 10000000);
  assert_int_equal(read->p90_ns, 5000000);
  assert_int_equal(read->p50_ns, 1500000);
  assert_int_equal(read->success_count, 1000);
  assert_int_equal(read->failure_count, 7);
}

static void a_split_has_backends(void **state) {
  (void)state;
  _cleanup_reading_ struct reading reading = read_text(split_item);
  assert_string_equal(error_message(reading.err), "");
  const struct smi_metrics_item *read = &reading.metrics.items[0];
  assert_true(read->has_backend);
  assert_string_equal(read->backend.apex, "root");
  assert_string_equal(read->backend.name, "v1");
  assert_int_equal(read->backend.weight, 90);
  assert_string_equal(read->peer.kind, "");
  assert_int_equal(read->window_ns, INT64_C(60500000000));
  assert_int_equal(read->p99_ns, 10000000); /* a number as the specification's examples have it */
}

static void a_list_is_read(void **state) {
  (void)state;
  char *text;
  assert_true(asprintf(&text,
                       "{\"kind\":\"TrafficMetricsList\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\","
                       "\"resource\":{\"kind\":\"Pod\"},\"items\":[%s,%s]}",
                       item, item) > 0);
  struct reading reading = read_text(text);
  assert_string_equal(error_message(reading.err), "");
  assert_true(reading.metrics.list);
  assert_int_equal(reading.metrics.count, 2);
  assert_string_equal(reading.metrics.resource.kind, "Pod");
  assert_string_equal(reading.metrics.resource.name, "");
  reading_finish(&reading);
  char *broken = with(text, ",{\"kind\":\"TrafficMetrics\"", ",{\"kind\":\"Traffic\"");
  reading = read_text(broken);
  assert_int_equal(reading.result, -EINVAL);
  assert_non_null(strstr(error_message(reading.err), "items[1]: kind"));
  reading_finish(&reading);
  free(broken);
  free(text);
  reading = read_text("{\"kind\":\"TrafficMetricsList\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\","
                      "\"resource\":{\"kind\":\"Pod\"},\"items\":null}");
  assert_int_equal(reading.result, 0);
  assert_int_equal(reading.metrics.count, 0);
  reading_finish(&reading);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  static const struct {
    const char *from;
    const char *to;
    const char *told;
  } mistakes[] = {
      {"\"kind\":\"TrafficMetrics\"", "\"kind\":\"Pod\"", "kind must be \"TrafficMetrics\""},
      {"v1alpha1", "v1alpha2", "apiVersion"},
      {"{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"foo\"}", "null", "resource must be an object"},
      {"{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"foo\"}", "{\"name\":\"foo\"}", "resource: kind"},
      {",\"name\":\"foo\"}", "}", "resource: name"},
      {"\"direction\":\"to\"", "\"direction\":\"out\"", "edge: direction must be \"to\" or \"from\", not \"out\""},
      {"\"side\":\"client\",", "", "edge: side"},
      {"\"edge\":", "\"edges\":", "edge must be an object"},
      {"2019-04-08T22:25:55Z", "yesterday", "timestamp"},
      {"2019-04-08T22:25:55Z", "2019-04-08 22:25:55", "timestamp"},
      {"\"30s\"", "\"30\"", "window"},
      {"\"30s\"", "30", "window"},
      {"\"unit\":\"seconds\"", "\"unit\":\"s\"", "p99_response_latency: unit must be \"seconds\" or \"ms\""},
      {"\"unit\":\"seconds\",", "", "p99_response_latency: unit"},
      {"\"10m\"", "\"ten\"", "p99_response_latency: value"},
      {"\"10m\"", "\"-10m\"", "is negative"},
      {"\"10m\"", "true", "p99_response_latency: value"},
      {"\"1k\"", "\"1.5\"", "success_count: value"},
      {"\"success_count\",", "\"success_count\",\"unit\":\"requests\",", "success_count: unit must be absent"},
      {"p90_response_latency", "p95_response_latency", "p90_response_latency is missing"},
      {"p90_response_latency", "p99_response_latency", "given twice"},
      {"\"name\":\"more\"", "\"name\":7", "metrics[5]: name"},
      {"\"metrics\":[", "\"metrics\":[{}],\"other\":[", "metrics[0]: name"},
      {"\"timestamp\"", "\"backend\":{\"apex\":\"a\"},\"timestamp\"", "backend must be absent"},
      {"\"window\":\"30s\"", "\"window\":\"30s\",\"window\":\"30s\"", "a JSON object is expected"},
  };
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    char *text = with(item, mistakes[i].from, mistakes[i].to);
    struct reading reading = read_text(text);
    if (reading.result != -EINVAL || !strstr(error_message(reading.err), mistakes[i].told))
      fail_msg("%s gave %d: %s; expected %s", mistakes[i].to, reading.result, error_message(reading.err),
               mistakes[i].told);
    assert_int_equal(smi_metrics_read(reading.arena, text, strlen(text), &reading.metrics, NULL), -EINVAL);
    reading_finish(&reading);
    free(text);
  }
}

static void what_is_wrong_with_a_backend_is_named(void **state) {
  (void)state;
  static const struct {
    const char *from;
    const char *to;
    const char *told;
  } mistakes[] = {
      {"\"backend\":", "\"leaf\":", "backend must be an object"},
      {"\"apex\":\"root\",", "", "backend: apex"},
      {"\"weight\":90", "\"weight\":-1", "backend: weight"},
      {"\"weight\":90", "\"weight\":\"90\"", "backend: weight"},
      {"\"name\":\"v1\"", "\"name\":\"\"", "backend: name"},
  };
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    char *text = with(split_item, mistakes[i].from, mistakes[i].to);
    struct reading reading = read_text(text);
    if (reading.result != -EINVAL || !strstr(error_message(reading.err), mistakes[i].told))
      fail_msg("%s gave %d: %s; expected %s", mistakes[i].to, reading.result, error_message(reading.err),
               mistakes[i].told);
    reading_finish(&reading);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_item_is_read),
      cmocka_unit_test(a_split_has_backends),
      cmocka_unit_test(a_list_is_read),
      cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(what_is_wrong_with_a_backend_is_named),
  };
  return cmocka_run_group_tests_name("smi_metrics", tests, NULL, NULL);
}
