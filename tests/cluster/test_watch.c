/* trammel watch on a real API server, which has the definitions of SMI and of a real mesh. */
#include <curl/curl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/watch/contest.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/support/api_objects.h"
#include "tests/support/api_server.h"
#include "tests/support/command.h"

#define TIMEOUT_S 90
#define WORDS_MAX 24
#define POLICIES "/apis/security.istio.io/v1/namespaces/%s/authorizationpolicies"
#define TARGETS "/apis/access.smi-spec.io/v1alpha3/namespaces/%s/traffictargets"
#define GROUPS "/apis/specs.smi-spec.io/v1alpha4/namespaces/%s/httproutegroups"
#define EVENTS "/api/v1/namespaces/%s/events"
#define MESH_DEFINITIONS "istio-1.30"
#define SMI_DEFINITIONS "smi"

static struct api_server *server;
static char *definitions[2]; /* folders */

struct fixture {
  char ns[32]; /* of its own for each test */
  struct running watch, other;
  bool running, other_running;
};

/* ---- what is there */

static struct api_answer ask(const char *method, const char *path, const char *type, const json_t *body) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = method, .path = path, .content_type = type, .body = body},
                  &answer);
  return answer;
}

static char *path_of(const struct fixture *f, const char *format, const char *name) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  for (const char *at = format; *at; at++)
    if (*at == '%') {
      strbuf_puts(&path, f->ns);
      at++;
    } else {
      strbuf_putc(&path, *at);
    }
  if (name)
    strbuf_printf(&path, "/%s", name);
  return strdup(strbuf_text(&path));
}

/* The items of a list in the test's namespace: a new reference. */
static json_t *items_of(const struct fixture *f, const char *format) {
  _cleanup_free_ char *path = path_of(f, format, NULL);
  struct api_answer answer = ask("GET", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  json_t *items = json_incref(json_object_get(answer.body, "items"));
  api_answer_finish(&answer);
  return items;
}

static size_t count_at(const struct fixture *f, const char *format) {
  json_auto_t *items = items_of(f, format);
  return json_array_size(items);
}

static size_t count_policies(const struct fixture *f) {
  return count_at(f, POLICIES);
}

/* Whether one of a list has this in its text. */
static bool says(const struct fixture *f, const char *format, const char *path) {
  json_auto_t *items = items_of(f, format);
  const json_t *item;
  size_t i;
  json_array_foreach(items, i, item) {
    _cleanup_free_ char *text = json_dumps(json_object_get(item, "spec"), JSON_COMPACT);
    if (strstr(text, path))
      return true;
  }
  return false;
}

/* Whether a policy allows something to this path. */
static bool allows(const struct fixture *f, const char *path) {
  return says(f, POLICIES, path);
}

static size_t count_events(const struct fixture *f, const char *reason, const char *name) {
  json_auto_t *items = items_of(f, EVENTS);
  const json_t *item;
  size_t i, count = 0;
  json_array_foreach(items, i, item) {
    const char *about = json_string_value(json_object_get(json_object_get(item, "involvedObject"), "name"));
    count += strcmp(json_string_value(json_object_get(item, "reason")), reason) == 0 && strcmp(about, name) == 0;
  }
  return count;
}

/* ---- what is done */

static void put(const json_t *object) {
  _cleanup_free_ char *path = api_object_path(server, object);
  struct api_answer answer;
  assert_non_null(path);
  api_object_apply(server, path, object, false, &answer);
  for (unsigned i = 0; answer.status == 500 && i < 5; i++) { /* of kinds that were defined just now: quotas are slow */
    api_answer_finish(&answer);
    api_object_apply(server, path, object, false, &answer);
  }
  if (answer.status != 201 && answer.status != 200)
    fail_msg("%s: %s", path, api_answer_message(&answer));
  api_answer_finish(&answer);
}

/* '@' is the namespace. */
static void put_text(const struct fixture *f, const char *text) {
  _cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list documents;
  for (const char *at = text; *at; at++)
    if (*at == '@')
      strbuf_puts(&all, f->ns);
    else
      strbuf_putc(&all, *at);
  assert_int_equal(document_read(arena, "test", all.data, all.length, DOCUMENT_YAML, NULL, NULL, &documents), 0);
  for (size_t i = 0; i < documents.count; i++) {
    json_auto_t *object = node_to_json(documents.roots[i]);
    put(object);
  }
}

static void remove_at(const struct fixture *f, const char *format, const char *name) {
  _cleanup_free_ char *path = path_of(f, format, name);
  struct api_answer answer = ask("DELETE", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
}

static const char workloads[] =
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api, namespace: '@'}}\n---\n"
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: '@'}}\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: '@'}\n"
    "spec:\n  selector: {matchLabels: {app: api}}\n"
    "  template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api, containers: [{name: app, image: x, "
    "ports: [{name: http, containerPort: 8080}]}]}}\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: '@'}\n"
    "spec:\n  selector: {matchLabels: {app: web}}\n"
    "  template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web, containers: [{name: app, image: "
    "x}]}}\n"
    "---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: '@'}\n"
    "spec: {selector: {app: api}, ports: [{name: http, protocol: TCP, port: 80, targetPort: 8080}]}\n";

static void put_group(const struct fixture *f, const char *name, const char *path) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text,
                "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: %s, namespace: '@'}\n"
                "spec: {matches: [{name: read, pathRegex: '%s', methods: [GET]}]}\n",
                name, path);
  put_text(f, strbuf_text(&text));
}

static void put_target(const struct fixture *f, const char *name, const char *kind, const char *route) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text,
                "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: %s, namespace: '@'}\n"
                "spec:\n  destination: {kind: ServiceAccount, name: api, namespace: '@'}\n"
                "  sources: [{kind: ServiceAccount, name: web, namespace: '@'}]\n  rules: [{kind: %s, name: %s}]\n",
                name, kind, route);
  put_text(f, strbuf_text(&text));
}

static struct running start_to(const char *adapter, const char *const *more) {
  const char *argv[WORDS_MAX] = {
      "trammel",           "watch",  "--to", adapter, "--kubeconfig", api_server_kubeconfig(server),
      "--lease-namespace", "default"};
  size_t n = 8;
  for (; *more && n < WORDS_MAX - 1; more++)
    argv[n++] = *more;
  return command_start(argv, NULL);
}

static struct running start_words(const char *const *more) {
  return start_to("istio", more);
}

static void start(struct fixture *f) {
  static const char *const none[] = {NULL};
  f->watch = start_words(none);
  f->running = true;
}

static void start_denying(struct fixture *f) {
  const char *const more[] = {"--deny-by-default", f->ns, NULL};
  f->watch = start_words(more);
  f->running = true;
}

/* Ends it in order; what it said. */
static struct command_result stop(struct fixture *f) {
  struct command_result result;
  assert_int_equal(kill(f->watch.pid, SIGTERM), 0);
  command_wait(&f->watch, TIMEOUT_S, &result);
  f->running = false;
  if (result.exit_code != 0)
    fail_msg("exit code %d, signal %d\n%s\n%s", result.exit_code, result.signal, strbuf_text(&result.out),
             strbuf_text(&result.errors));
  return result;
}

static void stop_quietly(struct fixture *f) {
  struct command_result result = stop(f);
  command_result_finish(&result);
}

/* Without a chance to see to anything. Its Lease would have to run out: it is given up in its place. */
static void kill_running(struct running *running, bool give_up_lease) {
  struct command_result result;
  assert_int_equal(kill(running->pid, SIGKILL), 0);
  command_wait(running, TIMEOUT_S, &result);
  command_result_finish(&result);
  if (!give_up_lease)
    return;
  struct api_answer answer =
      ask("DELETE", "/apis/coordination.k8s.io/v1/namespaces/default/leases/trammel-watch-istio", NULL, NULL);
  assert_true(answer.status == 200 || answer.status == 404);
  api_answer_finish(&answer);
}

static int setup(void **state) {
  static unsigned number;
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  (void)snprintf(f->ns, sizeof(f->ns), "watch-%u-%d", ++number, (int)getpid());
  api_namespace_create(server, f->ns);
  put_text(f, workloads);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  if (f->running)
    kill_running(&f->watch, true);
  if (f->other_running)
    kill_running(&f->other, true);
  free(f);
  return 0;
}

/* ---- conditions */

struct wanted {
  const struct fixture *f;
  const char *text, *reason;
  size_t count;
};

static bool has_count(void *ctx) {
  const struct wanted *wanted = ctx;
  return count_policies(wanted->f) == wanted->count;
}

static void wait_for_count(const struct fixture *f, size_t count) {
  struct wanted wanted = {.f = f, .count = count};
  wait_until(has_count, &wanted, TIMEOUT_S, "the policies are those that are wanted");
}

static bool has_path(void *ctx) {
  const struct wanted *wanted = ctx;
  return allows(wanted->f, wanted->text);
}

static void wait_for_path(const struct fixture *f, const char *path) {
  struct wanted wanted = {.f = f, .text = path};
  wait_until(has_path, &wanted, TIMEOUT_S, "a policy allows the path");
}

static bool has_event(void *ctx) {
  const struct wanted *wanted = ctx;
  return count_events(wanted->f, wanted->reason, wanted->text) > 0;
}

static void wait_for_event(const struct fixture *f, const char *reason, const char *name) {
  struct wanted wanted = {.f = f, .text = name, .reason = reason};
  wait_until(has_event, &wanted, TIMEOUT_S, "an Event tells what is wrong");
}

/* The policy that there is, alone: a new reference. */
static json_t *only_policy(const struct fixture *f) {
  json_auto_t *items = items_of(f, POLICIES);
  assert_int_equal(json_array_size(items), 1);
  return json_deep_copy(json_array_get(items, 0));
}

static const char *name_of(const json_t *object) {
  return json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
}

/* ---- the tests */

static void objects_follow_their_resources(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  put_group(f, "g", "/orders");
  wait_for_path(f, "/orders");
  assert_int_equal(count_policies(f), 1);
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 1);
  remove_at(f, TARGETS, "u");
  wait_for_count(f, 0);
  struct command_result result = stop(f);
  assert_non_null(strstr(strbuf_text(&result.out), "created    AuthorizationPolicy"));
  assert_non_null(strstr(strbuf_text(&result.out), "changed    AuthorizationPolicy"));
  assert_non_null(strstr(strbuf_text(&result.out), "removed    AuthorizationPolicy"));
  command_result_finish(&result);
}

/* A target for workloads that come later is nothing until they are there. */
static void objects_follow_who_is_there(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  remove_at(f, "/apis/apps/v1/namespaces/%s/deployments", "api");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_event(f, "NotTranslated", "t");
  assert_int_equal(count_policies(f), 0);
  put_text(f, workloads);
  wait_for_path(f, "/items");
  stop_quietly(f);
}

static void what_others_do_to_objects_is_undone(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  remove_at(f, POLICIES, name_of(policy));
  wait_for_count(f, 1);
  wait_for_path(f, "/items");
  /* A merge patch owns nothing that an apply would have to force. */
  _cleanup_free_ char *path = path_of(f, POLICIES, name_of(policy));
  json_auto_t *annotation = json_pack("{s:{s:{s:n}}}", "metadata", "annotations", "trammel.dev/hash");
  struct api_answer answer = ask("PATCH", path, "application/merge-patch+json", annotation);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  int64_t deadline_ns = clock_in_ns(TIMEOUT_S * NS_PER_SECOND);
  for (bool back = false; !back;) {
    json_auto_t *now = only_policy(f);
    back = json_object_get(json_object_get(json_object_get(now, "metadata"), "annotations"), "trammel.dev/hash");
    assert_true(clock_monotonic_ns() < deadline_ns);
  }
  stop_quietly(f);
}

#define MANY 40

/* Killed in the middle; while none runs, some resources go, one changes, one comes. */
static void a_killed_watch_is_gone_on_with(void **state) {
  struct fixture *f = *state;
  char name[16];
  put_group(f, "g", "/items");
  for (unsigned i = 0; i < MANY; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    put_target(f, name, "HTTPRouteGroup", "g");
  }
  start(f);
  wait_for_path(f, "/items"); /* the first one is there, and others are not */
  kill_running(&f->watch, true);
  f->running = false;
  for (unsigned i = 0; i < MANY / 2; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    remove_at(f, TARGETS, name);
  }
  put_group(f, "other", "/late");
  put_target(f, "t30", "HTTPRouteGroup", "other");
  put_target(f, "late", "HTTPRouteGroup", "other");
  start(f);
  wait_for_count(f, MANY / 2 + 1);
  wait_for_path(f, "/late");
  stop_quietly(f);
  /* With everything as it should be, another start changes nothing. */
  start(f);
  put_group(f, "other", "/later");
  wait_for_path(f, "/later");
  struct command_result result = stop(f);
  size_t lines = 0;
  for (const char *line = strbuf_text(&result.out); (line = strstr(line, "AuthorizationPolicy")); line++)
    lines++;
  assert_in_range(lines, 1, 4);
  command_result_finish(&result);
  for (unsigned i = MANY / 2; i < MANY; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    remove_at(f, TARGETS, name);
  }
  remove_at(f, TARGETS, "late");
  start(f); /* what went while none ran */
  wait_for_count(f, 0);
  stop_quietly(f);
}

static void what_is_wrong_is_told_once(void **state) {
  struct fixture *f = *state;
  put_target(f, "dangling", "HTTPRouteGroup", "nowhere");
  start(f);
  wait_for_event(f, "NotTranslated", "dangling");
  assert_int_equal(count_policies(f), 0);
  stop_quietly(f);
  put_target(f, "another", "HTTPRouteGroup", "nowhere");
  start(f);
  wait_for_event(f, "NotTranslated", "another");
  assert_int_equal(count_events(f, "NotTranslated", "dangling"), 1);
  put_group(f, "nowhere", "/found");
  wait_for_path(f, "/found");
  stop_quietly(f);
}

/* A target that has another name now is as good as it was under the old one, until its policy is there again. */
static void a_foreign_object_is_left_alone_and_told(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 0);
  json_auto_t *foreign = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "security.istio.io/v1", "kind",
                                   "AuthorizationPolicy", "metadata", "name", name_of(policy), "namespace", f->ns,
                                   "spec", "action", "DENY");
  put(foreign);
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_event(f, "NotApplied", "t");
  json_auto_t *there = only_policy(f);
  assert_string_equal(json_string_value(json_object_get(json_object_get(there, "spec"), "action")), "DENY");
  remove_at(f, TARGETS, "t");
  put_target(f, "old", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  remove_at(f, TARGETS, "old");
  put_group(f, "other", "/late");
  put_target(f, "u", "HTTPRouteGroup", "other");
  wait_for_path(f, "/late");
  assert_true(allows(f, "/items"));
  remove_at(f, POLICIES, name_of(policy));
  wait_for_count(f, 2); /* it is tried again, and then the old one goes */
  assert_true(allows(f, "/items"));
  stop_quietly(f);
}

/* Deletion of what came from `trammel apply` is not the watch's business. */
static void what_apply_made_stays(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *path = path_of(f, POLICIES, "applied?fieldManager=trammel/istio&force=true");
  json_auto_t *body = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:{s:s}}, s:{}}", "apiVersion",
                                "security.istio.io/v1", "kind", "AuthorizationPolicy", "metadata", "name", "applied",
                                "namespace", f->ns, "labels", "app.kubernetes.io/managed-by", "trammel", "annotations",
                                "trammel.dev/sources", "TrafficTarget/x/y", "spec");
  struct api_answer answer = ask("PATCH", path, "application/apply-patch+yaml", body);
  assert_int_equal(answer.status, 201);
  api_answer_finish(&answer);
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 1);
  stop_quietly(f);
}

static void another_takes_over_from_a_killed_leader(void **state) {
  struct fixture *f = *state;
  static const char *const none[] = {NULL};
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  f->other = start_words(none);
  f->other_running = true;
  kill_running(&f->watch, false);
  f->running = false;
  put_group(f, "g", "/taken-over");
  wait_for_path(f, "/taken-over");
  f->watch = f->other;
  f->other_running = false;
  f->running = true;
  struct command_result result = stop(f);
  assert_non_null(strstr(strbuf_text(&result.errors), "works, and this one stands by"));
  assert_non_null(strstr(strbuf_text(&result.errors), "this one works now"));
  command_result_finish(&result);
}

static void a_restarted_api_server_is_followed_on(void **state) {
  struct fixture *f = *state;
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* not ours to restart */
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  api_server_restart(server);
  put_group(f, "g", "/after");
  wait_for_path(f, "/after");
  assert_int_equal(count_policies(f), 1);
  stop_quietly(f);
}

/* ---- with metrics */

/* The port that it says it serves metrics at. */
/* Reads what comes until it has `mark`, and the rest of that line. */
static void read_until(int fd, const char *mark, struct strbuf *text) {
  const char *at = NULL;
  while (!(at = strstr(strbuf_text(text), mark)) || !strchr(at, '\n')) {
    char buffer[1024];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, TIMEOUT_S * 1000), 1);
    ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n <= 0)
      fail_msg("\"%s\" was not said: %s", mark, strbuf_text(text));
    strbuf_append(text, buffer, (size_t)n);
  }
}

static unsigned read_port(const struct running *running) {
  static const char mark[] = "metrics are at 127.0.0.1 port ";
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  read_until(running->errors, mark, &text);
  return (unsigned)strtoul(strstr(strbuf_text(&text), mark) + strlen(mark), NULL, 10);
}

static unsigned start_with_metrics(struct fixture *f) {
  static const char *const more[] = {"--metrics", "0", NULL};
  f->watch = start_words(more);
  f->running = true;
  return read_port(&f->watch);
}

static size_t keep(char *data, size_t size, size_t count, void *into) {
  strbuf_append(into, data, size * count);
  return size * count;
}

/* The status of an answer, and its body. */
static long scrape(unsigned port, const char *path, struct strbuf *body) {
  _cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
  CURL *curl = curl_easy_init();
  long status = 0;
  assert_non_null(curl);
  strbuf_printf(&url, "http://127.0.0.1:%u%s", port, path);
  curl_easy_setopt(curl, CURLOPT_URL, strbuf_text(&url));
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
  CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK)
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  if (code != CURLE_OK)
    fail_msg("%s: %s", strbuf_text(&url), curl_easy_strerror(code));
  return status;
}

/* A sample of /metrics: its name, with labels, is the whole of a line before the value. */
static double sample(unsigned port, const char *name) {
  _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
  size_t length = strlen(name);
  assert_int_equal(scrape(port, "/metrics", &body), 200);
  for (const char *line = strbuf_text(&body); line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, name, length) == 0 && line[length] == ' ')
      return strtod(line + length + 1, NULL);
  fail_msg("no sample %s in:\n%s", name, strbuf_text(&body));
  return 0;
}

struct sampled {
  unsigned port;
  const char *name;
  double least;
};

static bool has_sample(void *ctx) {
  const struct sampled *sampled = ctx;
  return sample(sampled->port, sampled->name) >= sampled->least;
}

static void wait_for_sample(unsigned port, const char *name, double least) {
  struct sampled sampled = {.port = port, .name = name, .least = least};
  wait_until(has_sample, &sampled, TIMEOUT_S, name);
}

static double count_translations(unsigned port) {
  return sample(port, "trammel_watch_translations_total{of=\"all\"}") +
         sample(port, "trammel_watch_translations_total{of=\"part\"}");
}

static void metrics_count_what_is_done(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf health = STRBUF_INIT, readiness = STRBUF_INIT, nothing = STRBUF_INIT;
  unsigned port = start_with_metrics(f);
  wait_for_sample(port, "trammel_watch_ready", 1);
  wait_for_sample(port, "trammel_watch_leader", 1);
  assert_true(sample(port, "trammel_watch_info{adapter=\"istio\"}") == 1);
  assert_int_equal(scrape(port, "/healthz", &health), 200);
  assert_string_equal(strbuf_text(&health), "ok\n");
  assert_int_equal(scrape(port, "/readyz", &readiness), 200);
  assert_int_equal(scrape(port, "/nothing", &nothing), 404);
  double resources = sample(port, "trammel_watch_resources");
  double wanted = sample(port, "trammel_watch_objects_wanted");
  double created = sample(port, "trammel_watch_objects_total{outcome=\"created\"}");
  double count = sample(port, "trammel_watch_apply_seconds_count");
  double events = sample(port, "trammel_watch_events_total");
  double translations = count_translations(port);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  put_target(f, "dangling", "HTTPRouteGroup", "nowhere");
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"created\"}", created + 1);
  wait_for_sample(port, "trammel_watch_resources", resources + 3);
  wait_for_sample(port, "trammel_watch_objects_wanted", wanted + 1);
  wait_for_sample(port, "trammel_watch_events_total", events + 1);
  assert_true(sample(port, "trammel_watch_apply_seconds_count") >= count + 1);
  assert_true(sample(port, "trammel_watch_apply_seconds_bucket{le=\"+Inf\"}") >= count + 1);
  assert_true(count_translations(port) > translations);
  assert_true(sample(port, "trammel_watch_corrections_total") == 0);
  stop_quietly(f);
}

/* The policy that denies to all of the namespace: of the two that there are. A new reference. */
static json_t *denial_of(const struct fixture *f) {
  json_auto_t *items = items_of(f, POLICIES);
  assert_int_equal(json_array_size(items), 2);
  const json_t *first = json_array_get(items, 0), *second = json_array_get(items, 1);
  return json_deep_copy(json_object_size(json_object_get(first, "spec")) > 0 ? second : first);
}

/* What denies was replaced by another's, and cannot be applied. What a target that went allowed stays, since Istio
 * admits everybody to a workload that no policy is for; and what another one would allow does not come. */
static void while_a_denial_is_refused_nothing_is_opened(void **state) {
  struct fixture *f = *state;
  const char *const more[] = {"--deny-by-default", f->ns, "--metrics", "0", NULL};
  put_group(f, "g", "/items");
  put_group(f, "other", "/late");
  put_target(f, "t", "HTTPRouteGroup", "g");
  start_denying(f);
  wait_for_path(f, "/items");
  stop_quietly(f);
  json_auto_t *denial = denial_of(f);
  remove_at(f, POLICIES, name_of(denial));
  json_auto_t *foreign = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "security.istio.io/v1", "kind",
                                   "AuthorizationPolicy", "metadata", "name", name_of(denial), "namespace", f->ns,
                                   "spec", "action", "DENY"); /* without rules: it denies nothing */
  put(foreign);
  put_target(f, "u", "HTTPRouteGroup", "other");
  remove_at(f, TARGETS, "t");
  f->watch = start_words(more);
  f->running = true;
  unsigned port = read_port(&f->watch);
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"refused\"}", 2); /* other things had their turn */
  wait_for_sample(port, "trammel_watch_objects_pending", 3);
  assert_true(allows(f, "/items"));
  assert_false(allows(f, "/late"));
  assert_int_equal(count_policies(f), 2);
  remove_at(f, POLICIES, name_of(denial));
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"removed\"}", 1);
  assert_true(allows(f, "/late"));
  assert_false(allows(f, "/items"));
  assert_int_equal(count_policies(f), 2);
  stop_quietly(f);
}

static void merge(const struct fixture *f, const char *name, json_t *patch) {
  _cleanup_free_ char *path = path_of(f, POLICIES, name);
  struct api_answer answer = ask("PATCH", path, "application/merge-patch+json", patch);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  json_decref(patch);
}

/* One that others have put something into; '@' is the text that may not be in it. */
struct untouched {
  const struct fixture *f;
  const char *name, *text;
};

static bool is_untouched(void *ctx) {
  const struct untouched *wanted = ctx;
  _cleanup_free_ char *path = path_of(wanted->f, POLICIES, wanted->name);
  struct api_answer answer = ask("GET", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  json_t *metadata = json_object_get(answer.body, "metadata");
  (void)json_object_del(metadata, "managedFields");
  _cleanup_free_ char *text = json_dumps(answer.body, JSON_COMPACT);
  bool gone = !strstr(text, wanted->text);
  api_answer_finish(&answer);
  return gone;
}

static void wait_untouched(const struct fixture *f, const char *name, const char *text) {
  struct untouched wanted = {.f = f, .name = name, .text = text};
  wait_until(is_untouched, &wanted, TIMEOUT_S, "what others have added is gone");
}

/* A rule that admits everybody, in what denies: nothing that is applied takes it away, nor is there a conflict. It is
 * undone a few times, and left when it comes back each time. */
static void what_others_add_to_an_object_is_undone(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
  const char *const more[] = {"--deny-by-default", f->ns, "--metrics", "0", NULL};
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  f->watch = start_words(more);
  f->running = true;
  unsigned port = read_port(&f->watch);
  wait_for_count(f, 2);
  json_auto_t *denial = denial_of(f), *items = items_of(f, POLICIES);
  size_t other = strcmp(name_of(json_array_get(items, 0)), name_of(denial)) == 0 ? 1 : 0;
  const json_t *target = json_array_get(items, other);
  merge(f, name_of(target), json_pack("{s:{s:{s:s}}}", "spec", "provider", "name", "theirs"));
  wait_untouched(f, name_of(target), "theirs");
  merge(f, name_of(target), json_pack("{s:{s:{s:s}}}", "metadata", "annotations", "istio.io/dry-run", "true"));
  wait_untouched(f, name_of(target), "dry-run");
  json_auto_t *rules = json_deep_copy(json_object_get(json_object_get(target, "spec"), "rules"));
  assert_int_equal(json_array_append_new(rules, json_pack("{s:[{s:{s:[s]}}]}", "to", "operation", "paths", "/theirs")),
                   0);
  merge(f, name_of(target), json_pack("{s:{s:O}}", "spec", "rules", rules));
  wait_untouched(f, name_of(target), "/theirs");
  put_group(f, "g", "/changed"); /* what was taken back is ours to change */
  wait_for_path(f, "/changed");
  for (unsigned i = 0; i < CONTEST_ROUNDS; i++) {
    merge(f, name_of(denial), json_pack("{s:{s:[{}]}}", "spec", "rules"));
    wait_untouched(f, name_of(denial), "rules");
  }
  wait_for_sample(port, "trammel_watch_undone_total", 3 + CONTEST_ROUNDS);
  merge(f, name_of(denial), json_pack("{s:{s:[{}]}}", "spec", "rules"));
  wait_for_event(f, "Contested", name_of(denial));
  wait_for_sample(port, "trammel_watch_objects_contested", 1);
  read_until(f->watch.out, "so it is left", &said);
  assert_non_null(strstr(strbuf_text(&said), "undone: spec.rules of \""));
  remove_at(f, TARGETS, "t"); /* while others open what denies, it stays */
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 3);
  double removed = sample(port, "trammel_watch_objects_total{outcome=\"removed\"}"); /* elsewhere */
  remove_at(f, POLICIES, name_of(denial));                                           /* as the message says */
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"removed\"}", removed + 1);
  json_auto_t *anew = denial_of(f);
  assert_string_equal(name_of(anew), name_of(denial));
  stop_quietly(f);
}

/* Without a fault of anybody's the others' changes stand. */
static void what_others_change_in_an_object_is_told(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  start(f);
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  merge(f, name_of(policy),
        json_pack("{s:{s:[], s:{s:s}}}", "spec", "rules", "provider", "name", "theirs")); /* and something added */
  read_until(f->watch.out, "owned by other managers", &said);
  wait_for_event(f, "NotApplied", "t");
  json_auto_t *there = only_policy(f);
  const json_t *spec = json_object_get(there, "spec");
  assert_int_equal(json_array_size(json_object_get(spec, "rules")), 0);
  assert_non_null(json_object_get(spec, "provider"));
  stop_quietly(f);
}

static bool is_translated_for_osm(void *ctx) {
  const struct wanted *wanted = ctx;
  return says(wanted->f, GROUPS, wanted->text);
}

/* Open Service Mesh is told by resources of SMI what resources of SMI say: these are not translated again. */
static void what_was_made_of_smi_is_not_translated_again(void **state) {
  struct fixture *f = *state;
  static const char *const none[] = {NULL};
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  f->watch = start_to("osm", none);
  f->running = true;
  struct wanted first = {.f = f, .text = "(?:/items)"}, second = {.f = f, .text = "(?:/changed)"};
  wait_until(is_translated_for_osm, &first, TIMEOUT_S, "it is translated");
  put_group(f, "g", "/changed");
  wait_until(is_translated_for_osm, &second, TIMEOUT_S, "the change is translated");
  put_group(f, "g", "/again");
  second.text = "(?:/again)";
  wait_until(is_translated_for_osm, &second, TIMEOUT_S, "the next change is translated");
  assert_int_equal(count_at(f, TARGETS), 2);
  assert_int_equal(count_at(f, GROUPS), 2);
  stop_quietly(f);
}

/* An API server that was started anew has nothing of what was before: it answers 410 to a watch that stood still for as
 * long. What came, changed and went meanwhile is found by listing again. */
static void what_went_on_while_a_watch_stood_still_is_listed(void **state) {
  struct fixture *f = *state;
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* not ours to restart */
  unsigned port = start_with_metrics(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  wait_for_sample(port, "trammel_watch_ready", 1);
  double before = sample(port, "trammel_watch_relists_total");
  assert_int_equal(kill(f->watch.pid, SIGSTOP), 0);
  remove_at(f, TARGETS, "t");
  remove_at(f, TARGETS, "u");
  put_group(f, "g", "/changed");
  put_target(f, "v", "HTTPRouteGroup", "g");
  api_server_restart(server);
  assert_int_equal(kill(f->watch.pid, SIGCONT), 0);
  wait_for_path(f, "/changed");
  wait_for_count(f, 1);
  wait_for_sample(port, "trammel_watch_relists_total", before + 1);
  assert_true(sample(port, "trammel_watch_corrections_total") == 0);
  stop_quietly(f);
}

static int install(void **state) {
  (void)state;
  return crds_install(server, definitions[0]) > 0 && crds_install(server, definitions[1]) > 0 ? 0 : -1;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(objects_follow_their_resources),
      TEST(objects_follow_who_is_there),
      TEST(what_others_do_to_objects_is_undone),
      TEST(a_killed_watch_is_gone_on_with),
      TEST(what_is_wrong_is_told_once),
      TEST(a_foreign_object_is_left_alone_and_told),
      TEST(what_apply_made_stays),
      TEST(another_takes_over_from_a_killed_leader),
      TEST(a_restarted_api_server_is_followed_on),
      TEST(metrics_count_what_is_done),
      TEST(while_a_denial_is_refused_nothing_is_opened),
      TEST(what_others_add_to_an_object_is_undone),
      TEST(what_others_change_in_an_object_is_told),
      TEST(what_was_made_of_smi_is_not_translated_again),
      TEST(what_went_on_while_a_watch_stood_still_is_listed),
  };
  definitions[0] = crds_directory(MESH_DEFINITIONS);
  definitions[1] = crds_directory(SMI_DEFINITIONS);
  if (!definitions[0] || !definitions[1]) {
    printf("skipped: the definitions " MESH_DEFINITIONS " and " SMI_DEFINITIONS
           " are not there: they are looked for in "
           "crds/ of ../shared or $TRAMMEL_SHARED_DIR\n");
    return 77;
  }
  server = api_server_start();
  int failed = server ? cmocka_run_group_tests_name("watch", tests, install, NULL) : 77;
  api_server_stop(server);
  free(definitions[0]);
  free(definitions[1]);
  return failed;
}
