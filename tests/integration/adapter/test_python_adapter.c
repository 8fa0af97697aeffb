/* The example adapter in Python: another language, the same contract. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/adapter/instance.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/document.h"
#include "sdk/smi/parse.h"
#include "tests/integration/adapter/served.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT
#define PYTHON "/usr/bin/python3"

struct fixture {
  struct served served;
  struct registry *registry;
  const struct adapter_entry *entry;
  struct arena *arena;
};

static int setup(void **state) {
  static struct fixture fixture;
  char program[4096];
  (void)snprintf(program, sizeof program, "%s/examples/python-adapter/adapter.py", getenv("TRAMMEL_SOURCE_DIR"));
  served_prepare(&fixture.served);
  served_start(&fixture.served, (const char *const[]){PYTHON, "-B", program, "--listen", "127.0.0.1:0", "--cert",
                                                      fixture.served.certificate, "--key", fixture.served.key,
                                                      "--client-ca", fixture.served.files.ca, NULL});
  fixture.entry = served_find(&fixture.served, &fixture.registry);
  fixture.arena = arena_create(0);
  assert_non_null(fixture.arena);
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  arena_destroy(fixture->arena);
  registry_destroy(fixture->registry);
  served_stop(&fixture->served, SIGTERM);
  served_finish(&fixture->served);
  return 0;
}

static struct instance *create(const struct fixture *fixture, const char *config) {
  struct instance *instance = NULL;
  struct error *err = NULL;
  json_auto_t *parsed = json_loads(config, 0, NULL);
  assert_non_null(parsed);
  if (instance_create(fixture->entry, parsed, NULL, NULL, &instance, &err) < 0)
    fail_msg("%s", error_message(err));
  return instance;
}

/* Workload `server` with ServiceAccount `server`, behind port 80 of service `web`. */
static PB(Inventory) * inventory(void) {
  static char server[] = "server", ns[] = "main", app[] = "app", web[] = "web";
  static char *names[] = {server};
  static PB(Label) label = PB_INIT(LABEL);
  static PB(Label) * labels[] = {&label};
  static PB(Workload) workload = PB_INIT(WORKLOAD);
  static PB(Workload) * workloads[] = {&workload};
  static PB(ServicePort) port = PB_INIT(SERVICE_PORT);
  static PB(ServicePort) * ports[] = {&port};
  static PB(Service) service = PB_INIT(SERVICE);
  static PB(Service) * services[] = {&service};
  static PB(Inventory) all = PB_INIT(INVENTORY);
  label.name = app;
  label.value = server;
  workload.name = workload.service_account = server;
  workload.namespace_ = ns;
  workload.labels = labels;
  workload.n_labels = 1;
  port.port = 80;
  port.target_port = 8080;
  service.name = web;
  service.namespace_ = ns;
  service.ports = ports;
  service.n_ports = 1;
  service.workloads = names;
  service.n_workloads = 1;
  all.workloads = workloads;
  all.n_workloads = 1;
  all.services = services;
  all.n_services = 1;
  return &all;
}

static int translate(struct fixture *fixture, struct instance *instance, const char *yaml, bool allow_unsupported,
                     struct diagnostics *diagnostics, PB(TranslateResponse) * *ret_response, struct error **err) {
  static char ns[] = "main", *deny[] = {ns};
  struct document_list documents;
  struct smi_set set = {0};
  ProtobufCMessage *response = NULL;
  PB(TranslateOptions) options = PB_INIT(TRANSLATE_OPTIONS);
  PB(TranslateRequest) request = PB_INIT(TRANSLATE_REQUEST);
  _cleanup_diagnostics_ struct diagnostics *read = diagnostics_create();
  assert_int_equal(document_read(fixture->arena, "test", yaml, strlen(yaml), DOCUMENT_YAML, &document_limits_default,
                                 read, &documents),
                   0);
  assert_int_equal(
      smi_parse(fixture->arena, &documents, &(struct smi_parse_options){.default_namespace = ns}, read, &set), 0);
  options.deny_by_default = deny;
  options.n_deny_by_default = 1;
  options.allow_unsupported = allow_unsupported;
  request.smi = smi_to_wire(fixture->arena, &set);
  request.inventory = inventory();
  request.options = &options;
  const struct call_options call = {.diagnostics = diagnostics};
  int r = instance_call(instance, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor,
                        &call, &response, err);
  *ret_response = (PB(TranslateResponse) *)response;
  return r;
}

/* The spec of an object, as JSON; the caller's. */
static json_t *spec_of(const PB(TranslateResponse) * response, const char *kind, const char *source) {
  for (size_t i = 0; i < response->n_objects; i++) {
    const PB(NativeObject) *object = response->objects[i];
    if (strcmp(object->kubernetes->kind, kind) != 0 ||
        strcmp(object->n_sources ? object->sources[0]->name : "", source) != 0)
      continue;
    json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
    assert_non_null(body);
    return json_incref(json_object_get(body, "spec"));
  }
  fail_msg("no %s of %s", kind, source);
  return NULL;
}

static void assert_spec(const PB(TranslateResponse) * response, const char *kind, const char *source,
                        const char *expected) {
  json_auto_t *spec = spec_of(response, kind, source), *wanted = json_loads(expected, 0, NULL);
  assert_non_null(wanted);
  _cleanup_free_ char *text = json_dumps(spec, JSON_COMPACT | JSON_SORT_KEYS);
  if (!json_equal(spec, wanted))
    fail_msg("%s", text);
}

static const char all[] =
    "apiVersion: split.smi-spec.io/v1alpha4\n"
    "kind: TrafficSplit\n"
    "metadata: {name: rollout}\n"
    "spec: {service: web, backends: [{service: web-1, weight: 9}, {service: web-2, weight: 1}]}\n"
    "---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\n"
    "kind: HTTPRouteGroup\n"
    "metadata: {name: routes}\n"
    "spec: {matches: [{name: read, pathRegex: /api/.*, methods: [GET]},\n"
    "                 {name: odd, pathRegex: '/v[0-9]+'}]}\n"
    "---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\n"
    "kind: TCPRoute\n"
    "metadata: {name: port}\n"
    "spec: {matches: {ports: [80]}}\n"
    "---\n"
    "apiVersion: access.smi-spec.io/v1alpha3\n"
    "kind: TrafficTarget\n"
    "metadata: {name: reading}\n"
    "spec:\n"
    "  destination: {kind: ServiceAccount, name: server}\n"
    "  sources: [{kind: ServiceAccount, name: client}]\n"
    "  rules: [{kind: HTTPRouteGroup, name: routes, matches: [read]}, {kind: TCPRoute, name: port}]\n";

static const char odd[] = "---\n"
                          "apiVersion: access.smi-spec.io/v1alpha3\n"
                          "kind: TrafficTarget\n"
                          "metadata: {name: strange}\n"
                          "spec:\n"
                          "  destination: {kind: ServiceAccount, name: server}\n"
                          "  sources: [{kind: ServiceAccount, name: client}]\n"
                          "  rules: [{kind: HTTPRouteGroup, name: routes, matches: [odd]}]\n";

static void it_describes_itself(void **state) {
  const struct fixture *fixture = *state;
  assert_string_equal(fixture->entry->id, "python-example");
  assert_int_equal(fixture->entry->description->n_smi, 3);
  char remote[100];
  struct command_result result;
  (void)snprintf(remote, sizeof remote, "remote:%s", fixture->served.address);
  const struct identity_files *files = &fixture->served.files;
  command_run((const char *const[]){"trammel", "adapter", "show", remote, "--adapter-ca", files->ca, "--adapter-cert",
                                    files->certificate, "--adapter-key", files->key, NULL},
              NULL, 60, &result);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "python-example 0.1.0: Istio"));
  assert_non_null(strstr(strbuf_text(&result.out), "trust_domain"));
  command_result_finish(&result);
}

static void splits_and_targets_are_translated(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = create(fixture, "{}");
  struct error *err = NULL;
  PB(TranslateResponse) *response = NULL;
  if (translate(fixture, instance, all, false, NULL, &response, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(response->n_objects, 3);
  assert_spec(response, "VirtualService", "rollout",
              "{\"hosts\":[\"web.main.svc.cluster.local\"],\"http\":[{\"route\":["
              "{\"destination\":{\"host\":\"web-1.main.svc.cluster.local\"},\"weight\":9},"
              "{\"destination\":{\"host\":\"web-2.main.svc.cluster.local\"},\"weight\":1}]}]}");
  assert_spec(response, "AuthorizationPolicy", "reading",
              "{\"action\":\"ALLOW\",\"selector\":{\"matchLabels\":{\"app\":\"server\"}},\"rules\":["
              "{\"from\":[{\"source\":{\"principals\":[\"cluster.local/ns/main/sa/client\"]}}],"
              "\"to\":[{\"operation\":{\"methods\":[\"GET\"],\"paths\":[\"/api/*\"],\"ports\":[\"8080\"]}}]}]}");
  assert_spec(response, "AuthorizationPolicy", "", "{}");
  assert_int_equal(response->n_coverage, 4);
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  instance_destroy(instance);
}

static void what_it_cannot_say_is_refused_or_denies(void **state) {
  struct fixture *fixture = *state;
  struct instance *instance = create(fixture, "{}");
  char yaml[4096];
  _cleanup_error_ struct error *err = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  PB(TranslateResponse) *response = NULL;
  (void)snprintf(yaml, sizeof yaml, "%s%s", all, odd);
  assert_int_equal(translate(fixture, instance, yaml, false, diagnostics, &response, &err), -ENOTSUP);
  assert_non_null(strstr(error_message(err), "/v[0-9]+ is no literal and no prefix"));
  assert_int_equal(diagnostics_count(diagnostics), 1);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "PYTHON-0001");
  assert_int_equal(translate(fixture, instance, yaml, true, NULL, &response, &err), 0);
  assert_int_equal(response->n_objects, 3); /* none of `strange` */
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  instance_destroy(instance);
}

/* One process serves all hosts, and keeps nothing of any. */
static void each_instance_has_its_own_configuration(void **state) {
  struct fixture *fixture = *state;
  struct instance *one = create(fixture, "{\"trust_domain\": \"one.test\"}");
  struct instance *other = create(fixture, "{\"trust_domain\": \"other.test\"}");
  PB(TranslateResponse) *a = NULL, *b = NULL, *again = NULL;
  assert_int_equal(translate(fixture, one, all, false, NULL, &a, NULL), 0);
  assert_int_equal(translate(fixture, other, all, false, NULL, &b, NULL), 0);
  assert_int_equal(translate(fixture, one, all, false, NULL, &again, NULL), 0);
  json_auto_t *of_one = spec_of(a, "AuthorizationPolicy", "reading");
  json_auto_t *of_other = spec_of(b, "AuthorizationPolicy", "reading");
  json_auto_t *of_again = spec_of(again, "AuthorizationPolicy", "reading");
  assert_false(json_equal(of_one, of_other));
  assert_true(json_equal(of_one, of_again));
  trammel__adapter__v1__translate_response__free_unpacked(a, NULL);
  trammel__adapter__v1__translate_response__free_unpacked(b, NULL);
  trammel__adapter__v1__translate_response__free_unpacked(again, NULL);
  instance_destroy(one);
  instance_destroy(other);
}

static void what_it_has_not_is_told(void **state) {
  const struct fixture *fixture = *state;
  struct instance *instance = create(fixture, "{}");
  PB(DetectRequest) request = PB_INIT(DETECT_REQUEST);
  ProtobufCMessage *response = NULL;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(instance_call(instance, "Detect", &request.base, &trammel__adapter__v1__detect_response__descriptor,
                                 NULL, &response, &err),
                   -ENOTSUP);
  assert_non_null(strstr(error_message(err), "has no method Detect"));
  instance_destroy(instance);
}

static bool has_python_packages(void) {
  struct command_result result;
  command_run((const char *const[]){"/usr/bin/env", PYTHON, "-c", "import grpc, google.protobuf", NULL}, NULL, 60,
              &result);
  bool has = result.exit_code == 0;
  command_result_finish(&result);
  return has && access("/usr/bin/protoc", X_OK) == 0;
}

int main(void) {
  if (!has_python_packages()) {
    (void)puts("skipped: install the Debian packages python3-grpcio, python3-protobuf and protobuf-compiler");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_describes_itself),
      cmocka_unit_test(splits_and_targets_are_translated),
      cmocka_unit_test(what_it_cannot_say_is_refused_or_denies),
      cmocka_unit_test(each_instance_has_its_own_configuration),
      cmocka_unit_test(what_it_has_not_is_told),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
