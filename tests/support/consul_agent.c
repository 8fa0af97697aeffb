#include "tests/support/consul_agent.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/file.h"
#include "sdk/base/strbuf.h"
#include "tests/support/command.h"

#define START_S 120
#define REQUEST_S 30L

static void script(const char *const *arguments, struct command_result *ret_result) {
  const char *argv[8] = {NULL};
  _cleanup_free_ char *path = NULL;
  assert_true(asprintf(&path, "%s/tests/testbed/consul.sh", getenv("TRAMMEL_SOURCE_DIR")) > 0);
  argv[0] = path;
  for (size_t n = 1; *arguments && n < 7; n++)
    argv[n] = *arguments++;
  command_run(argv, NULL, START_S, ret_result);
}

static char *first_line(const char *text) {
  return strndup(text, strcspn(text, "\n"));
}

static char *file_line(const char *directory, const char *name) {
  _cleanup_free_ char *path = NULL, *text = NULL;
  size_t length;
  assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
  assert_int_equal(file_read(path, 4096, &text, &length, NULL), 0);
  return first_line(text);
}

int consul_agent_start(struct consul_agent *agent) {
  char parent[16];
  struct command_result result;
  (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
  *agent = (struct consul_agent){.directory = scratch_create()};
  script((const char *[]){"start", "--dir", agent->directory, "--parent", parent, NULL}, &result);
  int code = result.exit_code;
  if (code != 0) {
    printf("%s: %s", code == 77 ? "skipped" : "Consul did not start", strbuf_text(&result.errors));
    command_result_finish(&result);
    scratch_remove(agent->directory);
    return code == 77 ? 77 : 1;
  }
  command_result_finish(&result);
  agent->url = file_line(agent->directory, "url");
  agent->token = file_line(agent->directory, "token");
  script((const char *[]){"path", NULL}, &result);
  assert_int_equal(result.exit_code, 0);
  agent->program = first_line(strbuf_text(&result.out));
  command_result_finish(&result);
  return 0;
}

void consul_agent_stop(struct consul_agent *agent) {
  struct command_result result;
  script((const char *[]){"stop", agent->directory, NULL}, &result);
  command_result_finish(&result);
  free(agent->directory);
  free(agent->url);
  free(agent->program);
  free(agent->token);
}

static size_t keep(char *data, size_t size, size_t count, void *into) {
  strbuf_append(into, data, size * count);
  return size * count;
}

long consul_agent_ask(const struct consul_agent *agent, const char *method, const char *path, const char *body,
                      json_t **ret_answer) {
  _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
  _cleanup_free_ char *url = NULL, *header = NULL;
  long status = 0;
  CURL *curl = curl_easy_init();
  assert_non_null(curl);
  assert_true(asprintf(&url, "%s%s", agent->url, path) > 0);
  assert_true(asprintf(&header, "X-Consul-Token: %s", agent->token) > 0);
  struct curl_slist *headers = curl_slist_append(NULL, header);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_S);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  if (body)
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  assert_int_equal(curl_easy_perform(curl), CURLE_OK);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  curl_slist_free_all(headers);
  if (ret_answer)
    *ret_answer = json_loadb(strbuf_text(&answer), answer.length, JSON_DECODE_ANY, NULL);
  return status;
}

char *consul_agent_token(const struct consul_agent *agent, const char *name, const char *rules) {
  char *path = NULL;
  json_t *policy = json_pack("{s:s, s:s}", "Name", name, "Rules", rules), *token = NULL;
  json_t *wanted = json_pack("{s:[{s:s}]}", "Policies", "Name", name);
  _cleanup_free_ char *policy_text = json_dumps(policy, 0), *wanted_text = json_dumps(wanted, 0);
  assert_int_equal(consul_agent_ask(agent, "PUT", "/v1/acl/policy", policy_text, NULL), 200);
  assert_int_equal(consul_agent_ask(agent, "PUT", "/v1/acl/token", wanted_text, &token), 200);
  const char *secret = json_string_value(json_object_get(token, "SecretID"));
  assert_non_null(secret);
  assert_true(asprintf(&path, "%s/%s", agent->directory, name) > 0);
  assert_int_equal(file_replace(path, 0600, secret, strlen(secret), NULL), 0);
  json_decref(token);
  json_decref(wanted);
  json_decref(policy);
  return path;
}
