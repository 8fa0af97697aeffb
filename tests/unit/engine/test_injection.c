/* Which pods have the sidecar of a mesh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/engine/injection.h"
#include "sdk/base/memory.h"

#define WORKLOAD(containers)                                                                                           \
  "{\"kind\":\"Deployment\",\"metadata\":{\"generation\":2},\"spec\":{\"replicas\":1,\"template\":{\"spec\":{"         \
  "\"containers\":[" containers "]}}},\"status\":{\"observedGeneration\":2}}"
#define POD(containers, initial)                                                                                       \
  "{\"spec\":{\"containers\":[" containers "],\"initContainers\":[" initial                                            \
  "]},\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"
#define NAMED(name) "{\"name\":\"" name "\"}"
#define STAYS(name) "{\"name\":\"" name "\",\"restartPolicy\":\"Always\"}"
#define APP NAMED("app")

static char proxy[] = "mesh-proxy";
static char *const names[] = {proxy};
static const struct injection_marks named = {names, 1}, unnamed = {0};

static struct injection read_pod(const char *workload_text, const char *pod_text, const struct injection_marks *marks) {
  json_auto_t *workload = json_loads(workload_text, 0, NULL), *pod = json_loads(pod_text, 0, NULL);
  json_auto_t *pods = json_pack("[O]", pod);
  struct injection injection;

  assert_non_null(workload);
  assert_non_null(pods);
  assert_int_equal(injection_read(workload, pods, marks, &injection), 0);
  assert_int_equal(injection.pods, 1);
  return injection;
}

static void assert_injected(const char *workload, const char *pod, const struct injection_marks *marks,
                            const char *sidecar) {
  struct injection injection = read_pod(workload, pod, marks);

  assert_int_equal(injection.with, sidecar ? 1 : 0);
  assert_int_equal(json_object_size(injection.names), sidecar ? 1 : 0);
  if (sidecar)
    assert_non_null(json_object_get(injection.names, sidecar));
  assert_true(injection_settled(&injection, !sidecar));
  assert_false(injection_settled(&injection, sidecar));
  injection_finish(&injection);
}

/* Others inject into pods, too: secrets, certificates, logs. */
static void a_container_of_others_is_no_sidecar_of_the_mesh(void **state) {
  (void)state;
  assert_injected(WORKLOAD(APP), POD(APP "," NAMED("vault-agent"), ""), &named, NULL);
  assert_injected(WORKLOAD(APP), POD(APP "," NAMED("vault-agent") "," NAMED("mesh-proxy"), ""), &named, "mesh-proxy");
}

static void one_that_starts_before_the_others_and_stays_is_a_sidecar(void **state) {
  (void)state;
  assert_injected(WORKLOAD(APP), POD(APP, NAMED("mesh-init") "," STAYS("mesh-proxy")), &named, "mesh-proxy");
  assert_injected(WORKLOAD(APP), POD(APP, NAMED("mesh-proxy")), &named, NULL);
  assert_injected(WORKLOAD(APP), POD(APP, STAYS("logs")), &named, NULL);
}

/* It is in the template then. */
static void one_that_was_injected_by_hand_counts(void **state) {
  (void)state;
  assert_injected(WORKLOAD(APP "," NAMED("mesh-proxy")), POD(APP "," NAMED("mesh-proxy"), ""), &named, "mesh-proxy");
}

static void without_a_name_all_counts_that_the_template_lacks(void **state) {
  (void)state;
  assert_injected(WORKLOAD(APP), POD(APP "," NAMED("any"), ""), &unnamed, "any");
  assert_injected(WORKLOAD(APP "," NAMED("own")), POD(APP "," NAMED("own"), NAMED("setup")), &unnamed, NULL);
  assert_injected(WORKLOAD(APP), POD(APP, STAYS("any")), &unnamed, "any");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_container_of_others_is_no_sidecar_of_the_mesh),
      cmocka_unit_test(one_that_starts_before_the_others_and_stays_is_a_sidecar),
      cmocka_unit_test(one_that_was_injected_by_hand_counts),
      cmocka_unit_test(without_a_name_all_counts_that_the_template_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
