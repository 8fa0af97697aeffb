/* The test bed's cluster runs real pods from images of this build's programs, Services lead to them, the conformance
 * suite judges a mesh of pods as it judges one of processes, and nothing is left. */
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/memory.h"
#include "tests/support/command.h"

#define SERVICE_ADDRESS "10.96.0.99"

static const char manifest[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: sample}\n"
    "spec:\n"
    "  replicas: 2\n"
    "  selector: {matchLabels: {app: sample}}\n"
    "  template:\n"
    "    metadata: {labels: {app: sample}}\n"
    "    spec:\n"
    "      containers:\n"
    "        - name: workload\n"
    "          image: testbed.local/workload:1\n"
    "          args: [--control, '0.0.0.0:9901', --name, sample, --listen, 'http:0.0.0.0:8080']\n"
    "          readinessProbe: {httpGet: {path: /v1/ready, port: 9901}, periodSeconds: 1}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: sample}\n"
    "spec: {clusterIP: " SERVICE_ADDRESS ", selector: {app: sample}, ports: [{port: 80, targetPort: 8080}]}\n";

static const char url[] = "http://" SERVICE_ADDRESS "/";
static char *directory, *kubeconfig, *script_path, *kubectl;

/* kubernetes.sh with up to 16 arguments; fails the test unless it succeeds. What it printed, as a heap string. */
static char *script(const char *input, const char *const *arguments) {
  const char *argv[18] = {script_path};
  struct command_result result;
  for (size_t n = 1; *arguments && n < ARRAY_COUNT(argv) - 1; n++)
    argv[n] = *arguments++;
  command_run(argv, input, 300, &result);
  if (result.exit_code != 0)
    fail_msg("%s %s: %s", argv[1], argv[2], strbuf_text(&result.errors));
  char *out = strdup(strbuf_text(&result.out));
  command_result_finish(&result);
  return out;
}

static void kubectl_run(const char *input, const char *a, const char *b, const char *c, const char *d) {
  free(script(input,
              (const char *[]){"cluster", "exec", directory, kubectl, "--kubeconfig", kubeconfig, a, b, c, d, NULL}));
}

static char *image_create(void) {
  char *image = NULL;
  _cleanup_free_ char *program = NULL;
  assert_true(asprintf(&program, "%s/bin/trammel-workload", getenv("TRAMMEL_BUILD_DIR")) > 0);
  assert_true(asprintf(&image, "%s/workload.tar", directory) > 0);
  free(script(NULL, (const char *[]){"image", image, "testbed.local/workload:1", program, NULL}));
  return image;
}

static void pods_of_our_image_answer_through_a_service(void **state) {
  (void)state;
  _cleanup_free_ char *image = image_create();
  free(script(NULL, (const char *[]){"cluster", "import", directory, image, NULL}));
  kubectl_run(manifest, "apply", "-f", "-", NULL);
  kubectl_run(NULL, "rollout", "status", "deployment/sample", "--timeout=120s");
  /* The node may still be told of the Service: until then its address leads nowhere, or is refused. */
  _cleanup_free_ char *answer =
      script(NULL, (const char *[]){"cluster", "exec", directory, "curl", "-sS", "--noproxy", "*", "--connect-timeout",
                                    "5", "--retry", "30", "--retry-delay", "1", "--retry-all-errors", url, NULL});
  assert_non_null(strstr(answer, "\"server\":\"sample\""));
}

/* ---- runs that are ended, and what is left of them */

/* The images, as packaging/images makes them, given to the node. */
static void images_import(void) {
  _cleanup_free_ char *build = NULL, *bin = NULL, *workload = NULL, *refmesh = NULL;
  struct command_result result;
  static bool imported;
  if (imported)
    return;
  imported = true;
  assert_true(asprintf(&build, "%s/packaging/images/build.sh", getenv("TRAMMEL_SOURCE_DIR")) > 0);
  assert_true(asprintf(&bin, "%s/bin", getenv("TRAMMEL_BUILD_DIR")) > 0);
  assert_true(asprintf(&workload, "%s/trammel-workload.tar", directory) > 0);
  assert_true(asprintf(&refmesh, "%s/trammel-refmesh.tar", directory) > 0);
  command_run((const char *[]){build, "--programs", bin, directory, NULL}, NULL, 120, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  free(script(NULL, (const char *[]){"cluster", "import", directory, workload, refmesh, NULL}));
}

/* What `words` of kubectl print, as a heap string. */
static char *kubectl_says(const char *const *words) {
  const char *arguments[16] = {"cluster", "exec", directory, kubectl, "--kubeconfig", kubeconfig};
  for (size_t n = 6; *words && n < ARRAY_COUNT(arguments) - 1; n++)
    arguments[n] = *words++;
  return script(NULL, arguments);
}

/* Everything of runs that is not in a namespace. */
static char *left_on_the_cluster(void) {
  return kubectl_says(
      (const char *[]){"get", "namespaces,clusterroles,clusterrolebindings,apiservices,customresourcedefinitions", "-o",
                       "name", "-l", "app.kubernetes.io/managed-by=trammel", NULL});
}

static bool nothing_is_left(void *ctx) {
  (void)ctx;
  _cleanup_free_ char *left = left_on_the_cluster();
  return *left == '\0';
}

static bool a_workload_is_ready(void *ctx) {
  (void)ctx;
  _cleanup_free_ char *ready = kubectl_says((const char *[]){
      "get", "pods", "-A", "-l", "deployment", "-o", "jsonpath={..conditions[?(@.type==\"Ready\")].status}", NULL});
  return strstr(ready, "True") != NULL;
}

/* Namespaces of runs that are not going away. */
static unsigned count_namespaces(void) {
  static const char active[] = "Active";
  _cleanup_free_ char *phases = kubectl_says((const char *[]){
      "get", "namespaces", "-l", "app.kubernetes.io/managed-by=trammel", "-o", "jsonpath={..status.phase}", NULL});
  unsigned count = 0;
  for (const char *at = phases; (at = strstr(at, active)); at += strlen(active))
    count++;
  return count;
}

/* The mesh's, and one of the workloads'. */
static bool workloads_are_made(void *ctx) {
  (void)ctx;
  return count_namespaces() >= 2;
}

static struct running run_start(const char *program) {
  return command_start(
      (const char *[]){script_path,  "cluster", "exec",       directory,      program,    "conformance", "run",
                       "-q",         "--lab",   "kubernetes", "--kubeconfig", kubeconfig, "--parallel",  "1",
                       "--converge", "10s",     "--group",    "access",       "--seed",   "7",           NULL},
      NULL);
}

/* As soon as `when` is. */
static void end_run(const char *program, bool (*when)(void *ctx), int signal_number,
                    struct command_result *ret_result) {
  struct running running = run_start(program);
  wait_until(when, NULL, 120, "what a run makes");
  assert_int_equal(kill(running.pid, signal_number), 0);
  command_wait(&running, 120, ret_result);
}

static void an_ended_run_leaves_nothing(void **state) {
  (void)state;
  struct command_result result;
  _cleanup_free_ char *program = NULL;
  char *results = scratch_create();
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", results, 1), 0);
  assert_true(asprintf(&program, "%s/bin/trammel", getenv("TRAMMEL_BUILD_DIR")) > 0);
  images_import();

  end_run(program, a_workload_is_ready, SIGINT, &result);
  assert_int_equal(result.exit_code, 3);
  assert_null(strstr(strbuf_text(&result.errors), "could not be removed"));
  command_result_finish(&result);
  assert_int_equal(count_namespaces(), 0);

  end_run(program, workloads_are_made, SIGKILL, &result);
  assert_int_equal(result.signal, SIGKILL);
  command_result_finish(&result);
  assert_true(count_namespaces() >= 2);
  free(script(NULL, (const char *[]){"cluster", "exec", directory, program, "cleanup", NULL}));
  assert_int_equal(count_namespaces(), 0);
  wait_until(nothing_is_left, NULL, 180, "the end of what runs made");

  assert_int_equal(unsetenv("TRAMMEL_STATE_DIR"), 0);
  scratch_remove(results);
}

/* ---- conformance on pods, which takes minutes: only with TRAMMEL_TEST_LONG in the environment */

static bool is_short(void) {
  bool is = !getenv("TRAMMEL_TEST_LONG");
  if (is)
    print_message("left out, as it takes minutes: set TRAMMEL_TEST_LONG=1 to run it\n");
  return is;
}

/* What a run of some cases came to, all of one topology: {"CASE COLUMN": outcome}. `exit_code` is the expected one. */
static json_t *verdicts(const char *const *lab, int exit_code) {
  static const char *const chosen[] = {"conformance",
                                       "run",
                                       "-q",
                                       "-o",
                                       "json",
                                       "--seed",
                                       "7",
                                       "--parallel",
                                       "1",
                                       "--converge",
                                       "10s",
                                       "--case",
                                       "access/http/unlisted-source",
                                       "--case",
                                       "access/http/enforced-at-the-server",
                                       "--case",
                                       "access/http/delete-revokes",
                                       NULL};
  _cleanup_free_ char *program = NULL;
  const char *argv[40] = {script_path, "cluster", "exec", directory};
  struct command_result result;
  size_t n = 4;
  assert_true(asprintf(&program, "%s/bin/trammel", getenv("TRAMMEL_BUILD_DIR")) > 0);
  argv[n++] = program;
  for (size_t i = 0; chosen[i]; i++)
    argv[n++] = chosen[i];
  while (*lab)
    argv[n++] = *lab++;
  command_run(argv, NULL, 400, &result);
  if (result.exit_code != exit_code)
    fail_msg("the run ended with %d: %s", result.exit_code, strbuf_text(&result.errors));
  json_auto_t *report = json_loads(strbuf_text(&result.out), 0, NULL);
  json_t *found = json_object();
  size_t i;
  json_t *test;
  json_array_foreach(json_object_get(report, "cases"), i, test) {
    _cleanup_free_ char *key = NULL;
    assert_true(asprintf(&key, "%s %s", json_string_value(json_object_get(test, "id")),
                         json_string_value(json_object_get(json_object_get(test, "column"), "label"))) > 0);
    assert_int_equal(json_object_set(found, key, json_object_get(test, "outcome")), 0);
  }
  command_result_finish(&result);
  return found;
}

static void assert_same_verdicts(const char *const *setting, int exit_code) {
  const char *pods[12] = {"--lab", "kubernetes", "--kubeconfig", kubeconfig};
  for (size_t n = 4; *setting && n < 11; setting++)
    pods[n++] = *setting;
  json_auto_t *on_pods = verdicts(pods, exit_code), *as_processes = verdicts(pods + 4, exit_code);
  assert_true(json_object_size(as_processes) >= 2);
  if (json_equal(on_pods, as_processes))
    return;
  _cleanup_free_ char *a = json_dumps(on_pods, JSON_INDENT(1)), *b = json_dumps(as_processes, JSON_INDENT(1));
  fail_msg("on pods: %s\nas processes: %s", a, b);
}

static void a_mesh_of_pods_is_judged_as_one_of_processes(void **state) {
  (void)state;
  if (is_short())
    skip();
  images_import();
  assert_same_verdicts((const char *[]){NULL}, 0);
}

/* Or it would prove nothing that a good one passes. */
static void a_wrong_mesh_of_pods_is_found_out(void **state) {
  (void)state;
  if (is_short())
    skip();
  assert_same_verdicts((const char *[]){"--set", "fault=allow-by-default", NULL}, 1);
}

static void runs_leave_nothing(void **state) {
  (void)state;
  if (is_short())
    skip();
  wait_until(nothing_is_left, NULL, 180, "the end of namespaces");
}

static void its_end_leaves_nothing(void **state) {
  (void)state;
  struct stat about;
  struct command_result result;
  _cleanup_free_ char *file = NULL, *cgroup = NULL;
  size_t length;
  assert_true(asprintf(&file, "%s/cgroup", directory) > 0);
  assert_int_equal(file_read(file, 256, &cgroup, &length, NULL), 0);
  cgroup[strcspn(cgroup, "\n")] = '\0';
  free(script(NULL, (const char *[]){"cluster", "stop", directory, NULL}));
  assert_int_equal(stat(directory, &about), -1);
  command_run((const char *[]){"/usr/bin/find", "/sys/fs/cgroup", "-name", cgroup, NULL}, NULL, 60, &result);
  assert_string_equal(strbuf_text(&result.out), "");
  command_result_finish(&result);
}

/* 0; else what the program exits with. */
static int cluster_start(void) {
  char parent[16];
  struct command_result result;
  (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
  command_run((const char *[]){script_path, "cluster", "start", "--dir", directory, "--parent", parent, NULL}, NULL,
              400, &result);
  int code = result.exit_code;
  if (code != 0)
    printf("%s: %s", code == 77 ? "skipped" : "the cluster did not start", strbuf_text(&result.errors));
  command_result_finish(&result);
  return code == 0 || code == 77 ? code : 1;
}

int main(void) {
  directory = scratch_create();
  assert_true(asprintf(&kubeconfig, "%s/admin.conf", directory) > 0);
  assert_true(asprintf(&script_path, "%s/tests/testbed/kubernetes.sh", getenv("TRAMMEL_SOURCE_DIR")) > 0);
  int code = cluster_start();
  if (code != 0) {
    scratch_remove(directory);
    return code;
  }
  kubectl = script(NULL, (const char *[]){"kubectl", NULL});
  kubectl[strcspn(kubectl, "\n")] = '\0';
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pods_of_our_image_answer_through_a_service),
      cmocka_unit_test(an_ended_run_leaves_nothing),
      cmocka_unit_test(a_mesh_of_pods_is_judged_as_one_of_processes),
      cmocka_unit_test(a_wrong_mesh_of_pods_is_found_out),
      cmocka_unit_test(runs_leave_nothing),
      cmocka_unit_test(its_end_leaves_nothing),
  };
  return cmocka_run_group_tests_name("pods", tests, NULL, NULL);
}
