/* Verdicts on metrics, against a played mesh: what it counts, when it shows it, and what it serves is set by the test.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/judge_metrics.h"
#include "sdk/base/clock.h"

#define PB(name) Trammel__Adapter__V1__##name
#define US INT64_C(1000)

/* ---- the played lab: a client, a server, and two backends of a split on the service root */

enum { CLIENT, SERVER, V1, V2, WORKLOADS };

static const struct topology_port ports[] = {{.port = 8080, .target_port = 8080, .protocol = PROTOCOL_HTTP}};
static const struct topology_workload workloads[WORKLOADS] = {
    {.name = "client", .ns = "main", .service_account = "client"},
    {.name = "server", .ns = "main", .service_account = "server", .ports = ports, .port_count = 1},
    {.name = "v1", .ns = "main", .service_account = "v1", .ports = ports, .port_count = 1},
    {.name = "v2", .ns = "main", .service_account = "v2", .ports = ports, .port_count = 1},
};
static const char *const names[][1] = {{"server"}, {"v1"}, {"v2"}};
static const struct topology_service services[] = {
    {.name = "root", .ns = "main", .ports = ports, .port_count = 1, .workloads = names[0], .workload_count = 1},
    {.name = "v1", .ns = "main", .ports = ports, .port_count = 1, .workloads = names[1], .workload_count = 1},
    {.name = "v2", .ns = "main", .ports = ports, .port_count = 1, .workloads = names[2], .workload_count = 1},
};
static const struct topology topology = {
    .name = "played", .workloads = workloads, .workload_count = WORKLOADS, .services = services, .service_count = 3};

struct workload_client {
  int index;
};
static struct workload_client clients[WORKLOADS] = {{CLIENT}, {SERVER}, {V1}, {V2}};

/* What the mesh does; all zero is a good one. */
static struct {
  bool split;        /* every third call goes to v2, the others to v1; else all to server */
  unsigned lost;     /* calls that end as closed */
  bool wrong_status; /* everything is answered with 200 */
  bool unsupported;  /* the adapter has no metrics */
  unsigned lag;      /* readings until what was called is shown */
  unsigned late;     /* calls of before that are shown only with the second reading */
  int success_off;   /* added to what is shown after the calls */
  bool inverted;     /* successes are shown as failures */
  bool total;        /* each backend shows the total of its split */
  unsigned ghost;    /* successes that come while the reading should hold */
  uint64_t p50, p90, p99;
  unsigned status; /* of the metrics API; 0: no document */
  const char *document;
  const char *stranger; /* one more item of a list */
  bool nothing;         /* no items */
  uint32_t weight;      /* of v1 */
  const char *apex;
  bool swapped;   /* edges have the other direction */
  bool at_client; /* edges are counted at the client's side */
} mesh;

/* What was really received by each workload: [workload][failed]. */
static uint64_t received[WORKLOADS][2];
static uint64_t shown[WORKLOADS][2];
static unsigned readings, readings_since_calls;
static char played_id[2][BATCH_ID_MAX + 1];
static int played_to[2][256];
static unsigned played_count[2], batches;

static void nonce_of(const char *id, unsigned i, char *nonce) {
  (void)snprintf(nonce, NONCE_LENGTH + 1, "%.20s-%u", id, i);
}

int placement_upstream(const struct placement *placement, const char *client, const char *service, uint16_t port,
                       enum protocol protocol, const char **ret_address, uint16_t *ret_port, struct error **err) {
  (void)placement;
  (void)protocol;
  (void)client;
  (void)service;
  (void)err;
  *ret_address = "127.0.0.1";
  *ret_port = port;
  return 0;
}

int placement_direct(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                     const char **ret_address, uint16_t *ret_port, struct error **err) {
  return placement_upstream(placement, NULL, workload, port, protocol, ret_address, ret_port, err);
}

const char *placement_namespace(const struct placement *placement, const char *alias) {
  (void)placement;
  return strcmp(alias, "main") == 0 ? "main-7f" : NULL;
}

struct workload_client *placement_workload(const struct placement *placement, const char *workload) {
  (void)placement;
  for (int i = 0; i < WORKLOADS; i++)
    if (strcmp(workload + strlen("main/"), workloads[i].name) == 0)
      return &clients[i];
  return NULL;
}

static unsigned answer_asked(const struct call_batch *batch) {
  for (size_t i = 0; i < batch->header_count; i++)
    if (strcmp(batch->headers[i].name, "x-trammel-answer") == 0)
      return (unsigned)strtoul(batch->headers[i].value, NULL, 10);
  fail_msg("the server is not told what to answer");
  return 0;
}

int workload_call(struct workload_client *client, const struct call_batch *batch, int64_t deadline_ns,
                  const atomic_bool *cancel, struct call_outcome **ret_outcomes, struct error **err) {
  (void)deadline_ns;
  (void)cancel;
  (void)err;
  assert_int_equal(client->index, CLIENT);
  assert_in_range(batches, 0, 1);
  struct call_outcome *outcomes = calloc(batch->count, sizeof(*outcomes));
  assert_non_null(outcomes);
  unsigned status = answer_asked(batch);
  for (unsigned i = 0; i < batch->count; i++) {
    int to = !mesh.split ? SERVER : i % 3 == 2 ? V2 : V1;
    bool lost = i < mesh.lost;
    outcomes[i].end = lost ? CALL_CLOSED : CALL_ANSWERED;
    outcomes[i].status = lost ? 0 : mesh.wrong_status ? 200 : status;
    outcomes[i].latency_ns = (500 + i) * US;
    nonce_of(batch->id, i, outcomes[i].nonce);
    played_to[batches][i] = to;
    received[to][status >= 500]++;
  }
  (void)snprintf(played_id[batches], sizeof(played_id[0]), "%s", batch->id);
  played_count[batches++] = batch->count;
  readings_since_calls = 0;
  *ret_outcomes = outcomes;
  return 0;
}

int workload_received(struct workload_client *client, const char *id_prefix, struct received **ret_received,
                      size_t *ret_count, struct error **err) {
  (void)err;
  struct received *list = calloc(256, sizeof(*list));
  assert_non_null(list);
  size_t count = 0;
  for (unsigned b = 0; b < batches; b++)
    for (unsigned i = 0; i < played_count[b]; i++) {
      size_t length = strlen(played_id[b]);
      if (played_to[b][i] != client->index || strncmp(id_prefix, played_id[b], length) != 0 || id_prefix[length] != '-')
        continue;
      (void)snprintf(list[count].id, sizeof(list[count].id), "%.40s-%u", played_id[b], i);
      nonce_of(played_id[b], i, list[count++].nonce);
    }
  *ret_received = list;
  *ret_count = count;
  return 0;
}

/* Not for metrics. */
int workload_counters_clear(struct workload_client *client, struct error **err) {
  (void)client;
  return error_set(err, ENOTSUP, "no counters are played");
}

int workload_requests_counted(struct workload_client *client, unsigned *ret_count, struct error **err) {
  (void)ret_count;
  return workload_counters_clear(client, err);
}

/* ---- the played metrics API */

static char text_pod[] = "Pod", text_split[] = "TrafficSplit", text_ns[] = "main-7f", text_split_name[] = "split";

static void count_shown(void) {
  readings++;
  readings_since_calls++;
  if (readings == 2)
    shown[SERVER][0] += mesh.late;
  if (batches == 0 || readings_since_calls <= mesh.lag)
    return;
  for (int i = 0; i < WORKLOADS; i++)
    for (int f = 0; f < 2; f++) {
      shown[i][mesh.inverted ? !f : f] += received[i][f];
      received[i][f] = 0;
    }
  shown[SERVER][0] += (uint64_t)mesh.success_off;
  mesh.success_off = 0;
  if (readings_since_calls > mesh.lag + 1) {
    shown[SERVER][0] += mesh.ghost;
    mesh.ghost = 0;
  }
}

struct item {
  PB(MetricsItem) item;
  PB(ResourceRef) resource, peer;
  PB(MetricsBackend) backend;
};

static void fill(struct item *item, char *kind, const char *name, int workload) {
  item->item = (PB(MetricsItem))TRAMMEL__ADAPTER__V1__METRICS_ITEM__INIT;
  item->resource = (PB(ResourceRef))TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  item->resource.kind = kind;
  item->resource.namespace_ = text_ns;
  item->resource.name = (char *)(uintptr_t)name;
  item->item.resource = &item->resource;
  item->item.success_count = shown[workload][0];
  item->item.failure_count = shown[workload][1];
  item->item.p50_ns = mesh.p50;
  item->item.p90_ns = mesh.p90;
  item->item.p99_ns = mesh.p99;
}

static void fill_edge(struct item *item) {
  item->peer = (PB(ResourceRef))TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  item->peer.kind = text_pod;
  item->peer.namespace_ = text_ns;
  item->peer.name = (char *)(uintptr_t)workloads[CLIENT].name;
  item->item.peer = &item->peer;
  item->item.direction = mesh.swapped ? TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_TO
                                      : TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_FROM;
  item->item.side = mesh.at_client ? TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_CLIENT
                                   : TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_SERVER;
}

static void fill_backend(struct item *item, int workload) {
  fill(item, text_split, text_split_name, workload);
  item->backend = (PB(MetricsBackend))TRAMMEL__ADAPTER__V1__METRICS_BACKEND__INIT;
  item->backend.apex = (char *)(uintptr_t)(mesh.apex ? mesh.apex : "root");
  item->backend.name = (char *)(uintptr_t)workloads[workload].name;
  item->backend.weight = workload == V1 && mesh.weight ? mesh.weight : workload == V1 ? 2 : 1;
  item->item.backend = &item->backend;
  for (int f = 0; f < 2 && mesh.total; f++)
    *(f ? &item->item.failure_count : &item->item.success_count) = shown[V1][f] + shown[V2][f];
}

static size_t fill_all(const PB(MetricsRequest) * request, struct item items[8]) {
  size_t count = 0;
  assert_string_equal(request->resource->namespace_, "main-7f");
  if (strcmp(request->resource->kind, "TrafficSplit") == 0) {
    fill_backend(&items[count++], V1);
    fill_backend(&items[count++], V2);
  } else if (*request->resource->name) {
    fill(&items[count++], text_pod, "server", SERVER);
    if (request->edges)
      fill_edge(&items[0]);
  } else {
    assert_int_equal(request->n_selector, 1);
    assert_string_equal(request->selector[0]->name, "app");
    assert_string_equal(request->selector[0]->value, "x");
    fill(&items[count++], text_pod, "server", SERVER);
    fill(&items[count++], text_pod, "v1", V1);
    if (mesh.stranger)
      fill(&items[count++], text_pod, mesh.stranger, V2);
  }
  return mesh.nothing ? 0 : count;
}

int engine_metrics(struct engine *engine, const PB(MetricsRequest) * request, struct diagnostics *diagnostics,
                   PB(MetricsResponse) * *ret_response, struct error **err) {
  (void)engine;
  (void)diagnostics;
  if (mesh.unsupported)
    return error_set(err, ENOTSUP, "no metrics here");
  struct item items[8];
  PB(MetricsItem) * list[8];
  PB(MetricsResponse) response = TRAMMEL__ADAPTER__V1__METRICS_RESPONSE__INIT;
  count_shown();
  response.n_items = fill_all(request, items);
  for (size_t i = 0; i < response.n_items; i++)
    list[i] = &items[i].item;
  response.items = list;
  response.status = mesh.status;
  if (mesh.document)
    response.document = (ProtobufCBinaryData){strlen(mesh.document), (uint8_t *)(uintptr_t)mesh.document};
  uint8_t packed[4096];
  assert_true(trammel__adapter__v1__metrics_response__get_packed_size(&response) <= sizeof(packed));
  size_t length = trammel__adapter__v1__metrics_response__pack(&response, packed);
  *ret_response = trammel__adapter__v1__metrics_response__unpack(NULL, length, packed);
  assert_non_null(*ret_response);
  return 0;
}

/* ---- judging */

static const struct metrics_edge edge_from_client = {.peer_ns = "main", .peer = "client"};
static const struct metrics_list_item items_of_list[] = {{"server", {true, 15, 5}}, {"v1", {true, 0, 0}}};
static const struct metrics_label labels_of_list[] = {{"app", "x"}};
static const struct metrics_split_backend backends_of_split[] = {{"v1", 2}, {"v2", 1}};

static const struct metrics_expectation pod = {
    .kind = METRICS_POD, .ns = "main", .name = "server", .growth = {true, 15, 5}, .latency = true};
static const struct metrics_expectation pod_served = {.kind = METRICS_POD, .ns = "main", .name = "server"};
static const struct metrics_expectation edge = {
    .kind = METRICS_POD, .ns = "main", .name = "server", .growth = {true, 15, 5}, .edge = &edge_from_client};
static const struct metrics_expectation list = {.kind = METRICS_POD,
                                                .ns = "main",
                                                .items = items_of_list,
                                                .item_count = 2,
                                                .selector = labels_of_list,
                                                .selector_count = 1};
static const struct metrics_expectation split = {.kind = METRICS_SPLIT,
                                                 .ns = "main",
                                                 .name = "split",
                                                 .apex = "root",
                                                 .backends = backends_of_split,
                                                 .backend_count = 2};

static void play_good(void) {
  memset(&mesh, 0, sizeof(mesh));
  memset(received, 0, sizeof(received));
  memset(shown, 0, sizeof(shown));
  shown[SERVER][0] = 3; /* of calls before */
  readings = readings_since_calls = batches = 0;
  mesh.p50 = 100 * (uint64_t)US;
  mesh.p90 = 200 * (uint64_t)US;
  mesh.p99 = 500 * (uint64_t)US;
}

static char last_seen[512];
static bool last_problem;

/* Judges, and starts anew with a good mesh. What judge_metrics() returns; last_seen is what was seen, or the error. */
static int judge(const struct metrics_expectation *metrics, bool *ret_held) {
  struct check check = {.kind = CHECK_METRICS,
                        .requirement = "MET-02",
                        .from = "main/client",
                        .to = "main/root",
                        .port = 8080,
                        .protocol = PROTOCOL_HTTP,
                        .method = "GET",
                        .path = "/",
                        .repeat = 20,
                        .failing = 5,
                        .answer = 200,
                        .metrics = metrics};
  struct prober prober = {.topology = &topology, .id = "c1"};
  struct metrics_patience patience = {.converge_ns = 100 * NS_PER_MS, .hold_window_ns = 2 * NS_PER_MS};
  _cleanup_error_ struct error *err = NULL;
  struct arena *arena = arena_create(0);
  struct verdict verdict = {0};
  int r = judge_metrics(&prober, NULL, &patience, &check, arena, &verdict, &err);
  (void)snprintf(last_seen, sizeof(last_seen), "%s", r < 0 ? error_message(err) : verdict.result.seen);
  if (r == 0) {
    *ret_held = verdict.result.held;
    assert_non_null(verdict.result.expected);
    assert_non_null(verdict.result.evidence);
    last_problem = json_object_get(verdict.result.evidence, "problem") != NULL;
    verdict_finish(&verdict);
  }
  arena_destroy(arena);
  play_good();
  return r;
}

static bool holds(const struct metrics_expectation *metrics) {
  bool held = false;
  if (judge(metrics, &held) < 0)
    fail_msg("%s", last_seen);
  return held;
}

static int setup(void **state) {
  (void)state;
  play_good();
  return 0;
}

static void what_is_counted_right_holds(void **state) {
  (void)state;
  assert_true(holds(&pod));
  assert_true(holds(&pod_served));
  assert_true(holds(&edge));
  assert_true(holds(&list));
  mesh.split = true;
  assert_true(holds(&split));
}

static void counts_are_exact(void **state) {
  (void)state;
  mesh.success_off = 1;
  assert_false(holds(&pod));
  assert_non_null(strstr(last_seen, "16 successes and 5 failures more (19 and 5, before 3 and 0)"));
  assert_false(last_problem);
  mesh.success_off = -1;
  assert_false(holds(&pod));
  mesh.inverted = true;
  assert_false(holds(&pod));
  mesh.success_off = -10; /* a counter that goes back */
  assert_false(holds(&list));
}

static void a_reading_may_catch_up_but_not_go_on(void **state) {
  (void)state;
  mesh.lag = 4;
  assert_true(holds(&pod));
  mesh.late = 6; /* what was called before comes late */
  assert_true(holds(&pod));
  mesh.lag = 1000;
  assert_false(holds(&pod));
  mesh.ghost = 1; /* right for a moment, and then one more */
  assert_false(holds(&pod));
}

static void latencies_are_those_the_client_could_see(void **state) {
  (void)state;
  mesh.p99 = 1000 * 500 * (uint64_t)US;
  assert_false(holds(&pod));
  assert_non_null(strstr(last_seen, "500000 us (p99)"));
  mesh.p50 /= 1000;
  mesh.p90 /= 1000;
  mesh.p99 /= 1000;
  assert_false(holds(&pod));
  mesh.p50 = 0;
  assert_false(holds(&pod));
  mesh.p50 = mesh.p90 + 1;
  assert_false(holds(&pod));
  mesh.p90 = mesh.p99 + 1;
  assert_false(holds(&pod));
  mesh.p99 = 4 * 1000 * (uint64_t)US; /* the end of a bucket */
  assert_true(holds(&pod));
  mesh.p50 = 0; /* is not judged where the check does not say so */
  assert_true(holds(&edge));
}

static void an_edge_has_its_direction_and_side(void **state) {
  (void)state;
  mesh.swapped = true;
  assert_false(holds(&edge));
  mesh.at_client = true;
  assert_false(holds(&edge));
  assert_non_null(strstr(last_seen, "the edge of Pod server from Pod client at the server's side has no item"));
}

static void a_list_holds_just_its_items(void **state) {
  (void)state;
  mesh.stranger = "v2";
  assert_false(holds(&list));
  assert_non_null(strstr(last_seen, "the list has an item v2"));
  mesh.nothing = true;
  assert_false(holds(&list));
}

static void a_split_has_what_its_servers_recorded(void **state) {
  (void)state;
  mesh.split = mesh.total = true;
  assert_false(holds(&split));
  assert_non_null(strstr(last_seen, "its servers recorded 10 and 4"));
  mesh.split = true;
  mesh.weight = 50;
  assert_false(holds(&split));
  mesh.split = true;
  mesh.apex = "other";
  assert_false(holds(&split));
}

static void without_answers_as_told_there_is_no_verdict(void **state) {
  (void)state;
  bool held;
  mesh.lost = 1;
  assert_int_equal(judge(&pod, &held), -EPROTO);
  assert_non_null(strstr(last_seen, "call 1 of 15 that they are to count was not answered with 200"));
  mesh.wrong_status = true;
  assert_int_equal(judge(&pod, &held), -EPROTO);
  assert_non_null(strstr(last_seen, "call 1 of 5 that they are to count was not answered with 500"));
}

/* ---- documents */

#define DOCUMENT(kind, ns, edge)                                                                                       \
  "{\"kind\":\"TrafficMetrics\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\",\"resource\":{\"kind\":\"" kind        \
  "\",\"namespace\":\"" ns "\",\"name\":\"server\"},\"edge\":" edge ",\"timestamp\":\"2019-04-08T22:25:55Z\","         \
  "\"window\":\"30s\",\"metrics\":["                                                                                   \
  "{\"name\":\"p99_response_latency\",\"unit\":\"seconds\",\"value\":\"0\"},"                                          \
  "{\"name\":\"p90_response_latency\",\"unit\":\"seconds\",\"value\":\"0\"},"                                          \
  "{\"name\":\"p50_response_latency\",\"unit\":\"seconds\",\"value\":\"0\"},"                                          \
  "{\"name\":\"success_count\",\"value\":\"0\"},{\"name\":\"failure_count\",\"value\":\"0\"}]}"
#define LIST(items)                                                                                                    \
  "{\"kind\":\"TrafficMetricsList\",\"apiVersion\":\"metrics.smi-spec.io/v1alpha1\",\"resource\":{\"kind\":\"Pod\"},"  \
  "\"items\":[" items "]}"
#define FROM_ALL "{\"direction\":\"from\",\"side\":\"server\",\"resource\":{}}"
#define FROM_ONE "{\"direction\":\"from\",\"side\":\"server\",\"resource\":{\"kind\":\"Pod\",\"name\":\"client\"}}"

static void what_a_mesh_serves_itself_is_looked_at(void **state) {
  (void)state;
  static const struct {
    const struct metrics_expectation *metrics;
    unsigned status;
    const char *document;
    const char *told; /* NULL: it holds */
  } served[] = {
      {&pod_served, 200, DOCUMENT("Pod", "main-7f", FROM_ALL), NULL},
      {&edge, 200, LIST(DOCUMENT("Pod", "main-7f", FROM_ONE)), NULL},
      {&list, 200, LIST(DOCUMENT("Pod", "main-7f", FROM_ALL)), NULL},
      {&pod_served, 404, "{\"kind\":\"Status\"}", "answered 404: {\"kind\":\"Status\"}"},
      {&pod_served, 200, "<html>", "is not as SMI has it"},
      {&pod_served, 200, DOCUMENT("Pod", "main-7f", "{}"), "edge: direction"},
      {&pod_served, 200, LIST(DOCUMENT("Pod", "main-7f", FROM_ALL)), "a TrafficMetricsList was served"},
      {&list, 200, DOCUMENT("Pod", "main-7f", FROM_ALL), "a TrafficMetrics was served"},
      {&pod_served, 200, DOCUMENT("Service", "main-7f", FROM_ALL), "kind Service"},
      {&pod_served, 200, DOCUMENT("Pod", "other", FROM_ALL), "an item is about Pod other/server"},
      {&pod_served, 200, DOCUMENT("Pod", "main-7f", FROM_ONE), "is only about traffic with Pod client"},
      {&pod_served, 200, DOCUMENT("Pod", "main-7f", "{\"direction\":\"to\",\"side\":\"server\"}"),
       "direction \"from\""},
      {&edge, 200, LIST(DOCUMENT("Pod", "main-7f", FROM_ALL)), "an edge has no resource at its other end"},
  };
  for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
    mesh.status = served[i].status;
    mesh.document = served[i].document;
    bool held = holds(served[i].metrics);
    if (held != !served[i].told || (served[i].told && !strstr(last_seen, served[i].told)))
      fail_msg("%s: %s", served[i].document, last_seen);
    assert_int_equal(last_problem, !held);
  }
}

static void an_adapter_without_metrics_is_no_failure(void **state) {
  (void)state;
  bool held;
  mesh.unsupported = true;
  assert_int_equal(judge(&pod, &held), -ENOTSUP);
  assert_string_equal(last_seen, "no metrics here");
}

static void a_cancelled_run_does_not_wait(void **state) {
  (void)state;
  atomic_bool cancel = true;
  struct check check = {.kind = CHECK_METRICS, .from = "main/client", .to = "main/root", .metrics = &pod};
  struct prober prober = {.topology = &topology, .id = "c1", .cancel = &cancel};
  struct metrics_patience patience = {.converge_ns = 60 * NS_PER_SECOND, .hold_window_ns = 60 * NS_PER_SECOND};
  struct arena *arena = arena_create(0);
  struct verdict verdict;
  assert_int_equal(judge_metrics(&prober, NULL, &patience, &check, arena, &verdict, NULL), -ECANCELED);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(what_is_counted_right_holds, setup),
      cmocka_unit_test_setup(counts_are_exact, setup),
      cmocka_unit_test_setup(a_reading_may_catch_up_but_not_go_on, setup),
      cmocka_unit_test_setup(latencies_are_those_the_client_could_see, setup),
      cmocka_unit_test_setup(an_edge_has_its_direction_and_side, setup),
      cmocka_unit_test_setup(a_list_holds_just_its_items, setup),
      cmocka_unit_test_setup(a_split_has_what_its_servers_recorded, setup),
      cmocka_unit_test_setup(without_answers_as_told_there_is_no_verdict, setup),
      cmocka_unit_test_setup(what_a_mesh_serves_itself_is_looked_at, setup),
      cmocka_unit_test_setup(an_adapter_without_metrics_is_no_failure, setup),
      cmocka_unit_test_setup(a_cancelled_run_does_not_wait, setup),
  };
  return cmocka_run_group_tests_name("judge_metrics", tests, NULL, NULL);
}
