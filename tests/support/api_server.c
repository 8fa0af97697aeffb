#include "tests/support/api_server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"

#define START_S 180
#define REQUEST_S 60L
#define SKIPPED 77

struct api_server {
  char *directory; /* of the instance; NULL for one that was there before */
  char *kubeconfig;
  char *nobody;
  CURL *curl;
  char *url;
  char *authorities; /* a file */
  char *authorization;
};

/* Runs the test bed's script; its exit code. */
static int testbed(const char *verb, const char *const *arguments, struct command_result *ret_result) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  const char *argv[12] = {NULL, "api", verb};
  size_t n = 3;
  assert_non_null(source);
  _cleanup_free_ char *script = NULL;
  assert_true(asprintf(&script, "%s/tests/testbed/kubernetes.sh", source) > 0);
  argv[0] = script;
  while (*arguments && n < ARRAY_COUNT(argv) - 1)
    argv[n++] = *arguments++;
  command_run(argv, NULL, START_S, ret_result);
  return ret_result->exit_code;
}

/* Starts an instance in a new folder. False when it cannot be here. */
static bool start_instance(struct api_server *server) {
  char parent[16];
  struct command_result result;
  char *directory = scratch_create();

  (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
  int code = testbed("start", (const char *[]){"--dir", directory, "--parent", parent, NULL}, &result);
  if (code == SKIPPED)
    printf("skipped: %s", strbuf_text(&result.errors));
  else if (code != 0)
    fprintf(stderr, "the API server did not start:\n%s", strbuf_text(&result.errors));
  command_result_finish(&result);
  if (code != 0)
    scratch_remove(directory);
  if (code != 0 && code != SKIPPED)
    exit(1);
  if (code != 0)
    return false;
  server->directory = directory;
  assert_true(asprintf(&server->kubeconfig, "%s/admin.conf", directory) > 0);
  assert_true(asprintf(&server->nobody, "%s/nobody.conf", directory) > 0);
  return true;
}

static char *text_at(const struct node *root, const char *pointer, const char *file) {
  const struct node *node = node_at(root, pointer);
  if (!node || node->kind != NODE_STRING) {
    fprintf(stderr, "%s has no %s, which the tests need\n", file, pointer);
    exit(1);
  }
  return strdup(node->text);
}

/* Of the kubeconfigs there are, those that the test bed writes: one cluster, one user, a token, a file of authorities.
 */
static void read_kubeconfig(struct api_server *server) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list documents;
  _cleanup_free_ char *data = NULL;
  size_t length;

  if (file_read(server->kubeconfig, FILE_READ_MAX, &data, &length, NULL) < 0 ||
      document_read(arena, server->kubeconfig, data, length, DOCUMENT_ANY, NULL, NULL, &documents) < 0 ||
      documents.count != 1) {
    fprintf(stderr, "%s is no kubeconfig\n", server->kubeconfig);
    exit(1);
  }
  const struct node *root = documents.roots[0];
  _cleanup_free_ char *token = text_at(root, "/users/0/user/token", server->kubeconfig);
  server->url = text_at(root, "/clusters/0/cluster/server", server->kubeconfig);
  server->authorities = text_at(root, "/clusters/0/cluster/certificate-authority", server->kubeconfig);
  assert_true(asprintf(&server->authorization, "Authorization: Bearer %s", token) > 0);
}

struct api_server *api_server_start(void) {
  struct api_server *server = calloc(1, sizeof(*server));
  const char *there = getenv("TRAMMEL_TEST_KUBECONFIG");

  assert_non_null(server);
  if (there && *there)
    server->kubeconfig = strdup(there);
  else if (!start_instance(server)) {
    free(server);
    return NULL;
  }
  read_kubeconfig(server);
  server->curl = curl_easy_init();
  assert_non_null(server->curl);
  return server;
}

void api_server_stop(struct api_server *server) {
  if (!server)
    return;
  if (server->directory) {
    struct command_result result;
    (void)testbed("stop", (const char *[]){server->directory, NULL}, &result);
    command_result_finish(&result);
  }
  curl_easy_cleanup(server->curl);
  free(server->directory);
  free(server->kubeconfig);
  free(server->nobody);
  free(server->url);
  free(server->authorities);
  free(server->authorization);
  free(server);
}

void api_server_restart(struct api_server *server) {
  struct command_result result;
  assert_non_null(server->directory);
  int code = testbed("restart", (const char *[]){server->directory, NULL}, &result);
  if (code != 0)
    fail_msg("the API server did not come back: %s", strbuf_text(&result.errors));
  command_result_finish(&result);
}

const char *api_server_kubeconfig(const struct api_server *server) {
  return server->kubeconfig;
}

const char *api_server_kubeconfig_nobody(const struct api_server *server) {
  return server->nobody;
}

static size_t keep(char *data, size_t size, size_t count, void *into) {
  strbuf_append(into, data, size * count);
  return size * count;
}

static struct curl_slist *headers_of(const struct api_server *server, const struct api_request *request) {
  char line[512];
  struct curl_slist *headers = curl_slist_append(NULL, server->authorization);
  (void)snprintf(line, sizeof(line), "Content-Type: %s",
                 request->content_type ? request->content_type : "application/json");
  headers = curl_slist_append(headers, line);
  if (request->as) {
    (void)snprintf(line, sizeof(line), "Impersonate-User: %s", request->as);
    headers = curl_slist_append(headers, line);
  }
  assert_non_null(headers);
  return headers;
}

void api_server_send(struct api_server *server, const struct api_request *request, struct api_answer *ret_answer) {
  CURL *curl = server->curl;
  _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
  _cleanup_free_ char *url = NULL, *body = request->body ? json_dumps(request->body, JSON_COMPACT) : NULL;
  struct curl_slist *headers = headers_of(server, request);

  assert_true(asprintf(&url, "%s%s", server->url, request->path) > 0);
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
  curl_easy_setopt(curl, CURLOPT_CAINFO, server->authorities);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_S);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  if (body)
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  if (code != CURLE_OK)
    fail_msg("%s %s: %s", request->method, request->path, curl_easy_strerror(code));
  *ret_answer = (struct api_answer){.body = json_loadb(strbuf_text(&answer), answer.length, 0, NULL)};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
}

void api_answer_finish(struct api_answer *answer) {
  json_decref(answer->body);
  answer->body = NULL;
}

const char *api_answer_message(const struct api_answer *answer) {
  const char *message = json_string_value(json_object_get(answer->body, "message"));
  return message ? message : "";
}
