/* trammel mesh metrics against a real Prometheus, which has series as the proxies of each mesh write them, with values
 * that are known: made beforehand by promtool, so that nothing depends on when something is scraped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/clock.h"
#include "sdk/base/memory.h"
#include "tests/support/command.h"

#define PORT 19090
#define TIMEOUT_S 60

/* A sample every 15 seconds, from long ago to long after the test: 20 steps are the 300 seconds that are asked for. */
#define STEP_S 15
#define PAST_S 900
#define FUTURE_S 900
#define STEPS_ASKED 20
#define BEFORE 1000 /* what counters had counted when the samples began */

static struct {
  char *folder;
  char address[16];
  char endpoint[64]; /* of --endpoint */
  pid_t pid;
  int64_t first_s;
} server;

/* ---- series */

static void put_counter(FILE *out, const char *name, const char *labels, unsigned per_step) {
  for (int64_t at = 0; at <= PAST_S + FUTURE_S; at += STEP_S)
    (void)fprintf(out, "%s{%s} %" PRId64 " %" PRId64 "\n", name, labels, BEFORE + at / STEP_S * per_step,
                  server.first_s + at);
}

/* Each step, `low` requests took up to the first bound, and `high` up to the second. */
static void put_histogram(FILE *out, const char *name, const char *labels, const char *const bounds[2], unsigned low,
                          unsigned high) {
  const char *const le[] = {bounds[0], bounds[1], "+Inf"};
  for (size_t i = 0; i < ARRAY_COUNT(le); i++) {
    _cleanup_free_ char *all = NULL;
    assert_true(asprintf(&all, "%s,le=\"%s\"", labels, le[i]) > 0);
    put_counter(out, name, all, i == 0 ? low : low + high);
  }
}

#define ISTIO(reporter, source, destination, pod)                                                                      \
  "reporter=\"" reporter "\",source_workload=\"" source "\",source_workload_namespace=\"shop\","                       \
  "destination_workload=\"" destination "\",destination_workload_namespace=\"shop\",destination_service_name=\"web\"," \
  "destination_service_namespace=\"shop\",namespace=\"shop\",pod=\"" pod "\""

static const char *const ms[2] = {"10", "20"};
static const char *const seconds[2] = {"0.01", "0.02"};

static void put_istio(FILE *out) {
  (void)fputs("# TYPE istio_requests counter\n", out);
  put_counter(out, "istio_requests_total", ISTIO("destination", "front", "web", "web-1") ",response_code=\"200\"", 3);
  put_counter(out, "istio_requests_total", ISTIO("destination", "front", "web", "web-1") ",response_code=\"404\"", 1);
  put_counter(out, "istio_requests_total", ISTIO("destination", "unknown", "web", "web-2") ",response_code=\"503\"", 2);
  put_counter(out, "istio_requests_total", ISTIO("source", "web", "db", "web-1") ",response_code=\"200\"", 5);
  put_counter(out, "istio_requests_total", ISTIO("source", "front", "web", "front-1") ",response_code=\"200\"", 9);
  (void)fputs("# TYPE istio_request_duration_milliseconds histogram\n", out);
  put_histogram(out, "istio_request_duration_milliseconds_bucket", ISTIO("destination", "front", "web", "web-1"), ms, 2,
                2);
  put_histogram(out, "istio_request_duration_milliseconds_bucket", ISTIO("source", "front", "web", "front-1"), ms, 0,
                9);
}

#define INBOUND(pod) "direction=\"inbound\",namespace=\"shop\",deployment=\"web\",pod=\"" pod "\""
#define OUTBOUND                                                                                                       \
  "direction=\"outbound\",namespace=\"shop\",deployment=\"front\",pod=\"front-1\",dst_namespace=\"shop\","             \
  "dst_deployment=\"web\",dst_pod=\"web-1\""
#define ROUTED                                                                                                         \
  "parent_kind=\"Service\",parent_name=\"web\",parent_namespace=\"shop\",backend_name=\"web\",namespace=\"shop\""

static void put_linkerd(FILE *out) {
  (void)fputs("# TYPE response counter\n", out);
  put_counter(out, "response_total", INBOUND("web-1") ",classification=\"success\"", 4);
  put_counter(out, "response_total", INBOUND("web-2") ",classification=\"success\"", 2);
  put_counter(out, "response_total", INBOUND("web-2") ",classification=\"failure\"", 1);
  put_counter(out, "response_total", OUTBOUND ",classification=\"success\"", 7);
  (void)fputs("# TYPE response_latency_ms histogram\n", out);
  put_histogram(out, "response_latency_ms_bucket", INBOUND("web-1"), ms, 2, 2);
  (void)fputs("# TYPE outbound_http_route_backend_response_statuses counter\n", out);
  put_counter(out, "outbound_http_route_backend_response_statuses_total", ROUTED ",http_status=\"200\"", 6);
  put_counter(out, "outbound_http_route_backend_response_statuses_total", ROUTED ",http_status=\"502\"", 1);
  put_counter(out, "outbound_http_route_backend_response_statuses_total", ROUTED ",error=\"unknown\"", 2);
  (void)fputs("# TYPE outbound_http_route_backend_response_duration_seconds histogram\n", out);
  put_histogram(out, "outbound_http_route_backend_response_duration_seconds_bucket", ROUTED, seconds, 2, 2);
}

#define CONSUL(source, destination)                                                                                    \
  "consul_source_service=\"" source "\",consul_destination_service=\"" destination "\",cluster=\"one\""

/* Envoy's counters have no suffix, which OpenMetrics wants of a counter. */
static void put_consul(FILE *out) {
  (void)fputs("# TYPE envoy_cluster_upstream_rq_xx unknown\n", out);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "web") ",envoy_response_code_class=\"2\"", 8);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "web") ",envoy_response_code_class=\"5\"", 1);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("batch", "web") ",envoy_response_code_class=\"4\"", 2);
  put_counter(out, "envoy_cluster_upstream_rq_xx",
              "consul_source_service=\"front\",consul_destination_service=\"web\",cluster=\"two\","
              "envoy_response_code_class=\"2\"",
              50);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "data-8080") ",envoy_response_code_class=\"2\"", 3);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "data-9090") ",envoy_response_code_class=\"2\"", 4);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "data-base") ",envoy_response_code_class=\"2\"", 7);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "t-shop_data") ",envoy_response_code_class=\"2\"",
              1);
  put_counter(out, "envoy_cluster_upstream_rq_xx", CONSUL("front", "t-shop_data_80") ",envoy_response_code_class=\"2\"",
              2);
  put_counter(out, "envoy_cluster_upstream_rq_xx",
              CONSUL("front", "t-shop_data") ",consul_destination_namespace=\"other\",envoy_response_code_class=\"2\"",
              8);
  (void)fputs("# TYPE envoy_cluster_upstream_rq_time histogram\n", out);
  put_histogram(out, "envoy_cluster_upstream_rq_time_bucket", CONSUL("front", "web"), ms, 2, 2);
}

#define OSM(source, destination_kind, destination, pod)                                                                \
  "source_namespace=\"my_shop\",source_kind=\"Deployment\",source_name=\"" source "\",source_pod=\"" source            \
  "_1\",destination_namespace=\"my_shop\",destination_kind=\"" destination_kind "\",destination_name=\"" destination   \
  "\",destination_pod=\"" pod "\""

/* What is in my-shop, as Envoy writes it; what no server answered has nobody at the other end. */
static void put_osm(FILE *out) {
  static const char nobody[] = "source_namespace=\"my_shop\",source_kind=\"Deployment\",source_name=\"front\","
                               "source_pod=\"front_1\",destination_namespace=\"unknown\",destination_kind=\"unknown\","
                               "destination_name=\"unknown\",destination_pod=\"unknown\",response_code=\"503\"";
  (void)fputs("# TYPE osm_request counter\n", out);
  put_counter(out, "osm_request_total", OSM("front", "Deployment", "web_api", "web_api_1") ",response_code=\"200\"", 3);
  put_counter(out, "osm_request_total", OSM("front", "Deployment", "web_api", "web_api_2") ",response_code=\"404\"", 1);
  put_counter(out, "osm_request_total", OSM("front", "Deployment", "web_api", "web_api_2") ",response_code=\"500\"", 2);
  put_counter(out, "osm_request_total", OSM("web_api", "StatefulSet", "db", "db_0") ",response_code=\"200\"", 5);
  put_counter(out, "osm_request_total", nobody, 40);
  (void)fputs("# TYPE osm_request_duration_ms histogram\n", out);
  put_histogram(out, "osm_request_duration_ms_bucket", OSM("front", "Deployment", "web_api", "web_api_1"), ms, 2, 2);
  put_histogram(out, "osm_request_duration_ms_bucket", nobody, ms, 0, 40);
}

/* ---- Prometheus */

static void put_series(const char *path) {
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  put_istio(out);
  put_linkerd(out);
  put_consul(out);
  put_osm(out);
  (void)fputs("# EOF\n", out);
  assert_int_equal(fclose(out), 0);
}

static bool is_installed(const char *program) {
  const char *all = getenv("PATH");
  _cleanup_free_ char *paths = strdup(all ? all : "");
  char *rest = paths;
  for (const char *folder; (folder = strsep(&rest, ":"));) {
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, program) > 0 && access(path, X_OK) == 0)
      return true;
  }
  return false;
}

/* Ends with this process, whatever happens to that. */
static pid_t start_prometheus(void) {
  _cleanup_free_ char *config = NULL, *storage = NULL, *listen_at = NULL;
  assert_true(asprintf(&config, "--config.file=%s/prometheus.yml", server.folder) > 0);
  assert_true(asprintf(&storage, "--storage.tsdb.path=%s/data", server.folder) > 0);
  assert_true(asprintf(&listen_at, "--web.listen-address=%s:%d", server.address, PORT) > 0);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    _cleanup_free_ char *log = NULL;
    if (getppid() != parent || asprintf(&log, "%s/log", server.folder) < 0 || !freopen(log, "w", stderr))
      _exit(126);
    (void)execlp("prometheus", "prometheus", config, storage, listen_at, "--log.level=warn", (char *)NULL);
    _exit(127);
  }
  return pid;
}

static bool is_ready(void *ctx) {
  static const char request[] = "GET /-/ready HTTP/1.0\r\n\r\n";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  char answer[16] = {0};
  (void)ctx;
  assert_int_equal(inet_pton(AF_INET, server.address, &address.sin_addr), 1);
  assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0); /* it runs */
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  bool ready = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
               write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1 &&
               read(fd, answer, sizeof(answer) - 1) > 12 && strncmp(answer + 8, " 200", 4) == 0;
  (void)close(fd);
  return ready;
}

static int setup(void **state) {
  (void)state;
  struct command_result result;
  _cleanup_free_ char *series = NULL, *data = NULL, *config = NULL;
  server.folder = scratch_create();
  server.first_s = (int64_t)time(NULL) - PAST_S;
  const unsigned pid = (unsigned)getpid();
  (void)snprintf(server.address, sizeof(server.address), "127.%u.%u.%u", 64 + (pid >> 16) % 128, (pid >> 8) & 0xff,
                 pid & 0xff);
  (void)snprintf(server.endpoint, sizeof(server.endpoint), "prometheus=http://%s:%d", server.address, PORT);
  assert_true(asprintf(&series, "%s/series", server.folder) > 0);
  assert_true(asprintf(&data, "%s/data", server.folder) > 0);
  assert_true(asprintf(&config, "%s/prometheus.yml", server.folder) > 0);
  put_series(series);
  FILE *out = fopen(config, "w");
  assert_non_null(out);
  assert_int_equal(fclose(out), 0);
  command_run((const char *const[]){"/usr/bin/env", "promtool", "tsdb", "create-blocks-from", "openmetrics", series,
                                    data, NULL},
              NULL, TIMEOUT_S, &result);
  if (result.exit_code != 0)
    print_error("%s\n", strbuf_text(&result.errors));
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  server.pid = start_prometheus();
  wait_until(is_ready, NULL, TIMEOUT_S, "Prometheus is ready");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  if (server.pid > 0) {
    (void)kill(server.pid, SIGKILL);
    (void)waitpid(server.pid, NULL, 0);
  }
  scratch_remove(server.folder);
  return 0;
}

/* ---- what is read */

struct item {
  const char *name, *peer, *direction, *side;
  unsigned success, failure; /* in a step */
  double p50_s;              /* 0: absent */
};

/* The value of a metric; NULL: it is absent. */
static const char *metric_of(const json_t *item, const char *name) {
  const json_t *metric;
  size_t i;
  json_array_foreach(json_object_get(item, "metrics"), i, metric) {
    if (strcmp(json_string_value(json_object_get(metric, "name")), name) == 0)
      return json_string_value(json_object_get(metric, "value"));
  }
  return NULL;
}

static const char *text_in(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void assert_is(const json_t *item, const struct item *wanted) {
  const json_t *edge = json_object_get(item, "edge");
  assert_string_equal(text_in(json_object_get(item, "resource"), "name"), wanted->name);
  assert_int_equal(atol(metric_of(item, "success_count")), wanted->success * STEPS_ASKED);
  assert_int_equal(atol(metric_of(item, "failure_count")), wanted->failure * STEPS_ASKED);
  const char *p50 = metric_of(item, "p50_response_latency");
  assert_true(!p50 == (wanted->p50_s == 0));
  if (p50)
    assert_float_equal(atof(p50), wanted->p50_s, 1e-6);
  assert_true(!edge == !wanted->peer);
  if (edge) {
    assert_string_equal(text_in(json_object_get(edge, "resource"), "name"), wanted->peer);
    assert_string_equal(text_in(edge, "direction"), wanted->direction);
    assert_string_equal(text_in(edge, "side"), wanted->side);
  }
}

/* `option` is another argument; NULL: none. */
static json_t *ask(const char *mesh, const char *what, const char *option, int code) {
  struct command_result result;
  const char *const argv[] = {"trammel",       "mesh", "metrics", "--mesh", mesh,   "--endpoint",
                              server.endpoint, what,   "-o",      "json",   option, NULL};
  command_run(argv, NULL, TIMEOUT_S, &result);
  if (result.exit_code != code)
    print_error("%s\n", strbuf_text(&result.errors));
  assert_int_equal(result.exit_code, code);
  json_t *list = json_loads(strbuf_text(&result.out), 0, NULL);
  command_result_finish(&result);
  return list;
}

static void assert_tells(const char *mesh, const char *what, const char *option, const struct item *wanted,
                         size_t count) {
  json_t *list = ask(mesh, what, option, 0);
  const json_t *items = json_object_get(list, "items");
  assert_string_equal(text_in(list, "kind"), "TrafficMetricsList");
  assert_int_equal(json_array_size(items), count);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(text_in(json_array_get(items, i), "window"), "300000ms");
    assert_is(json_array_get(items, i), &wanted[i]);
  }
  json_decref(list);
}

#define ITEMS(...) (const struct item[]){__VA_ARGS__}, ARRAY_COUNT(((const struct item[]){__VA_ARGS__}))

static void istio_is_told_by_its_sidecars(void **state) {
  (void)state;
  assert_tells("istio", "shop/deployment/web", NULL, ITEMS({.name = "web", .success = 4, .failure = 2, .p50_s = 0.01}));
  assert_tells("istio", "shop/service", NULL, ITEMS({.name = "web", .success = 4, .failure = 2, .p50_s = 0.01}));
  assert_tells("istio", "shop", NULL, ITEMS({.name = "shop", .success = 4, .failure = 2, .p50_s = 0.01}));
  assert_tells("istio", "shop/pod", NULL,
               ITEMS({.name = "web-1", .success = 4, .p50_s = 0.01}, {.name = "web-2", .failure = 2}));
  assert_tells(
      "istio", "shop/deployment/web", "--edges",
      ITEMS({.name = "web", .peer = "db", .direction = "to", .side = "client", .success = 5},
            {.name = "web", .peer = "front", .direction = "from", .side = "server", .success = 4, .p50_s = 0.01}));
}

static void linkerd_is_told_by_its_proxies(void **state) {
  (void)state;
  assert_tells("linkerd", "shop/deployment/web", NULL,
               ITEMS({.name = "web", .success = 6, .failure = 1, .p50_s = 0.01}));
  assert_tells("linkerd", "shop/pod", NULL,
               ITEMS({.name = "web-1", .success = 4, .p50_s = 0.01}, {.name = "web-2", .success = 2, .failure = 1}));
  assert_tells("linkerd", "shop", NULL, ITEMS({.name = "shop", .success = 6, .failure = 1, .p50_s = 0.01}));
  assert_tells("linkerd", "shop/service/web", NULL, ITEMS({.name = "web", .success = 6, .failure = 3, .p50_s = 0.01}));
  assert_tells("linkerd", "shop/deployment/web", "--edges",
               ITEMS({.name = "web", .peer = "front", .direction = "from", .side = "client", .success = 7}));
  assert_tells("linkerd", "shop/pod/front-1", "--edges",
               ITEMS({.name = "front-1", .peer = "web-1", .direction = "to", .side = "client", .success = 7}));
}

static void consul_is_told_by_the_envoys_of_clients(void **state) {
  (void)state;
  static const char one[] = "--set=metrics_labels=[\"cluster=one\"]";
  assert_tells("consul", "shop/service/web", NULL, ITEMS({.name = "web", .success = 60, .failure = 1, .p50_s = 0.01}));
  assert_tells("consul", "shop/service/web", one, ITEMS({.name = "web", .success = 10, .failure = 1, .p50_s = 0.01}));
  assert_tells("consul", "shop/service/batch", "--edges",
               ITEMS({.name = "batch", .peer = "web", .direction = "to", .side = "client", .success = 2}));
  assert_tells("consul", "shop/service/data", "--set=ports=each",
               ITEMS({.name = "data-8080", .success = 3}, {.name = "data-9090", .success = 4}));
  json_decref(ask("consul", "shop/pod/web", NULL, 2));
  json_decref(ask("consul", "shop/service", NULL, 2));
  json_decref(ask("consul", "shop", NULL, 2));
}

/* Names that say the namespace, with and without Consul Enterprise. */
static void qualified_services_of_consul_are_found(void **state) {
  (void)state;
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "%s/consul.yaml", server.folder) > 0);
  const struct {
    const char *options;
    const struct item items[2];
    size_t count;
  } cases[] = {
      {"{transport: http, names: qualified, name_prefix: t-}", {{.name = "data", .success = 9}}, 1},
      {"{transport: http, names: qualified, name_prefix: t-, ports: each}",
       {{.name = "t-shop_data", .success = 9}, {.name = "t-shop_data_80", .success = 2}},
       2},
  };
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    _cleanup_free_ char *option = NULL;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    (void)fputs(cases[i].options, out);
    assert_int_equal(fclose(out), 0);
    assert_true(asprintf(&option, "--config=%s", path) > 0);
    assert_tells("consul", "shop/service/data", option, cases[i].items, cases[i].count);
  }
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  (void)fputs("{transport: http, names: qualified, name_prefix: t-, namespaces: true}", out);
  assert_int_equal(fclose(out), 0);
  _cleanup_free_ char *option = NULL;
  assert_true(asprintf(&option, "--config=%s", path) > 0);
  json_decref(ask("consul", "other/service/data", option, 1)); /* t-other_data, which nobody calls */
}

static void labels_that_are_too_long_are_refused_with_the_reason(void **state) {
  (void)state;
  struct command_result result;
  _cleanup_strbuf_ struct strbuf option = STRBUF_INIT;
  strbuf_puts(&option, "--set=metrics_labels=[");
  for (unsigned i = 0; i < 8; i++)
    strbuf_printf(&option, "%s\"l%u=%0240u\"", i ? "," : "", i, 1);
  strbuf_puts(&option, "]");
  const char *const argv[] = {"trammel",
                              "mesh",
                              "metrics",
                              "--mesh",
                              "osm",
                              "--endpoint",
                              server.endpoint,
                              "shop/pod/web",
                              strbuf_text(&option),
                              NULL};
  command_run(argv, NULL, TIMEOUT_S, &result);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "fewer or shorter metrics_labels"));
  command_result_finish(&result);
}

static void osm_is_told_by_the_envoys_of_clients(void **state) {
  (void)state;
  assert_tells("osm", "my-shop/deployment/web-api", NULL,
               ITEMS({.name = "web-api", .success = 4, .failure = 2, .p50_s = 0.01}));
  assert_tells("osm", "my-shop/deployment", NULL,
               ITEMS({.name = "web_api", .success = 4, .failure = 2, .p50_s = 0.01}));
  assert_tells("osm", "my-shop/pod", NULL,
               ITEMS({.name = "db_0", .success = 5}, {.name = "web_api_1", .success = 3, .p50_s = 0.01},
                     {.name = "web_api_2", .success = 1, .failure = 2}));
  assert_tells("osm", "my-shop", NULL, ITEMS({.name = "my-shop", .success = 9, .failure = 2, .p50_s = 0.01}));
  assert_tells("osm", "my-shop/deployment/web-api", "--edges", /* and none to the database, which is no deployment */
               ITEMS({.name = "web-api",
                      .peer = "front",
                      .direction = "from",
                      .side = "client",
                      .success = 4,
                      .failure = 2,
                      .p50_s = 0.01}));
  assert_tells("osm", "my-shop/pod/db-0", "--edges",
               ITEMS({.name = "db-0", .peer = "web_api_1", .direction = "from", .side = "client", .success = 5}));
  assert_null(ask("osm", "my-shop/service/web-api", NULL, 2));
}

static void a_window_of_0_is_all_there_was(void **state) {
  (void)state;
  const int64_t before_s = (int64_t)time(NULL);
  json_t *list = ask("linkerd", "shop/pod/web-1", "--set=metrics_window=0", 0);
  const int64_t after_s = (int64_t)time(NULL);
  const json_t *item = json_array_get(json_object_get(list, "items"), 0);
  assert_null(json_object_get(item, "window"));
  const int64_t count = atol(metric_of(item, "success_count"));
  assert_in_range(count, BEFORE + 4 * ((before_s - server.first_s) / STEP_S),
                  BEFORE + 4 * ((after_s - server.first_s) / STEP_S));
  json_decref(list);
}

static void what_is_not_counted_is_not_there(void **state) {
  (void)state;
  json_t *list = ask("istio", "shop/deployment/none", NULL, 1);
  assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
  json_decref(list);
  assert_null(ask("istio", "shop/trafficsplit/web", NULL, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(istio_is_told_by_its_sidecars),
      cmocka_unit_test(linkerd_is_told_by_its_proxies),
      cmocka_unit_test(consul_is_told_by_the_envoys_of_clients),
      cmocka_unit_test(osm_is_told_by_the_envoys_of_clients),
      cmocka_unit_test(qualified_services_of_consul_are_found),
      cmocka_unit_test(labels_that_are_too_long_are_refused_with_the_reason),
      cmocka_unit_test(a_window_of_0_is_all_there_was),
      cmocka_unit_test(what_is_not_counted_is_not_there),
  };
  if (!is_installed("prometheus") || !is_installed("promtool")) {
    (void)fputs("skipped: the programs prometheus and promtool are not there; they are Debian's package prometheus\n",
                stderr);
    return 77;
  }
  return cmocka_run_group_tests(tests, setup, teardown);
}
