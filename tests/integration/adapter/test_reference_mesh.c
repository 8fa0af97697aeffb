/* The reference adapter and the reference mesh together: the mesh takes everything the adapter makes, gives it back,
 * and lets it be removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/adapter/instance.h"
#include "host/transport/http/client.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/smi/parse.h"
#include "tests/support/command.h"
#include "tests/unit/reference/fixture.h"

struct fixture {
  struct registry *registry;
  struct instance *instance;
  struct adapter_http http;
  struct http_client *adapters_client; /* on the instance's thread */
  struct http_client *client;
  struct running mesh;
  char url[64];
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  (void)user;
  struct fixture *fixture = ctx;
  char url[512];
  (void)endpoint;
  (void)snprintf(url, sizeof url, "%s%s", fixture->url, path);
  const struct http_request request = {.method = method,
                                       .url = url,
                                       .content_type = content_type,
                                       .body = body,
                                       .body_length = body_length,
                                       .deadline_ns = deadline_ns};
  struct http_response response;
  int r = http_client_send(fixture->adapters_client, &request, &response, err);
  if (r < 0)
    return r;
  *ret_status = response.status;
  *ret_body = response.body;
  *ret_body_length = response.body_length;
  return 0;
}

static unsigned send_request(struct fixture *fixture, const char *method, const char *path, ProtobufCBinaryData body) {
  char url[512];
  (void)snprintf(url, sizeof url, "%s%s", fixture->url, path);
  const struct http_request request = {.method = method, .url = url, .body = body.data, .body_length = body.len};
  struct http_response response;
  struct error *err = NULL;
  if (http_client_send(fixture->client, &request, &response, &err) < 0) {
    error_free(err);
    return 0;
  }
  unsigned status = response.status;
  if (status != 200)
    fprintf(stderr, "%s %s: %u %.*s\n", method, path, status, (int)response.body_length, response.body);
  http_response_finish(&response);
  return status;
}

static bool is_ready(void *ctx) {
  return send_request(ctx, "GET", "/v1/ready", (ProtobufCBinaryData){0}) == 200;
}

static void *call(struct fixture *fixture, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage *response = NULL;
  struct error *err = NULL;
  if (instance_call(fixture->instance, method, request, type, NULL, &response, &err) < 0)
    fail_msg("%s", error_message(err));
  return response;
}

/* Starts the mesh as the adapter's plan says. */
static void start_mesh(struct fixture *fixture) {
  char address[32];
  (void)snprintf(address, sizeof address, "127.201.%d.%d", getpid() / 250 % 250 + 1, getpid() % 250 + 1);
  PB(PlanRequest) request = PB_INIT(PLAN_REQUEST);
  request.action = TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL;
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  request.address = address;
  PB(PlanResponse) *plan = call(fixture, "Plan", &request.base, &trammel__adapter__v1__plan_response__descriptor);
  const PB(PlanStep) *step = plan->steps[0];
  const char *argv[32] = {step->process->program};
  assert_in_range(step->process->n_arguments, 1, 30);
  for (size_t i = 0; i < step->process->n_arguments; i++)
    argv[i + 1] = step->process->arguments[i];
  (void)snprintf(fixture->url, sizeof fixture->url, "%s", step->endpoints[0]->url);
  fixture->mesh = command_start(argv, NULL);
  wait_until(is_ready, fixture, 10, "the mesh is ready");
  trammel__adapter__v1__plan_response__free_unpacked(plan, NULL);
}

static int setup(void **state) {
  static struct fixture fixture;
  char directory[4096];
  struct error *err = NULL;
  (void)snprintf(directory, sizeof directory, "%s/lib/trammel/adapters", getenv("TRAMMEL_BUILD_DIR"));
  assert_int_equal(registry_scan((const struct adapter_directory[]){{.path = directory}, {0}},
                                 &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, &fixture.registry,
                                 &err),
                   0);
  const struct adapter_entry *entry = registry_find(fixture.registry, "reference", &err);
  assert_non_null(entry);
  fixture.http = (struct adapter_http){.ctx = &fixture, .request = transport};
  assert_int_equal(http_client_create(&fixture.client, &err), 0);
  assert_int_equal(http_client_create(&fixture.adapters_client, &err), 0);
  assert_int_equal(instance_create(entry, NULL, &fixture.http, NULL, &fixture.instance, &err), 0);
  start_mesh(&fixture);
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  struct command_result result = {0};
  assert_int_equal(kill(fixture->mesh.pid, SIGTERM), 0);
  command_wait(&fixture->mesh, 10, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  instance_destroy(fixture->instance);
  http_client_destroy(fixture->client);
  http_client_destroy(fixture->adapters_client);
  registry_destroy(fixture->registry);
  return 0;
}

static void put_all(struct fixture *fixture, PB(NativeObject) *const *objects, size_t count) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(send_request(fixture, objects[i]->http->method, objects[i]->http->path, objects[i]->body), 200);
    assert_int_equal(send_request(fixture, "GET", objects[i]->http->read_path, (ProtobufCBinaryData){0}), 200);
  }
}

static void delete_all(struct fixture *fixture, PB(NativeObject) *const *objects, size_t count) {
  while (count-- > 0)
    assert_int_equal(send_request(fixture, objects[count]->http->delete_method, objects[count]->http->delete_path,
                                  (ProtobufCBinaryData){0}),
                     200);
}

static void the_running_mesh_is_detected(void **state) {
  PB(DetectRequest) request = PB_INIT(DETECT_REQUEST);
  PB(DetectResponse) *response =
      call(*state, "Detect", &request.base, &trammel__adapter__v1__detect_response__descriptor);
  assert_true(response->present);
  assert_true(response->ready);
  assert_true(*response->mesh_version);
  trammel__adapter__v1__detect_response__free_unpacked(response, NULL);
}

static void registrations_are_taken(void **state) {
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
  request.inventory = (PB(Inventory) *)(uintptr_t)fixture_inventory();
  PB(EnrollResponse) *response =
      call(*state, "Enroll", &request.base, &trammel__adapter__v1__enroll_response__descriptor);
  assert_int_equal(response->n_registrations, 6);
  put_all(*state, response->registrations, response->n_registrations);
  put_all(*state, response->registrations, response->n_registrations); /* idempotent */
  delete_all(*state, response->registrations, response->n_registrations);
  trammel__adapter__v1__enroll_response__free_unpacked(response, NULL);
}

static PB(TranslateResponse) * translate_file(struct fixture *fixture, struct arena *arena, const char *path) {
  static char ns[] = "main";
  char *text = NULL, *deny[] = {ns};
  size_t length = 0;
  struct document_list documents;
  struct smi_set set = {0};
  struct diagnostics *diagnostics = diagnostics_create();
  assert_int_equal(file_read(path, 1u << 20, &text, &length, NULL), 0);
  assert_int_equal(
      document_read(arena, path, text, length, DOCUMENT_YAML, &document_limits_default, diagnostics, &documents), 0);
  assert_int_equal(
      smi_parse(arena, &documents, &(struct smi_parse_options){.default_namespace = ns}, diagnostics, &set), 0);
  diagnostics_destroy(diagnostics);
  free(text);
  PB(TranslateOptions) options = PB_INIT(TRANSLATE_OPTIONS);
  PB(TranslateRequest) request = PB_INIT(TRANSLATE_REQUEST);
  options.n_deny_by_default = 1;
  options.deny_by_default = deny;
  options.allow_unsupported = true;
  request.smi = smi_to_wire(arena, &set);
  request.inventory = (PB(Inventory) *)(uintptr_t)fixture_inventory();
  request.options = &options;
  return call(fixture, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor);
}

static void every_translation_is_taken(void **state) {
  struct fixture *fixture = *state;
  char directory[4096], path[8192];
  (void)snprintf(directory, sizeof directory, "%s/tests/unit/reference/translate", getenv("TRAMMEL_SOURCE_DIR"));
  DIR *files = opendir(directory);
  assert_non_null(files);
  size_t objects = 0;
  for (const struct dirent *file; (file = readdir(files));) {
    if (!strstr(file->d_name, ".yaml"))
      continue;
    (void)snprintf(path, sizeof path, "%s/%s", directory, file->d_name);
    struct arena *arena = arena_create(0);
    PB(TranslateResponse) *response = translate_file(fixture, arena, path);
    put_all(fixture, response->objects, response->n_objects);
    delete_all(fixture, response->objects, response->n_objects);
    objects += response->n_objects;
    trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
    arena_destroy(arena);
  }
  (void)closedir(files);
  assert_in_range(objects, 20, 1000);
}

static void metrics_of_an_idle_mesh_are_empty(void **state) {
  static char kind[] = "Pod";
  PB(ResourceRef) resource = PB_INIT(RESOURCE_REF);
  PB(MetricsRequest) request = PB_INIT(METRICS_REQUEST);
  resource.kind = kind;
  request.resource = &resource;
  PB(MetricsResponse) *response =
      call(*state, "Metrics", &request.base, &trammel__adapter__v1__metrics_response__descriptor);
  assert_int_equal(response->n_items, 0);
  assert_int_equal(response->status, 200);
  assert_true(response->document.len > 0);
  trammel__adapter__v1__metrics_response__free_unpacked(response, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_running_mesh_is_detected),
      cmocka_unit_test(registrations_are_taken),
      cmocka_unit_test(every_translation_is_taken),
      cmocka_unit_test(metrics_of_an_idle_mesh_are_empty),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
