/* A real Consul with ACLs that deny by default: what an intention allows goes from sidecar to sidecar through mutual
 * TLS, what none allows does not arrive, and a token that may write the intentions of one destination can do nothing
 * else. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/support/command.h"

#define WAIT_S 60
#define ANSWER_S 5

/* All on the loopback address that this agent has for itself. */
enum { SERVER_PORT = 9001, UPSTREAM_PORT, SERVER_SIDECAR_PORT = 21000, CLIENT_SIDECAR_PORT };

static struct {
  char *directory, *url, *address, *program;
  char *manager;              /* a token that may do everything */
  char *writer;               /* one that may write the intentions of "server" */
  pid_t echo;                 /* the program behind "server" */
  struct running sidecars[2]; /* of "server" and of "client" */
  json_t *foreign;            /* an intention that someone else made */
} mesh;

/* ---- the agent */

static int script(const char *const *arguments, struct command_result *ret_result) {
  const char *argv[8] = {NULL};
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "%s/tests/testbed/consul.sh", getenv("TRAMMEL_SOURCE_DIR")) > 0);
  argv[0] = path;
  for (size_t n = 1; *arguments && n < ARRAY_COUNT(argv) - 1; n++)
    argv[n] = *arguments++;
  command_run(argv, NULL, 120, ret_result);
  return ret_result->exit_code;
}

static char *first_line(const char *text) {
  return strndup(text, strcspn(text, "\n"));
}

static char *file_line(const char *name) {
  _cleanup_free_ char *path = NULL, *text = NULL;
  size_t length;
  assert_true(asprintf(&path, "%s/%s", mesh.directory, name) > 0);
  assert_int_equal(file_read(path, 4096, &text, &length, NULL), 0);
  return first_line(text);
}

/* 0; else what the program exits with. */
static int agent_start(void) {
  char parent[16];
  struct command_result result;
  mesh.directory = scratch_create();
  (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
  int code = script((const char *[]){"start", "--dir", mesh.directory, "--parent", parent, NULL}, &result);
  if (code != 0) {
    printf("%s: %s", code == 77 ? "skipped" : "Consul did not start", strbuf_text(&result.errors));
    scratch_remove(mesh.directory);
    return code == 77 ? 77 : 1;
  }
  command_result_finish(&result);
  mesh.url = file_line("url");
  mesh.manager = file_line("token");
  mesh.address = strndup(mesh.url + strlen("http://"), strcspn(mesh.url + strlen("http://"), ":"));
  assert_int_equal(script((const char *[]){"path", NULL}, &result), 0);
  mesh.program = first_line(strbuf_text(&result.out));
  command_result_finish(&result);
  return 0;
}

/* ---- its API */

static size_t keep(char *data, size_t size, size_t count, void *into) {
  strbuf_append(into, data, size * count);
  return size * count;
}

/* The status; what it answered goes to `*ret_answer` (NULL allowed; NULL when it was no JSON). Takes `body` over. */
static long call(const char *token, const char *method, const char *path, json_t *body, json_t **ret_answer) {
  _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
  _cleanup_free_ char *url = NULL, *header = NULL, *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
  long status = 0;
  CURL *curl = curl_easy_init();
  assert_non_null(curl);
  assert_true(asprintf(&url, "%s/v1/%s", mesh.url, path) > 0);
  assert_true(asprintf(&header, "X-Consul-Token: %s", token) > 0);
  struct curl_slist *headers = curl_slist_append(NULL, header);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  if (text)
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
  assert_int_equal(curl_easy_perform(curl), CURLE_OK);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  curl_slist_free_all(headers);
  json_decref(body);
  if (ret_answer)
    *ret_answer = json_loadb(strbuf_text(&answer), answer.length, 0, NULL);
  return status;
}

static char *token_create(json_t *rights) {
  json_t *answer = NULL;
  assert_int_equal(call(mesh.manager, "PUT", "acl/token", rights, &answer), 200);
  char *secret = strdup(json_string_value(json_object_get(answer, "SecretID")));
  json_decref(answer);
  return secret;
}

static char *writer_create(void) {
  json_t *policy = json_pack("{s:s, s:s}", "Name", "writer", "Rules",
                             "service \"server\" { policy = \"read\" intentions = \"write\" }");
  assert_int_equal(call(mesh.manager, "PUT", "acl/policy", policy, NULL), 200);
  return token_create(json_pack("{s:[{s:s}]}", "Policies", "Name", "writer"));
}

/* Makes one and gives its id, or the status when it is refused. */
static long intention_create(const char *token, const char *source, const char *destination, const char *action,
                             char **ret_id) {
  json_t *answer = NULL;
  long status = call(token, "POST", "connect/intentions",
                     json_pack("{s:s, s:s, s:s, s:s}", "SourceName", source, "DestinationName", destination,
                               "SourceType", "consul", "Action", action),
                     &answer);
  if (status == 200 && ret_id)
    *ret_id = strdup(json_string_value(json_object_get(answer, "ID")));
  json_decref(answer);
  return status;
}

static json_t *intention_read(const char *id) {
  json_t *answer = NULL;
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "connect/intentions/%s", id) > 0);
  assert_int_equal(call(mesh.manager, "GET", path, NULL, &answer), 200);
  return answer;
}

static void intention_change(const char *id, const char *action) {
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "connect/intentions/%s", id) > 0);
  assert_int_equal(call(mesh.writer, "PUT", path,
                        json_pack("{s:s, s:s, s:s, s:s}", "SourceName", "client", "DestinationName", "server",
                                  "SourceType", "consul", "Action", action),
                        NULL),
                   200);
}

/* ---- two services and their sidecars */

static int listen_on(unsigned port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  assert_int_equal(inet_pton(AF_INET, mesh.address, &address.sin_addr), 1);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(fd, 16), 0);
  return fd;
}

/* Sends back what comes first on each connection, until it is killed. */
static void echo(int listener) {
  char data[64];
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    ssize_t n = fd < 0 ? -1 : recv(fd, data, sizeof(data), 0);
    if (n > 0)
      (void)send(fd, data, (size_t)n, MSG_NOSIGNAL);
    if (fd >= 0)
      (void)close(fd);
  }
}

static pid_t echo_start(void) {
  int listener = listen_on(SERVER_PORT);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    echo(listener);
  (void)close(listener);
  return pid;
}

/* Registers a service with a sidecar that is as healthy as the service, and starts the sidecar with a token that may
 * be this service and no other. */
static void service_start(const char *name, int port, int sidecar_port, json_t *proxy, struct running *ret_sidecar) {
  _cleanup_free_ char *token = token_create(json_pack("{s:[{s:s}]}", "ServiceIdentities", "ServiceName", name));
  json_t *sidecar = json_pack("{s:i, s:[{s:s, s:s}], s:o}", "Port", sidecar_port, "Checks", "Name", "service",
                              "AliasService", name, "Proxy", proxy);
  json_t *service = json_pack("{s:s, s:s, s:i, s:{s:o}}", "Name", name, "Address", mesh.address, "Port", port,
                              "Connect", "SidecarService", sidecar);
  assert_int_equal(call(token, "PUT", "agent/service/register", service, NULL), 200);
  const char *argv[] = {"/usr/bin/setpriv", "--pdeathsig", "KILL",       "--",     mesh.program, "connect", "proxy",
                        "-sidecar-for",     name,          "-http-addr", mesh.url, "-token",     token,     NULL};
  *ret_sidecar = command_start(argv, NULL);
}

static void services_start(void) {
  mesh.echo = echo_start();
  service_start("server", SERVER_PORT, SERVER_SIDECAR_PORT, json_pack("{s:s}", "LocalServiceAddress", mesh.address),
                &mesh.sidecars[0]);
  service_start("client", UPSTREAM_PORT + 1, CLIENT_SIDECAR_PORT,
                json_pack("{s:[{s:s, s:s, s:i}]}", "Upstreams", "DestinationName", "server", "LocalBindAddress",
                          mesh.address, "LocalBindPort", UPSTREAM_PORT),
                &mesh.sidecars[1]);
}

/* ---- what arrives */

/* Whether a text sent to this port comes back: it is ended, or nothing comes for some seconds, otherwise. */
static bool comes_back(unsigned port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct timeval limit = {.tv_sec = ANSWER_S};
  char data[64] = "";
  _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, mesh.address, &address.sin_addr), 1);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
  return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && send(fd, "hello", 5, MSG_NOSIGNAL) == 5 &&
         recv(fd, data, sizeof(data) - 1, 0) == 5 && strcmp(data, "hello") == 0;
}

static bool is_allowed(void *ctx) {
  (void)ctx;
  return comes_back(UPSTREAM_PORT);
}

static bool is_denied(void *ctx) {
  return !is_allowed(ctx);
}

static bool is_listening(void *ctx) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) * (unsigned *)ctx)};
  _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, mesh.address, &address.sin_addr), 1);
  return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static void sidecars_come_up(void) {
  unsigned ports[] = {SERVER_SIDECAR_PORT, UPSTREAM_PORT};
  for (size_t i = 0; i < ARRAY_COUNT(ports); i++)
    wait_until(is_listening, &ports[i], WAIT_S, "a sidecar to listen");
}

/* ---- the tests */

/* The program answers all the time: what is denied is denied on the way. */
static void an_intention_opens_and_closes_the_way(void **state) {
  (void)state;
  _cleanup_free_ char *id = NULL;
  sidecars_come_up();
  assert_true(comes_back(SERVER_PORT));
  assert_false(comes_back(UPSTREAM_PORT));
  assert_int_equal(intention_create(mesh.writer, "client", "server", "allow", &id), 200);
  wait_until(is_allowed, NULL, WAIT_S, "the allowed call to come back");
  intention_change(id, "deny");
  wait_until(is_denied, NULL, WAIT_S, "the denied call not to come back");
  intention_change(id, "allow");
  wait_until(is_allowed, NULL, WAIT_S, "the allowed call to come back again");
}

/* While the way is open for the client: it is its certificate that opens it. */
static void who_has_no_certificate_gets_no_answer(void **state) {
  (void)state;
  assert_true(comes_back(UPSTREAM_PORT));
  assert_false(comes_back(SERVER_SIDECAR_PORT));
}

static void the_token_may_do_nothing_else(void **state) {
  (void)state;
  assert_int_equal(intention_create(mesh.writer, "server", "client", "allow", NULL), 403);
  assert_int_equal(call(mesh.writer, "PUT", "kv/a", json_string("b"), NULL), 403);
  assert_int_equal(call(mesh.writer, "GET", "acl/tokens", NULL, NULL), 403);
  assert_int_equal(call(mesh.writer, "PUT", "config",
                        json_pack("{s:s, s:s, s:s}", "Kind", "service-defaults", "Name", "server", "Protocol", "http"),
                        NULL),
                   403);
}

static void what_others_made_is_as_it_was(void **state) {
  (void)state;
  json_t *now = intention_read(json_string_value(json_object_get(mesh.foreign, "ID")));
  assert_true(json_equal(now, mesh.foreign));
  json_decref(now);
}

static int setup(void **state) {
  (void)state;
  _cleanup_free_ char *id = NULL;
  mesh.writer = writer_create();
  assert_int_equal(intention_create(mesh.manager, "front", "store", "allow", &id), 200);
  mesh.foreign = intention_read(id);
  services_start();
  return 0;
}

static void end(pid_t pid) {
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, NULL, 0);
}

static int teardown(void **state) {
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(mesh.sidecars); i++) {
    end(mesh.sidecars[i].pid);
    (void)close(mesh.sidecars[i].out);
    (void)close(mesh.sidecars[i].errors);
  }
  end(mesh.echo);
  json_decref(mesh.foreign);
  free(mesh.writer);
  return 0;
}

int main(void) {
  struct command_result result;
  int code = agent_start();
  if (code != 0)
    return code;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_intention_opens_and_closes_the_way),
      cmocka_unit_test(who_has_no_certificate_gets_no_answer),
      cmocka_unit_test(the_token_may_do_nothing_else),
      cmocka_unit_test(what_others_made_is_as_it_was),
  };
  int failed = cmocka_run_group_tests_name("consul", tests, setup, teardown);
  (void)script((const char *[]){"stop", mesh.directory, NULL}, &result);
  command_result_finish(&result);
  free(mesh.directory);
  free(mesh.url);
  free(mesh.address);
  free(mesh.program);
  free(mesh.manager);
  return failed;
}
