/* The reference mesh's SMI metrics API, over series that the test counts: what is served, and what each fault does to
 * it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/selector.h"
#include "plugins/reference/mesh/smi_metrics.h"
#include "sdk/base/clock.h"
#include "sdk/smi/metrics.h"

#define API "/apis/metrics.smi-spec.io/v1alpha1"
#define MS NS_PER_MS

/* ---- a mesh that has counted: client and other call server-1 and server-2 (one deployment) through the service
 * server, and client calls root, whose split sent 3 to v1 and 1 to v2 */

static void declare(struct table *table, const char *key, const char *labels) {
  json_t *body = json_pack("{s:o}", "labels", labels ? json_loads(labels, 0, NULL) : json_object());
  assert_int_equal(table_put(table, key, body, NULL), 0);
  json_decref(body);
}

static void put_split(struct mesh *mesh) {
  struct problem problem = {0};
  struct split *split;
  json_t *body = json_loads("{\"service\":\"root\",\"backends\":[{\"service\":\"v1\",\"weight\":3},"
                            "{\"service\":\"v2\",\"weight\":1},{\"service\":\"v3\",\"weight\":0}]}",
                            0, NULL);
  assert_int_equal(declare_split(body, &split, &problem), 0);
  assert_int_equal(table_put(&mesh->store.splits, "main/split", body, split), 0);
  json_decref(body);
}

static void count_calls(struct mesh *mesh, const struct series_key *key, unsigned good, unsigned failed,
                        int64_t latency_ns) {
  struct series *series = metrics_series(mesh->metrics, key);
  assert_non_null(series);
  for (unsigned i = 0; i < good + failed; i++)
    metrics_count(mesh->metrics, series, i < good ? 200 : 500, latency_ns);
}

/* Counted at both proxies, as the proxies do. */
static void call(struct mesh *mesh, const char *from, const char *to, const char *service, const char *backend,
                 unsigned good, unsigned failed, int64_t latency_ns) {
  struct series_key key = {.source = {*from ? "main" : "", from},
                           .destination = {"main", to},
                           .service = {"", ""},
                           .split = "",
                           .backend = ""};
  count_calls(mesh, &key, good, failed, latency_ns);
  if (!*from)
    return; /* around the mesh */
  key.client = true;
  key.service = (struct workload_name){"main", service};
  key.split = *backend ? "split" : "";
  key.backend = backend;
  count_calls(mesh, &key, good, failed, 2 * latency_ns);
}

static struct mesh mesh_of(const char *fault) {
  struct mesh mesh = {.started_ns = clock_monotonic_ns()};
  if (fault)
    assert_int_equal(fault_set_add(&mesh.faults, fault, NULL), 0);
  store_init(&mesh.store, mesh.faults);
  mesh.metrics = metrics_create(mesh.faults);
  assert_non_null(mesh.metrics);
  declare(&mesh.store.workloads, "main/client", "{\"app\":\"client\",\"tier\":\"front\"}");
  declare(&mesh.store.workloads, "main/other", "{\"app\":\"other\"}");
  declare(&mesh.store.workloads, "main/server-1", "{\"app\":\"server-1\",\"deployment\":\"server\",\"tier\":\"back\"}");
  declare(&mesh.store.workloads, "main/server-2", "{\"app\":\"server-2\",\"deployment\":\"server\",\"tier\":\"back\"}");
  declare(&mesh.store.workloads, "main/v1", NULL);
  declare(&mesh.store.workloads, "main/v2", NULL);
  declare(&mesh.store.workloads, "maintenance/idle", NULL);
  declare(&mesh.store.services, "main/root", NULL);
  declare(&mesh.store.services, "main/server", NULL);
  put_split(&mesh);
  call(&mesh, "client", "server-1", "server", "", 6, 1, 1 * MS);
  call(&mesh, "client", "server-2", "server", "", 2, 0, 4 * MS);
  call(&mesh, "other", "server-1", "server", "", 1, 1, 1 * MS);
  call(&mesh, "", "server-1", "", "", 1, 0, 1 * MS);
  call(&mesh, "client", "v1", "root", "v1", 2, 1, 1 * MS);
  call(&mesh, "client", "v2", "root", "v2", 1, 0, 1 * MS);
  return mesh;
}

static void mesh_finish(struct mesh *mesh) {
  store_finish(&mesh->store);
  metrics_destroy(mesh->metrics);
}

/* Services have no object here, as nothing but their names matters. */
static json_t *ask_for(const struct mesh *mesh, const char *path, const char *query, int *ret_status) {
  char *copy = NULL;
  assert_true(asprintf(&copy, "%s%s", API, path) > 0);
  json_t *body = smi_metrics_answer(mesh, true, copy, query, ret_status);
  free(copy);
  assert_non_null(body);
  return body;
}

/* What is served must be what SMI says, for a reader that knows nothing of this mesh. */
static struct smi_metrics read_answer(const struct mesh *mesh, struct arena *arena, const char *path,
                                      const char *query) {
  int status;
  struct smi_metrics metrics = {0};
  struct error *err = NULL;
  json_t *body = ask_for(mesh, path, query, &status);
  char *text = json_dumps(body, 0);
  if (status != 200 || smi_metrics_read(arena, text, strlen(text), &metrics, &err) < 0)
    fail_msg("%s: %d %s %s", path, status, error_message(err), text);
  free(text);
  json_decref(body);
  return metrics;
}

/* "name:successes/failures" of all items, in their order; of an edge with its direction, side and peer, of a backend
 * with its name and weight. */
static char *summary(const struct mesh *mesh, const char *path, const char *query) {
  struct arena *arena = arena_create(0);
  struct smi_metrics metrics = read_answer(mesh, arena, path, query);
  char *text = strdup("");
  for (size_t i = 0; i < metrics.count; i++) {
    const struct smi_metrics_item *item = &metrics.items[i];
    char *more;
    char edge[128] = "", backend[64] = "";
    if (*item->peer.kind)
      (void)snprintf(edge, sizeof edge, " %s %s %s at %s", smi_edge_direction_name(item->direction), item->peer.kind,
                     item->peer.name, smi_edge_side_name(item->side));
    if (item->has_backend)
      (void)snprintf(backend, sizeof backend, " %s of %s by %d", item->backend.name, item->backend.apex,
                     (int)item->backend.weight);
    assert_true(asprintf(&more, "%s%s%s%s%s:%d/%d", text, i ? ", " : "", item->resource.name, edge, backend,
                         (int)item->success_count, (int)item->failure_count) > 0);
    free(text);
    text = more;
  }
  arena_destroy(arena);
  return text;
}

static void assert_summary(const struct mesh *mesh, const char *path, const char *query, const char *expected) {
  char *found = summary(mesh, path, query);
  if (strcmp(found, expected) != 0)
    fail_msg("%s?%s: %s; expected %s", path, query ? query : "", found, expected);
  free(found);
}

static struct mesh mesh;

static int setup(void **state) {
  (void)state;
  mesh = mesh_of(NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  mesh_finish(&mesh);
  return 0;
}

/* ---- what is served */

static void pods_are_counted_at_the_server(void **state) {
  (void)state;
  assert_summary(&mesh, "/namespaces/main/pods/server-1", NULL, "server-1:8/2");
  assert_summary(&mesh, "/namespaces/main/pods", NULL,
                 "client:0/0, other:0/0, server-1:8/2, server-2:2/0, v1:2/1, v2:1/0");
  assert_summary(&mesh, "/pods", NULL, "client:0/0, other:0/0, server-1:8/2, server-2:2/0, v1:2/1, v2:1/0, idle:0/0");
  assert_summary(&mesh, "/namespaces/maintenance/pods", NULL, "idle:0/0");
  assert_summary(&mesh, "/namespaces/nowhere/pods", NULL, "");
}

static void what_holds_pods_is_their_sum(void **state) {
  (void)state;
  assert_summary(&mesh, "/namespaces/main/deployments/server", NULL, "server:10/2");
  assert_summary(&mesh, "/namespaces/main/deployments", NULL, "client:0/0, other:0/0, server:10/2, v1:2/1, v2:1/0");
  assert_summary(&mesh, "/namespaces/main", NULL, "main:13/3");
  assert_summary(&mesh, "/namespaces", NULL, "main:13/3, maintenance:0/0");
}

/* Quantiles of several pods are those of all their requests: 10 of 12 took 1 ms, 2 took 4. */
static void quantiles_come_from_merged_histograms(void **state) {
  (void)state;
  struct arena *arena = arena_create(0);
  const struct smi_metrics_item *item = read_answer(&mesh, arena, "/namespaces/main/deployments/server", NULL).items;
  assert_in_range(item->p50_ns, 1 * MS, 1 * MS * 17 / 16);
  assert_in_range(item->p90_ns, 4 * MS, 4 * MS * 17 / 16);
  assert_in_range(item->p99_ns, 4 * MS, 4 * MS * 17 / 16);
  item = read_answer(&mesh, arena, "/namespaces/main/pods/client", NULL).items;
  assert_int_equal(item->p99_ns, 0);
  arena_destroy(arena);
}

static void services_and_splits_are_counted_at_the_caller(void **state) {
  (void)state;
  assert_summary(&mesh, "/namespaces/main/services", NULL, "root:3/1, server:9/2");
  assert_summary(&mesh, "/namespaces/main/services/server", NULL, "server:9/2");
  assert_summary(&mesh, "/namespaces/main/trafficsplits/split", NULL,
                 "split v1 of root by 3:2/1, split v2 of root by 1:1/0, split v3 of root by 0:0/0");
  assert_summary(&mesh, "/namespaces/main/trafficsplits", NULL,
                 "split v1 of root by 3:2/1, split v2 of root by 1:1/0, split v3 of root by 0:0/0");
}

static void edges_have_both_sides(void **state) {
  (void)state;
  assert_summary(&mesh, "/namespaces/main/pods/server-1/edges", NULL,
                 "server-1 from Pod client at server:6/1, server-1 from Pod client at client:6/1, "
                 "server-1 from Pod other at server:1/1, server-1 from Pod other at client:1/1");
  assert_summary(&mesh, "/namespaces/main/pods/other/edges", NULL,
                 "other to Pod server-1 at server:1/1, other to Pod server-1 at client:1/1");
  assert_summary(&mesh, "/namespaces/main/deployments/server/edges", NULL,
                 "server from Deployment client at server:8/1, server from Deployment client at client:8/1, "
                 "server from Deployment other at server:1/1, server from Deployment other at client:1/1");
  assert_summary(&mesh, "/namespaces/main/edges", NULL,
                 "main from Namespace main at server:12/3, main from Namespace main at client:12/3, "
                 "main to Namespace main at server:12/3, main to Namespace main at client:12/3");
  assert_summary(&mesh, "/namespaces/main/services/server/edges", NULL,
                 "server from Pod client at client:8/1, server from Pod other at client:1/1");
  assert_summary(&mesh, "/namespaces/main/trafficsplits/split/edges", NULL,
                 "split from Pod client at client v1 of root by 3:2/1, "
                 "split from Pod client at client v2 of root by 1:1/0");
  assert_summary(&mesh, "/namespaces/maintenance/pods/idle/edges", NULL, "");
}

static void selectors_choose_items_and_leave_them_whole(void **state) {
  (void)state;
  static const char pods[] = "/namespaces/main/pods";
  assert_summary(&mesh, pods, "labelSelector=deployment%3Dserver", "server-1:8/2, server-2:2/0");
  assert_summary(&mesh, pods, "labelSelector=deployment==server,app!=server-2", "server-1:8/2");
  assert_summary(&mesh, pods, "labelSelector=tier,!deployment", "client:0/0");
  assert_summary(&mesh, pods, "labelSelector=", "client:0/0, other:0/0, server-1:8/2, server-2:2/0, v1:2/1, v2:1/0");
  assert_summary(&mesh, pods, "labelSelector=app%3Dnobody", "");
  /* A deployment has the labels that its pods share. */
  assert_summary(&mesh, "/namespaces/main/deployments", "labelSelector=tier%3Dback", "server:10/2");
  assert_summary(&mesh, "/namespaces/main/deployments", "labelSelector=app%3Dserver-1", "");
  /* Of edges, those whose peer is chosen. */
  assert_summary(&mesh, "/namespaces/main/pods/server-1/edges", "labelSelector=tier%3Dfront",
                 "server-1 from Pod client at server:6/1, server-1 from Pod client at client:6/1");
  assert_summary(&mesh, "/namespaces/main/deployments/client/edges", "labelSelector=tier%3Dback",
                 "client to Deployment server at server:8/1, client to Deployment server at client:8/1");
}

static void a_list_says_what_it_was_asked_for(void **state) {
  (void)state;
  int status;
  json_t *body = ask_for(&mesh, "/namespaces/main/pods", "labelSelector=app%3Dclient,tier", &status);
  json_t *selector = json_pack("{s:{s:s}, s:[{s:s, s:s}]}", "matchLabels", "app", "client", "matchExpressions", "key",
                               "tier", "operator", "Exists");
  assert_true(json_equal(json_object_get(body, "selector"), selector));
  assert_string_equal(json_string_value(json_object_get(json_object_get(body, "metadata"), "selfLink")),
                      API "/namespaces/main/pods");
  json_decref(selector);
  json_decref(body);
}

static void the_kinds_are_listed(void **state) {
  (void)state;
  int status;
  json_t *body = ask_for(&mesh, "/", NULL, &status);
  assert_int_equal(status, 200);
  assert_string_equal(json_string_value(json_object_get(body, "kind")), "APIResourceList");
  const json_t *resources = json_object_get(body, "resources");
  assert_int_equal(json_array_size(resources), 10);
  const json_t *namespaces = json_array_get(resources, 4);
  assert_string_equal(json_string_value(json_object_get(namespaces, "name")), "namespaces");
  assert_true(json_is_false(json_object_get(namespaces, "namespaced")));
  json_decref(body);
}

static void errors_are_status_objects(void **state) {
  (void)state;
  static const struct {
    const char *path;
    const char *query;
    int status;
  } wrong[] = {
      {"/namespaces/main/pods/nobody", NULL, 404},
      {"/namespaces/main/pods/nobody/edges", NULL, 404},
      {"/namespaces/nowhere/pods/client", NULL, 404},
      {"/namespaces/nowhere", NULL, 404},
      {"/namespaces/main/nodes", NULL, 404},
      {"/namespaces/main/namespaces", NULL, 404},
      {"/namespaces/main/pods/server-1/series", NULL, 404},
      {"/namespaces/main/pods/server-1/edges/more", NULL, 404},
      {"/pods/server-1", NULL, 404},
      {"/namespaces//pods", NULL, 404},
      {"/namespaces/main/pods/a%20b", NULL, 404},
      {"x", NULL, 404},
      {"/namespaces/main/pods", "labelSelector=a%20in%20(b,c)", 400},
      {"/namespaces/main/pods", "labelSelector=%3Db", 400},
      {"/namespaces/main/pods", "labelselector=a%3Db", 400},
      {"/namespaces/main/pods", "labelSelector=a&labelSelector=b", 400},
      {"/namespaces/main/pods", "labelSelector", 400},
      {"/namespaces/main/pods/server-1", "labelSelector=a", 400},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    int status;
    json_t *body = ask_for(&mesh, wrong[i].path, wrong[i].query, &status);
    if (status != wrong[i].status)
      fail_msg("%s?%s: %d", wrong[i].path, wrong[i].query ? wrong[i].query : "", status);
    assert_string_equal(json_string_value(json_object_get(body, "kind")), "Status");
    assert_string_equal(json_string_value(json_object_get(body, "status")), "Failure");
    assert_int_equal(json_integer_value(json_object_get(body, "code")), status);
    assert_string_equal(json_string_value(json_object_get(body, "reason")), status == 404 ? "NotFound" : "BadRequest");
    json_decref(body);
  }
  char path[] = API "/namespaces/main/pods";
  int status;
  json_t *body = smi_metrics_answer(&mesh, false, path, NULL, &status);
  assert_int_equal(status, 405);
  assert_string_equal(json_string_value(json_object_get(body, "reason")), "MethodNotAllowed");
  json_decref(body);
}

/* ---- series */

static void series_are_bounded_and_forgotten(void **state) {
  (void)state;
  struct metrics *metrics = metrics_create((struct fault_set){0});
  char name[32];
  struct series_key key = {
      .source = {"a", name}, .destination = {"a", "b"}, .service = {"", ""}, .split = "", .backend = ""};
  for (unsigned i = 0; i < LIMIT_SERIES; i++) {
    (void)snprintf(name, sizeof name, "w%u", i);
    assert_non_null(metrics_series(metrics, &key));
  }
  struct series *last = metrics_series(metrics, &key);
  assert_int_equal(metrics_size(metrics), LIMIT_SERIES);
  assert_non_null(last);
  (void)snprintf(name, sizeof name, "one more");
  assert_null(metrics_series(metrics, &key));
  uint64_t generation = metrics_generation(metrics);
  metrics_forget(metrics, &(struct workload_name){"a", "w7"});
  assert_int_equal(metrics_size(metrics), LIMIT_SERIES - 1);
  assert_true(metrics_generation(metrics) != generation);
  (void)snprintf(name, sizeof name, "w%u", LIMIT_SERIES - 1);
  assert_ptr_equal(metrics_series(metrics, &key), last);
  metrics_forget(metrics, &(struct workload_name){"a", "b"});
  assert_int_equal(metrics_size(metrics), 0);
  metrics_destroy(metrics);
}

/* No answer, and what is interrupted, is a failure; what a client did wrong is none. */
static void failures_are_5xx_and_no_answer(void **state) {
  (void)state;
  struct metrics *metrics = metrics_create((struct fault_set){0});
  struct series_key key = {
      .source = {"", ""}, .destination = {"a", "b"}, .service = {"", ""}, .split = "", .backend = ""};
  struct series *series = metrics_series(metrics, &key);
  static const unsigned statuses[] = {200, 302, 403, 404, 499, 0, 500, 503};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    metrics_count(metrics, series, statuses[i], MS);
  assert_int_equal(series->totals.requests, 8);
  assert_int_equal(series->totals.failures, 3);
  metrics_destroy(metrics);
}

/* ---- faults: each changes its one answer */

static void assert_fault(const char *fault, const char *path, const char *query, const char *expected) {
  struct mesh wrong = mesh_of(fault);
  assert_summary(&wrong, path, query, expected);
  mesh_finish(&wrong);
}

static void faults_do_their_one_thing(void **state) {
  (void)state;
  assert_fault("metrics-success-inverted", "/namespaces/main/pods/server-1", NULL, "server-1:2/8");
  assert_fault("metrics-one-pod-only", "/namespaces/main/deployments/server", NULL, "server:8/2");
  assert_fault("metrics-one-pod-only", "/namespaces/main", NULL, "main:13/3");
  assert_fault("metrics-edges-swapped", "/namespaces/main/pods/other/edges", NULL,
               "other from Pod server-1 at server:1/1, other from Pod server-1 at client:1/1");
  assert_fault("metrics-selector-ignored", "/namespaces/maintenance/pods", "labelSelector=app%3Dnobody", "idle:0/0");
  assert_fault("metrics-split-total", "/namespaces/main/trafficsplits/split", NULL,
               "split v1 of root by 3:3/1, split v2 of root by 1:3/1, split v3 of root by 0:3/1");
}

static void counts_are_off_by_one_in_ten(void **state) {
  (void)state;
  struct fault_set faults = {0};
  assert_int_equal(fault_set_add(&faults, "metrics-off-by-one", NULL), 0);
  struct metrics *metrics = metrics_create(faults);
  struct series_key key = {
      .source = {"", ""}, .destination = {"a", "b"}, .service = {"", ""}, .split = "", .backend = ""};
  struct series *series = metrics_series(metrics, &key);
  for (unsigned i = 0; i < 100; i++)
    metrics_count(metrics, series, 200, MS);
  assert_int_equal(series->totals.requests, 110);
  metrics_destroy(metrics);
}

static void latencies_are_a_thousand_times_too_long(void **state) {
  (void)state;
  struct mesh wrong = mesh_of("metrics-latency-unit");
  struct arena *arena = arena_create(0);
  const struct smi_metrics_item *item = read_answer(&wrong, arena, "/namespaces/main/pods/server-1", NULL).items;
  assert_in_range(item->p50_ns, 1000 * MS, 1000 * MS * 17 / 16);
  arena_destroy(arena);
  mesh_finish(&wrong);
}

static void lists_are_missing(void **state) {
  (void)state;
  struct mesh wrong = mesh_of("metrics-list-missing");
  int status;
  json_decref(ask_for(&wrong, "/namespaces/main/pods", NULL, &status));
  assert_int_equal(status, 404);
  json_decref(ask_for(&wrong, "/namespaces/main/pods/server-1", NULL, &status));
  assert_int_equal(status, 200);
  mesh_finish(&wrong);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pods_are_counted_at_the_server),
      cmocka_unit_test(what_holds_pods_is_their_sum),
      cmocka_unit_test(quantiles_come_from_merged_histograms),
      cmocka_unit_test(services_and_splits_are_counted_at_the_caller),
      cmocka_unit_test(edges_have_both_sides),
      cmocka_unit_test(selectors_choose_items_and_leave_them_whole),
      cmocka_unit_test(a_list_says_what_it_was_asked_for),
      cmocka_unit_test(the_kinds_are_listed),
      cmocka_unit_test(errors_are_status_objects),
      cmocka_unit_test(series_are_bounded_and_forgotten),
      cmocka_unit_test(failures_are_5xx_and_no_answer),
      cmocka_unit_test(faults_do_their_one_thing),
      cmocka_unit_test(counts_are_off_by_one_in_ten),
      cmocka_unit_test(latencies_are_a_thousand_times_too_long),
      cmocka_unit_test(lists_are_missing),
  };
  return cmocka_run_group_tests_name("refmesh_metrics", tests, setup, teardown);
}
