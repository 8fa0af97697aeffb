/* The engine with the adapter of Consul on a real Consul 1.8.7 that denies what no token allows: what is translated is
 * applied, read back, pruned and cleaned up by a token with few rights, and what others made stays as it is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/adapter/registry.h"
#include "host/engine/engine.h"
#include "host/transport/http/client.h"
#include "sdk/base/document.h"
#include "sdk/base/file.h"
#include "sdk/smi/parse.h"
#include "tests/support/command.h"

#define PB(name) Trammel__Adapter__V1__##name
#define SKIPPED 77

/* Rights for the services of a test and for nothing else, on a mesh that denies by default. */
#define NARROW                                                                                                         \
  "service \"server\" { policy = \"write\" intentions = \"write\" } "                                                  \
  "service \"server-v1\" { policy = \"write\" intentions = \"write\" } "                                               \
  "service \"server-v2\" { policy = \"write\" intentions = \"write\" } "

/* The default deny is an intention for every service: Consul wants the right to all of them. */
#define WIDE "service_prefix \"\" { policy = \"read\" intentions = \"write\" } agent_prefix \"\" { policy = \"read\" }"

#define TARGET(name, to, from)                                                                                         \
  "---\napiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: " name "}\nspec:\n"             \
  "  destination: {kind: ServiceAccount, name: " to "}\n  rules: [{kind: TCPRoute, name: all}]\n"                      \
  "  sources: [{kind: ServiceAccount, name: " from "}]\n"
#define ROUTE "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: all}\nspec: {}\n"
#define SPLIT                                                                                                          \
  "---\napiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: canary}\nspec:\n"                 \
  "  service: server\n  backends: [{service: server-v1, weight: 1}, {service: server-v2, weight: 2}]\n"

/* The agent, which all tests share. */
static struct {
  char *directory;                 /* of its script */
  char *state;                     /* of the runs */
  char *narrow_token, *wide_token; /* files */
  char url[256];
  char token[64]; /* may do everything */
  struct registry *registry;
  const struct adapter_entry *entry;
  struct http_client *client;
} consul;

struct run {
  struct journal *journal;
  struct engine *engine;
};

static char *path_of(const char *folder, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
  return path;
}

static char *script(void) {
  return path_of(getenv("TRAMMEL_SOURCE_DIR"), "tests/testbed/consul.sh");
}

/* As the one who may do everything. A new reference; NULL for what is no JSON. */
static json_t *ask(const char *method, const char *path, const char *body, unsigned *ret_status) {
  char url[512], header[128];
  struct http_response response = {0};
  _cleanup_error_ struct error *err = NULL;
  (void)snprintf(url, sizeof url, "%s%s", consul.url, path);
  (void)snprintf(header, sizeof header, "X-Consul-Token: %s", consul.token);
  const char *const headers[] = {header, NULL};
  const struct http_request request = {
      .method = method, .url = url, .headers = headers, .body = body, .body_length = body ? strlen(body) : 0};
  if (http_client_send(consul.client, &request, &response, &err) < 0)
    fail_msg("%s", error_message(err));
  json_t *answer = json_loadb(response.body, response.body_length, JSON_DECODE_ANY, NULL);
  if (ret_status)
    *ret_status = response.status;
  http_response_finish(&response);
  return answer;
}

static void do_ask(const char *method, const char *path, const char *body) {
  unsigned status = 0;
  json_decref(ask(method, path, body, &status));
  assert_int_equal(status, 200);
}

/* The action of the intention between two services; NULL: there is none. */
static const char *action(const json_t *intentions, const char *from, const char *to) {
  size_t i;
  json_t *item;
  json_array_foreach(intentions, i, item) {
    if (strcmp(json_string_value(json_object_get(item, "SourceName")), from) == 0 &&
        strcmp(json_string_value(json_object_get(item, "DestinationName")), to) == 0)
      return json_string_value(json_object_get(item, "Action"));
  }
  return NULL;
}

static void assert_action(const char *from, const char *to, const char *expected) {
  json_t *intentions = ask("GET", "/v1/connect/intentions", NULL, NULL);
  const char *found = action(intentions, from, to);
  if ((found == NULL) != (expected == NULL) || (found && strcmp(found, expected) != 0))
    fail_msg("from %s to %s: %s, and %s is expected", from, to, found ? found : "nothing",
             expected ? expected : "nothing");
  json_decref(intentions);
}

static size_t count_intentions(void) {
  json_t *intentions = ask("GET", "/v1/connect/intentions", NULL, NULL);
  size_t count = json_array_size(intentions);
  json_decref(intentions);
  return count;
}

static bool has_entry(const char *kind, const char *name) {
  char path[256];
  unsigned status = 0;
  (void)snprintf(path, sizeof path, "/v1/config/%s/%s", kind, name);
  json_decref(ask("GET", path, NULL, &status));
  assert_true(status == 200 || status == 404);
  return status == 200;
}

/* With the narrow token, and without an intention for the default deny; or with the wide one, and with it. */
static void begin(struct run *run, bool wide) {
  _cleanup_error_ struct error *err = NULL;
  json_t *config = json_pack("{s:s, s:s}", "generation", "1.8", "default_deny", wide ? "intention" : "acl");
  assert_int_equal(journal_create(consul.state, &run->journal, NULL), 0);
  if (engine_create(consul.entry, config, run->journal, NULL, NULL, &run->engine, &err) < 0 ||
      engine_set_endpoint(run->engine, "consul", consul.url, &err) < 0 ||
      engine_set_endpoint_token(run->engine, "consul", wide ? consul.wide_token : consul.narrow_token, &err) < 0)
    fail_msg("%s", error_message(err));
  json_decref(config);
}

static void end(struct run *run) {
  engine_destroy(run->engine);
  assert_int_equal(journal_finish(run->journal), 0);
}

/* Translates `text` and applies it as "owner". */
static int apply(struct run *run, const char *text, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents = {0};
  struct smi_set set = {0};
  PB(Inventory) inventory = TRAMMEL__ADAPTER__V1__INVENTORY__INIT;
  PB(TranslateOptions) options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  PB(TranslateResponse) *response = NULL;
  char *deny[] = {(char *)"default"};
  options.deny_by_default = deny;
  options.n_deny_by_default = 1;
  assert_int_equal(
      document_read(arena, "test", text, strlen(text), DOCUMENT_ANY, &document_limits_default, diagnostics, &documents),
      0);
  assert_int_equal(smi_parse(arena, &documents, NULL, diagnostics, &set), 0);
  assert_int_equal(engine_translate(run->engine, &set, &inventory, &options, diagnostics, &response, err), 0);
  int r = engine_apply(run->engine, "owner", response->objects, response->n_objects, err);
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  return r;
}

static void detect(bool wide, bool version) {
  struct run run;
  PB(DetectResponse) *response = NULL;
  _cleanup_error_ struct error *err = NULL;
  begin(&run, wide);
  if (engine_detect(run.engine, &response, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_true(response->present && response->ready);
  assert_string_equal(response->mesh_version, version ? "1.8.7" : "");
  assert_true((*response->detail == '\0') == version);
  trammel__adapter__v1__detect_response__free_unpacked(response, NULL);
  end(&run);
}

/* The version is told to who may read the agent. */
static void test_it_is_detected(void **state) {
  (void)state;
  detect(false, false);
  detect(true, true);
}

static void test_intentions_come_and_go(void **state) {
  struct run run;
  json_t *read = NULL;
  (void)state;
  begin(&run, false);
  _cleanup_error_ struct error *err = NULL;
  if (apply(&run, ROUTE TARGET("a", "server", "client") TARGET("b", "server-v1", "client"), &err) < 0)
    fail_msg("%s", error_message(err));
  assert_action("client", "server", "allow");
  assert_action("client", "server-v1", "allow");
  assert_int_equal(engine_read(run.engine, "owner", &read, NULL), 0);
  assert_int_equal(json_array_size(read), 2);
  json_decref(read);
  assert_int_equal(apply(&run, ROUTE TARGET("a", "server", "client"), NULL), 0);
  assert_action("client", "server", "allow");
  assert_action("client", "server-v1", NULL);
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  assert_int_equal(count_intentions(), 0);
  end(&run);
}

static void test_default_deny_comes_and_goes(void **state) {
  struct run run;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  begin(&run, true);
  if (apply(&run, ROUTE TARGET("a", "server", "client"), &err) < 0)
    fail_msg("%s", error_message(err));
  assert_action("*", "*", "deny");
  assert_action("client", "server", "allow");
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  assert_int_equal(count_intentions(), 0);
  end(&run);
}

static void test_splits_come_and_go(void **state) {
  struct run run;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  begin(&run, false);
  if (apply(&run, SPLIT, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_true(has_entry("service-splitter", "server"));
  assert_true(has_entry("service-defaults", "server-v2"));
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  assert_false(has_entry("service-splitter", "server"));
  assert_false(has_entry("service-defaults", "server-v2"));
  end(&run);
}

static void test_what_others_made_stays(void **state) {
  struct run run;
  _cleanup_error_ struct error *err = NULL, *entry_err = NULL;
  (void)state;
  do_ask("POST", "/v1/connect/intentions",
         "{\"SourceName\":\"client\",\"DestinationName\":\"server\",\"SourceType\":\"consul\",\"Action\":\"deny\"}");
  do_ask("PUT", "/v1/config", "{\"Kind\":\"service-defaults\",\"Name\":\"server-v1\",\"Protocol\":\"http2\"}");
  begin(&run, false);
  assert_int_equal(apply(&run, ROUTE TARGET("a", "server", "client"), &err), -EEXIST);
  assert_non_null(strstr(error_message(err), "others made"));
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  assert_action("client", "server", "deny");
  assert_int_equal(apply(&run, SPLIT, &entry_err), -EEXIST);
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  json_t *entry = ask("GET", "/v1/config/service-defaults/server-v1", NULL, NULL);
  assert_string_equal(json_string_value(json_object_get(entry, "Protocol")), "http2");
  json_decref(entry);
  end(&run);
  json_t *intentions = ask("GET", "/v1/connect/intentions", NULL, NULL);
  assert_int_equal(json_array_size(intentions), 1);
  char path[256];
  (void)snprintf(path, sizeof path, "/v1/connect/intentions/%s",
                 json_string_value(json_object_get(json_array_get(intentions, 0), "ID")));
  json_decref(intentions);
  do_ask("DELETE", path, NULL);
  do_ask("DELETE", "/v1/config/service-defaults/server-v1", NULL);
}

static void test_no_right_is_told(void **state) {
  struct run run;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  begin(&run, false);
  assert_int_equal(apply(&run, ROUTE TARGET("a", "other", "client"), &err), -EIO);
  assert_non_null(strstr(error_message(err), "403"));
  assert_null(strstr(error_message(err), consul.token));
  assert_int_equal(engine_remove(run.engine, "owner", NULL), 0);
  assert_int_equal(count_intentions(), 0);
  end(&run);
}

/* A process that ends after it has applied: only its journal is left. */
static void test_after_a_crash_all_is_found_again(void **state) {
  struct cleanup_summary summary;
  int status;
  (void)state;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct run run;
    begin(&run, false);
    _exit(apply(&run, ROUTE TARGET("a", "server", "client") SPLIT, NULL) == 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  assert_int_equal(count_intentions(), 1);
  do_ask("POST", "/v1/connect/intentions",
         "{\"SourceName\":\"x\",\"DestinationName\":\"server\",\"SourceType\":\"consul\",\"Action\":\"deny\"}");
  assert_int_equal(journal_cleanup(consul.state, false, NULL, NULL, &summary, NULL), 0);
  assert_int_equal(summary.failed, 0);
  assert_int_equal(count_intentions(), 1);
  assert_action("x", "server", "deny");
  assert_false(has_entry("service-splitter", "server"));
}

static char *read_line(const char *name, char *buffer, size_t size) {
  char *path = path_of(consul.directory, name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_non_null(fgets(buffer, (int)size, file));
  (void)fclose(file);
  free(path);
  buffer[strcspn(buffer, "\n")] = '\0';
  return buffer;
}

/* A token with these rights, in a file of this name. */
static char *make_token(const char *name, const char *rules) {
  char *path = path_of(consul.directory, name);
  json_t *policy = json_pack("{s:s, s:s}", "Name", name, "Rules", rules);
  json_t *wanted = json_pack("{s:[{s:s}]}", "Policies", "Name", name);
  char *policy_text = json_dumps(policy, 0), *wanted_text = json_dumps(wanted, 0);
  do_ask("PUT", "/v1/acl/policy", policy_text);
  json_t *token = ask("PUT", "/v1/acl/token", wanted_text, NULL);
  const char *secret = json_string_value(json_object_get(token, "SecretID"));
  assert_non_null(secret);
  assert_int_equal(file_replace(path, 0600, secret, strlen(secret), NULL), 0);
  json_decref(token);
  json_decref(wanted);
  json_decref(policy);
  free(policy_text);
  free(wanted_text);
  return path;
}

static void find_adapter(void) {
  _cleanup_error_ struct error *err = NULL;
  char *path = path_of(getenv("TRAMMEL_BUILD_DIR"), "lib/trammel/adapters");
  const struct adapter_directory directories[] = {{.path = path}, {0}};
  assert_int_equal(
      registry_scan(directories, &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, &consul.registry, &err),
      0);
  consul.entry = registry_find(consul.registry, "consul", &err);
  if (!consul.entry)
    fail_msg("%s", error_message(err));
  free(path);
}

static int start(void **state) {
  char pid[16];
  struct command_result result;
  (void)state;
  (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
  char *program = script();
  consul.directory = scratch_create();
  const char *const argv[] = {program, "start", "--dir", consul.directory, "--parent", pid, NULL};
  command_run(argv, NULL, 120, &result);
  free(program);
  if (result.exit_code == SKIPPED) {
    print_message("skipped: %s", strbuf_text(&result.errors));
    exit(SKIPPED);
  }
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  consul.state = scratch_create();
  (void)read_line("url", consul.url, sizeof consul.url);
  (void)read_line("token", consul.token, sizeof consul.token);
  assert_int_equal(http_client_create(&consul.client, NULL), 0);
  consul.narrow_token = make_token("narrow", NARROW);
  consul.wide_token = make_token("wide", WIDE);
  find_adapter();
  return 0;
}

static int stop(void **state) {
  struct command_result result;
  (void)state;
  char *program = script();
  command_run((const char *const[]){program, "stop", consul.directory, NULL}, NULL, 60, &result);
  command_result_finish(&result);
  free(program);
  registry_destroy(consul.registry);
  http_client_destroy(consul.client);
  scratch_remove(consul.state);
  free(consul.narrow_token);
  free(consul.wide_token);
  free(consul.directory);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_is_detected),
      cmocka_unit_test(test_intentions_come_and_go),
      cmocka_unit_test(test_default_deny_comes_and_goes),
      cmocka_unit_test(test_splits_come_and_go),
      cmocka_unit_test(test_what_others_made_stays),
      cmocka_unit_test(test_no_right_is_told),
      cmocka_unit_test(test_after_a_crash_all_is_found_again),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
