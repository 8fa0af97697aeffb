/* Instances: what the host holds an adapter to while it runs in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/adapter/instance.h"
#include "sdk/base/clock.h"
#include "tests/integration/adapter/probe_call.h"
#include "trammel/abi.h"

struct fixture {
  struct registry *registry;
  const struct adapter_entry *probe;
  struct adapter_http http;
  int requests; /* that reached the transport */
  int answer;   /* what the transport gives back */
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  (void)user;
  struct fixture *fixture = ctx;
  (void)content_type;
  (void)body;
  (void)body_length;
  fixture->requests++;
  if (fixture->answer < 0)
    return error_set(err, -fixture->answer, "refused by the test");
  assert_true(deadline_ns > clock_monotonic_ns());
  int n = asprintf(ret_body, "%s %s %s", endpoint, method, path);
  assert_true(n > 0);
  *ret_body_length = (size_t)n;
  *ret_status = 200;
  return 0;
}

static int setup(void **state) {
  static struct fixture fixture;
  char directory[4096];
  (void)snprintf(directory, sizeof directory, "%s/tests/probe-adapter", getenv("TRAMMEL_BUILD_DIR"));
  struct error *err = NULL;
  if (registry_scan((const struct adapter_directory[]){{.path = directory}, {0}},
                    &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, &fixture.registry, &err) < 0)
    fail_msg("%s", error_message(err));
  fixture.probe = registry_find(fixture.registry, "probe", &err);
  if (!fixture.probe)
    fail_msg("%s", error_message(err));
  fixture.http = (struct adapter_http){.ctx = &fixture, .request = transport};
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  registry_destroy(fixture->registry);
  return 0;
}

static struct instance *create(struct fixture *fixture) {
  return probe_create(fixture->probe, &fixture->http);
}

static void a_call_is_answered(void **state) {
  struct instance *instance = create(*state);
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(probe_call(instance, "Echo", "hello", NULL, text, NULL), 0);
  assert_string_equal(text, "hello");
  assert_int_equal(probe_call(instance, "NoSuchMethod", "", NULL, text, NULL), -ENOTSUP);
  instance_destroy(instance);
}

static void every_status_has_its_error(void **state) {
  struct instance *instance = create(*state);
  static const struct {
    const char *status;
    int error;
    const char *name;
  } cases[] = {
      {"3", -EINVAL, "INVALID_ARGUMENT"},  {"12", -ENOTSUP, "UNIMPLEMENTED"}, {"4", -ETIMEDOUT, "DEADLINE_EXCEEDED"},
      {"1", -ECANCELED, "CANCELLED"},      {"14", -EIO, "UNAVAILABLE"},       {"77", -EPROTO, "unknown status 77"},
      {"-5", -EPROTO, "unknown status -5"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error *err = NULL;
    assert_int_equal(probe_call(instance, "Status", cases[i].status, NULL, NULL, &err), cases[i].error);
    assert_non_null(strstr(error_message(err), cases[i].name));
    assert_non_null(strstr(error_message(err), "adapter probe: Status"));
    error_free(err);
  }
  instance_destroy(instance);
}

static void a_unary_call_sends_exactly_one_message(void **state) {
  struct instance *instance = create(*state);
  struct error *err = NULL;
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(probe_call(instance, "Twice", "", NULL, text, &err), -EPROTO);
  assert_non_null(strstr(error_message(err), "more than one message"));
  assert_int_equal(probe_call(instance, "Silent", "", NULL, text, &err), -EPROTO);
  assert_non_null(strstr(error_message(err), "without a message"));
  assert_int_equal(probe_call(instance, "Oversize", "", NULL, text, &err), -EPROTO);
  assert_non_null(strstr(error_message(err), "too large"));
  error_free(err);
  instance_destroy(instance);
}

static void nothing_is_taken_after_the_return(void **state) {
  struct instance *instance = create(*state);
  struct diagnostics *diagnostics = diagnostics_create();
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(probe_call(instance, "Late", "", NULL, text, NULL), 0);
  assert_string_equal(text, "in time");
  assert_int_equal(probe_call(instance, "LateNow", "", &(struct call_options){.diagnostics = diagnostics}, text, NULL),
                   0);
  assert_int_equal(atoi(text), -EPROTO);
  assert_int_equal(diagnostics_count(diagnostics), 1);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "ADAPTER-0007");
  diagnostics_destroy(diagnostics);
  instance_destroy(instance);
}

static void a_deadline_ends_the_call(void **state) {
  struct instance *instance = create(*state);
  struct error *err = NULL;
  int64_t began = clock_monotonic_ns();
  const struct call_options options = {.deadline_ns = began + 100 * NS_PER_MS};
  assert_int_equal(probe_call(instance, "Wait", "", &options, NULL, &err), -ETIMEDOUT);
  assert_true(clock_monotonic_ns() - began < 5 * NS_PER_SECOND);
  assert_non_null(strstr(error_message(err), "did not answer within"));
  error_free(err);
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(probe_call(instance, "Echo", "still there", NULL, text, NULL), 0);
  instance_destroy(instance);
}

static void a_deadline_in_the_past_is_told_as_that(void **state) {
  struct instance *instance = create(*state);
  struct error *err = NULL;
  const struct call_options options = {.deadline_ns = clock_monotonic_ns() - NS_PER_SECOND};
  assert_int_equal(probe_call(instance, "Wait", "", &options, NULL, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "the deadline of Wait had passed"));
  error_free(err);
  instance_destroy(instance);
}

struct canceller {
  atomic_bool cancel;
  const char *method;
  char pipe[16]; /* the number of the end that the probe writes to */
  struct instance *instance;
  int result;
};

static void *call_wait(void *arg) {
  struct canceller *c = arg;
  c->result = probe_call(c->instance, c->method, c->pipe, &(struct call_options){.cancel = &c->cancel}, NULL, NULL);
  return NULL;
}

/* Cancels a call of `method` once the probe runs it. Gives back the read end of the pipe the probe has. */
static int cancel_running(struct fixture *fixture, const char *method) {
  struct canceller c = {.instance = create(fixture), .method = method, .result = 1};
  pthread_t thread;
  int ends[2];
  char byte = 0;
  assert_int_equal(pipe(ends), 0);
  (void)snprintf(c.pipe, sizeof c.pipe, "%d", ends[1]);
  assert_int_equal(pthread_create(&thread, NULL, call_wait, &c), 0);
  assert_int_equal(read(ends[0], &byte, 1), 1);
  atomic_store(&c.cancel, true);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(c.result, -ECANCELED);
  instance_destroy(c.instance);
  (void)close(ends[1]);
  return ends[0];
}

static void a_cancel_ends_the_call(void **state) {
  (void)close(cancel_running(*state, "Wait"));
}

static void http_after_a_cancel_is_cancelled(void **state) {
  struct fixture *fixture = *state;
  char status = 0;
  fixture->requests = 0;
  int end = cancel_running(fixture, "LateHttp");
  assert_int_equal(read(end, &status, 1), 1);
  assert_int_equal(status, TRAMMEL_CANCELLED);
  assert_int_equal(fixture->requests, 0);
  (void)close(end);
}

static void an_adapter_that_does_not_return_is_left_behind_and_may_come_back(void **state) {
  struct instance *instance = create(*state);
  struct error *err = NULL;
  int ends[2];
  char number[16], text[256];
  assert_int_equal(pipe(ends), 0);
  (void)snprintf(number, sizeof number, "%d", ends[0]);
  const struct call_options soon = {.deadline_ns = clock_monotonic_ns() + 50 * NS_PER_MS};
  assert_int_equal(probe_call(instance, "Deaf", number, &soon, NULL, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "has not returned"));
  assert_int_equal(probe_call(instance, "Echo", "", NULL, text, &err), -EIO);
  assert_non_null(strstr(error_message(err), "never returned from an earlier call"));
  assert_int_equal(write(ends[1], "x", 1), 1);
  int64_t until = clock_monotonic_ns() + 10 * NS_PER_SECOND;
  int r;
  do
    r = probe_call(instance, "Echo", "back", NULL, text, &err);
  while (r == -EIO && clock_monotonic_ns() < until);
  assert_int_equal(r, 0);
  assert_string_equal(text, "back");
  error_free(err);
  instance_destroy(instance);
  (void)close(ends[0]);
  (void)close(ends[1]);
}

static void an_instance_can_be_destroyed_around_a_call_that_never_returns(void **state) {
  struct instance *instance = create(*state);
  int ends[2];
  char number[16];
  assert_int_equal(pipe(ends), 0);
  (void)snprintf(number, sizeof number, "%d", ends[0]);
  const struct call_options soon = {.deadline_ns = clock_monotonic_ns() + 50 * NS_PER_MS};
  assert_int_equal(probe_call(instance, "Deaf", number, &soon, NULL, NULL), -ETIMEDOUT);
  int64_t began = clock_monotonic_ns();
  instance_destroy(instance);
  assert_true(clock_monotonic_ns() - began < NS_PER_SECOND);
}

static void *call_echo(void *arg) {
  char text[PROBE_TEXT_SIZE];
  for (int i = 0; i < 50; i++)
    if (probe_call(arg, "Echo", "x", NULL, text, NULL) < 0)
      return (void *)1;
  return NULL;
}

static void calls_of_several_threads_run_one_at_a_time(void **state) {
  struct instance *instance = create(*state);
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, call_echo, instance), 0);
  for (size_t i = 0; i < 4; i++) {
    void *failed = NULL;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    assert_null(failed);
  }
  instance_destroy(instance);
}

static void http_needs_a_declared_permission(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = create(fixture);
  struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options options = {.diagnostics = diagnostics};
  char text[PROBE_TEXT_SIZE];
  fixture->requests = 0;
  assert_int_equal(probe_call(instance, "Http", "control GET /v1/ready", &options, text, NULL), 0);
  assert_string_equal(text, "0 200 control GET /v1/ready");
  assert_int_equal(fixture->requests, 1);
  static const char *const refused[] = {
      "control PUT /v1/ready",          "control GET /v2/ready",        "other GET /v1/ready",
      "control GET /v1/../v2/ready",    "control GET /v1/%2e%2E/ready", "control GET /v1/%2fready",
      "control GET http://elsewhere/x", "control GET /v1/..",           "control GET /v1/.%2e?x",
  };
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    assert_int_equal(probe_call(instance, "Http", refused[i], &options, text, NULL), 0);
    if (strncmp(text, "7 0 ", 4) != 0) /* PERMISSION_DENIED */
      fail_msg("%s: %s", refused[i], text);
    assert_int_equal(diagnostics_count(diagnostics), i + 1);
    assert_string_equal(diagnostics_at(diagnostics, i)->code, "ADAPTER-0003");
  }
  assert_int_equal(fixture->requests, 1);
  diagnostics_destroy(diagnostics);
  instance_destroy(instance);
}

static void http_errors_become_statuses(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = create(fixture);
  static const struct {
    int error;
    const char *text;
  } cases[] = {{-ENOENT, "9 "}, {-ETIMEDOUT, "4 "}, {-ECANCELED, "1 "}, {-EFBIG, "8 "}, {-ECONNREFUSED, "14 "}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[PROBE_TEXT_SIZE];
    fixture->answer = cases[i].error;
    assert_int_equal(probe_call(instance, "Http", "control GET /v1/x", NULL, text, NULL), 0);
    assert_memory_equal(text, cases[i].text, strlen(cases[i].text));
  }
  fixture->answer = 0;
  instance_destroy(instance);
  instance = NULL;
  assert_int_equal(instance_create(fixture->probe, NULL, NULL, NULL, &instance, NULL), 0);
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(probe_call(instance, "Http", "control GET /v1/x", NULL, text, NULL), 0);
  assert_memory_equal(text, "9 ", 2);
  instance_destroy(instance);
}

struct receiver {
  int got;
  int stop_at; /* 0: never */
};

static int receive(void *ctx, const ProtobufCMessage *message) {
  struct receiver *receiver = ctx;
  assert_int_equal(atoi(((const Trammel__Adapter__V1__InvokeEvent *)message)->summary), receiver->got);
  receiver->got++;
  return receiver->stop_at && receiver->got == receiver->stop_at ? -1 : 0;
}

static int stream(struct instance *instance, const char *count, struct receiver *receiver) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  request.operation = (char *)(uintptr_t)count;
  return instance_stream(instance, "Stream", &request.base, PROBE_EVENT, receive, receiver, NULL, NULL);
}

static void a_stream_delivers_everything_in_order(void **state) {
  struct instance *instance = create(*state);
  struct receiver receiver = {0};
  assert_int_equal(stream(instance, "1000", &receiver), 0);
  assert_int_equal(receiver.got, 1000);
  instance_destroy(instance);
}

static void a_stream_that_nobody_reads_is_stopped_and_not_buffered(void **state) {
  struct instance *instance = create(*state);
  struct receiver receiver = {.stop_at = 3};
  char text[PROBE_TEXT_SIZE];
  assert_int_equal(stream(instance, "1000000", &receiver), -ECANCELED);
  assert_int_equal(receiver.got, 3);
  assert_int_equal(probe_call(instance, "Emitted", "", NULL, text, NULL), 0);
  assert_in_range(atoi(text), 3, 4);
  instance_destroy(instance);
}

static void a_configuration_that_does_not_fit_is_refused(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = NULL;
  struct diagnostics *diagnostics = diagnostics_create();
  struct error *err = NULL;
  json_t *config = json_pack("{s:i}", "unknown", 1);
  assert_int_equal(instance_create(fixture->probe, config, NULL, diagnostics, &instance, &err), -EINVAL);
  assert_true(diagnostics_have_error(diagnostics));
  assert_null(instance);
  json_decref(config);
  error_free(err);
  diagnostics_destroy(diagnostics);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_is_answered),
      cmocka_unit_test(every_status_has_its_error),
      cmocka_unit_test(a_unary_call_sends_exactly_one_message),
      cmocka_unit_test(nothing_is_taken_after_the_return),
      cmocka_unit_test(a_deadline_ends_the_call),
      cmocka_unit_test(a_deadline_in_the_past_is_told_as_that),
      cmocka_unit_test(a_cancel_ends_the_call),
      cmocka_unit_test(http_after_a_cancel_is_cancelled),
      cmocka_unit_test(an_adapter_that_does_not_return_is_left_behind_and_may_come_back),
      cmocka_unit_test(calls_of_several_threads_run_one_at_a_time),
      cmocka_unit_test(http_needs_a_declared_permission),
      cmocka_unit_test(http_errors_become_statuses),
      cmocka_unit_test(a_stream_delivers_everything_in_order),
      cmocka_unit_test(a_stream_that_nobody_reads_is_stopped_and_not_buffered),
      cmocka_unit_test(a_configuration_that_does_not_fit_is_refused),
      /* Last: its thread stays. */
      cmocka_unit_test(an_instance_can_be_destroyed_around_a_call_that_never_returns),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
