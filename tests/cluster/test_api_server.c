/* The test bed's API server is a real one, and leaves nothing behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/api_server.h"
#include "tests/support/command.h"

static struct api_server *server;

static long status_of(const char *method, const char *path, const char *as) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = method, .path = path, .as = as}, &answer);
  api_answer_finish(&answer);
  return answer.status;
}

static void it_says_which_version_it_is(void **state) {
  (void)state;
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = "GET", .path = "/version"}, &answer);
  assert_int_equal(answer.status, 200);
  assert_string_equal(json_string_value(json_object_get(answer.body, "major")), "1");
  api_answer_finish(&answer);
}

static void rights_are_asked_for(void **state) {
  (void)state;
  assert_int_equal(status_of("GET", "/api/v1/namespaces/default/configmaps", NULL), 200);
  assert_int_equal(status_of("GET", "/api/v1/namespaces/default/configmaps", "someone"), 403);
}

static void put_text(const char *name) {
  json_t *body = json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", "name",
                           name, "data", "key", "value");
  struct api_answer answer;
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "/api/v1/namespaces/default/configmaps/%s?fieldManager=test", name) > 0);
  struct api_request apply = {
      .method = "PATCH", .path = path, .content_type = "application/apply-patch+yaml", .body = body};
  api_server_send(server, &apply, &answer);
  assert_in_range(answer.status, 200, 201);
  api_answer_finish(&answer);
  json_decref(body);
}

static void what_it_took_outlives_its_restart(void **state) {
  (void)state;
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* not ours to restart */
  put_text("kept");
  api_server_restart(server);
  assert_int_equal(status_of("GET", "/api/v1/namespaces/default/configmaps/kept", NULL), 200);
}

/* ---- an end of what started it */

static bool is_gone(void *ctx) {
  struct stat about;
  return stat(ctx, &about) < 0;
}

static pid_t pid_in(const char *directory, const char *name) {
  _cleanup_free_ char *path = NULL, *text = NULL;
  size_t length;
  assert_true(asprintf(&path, "%s/%s.pid", directory, name) > 0);
  assert_int_equal(file_read(path, 64, &text, &length, NULL), 0);
  return (pid_t)strtol(text, NULL, 10);
}

static bool has_ended(void *ctx) {
  return kill(*(pid_t *)ctx, 0) < 0;
}

/* A process that does nothing until it is killed, or this one ends. */
static pid_t parent_start(void) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0)
    return pid;
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;)
    (void)pause();
}

static void start_for(const char *directory, pid_t parent) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  char number[16];
  struct command_result result;
  _cleanup_free_ char *script = NULL;
  (void)snprintf(number, sizeof(number), "%d", (int)parent);
  assert_true(asprintf(&script, "%s/tests/testbed/kubernetes.sh", source) > 0);
  command_run((const char *[]){script, "api", "start", "--dir", directory, "--parent", number, NULL}, NULL, 180,
              &result);
  if (result.exit_code != 0)
    fail_msg("%s", strbuf_text(&result.errors));
  command_result_finish(&result);
}

/* Also shows that several can run side by side: the one of this program is there, too. */
static void it_ends_with_its_parent(void **state) {
  (void)state;
  char *directory = scratch_create();
  pid_t parent = parent_start();
  start_for(directory, parent);
  pid_t etcd = pid_in(directory, "etcd"), apiserver = pid_in(directory, "apiserver");
  assert_int_equal(kill(parent, SIGKILL), 0);
  assert_int_equal(waitpid(parent, NULL, 0), parent);
  wait_until(is_gone, directory, 60, "the instance's folder to go");
  wait_until(has_ended, &etcd, 1, "etcd to end before the folder goes");
  wait_until(has_ended, &apiserver, 1, "kube-apiserver to end before the folder goes");
  free(directory);
}

static void its_servers_end_when_the_supervisor_is_killed(void **state) {
  (void)state;
  char *directory = scratch_create();
  start_for(directory, getpid());
  pid_t etcd = pid_in(directory, "etcd"), apiserver = pid_in(directory, "apiserver");
  assert_int_equal(kill(pid_in(directory, "supervisor"), SIGKILL), 0);
  wait_until(has_ended, &etcd, 60, "etcd to end");
  wait_until(has_ended, &apiserver, 60, "kube-apiserver to end");
  scratch_remove(directory);
}

int main(void) {
  server = api_server_start();
  if (!server)
    return 77;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_says_which_version_it_is),
      cmocka_unit_test(rights_are_asked_for),
      cmocka_unit_test(what_it_took_outlives_its_restart),
      cmocka_unit_test(it_ends_with_its_parent),
      cmocka_unit_test(its_servers_end_when_the_supervisor_is_killed),
  };
  int failed = cmocka_run_group_tests_name("api server", tests, NULL, NULL);
  api_server_stop(server);
  return failed;
}
