/* The test bed's cluster runs real pods from images of this build's programs, Services lead to them, and nothing is
 * left. */
#include <setjmp.h>
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

/* kubernetes.sh with up to 12 arguments; fails the test unless it succeeds. What it printed, as a heap string. */
static char *script(const char *input, const char *const *arguments) {
  const char *argv[14] = {script_path};
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
  _cleanup_free_ char *answer = script(NULL, (const char *[]){"cluster", "exec", directory, "curl", "-sS", "--noproxy",
                                                              "*", "--retry", "30", "--retry-connrefused", url, NULL});
  assert_non_null(strstr(answer, "\"server\":\"sample\""));
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
      cmocka_unit_test(its_end_leaves_nothing),
  };
  return cmocka_run_group_tests_name("pods", tests, NULL, NULL);
}
