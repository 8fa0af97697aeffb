/* An adapter in a child process: its calls are as in this one, and whatever it does ends with the child. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/adapter/instance.h"
#include "sdk/base/clock.h"
#include "trammel/abi.h"

#define EVENT (&trammel__adapter__v1__invoke_event__descriptor)

struct fixture {
  struct registry *registry;
  struct adapter_entry probe; /* confined */
  struct adapter_http http;
  struct instance *instance;
  int requests; /* that reached the transport */
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  struct fixture *fixture = ctx;
  (void)user;
  (void)content_type;
  (void)body;
  (void)body_length;
  (void)deadline_ns;
  fixture->requests++;
  if (strstr(path, "refused"))
    return error_set(err, ECONNREFUSED, "refused by the test");
  int n = asprintf(ret_body, "%s %s %s", endpoint, method, path);
  assert_true(n > 0);
  *ret_body_length = (size_t)n;
  *ret_status = 200;
  return 0;
}

static int scan(void **state) {
  static struct fixture fixture;
  char directory[4096];
  (void)snprintf(directory, sizeof directory, "%s/tests/probe-adapter", getenv("TRAMMEL_BUILD_DIR"));
  struct error *err = NULL;
  if (registry_scan((const struct adapter_directory[]){{.path = directory}, {0}}, &(struct registry_options){0},
                    &fixture.registry, &err) < 0)
    fail_msg("%s", error_message(err));
  const struct adapter_entry *entry = registry_find(fixture.registry, "probe", &err);
  if (!entry) {
    print_error("%s\n", error_message(err));
    return -1;
  }
  fixture.probe = *entry;
  fixture.probe.confined = true;
  fixture.http = (struct adapter_http){.ctx = &fixture, .request = transport};
  *state = &fixture;
  return 0;
}

static int forget(void **state) {
  struct fixture *fixture = *state;
  registry_destroy(fixture->registry);
  return 0;
}

static int setup(void **state) {
  struct fixture *fixture = *state;
  struct error *err = NULL;
  fixture->requests = 0;
  if (instance_create(&fixture->probe, NULL, &fixture->http, NULL, &fixture->instance, &err) < 0)
    fail_msg("%s", error_message(err));
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  instance_destroy(fixture->instance);
  return 0;
}

static int call_with(const struct fixture *fixture, const char *method, const char *argument,
                     const struct call_options *options, char *ret_text, struct error **err) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  request.operation = (char *)(uintptr_t)argument;
  ProtobufCMessage *response = NULL;
  int r = instance_call(fixture->instance, method, &request.base, EVENT, options, &response, err);
  if (r == 0) {
    if (ret_text)
      (void)snprintf(ret_text, 256, "%s", ((Trammel__Adapter__V1__InvokeEvent *)response)->summary);
    protobuf_c_message_free_unpacked(response, NULL);
  }
  return r;
}

static void assert_answers(const struct fixture *fixture, const char *method, const char *argument, const char *text) {
  char answer[256];
  _cleanup_error_ struct error *err = NULL;
  if (call_with(fixture, method, argument, NULL, answer, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_string_equal(answer, text);
}

static void assert_fails(const struct fixture *fixture, const char *method, const char *argument, int code,
                         const char *why) {
  _cleanup_error_ struct error *err = NULL;
  int r = call_with(fixture, method, argument, NULL, NULL, &err);
  if (r != code || !strstr(error_message(err), why))
    fail_msg("%s came to %d, expected %d: \"%s\", expected \"%s\"", method, r, code, error_message(err), why);
}

static void a_call_is_answered(void **state) {
  const struct fixture *fixture = *state;
  assert_answers(fixture, "Echo", "hello", "hello");
  assert_answers(fixture, "Echo", "", "");
  assert_fails(fixture, "NoSuchMethod", "", -ENOTSUP, "UNIMPLEMENTED");
}

static void statuses_are_those_of_the_adapter(void **state) {
  const struct fixture *fixture = *state;
  assert_fails(fixture, "Status", "3", -EINVAL, "adapter probe: Status failed with INVALID_ARGUMENT");
  assert_fails(fixture, "Status", "4", -ETIMEDOUT, "DEADLINE_EXCEEDED");
  assert_fails(fixture, "Status", "1", -ECANCELED, "");
  assert_fails(fixture, "Status", "14", -EIO, "UNAVAILABLE");
  assert_fails(fixture, "Status", "77", -EPROTO, "unknown status 77");
  assert_fails(fixture, "Twice", "", -EPROTO, "more than one message");
  assert_fails(fixture, "Silent", "", -EPROTO, "without a message");
}

static void http_goes_through_the_host_and_its_permissions(void **state) {
  const struct fixture *fixture = *state;
  assert_answers(fixture, "Http", "control GET /v1/x", "0 200 control GET /v1/x");
  assert_int_equal(fixture->requests, 1);
  assert_answers(fixture, "Http", "control GET /v1/refused", "14 0 ");
  assert_int_equal(fixture->requests, 2);
  assert_answers(fixture, "Http", "control GET /v2/x", "7 0 ");
  assert_answers(fixture, "Http", "another GET /v1/x", "7 0 ");
  assert_int_equal(fixture->requests, 2);
}

struct reading {
  unsigned count;
  unsigned wanted;
  bool in_order;
};

static int read_one(void *ctx, const ProtobufCMessage *message) {
  struct reading *reading = ctx;
  char text[16];
  (void)snprintf(text, sizeof text, "%u", reading->count++);
  reading->in_order &= strcmp(((const Trammel__Adapter__V1__InvokeEvent *)message)->summary, text) == 0;
  return reading->count == reading->wanted;
}

static int stream(const struct fixture *fixture, const char *count, struct reading *reading) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  request.operation = (char *)(uintptr_t)count;
  return instance_stream(fixture->instance, "Stream", &request.base, EVENT, read_one, reading, NULL, NULL);
}

static void a_stream_comes_in_order_and_stops_when_nobody_reads(void **state) {
  const struct fixture *fixture = *state;
  struct reading all = {.in_order = true}, some = {.in_order = true, .wanted = 5};
  assert_int_equal(stream(fixture, "1000", &all), 0);
  assert_int_equal(all.count, 1000);
  assert_true(all.in_order);
  assert_int_equal(stream(fixture, "100000000", &some), -ECANCELED);
  assert_int_equal(some.count, 5);
  assert_answers(fixture, "Echo", "still there", "still there");
}

static void a_deadline_ends_the_child_that_passes_it(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_error_ struct error *err = NULL;
  const struct call_options soon = {.deadline_ns = clock_in_ns(200 * NS_PER_MS)};
  int64_t began = clock_monotonic_ns();
  assert_int_equal(call_with(fixture, "Spin", "", &soon, NULL, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "did not answer in time"));
  assert_true(clock_monotonic_ns() - began < 10 * NS_PER_SECOND);
  assert_answers(fixture, "Echo", "again", "again");
}

static void a_crash_is_told_and_the_next_call_is_answered(void **state) {
  const struct fixture *fixture = *state;
  assert_fails(fixture, "Crash", "", -EIO, "killed by SIGSEGV");
  assert_answers(fixture, "Echo", "1", "1");
  assert_fails(fixture, "Abort", "", -EIO, "killed by SIGABRT");
  assert_answers(fixture, "Echo", "2", "2");
  assert_fails(fixture, "Exit", "", -EIO, "exit status 7");
  assert_answers(fixture, "Echo", "3", "3");
  assert_fails(fixture, "Crash", "", -EIO, "it had sent nothing that changes the mesh");
}

static void a_flood_and_hunger_do_no_harm(void **state) {
  const struct fixture *fixture = *state;
  assert_answers(fixture, "Flood", "20", "written");
#ifndef __SANITIZE_ADDRESS__
  assert_answers(fixture, "Eat", "", "hungry");
#endif
}

static void another_file_at_its_place_is_not_started(void **state) {
  struct fixture *fixture = *state;
  struct adapter_entry other = fixture->probe;
  struct instance *instance = NULL;
  _cleanup_error_ struct error *err = NULL;
  other.digest[0] = other.digest[0] == '0' ? '1' : '0';
  assert_int_equal(instance_create(&other, NULL, NULL, NULL, &instance, &err), -ESTALE);
  assert_non_null(strstr(error_message(err), "changed after it was scanned"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_call_is_answered, setup, teardown),
      cmocka_unit_test_setup_teardown(statuses_are_those_of_the_adapter, setup, teardown),
      cmocka_unit_test_setup_teardown(http_goes_through_the_host_and_its_permissions, setup, teardown),
      cmocka_unit_test_setup_teardown(a_stream_comes_in_order_and_stops_when_nobody_reads, setup, teardown),
      cmocka_unit_test_setup_teardown(a_deadline_ends_the_child_that_passes_it, setup, teardown),
      cmocka_unit_test_setup_teardown(a_crash_is_told_and_the_next_call_is_answered, setup, teardown),
      cmocka_unit_test_setup_teardown(a_flood_and_hunger_do_no_harm, setup, teardown),
      cmocka_unit_test(another_file_at_its_place_is_not_started),
  };
  return cmocka_run_group_tests_name("child placement", tests, scan, forget);
}
