/* Verdicts, against played workloads: what each would record and answer is set by the test, so that each way for a mesh
 * to deceive is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/judge.h"

/* ---- the played lab: three servers behind one root service, and a client */

#define CALLS_MAX 8192

enum { CLIENT, SERVER, V1, V2, WORKLOADS };

static const struct topology_port ports[] = {{.port = 8080, .target_port = 8080, .protocol = PROTOCOL_HTTP}};
static const struct topology_workload workloads[WORKLOADS] = {
    {.name = "client", .ns = "main", .service_account = "client"},
    {.name = "server", .ns = "main", .service_account = "server", .ports = ports, .port_count = 1},
    {.name = "v1", .ns = "main", .service_account = "v1", .ports = ports, .port_count = 1},
    {.name = "v2", .ns = "main", .service_account = "v2", .ports = ports, .port_count = 1},
};
static const char *const root_workloads[] = {"server"};
static const struct topology_service services[] = {
    {.name = "root", .ns = "main", .ports = ports, .port_count = 1, .workloads = root_workloads, .workload_count = 1}};
static const struct topology topology = {
    .name = "played", .workloads = workloads, .workload_count = WORKLOADS, .services = services, .service_count = 1};

/* What becomes of call i: how it ends, and for each workload whether it has a record. */
struct played_call {
  enum call_end end;
  unsigned status;
  int answered_by; /* whose nonce comes back; -1: an invented one; -2: none */
  bool received[WORKLOADS];
};
static struct played_call (*play)(unsigned i);

struct workload_client {
  int index;
};
static struct workload_client clients[WORKLOADS] = {{CLIENT}, {SERVER}, {V1}, {V2}};
static struct played_call played[CALLS_MAX];
static unsigned played_count;
static unsigned played_timeout_ms;
static char played_id[40];
static bool played_direct; /* whether the call goes around the mesh */

static void nonce_of(int workload, unsigned i, char *nonce) {
  (void)snprintf(nonce, NONCE_LENGTH + 1, "%016x%016x", (unsigned)workload + 1, i);
}

#define DIRECT_ADDRESS "127.0.0.2"

int placement_upstream(const struct placement *placement, const char *client, const char *service, uint16_t port,
                       enum protocol protocol, const char **ret_address, uint16_t *ret_port, struct error **err) {
  (void)placement;
  (void)client;
  (void)service;
  (void)protocol;
  (void)err;
  *ret_address = "127.0.0.1";
  *ret_port = port;
  return 0;
}

int placement_direct(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                     const char **ret_address, uint16_t *ret_port, struct error **err) {
  int r = placement_upstream(placement, NULL, workload, port, protocol, ret_address, ret_port, err);
  *ret_address = DIRECT_ADDRESS;
  return r;
}

struct workload_client *placement_workload(const struct placement *placement, const char *workload) {
  (void)placement;
  for (int i = 0; i < WORKLOADS; i++)
    if (strcmp(workload + strlen("main/"), workloads[i].name) == 0)
      return &clients[i];
  return NULL;
}

/* Requests that each workload has counted, and how often it was told to forget them. */
static unsigned counted[WORKLOADS];
static unsigned clears[WORKLOADS];
static struct call_batch last_batch;
static char last_caller[64];

static void count_played(const struct call_batch *batch) {
  for (unsigned i = 0; i < batch->count; i++)
    for (int k = 0; k < WORKLOADS; k++)
      counted[k] += played[i].received[k];
  last_batch = *batch;
  last_caller[0] = '\0';
  for (size_t i = 0; i < batch->header_count; i++)
    if (strcmp(batch->headers[i].name, "ServiceName") == 0)
      (void)snprintf(last_caller, sizeof(last_caller), "%s", batch->headers[i].value);
}

int workload_call(struct workload_client *client, const struct call_batch *batch, int64_t deadline_ns,
                  const atomic_bool *cancel, struct call_outcome **ret_outcomes, struct error **err) {
  (void)deadline_ns;
  (void)cancel;
  (void)err;
  assert_int_equal(client->index, CLIENT);
  assert_true(batch->count <= CALLS_MAX);
  played_timeout_ms = batch->timeout_ms;
  played_direct = strcmp(batch->address, DIRECT_ADDRESS) == 0;
  struct call_outcome *outcomes = calloc(batch->count, sizeof(*outcomes));
  assert_non_null(outcomes);
  for (unsigned i = 0; i < batch->count; i++) {
    played[i] = play(i);
    outcomes[i].end = played[i].end;
    outcomes[i].status = played[i].status;
    if (played[i].answered_by >= 0)
      (void)snprintf(outcomes[i].server, sizeof(outcomes[i].server), "%s", workloads[played[i].answered_by].name);
    if (played[i].answered_by >= -1)
      nonce_of(played[i].answered_by, i, outcomes[i].nonce);
  }
  count_played(batch);
  played_count = batch->count;
  (void)snprintf(played_id, sizeof(played_id), "%s", batch->id);
  *ret_outcomes = outcomes;
  return 0;
}

int workload_received(struct workload_client *client, const char *id_prefix, struct received **ret_received,
                      size_t *ret_count, struct error **err) {
  (void)err;
  assert_int_equal(strncmp(id_prefix, played_id, strlen(played_id)), 0);
  struct received *received = calloc(played_count + 1, sizeof(*received));
  assert_non_null(received);
  size_t count = 0;
  for (unsigned i = 0; i < played_count; i++) {
    if (!played[i].received[client->index])
      continue;
    (void)snprintf(received[count].id, sizeof(received[count].id), "%s-%u", played_id, i);
    nonce_of(client->index, i, received[count++].nonce);
  }
  *ret_received = received;
  *ret_count = count;
  return 0;
}

int workload_counters_clear(struct workload_client *client, struct error **err) {
  (void)err;
  counted[client->index] = 0;
  clears[client->index]++;
  return 0;
}

int workload_requests_counted(struct workload_client *client, unsigned *ret_count, struct error **err) {
  (void)err;
  *ret_count = counted[client->index];
  return 0;
}

/* ---- judging */

static const struct check_share shares[] = {{"v1", 1}, {"v2", 0}};
static const struct check base_check = {.from = "main/client",
                                        .to = "main/root",
                                        .port = 8080,
                                        .protocol = PROTOCOL_HTTP,
                                        .method = "GET",
                                        .path = "/",
                                        .requirement = "ACC-01"};

static bool holds(enum check_kind kind, struct played_call (*calls)(unsigned)) {
  struct check check = base_check;
  check.kind = kind;
  if (kind == CHECK_SPLIT) {
    check.shares = shares;
    check.share_count = 2;
  }
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  struct error *err = NULL;
  play = calls;
  int r = judge_check(&prober, &check, true, arena, &verdict, &err);
  if (r < 0)
    fail_msg("%s", error_message(err));
  bool held = verdict.result.held;
  assert_non_null(verdict.result.expected);
  assert_non_null(verdict.result.seen);
  assert_non_null(verdict.result.evidence);
  verdict_finish(&verdict);
  arena_destroy(arena);
  return held;
}

static struct played_call delivered(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = SERVER, .received[SERVER] = true};
}

static struct played_call refused_403(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 403, .answered_by = -2};
}

static struct played_call faked_200(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = -1};
}

static struct played_call faked_200_beside_a_delivery(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = -1, .received[SERVER] = true};
}

static struct played_call delivered_then_403(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 403, .answered_by = -2, .received[SERVER] = true};
}

static struct played_call delivered_elsewhere(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = V1, .received[V1] = true};
}

static struct played_call mirrored(unsigned i) {
  struct played_call call = delivered(i);
  call.received[V2] = true;
  return call;
}

static struct played_call status_500(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 500, .answered_by = -2};
}

static struct played_call closed(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_CLOSED, .answered_by = -2};
}

static struct played_call broken_client(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ERROR, .answered_by = -2};
}

static void allowed_needs_the_servers_own_nonce(void **state) {
  (void)state;
  assert_true(holds(CHECK_ALLOWED, delivered));
  assert_false(holds(CHECK_ALLOWED, refused_403));
  assert_false(holds(CHECK_ALLOWED, faked_200));
  assert_false(holds(CHECK_ALLOWED, faked_200_beside_a_delivery));
  assert_false(holds(CHECK_ALLOWED, delivered_then_403));
  assert_false(holds(CHECK_ALLOWED, delivered_elsewhere));
  assert_false(holds(CHECK_ALLOWED, mirrored));
}

static void denied_needs_a_refusal_and_no_record(void **state) {
  (void)state;
  assert_true(holds(CHECK_DENIED, refused_403));
  assert_true(holds(CHECK_DENIED, closed));
  assert_false(holds(CHECK_DENIED, delivered));
  assert_false(holds(CHECK_DENIED, delivered_then_403));
  assert_false(holds(CHECK_DENIED, delivered_elsewhere));
  assert_false(holds(CHECK_DENIED, faked_200));
  assert_false(holds(CHECK_DENIED, status_500));
  assert_false(holds(CHECK_DENIED, broken_client));
}

static struct played_call silence(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_TIMEOUT, .answered_by = -2};
}

/* Silence is how UDP is denied: it must cost little, and be no reason to give an allowed call up early. */
static void silence_denies_udp_and_costs_little(void **state) {
  (void)state;
  struct check check = base_check;
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  const char *seen = NULL;
  check.protocol = PROTOCOL_UDP;
  check.kind = CHECK_DENIED;
  play = silence;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  assert_true(verdict.result.held);
  assert_int_equal(played_timeout_ms, SILENCE_TIMEOUT_MS);
  verdict_finish(&verdict);
  assert_int_equal(judge_glance(&prober, &check, arena, &seen, NULL), 0);
  assert_null(seen);
  assert_int_equal(played_timeout_ms, SILENCE_TIMEOUT_MS);
  check.kind = CHECK_ALLOWED;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  assert_false(verdict.result.held);
  assert_int_equal(played_timeout_ms, CALL_TIMEOUT_MS);
  verdict_finish(&verdict);
  check.protocol = PROTOCOL_TCP;
  check.kind = CHECK_DENIED;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  assert_int_equal(played_timeout_ms, REFUSAL_TIMEOUT_MS);
  verdict_finish(&verdict);
  arena_destroy(arena);
}

/* One request in 688 gets through. */
static struct played_call leaks_one(unsigned i) {
  return i == 500 ? delivered(i) : refused_403(i);
}

static void every_repeated_call_must_be_denied(void **state) {
  (void)state;
  struct check check = base_check;
  check.kind = CHECK_DENIED;
  check.repeat = 688;
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  play = leaks_one;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  assert_false(verdict.result.held);
  assert_non_null(strstr(verdict.result.seen, "call 501 of 688"));
  verdict_finish(&verdict);
  arena_destroy(arena);
}

static void a_refusal_that_is_delivered_later_is_found(void **state) {
  (void)state;
  struct check check = base_check;
  check.kind = CHECK_DENIED;
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  play = refused_403;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  assert_true(verdict.result.held);
  assert_int_equal(judge_again(&prober, &verdict, arena, NULL), 0);
  assert_true(verdict.result.held);
  played[0].received[SERVER] = true;
  assert_int_equal(judge_again(&prober, &verdict, arena, NULL), 0);
  assert_false(verdict.result.held);
  verdict_finish(&verdict);
  arena_destroy(arena);
}

/* ---- splits: v1 has all the weight, v2 none */

static struct played_call to_v1(unsigned i) {
  (void)i;
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = V1, .received[V1] = true};
}

static struct played_call one_to_v2(unsigned i) {
  if (i != 600)
    return to_v1(i);
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = V2, .received[V2] = true};
}

static struct played_call one_mirrored_to_v2(unsigned i) {
  struct played_call call = to_v1(i);
  call.received[V2] = i == 600;
  return call;
}

static struct played_call one_to_the_root(unsigned i) {
  return i == 600 ? delivered(i) : to_v1(i);
}

static struct played_call one_lost(unsigned i) {
  return i == 600 ? closed(i) : to_v1(i);
}

static void a_split_has_no_strays_and_loses_nothing(void **state) {
  (void)state;
  assert_true(holds(CHECK_SPLIT, to_v1));
  assert_false(holds(CHECK_SPLIT, one_to_v2));
  assert_false(holds(CHECK_SPLIT, one_mirrored_to_v2));
  assert_false(holds(CHECK_SPLIT, one_to_the_root));
  assert_false(holds(CHECK_SPLIT, one_lost));
  assert_false(holds(CHECK_SPLIT, faked_200));
}

static unsigned percent_to_v1;
static bool both_get_it; /* the backend that is not chosen gets the request, too */

static struct played_call shared(unsigned i) {
  bool first = i % 100 < percent_to_v1;
  struct played_call call = {.end = CALL_ANSWERED, .status = 200, .answered_by = first ? V1 : V2};
  call.received[V1] = first || both_get_it;
  call.received[V2] = !first || both_get_it;
  return call;
}

static bool shares_hold(unsigned percent);

/* The answers are shared as they should be, and each backend carries all of the load. */
static void a_split_that_mirrors_is_broken(void **state) {
  (void)state;
  assert_true(shares_hold(90));
  both_get_it = true;
  assert_false(shares_hold(90));
  both_get_it = false;
}

static bool shares_hold(unsigned percent) {
  static const struct check_share even[] = {{"v1", 9}, {"v2", 1}};
  struct check check = base_check;
  check.kind = CHECK_SPLIT;
  check.shares = even;
  check.share_count = 2;
  check.shares_judged = true;
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  play = shared;
  percent_to_v1 = percent;
  assert_int_equal(judge_check(&prober, &check, true, arena, &verdict, NULL), 0);
  bool held = verdict.result.held;
  verdict_finish(&verdict);
  arena_destroy(arena);
  return held;
}

static void shares_are_judged_against_their_weights(void **state) {
  (void)state;
  assert_true(shares_hold(90));
  assert_false(shares_hold(50));
  assert_false(shares_hold(84));
  assert_false(shares_hold(96));
  assert_false(shares_hold(100)); /* v2 has weight and gets nothing */
}

static void a_check_says_the_version_of_http(void **state) {
  (void)state;
  struct check check = base_check;
  check.h2c = true;
  check.keep = "one";
  struct arena *arena = arena_create(0);
  assert_string_equal(check_describe(arena, &check), "GET / by h2c from client to root:8080 on a kept connection");
  arena_destroy(arena);
}

/* ---- counters, of the suite baseline: weak on purpose */

static struct check counted_check(const struct counted *wanted, unsigned repeat) {
  struct check check = base_check;
  check.kind = CHECK_COUNTED;
  check.counted = wanted;
  check.repeat = repeat;
  return check;
}

static bool counters_hold(const struct counted *wanted, unsigned repeat, struct played_call (*calls)(unsigned)) {
  struct check check = counted_check(wanted, repeat);
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  struct error *err = NULL;
  const char *seen = NULL;
  play = calls;
  if (judge_check(&prober, &check, true, arena, &verdict, &err) < 0)
    fail_msg("%s", error_message(err));
  bool held = verdict.result.held;
  assert_non_null(verdict.result.expected);
  assert_non_null(verdict.result.seen);
  assert_non_null(verdict.result.evidence);
  assert_int_equal(judge_glance(&prober, &check, arena, &seen, &err), 0);
  assert_true(held == (seen == NULL)); /* what is waited for is what is judged */
  verdict_finish(&verdict);
  arena_destroy(arena);
  return held;
}

static const struct counted blocked = {.succeeded = 0, .failed = 1};
static const struct counted let_through = {.succeeded = 1, .failed = 0};

/* One status is all that counts: a request that arrived although it was refused, and an answer that no server gave,
 * stay unseen. */
static void counters_go_by_the_status(void **state) {
  (void)state;
  assert_true(counters_hold(&blocked, 1, refused_403));
  assert_true(counters_hold(&blocked, 1, status_500));
  assert_true(counters_hold(&blocked, 1, delivered_then_403));
  assert_false(counters_hold(&blocked, 1, delivered));
  assert_true(counters_hold(&let_through, 1, delivered));
  assert_true(counters_hold(&let_through, 1, faked_200));
  assert_true(counters_hold(&let_through, 1, delivered_elsewhere));
  assert_false(counters_hold(&let_through, 1, refused_403));
}

/* As in the sample app, where a call without an answer is an error that no counter shows. */
static void a_call_without_an_answer_counts_as_neither(void **state) {
  (void)state;
  assert_false(counters_hold(&blocked, 1, closed));
  assert_false(counters_hold(&let_through, 1, closed));
}

static unsigned of_fifty_to_v1;

static struct played_call first_to_v1(unsigned i) {
  if (i < of_fifty_to_v1)
    return to_v1(i);
  return (struct played_call){.end = CALL_ANSWERED, .status = 200, .answered_by = V2, .received[V2] = true};
}

static bool fifty_hold(const struct counted *wanted, unsigned to_first) {
  of_fifty_to_v1 = to_first;
  return counters_hold(wanted, 50, first_to_v1);
}

static void counters_go_by_how_many_requests_arrived(void **state) {
  static const struct counted_server all_and_none[] = {{"v1", 50, 50}, {"v2", 0, 0}};
  static const struct counted_server some[] = {{"v1", 1, COUNTED_ANY}, {"v2", 1, COUNTED_ANY}};
  static const struct counted_server any[] = {{"v1", 0, COUNTED_ANY}, {"v2", 0, COUNTED_ANY}};
  const struct counted only_v1 = {.succeeded = -1, .failed = -1, .servers = all_and_none, .server_count = 2};
  const struct counted both = {.succeeded = -1, .failed = -1, .servers = some, .server_count = 2};
  const struct counted more = {
      .succeeded = -1, .failed = -1, .servers = any, .server_count = 2, .ordered = true, .more = 0, .less = 1};
  (void)state;
  assert_true(fifty_hold(&only_v1, 50));
  assert_false(fifty_hold(&only_v1, 49));
  assert_true(fifty_hold(&both, 1));
  assert_true(fifty_hold(&both, 49));
  assert_false(fifty_hold(&both, 0));
  assert_false(fifty_hold(&both, 50));
  assert_true(fifty_hold(&more, 26)); /* 52% pass for 75% */
  assert_false(fifty_hold(&more, 25));
  assert_false(fifty_hold(&more, 24));
}

static void counted_calls_follow_each_other_under_the_callers_name(void **state) {
  static const struct counted_server servers[] = {{"v1", 50, 50}};
  const struct counted wanted = {.succeeded = -1, .failed = -1, .servers = servers, .server_count = 1};
  (void)state;
  clears[V1] = clears[V2] = 0;
  counted[V1] = 7; /* of calls before */
  assert_true(counters_hold(&wanted, 50, to_v1));
  assert_int_equal(clears[V1], 2); /* for the verdict and for the glance */
  assert_int_equal(clears[V2], 0);
  assert_int_equal(last_batch.count, 50);
  assert_int_equal(last_batch.concurrency, 1);
  assert_string_equal(last_caller, "client");
}

/* A mesh that answers in a server's place is not an error of the control run, but what the verdict is about. */
static void counters_are_controlled_by_an_answer(void **state) {
  struct check check = counted_check(&blocked, 1);
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct arena *arena = arena_create(0);
  const char *seen = NULL;
  (void)state;
  play = faked_200;
  assert_int_equal(judge_control(&prober, &check, arena, &seen, NULL), 0);
  assert_null(seen);
  play = refused_403;
  assert_int_equal(judge_control(&prober, &check, arena, &seen, NULL), 0);
  assert_non_null(strstr(seen, "403"));
  arena_destroy(arena);
}

static struct played_call closed_when_direct(unsigned i) {
  return played_direct ? closed(i) : delivered(i);
}

static struct played_call closed_when_direct_and_lost_else(unsigned i) {
  return played_direct ? closed(i) : faked_200(i);
}

static const char *seen_of_direct(struct arena *arena, const char *workload, enum check_kind kind,
                                  struct played_call (*calls)(unsigned)) {
  struct check check = base_check;
  struct prober prober = {.topology = &topology, .id = "c1"};
  const char *seen = NULL;
  check.direct = true;
  check.to = workload;
  check.kind = kind;
  play = calls;
  assert_int_equal(judge_control(&prober, &check, arena, &seen, NULL), 0);
  return seen;
}

/* Mutual TLS and a broken server both end a connection: a call through the mesh tells them apart. */
static void a_closed_direct_call_needs_a_server_that_answers_through_the_mesh(void **state) {
  struct arena *arena = arena_create(0);
  (void)state;
  assert_null(seen_of_direct(arena, "main/server", CHECK_DENIED, delivered));
  assert_null(seen_of_direct(arena, "main/server", CHECK_DENIED, closed_when_direct));
  assert_non_null(seen_of_direct(arena, "main/server", CHECK_DENIED, closed));
  assert_non_null(strstr(seen_of_direct(arena, "main/server", CHECK_DENIED, closed_when_direct_and_lost_else), "root"));
  assert_non_null(seen_of_direct(arena, "main/server", CHECK_DENIED, refused_403));
  assert_non_null(seen_of_direct(arena, "main/server", CHECK_ALLOWED, closed_when_direct));
  assert_non_null(seen_of_direct(arena, "main/v1", CHECK_DENIED, closed)); /* no service leads there */
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_check_says_the_version_of_http),
      cmocka_unit_test(allowed_needs_the_servers_own_nonce),
      cmocka_unit_test(denied_needs_a_refusal_and_no_record),
      cmocka_unit_test(silence_denies_udp_and_costs_little),
      cmocka_unit_test(every_repeated_call_must_be_denied),
      cmocka_unit_test(a_refusal_that_is_delivered_later_is_found),
      cmocka_unit_test(a_split_has_no_strays_and_loses_nothing),
      cmocka_unit_test(a_split_that_mirrors_is_broken),
      cmocka_unit_test(shares_are_judged_against_their_weights),
      cmocka_unit_test(counters_go_by_the_status),
      cmocka_unit_test(a_call_without_an_answer_counts_as_neither),
      cmocka_unit_test(counters_go_by_how_many_requests_arrived),
      cmocka_unit_test(counted_calls_follow_each_other_under_the_callers_name),
      cmocka_unit_test(counters_are_controlled_by_an_answer),
      cmocka_unit_test(a_closed_direct_call_needs_a_server_that_answers_through_the_mesh),
  };
  return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
