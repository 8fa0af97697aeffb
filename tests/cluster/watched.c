#include "tests/cluster/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sdk/base/document.h"

#define WORDS_MAX 24
#define EVENTS "/api/v1/namespaces/%s/events"

struct api_server *server;

/* ---- what is there */

struct api_answer ask(const char *method, const char *path, const char *type, const json_t *body) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = method, .path = path, .content_type = type, .body = body},
                  &answer);
  return answer;
}

char *path_of(const struct fixture *f, const char *format, const char *name) {
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
json_t *items_of(const struct fixture *f, const char *format) {
  _cleanup_free_ char *path = path_of(f, format, NULL);
  struct api_answer answer = ask("GET", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  json_t *items = json_incref(json_object_get(answer.body, "items"));
  api_answer_finish(&answer);
  return items;
}

size_t count_at(const struct fixture *f, const char *format) {
  json_auto_t *items = items_of(f, format);
  return json_array_size(items);
}

size_t count_policies(const struct fixture *f) {
  return count_at(f, POLICIES);
}

/* Whether one of a list has this in its text. */
bool says(const struct fixture *f, const char *format, const char *path) {
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
bool allows(const struct fixture *f, const char *path) {
  return says(f, POLICIES, path);
}

size_t count_events(const struct fixture *f, const char *reason, const char *name) {
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

void put(const json_t *object) {
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
void put_text(const struct fixture *f, const char *text) {
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

void remove_at(const struct fixture *f, const char *format, const char *name) {
  _cleanup_free_ char *path = path_of(f, format, name);
  struct api_answer answer = ask("DELETE", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
}

const char workloads[] =
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

void put_group(const struct fixture *f, const char *name, const char *path) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text,
                "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: %s, namespace: '@'}\n"
                "spec: {matches: [{name: read, pathRegex: '%s', methods: [GET]}]}\n",
                name, path);
  put_text(f, strbuf_text(&text));
}

void put_target(const struct fixture *f, const char *name, const char *kind, const char *route) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text,
                "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: %s, namespace: '@'}\n"
                "spec:\n  destination: {kind: ServiceAccount, name: api, namespace: '@'}\n"
                "  sources: [{kind: ServiceAccount, name: web, namespace: '@'}]\n  rules: [{kind: %s, name: %s}]\n",
                name, kind, route);
  put_text(f, strbuf_text(&text));
}

struct running start_to(const char *adapter, const char *const *more) {
  const char *argv[WORDS_MAX] = {
      "trammel",           "watch",  "--to", adapter, "--kubeconfig", api_server_kubeconfig(server),
      "--lease-namespace", "default"};
  size_t n = 8;
  for (; *more && n < WORDS_MAX - 1; more++)
    argv[n++] = *more;
  return command_start(argv, NULL);
}

struct running start_words(const char *const *more) {
  return start_to("istio", more);
}

void start(struct fixture *f) {
  static const char *const none[] = {NULL};
  f->watch = start_words(none);
  f->running = true;
}

void start_denying(struct fixture *f) {
  const char *const more[] = {"--deny-by-default", f->ns, NULL};
  f->watch = start_words(more);
  f->running = true;
}

/* Ends it in order; what it said. */
struct command_result stop(struct fixture *f) {
  struct command_result result;
  assert_int_equal(kill(f->watch.pid, SIGTERM), 0);
  command_wait(&f->watch, TIMEOUT_S, &result);
  f->running = false;
  if (result.exit_code != 0)
    fail_msg("exit code %d, signal %d\n%s\n%s", result.exit_code, result.signal, strbuf_text(&result.out),
             strbuf_text(&result.errors));
  return result;
}

void stop_quietly(struct fixture *f) {
  struct command_result result = stop(f);
  command_result_finish(&result);
}

/* Without a chance to see to anything. Its Lease would have to run out: it is given up in its place. */
void kill_running(struct running *running, bool give_up_lease) {
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

int setup(void **state) {
  static unsigned number;
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  (void)snprintf(f->ns, sizeof(f->ns), "watch-%u-%d", ++number, (int)getpid());
  api_namespace_create(server, f->ns);
  put_text(f, workloads);
  *state = f;
  return 0;
}

int teardown(void **state) {
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

void wait_for_count(const struct fixture *f, size_t count) {
  struct wanted wanted = {.f = f, .count = count};
  wait_until(has_count, &wanted, TIMEOUT_S, "the policies are those that are wanted");
}

static bool has_path(void *ctx) {
  const struct wanted *wanted = ctx;
  return allows(wanted->f, wanted->text);
}

void wait_for_path(const struct fixture *f, const char *path) {
  struct wanted wanted = {.f = f, .text = path};
  wait_until(has_path, &wanted, TIMEOUT_S, "a policy allows the path");
}

static bool has_event(void *ctx) {
  const struct wanted *wanted = ctx;
  return count_events(wanted->f, wanted->reason, wanted->text) > 0;
}

void wait_for_event(const struct fixture *f, const char *reason, const char *name) {
  struct wanted wanted = {.f = f, .text = name, .reason = reason};
  wait_until(has_event, &wanted, TIMEOUT_S, "an Event tells what is wrong");
}

/* The policy that there is, alone: a new reference. */
json_t *only_policy(const struct fixture *f) {
  json_auto_t *items = items_of(f, POLICIES);
  assert_int_equal(json_array_size(items), 1);
  return json_deep_copy(json_array_get(items, 0));
}

const char *name_of(const json_t *object) {
  return json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
}

/* ---- what it says */

/* Reads what comes until it has `mark`, and the rest of that line. */
void read_until(int fd, const char *mark, struct strbuf *text) {
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

unsigned read_port(const struct running *running) {
  static const char mark[] = "metrics are at 127.0.0.1 port ";
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  read_until(running->errors, mark, &text);
  return (unsigned)strtoul(strstr(strbuf_text(&text), mark) + strlen(mark), NULL, 10);
}

unsigned start_with_metrics(struct fixture *f) {
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
long scrape(unsigned port, const char *path, struct strbuf *body) {
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
double sample(unsigned port, const char *name) {
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

void wait_for_sample(unsigned port, const char *name, double least) {
  struct sampled sampled = {.port = port, .name = name, .least = least};
  wait_until(has_sample, &sampled, TIMEOUT_S, name);
}
