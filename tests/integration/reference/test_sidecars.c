/* A control plane and sidecars, each a process of its own: what is declared is in force in all of them once it is
 * answered, whatever becomes of a sidecar in between. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "sdk/base/clock.h"

enum { SERVER = 1, CLIENT, OTHER };

static struct mesh_process mesh, sidecars[OTHER + 1];
static struct server *server;

static int setup(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN); /* proxies end connections at once that they refuse */
  control_plane_start(&mesh);
  for (int host = SERVER; host <= OTHER; host++)
    sidecar_start(&sidecars[host], host);
  server = server_start("server", SERVER);
  declare_service("main", "server", "server");
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "client", CLIENT, (const char *const[]){"main/server", NULL});
  declare_workload("main", "other", OTHER, (const char *const[]){"main/server", NULL});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  server_stop(server);
  mesh_stop(&mesh);
  for (int host = SERVER; host <= OTHER; host++)
    mesh_stop(&sidecars[host]);
  return 0;
}

static int ask_as(int client) {
  return status_of(address_of('o', client), 20000, "GET", "/a", "Connection: close\r\n");
}

static void permit_the_client(void) {
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  declare("permissions/main/p", "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
                                "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"client\"}],"
                                "\"rules\":[{\"protocol\":\"http\"}]}");
}

static void forbid_nothing(void) {
  undeclare("permissions/main/p");
  undeclare("enforcement/main");
}

static void traffic_goes_from_sidecar_to_sidecar(void **state) {
  (void)state;
  assert_int_equal(ask_as(CLIENT), 200);
  assert_true(line_passes(address_of('o', OTHER), 21000));
}

static void a_change_is_in_force_once_it_is_answered(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    permit_the_client();
    unsigned before = server_requests(server);
    assert_int_equal(ask_as(OTHER), 403);
    assert_int_equal(server_requests(server), before);
    assert_int_equal(ask_as(CLIENT), 200);
    forbid_nothing();
    assert_int_equal(ask_as(OTHER), 200);
  }
}

static void counts_of_all_sidecars_are_told(void **state) {
  (void)state;
  undeclare("workloads/main/client");
  declare_workload("main", "client", CLIENT, (const char *const[]){"main/server", NULL});
  for (int i = 0; i < 7; i++)
    assert_int_equal(ask_as(CLIENT), 200);
  char *edges = metrics("/namespaces/main/pods/client/edges");
  assert_true(counted(edges, 7, 0)); /* at the client's side, and at the server's */
  assert_non_null(strstr(edges, "\"side\":\"client\""));
  assert_non_null(strstr(edges, "\"side\":\"server\""));
  free(edges);
}

static void a_sidecar_without_an_identity_has_no_listeners(void **state) {
  (void)state;
  undeclare("workloads/main/other");
  struct mesh_process alone;
  mesh_stop(&sidecars[OTHER]);
  sidecar_start(&alone, OTHER);
  struct reader reader = dial_reader(address_of('i', OTHER), SIDECAR_PORT);
  struct answer answer = ask(&reader, "GET", "/v1/identity", "");
  assert_int_equal(answer.status, 200);
  assert_non_null(strstr(answer.body, "BEGIN PUBLIC KEY"));
  assert_null(strstr(answer.body, "PRIVATE"));
  answer_free(&answer);
  reader_close(&reader);
  sidecars[OTHER] = alone;
  declare_workload("main", "other", OTHER, (const char *const[]){"main/server", NULL});
  assert_int_equal(ask_as(OTHER), 200);
}

/* A sidecar that was started anew knows nothing, until the control plane notices and tells it everything. */
static void one_that_comes_back_is_told_everything(void **state) {
  (void)state;
  permit_the_client();
  mesh_stop(&sidecars[SERVER]);
  assert_int_equal(control("PUT", "splits/main/nothing", "{\"service\":\"absent\",\"backends\":[]}", NULL), 424);
  sidecar_start(&sidecars[SERVER], SERVER);
  int64_t deadline_ns = clock_in_ns(20 * NS_PER_SECOND);
  while (ask_as(CLIENT) != 200 && clock_monotonic_ns() < deadline_ns)
    (void)poll(NULL, 0, 20);
  assert_int_equal(ask_as(CLIENT), 200);
  assert_int_equal(ask_as(OTHER), 403);
  undeclare("splits/main/nothing");
  forbid_nothing();
}

static int take_port(const char *address, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(fd, 1), 0);
  return fd;
}

static bool knows(int host, const char *object) {
  struct reader reader = dial_reader(address_of('i', host), SIDECAR_PORT);
  char path[128];
  snprintf(path, sizeof path, "/v1/%s", object);
  struct answer answer = ask(&reader, "GET", path, "");
  bool known = answer.status == 200;
  answer_free(&answer);
  reader_close(&reader);
  return known;
}

/* One that could not do what it was told while it joined has not joined: it is told everything again, until it can. */
static void one_that_refuses_while_it_joins_joins_again(void **state) {
  (void)state;
  mesh_stop(&sidecars[SERVER]);
  assert_int_equal(control("PUT", "splits/main/nothing", "{\"service\":\"absent\",\"backends\":[]}", NULL), 424);
  int taken = take_port(address_of('i', SERVER), HTTP_PORT);
  sidecar_start(&sidecars[SERVER], SERVER);
  int64_t told_ns = clock_in_ns(20 * NS_PER_SECOND);
  while (!knows(SERVER, "workloads/main/other") && clock_monotonic_ns() < told_ns)
    (void)poll(NULL, 0, 20);
  assert_true(knows(SERVER, "workloads/main/other")); /* the next thing it is told is what it refuses */
  close(taken);
  int64_t deadline_ns = clock_in_ns(20 * NS_PER_SECOND);
  while (ask_as(CLIENT) != 200 && clock_monotonic_ns() < deadline_ns)
    (void)poll(NULL, 0, 20);
  assert_int_equal(ask_as(CLIENT), 200);
  undeclare("splits/main/nothing");
}

static void a_workload_whose_sidecar_is_not_there_is_told(void **state) {
  (void)state;
  char *why = NULL, body[512];
  snprintf(body, sizeof body,
           "{\"serviceAccount\":\"nobody\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\",\"ports\":[]}",
           address_of('a', 9), address_of('i', 9), address_of('o', 9));
  assert_int_equal(control("PUT", "workloads/main/nobody", body, &why), 424);
  assert_non_null(strstr(why, "the sidecar of main/nobody at"));
  free(why);
  undeclare("workloads/main/nobody");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(traffic_goes_from_sidecar_to_sidecar),
      cmocka_unit_test(a_change_is_in_force_once_it_is_answered),
      cmocka_unit_test(counts_of_all_sidecars_are_told),
      cmocka_unit_test(a_sidecar_without_an_identity_has_no_listeners),
      cmocka_unit_test(one_that_comes_back_is_told_everything),
      cmocka_unit_test(one_that_refuses_while_it_joins_joins_again),
      cmocka_unit_test(a_workload_whose_sidecar_is_not_there_is_told),
  };
  return cmocka_run_group_tests_name("sidecars", tests, setup, teardown);
}
