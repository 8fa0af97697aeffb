/* What adapters of meshes on Kubernetes share, seen by an adapter's Translate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/adapter/adapter.h"
#include "sdk/kube/account.h"
#include "sdk/kube/object.h"
#include "tests/support/fake_host.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* What the test at hand does within the call. */
static void (*body_of_test)(struct call *call, struct translation *translation);

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  (void)request;
  body_of_test(call, translation);
  return TRAMMEL_OK;
}

static const struct adapter_class class = {.description = {.mesh_name = "Test"}, .translate = translate};
ADAPTER_DEFINE(class, "test", "1.0.0", "mesh")

static void run(void (*body)(struct call *call, struct translation *translation), struct fake_op *op) {
  const trammel_head head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0};
  const trammel_adapter *table = trammel_adapter_entry_v1(&head);
  trammel_op *handle = (trammel_op *)(void *)op;
  trammel_instance *instance = NULL;
  fake_op_init(op);
  body_of_test = body;
  assert_int_equal(table->create(&fake_host, (trammel_str){"", 0}, &instance, handle), TRAMMEL_OK);
  assert_int_equal(table->call(instance, (trammel_str){"Translate", 9}, (trammel_str){"", 0}, handle), TRAMMEL_OK);
  table->destroy(instance);
}

static void name_bodies(struct call *call, struct translation *translation) {
  (void)translation;
  const char *plain = kube_name(call, "api", "a"), *other = kube_name(call, "api", "b");
  assert_int_equal(strncmp(plain, "smi-api-", 8), 0);
  assert_int_equal(strlen(plain), strlen("smi-api-01234567"));
  assert_string_not_equal(plain, other);
  assert_string_equal(plain, kube_name(call, "api", "a"));

  char base[300];
  memset(base, 'x', sizeof base - 1);
  base[sizeof base - 1] = '\0';
  assert_int_equal(strlen(kube_name(call, base, "a")), KUBE_NAME_MAX);
  /* No two dashes where the text is cut, nothing that is not of a DNS label. */
  memset(base + 49, '-', 2);
  assert_int_equal(strlen(kube_name(call, base, "a")), strlen("smi-") + 49 + strlen("-01234567"));
  assert_int_equal(strncmp(kube_name(call, "Api.V1_x", "a"), "smi-api-v1-x-", 13), 0);
  assert_int_equal(strspn(kube_name(call, "ü", "a"), "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen("smi-01234567"));
}

static void names_are_labels_of_bounded_length(void **state) {
  (void)state;
  struct fake_op op;
  run(name_bodies, &op);
  fake_op_finish(&op);
}

static void object_bodies(struct call *call, struct translation *translation) {
  static const struct smi_meta target = {.kind = SMI_TRAFFIC_TARGET, .ns = "main", .name = "t"},
                               group = {.kind = SMI_HTTP_ROUTE_GROUP, .ns = "main", .name = "g"};
  const struct smi_meta *sources[] = {&target, &group};
  struct kube_object object = {.wave = 1,
                               .api_version = "example.com/v1",
                               .kind = "Thing",
                               .ns = "main",
                               .name = "a",
                               .sources = sources,
                               .source_count = 2};
  translation_add(translation, kube_object(call, &object,
                                           json_pack("{s:{s:i}, s:{s:{s:s}}}", "spec", "x", 1, "metadata",
                                                     "annotations", "own", "kept")));
  object.name = "b"; /* the same content: the same hash */
  translation_add(translation, kube_object(call, &object, json_pack("{s:{s:i}}", "spec", "x", 1)));
  object.name = "c";
  translation_add(translation, kube_object(call, &object, json_pack("{s:{s:i}}", "spec", "x", 2)));
}

static json_t *object_body(const Trammel__Adapter__V1__TranslateResponse *response, size_t i) {
  assert_true(i < response->n_objects);
  json_t *body = json_loadb((const char *)response->objects[i]->body.data, response->objects[i]->body.len, 0, NULL);
  assert_non_null(body);
  return body;
}

static const char *annotation(const json_t *body, const char *name) {
  return json_string_value(json_object_get(json_object_get(json_object_get(body, "metadata"), "annotations"), name));
}

static void objects_say_whose_they_are(void **state) {
  (void)state;
  struct fake_op op;
  run(object_bodies, &op);
  Trammel__Adapter__V1__TranslateResponse *response =
      trammel__adapter__v1__translate_response__unpack(NULL, op.length, (const uint8_t *)op.message);
  assert_non_null(response);
  json_t *a = object_body(response, 0), *b = object_body(response, 1), *c = object_body(response, 2);
  assert_string_equal(annotation(a, KUBE_SOURCES_ANNOTATION), "TrafficTarget/main/t,HTTPRouteGroup/main/g");
  assert_string_equal(annotation(a, "own"), "kept");
  assert_int_equal(strlen(annotation(b, KUBE_HASH_ANNOTATION)), 16);
  assert_string_not_equal(annotation(b, KUBE_HASH_ANNOTATION), annotation(c, KUBE_HASH_ANNOTATION));
  const json_t *labels = json_object_get(json_object_get(b, "metadata"), "labels");
  assert_string_equal(json_string_value(json_object_get(labels, KUBE_MANAGED_LABEL)), KUBE_MANAGED_VALUE);
  assert_int_equal(response->objects[0]->n_sources, 2);
  json_decref(a);
  json_decref(b);
  json_decref(c);
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  fake_op_finish(&op);
}

#define LABELS(...)                                                                                                    \
  .labels = (const struct smi_label[]){__VA_ARGS__},                                                                   \
  .label_count = sizeof((const struct smi_label[]){__VA_ARGS__}) / sizeof(struct smi_label)

static void account_bodies(struct call *call, struct translation *translation) {
  (void)translation;
  const struct inventory_workload workloads[] = {
      {.ns = "a",
       .name = "one",
       .service_account = "api",
       LABELS({"tier", "x"}, {"app", "api"}, {"pod-template-hash", "1"})},
      {.ns = "a", .name = "two", .service_account = "api", LABELS({"app", "api"}, {"version", "2"}, {"tier", "x"})},
      {.ns = "a", .name = "three", .service_account = "web", LABELS({"tier", "x"}, {"zone", "1"})},
      {.ns = "a", .name = "four", .service_account = "wide", LABELS({"zone", "1"})},
      {.ns = "a", .name = "five", .service_account = "bare"},
      {.ns = "b", .name = "six", .service_account = "wide", LABELS({"zone", "1"})},
      /* No label of its own, but no other has both. */
      {.ns = "c", .name = "seven", .service_account = "both", LABELS({"p", "1"}, {"q", "1"})},
      {.ns = "c", .name = "eight", .service_account = "first", LABELS({"p", "1"}, {"q", "2"})},
      {.ns = "c", .name = "nine", .service_account = "second", LABELS({"p", "2"}, {"q", "1"})},
  };
  const struct inventory inventory = {.workloads = workloads, .workload_count = sizeof workloads / sizeof *workloads};
  struct kube_accounts accounts;
  assert_true(kube_accounts_init(call, &inventory, &accounts));
  assert_int_equal(accounts.count, 8);

  const struct kube_account *api = kube_account_find(&accounts, "a", "api");
  assert_true(api->selectable);
  assert_int_equal(api->workload_count, 2);
  json_t *labels = kube_account_labels(api);
  char *text = json_dumps(labels, JSON_COMPACT);
  assert_string_equal(text, "{\"app\":\"api\",\"tier\":\"x\"}");
  free(text);
  json_decref(labels);

  assert_true(kube_account_find(&accounts, "a", "web")->selectable);
  const struct kube_account *wide = kube_account_find(&accounts, "a", "wide");
  assert_false(wide->selectable); /* its one label is on a workload of "web", too */
  assert_string_equal(wide->intruder->name, "three");
  assert_false(kube_account_find(&accounts, "a", "bare")->selectable);
  assert_null(kube_account_find(&accounts, "a", "bare")->intruder);
  assert_true(kube_account_find(&accounts, "b", "wide")->selectable); /* alone in its namespace */
  assert_true(kube_account_find(&accounts, "c", "both")->selectable);
  assert_null(kube_account_find(&accounts, "b", "api"));
}

static void part_bodies(struct call *call, struct translation *translation) {
  (void)translation;
  const struct inventory_workload workloads[] = {
      {.ns = "a", .name = "one", .service_account = "api", LABELS({"app", "one"}, {"pod-template-hash", "1"})},
      {.ns = "a", .name = "one-more", .service_account = "api", LABELS({"app", "one"})},
      {.ns = "a", .name = "two", .service_account = "api", LABELS({"app", "two"})},
      /* A selector of the fourth's labels finds the fifth as well, which may be another thing. */
      {.ns = "a", .name = "four", .service_account = "api", LABELS({"app", "four"})},
      {.ns = "a", .name = "five", .service_account = "api", LABELS({"version", "5"}, {"app", "four"})},
      {.ns = "a", .name = "six", .service_account = "api", LABELS({"app", "shared"})},
      {.ns = "a", .name = "seven", .service_account = "other", LABELS({"app", "shared"})},
  };
  static const struct {
    const char *first;
    size_t count;
    const char *intruder;
  } wanted[] = {{"four", 1, "five"}, {"five", 1, NULL}, {"one", 2, NULL}, {"six", 1, "seven"}, {"two", 1, NULL}};
  const struct inventory inventory = {.workloads = workloads, .workload_count = sizeof workloads / sizeof *workloads};
  struct kube_accounts accounts;
  assert_true(kube_accounts_init(call, &inventory, &accounts));
  const struct kube_account *api = kube_account_find(&accounts, "a", "api");
  assert_false(api->selectable);
  assert_int_equal(api->part_count, sizeof wanted / sizeof *wanted);
  for (size_t i = 0; i < api->part_count; i++) {
    const struct kube_account *part = &api->parts[i];
    assert_true(part->is_part);
    assert_string_equal(part->workloads[0]->name, wanted[i].first);
    assert_int_equal(part->workload_count, wanted[i].count);
    assert_true(part->selectable == !wanted[i].intruder);
    if (wanted[i].intruder)
      assert_string_equal(part->intruder->name, wanted[i].intruder);
  }
}

static void workloads_without_a_common_label_are_found_in_parts(void **state) {
  (void)state;
  struct fake_op op;
  run(part_bodies, &op);
  fake_op_finish(&op);
}

static void selectors_find_an_account_and_no_other(void **state) {
  (void)state;
  struct fake_op op;
  run(account_bodies, &op);
  fake_op_finish(&op);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_labels_of_bounded_length),
      cmocka_unit_test(objects_say_whose_they_are),
      cmocka_unit_test(selectors_find_an_account_and_no_other),
      cmocka_unit_test(workloads_without_a_common_label_are_found_in_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
