#include "tests/cluster/on_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"

#define WORDS_MAX 32

static void put_words(const char *kubeconfig, const char *const *words, const char *argv[static WORDS_MAX + 4]) {
  size_t n = 0;
  argv[n++] = "trammel";
  for (size_t i = 0; words[i]; i++) {
    assert_true(n < WORDS_MAX);
    argv[n++] = words[i];
  }
  argv[n++] = "--kubeconfig";
  argv[n++] = kubeconfig;
  argv[n] = NULL;
}

struct command_result on_cluster_run(const char *kubeconfig, const char *input, const char *const *words) {
  const char *argv[WORDS_MAX + 4];
  struct command_result result;
  put_words(kubeconfig, words, argv);
  command_run(argv, input, ON_CLUSTER_TIMEOUT_S, &result);
  return result;
}

struct running on_cluster_start(const char *kubeconfig, const char *input, const char *const *words) {
  const char *argv[WORDS_MAX + 4];
  put_words(kubeconfig, words, argv);
  return command_start(argv, input);
}

void assert_code(const struct command_result *result, int code) {
  if (result->exit_code != code)
    fail_msg("exit code %d and not %d\n%s\n%s", result->exit_code, code, strbuf_text(&result->out),
             strbuf_text(&result->errors));
}

void assert_says(const struct command_result *result, const char *text) {
  if (!strstr(strbuf_text(&result->out), text) && !strstr(strbuf_text(&result->errors), text))
    fail_msg("nothing says \"%s\"\n%s\n%s", text, strbuf_text(&result->out), strbuf_text(&result->errors));
}

void expect(struct command_result result, int code, const char *text) {
  assert_code(&result, code);
  assert_says(&result, text);
  command_result_finish(&result);
}

json_t *expect_json(struct command_result result, int code) {
  assert_code(&result, code);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_non_null(json);
  command_result_finish(&result);
  return json;
}

long count_of(const json_t *answer, const char *outcome) {
  const json_t *count = json_object_get(json_object_get(answer, "summary"), outcome);
  assert_true(json_is_integer(count));
  return (long)json_integer_value(count);
}

const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

const json_t *item_with(const json_t *answer, const char *list, const char *key, const char *value) {
  const json_t *item;
  size_t i;
  json_array_foreach(json_object_get(answer, list), i, item) {
    if (strcmp(text_of(item, key), value) == 0)
      return item;
  }
  _cleanup_free_ char *text = json_dumps(answer, JSON_INDENT(1));
  fail_msg("no item of \"%s\" has %s %s:\n%s", list, key, value, text);
  return NULL;
}

char *with_ns(const char *text, const char *ns) {
  struct strbuf out = STRBUF_INIT;
  for (const char *at; (at = strchr(text, '@')); text = at + 1) {
    strbuf_append(&out, text, (size_t)(at - text));
    strbuf_puts(&out, ns);
  }
  strbuf_puts(&out, text);
  return strbuf_steal(&out);
}

void put_status(struct api_server *server, const char *path, json_t *status) {
  _cleanup_free_ char *below = NULL;
  json_auto_t *patch = json_pack("{s:o}", "status", status);
  struct api_answer answer;
  assert_true(asprintf(&below, "%s/status", path) > 0);
  api_server_send(server,
                  &(struct api_request){
                      .method = "PATCH", .path = below, .content_type = "application/merge-patch+json", .body = patch},
                  &answer);
  if (answer.status != 200)
    fail_msg("%s: %s", below, api_answer_message(&answer));
  api_answer_finish(&answer);
}

static void put_one(struct api_server *server, json_t *object) {
  _cleanup_free_ char *path = api_object_path(server, object);
  json_t *status = json_incref(json_object_get(object, "status"));
  struct api_answer answer;
  assert_non_null(path);
  (void)json_object_del(object, "status");
  api_object_apply(server, path, object, false, &answer);
  if (answer.status != 200 && answer.status != 201)
    fail_msg("%s: %s", path, api_answer_message(&answer));
  api_answer_finish(&answer);
  if (status)
    put_status(server, path, status);
}

void put_all(struct api_server *server, const char *yaml) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list documents;
  assert_int_equal(document_read(arena, "test", yaml, strlen(yaml), DOCUMENT_YAML, NULL, NULL, &documents), 0);
  for (size_t i = 0; i < documents.count; i++) {
    json_auto_t *object = node_to_json(documents.roots[i]);
    put_one(server, object);
  }
}

static const char istiod[] =
    "{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}\n"
    "spec: {selector: {matchLabels: {app: istiod}}, template: {metadata: {labels: {app: istiod}}, spec: {containers: "
    "[{name: discovery, image: 'docker.io/istio/pilot:1.18.7'}]}}}\n"
    "status: {replicas: 1, readyReplicas: %d}\n";

void put_istiod(struct api_server *server, int ready) {
  _cleanup_free_ char *text = NULL;
  assert_true(asprintf(&text, istiod, ready) > 0);
  put_all(server, text);
}

json_t *object_at(struct api_server *server, const char *path) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = "GET", .path = path}, &answer);
  assert_true(answer.status == 200 || answer.status == 404);
  json_t *object = answer.status == 200 ? json_incref(answer.body) : NULL;
  api_answer_finish(&answer);
  return object;
}
