/* The suite on a real Consul 1.8.7 that denies by default: what sees no requests passes through `consul connect proxy`,
 * its mutual TLS and real intentions, by a token with rights to the run's own services alone; and what others have on
 * the mesh stays as it is, whatever becomes of the run. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/support/command.h"
#include "tests/support/consul_agent.h"

#define RUN_S 240
#define PREFIX "trammel-"

static struct {
  struct consul_agent agent;
  char *token;   /* file, with the rights of packaging/consul/conformance-policy.hcl */
  char *config;  /* packaging/consul/conformance.yaml */
  char *state;   /* directory */
  char *foreign; /* all intentions, before any run */
  char endpoint[256], token_option[512], program_option[512];
} bed;

static char *source_path(const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", getenv("TRAMMEL_SOURCE_DIR"), name) > 0);
  return path;
}

/* ---- what is on the mesh */

static char *intentions(void) {
  json_t *list = NULL;
  assert_int_equal(consul_agent_ask(&bed.agent, "GET", "/v1/connect/intentions", NULL, &list), 200);
  char *text = json_dumps(list, JSON_SORT_KEYS);
  assert_non_null(text);
  json_decref(list);
  return text;
}

static size_t count_services(void) {
  json_t *services = NULL;
  const char *id;
  json_t *service;
  size_t count = 0;
  assert_int_equal(consul_agent_ask(&bed.agent, "GET", "/v1/agent/services", NULL, &services), 200);
  json_object_foreach(services, id, service) {
    count += strncmp(id, PREFIX, strlen(PREFIX)) == 0;
  }
  json_decref(services);
  return count;
}

static void assert_as_before(void) {
  json_t *service = NULL;
  _cleanup_free_ char *now = intentions();
  assert_string_equal(now, bed.foreign);
  assert_int_equal(count_services(), 0);
  assert_int_equal(consul_agent_ask(&bed.agent, "GET", "/v1/agent/service/server", NULL, &service), 200);
  assert_string_equal(json_string_value(json_object_get(service, "Address")), "192.0.2.7");
  json_decref(service);
}

static void make_intention(const char *from, const char *to, const char *act, char **ret_path) {
  json_t *answer = NULL;
  json_t *intention = json_pack("{s:s, s:s, s:s, s:s}", "SourceName", from, "DestinationName", to, "SourceType",
                                "consul", "Action", act);
  _cleanup_free_ char *text = json_dumps(intention, 0);
  json_decref(intention);
  assert_int_equal(consul_agent_ask(&bed.agent, "POST", "/v1/connect/intentions", text, &answer), 200);
  if (ret_path)
    assert_true(asprintf(ret_path, "/v1/connect/intentions/%s", json_string_value(json_object_get(answer, "ID"))) > 0);
  json_decref(answer);
}

/* ---- runs */

#define ARGUMENTS_MAX 64

/* The cases in one version of access; those of splits have none. */
static struct running start_run(const char *const *cases, bool access) {
  const char *argv[ARGUMENTS_MAX] = {"trammel",
                                     "conformance",
                                     "run",
                                     "--mesh",
                                     "consul",
                                     "--config",
                                     bed.config,
                                     "--endpoint",
                                     bed.endpoint,
                                     "--endpoint-token-file",
                                     bed.token_option,
                                     "--program",
                                     bed.program_option,
                                     "--converge",
                                     "20s",
                                     "--parallel",
                                     "2",
                                     "--output",
                                     "json",
                                     "--quiet"};
  size_t n = 20;
  if (access) {
    argv[n++] = "--spec-version";
    argv[n++] = "access/v1alpha3";
  }
  for (; *cases && n < ARGUMENTS_MAX - 2; cases++) {
    argv[n++] = "--case";
    argv[n++] = *cases;
  }
  assert_null(*cases);
  return command_start(argv, NULL);
}

/* The report; a new reference. */
static json_t *finish_run(struct running *run, int expected) {
  struct command_result result;
  command_wait(run, RUN_S, &result);
  json_t *report = json_loadb(strbuf_text(&result.out), result.out.length, 0, NULL);
  if (result.exit_code != expected || !report)
    fail_msg("exit code %d, expected %d: %s%s", result.exit_code, expected, strbuf_text(&result.errors),
             strbuf_text(&result.out));
  command_result_finish(&result);
  return report;
}

static json_t *run(const char *const *cases, bool access, int expected) {
  struct running running = start_run(cases, access);
  return finish_run(&running, expected);
}

static const char *text_of(const json_t *case_, const char *key) {
  const char *text = json_string_value(json_object_get(case_, key));
  return text ? text : "";
}

/* How many columns of a case, or of all for NULL, ended so. */
static size_t count(const json_t *report, const char *id, const char *outcome) {
  size_t i, found = 0;
  json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    found += (!id || strcmp(text_of(item, "id"), id) == 0) && strcmp(text_of(item, "outcome"), outcome) == 0;
  }
  return found;
}

static void assert_passed(const json_t *report, const char *id) {
  if (count(report, id, "passed") == 0 || count(report, id, "skipped") > 0) {
    _cleanup_free_ char *text = json_dumps(json_object_get(report, "cases"), JSON_INDENT(1));
    fail_msg("%s did not pass: %s", id, text);
  }
}

static void assert_skipped(const json_t *report, const char *id, const char *reason) {
  size_t i, found = 0;
  json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    if (strcmp(text_of(item, "id"), id) != 0)
      continue;
    found++;
    if (strcmp(text_of(item, "outcome"), "skipped") != 0 || !strstr(text_of(item, "reason"), reason))
      fail_msg("%s: %s: %s", id, text_of(item, "outcome"), text_of(item, "reason"));
  }
  assert_true(found > 0);
}

/* ---- the tests */

static void test_connections_are_allowed_and_denied(void **state) {
  static const char *const cases[] = {"access/tcp/no-target-is-denied",
                                      "access/tcp/unlisted-source",
                                      "access/tcp/identity-has-a-namespace",
                                      "access/tcp/targets-add-up",
                                      "access/tcp/delete-revokes",
                                      "access/tcp/enforced-at-the-server",
                                      "access/tcp/ports-of-the-route",
                                      "access/tcp/ports-are-no-range",
                                      "access/tcp/several-ports-of-the-route",
                                      "specs/tcp/ports-absent-means-all",
                                      NULL};
  (void)state;
  json_t *report = run(cases, true, 0);
  assert_int_equal(count(report, NULL, "failed") + count(report, NULL, "error") + count(report, NULL, "skipped"), 0);
  for (size_t i = 0; cases[i]; i++)
    assert_passed(report, cases[i]);
  json_decref(report);
  assert_as_before();
}

/* A run in which nothing could be tested ends with 3. */
static void test_what_consul_does_not_do_is_skipped(void **state) {
  static const char *const access[] = {"access/tcp/http-rule-opens-no-tcp", "access/udp/tcp-rule-opens-no-udp",
                                       "access/udp/unlisted-source", NULL};
  static const char *const others[] = {"split/tcp/connections-are-split", "split/http/weights-are-shares",
                                       "metrics/http/counts-and-latencies", NULL};
  (void)state;
  json_t *report = run(access, true, 3);
  assert_skipped(report, "access/tcp/http-rule-opens-no-tcp", "no intentions for HTTP");
  assert_skipped(report, "access/udp/tcp-rule-opens-no-udp", "does not carry UDP");
  assert_skipped(report, "access/udp/unlisted-source", "does not carry UDP");
  json_decref(report);
  report = run(others, false, 3);
  assert_skipped(report, "split/tcp/connections-are-split", "splits nothing");
  assert_skipped(report, "split/http/weights-are-shares", "splits nothing");
  assert_skipped(report, "metrics/http/counts-and-latencies", "no traffic metrics");
  json_decref(report);
  assert_as_before();
}

/* Somebody lets everybody call everything: what must be denied is not. */
static void test_a_mesh_that_lets_in_more_fails(void **state) {
  (void)state;
  _cleanup_free_ char *path = NULL;
  make_intention("*", "*", "allow", &path);
  json_t *report = run((const char *const[]){"access/tcp/unlisted-source", NULL}, true, 1);
  assert_true(count(report, NULL, "failed") > 0);
  assert_int_equal(count(report, NULL, "passed"), 0);
  json_decref(report);
  assert_int_equal(consul_agent_ask(&bed.agent, "DELETE", path, NULL, NULL), 200);
  assert_as_before();
}

static bool is_underway(void *ctx) {
  (void)ctx;
  return count_services() > 0;
}

static void test_a_run_that_was_killed_is_cleaned_up(void **state) {
  (void)state;
  struct command_result result;
  struct running running = start_run((const char *const[]){"access/tcp/unlisted-source", NULL}, true);
  wait_until(is_underway, NULL, 60, "the run to register a service");
  assert_int_equal(kill(running.pid, SIGKILL), 0);
  command_wait(&running, 60, &result);
  command_result_finish(&result);
  assert_true(count_services() > 0);
  command_run((const char *const[]){"trammel", "cleanup", NULL}, NULL, 60, &result);
  if (result.exit_code != 0)
    fail_msg("cleanup: %s%s", strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  assert_as_before();
}

static void refuse(const char *const *argv, int code, const char *message) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != code || !strstr(strbuf_text(&result.errors), message))
    fail_msg("exit code %d: %s", result.exit_code, strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void test_the_program_has_to_be_given(void **state) {
  (void)state;
  refuse((const char *const[]){"trammel", "conformance", "run", "--mesh", "consul", "--config", bed.config,
                               "--endpoint", bed.endpoint, NULL},
         2, "--program consul=PATH");
  refuse((const char *const[]){"trammel", "conformance", "run", "--mesh", "consul", "--program", "sh=/bin/sh", NULL}, 2,
         "it has: consul");
  refuse((const char *const[]){"trammel", "conformance", "run", "--mesh", "consul", "--config", bed.config,
                               "--endpoint", bed.endpoint, "--program", "consul=/nowhere/consul", NULL},
         3, "/nowhere/consul");
}

/* ---- */

static int setup(void **state) {
  (void)state;
  char *policy = NULL;
  size_t length;
  _cleanup_free_ char *path = source_path("packaging/consul/conformance-policy.hcl");
  assert_int_equal(file_read(path, 65536, &policy, &length, NULL), 0);
  bed.token = consul_agent_token(&bed.agent, "conformance", policy);
  free(policy);
  bed.config = source_path("packaging/consul/conformance.yaml");
  bed.state = scratch_create();
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", bed.state, 1), 0);
  (void)snprintf(bed.endpoint, sizeof(bed.endpoint), "consul=%s", bed.agent.url);
  (void)snprintf(bed.token_option, sizeof(bed.token_option), "consul=%s", bed.token);
  (void)snprintf(bed.program_option, sizeof(bed.program_option), "consul=%s", bed.agent.program);
  make_intention("front", "server", "allow", NULL);
  make_intention("client", "server", "deny", NULL);
  assert_int_equal(consul_agent_ask(&bed.agent, "PUT", "/v1/agent/service/register",
                                    "{\"Name\":\"server\",\"Address\":\"192.0.2.7\",\"Port\":80}", NULL),
                   200);
  bed.foreign = intentions();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(bed.state);
  free(bed.token);
  free(bed.config);
  free(bed.foreign);
  return 0;
}

int main(void) {
  int code = consul_agent_start(&bed.agent);
  if (code != 0)
    return code;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_program_has_to_be_given),
      cmocka_unit_test(test_connections_are_allowed_and_denied),
      cmocka_unit_test(test_what_consul_does_not_do_is_skipped),
      cmocka_unit_test(test_a_mesh_that_lets_in_more_fails),
      cmocka_unit_test(test_a_run_that_was_killed_is_cleaned_up),
  };
  int failed = cmocka_run_group_tests_name("consul lab", tests, setup, teardown);
  consul_agent_stop(&bed.agent);
  return failed;
}
