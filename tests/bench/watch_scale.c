/* What `trammel watch` costs with many resources, on the API server of a kubeconfig that has the definitions of SMI and
 * of the adapter's mesh:
 *
 *   watch_scale [--no-bars] [--splits] [--targets N] [--changes N] [--trammel FILE] --kubeconfig FILE ADAPTER
 *
 * N TrafficTargets have N HTTPRouteGroups and N/5 TrafficSplits; workloads and Services as in translate_scale. It makes
 * them, starts a watch and waits until it has nothing left to do; starts it anew and takes the time until it is ready;
 * changes one HTTPRouteGroup after the other (with --splits one TrafficSplit, for a mesh without access control) and
 * takes the time from the answer to that until a native object has changed; and reads how much memory it had at most.
 * The bars are for 4,546 targets, which are 10,000 resources. All that it made stays on the server. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/engine/cluster.h"
#include "host/transport/http/client.h"
#include "host/transport/kube/discovery.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define BAR_CHANGE_MS 100.0
#define BAR_RESYNC_S 30.0
#define BAR_MEGABYTES 150.0
#define NAMESPACES 10
#define MAKERS 8
#define METRICS_PORT "19464"
#define PATIENCE_NS (1800 * NS_PER_SECOND)

struct options {
  const char *trammel, *kubeconfig, *adapter;
  bool bars, splits;
  unsigned targets, changes;
};

_Noreturn static void fail(const char *what, const struct error *err) {
  fprintf(stderr, "watch_scale: %s: %s\n", what, err ? error_message(err) : strerror(errno));
  exit(EXIT_FAILURE);
}

/* ---- resources */

static void apply(struct kube_client *client, const char *text) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *object = json_loads(text, 0, NULL);
  struct kube_resource resource;
  if (!object || kube_discover_object(client, object, NULL, &resource, &err) < 0)
    fail(text, err);
  const struct kube_ref ref = {
      .resource = &resource, .namespace_ = kube_object_namespace(object), .name = kube_object_name(object)};
  if (kube_apply(client, &ref, object, &(struct kube_apply_options){.field_manager = "bench"}, NULL, NULL, &err) < 0)
    fail("making a resource", err);
}

__attribute__((format(printf, 2, 3))) static void applyf(struct kube_client *client, const char *format, ...) {
  char text[2000];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  apply(client, text);
}

static void put_group(struct kube_client *client, unsigned i, unsigned ns, unsigned version) {
  applyf(client,
         "{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"HTTPRouteGroup\",\"metadata\":{\"name\":"
         "\"routes-%u\",\"namespace\":\"bench-%u\"},\"spec\":{\"matches\":[{\"name\":\"read\",\"pathRegex\":"
         "\"/api/%u/.*\",\"methods\":[\"GET\"]},{\"name\":\"write\",\"pathRegex\":\"/api/v%u/items\","
         "\"methods\":[\"POST\",\"PUT\"]}]}}",
         i, ns, i, version);
}

static char split_version[16]; /* the newest that the server has; set before there are threads */

static void choose_split_version(struct kube_client *client) {
  for (unsigned i = 4; i > 1; i--) {
    struct kube_resource resource;
    json_auto_t *split =
        json_pack("{s:o, s:s}", "apiVersion", json_sprintf("split.smi-spec.io/v1alpha%u", i), "kind", "TrafficSplit");
    if (split && kube_discover_object(client, split, NULL, &resource, NULL) == 0) {
      (void)snprintf(split_version, sizeof(split_version), "v1alpha%u", i);
      return;
    }
  }
  fail("no version of TrafficSplit is served", NULL);
}

static void put_split(struct kube_client *client, unsigned k, unsigned ns, unsigned weight) {
  applyf(client,
         "{\"apiVersion\":\"split.smi-spec.io/%s\",\"kind\":\"TrafficSplit\",\"metadata\":{\"name\":\"split-%u\","
         "\"namespace\":\"bench-%u\"},\"spec\":{\"service\":\"app-%u\",\"backends\":[{\"service\":\"app-%u-a\","
         "\"weight\":%u},{\"service\":\"app-%u-b\",\"weight\":%u}]}}",
         split_version, k, ns, k, k, weight, k, 100 - weight);
}

static void put_root(struct kube_client *client, unsigned k, unsigned ns) {
  static const char *const suffixes[] = {"", "-a", "-b"};
  for (unsigned i = 0; i < 3; i++)
    applyf(
        client,
        "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"app-%u%s\",\"namespace\":\"bench-%u\"},"
        "\"spec\":{\"selector\":{\"app\":\"app-%u\"%s%s%s},\"clusterIP\":\"None\",\"ports\":[{\"name\":\"http\","
        "\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080}]}}",
        k, suffixes[i], ns, k, i ? ",\"version\":\"" : "", i ? suffixes[i] + 1 : "", i ? "\"" : "");
  for (unsigned i = 1; i < 3; i++)
    applyf(
        client,
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"app-%u%s\",\"namespace\":"
        "\"bench-%u\"},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"app-%u\",\"version\":\"%s\"}},\"template\":{"
        "\"metadata\":{\"labels\":{\"app\":\"app-%u\",\"version\":\"%s\"}},\"spec\":{\"serviceAccountName\":\"app-%u\","
        "\"containers\":[{\"name\":\"app\",\"image\":\"example.org/"
        "app:1\",\"ports\":[{\"containerPort\":8080,\"protocol\":\"TCP\"}]}]}}}}",
        k, suffixes[i], ns, k, suffixes[i] + 1, k, suffixes[i] + 1, k);
  put_split(client, k, ns, 90);
}

static void put_target(struct kube_client *client, unsigned i, unsigned destination, unsigned source) {
  unsigned ns = destination % NAMESPACES;
  put_group(client, i, ns, i);
  applyf(
      client,
      "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":\"target-%u\","
      "\"namespace\":\"bench-%u\"},\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"app-%u\","
      "\"namespace\":\"bench-%u\"},\"rules\":[{\"kind\":\"HTTPRouteGroup\",\"name\":\"routes-%u\",\"matches\":["
      "\"read\",\"write\"]}],\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"app-%u\",\"namespace\":\"bench-%u\"}]"
      "}}",
      i, ns, destination, ns, i, source, source % NAMESPACES);
}

struct maker {
  struct kube_client *client;
  unsigned number, targets;
};

static void *make(void *ctx) {
  const struct maker *maker = ctx;
  unsigned roots = maker->targets < 5 ? 1 : maker->targets / 5;
  for (unsigned k = maker->number; k < roots; k += MAKERS)
    put_root(maker->client, k, k % NAMESPACES);
  for (unsigned i = maker->number; i < maker->targets; i += MAKERS)
    put_target(maker->client, i, i % roots, (i * 7 + 1) % roots);
  return NULL;
}

static void make_all(struct kube_client *client, unsigned targets) {
  struct maker makers[MAKERS];
  pthread_t threads[MAKERS];
  for (unsigned ns = 0; ns < NAMESPACES; ns++)
    applyf(client, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"bench-%u\"}}", ns);
  for (unsigned i = 0; i < MAKERS; i++) {
    makers[i] = (struct maker){client, i, targets};
    if (pthread_create(&threads[i], NULL, make, &makers[i]) != 0)
      fail("a thread", NULL);
  }
  for (unsigned i = 0; i < MAKERS; i++)
    (void)pthread_join(threads[i], NULL);
}

/* ---- the watch */

static pid_t start(const struct options *options) {
  pid_t pid = fork();
  if (pid < 0)
    fail("fork", NULL);
  if (pid > 0)
    return pid;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
    _exit(126);
  (void)execl(options->trammel, options->trammel, "watch", "--to", options->adapter, "--kubeconfig",
              options->kubeconfig, "--no-leader-election", "--metrics", METRICS_PORT, (char *)NULL);
  _exit(127);
}

static void stop(pid_t pid) {
  int status = 0;
  if (kill(pid, SIGTERM) < 0 || waitpid(pid, &status, 0) < 0)
    fail("ending the watch", NULL);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fprintf(stderr, "watch_scale: the watch ended with status %d\n", status);
}

/* A value of /metrics; -1 when there is none yet. */
static double metric(struct http_client *http, const char *name) {
  struct http_response response = {0};
  const struct http_request request = {.method = "GET", .url = "http://127.0.0.1:" METRICS_PORT "/metrics"};
  double value = -1;
  if (http_client_send(http, &request, &response, NULL) < 0)
    return -1;
  char line[100];
  (void)snprintf(line, sizeof(line), "\n%s ", name);
  const char *found = strstr(response.body, line);
  if (found)
    value = strtod(found + strlen(line), NULL);
  http_response_finish(&response);
  return value;
}

static void wait_until_done(struct http_client *http) {
  int64_t end_ns = clock_in_ns(PATIENCE_NS);
  while (metric(http, "trammel_watch_ready") < 1 || metric(http, "trammel_watch_objects_pending") != 0) {
    if (clock_monotonic_ns() > end_ns)
      fail("the watch was not done in time", NULL);
    (void)usleep(50000);
  }
}

static double megabytes(pid_t pid) {
  char path[64], line[200];
  double kilobytes = 0;
  (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
  FILE *status = fopen(path, "r");
  while (status && fgets(line, sizeof(line), status))
    if (strncmp(line, "VmHWM:", 6) == 0)
      kilobytes = strtod(line + 6, NULL);
  if (status)
    (void)fclose(status);
  return kilobytes * 1024 / 1e6;
}

/* ---- changes */

static int by_value(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* From the answer to a change until the watch says that one more object was changed: in milliseconds, sorted. */
static void change(const struct options *options, struct kube_client *client, struct http_client *http, double *took) {
  unsigned roots = options->targets < 5 ? 1 : options->targets / 5;
  for (unsigned i = 0; i < options->changes; i++) {
    double before = metric(http, "trammel_watch_objects_total{outcome=\"changed\"}");
    unsigned target = i * 13 % options->targets;
    int64_t end_ns = clock_in_ns(PATIENCE_NS);
    if (options->splits)
      put_split(client, i * 13 % roots, i * 13 % roots % NAMESPACES, 1 + (i * 13 / roots + 1) % 80);
    else
      put_group(client, target, target % roots % NAMESPACES, 1000000 + i);
    int64_t began_ns = clock_monotonic_ns();
    while (metric(http, "trammel_watch_objects_total{outcome=\"changed\"}") <= before)
      if (clock_monotonic_ns() > end_ns)
        fail("a change did not arrive", NULL);
    took[i] = (double)(clock_monotonic_ns() - began_ns) / 1e6;
  }
  qsort(took, options->changes, sizeof(*took), by_value);
}

static bool held(const struct options *options, const char *what, double value, const char *unit, double bar) {
  bool good = value <= bar || !options->bars;
  printf("| %s | %.1f %s | %.0f %s | %s |\n", what, value, unit, bar, unit, value <= bar ? "held" : "missed");
  (void)fflush(stdout);
  return good;
}

static bool run(const struct options *options, struct kube_client *client, struct http_client *http) {
  double *took = calloc(options->changes, sizeof(*took));
  if (!took)
    fail("memory", NULL);
  choose_split_version(client);
  make_all(client, options->targets);
  printf("| %s, %u resources | | bar | |\n|---|---|---|---|\n", options->adapter,
         options->targets * 2 + options->targets / 5);
  int64_t began_ns = clock_monotonic_ns();
  pid_t pid = start(options);
  wait_until_done(http);
  printf("| everything made for the first time | %.1f s | | |\n", (double)(clock_monotonic_ns() - began_ns) / 1e9);
  bool good = held(options, "memory, at most", megabytes(pid), "MB", BAR_MEGABYTES);
  stop(pid);
  began_ns = clock_monotonic_ns();
  pid = start(options);
  wait_until_done(http);
  good = held(options, "ready after a restart", (double)(clock_monotonic_ns() - began_ns) / 1e9, "s", BAR_RESYNC_S) &&
         good;
  change(options, client, http, took);
  printf("| a change, median | %.1f ms | | |\n", took[options->changes / 2]);
  good =
      held(options, "a change, 99th percentile", took[(options->changes * 99 + 99) / 100 - 1], "ms", BAR_CHANGE_MS) &&
      good;
  good = held(options, "memory, at most", megabytes(pid), "MB", BAR_MEGABYTES) && good;
  printf("| translations of parts, of everything | %.0f, %.0f | | |\n| corrections | %.0f | | |\n",
         metric(http, "trammel_watch_translations_total{of=\"part\"}"),
         metric(http, "trammel_watch_translations_total{of=\"all\"}"), metric(http, "trammel_watch_corrections_total"));
  stop(pid);
  free(took);
  return good;
}

int main(int argc, char **argv) {
  struct options options = {.trammel = BUILD_DIRECTORY "/bin/trammel", .bars = true, .targets = 4546, .changes = 300};
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;
  struct kube_client *client = NULL;
  struct http_client *http = NULL;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--no-bars") == 0)
      options.bars = false;
    else if (strcmp(argv[i], "--splits") == 0)
      options.splits = true;
    else if (strcmp(argv[i], "--targets") == 0 && i + 1 < argc)
      options.targets = (unsigned)strtoul(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--changes") == 0 && i + 1 < argc)
      options.changes = (unsigned)strtoul(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--trammel") == 0 && i + 1 < argc)
      options.trammel = argv[++i];
    else if (strcmp(argv[i], "--kubeconfig") == 0 && i + 1 < argc)
      options.kubeconfig = argv[++i];
    else
      options.adapter = argv[i];
  }
  if (!options.kubeconfig || !options.adapter || options.targets == 0 || options.changes == 0) {
    fprintf(stderr,
            "usage: watch_scale [--no-bars] [--splits] [--targets N] [--changes N] [--trammel FILE] --kubeconfig "
            "FILE ADAPTER\n");
    return 2;
  }
  (void)signal(SIGPIPE, SIG_IGN);
  if (kube_config_load(&(struct kube_config_options){.kubeconfig = options.kubeconfig}, &config, &err) < 0 ||
      kube_client_create(config, &(struct kube_client_options){.rate = -1}, &client, &err) < 0 ||
      http_client_create(&http, &err) < 0)
    fail("the cluster", err);
  bool good = run(&options, client, http);
  http_client_destroy(http);
  kube_client_destroy(client);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
