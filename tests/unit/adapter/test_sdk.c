/* The typed layer: what it does for every adapter, seen from the C ABI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/adapter/adapter.h"
#include "sdk/base/document.h"
#include "tests/support/fake_host.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

static const char *mode(const struct call *call) {
  return json_string_value(json_object_get(call_config(call), "mode"));
}

static void add(struct call *call, struct translation *translation, const char *id, uint32_t wave) {
  json_t *body = json_pack("{s:i, s:i}", "z", 1, "a", 2);
  translation_add(translation,
                  native_http(call, id, wave, &(struct http_place){.endpoint = "api", .path = "/x"}, body));
}

/* Allocations until one fails; below 0: none does. The linker leads those of the code under test here. */
static long until_failure = -1;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails(void) {
  return until_failure >= 0 && until_failure-- == 0;
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
  return fails() ? NULL : __real_realloc(memory, size);
}

/* Keys of every length, so that some text outgrows its room amid one of them. */
static json_t *long_keys(void) {
  json_t *value = json_object();
  for (int i = 1; i < 40; i++) {
    char key[41];
    (void)snprintf(key, sizeof key, "%0*d", i, i);
    assert_int_equal(json_object_set_new(value, key, json_integer(i)), 0);
  }
  return value;
}

static void write_json(struct call *call) {
  json_t *value = long_keys();
  char *whole = call_json_text(call, value);
  bool failed = true;
  assert_non_null(whole);
  for (long nth = 0; failed; nth++) {
    until_failure = nth;
    char *text = call_json_text(call, value);
    failed = until_failure < 0;
    until_failure = -1;
    assert_int_equal(text == NULL, failed);
    if (text)
      assert_string_equal(text, whole);
    assert_true(nth > 0 || failed);
  }
  json_decref(value);
}

/* A list in a list, and so on. */
static json_t *nested(int levels) {
  json_t *value = json_array();
  for (int i = 1; i < levels; i++)
    value = json_pack("[o]", value);
  assert_non_null(value);
  return value;
}

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  (void)request;
  if (strcmp(mode(call), "json") == 0)
    write_json(call);
  if (strcmp(mode(call), "deep") == 0)
    translation_add(translation, native_http(call, "deep", 0, &(struct http_place){.endpoint = "api", .path = "/x"},
                                             nested(DOCUMENT_DEPTH_MAX + 2)));
  add(call, translation, "b", 1);
  add(call, translation, "c", 0);
  add(call, translation, strcmp(mode(call), "twins") == 0 ? "b" : "a", 1);
  if (strcmp(mode(call), "hungry") == 0) {
    for (size_t size = (size_t)64 << 20; size; size /= 2)
      while (arena_alloc(call_arena(call), size))
        continue;
    add(call, translation, "d", 1);
  }
  return TRAMMEL_OK;
}

static int detect(struct call *call, struct detection *ret_detection) {
  (void)ret_detection;
  const json_t *body = NULL;
  return call_get_json(call, "api", "/state", "TEST-0001", &body);
}

static int invoke(struct call *call, const char *operation, const json_t *argument, struct invocation *invocation) {
  (void)call;
  for (json_int_t i = 0; i < json_integer_value(argument); i++)
    if (!invocation_event(invocation, false, operation, NULL))
      return TRAMMEL_CANCELLED;
  return TRAMMEL_OK;
}

static const struct operation operations[] = {
    {.name = "count", .summary = "counts", .argument_schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9}"},
    {.name = "once", .summary = "takes no argument"}};
static const struct adapter_class class = {
    .description = {.mesh_name = "Test",
                    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"mode\":"
                                     "{\"type\":\"string\",\"default\":\"plain\"}}}",
                    .operations = operations,
                    .operation_count = 2},
    .translate = translate,
    .detect = detect,
    .invoke = invoke,
};
ADAPTER_DEFINE(class, "test", "1.0.0", "mesh")

static int call_raw(const char *config, const char *method, const void *data, size_t length, struct fake_op *op) {
  const trammel_head head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0};
  const trammel_adapter *table = trammel_adapter_entry_v1(&head);
  trammel_instance *instance = NULL;
  trammel_op *handle = (trammel_op *)(void *)op;
  int status = table->create(&fake_host, (trammel_str){config, strlen(config)}, &instance, handle);
  if (status == TRAMMEL_OK)
    status = table->call(instance, (trammel_str){method, strlen(method)}, (trammel_str){data, length}, handle);
  table->destroy(instance);
  return status;
}

static void another_major_version_of_the_host_gets_no_table(void **state) {
  (void)state;
  const trammel_head head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR + 1, 0, 0};
  assert_null(trammel_adapter_entry_v1(&head));
}

static void describe_lists_the_methods_there_are(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("", "Describe", NULL, 0, &op), TRAMMEL_OK);
  PB(DescribeResponse) *d =
      trammel__adapter__v1__describe_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_string_equal(d->adapter_id, "test");
  assert_string_equal(d->mesh_type, "mesh");
  assert_int_equal(d->n_methods, 3);
  assert_string_equal(d->methods[0], "Translate");
  assert_string_equal(d->methods[1], "Detect");
  assert_string_equal(d->methods[2], "Invoke");
  trammel__adapter__v1__describe_response__free_unpacked(d, NULL);
  fake_op_finish(&op);
}

static void what_is_left_out_is_unimplemented(void **state) {
  (void)state;
  static const char *const names[] = {"Enroll", "Plan", "Metrics", "translate", "", "Translat", "TranslateX"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct fake_op op;
    fake_op_init(&op);
    assert_int_equal(call_raw("", names[i], NULL, 0, &op), TRAMMEL_UNIMPLEMENTED);
    assert_int_equal(op.emitted, 0);
    fake_op_finish(&op);
  }
}

static void objects_are_ordered_and_bodies_sorted(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("", "Translate", NULL, 0, &op), TRAMMEL_OK);
  PB(TranslateResponse) *r =
      trammel__adapter__v1__translate_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_int_equal(r->n_objects, 3);
  assert_string_equal(r->objects[0]->id, "c");
  assert_string_equal(r->objects[1]->id, "a");
  assert_string_equal(r->objects[2]->id, "b");
  assert_int_equal(r->objects[0]->body.len, strlen("{\"a\":2,\"z\":1}"));
  assert_memory_equal(r->objects[0]->body.data, "{\"a\":2,\"z\":1}", r->objects[0]->body.len);
  assert_string_equal(r->objects[0]->http->method, "PUT");
  assert_string_equal(r->objects[0]->http->read_path, "/x");
  assert_string_equal(r->objects[0]->http->delete_method, "DELETE");
  trammel__adapter__v1__translate_response__free_unpacked(r, NULL);
  fake_op_finish(&op);
}

static void two_objects_with_one_id_fail_the_call(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("{\"mode\":\"twins\"}", "Translate", NULL, 0, &op), TRAMMEL_INTERNAL);
  assert_int_equal(op.emitted, 0);
  fake_op_finish(&op);
}

static void memory_that_runs_out_fails_the_call_and_sends_no_part_of_it(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("{\"mode\":\"hungry\"}", "Translate", NULL, 0, &op), TRAMMEL_RESOURCE_EXHAUSTED);
  assert_int_equal(op.emitted, 0);
  fake_op_finish(&op);
}

static void json_without_memory_is_whole_or_none(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("{\"mode\":\"json\"}", "Translate", NULL, 0, &op), TRAMMEL_RESOURCE_EXHAUSTED);
  fake_op_finish(&op);
}

static void json_that_is_nested_too_deep_is_told(void **state) {
  (void)state;
  struct fake_op op;
  fake_op_init(&op);
  assert_int_equal(call_raw("{\"mode\":\"deep\"}", "Translate", NULL, 0, &op), TRAMMEL_RESOURCE_EXHAUSTED);
  assert_int_equal(op.emitted, 0);
  assert_int_equal(json_array_size(op.diagnostics), 1);
  const json_t *diagnostic = json_array_get(op.diagnostics, 0);
  assert_string_equal(json_string_value(json_object_get(diagnostic, "code")), "SDK-0023");
  assert_non_null(strstr(json_string_value(json_object_get(diagnostic, "summary")), "nested too deep"));
  fake_op_finish(&op);
}

/* Every cut-off and every changed byte of a real request: a status, and a message only with OK. */
static void hostile_requests_are_answered_with_a_status(void **state) {
  (void)state;
  static char name[] = "n", sa[] = "sa";
  PB(Meta) meta = PB_INIT(META);
  PB(Subject) subject = PB_INIT(SUBJECT), *subjects[] = {&subject};
  PB(TrafficTarget) target = PB_INIT(TRAFFIC_TARGET), *targets[] = {&target};
  PB(SmiSet) smi = PB_INIT(SMI_SET);
  PB(TranslateRequest) request = PB_INIT(TRANSLATE_REQUEST);
  meta.name = meta.namespace_ = name;
  subject.kind = TRAMMEL__ADAPTER__V1__SUBJECT_KIND__SUBJECT_KIND_SERVICE_ACCOUNT;
  subject.name = subject.namespace_ = sa;
  target.meta = &meta;
  target.destination = &subject;
  target.n_sources = 1;
  target.sources = subjects;
  smi.n_targets = 1;
  smi.targets = targets;
  request.smi = &smi;
  uint8_t good[256], bad[256];
  size_t length = trammel__adapter__v1__translate_request__pack(&request, good);
  for (size_t i = 0; i < length * 256; i++) {
    memcpy(bad, good, length);
    bad[i / 256] = (uint8_t)(i % 256);
    struct fake_op op;
    fake_op_init(&op);
    int status = call_raw("", "Translate", bad, i % 256 == 0 ? i / 256 : length, &op);
    assert_true(status == TRAMMEL_OK || status == TRAMMEL_INVALID_ARGUMENT || status == TRAMMEL_RESOURCE_EXHAUSTED);
    assert_int_equal(op.emitted, status == TRAMMEL_OK ? 1 : 0);
    assert_true(status == TRAMMEL_OK || json_array_size(op.diagnostics) > 0);
    fake_op_finish(&op);
  }
}

static void a_mesh_that_answers_nonsense_is_unavailable(void **state) {
  (void)state;
  static const struct {
    const char *body;
    unsigned status;
    int expected;
  } cases[] = {{"{}", 200, TRAMMEL_OK},
               {"{", 200, TRAMMEL_UNAVAILABLE},
               {"{}", 503, TRAMMEL_UNAVAILABLE},
               {"{\"a\":1,\"a\":2}", 200, TRAMMEL_UNAVAILABLE}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake_op op;
    fake_op_init(&op);
    op.http_body = cases[i].body;
    op.http_status = cases[i].status;
    assert_int_equal(call_raw("", "Detect", NULL, 0, &op), cases[i].expected);
    fake_op_finish(&op);
  }
}

static int run_operation(const char *name, const char *argument, unsigned *ret_events) {
  PB(InvokeRequest) request = PB_INIT(INVOKE_REQUEST);
  request.operation = (char *)(uintptr_t)name;
  request.argument = (ProtobufCBinaryData){strlen(argument), (uint8_t *)(uintptr_t)argument};
  uint8_t data[128];
  size_t length = trammel__adapter__v1__invoke_request__pack(&request, data);
  struct fake_op op;
  fake_op_init(&op);
  int status = call_raw("", "Invoke", data, length, &op);
  *ret_events = op.emitted;
  fake_op_finish(&op);
  return status;
}

static void operations_stream_their_events(void **state) {
  (void)state;
  unsigned events = 0;
  assert_int_equal(run_operation("count", "3", &events), TRAMMEL_OK);
  assert_int_equal(events, 3);
  assert_int_equal(run_operation("unknown", "3", &events), TRAMMEL_NOT_FOUND);
  assert_int_equal(run_operation("count", "{", &events), TRAMMEL_INVALID_ARGUMENT);
  assert_int_equal(events, 0);
}

static void arguments_keep_to_the_schema_of_their_operation(void **state) {
  (void)state;
  static const char *const bad[] = {"-1", "10", "\"3\"", "{}", "", "null", "2.5"};
  unsigned events = 0;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(run_operation("count", bad[i], &events), TRAMMEL_INVALID_ARGUMENT);
    assert_int_equal(events, 0);
  }
  assert_int_equal(run_operation("count", "9", &events), TRAMMEL_OK);
  assert_int_equal(events, 9);
  assert_int_equal(run_operation("once", "", &events), TRAMMEL_OK);
  assert_int_equal(run_operation("once", "{}", &events), TRAMMEL_INVALID_ARGUMENT);
}

/* A host of this major version whose service tables are `more` bytes longer than those of 1.0. */
static int32_t more;

static const void *get_sized(const trammel_host *host, const char *id) {
  static struct {
    trammel_op_api api;
    void *appended[4];
  } op_api;
  static struct {
    trammel_http_api api;
    void *appended[4];
  } http_api;
  const void *from = fake_host.get(host, id);
  if (strcmp(id, TRAMMEL_OP_SERVICE) == 0) {
    op_api.api = *(const trammel_op_api *)from;
    op_api.api.head.size = TRAMMEL_OP_API_SIZE_1_0 + (uint32_t)more;
    return &op_api;
  }
  if (strcmp(id, TRAMMEL_HTTP_SERVICE) != 0)
    return NULL;
  http_api.api = *(const trammel_http_api *)from;
  http_api.api.head.size = TRAMMEL_HTTP_API_SIZE_1_0 + (uint32_t)more;
  return &http_api;
}

static void services_of_1_0_and_of_a_longer_host_serve(void **state) {
  (void)state;
  const trammel_head head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0};
  const trammel_host sized = {.head = head, .get = get_sized};
  const trammel_adapter *table = trammel_adapter_entry_v1(&head);
  for (more = -8; more <= 32; more += 8) {
    struct fake_op op;
    fake_op_init(&op);
    op.http_body = "{}";
    trammel_op *handle = (trammel_op *)(void *)&op;
    trammel_instance *instance = NULL;
    int status = table->create(&sized, (trammel_str){NULL, 0}, &instance, handle);
    assert_int_equal(status, more < 0 ? TRAMMEL_FAILED_PRECONDITION : TRAMMEL_OK);
    if (status == TRAMMEL_OK)
      assert_int_equal(table->call(instance, (trammel_str){"Detect", 6}, (trammel_str){NULL, 0}, handle), TRAMMEL_OK);
    table->destroy(instance);
    fake_op_finish(&op);
  }
}

static void a_port_of_a_service_is_found_by_number_and_transport(void **state) {
  (void)state;
  static const struct inventory_port ports[] = {
      {.name = "web", .port = 80, .target_port = 8080, .protocol = PORT_HTTP},
      {.name = "dns", .port = 53, .target_port = 5353, .protocol = PORT_UDP},
      {.name = "dns-tcp", .port = 53, .target_port = 5354, .protocol = PORT_TCP},
  };
  const struct inventory_service service = {.name = "server", .ns = "main", .ports = ports, .port_count = 3};
  assert_ptr_equal(inventory_service_port(&service, 80, PORT_HTTP), &ports[0]);
  assert_ptr_equal(inventory_service_port(&service, 80, PORT_TCP), &ports[0]);
  assert_ptr_equal(inventory_service_port(&service, 53, PORT_UDP), &ports[1]);
  assert_ptr_equal(inventory_service_port(&service, 53, PORT_HTTP), &ports[2]);
  assert_null(inventory_service_port(&service, 80, PORT_UDP));
  assert_null(inventory_service_port(&service, 8080, PORT_HTTP));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_port_of_a_service_is_found_by_number_and_transport),
      cmocka_unit_test(another_major_version_of_the_host_gets_no_table),
      cmocka_unit_test(describe_lists_the_methods_there_are),
      cmocka_unit_test(what_is_left_out_is_unimplemented),
      cmocka_unit_test(objects_are_ordered_and_bodies_sorted),
      cmocka_unit_test(two_objects_with_one_id_fail_the_call),
      cmocka_unit_test(memory_that_runs_out_fails_the_call_and_sends_no_part_of_it),
      cmocka_unit_test(json_without_memory_is_whole_or_none),
      cmocka_unit_test(json_that_is_nested_too_deep_is_told),
      cmocka_unit_test(hostile_requests_are_answered_with_a_status),
      cmocka_unit_test(a_mesh_that_answers_nonsense_is_unavailable),
      cmocka_unit_test(operations_stream_their_events),
      cmocka_unit_test(arguments_keep_to_the_schema_of_their_operation),
      cmocka_unit_test(services_of_1_0_and_of_a_longer_host_serve),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
