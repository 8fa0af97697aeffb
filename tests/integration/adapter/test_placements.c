/* The same calls in every placement: in this process, in a child, on another machine. What a host sees of them is the
 * same, to the word where the adapter is who says it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/adapter/instance.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "tests/integration/adapter/served.h"

#define EVENT (&trammel__adapter__v1__invoke_event__descriptor)
#define EVENTS_MAX 1000

enum place { IN_PROCESS, IN_CHILD, REMOTE, PLACES };
static const char *const place_names[PLACES] = {"in-process", "child", "remote"};

/* One call. */
struct step {
  const char *method, *argument;
  unsigned stop_after; /* messages of a stream; 0: all */
  bool stream;
  bool cancelled;      /* before it begins */
  unsigned timeout_ms; /* 0: the usual one */
  bool own_words;      /* who waits says why it failed, in each placement its own way */
};

static const struct step steps[] = {
    {.method = "Echo", .argument = "hello"},
    {.method = "Echo", .argument = ""},
    {.method = "NoSuchMethod", .argument = ""},
    {.method = "Status", .argument = "0"}, /* without a message */
    {.method = "Status", .argument = "1"},
    {.method = "Status", .argument = "3"},
    {.method = "Status", .argument = "4"},
    {.method = "Status", .argument = "5"},
    {.method = "Status", .argument = "7"},
    {.method = "Status", .argument = "8"},
    {.method = "Status", .argument = "12"},
    {.method = "Status", .argument = "14"},
    {.method = "Status", .argument = "15"},
    {.method = "Status", .argument = "77"},
    {.method = "Twice", .argument = ""},
    {.method = "Silent", .argument = ""},
    {.method = "Oversize", .argument = ""},
    {.method = "Http", .argument = "control GET /v1/x"},
    {.method = "Http", .argument = "control POST /v1/made"},
    {.method = "Http", .argument = "control GET /v1/refused"},
    {.method = "Http", .argument = "control GET /v2/x"},
    {.method = "Http", .argument = "control POST /v1/x"},
    {.method = "Http", .argument = "another GET /v1/x"},
    {.method = "Stream", .argument = "0", .stream = true},
    {.method = "Stream", .argument = "1000", .stream = true},
    {.method = "Stream", .argument = "100000000", .stream = true, .stop_after = 5, .own_words = true},
    {.method = "Wait", .argument = "", .cancelled = true, .own_words = true},
    {.method = "Wait", .argument = "", .timeout_ms = 200, .own_words = true},
    {.method = "Echo", .argument = "at the end"},
};

struct fixture {
  struct registry *registry, *remote_registry;
  struct adapter_entry entries[PLACES];
  struct adapter_http http;
  struct served served;
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  (void)ctx;
  (void)user;
  (void)content_type;
  (void)body;
  (void)body_length;
  (void)deadline_ns;
  if (strstr(path, "refused"))
    return error_set(err, ECONNREFUSED, "refused by the test");
  int n = asprintf(ret_body, "%s %s %s", endpoint, method, path);
  assert_true(n > 0);
  *ret_body_length = (size_t)n;
  *ret_status = 201;
  return 0;
}

static int setup(void **state) {
  static struct fixture fixture;
  char directory[4096];
  struct error *err = NULL;
  (void)snprintf(directory, sizeof directory, "%s/tests/probe-adapter", getenv("TRAMMEL_BUILD_DIR"));
  if (registry_scan((const struct adapter_directory[]){{.path = directory}, {0}}, &(struct registry_options){0},
                    &fixture.registry, &err) < 0)
    fail_msg("%s", error_message(err));
  const struct adapter_entry *here = registry_find(fixture.registry, "probe", &err);
  assert_non_null(here);
  served_prepare(&fixture.served);
  served_start_runner(&fixture.served, "tests/probe-adapter/probe.so");
  fixture.entries[IN_PROCESS] = fixture.entries[IN_CHILD] = *here;
  fixture.entries[IN_PROCESS].confined = false;
  fixture.entries[IN_CHILD].confined = true;
  fixture.entries[REMOTE] = *served_find(&fixture.served, &fixture.remote_registry);
  fixture.http = (struct adapter_http){.request = transport};
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  registry_destroy(fixture->registry);
  registry_destroy(fixture->remote_registry);
  served_stop(&fixture->served, SIGTERM);
  served_finish(&fixture->served);
  return 0;
}

struct reading {
  struct strbuf *text;
  unsigned count, stop_after;
};

static int read_one(void *ctx, const ProtobufCMessage *message) {
  struct reading *reading = ctx;
  strbuf_printf(reading->text, " %s", ((const Trammel__Adapter__V1__InvokeEvent *)message)->summary);
  return ++reading->count == reading->stop_after;
}

static int run_call(struct instance *instance, const struct step *step, const struct call_options *options,
                    struct strbuf *text, struct error **err) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  struct reading reading = {.text = text, .stop_after = step->stop_after};
  ProtobufCMessage *response = NULL;
  request.operation = (char *)(uintptr_t)step->argument;
  if (step->stream)
    return instance_stream(instance, step->method, &request.base, EVENT, read_one, &reading, options, err);
  int r = instance_call(instance, step->method, &request.base, EVENT, options, &response, err);
  if (r == 0)
    (void)read_one(&reading, response);
  if (response)
    protobuf_c_message_free_unpacked(response, NULL);
  return r;
}

/* What came of a step, in one line. */
static void run_step(struct instance *instance, const struct step *step, struct strbuf *text) {
  atomic_bool cancel = step->cancelled;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options options = {.deadline_ns = step->timeout_ms ? clock_in_ns(step->timeout_ms * NS_PER_MS) : 0,
                                       .cancel = &cancel,
                                       .diagnostics = diagnostics};
  int r = run_call(instance, step, &options, text, &err);
  strbuf_printf(text, " = %d", r);
  if (!step->own_words)
    strbuf_printf(text, " \"%s\"", error_message(err));
  for (size_t i = 0; !step->own_words && i < diagnostics_count(diagnostics); i++)
    strbuf_printf(text, "; %s %s", diagnostics_at(diagnostics, i)->code, diagnostics_at(diagnostics, i)->summary);
}

static void every_call_comes_to_the_same(void **state) {
  struct fixture *fixture = *state;
  struct instance *instances[PLACES];
  struct error *err = NULL;
  for (int place = 0; place < PLACES; place++)
    if (instance_create(&fixture->entries[place], NULL, &fixture->http, NULL, &instances[place], &err) < 0)
      fail_msg("%s: %s", place_names[place], error_message(err));
  for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
    struct strbuf came[PLACES] = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT};
    for (int place = 0; place < PLACES; place++)
      run_step(instances[place], &steps[i], &came[place]);
    for (int place = 1; place < PLACES; place++)
      if (strcmp(strbuf_text(&came[0]), strbuf_text(&came[place])) != 0)
        fail_msg("%s %s: %s:%.300s; %s:%.300s", steps[i].method, steps[i].argument, place_names[0],
                 strbuf_text(&came[0]), place_names[place], strbuf_text(&came[place]));
    for (int place = 0; place < PLACES; place++)
      strbuf_finish(&came[place]);
  }
  for (int place = 0; place < PLACES; place++)
    instance_destroy(instances[place]);
}

static void the_description_is_the_same(void **state) {
  const struct fixture *fixture = *state;
  const ProtobufCMessage *here = &fixture->entries[IN_PROCESS].description->base;
  const ProtobufCMessage *there = &fixture->entries[REMOTE].description->base;
  size_t length = protobuf_c_message_get_packed_size(here);
  assert_int_equal(protobuf_c_message_get_packed_size(there), length);
  _cleanup_free_ uint8_t *a = malloc(length), *b = malloc(length);
  assert_true(a && b);
  protobuf_c_message_pack(here, a);
  protobuf_c_message_pack(there, b);
  assert_memory_equal(a, b, length);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_description_is_the_same),
      cmocka_unit_test(every_call_comes_to_the_same),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
