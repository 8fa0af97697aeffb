/* The process lab with real workload processes and the adapter that comes with Trammel; its control API is played here.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/engine/patience.h"
#include "host/lab/lab.h"
#include "sdk/base/clock.h"
#include "tests/integration/engine/adapter_fixture.h"
#include "tests/integration/engine/fake_mesh.h"
#include "tests/integration/engine/state_fixture.h"

#define SLOTS 3
#define WORKLOADS 3

static const struct topology_port server_ports[] = {{.port = 8080, .protocol = PROTOCOL_HTTP},
                                                    {.port = 7070, .protocol = PROTOCOL_TCP},
                                                    {.port = 7070, .protocol = PROTOCOL_UDP}};
static const struct topology_port service_ports[] = {
    {.name = "http", .port = 80, .target_port = 8080, .protocol = PROTOCOL_HTTP},
    {.name = "tcp", .port = 7070, .target_port = 7070, .protocol = PROTOCOL_TCP},
    {.name = "udp", .port = 7070, .target_port = 7070, .protocol = PROTOCOL_UDP}};
static const struct topology_workload workloads[] = {
    {.name = "client", .ns = "main", .service_account = "client"},
    {.name = "server", .ns = "main", .service_account = "server", .ports = server_ports, .port_count = 3},
    {.name = "client", .ns = "other", .service_account = "client"},
};
static const char *const behind[] = {"server"};
static const struct topology_service services[] = {{.name = "server",
                                                    .ns = "main",
                                                    .ports = service_ports,
                                                    .port_count = 3,
                                                    .workloads = behind,
                                                    .workload_count = 1}};
static const struct topology topology = {
    .name = "test", .workloads = workloads, .workload_count = 3, .services = services, .service_count = 1};

/* Starting processes is what costs: one lab for all tests. */
struct fixture {
  struct state_fixture state;
  struct journal *journal;
  struct registry *registry;
  struct fake_mesh *mesh;
  struct lab *lab;
  struct engine *engine;
};

static void must(int r, struct error *err) {
  if (r < 0)
    fail_msg("%s", error_message(err));
}

static int group_setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  struct error *err = NULL;

  assert_non_null(f);
  state_fixture_init(&f->state);
  must(journal_create(f->state.state, &f->journal, &err), err);
  const struct process_lab_options options = {.slots = SLOTS, .workloads = WORKLOADS, .journal = f->journal};
  int64_t start_ms = monotonic_ms();
  must(process_lab_create(&options, &f->lab, &err), err);
  print_message("%d workloads were ready after %lld ms\n", SLOTS * WORKLOADS, (long long)(monotonic_ms() - start_ms));
  f->mesh = fake_mesh_start();
  must(engine_create(find_embedded_adapter(&f->registry), NULL, f->journal, NULL, NULL, &f->engine, &err), err);
  must(engine_set_endpoint(f->engine, "control", fake_mesh_url(f->mesh), &err), err);
  *state = f;
  return 0;
}

static int group_teardown(void **state) {
  struct fixture *f = *state;

  engine_destroy(f->engine);
  lab_destroy(f->lab);
  journal_finish(f->journal);
  bool clean = !path_exists(f->state.state);
  registry_destroy(f->registry);
  fake_mesh_stop(f->mesh);
  state_fixture_finish(&f->state);
  free(f);
  return clean ? 0 : -1;
}

static struct placement *place(struct fixture *f, unsigned slot) {
  struct placement *placement = NULL;
  struct error *err = NULL;

  must(lab_place(f->lab, slot, f->engine, &topology, &placement, &err), err);
  return placement;
}

static void take_away(struct placement *placement) {
  struct error *err = NULL;

  must(placement_remove(placement, &err), err);
}

static void test_placement_has_its_own_namespaces(void **state) {
  struct fixture *f = *state;
  struct placement *first = place(f, 0), *second = place(f, 1);
  const char *name = placement_namespace(first, "main");

  assert_memory_equal(name, "main-", 5);
  assert_string_not_equal(name, placement_namespace(second, "main"));
  assert_string_not_equal(name, placement_namespace(first, "other"));
  assert_null(placement_namespace(first, "nowhere"));
  take_away(first);
  first = place(f, 0);
  assert_string_not_equal(placement_namespace(first, "main"), placement_namespace(second, "main"));
  take_away(first);
  take_away(second);
}

static void test_inventory(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 2);
  const Trammel__Adapter__V1__Inventory *inventory = placement_inventory(placement);

  assert_int_equal(inventory->n_workloads, 3);
  assert_int_equal(inventory->n_services, 1);
  const Trammel__Adapter__V1__Workload *server = inventory->workloads[1];
  assert_string_equal(server->name, "server");
  assert_string_equal(server->namespace_, placement_namespace(placement, "main"));
  assert_string_equal(server->service_account, "server");
  assert_int_equal(server->n_ports, 3);
  assert_int_equal(server->ports[1]->protocol, TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP);
  assert_int_equal(server->ports[2]->protocol, TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP);
  assert_string_not_equal(server->app_address, server->inbound_address);
  assert_string_not_equal(server->app_address, server->outbound_address);
  assert_string_not_equal(server->app_address, inventory->workloads[0]->app_address);
  const Trammel__Adapter__V1__Service *service = inventory->services[0];
  assert_int_equal(service->ports[0]->port, 80);
  assert_int_equal(service->ports[0]->target_port, 8080);
  assert_string_equal(service->workloads[0], "server");
  take_away(placement);
}

static void test_registrations_come_and_go(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 0);

  assert_int_equal(fake_mesh_count(f->mesh), 4); /* three workloads, one service */
  take_away(placement);
  assert_int_equal(fake_mesh_count(f->mesh), 0);
}

static void test_failed_placement_leaves_nothing(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL;
  struct error *err = NULL;

  fake_mesh_start_slowly(f->mesh, 1);
  assert_int_equal(lab_place(f->lab, 0, f->engine, &topology, &placement, &err), -EIO);
  assert_non_null(strstr(error_message(err), "503"));
  error_free(err);
  assert_null(placement);
  assert_int_equal(fake_mesh_count(f->mesh), 0);
}

static void test_upstream_and_direct(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 0);
  const Trammel__Adapter__V1__Inventory *inventory = placement_inventory(placement);
  const char *address;
  uint16_t port;

  assert_int_equal(
      placement_upstream(placement, "other/client", "main/server", 80, PROTOCOL_HTTP, &address, &port, NULL), 0);
  assert_string_equal(address, inventory->workloads[2]->outbound_address);
  assert_true(port > 0);
  assert_int_equal(
      placement_upstream(placement, "main/client", "main/server", 81, PROTOCOL_HTTP, &address, &port, NULL), -ENOENT);
  assert_int_equal(
      placement_upstream(placement, "main/client", "other/server", 80, PROTOCOL_HTTP, &address, &port, NULL), -ENOENT);
  assert_int_equal(placement_upstream(placement, "client", "main/server", 80, PROTOCOL_HTTP, &address, &port, NULL),
                   -EINVAL);
  assert_int_equal(placement_direct(placement, "main/server", 7070, PROTOCOL_TCP, &address, &port, NULL), 0);
  assert_string_equal(address, inventory->workloads[1]->inbound_address);
  assert_int_equal(port, 7070);
  assert_int_equal(placement_direct(placement, "main/server", 80, PROTOCOL_HTTP, &address, &port, NULL), -ENOENT);
  assert_int_equal(placement_direct(placement, "main/nobody", 80, PROTOCOL_HTTP, &address, &port, NULL), -ENOENT);
  take_away(placement);
}

/* TCP and UDP have port numbers of their own. */
static void test_a_number_stands_for_a_port_of_each_transport(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 0);
  const char *address;
  uint16_t tcp = 0, udp = 0, http = 0;

  assert_int_equal(
      placement_upstream(placement, "main/client", "main/server", 7070, PROTOCOL_TCP, &address, &tcp, NULL), 0);
  assert_int_equal(
      placement_upstream(placement, "main/client", "main/server", 7070, PROTOCOL_UDP, &address, &udp, NULL), 0);
  assert_int_equal(
      placement_upstream(placement, "main/client", "main/server", 80, PROTOCOL_HTTP, &address, &http, NULL), 0);
  assert_true(tcp != udp && udp != http);
  assert_int_equal(placement_upstream(placement, "main/client", "main/server", 80, PROTOCOL_UDP, &address, &udp, NULL),
                   -ENOENT);
  assert_int_equal(placement_direct(placement, "main/server", 7070, PROTOCOL_UDP, &address, &udp, NULL), 0);
  assert_int_equal(placement_direct(placement, "main/server", 8080, PROTOCOL_UDP, &address, &udp, NULL), -ENOENT);
  take_away(placement);
}

/* A call from the client's process to the server's own address, around any mesh. */
static struct call_outcome call_server(const struct placement *placement, const char *id) {
  struct call_outcome *outcomes = NULL;
  struct error *err = NULL;
  struct call_batch batch = {.id = id,
                             .protocol = CALL_HTTP1,
                             .address = placement_inventory(placement)->workloads[1]->app_address,
                             .port = 8080,
                             .method = "GET",
                             .path = "/",
                             .count = 1,
                             .concurrency = 1,
                             .timeout_ms = 5000};

  must(workload_call(placement_workload(placement, "main/client"), &batch, clock_monotonic_ns() + 10 * NS_PER_SECOND,
                     NULL, &outcomes, &err),
       err);
  struct call_outcome outcome = outcomes[0];
  free(outcomes);
  return outcome;
}

static size_t received_count(const struct placement *placement, const char *prefix) {
  struct received *received = NULL;
  size_t count = 0;
  struct error *err = NULL;

  must(workload_received(placement_workload(placement, "main/server"), prefix, &received, &count, &err), err);
  free(received);
  return count;
}

static void test_workloads_talk_and_start_afresh(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 1);
  struct call_outcome outcome = call_server(placement, "one");

  assert_int_equal(outcome.end, CALL_ANSWERED);
  assert_string_equal(outcome.server, "server");
  assert_int_equal(received_count(placement, "one"), 1);
  assert_null(placement_workload(placement, "other/server"));
  take_away(placement);
  placement = place(f, 1);
  assert_int_equal(received_count(placement, ""), 0);
  assert_int_equal(call_server(placement, "two").end, CALL_ANSWERED);
  take_away(placement);
}

static void test_topology_that_does_not_fit(void **state) {
  struct fixture *f = *state;
  struct topology_workload many[WORKLOADS + 1] = {workloads[0], workloads[1], workloads[2], workloads[0]};
  struct topology large = topology;
  struct placement *placement;

  large.workloads = many;
  large.workload_count = WORKLOADS + 1;
  assert_int_equal(lab_place(f->lab, 0, f->engine, &large, &placement, NULL), -EINVAL);
  assert_int_equal(lab_place(f->lab, SLOTS, f->engine, &topology, &placement, NULL), -EINVAL);
}

#define ROUNDS 20

struct slot_run {
  struct fixture *f;
  unsigned slot;
  int result;
};

static void *place_often(void *ctx) {
  struct slot_run *run = ctx;

  for (unsigned i = 0; run->result == 0 && i < ROUNDS; i++) {
    struct placement *placement;
    run->result = lab_place(run->f->lab, run->slot, run->f->engine, &topology, &placement, NULL);
    if (run->result == 0)
      run->result = placement_check(placement, NULL);
    if (run->result == 0)
      run->result = placement_remove(placement, NULL);
  }
  return NULL;
}

static void test_slots_side_by_side(void **state) {
  struct slot_run runs[SLOTS];
  pthread_t threads[SLOTS];
  int64_t start_ns = clock_monotonic_ns();

  for (unsigned i = 0; i < SLOTS; i++) {
    runs[i] = (struct slot_run){.f = *state, .slot = i};
    assert_int_equal(pthread_create(&threads[i], NULL, place_often, &runs[i]), 0);
  }
  for (unsigned i = 0; i < SLOTS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(runs[i].result, 0);
  }
  print_message("a placement and its removal took %.2f ms\n",
                (double)(clock_monotonic_ns() - start_ns) / 1e6 / (ROUNDS * SLOTS));
}

static void test_dead_workload_is_noticed(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 2);
  struct error *err = NULL;

  assert_int_equal(placement_check(placement, NULL), 0);
  pid_t pid = journaled_pid(journal_directory(f->journal), "workload-2-1");
  assert_true(pid > 0);
  assert_int_equal(kill(pid, SIGKILL), 0);
  int64_t deadline_ms = monotonic_ms() + 5000;
  while (placement_check(placement, NULL) == 0 && monotonic_ms() < deadline_ms)
    continue;
  assert_int_equal(placement_check(placement, &err), -ECHILD);
  assert_non_null(strstr(error_message(err), "workload-2-1"));
  assert_non_null(strstr(error_message(err), "SIGKILL"));
  take_away(placement);
  error_free(err);
}

static pid_t live_pid(struct fixture *f, const char *name) {
  return journaled_pid(journal_directory(f->journal), name);
}

/* Its death can be seen afterwards. */
static void kill_workload(struct fixture *f, const char *name) {
  int pidfd = pidfd_open(live_pid(f, name), 0);

  assert_true(pidfd >= 0);
  assert_int_equal(pidfd_send_signal(pidfd, SIGKILL, NULL, 0), 0);
  assert_true(wait_for_end(pidfd, 5000));
  (void)close(pidfd);
}

static void test_dead_workload_is_replaced(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 2);
  pid_t pid = live_pid(f, "workload-2-1");

  take_away(placement);
  kill_workload(f, "workload-2-1");
  placement = place(f, 2);
  assert_int_not_equal(live_pid(f, "workload-2-1"), pid);
  assert_int_equal(placement_check(placement, NULL), 0);
  assert_int_equal(call_server(placement, "again").end, CALL_ANSWERED);
  take_away(placement);
}

static void test_hung_workload_is_named_and_replaced(void **state) {
  struct fixture *f = *state;
  struct placement *placement = place(f, 2);
  struct error *err = NULL;
  pid_t pid = live_pid(f, "workload-2-0");

  must(placement_ask(placement, &err), err);
  assert_int_equal(kill(pid, SIGSTOP), 0);
  assert_int_equal(placement_check(placement, &err), 0);
  assert_int_equal(placement_ask(placement, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "workload-2-0"));
  error_free(err);
  take_away(placement);
  placement = place(f, 2);
  assert_int_not_equal(live_pid(f, "workload-2-0"), pid);
  assert_int_equal(call_server(placement, "again").end, CALL_ANSWERED);
  take_away(placement);
}

/* A placement has the patience of its thread: a workload that hangs costs no more. */
static void test_placing_ends_in_time(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL;
  struct error *err = NULL;
  pid_t pid = live_pid(f, "workload-2-2");

  assert_int_equal(kill(pid, SIGSTOP), 0);
  int64_t start_ms = monotonic_ms();
  patience_set(clock_in_ns(300 * NS_PER_MS));
  assert_int_equal(lab_place(f->lab, 2, f->engine, &topology, &placement, &err), -ETIMEDOUT);
  patience_set(0);
  assert_in_range(monotonic_ms() - start_ms, 250, 5000);
  error_free(err);
  take_away(place(f, 2));
  assert_int_not_equal(live_pid(f, "workload-2-2"), pid);
}

/* Last: afterwards the lab replaces none. */
static void test_replacing_comes_to_an_end(void **state) {
  struct fixture *f = *state;
  struct placement *placement = NULL;
  struct error *err = NULL;
  int r = 0;

  for (unsigned i = 0; r == 0 && i <= LAB_REPLACEMENTS_MAX; i++) {
    assert_false(lab_spent(f->lab));
    kill_workload(f, "workload-1-0");
    error_free(take(err));
    r = lab_place(f->lab, 1, f->engine, &topology, &placement, &err);
    if (r == 0)
      take_away(placement);
  }
  assert_int_equal(r, -ECHILD);
  assert_non_null(strstr(error_message(err), "something ends them"));
  assert_true(lab_spent(f->lab));
  error_free(err);
}

static void test_cancelled_start(void **state) {
  struct fixture *f = *state;
  atomic_bool cancel = true;
  struct process_lab_options options = {.slots = 1, .workloads = 1, .journal = f->journal, .cancel = &cancel};
  struct lab *lab;

  assert_int_equal(process_lab_create(&options, &lab, NULL), -ECANCELED);
  options.slots = LAB_SLOTS_MAX + 1;
  assert_int_equal(process_lab_create(&options, &lab, NULL), -EINVAL);
  options.slots = 1;
  options.workloads = 0;
  assert_int_equal(process_lab_create(&options, &lab, NULL), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_placement_has_its_own_namespaces),
      cmocka_unit_test(test_inventory),
      cmocka_unit_test(test_registrations_come_and_go),
      cmocka_unit_test(test_failed_placement_leaves_nothing),
      cmocka_unit_test(test_upstream_and_direct),
      cmocka_unit_test(test_a_number_stands_for_a_port_of_each_transport),
      cmocka_unit_test(test_workloads_talk_and_start_afresh),
      cmocka_unit_test(test_topology_that_does_not_fit),
      cmocka_unit_test(test_slots_side_by_side),
      cmocka_unit_test(test_cancelled_start),
      cmocka_unit_test(test_dead_workload_is_noticed),
      cmocka_unit_test(test_dead_workload_is_replaced),
      cmocka_unit_test(test_hung_workload_is_named_and_replaced),
      cmocka_unit_test(test_placing_ends_in_time),
      cmocka_unit_test(test_replacing_comes_to_an_end),
  };

  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
