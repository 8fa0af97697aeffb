/* The whole path below the suite: the mesh that comes with Trammel is installed by its plan, a topology is placed,
 * traffic goes through. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "host/lab/lab.h"
#include "sdk/base/clock.h"
#include "tests/integration/engine/adapter_fixture.h"
#include "tests/integration/engine/state_fixture.h"

static const struct topology_port ports[] = {{.port = 8080, .protocol = PROTOCOL_HTTP},
                                             {.port = 7070, .protocol = PROTOCOL_TCP},
                                             {.port = 7070, .protocol = PROTOCOL_UDP}};
static const struct topology_port service_ports[] = {
    {.name = "http", .port = 80, .target_port = 8080, .protocol = PROTOCOL_HTTP},
    {.name = "tcp", .port = 7070, .target_port = 7070, .protocol = PROTOCOL_TCP},
    {.name = "udp", .port = 7070, .target_port = 7070, .protocol = PROTOCOL_UDP}};
static const struct topology_workload workloads[] = {
    {.name = "client", .ns = "main", .service_account = "client", .ports = ports, .port_count = 3},
    {.name = "server", .ns = "main", .service_account = "server", .ports = ports, .port_count = 3},
    {.name = "v1", .ns = "main", .service_account = "server", .ports = ports, .port_count = 3},
    {.name = "v2", .ns = "main", .service_account = "server", .ports = ports, .port_count = 3},
    {.name = "client", .ns = "other", .service_account = "client", .ports = ports, .port_count = 3},
};
static const char *const behind[] = {"server"};
static const struct topology_service services[] = {{.name = "server",
                                                    .ns = "main",
                                                    .ports = service_ports,
                                                    .port_count = 3,
                                                    .workloads = behind,
                                                    .workload_count = 1}};
static const struct topology topology = {
    .name = "test", .workloads = workloads, .workload_count = 5, .services = services, .service_count = 1};

struct fixture {
  struct state_fixture state;
  struct journal *journal;
  struct registry *registry;
  struct lab *lab;
  struct engine *engine;
};

static void must(int r, struct error *err) {
  if (r < 0)
    fail_msg("%s", error_message(err));
}

static void plan(struct fixture *f, Trammel__Adapter__V1__PlanAction action) {
  struct error *err = NULL;

  must(engine_plan(f->engine, action, TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS, lab_mesh_address(f->lab), &err),
       err);
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  struct error *err = NULL;

  assert_non_null(f);
  state_fixture_init(&f->state);
  must(journal_create(f->state.state, &f->journal, &err), err);
  const struct adapter_entry *entry = find_embedded_adapter(&f->registry);
  const struct process_lab_options options = {.slots = 1, .workloads = 5, .journal = f->journal};
  must(process_lab_create(&options, &f->lab, &err), err);
  must(engine_create(entry, NULL, f->journal, NULL, NULL, &f->engine, &err), err);
  plan(f, TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  engine_destroy(f->engine);
  lab_destroy(f->lab);
  journal_finish(f->journal);
  bool clean = !path_exists(f->state.state);
  registry_destroy(f->registry);
  state_fixture_finish(&f->state);
  free(f);
  return clean ? 0 : -1;
}

static struct call_outcome call(const struct placement *placement, const char *client, uint16_t port,
                                enum call_protocol protocol) {
  struct call_outcome *outcomes = NULL;
  struct error *err = NULL;
  struct call_batch batch = {.id = "call",
                             .protocol = protocol,
                             .method = "GET",
                             .path = "/",
                             .count = 1,
                             .concurrency = 1,
                             .timeout_ms = 5000};

  must(placement_upstream(placement, client, "main/server", port, protocol == CALL_UDP ? PROTOCOL_UDP : PROTOCOL_HTTP,
                          &batch.address, &batch.port, &err),
       err);
  must(workload_call(placement_workload(placement, client), &batch, clock_monotonic_ns() + 10 * NS_PER_SECOND, NULL,
                     &outcomes, &err),
       err);
  struct call_outcome outcome = outcomes[0];
  free(outcomes);
  return outcome;
}

static void test_traffic_goes_through_the_mesh(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL;
  struct error *err = NULL;

  must(lab_place(f->lab, 0, f->engine, &topology, &placement, &err), err);
  struct call_outcome http = call(placement, "other/client", 80, CALL_HTTP1);
  assert_int_equal(http.end, CALL_ANSWERED);
  assert_int_equal(http.status, 200);
  assert_string_equal(http.server, "server");
  struct call_outcome tcp = call(placement, "main/client", 7070, CALL_TCP);
  assert_int_equal(tcp.end, CALL_ANSWERED);
  assert_string_equal(tcp.server, "server");
  struct call_outcome udp = call(placement, "main/client", 7070, CALL_UDP);
  assert_int_equal(udp.end, CALL_ANSWERED);
  assert_string_equal(udp.server, "server");
  json_t *objects = NULL;
  must(placement_remove(placement, &err), err);
  must(engine_read(f->engine, "placement-0-1", &objects, &err), err);
  assert_int_equal(json_array_size(objects), 0);
  json_decref(objects);
}

/* Objects on a mesh that ends with the run are not worth a sync each. */
static void test_registrations_on_the_own_mesh_are_not_journaled(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL;
  struct error *err = NULL;

  must(lab_place(f->lab, 0, f->engine, &topology, &placement, &err), err);
  char *text = read_file(journal_directory(f->journal), "journal.jsonl");
  assert_null(strstr(text, "object-intended"));
  free(text);
  must(placement_remove(placement, &err), err);
}

#define ROUNDS 20

static void test_placing_is_quick(void **state) {
  struct fixture *f = *state;
  struct error *err = NULL;
  int64_t best_ns = INT64_MAX, total_ns = 0;

  for (unsigned i = 0; i < ROUNDS; i++) {
    struct placement *placement = NULL;
    int64_t start_ns = clock_monotonic_ns();
    must(lab_place(f->lab, 0, f->engine, &topology, &placement, &err), err);
    must(placement_remove(placement, &err), err);
    int64_t took_ns = clock_monotonic_ns() - start_ns;
    total_ns += took_ns;
    best_ns = took_ns < best_ns ? took_ns : best_ns;
  }
  print_message("placing 5 workloads and removing them took %.2f ms on average, %.2f ms at best\n",
                (double)total_ns / ROUNDS / 1e6, (double)best_ns / 1e6);
  assert_true(best_ns < 500 * NS_PER_MS); /* also on a busy machine, and with sanitizers */
}

static void test_uninstall_ends_the_mesh(void **state) {
  struct fixture *f = *state;
  Trammel__Adapter__V1__DetectResponse *found = NULL;
  struct error *err = NULL;

  must(engine_detect(f->engine, &found, &err), err);
  assert_true(found->present && found->ready);
  trammel__adapter__v1__detect_response__free_unpacked(found, NULL);
  plan(f, TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_UNINSTALL);
  must(engine_detect(f->engine, &found, &err), err);
  assert_false(found->present);
  trammel__adapter__v1__detect_response__free_unpacked(found, NULL);
}

/* The control port of an address that no lab uses, bound so that nothing else can listen on it. */
#define TAKEN_ADDRESS "127.251.0.1"
#define CONTROL_PORT 15000

static int take_control_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(CONTROL_PORT)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_true(fd >= 0);
  assert_int_equal(inet_pton(AF_INET, TAKEN_ADDRESS, &address.sin_addr), 1);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  return fd;
}

static void test_mesh_that_cannot_start_says_why(void **state) {
  struct fixture *f = *state;
  struct error *err = NULL;
  int fd = take_control_port();

  int r = engine_plan(f->engine, TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL,
                      TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS, TAKEN_ADDRESS, &err);
  assert_int_equal(r, -ECHILD);
  assert_non_null(strstr(error_message(err), "exited with"));
  assert_non_null(strstr(error_message(err), "step 1 of 1"));
  print_message("%s\n", error_message(err));
  error_free(err);
  (void)close(fd);
}

static void test_mesh_that_dies_is_named(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL, *next = NULL;
  struct error *err = NULL;

  must(lab_place(f->lab, 0, f->engine, &topology, &placement, &err), err);
  must(engine_check(f->engine, &err), err);
  must(placement_check(placement, &err), err);
  pid_t pid = journaled_pid(journal_directory(f->journal), "mesh-refmesh");
  assert_true(pid > 0);
  assert_int_equal(kill(pid, SIGKILL), 0);
  int64_t deadline_ns = clock_monotonic_ns() + 5 * NS_PER_SECOND;
  while (engine_check(f->engine, NULL) == 0 && clock_monotonic_ns() < deadline_ns)
    continue;
  assert_int_equal(placement_check(placement, &err), -ECHILD);
  assert_non_null(strstr(error_message(err), "mesh-refmesh"));
  assert_non_null(strstr(error_message(err), "SIGKILL"));
  (void)placement_remove(placement, NULL);
  assert_int_equal(lab_place(f->lab, 0, f->engine, &topology, &next, &err), -ECHILD);
  assert_non_null(strstr(error_message(err), "mesh-refmesh"));
  error_free(err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_traffic_goes_through_the_mesh),
      TEST(test_registrations_on_the_own_mesh_are_not_journaled),
      TEST(test_placing_is_quick),
      TEST(test_uninstall_ends_the_mesh),
      TEST(test_mesh_that_cannot_start_says_why),
      TEST(test_mesh_that_dies_is_named),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
