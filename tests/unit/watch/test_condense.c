/* What is kept of objects, and when one is as it is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/engine/fulfilment.h"
#include "host/watch/condense.h"

static json_t *parse(const char *text) {
  json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
  assert_non_null(json);
  return json;
}

static void assert_condensed(char *(*condense)(const json_t *), const char *text, const char *expected) {
  json_auto_t *object = parse(text);
  char *condensed = condense(object);
  assert_string_equal(condensed, expected);
  free(condensed);
}

static void what_the_server_keeps_of_a_resource_goes(void **state) {
  (void)state;
  assert_condensed(
      condense_resource,
      "{\"apiVersion\":\"v\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"uid\":\"u\","
      "\"resourceVersion\":\"1\",\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"x\"}},"
      "\"spec\":{\"a\":1},\"status\":{}}",
      "{\"apiVersion\":\"v\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":\"n\",\"namespace\":\"s\"},\"spec\":{"
      "\"a\":1}}");
}

static void of_a_workload_labels_account_and_ports_stay(void **state) {
  (void)state;
  assert_condensed(condense_population,
                   "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"n\",\"generation\":2},"
                   "\"spec\":{\"replicas\":3,\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
                   "\"serviceAccountName\":\"s\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{"
                   "\"containerPort\":1}]}]}}},\"status\":{\"replicas\":3}}",
                   "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"n\"},\"spec\":{"
                   "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"ports\":[{"
                   "\"containerPort\":1}]}],\"serviceAccountName\":\"s\"}}}}");
  assert_condensed(
      condense_population,
      "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"n\"},\"spec\":{\"nodeName\":\"x\"},"
      "\"status\":{\"phase\":\"Failed\"}}",
      "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"n\"},\"spec\":{},\"status\":{"
      "\"phase\":\"Failed\"}}");
}

static void assert_fulfilled(const char *wanted, const char *there, bool fulfilled) {
  json_auto_t *a = parse(wanted), *b = parse(there);
  assert_int_equal(is_fulfilled(a, b), fulfilled);
}

static void what_is_wanted_may_be_among_more(void **state) {
  (void)state;
  assert_fulfilled("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}", true);
  assert_fulfilled("{\"a\":{}}", "{}", true);
  assert_fulfilled("{\"a\":1.0}", "{\"a\":1}", true);
  assert_fulfilled("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", false);
  assert_fulfilled("{\"a\":\"1\"}", "{\"a\":1}", false);
  assert_fulfilled("{\"a\":1}", "{}", false);
}

/* A rule that someone added to a list allows more. */
static void lists_are_whole(void **state) {
  (void)state;
  assert_fulfilled("{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1,\"c\":2}]}", true);
  assert_fulfilled("{\"a\":[1]}", "{\"a\":[1,2]}", false);
  assert_fulfilled("{\"a\":[1,2]}", "{\"a\":[2,1]}", false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_the_server_keeps_of_a_resource_goes),
      cmocka_unit_test(of_a_workload_labels_account_and_ports_stay),
      cmocka_unit_test(what_is_wanted_may_be_among_more),
      cmocka_unit_test(lists_are_whole),
  };
  return cmocka_run_group_tests_name("condense", tests, NULL, NULL);
}
