/* The Kubernetes lab's own parts: objects with a mesh's patch on them, and what a list of pods says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/lab/kubernetes_objects.h"
#include "host/lab/kubernetes_pods.h"

static json_t *json(const char *text) {
  json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(value);
  return value;
}

static void assert_merged(const char *target, const char *patch, const char *wanted) {
  json_auto_t *is = json(target), *change = json(patch), *should = json(wanted);
  assert_int_equal(overlay_merge(is, change), 0);
  assert_true(json_equal(is, should));
}

static void patches_are_merge_patches(void **state) {
  (void)state;
  assert_merged("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"a\":null,\"b\":{\"c\":[4]},\"e\":{\"f\":5}}",
                "{\"b\":{\"c\":[4],\"d\":3},\"e\":{\"f\":5}}");
}

static void containers_are_told_apart_by_name(void **state) {
  (void)state;
  assert_merged(
      "{\"spec\":{\"containers\":[{\"name\":\"workload\",\"image\":\"w\"}]}}",
      "{\"spec\":{\"containers\":[{\"name\":\"sidecar\"},{\"name\":\"workload\",\"tty\":true}],"
      "\"volumes\":[{\"name\":\"v\"}]}}",
      "{\"spec\":{\"containers\":[{\"name\":\"workload\",\"image\":\"w\",\"tty\":true},{\"name\":\"sidecar\"}],"
      "\"volumes\":[{\"name\":\"v\"}]}}");
}

static const struct topology_port http = {.port = 8080, .target_port = 8081, .protocol = PROTOCOL_HTTP};
static const char *const served[] = {"server"};
static const struct topology_service services[] = {
    {.name = "root", .ns = "main", .ports = &http, .port_count = 1, .workloads = served, .workload_count = 1}};
static const struct topology_workload workloads[] = {
    {.name = "server", .ns = "main", .service_account = "account", .deployment = "group"},
    {.name = "outsider", .ns = "main", .service_account = "account", .outside = true}};
static const struct topology topology = {
    .name = "t", .workloads = workloads, .workload_count = 2, .services = services, .service_count = 1};

static size_t containers_of(const json_t *deployment) {
  const json_t *spec = json_object_get(json_object_get(json_object_get(deployment, "spec"), "template"), "spec");
  return json_array_size(json_object_get(spec, "containers"));
}

static void a_service_selects_its_pods(void **state) {
  (void)state;
  json_auto_t *service = kubernetes_service("ns", &services[0]);
  json_auto_t *server = kubernetes_deployment("ns", &topology, &workloads[0], "image", NULL);
  json_auto_t *other = kubernetes_deployment("ns", &topology, &workloads[1], "image", NULL);
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(json_object_get(service, "spec"), "selector"), key, value) {
    json_t *labels[2];
    json_t *deployments[] = {server, other};
    for (int i = 0; i < 2; i++)
      labels[i] = json_object_get(
          json_object_get(json_object_get(json_object_get(deployments[i], "spec"), "template"), "metadata"), "labels");
    assert_true(json_equal(json_object_get(labels[0], key), value));
    assert_null(json_object_get(labels[1], key));
    assert_string_equal(json_string_value(json_object_get(labels[0], "deployment")), "group");
  }
}

static void who_is_outside_of_the_mesh_gets_no_patch(void **state) {
  (void)state;
  json_auto_t *overlay = json("{\"spec\":{\"containers\":[{\"name\":\"sidecar\"}]}}");
  json_auto_t *server = kubernetes_deployment("ns", &topology, &workloads[0], "image", overlay);
  json_auto_t *outsider = kubernetes_deployment("ns", &topology, &workloads[1], "image", overlay);
  assert_int_equal(containers_of(server), 2);
  assert_int_equal(containers_of(outsider), 1);
}

static int read_pods(const char *status, const char *containers, struct pod *pod, struct error **err) {
  json_auto_t *pods =
      json_pack("[{s:{s:s, s:s}}, {s:{s:s}, s:{s:o}, s:o}]", "metadata", "name", "old", "deletionTimestamp", "now",
                "metadata", "name", "new", "spec", "containers", json(containers), "status", json(status));
  assert_non_null(pods);
  return pod_read(pods, pod, err);
}

#define READY "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"

static void a_ready_pod_is_found_beside_one_that_goes(void **state) {
  (void)state;
  struct pod pod;
  assert_int_equal(read_pods("{\"podIP\":\"10.1.2.3\"," READY "}", "[{\"name\":\"a\"},{\"name\":\"b\"}]", &pod, NULL),
                   0);
  assert_string_equal(pod.name, "new");
  assert_string_equal(pod.address, "10.1.2.3");
  assert_false(pod.alone);
  assert_int_equal(read_pods("{\"podIP\":\"10.1.2.3\"," READY "}", "[{\"name\":\"a\"}]", &pod, NULL), 0);
  assert_true(pod.alone);
}

static void what_is_not_ready_yet_is_waited_for(void **state) {
  (void)state;
  struct pod pod;
  assert_int_equal(read_pods("{\"phase\":\"Pending\"}", "[]", &pod, NULL), -EAGAIN);
  assert_int_equal(read_pods("{" READY "}", "[]", &pod, NULL), -EAGAIN);
  assert_int_equal(
      read_pods("{\"podIP\":\"10.1.2.3\"," READY ",\"containerStatuses\":[{\"ready\":false}]}", "[]", &pod, NULL),
      -EAGAIN);
  json_auto_t *none = json_array();
  assert_int_equal(pod_read(none, &pod, NULL), -EAGAIN);
}

static void what_never_will_be_is_told_at_once(void **state) {
  (void)state;
  struct pod pod;
  struct error *err = NULL;
  assert_int_equal(read_pods("{\"containerStatuses\":[{\"name\":\"workload\",\"image\":\"x/y:1\",\"ready\":false,"
                             "\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]}",
                             "[]", &pod, &err),
                   -ENOENT);
  assert_non_null(strstr(error_message(err), "x/y:1"));
  error_free(err);
  err = NULL;
  assert_int_equal(read_pods("{\"podIP\":\"fd00::1\"," READY "}", "[]", &pod, &err), -EAFNOSUPPORT);
  error_free(err);
}

#define ONE "[{\"name\":\"a\"}]"
#define RESTARTED(n) "\"containerStatuses\":[{\"name\":\"a\",\"ready\":true,\"restartCount\":" #n "}]"

/* It says more than the containers that wait for it. */
static void a_container_that_comes_first_is_told_of(void **state) {
  (void)state;
  struct pod pod;
  struct error *err = NULL;
  assert_int_equal(
      read_pods("{\"containerStatuses\":[{\"name\":\"workload\",\"ready\":false,\"state\":{\"waiting\":{\"reason\":"
                "\"PodInitializing\"}}}],\"initContainerStatuses\":[{\"name\":\"first\",\"ready\":false,\"state\":"
                "{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]}",
                ONE, &pod, &err),
      -EAGAIN);
  assert_non_null(strstr(error_message(err), "container first is not ready: CrashLoopBackOff"));
  error_free(err);
  err = NULL;
  assert_int_equal(read_pods("{\"initContainerStatuses\":[{\"name\":\"first\",\"image\":\"x/y:1\",\"ready\":false,"
                             "\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}",
                             ONE, &pod, &err),
                   -ENOENT);
  assert_non_null(strstr(error_message(err), "x/y:1 of container first"));
  error_free(err);
}

/* What the pod says later, `status`, compared with what it said when it was ready, `before`. */
static int compare(const char *before, const char *status, struct error **err) {
  struct pod pod;
  assert_int_equal(read_pods(before, ONE, &pod, NULL), 0);
  json_auto_t *now = json_pack("{s:{s:s}, s:o}", "metadata", "name", "new", "status", json(status));
  assert_non_null(now);
  return pod_compare(now, "ns", &pod, err);
}

static void a_restart_counts_from_when_the_pod_was_ready(void **state) {
  (void)state;
  static const char twice[] = "{\"podIP\":\"10.1.2.3\"," READY "," RESTARTED(2) "}";
  struct error *err = NULL;
  assert_int_equal(compare(twice, twice, NULL), 0);
  assert_int_equal(compare(twice, "{" READY "," RESTARTED(3) "}", &err), -ECHILD);
  assert_non_null(strstr(error_message(err), "ns/new ended and was started anew"));
  error_free(err);
  assert_int_equal(
      compare(twice, "{" READY "," RESTARTED(2) ",\"initContainerStatuses\":[{\"restartCount\":1}]}", NULL), -ECHILD);
}

static void a_pod_that_is_not_as_it_was_is_lost(void **state) {
  (void)state;
  static const char good[] = "{\"podIP\":\"10.1.2.3\"," READY "}";
  json_auto_t *going = json("{\"metadata\":{\"name\":\"new\",\"deletionTimestamp\":\"now\"},\"status\":{" READY "}}");
  assert_int_equal(compare(good, good, NULL), 0);
  assert_int_equal(compare(good, "{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}", NULL), -ECHILD);
  assert_int_equal(pod_compare(going, "ns", &(struct pod){.name = "new"}, NULL), -ECHILD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(patches_are_merge_patches),
      cmocka_unit_test(containers_are_told_apart_by_name),
      cmocka_unit_test(a_service_selects_its_pods),
      cmocka_unit_test(who_is_outside_of_the_mesh_gets_no_patch),
      cmocka_unit_test(a_ready_pod_is_found_beside_one_that_goes),
      cmocka_unit_test(what_is_not_ready_yet_is_waited_for),
      cmocka_unit_test(what_never_will_be_is_told_at_once),
      cmocka_unit_test(a_container_that_comes_first_is_told_of),
      cmocka_unit_test(a_restart_counts_from_when_the_pod_was_ready),
      cmocka_unit_test(a_pod_that_is_not_as_it_was_is_lost),
  };
  return cmocka_run_group_tests_name("kubernetes", tests, NULL, NULL);
}
