/* An adapter on another machine: who may use it, what its end does to calls, and what its hosts see of each other. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "host/adapter/instance.h"
#include "sdk/base/clock.h"
#include "tests/integration/adapter/probe_call.h"
#include "tests/integration/adapter/served.h"
#include "tests/support/certificates.h"

/* As host/runner/guests.h says. */
#define HOSTS_MAX 16

struct fixture {
  struct served served;
  struct registry *registry;
  const struct adapter_entry *probe;
  struct adapter_http http;
  atomic_int requests; /* that reached the transport */
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  struct fixture *fixture = ctx;
  (void)user;
  (void)endpoint;
  (void)method;
  (void)path;
  (void)content_type;
  (void)body;
  (void)body_length;
  (void)deadline_ns;
  (void)err;
  atomic_fetch_add(&fixture->requests, 1);
  *ret_body = strdup("");
  *ret_body_length = 0;
  *ret_status = 200;
  return *ret_body ? 0 : -ENOMEM;
}

static int setup(void **state) {
  static struct fixture fixture;
  served_prepare(&fixture.served);
  served_start_runner(&fixture.served, "tests/probe-adapter/probe.so");
  fixture.probe = served_find(&fixture.served, &fixture.registry);
  fixture.http = (struct adapter_http){.ctx = &fixture, .request = transport};
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  registry_destroy(fixture->registry);
  served_stop(&fixture->served, SIGTERM);
  served_finish(&fixture->served);
  return 0;
}

static struct instance *create(struct fixture *fixture) {
  return probe_create(fixture->probe, &fixture->http);
}

static void assert_answers(struct instance *instance, const char *method, const char *argument, const char *text) {
  char answer[PROBE_TEXT_SIZE];
  _cleanup_error_ struct error *err = NULL;
  if (probe_call(instance, method, argument, NULL, answer, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_string_equal(answer, text);
}

/* ---- who may use it */

static void assert_not_found(const struct fixture *fixture, const char *address, const struct identity_files *files,
                             int code, const char *why) {
  struct registry *registry = NULL;
  const struct adapter_entry *entry = NULL;
  _cleanup_error_ struct error *err = NULL;
  (void)fixture;
  int r = remote_find(address, files, &registry, &entry, &err);
  if (r != code || !strstr(error_message(err), why))
    fail_msg("%d, expected %d: \"%s\", expected \"%s\"", r, code, error_message(err), why);
}

static void certificates_of_others_are_refused_on_both_sides(void **state) {
  struct fixture *fixture = *state;
  char path[3][512];
  const char *names[3] = {"other.pem", "stranger.pem", "stranger.key"};
  certificates_make_authority(fixture->served.directory, "other");
  certificates_make(fixture->served.directory, "stranger", "other", "IP:127.0.0.1");
  for (size_t i = 0; i < 3; i++)
    (void)snprintf(path[i], sizeof path[i], "%s/%s", fixture->served.directory, names[i]);
  struct identity_files files = fixture->served.files;
  files.certificate = path[1];
  files.key = path[2];
  assert_not_found(fixture, fixture->served.address, &files, -EHOSTUNREACH, "no adapter could be asked");
  files = fixture->served.files;
  files.ca = path[0];
  assert_not_found(fixture, fixture->served.address, &files, -EHOSTUNREACH, "no adapter could be asked");
  files = fixture->served.files;
  files.key = path[2];
  assert_not_found(fixture, fixture->served.address, &files, -EINVAL, "expected the private key of");
}

static void a_certificate_for_another_name_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct served served;
  served_prepare(&served);
  certificates_make(served.directory, "server", "ca", "DNS:elsewhere.test,IP:127.0.0.2");
  served_start_runner(&served, "tests/probe-adapter/probe.so");
  assert_not_found(fixture, served.address, &served.files, -EHOSTUNREACH, "no adapter could be asked");
  served_stop(&served, SIGTERM);
  served_finish(&served);
}

static void a_peer_without_tls_gets_nothing(void **state) {
  const struct fixture *fixture = *state;
  static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  const char *port = strrchr(fixture->served.address, ':') + 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
  char answer[512];
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL), sizeof hello - 1);
  size_t length = 0;
  for (ssize_t n; length < sizeof answer && (n = recv(fd, answer + length, sizeof answer - length, 0)) > 0;)
    length += (size_t)n;
  assert_in_range(length, 0, 16); /* an alert of TLS, at most */
}

static void bad_addresses_and_files_are_told(void **state) {
  const struct fixture *fixture = *state;
  struct identity_files files = fixture->served.files;
  static const char *const addresses[] = {"nowhere",     ":1",    "host:0", "host:70000",
                                          "unix:/tmp/x", "a b:1", "[::1:5", ""};
  for (size_t i = 0; i < ARRAY_COUNT(addresses); i++)
    assert_not_found(fixture, addresses[i], &files, -EINVAL, "is no address");
  assert_not_found(fixture, "127.0.0.1:1", &files, -EHOSTUNREACH, "no adapter could be asked at 127.0.0.1:1");
  files.ca = files.key;
  assert_not_found(fixture, fixture->served.address, &files, -EINVAL, "expected certificates of an authority");
  files = fixture->served.files;
  files.certificate = "/nonexistent/certificate.pem";
  assert_not_found(fixture, fixture->served.address, &files, -ENOENT, "/nonexistent/certificate.pem");
}

/* ---- its ends */

static void a_crash_is_told_and_costs_the_others_nothing(void **state) {
  struct fixture *fixture = *state;
  struct instance *one = create(fixture), *other = create(fixture);
  _cleanup_error_ struct error *err = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options options = {.diagnostics = diagnostics};
  assert_answers(other, "Echo", "before", "before");
  assert_int_equal(probe_call(one, "Crash", "", &options, NULL, &err), -EIO);
  assert_non_null(strstr(error_message(err), "the connection to it was lost"));
  assert_non_null(strstr(error_message(err), "it had sent nothing that changes the mesh"));
  assert_int_equal(diagnostics_count(diagnostics), 1);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "ADAPTER-0010");
  assert_answers(other, "Echo", "after", "after");
  assert_answers(one, "Echo", "again", "again");
  instance_destroy(one);
  instance_destroy(other);
}

static void effects_are_unknown_after_a_request_that_may_have_changed_the_mesh(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = create(fixture);
  _cleanup_error_ struct error *err = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options options = {.diagnostics = diagnostics};
  int before = atomic_load(&fixture->requests);
  assert_int_equal(probe_call(instance, "HttpCrash", "control GET /v1/x", &options, NULL, &err), -EIO);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "ADAPTER-0010");
  assert_int_equal(probe_call(instance, "HttpCrash", "control POST /v1/made", &options, NULL, &err), -EIO);
  assert_non_null(strstr(error_message(err), "whether the mesh was changed is not known"));
  assert_string_equal(diagnostics_at(diagnostics, 1)->code, "ADAPTER-0011");
  assert_int_equal(atomic_load(&fixture->requests) - before, 2);
  instance_destroy(instance);
}

static void a_deadline_ends_the_worker_that_passes_it(void **state) {
  struct instance *instance = create(*state);
  _cleanup_error_ struct error *err = NULL;
  const struct call_options soon = {.deadline_ns = clock_in_ns(200 * NS_PER_MS)};
  assert_int_equal(probe_call(instance, "Spin", "", &soon, NULL, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "did not answer in time; the connection to it was closed"));
  assert_answers(instance, "Echo", "again", "again");
  instance_destroy(instance);
}

struct waiting {
  struct instance *instance;
  struct error *err;
  int result;
};

static void *wait_for_end(void *context) {
  struct waiting *waiting = context;
  waiting->result = probe_call(waiting->instance, "Wait", "", NULL, NULL, &waiting->err);
  return NULL;
}

/* The call is on its way once an Echo that queues behind it is not answered. */
static void assert_busy(struct instance *instance) {
  const struct call_options soon = {.deadline_ns = clock_in_ns(100 * NS_PER_MS)};
  (void)probe_call(instance, "Echo", "", &soon, NULL, NULL);
}

static void the_end_of_the_server_fails_the_calls_in_flight(void **state) {
  struct fixture *fixture = *state;
  struct served served;
  struct registry *registry = NULL;
  struct waiting waiting = {0};
  pthread_t thread;
  served_prepare(&served);
  served_start_runner(&served, "tests/probe-adapter/probe.so");
  const struct adapter_entry *entry = served_find(&served, &registry);
  assert_int_equal(instance_create(entry, NULL, &fixture->http, NULL, &waiting.instance, NULL), 0);
  assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &waiting), 0);
  assert_busy(waiting.instance);
  served_stop(&served, SIGKILL);
  assert_int_equal(pthread_join(thread, NULL), 0);
  if (waiting.result != -EIO || !strstr(error_message(waiting.err), "the connection to it was lost"))
    fail_msg("%d: %s", waiting.result, error_message(waiting.err));
  error_free(waiting.err);
  instance_destroy(waiting.instance);
  registry_destroy(registry);
  served_finish(&served);
}

/* Its new worker has no instance yet. */
static void a_server_that_was_started_again_is_called_as_before(void **state) {
  struct fixture *fixture = *state;
  struct served served;
  struct registry *registry = NULL;
  struct instance *instance = NULL;
  served_prepare(&served);
  served_start_runner(&served, "tests/probe-adapter/probe.so");
  const struct adapter_entry *entry = served_find(&served, &registry);
  assert_int_equal(instance_create(entry, NULL, &fixture->http, NULL, &instance, NULL), 0);
  assert_answers(instance, "Echo", "before", "before");
  served_stop(&served, SIGTERM);
  _cleanup_error_ struct error *err = NULL;
  served_start_runner(&served, "tests/probe-adapter/probe.so");
  /* The end may be told to the first call. */
  if (probe_call(instance, "Echo", "first", NULL, NULL, &err) < 0)
    assert_non_null(strstr(error_message(err), "the connection to it was lost"));
  assert_answers(instance, "Echo", "after", "after");
  instance_destroy(instance);
  registry_destroy(registry);
  served_stop(&served, SIGTERM);
  served_finish(&served);
}

/* ---- several hosts */

static int read_nothing(void *ctx, const ProtobufCMessage *message) {
  (void)ctx;
  (void)message;
  return 0;
}

static void hosts_see_nothing_of_each_other(void **state) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  static char seven[] = "7";
  struct instance *one = create(*state), *other = create(*state);
  request.operation = seven;
  assert_int_equal(instance_stream(one, "Stream", &request.base, PROBE_EVENT, read_nothing, NULL, NULL, NULL), 0);
  assert_answers(one, "Emitted", "", "7");
  assert_answers(other, "Emitted", "", "0");
  instance_destroy(one);
  instance_destroy(other);
}

static bool has_place(void *ctx) {
  struct fixture *fixture = ctx;
  struct instance *instance = NULL;
  int r = instance_create(fixture->probe, NULL, &fixture->http, NULL, &instance, NULL);
  instance_destroy(instance);
  return r == 0;
}

static void more_hosts_than_may_be_are_refused(void **state) {
  struct fixture *fixture = *state;
  struct instance *instances[HOSTS_MAX] = {0}, *more = NULL;
  wait_until(has_place, fixture, 20, "the places of others are free");
  for (size_t i = 0; i < HOSTS_MAX; i++) {
    /* A place is free again a little after its host is gone. */
    int64_t end = clock_in_ns(20 * NS_PER_SECOND);
    while (instance_create(fixture->probe, NULL, &fixture->http, NULL, &instances[i], NULL) < 0 &&
           clock_monotonic_ns() < end)
      (void)poll(NULL, 0, 10);
    assert_non_null(instances[i]);
  }
  assert_int_equal(instance_create(fixture->probe, NULL, &fixture->http, NULL, &more, NULL), -EIO);
  assert_answers(instances[0], "Echo", "still", "still");
  for (size_t i = 0; i < HOSTS_MAX; i++)
    instance_destroy(instances[i]);
  wait_until(has_place, fixture, 20, "a place is free again");
}

/* ---- the programs */

static void assert_runner_refuses(const char *const *argv, int code, const char *why) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != code || !strstr(strbuf_text(&result.errors), why))
    fail_msg("exit status %d: %s", result.exit_code, strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void the_runner_tells_what_is_wrong(void **state) {
  const struct fixture *fixture = *state;
  const struct served *served = &fixture->served;
  char adapter[4096], broken[4096];
  (void)snprintf(adapter, sizeof adapter, "%s/tests/probe-adapter/probe.so", getenv("TRAMMEL_BUILD_DIR"));
  (void)snprintf(broken, sizeof broken, "%s/tests/broken-adapters/crash.so", getenv("TRAMMEL_BUILD_DIR"));
#define RUNNER(ADDRESS, ADAPTER, CERT)                                                                                 \
  (const char *const[]){"trammel-runner", "--listen",  ADDRESS,       "--adapter",      ADAPTER, "--cert", CERT,       \
                        "--key",          served->key, "--client-ca", served->files.ca, NULL}
  assert_runner_refuses((const char *const[]){"trammel-runner", "--listen", "127.0.0.1:0", NULL}, 2, "--listen needs");
  assert_runner_refuses(RUNNER("127.0.0.1", adapter, served->certificate), 1, "is no address");
  assert_runner_refuses(RUNNER(served->address, adapter, served->certificate), 1, "Address already in use");
  assert_runner_refuses(RUNNER("127.0.0.1:0", "/nonexistent.so", served->certificate), 1, "/nonexistent.so");
  assert_runner_refuses(RUNNER("127.0.0.1:0", served->certificate, served->certificate), 1, "server.pem");
  assert_runner_refuses(RUNNER("127.0.0.1:0", broken, served->certificate), 1, "crashed while it was loaded");
  assert_runner_refuses(RUNNER("127.0.0.1:0", adapter, served->files.certificate), 1, "expected the private key");
  assert_runner_refuses(RUNNER("127.0.0.1:0", adapter, "/none/cert.pem"), 1, "reading /none/cert.pem: No such file");
  assert_runner_refuses(RUNNER("127.0.0.1:0", adapter, adapter), 1, "expected a certificate in PEM");
}

static void a_file_of_the_runner_that_cannot_be_read_is_told_as_that(void **state) {
  const struct fixture *fixture = *state;
  const struct served *served = &fixture->served;
  static const char *const options[] = {"--cert", "--key", "--client-ca"};
  const char *files[] = {served->certificate, served->key, served->files.ca};
  for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
    const char *argv[] = {"trammel-runner", "--listen", "127.0.0.1:0", "--adapter", "/none.so", options[0],
                          files[0],         options[1], files[1],      options[2],  files[2],   NULL};
    argv[6 + 2 * i] = "/none/file.pem";
    assert_runner_refuses(argv, 1, "reading /none/file.pem: No such file or directory");
  }
}

static void conformance_runs_through_it(void **state) {
  struct served served;
  char remote[100];
  struct command_result result;
  (void)state;
  served_prepare(&served);
  served_start_runner(&served, "lib/trammel/adapters/reference.so");
  (void)snprintf(remote, sizeof remote, "remote:%s", served.address);
  const char *argv[] = {"trammel",
                        "conformance",
                        "run",
                        "--adapter",
                        remote,
                        "--adapter-ca",
                        served.files.ca,
                        "--adapter-cert",
                        served.files.certificate,
                        "--adapter-key",
                        served.files.key,
                        "--filter",
                        "split/http/w*",
                        "-o",
                        "json",
                        NULL};
  command_run(argv, NULL, 120, &result);
  if (result.exit_code != 0)
    fail_msg("exit status %d: %s", result.exit_code, strbuf_text(&result.errors));
  json_t *report = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_non_null(report);
  const json_t *cases = json_object_get(report, "cases");
  assert_true(json_array_size(cases) > 0);
  assert_string_equal(json_string_value(json_object_get(json_object_get(report, "adapter"), "path")), remote);
  json_decref(report);
  command_result_finish(&result);
  served_stop(&served, SIGTERM);
  served_finish(&served);
}

static void options_that_do_not_fit_are_refused(void **state) {
  const struct fixture *fixture = *state;
  char remote[100];
  (void)snprintf(remote, sizeof remote, "remote:%s", fixture->served.address);
  assert_runner_refuses((const char *const[]){"trammel", "conformance", "run", "--adapter", remote, NULL}, 2,
                        "needs --adapter-ca");
  assert_runner_refuses((const char *const[]){"trammel", "conformance", "run", "--adapter", "probe", NULL}, 2,
                        "--adapter wants remote:HOST:PORT");
  assert_runner_refuses((const char *const[]){"trammel", "conformance", "run", "--adapter-ca", "x", NULL}, 2,
                        "are for an adapter that is remote:");
  assert_runner_refuses((const char *const[]){"trammel", "adapter", "show", "remote:127.0.0.1:1", NULL}, 2,
                        "needs --adapter-ca");
  const struct identity_files *files = &fixture->served.files;
  assert_runner_refuses((const char *const[]){"trammel", "adapter", "show", "remote:127.0.0.1:1", "--adapter-ca",
                                              files->ca, "--adapter-cert", files->certificate, "--adapter-key",
                                              files->key, NULL},
                        3, "no adapter could be asked at 127.0.0.1:1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(certificates_of_others_are_refused_on_both_sides),
      cmocka_unit_test(a_certificate_for_another_name_is_refused),
      cmocka_unit_test(a_peer_without_tls_gets_nothing),
      cmocka_unit_test(bad_addresses_and_files_are_told),
      cmocka_unit_test(a_crash_is_told_and_costs_the_others_nothing),
      cmocka_unit_test(effects_are_unknown_after_a_request_that_may_have_changed_the_mesh),
      cmocka_unit_test(a_deadline_ends_the_worker_that_passes_it),
      cmocka_unit_test(the_end_of_the_server_fails_the_calls_in_flight),
      cmocka_unit_test(a_server_that_was_started_again_is_called_as_before),
      cmocka_unit_test(hosts_see_nothing_of_each_other),
      cmocka_unit_test(more_hosts_than_may_be_are_refused),
      cmocka_unit_test(the_runner_tells_what_is_wrong),
      cmocka_unit_test(a_file_of_the_runner_that_cannot_be_read_is_told_as_that),
      cmocka_unit_test(conformance_runs_through_it),
      cmocka_unit_test(options_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
