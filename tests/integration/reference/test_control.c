/* The control API: what it takes, what it refuses and why, and that nothing is left behind. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

static struct mesh_process mesh;

static int setup(void **state) {
  (void)state;
  mesh_start(&mesh, NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  mesh_stop(&mesh);
  return 0;
}

/* The PUT must be refused with a status, at a pointer. */
static void refused(int status, const char *pointer, const char *path, const char *body) {
  char *answer = NULL, expected[256];
  int found = control("PUT", path, body, &answer);
  snprintf(expected, sizeof expected, "\"pointer\":\"%s\"", pointer);
  if (found != status || !strstr(answer, expected) || strstr(answer, "\"error\":\"\""))
    fail_msg("PUT %s %s: expected %d at \"%s\", got %d %s", path, body, status, pointer, found, answer);
  free(answer);
}

static void test_ready(void **state) {
  (void)state;
  char *body = NULL;
  assert_int_equal(control("GET", "ready", "", &body), 200);
  assert_non_null(strstr(body, "\"faults\":[]"));
  assert_non_null(strstr(body, "\"trustDomain\":\"trammel.test\""));
  free(body);
}

static void test_read_back_and_delete(void **state) {
  (void)state;
  static const char body[] = "{\"ports\":[],\"workloads\":[\"a\"]}";
  char *answer = NULL;
  assert_int_equal(control("GET", "services/main/a", "", NULL), 404);
  assert_int_equal(control("DELETE", "services/main/a", "", NULL), 404);
  assert_int_equal(control("PUT", "services/main/a", body, NULL), 200);
  assert_int_equal(control("GET", "services/main/a", "", &answer), 200);
  assert_string_equal(answer, body);
  free(answer);
  assert_int_equal(control("DELETE", "services/main/a", "", NULL), 200);
  assert_int_equal(control("GET", "services/main/a", "", NULL), 404);
}

static void test_unknown_paths(void **state) {
  (void)state;
  static const char *const paths[] = {"nothing/a/b",    "services/a",      "services/a/b/c",
                                      "services/a/%2e", "enforcement/a/b", "services/a/b%20c"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    assert_int_equal(control("PUT", paths[i], "{}", NULL), 404);
  assert_int_equal(control("PUT", "ready", "{}", NULL), 405);
  assert_int_equal(control("POST", "services/main/a", "{}", NULL), 405);
  assert_int_equal(control("GET", "metrics", "", NULL), 404);
}

/* Kubernetes' clients read errors from Status objects. */
static void test_the_metrics_api(void **state) {
  (void)state;
#define API "/apis/metrics.smi-spec.io/v1alpha1"
  static const struct {
    const char *method;
    const char *path;
    int status;
    const char *told;
  } requests[] = {
      {"GET", API, 200, "\"kind\":\"APIResourceList\""},
      {"GET", API "/namespaces/main/pods", 200, "\"kind\":\"TrafficMetricsList\""},
      {"GET", API "/namespaces/main/pods?labelSelector=app%3Dx", 200, "\"matchLabels\":{\"app\":\"x\"}"},
      {"GET", API "/namespaces/main/pods/nobody", 404, "\"reason\":\"NotFound\""},
      {"GET", API "/namespaces/main/pods?limit=1", 400, "\"reason\":\"BadRequest\""},
      {"POST", API "/namespaces/main/pods", 405, "\"reason\":\"MethodNotAllowed\""},
      {"DELETE", API "/namespaces/main/pods", 405, "\"reason\":\"MethodNotAllowed\""},
      {"GET", "/apis/metrics.smi-spec.io/v1alpha2/pods", 404, "\"kind\":\"Status\""},
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    char *body = NULL;
    assert_int_equal(control(requests[i].method, requests[i].path, "", &body), requests[i].status);
    if (!strstr(body, requests[i].told))
      fail_msg("%s %s: %s", requests[i].method, requests[i].path, body);
    free(body);
  }
}

#define DESTINATION "\"destination\":{\"namespace\":\"a\",\"serviceAccount\":\"b\"},\"sources\":[]"

static void test_wrong_bodies_are_refused_with_a_pointer(void **state) {
  (void)state;
  refused(400, "", "services/main/a", "no json");
  refused(400, "", "services/main/a", "[]");
  refused(400, "/port", "services/main/a", "{\"port\":1}");
  refused(400, "/ports/0/port", "services/main/a", "{\"ports\":[{\"port\":70000}]}");
  refused(400, "/ports/0/protocol", "services/main/a", "{\"ports\":[{\"port\":1,\"protocol\":\"sctp\"}]}");
  refused(400, "/ports/0/protocol", "workloads/main/a",
          "{\"serviceAccount\":\"a\",\"app\":\"127.0.0.9\",\"inbound\":\"127.0.1.9\",\"outbound\":\"127.0.2.9\","
          "\"ports\":[{\"port\":1,\"protocol\":\"quic\"}]}");
  refused(400, "/upstreams/0/transport", "workloads/main/a",
          "{\"serviceAccount\":\"a\",\"app\":\"127.0.0.9\",\"inbound\":\"127.0.1.9\",\"outbound\":\"127.0.2.9\","
          "\"upstreams\":[{\"namespace\":\"a\",\"service\":\"b\",\"port\":1,\"listen\":2,\"transport\":\"http\"}]}");
  refused(400, "/workloads/1", "services/main/a", "{\"workloads\":[\"a\",7]}");
  refused(400, "/mode", "enforcement/main", "{\"mode\":\"allow\"}");
  refused(400, "/backends/0/weight", "splits/main/a",
          "{\"service\":\"r\",\"backends\":[{\"service\":\"a\",\"weight\":-1}]}");
  refused(400, "/backends/0/weight", "splits/main/a",
          "{\"service\":\"r\",\"backends\":[{\"service\":\"a\",\"weight\":0.5}]}");
  refused(400, "/backends/1", "splits/main/a",
          "{\"service\":\"r\",\"backends\":[{\"service\":\"a\",\"weight\":1},{\"service\":\"a\",\"weight\":1}]}");
  refused(400, "/rules/0/http/0/path", "permissions/main/a",
          "{" DESTINATION ",\"rules\":[{\"protocol\":\"http\",\"http\":[{\"path\":\"/(\"}]}]}");
  refused(400, "/rules/0/http", "permissions/main/a",
          "{" DESTINATION ",\"rules\":[{\"protocol\":\"tcp\",\"http\":[]}]}");
  refused(400, "/rules/0/ports", "permissions/main/a",
          "{" DESTINATION ",\"rules\":[{\"protocol\":\"tcp\",\"ports\":[]}]}");
  refused(400, "/destination/name", "permissions/main/a",
          "{\"destination\":{\"namespace\":\"a\",\"name\":\"b\"},\"rules\":[]}");
  assert_int_equal(control("GET", "permissions/main/a", "", NULL), 404);
}

static void test_only_loopback_addresses(void **state) {
  (void)state;
  refused(400, "/app", "workloads/main/a",
          "{\"serviceAccount\":\"a\",\"app\":\"10.0.0.1\",\"inbound\":\"127.0.0.1\",\"outbound\":\"127.0.0.1\"}");
  refused(400, "/inbound", "workloads/main/a",
          "{\"serviceAccount\":\"a\",\"app\":\"127.0.0.1\",\"inbound\":\"0.0.0.0\",\"outbound\":\"127.0.0.1\"}");
  refused(400, "/outbound", "workloads/main/a",
          "{\"serviceAccount\":\"a\",\"app\":\"127.0.0.1\",\"inbound\":\"127.0.0.2\",\"outbound\":\"localhost\"}");
}

static void test_a_taken_address_is_a_conflict(void **state) {
  (void)state;
  char body[512];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(HTTP_PORT)};
  inet_pton(AF_INET, address_of('i', 5), &at.sin_addr);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(fd, 1), 0);
  snprintf(body, sizeof body,
           "{\"serviceAccount\":\"a\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\","
           "\"ports\":[{\"port\":8081,\"protocol\":\"http\"},{\"port\":%d,\"protocol\":\"http\"}]}",
           address_of('a', 5), address_of('i', 5), address_of('o', 5), HTTP_PORT);
  size_t before = mesh_descriptors(&mesh);
  refused(409, "", "workloads/main/a", body);
  assert_true(mesh_settles(&mesh, before));
  close(fd);
  assert_int_equal(control("PUT", "workloads/main/a", body, NULL), 200);
  undeclare("workloads/main/a");
}

static void refused_ports(const char *ports) {
  char body[512];
  snprintf(body, sizeof body,
           "{\"serviceAccount\":\"a\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\",\"ports\":[%s]}",
           address_of('a', 5), address_of('i', 5), address_of('o', 5), ports);
  size_t before = mesh_descriptors(&mesh);
  refused(409, "", "workloads/main/a", body);
  assert_true(mesh_settles(&mesh, before));
}

/* A UDP port is taken for TCP, too: other proxies connect to it. */
static void test_ports_are_taken_for_each_transport(void **state) {
  (void)state;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(5353)};
  inet_pton(AF_INET, address_of('i', 5), &at.sin_addr);
  for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type += SOCK_DGRAM - SOCK_STREAM) {
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (type == SOCK_STREAM)
      assert_int_equal(listen(fd, 1), 0);
    refused_ports("{\"port\":5353,\"protocol\":\"udp\"}");
    close(fd);
  }
  refused_ports("{\"port\":53,\"protocol\":\"udp\"},{\"port\":53,\"protocol\":\"udp\"}");
  refused_ports("{\"port\":53,\"protocol\":\"http\"},{\"port\":53,\"protocol\":\"tcp\"}");
}

static void test_a_failed_replacement_leaves_the_old_workload(void **state) {
  (void)state;
  struct server *server = server_start("server", 1);
  declare_workload("main", "server", 1, NULL);
  declare_workload("main", "client", 2, (const char *const[]){"main/server", NULL});
  declare_service("main", "server", "server");
  char body[512];
  snprintf(body, sizeof body,
           "{\"serviceAccount\":\"a\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\","
           "\"ports\":[{\"port\":%d,\"protocol\":\"http\"}]}",
           address_of('a', 1), address_of('i', 2), address_of('o', 1), HTTP_PORT);
  refused(409, "", "workloads/main/server", body);
  assert_int_equal(status_of(address_of('o', 2), 20000, "GET", "/", ""), 200);

  /* An equal body changes nothing: a kept connection stays. A different one closes it. */
  struct reader reader = dial_reader(address_of('o', 2), 20000);
  struct answer answer = ask(&reader, "GET", "/", "");
  answer_free(&answer);
  declare_workload("main", "client", 2, (const char *const[]){"main/server", NULL});
  answer = ask(&reader, "GET", "/", "");
  assert_int_equal(answer.status, 200);
  answer_free(&answer);
  declare_workload("main", "client", 2, (const char *const[]){"main/server", "main/other", NULL});
  assert_true(ends(&reader));
  reader_close(&reader);
  assert_int_equal(status_of(address_of('o', 2), 20000, "GET", "/", ""), 200);
  assert_int_equal(status_of(address_of('o', 2), 20001, "GET", "/", ""), 503);
  undeclare("workloads/main/client");
  undeclare("workloads/main/server");
  assert_int_equal(status_of(address_of('o', 2), 20000, "GET", "/", ""), 0);
  server_stop(server);
}

static void test_deleting_a_workload_ends_its_connections(void **state) {
  (void)state;
  struct server *server = server_start("server", 1);
  declare_workload("main", "server", 1, NULL);
  declare_workload("main", "client", 2, (const char *const[]){"main/server", NULL});
  declare_service("main", "server", "server");
  struct reader lines = dial_reader(address_of('o', 2), 21000);
  send_text(lines.fd, "a\n");
  char *line = read_line(&lines);
  assert_string_equal(line, "server a\n");
  free(line);
  undeclare("workloads/main/server");
  assert_true(ends(&lines));
  assert_int_equal(status_of(address_of('o', 2), 20000, "GET", "/", ""), 503);
  undeclare("workloads/main/client");
  reader_close(&lines);
  server_stop(server);
}

static void cycle(struct server *server) {
  (void)server;
  declare_workload("cycle", "server", 1, NULL);
  declare_workload("cycle", "client", 2, (const char *const[]){"cycle/server", "cycle/a", "cycle/b", NULL});
  declare_service("cycle", "server", "server");
  declare("enforcement/cycle", "{\"mode\":\"deny\"}");
  declare(
      "permissions/cycle/p",
      "{\"destination\":{\"namespace\":\"cycle\",\"serviceAccount\":\"server\"},\"sources\":[{\"namespace\":\"cycle\","
      "\"serviceAccount\":\"client\"}],\"rules\":[{\"protocol\":\"http\",\"http\":[{\"path\":\"/\"}]}]}");
  assert_int_equal(status_of(address_of('o', 2), 20000, "GET", "/", ""), 200);
  assert_false(line_passes(address_of('o', 2), 21000));
  undeclare("permissions/cycle/p");
  undeclare("enforcement/cycle");
  undeclare("services/cycle/server");
  undeclare("workloads/cycle/client");
  undeclare("workloads/cycle/server");
}

static void test_200_cycles_leave_no_descriptor(void **state) {
  (void)state;
  struct server *server = server_start("server", 1);
  cycle(server);
  size_t before = mesh_descriptors(&mesh);
  for (int i = 0; i < 200; i++)
    cycle(server);
  assert_true(mesh_settles(&mesh, before));
  server_stop(server);
}

static int exit_code_of(const char *const *arguments) {
  char program[4096];
  snprintf(program, sizeof program, "%s/bin/trammel-refmesh", getenv("TRAMMEL_BUILD_DIR"));
  pid_t pid = fork();
  if (pid == 0) {
    char *argv[8] = {program};
    for (int i = 0; arguments[i] && i < 6; i++)
      argv[i + 1] = (char *)arguments[i];
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    execv(program, argv);
    _exit(127);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void test_usage(void **state) {
  (void)state;
#define RUN(...) exit_code_of((const char *const[]){__VA_ARGS__, NULL})
  assert_int_equal(RUN("--help"), 0);
  assert_int_equal(RUN("--version"), 0);
  assert_int_equal(RUN("--list-faults"), 0);
  assert_int_equal(RUN("--list-faults", "-o", "json"), 0);
  assert_int_equal(RUN("--fault", "nonsense", "--control", "127.0.0.1:1"), 2);
  assert_int_equal(RUN("--control", "10.0.0.1:15000"), 2);
  assert_int_equal(RUN("--control", "127.0.0.1:0"), 2);
  assert_int_equal(RUN("--control", "127.0.0.1:99999"), 2);
  assert_int_equal(RUN("--nonsense"), 2);
  assert_int_equal(RUN("stray"), 2);
  char where[64];
  snprintf(where, sizeof where, "%s:%d", address_of('c', 0), CONTROL_PORT);
  assert_int_equal(RUN("--control", where), 1); /* taken by the one that runs */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ready),
      cmocka_unit_test(test_read_back_and_delete),
      cmocka_unit_test(test_unknown_paths),
      cmocka_unit_test(test_the_metrics_api),
      cmocka_unit_test(test_wrong_bodies_are_refused_with_a_pointer),
      cmocka_unit_test(test_only_loopback_addresses),
      cmocka_unit_test(test_a_taken_address_is_a_conflict),
      cmocka_unit_test(test_ports_are_taken_for_each_transport),
      cmocka_unit_test(test_a_failed_replacement_leaves_the_old_workload),
      cmocka_unit_test(test_deleting_a_workload_ends_its_connections),
      cmocka_unit_test(test_200_cycles_leave_no_descriptor),
      cmocka_unit_test(test_usage),
  };
  return cmocka_run_group_tests_name("refmesh_control", tests, setup, teardown);
}
