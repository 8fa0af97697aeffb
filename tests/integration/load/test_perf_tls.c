/* Load over TLS: who the target is gets checked, and each way in which TLS fails has its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/load/perf_command.h"
#include "tests/integration/load/target_server.h"
#include "tests/integration/load/tls_server.h"
#include "tests/support/certificates.h"
#include "tests/support/command.h"

#define PATH_LENGTH 4096

static char *directory;
static char authority[PATH_LENGTH], other[PATH_LENGTH], server_pem[PATH_LENGTH], server_key[PATH_LENGTH],
    client_pem[PATH_LENGTH], client_key[PATH_LENGTH];

static void name_file(char *path, const char *name) {
  (void)snprintf(path, PATH_LENGTH, "%s/%s", directory, name);
}

static int setup(void **state) {
  (void)state;
  directory = scratch_create();
  certificates_make_authority(directory, "ca");
  certificates_make_authority(directory, "other");
  certificates_make(directory, "server", "ca", "IP:127.0.0.1,DNS:shop.test");
  certificates_make(directory, "client", "ca", "DNS:client.test");
  name_file(authority, "ca.pem");
  name_file(other, "other.pem");
  name_file(server_pem, "server.pem");
  name_file(server_key, "server.key");
  name_file(client_pem, "client.pem");
  name_file(client_key, "client.key");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(directory);
  return 0;
}

static struct tls_server *start(enum tls_conduct conduct, const char *client_authority, const char *protocol) {
  return tls_server_start(&(struct tls_server_options){.certificate_file = server_pem,
                                                       .key_file = server_key,
                                                       .client_authority = client_authority,
                                                       .protocol = protocol,
                                                       .conduct = conduct});
}

static bool is_verified(const json_t *json) {
  return json_is_true(json_object_get(json_object_get(json, "tls"), "verified"));
}

#define MAX_OF_300MS "--rate", "max", "-d", "300ms"
#define THIRTY "--rate", "100", "-d", "300ms", "-c", "3"

static void answers_come_over_tls(void **state) {
  static const char *const protocols[] = {NULL, "http/1.1"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    struct tls_server *server = start(TLS_ANSWERS, NULL, protocols[i]);
    json_t *json =
        perf_command_run(tls_server_url(server), PERF_OPTIONS(MAX_OF_300MS, "-c", "4", "--cacert", authority), 0);
    assert_true(is_verified(json));
    assert_int_equal(perf_number(json, "failed"), 0);
    assert_true(perf_number(json, "completed") > 0);
    assert_true(perf_number(json, "bytesRead") >= TLS_SERVER_BODY * perf_number(json, "completed"));
    assert_int_equal(perf_latency_count(json, "connecting"), 4);
    assert_int_equal(perf_latency_count(json, "securing"), 4);
    assert_int_equal(perf_latency_count(json, "firstByte"), perf_number(json, "completed"));
    json_decref(json);
    tls_server_stop(server);
  }
}

static void each_connection_makes_a_whole_handshake(void **state) {
  struct tls_server *server = start(TLS_ANSWERS, NULL, NULL);
  (void)state;
  json_t *json = perf_command_run(
      tls_server_url(server), PERF_OPTIONS("--rate", "100", "-d", "300ms", "-c", "2", "--fresh", "--cacert", authority),
      PERF_AS_VERDICT);
  assert_int_equal(perf_latency_count(json, "securing"), perf_number(json, "connectionsMade"));
  assert_true(perf_number(json, "connectionsMade") >= perf_number(json, "completed"));
  json_decref(json);
  assert_true(tls_server_handshakes(server) > 2);
  assert_int_equal(tls_server_resumed(server), 0);
  tls_server_stop(server);
}

/* All of what was sent failed, by one name. */
static void assert_all_fail(const char *url, const char *const *options, const char *error) {
  json_t *json = perf_command_run(url, options, 3);
  if (perf_number(json, "completed") != 0 || perf_errors(json, error) != perf_number(json, "scheduled"))
    fail_msg("%s: %s", error, json_dumps(json_object_get(json, "errors"), 0));
  json_decref(json);
}

static void a_certificate_that_is_not_trusted_is_an_error(void **state) {
  struct tls_server *server = start(TLS_ANSWERS, NULL, NULL);
  const char *url = tls_server_url(server);
  (void)state;
  assert_all_fail(url, PERF_OPTIONS(THIRTY), "certificate"); /* none that the system trusts */
  assert_all_fail(url, PERF_OPTIONS(THIRTY, "--cacert", other), "certificate");
  assert_all_fail(url, PERF_OPTIONS(THIRTY, "--cacert", authority, "--server-name", "bank.test"), "certificate");
  json_t *json = perf_command_run(
      url, PERF_OPTIONS(MAX_OF_300MS, "-c", "1", "--cacert", authority, "--server-name", "shop.test"), 0);
  assert_true(is_verified(json));
  json_decref(json);
  json = perf_command_run(url, PERF_OPTIONS(MAX_OF_300MS, "-c", "1", "--insecure"), 0);
  assert_false(is_verified(json));
  json_decref(json);
  tls_server_stop(server);
}

static void both_sides_may_have_to_show_one(void **state) {
  struct tls_server *server = start(TLS_ANSWERS, authority, NULL);
  const char *url = tls_server_url(server);
  (void)state;
  json_t *json = perf_command_run(
      url, PERF_OPTIONS(MAX_OF_300MS, "-c", "2", "--cacert", authority, "--cert", client_pem, "--key", client_key), 0);
  assert_int_equal(perf_number(json, "failed"), 0);
  json_decref(json);
  assert_all_fail(url, PERF_OPTIONS("--rate", "1", "-d", "1s", "-c", "1", "--cacert", authority), "certificate");
  tls_server_stop(server);
}

static void what_goes_wrong_with_tls_has_its_name(void **state) {
  struct target_server *plain = target_server_start(CONDUCT_GARBAGE);
  char url[128];
  (void)state;
  (void)snprintf(url, sizeof(url), "https%s", target_server_url(plain) + strlen("http"));
  assert_all_fail(url, PERF_OPTIONS(THIRTY, "--cacert", authority), "handshake");
  target_server_stop(plain);
  struct tls_server *server = start(TLS_CUTS, NULL, NULL);
  assert_all_fail(tls_server_url(server), PERF_OPTIONS(THIRTY, "--cacert", authority), "closed");
  tls_server_stop(server);
  server = start(TLS_BREAKS, NULL, NULL);
  assert_all_fail(tls_server_url(server), PERF_OPTIONS(THIRTY, "--cacert", authority), "tls");
  tls_server_stop(server);
  server = start(TLS_ANSWERS, NULL, "h2"); /* which was not offered */
  assert_all_fail(tls_server_url(server), PERF_OPTIONS(THIRTY, "--cacert", authority), "handshake");
  tls_server_stop(server);
}

static void assert_usage(const char *url, const char *option, const char *argument) {
  const char *const argv[] = {"trammel", "perf", "run", "--url", url, "--rate", "1", option, argument, NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  assert_true(result.errors.length > 0);
  command_result_finish(&result);
}

static void files_are_checked_before_the_run(void **state) {
  (void)state;
  assert_usage("https://h/", "--cacert", "/nowhere/at/all");
  assert_usage("https://h/", "--cacert", server_key);
  assert_usage("https://h/", "--cert", client_pem); /* without its key */
  assert_usage("http://h/", "--cacert", authority); /* without TLS */
  assert_usage("http://h/", "--insecure", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_come_over_tls),
      cmocka_unit_test(each_connection_makes_a_whole_handshake),
      cmocka_unit_test(a_certificate_that_is_not_trusted_is_an_error),
      cmocka_unit_test(both_sides_may_have_to_show_one),
      cmocka_unit_test(what_goes_wrong_with_tls_has_its_name),
      cmocka_unit_test(files_are_checked_before_the_run),
  };
  return cmocka_run_group_tests_name("perf_tls", tests, setup, teardown);
}
