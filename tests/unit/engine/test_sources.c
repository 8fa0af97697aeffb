/* Whose an object on a cluster is, and what is to be removed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/content.h"
#include "host/engine/namespaces.h"
#include "host/engine/removal.h"
#include "host/engine/sources.h"

static const struct smi_subject web[] = {{.kind = SMI_SERVICE_ACCOUNT, .name = "web", .ns = "front"}};
static const struct smi_traffic_target targets[] = {
    {.meta = {.kind = SMI_TRAFFIC_TARGET, .ns = "shop", .name = "a"},
     .destination = {.kind = SMI_SERVICE_ACCOUNT, .name = "api", .ns = "shop"},
     .sources = web,
     .source_count = 1},
    {.meta = {.kind = SMI_TRAFFIC_TARGET, .ns = "shop", .name = "b"},
     .destination = {.kind = SMI_SERVICE_ACCOUNT, .name = "api", .ns = "back"}}};
static const struct smi_set set = {.targets = targets, .target_count = 2};

static json_t *object(const char *name, const char *list) {
  json_t *made = json_pack("{s:s, s:s, s:{s:s, s:s, s:{}}}", "apiVersion", "example.org/v1", "kind", "Wall", "metadata",
                           "name", name, "namespace", "shop", "annotations");
  if (list)
    (void)json_object_set_new(json_object_get(json_object_get(made, "metadata"), "annotations"), "trammel.dev/sources",
                              json_string(list));
  assert_non_null(made);
  return made;
}

static void expect_standing(const char *list, enum sources_standing standing, const char *other) {
  _cleanup_(sources_destroy_p) struct sources *sources = sources_create(&set);
  json_auto_t *made = object("x", list);
  char found[SOURCES_TOLD_MAX];
  assert_non_null(sources);
  assert_int_equal(sources_judge(sources, made, found), standing);
  assert_string_equal(found, other);
}

static void a_list_is_held_against_what_was_given(void **state) {
  (void)state;
  expect_standing(NULL, SOURCES_NONE, "");
  expect_standing("", SOURCES_NONE, "");
  expect_standing("TrafficTarget/shop/a", SOURCES_GIVEN, "");
  expect_standing("TrafficTarget/shop/a,TrafficTarget/shop/b", SOURCES_GIVEN, "");
  expect_standing("TrafficTarget/shop/a,TrafficTarget/shop/c", SOURCES_OTHER, "TrafficTarget/shop/c");
  expect_standing("TrafficTarget/shop/ab", SOURCES_OTHER, "TrafficTarget/shop/ab");
  expect_standing("TrafficSplit/shop/a", SOURCES_OTHER, "TrafficSplit/shop/a");
  expect_standing("TrafficTarget/shop/a,…", SOURCES_CUT, "");
  expect_standing("TrafficTarget/shop/a,TrafficTarget/shop/c,…", SOURCES_OTHER, "TrafficTarget/shop/c");
  expect_standing("…", SOURCES_CUT, "");
}

/* The translation has `named` in wave 3, of the same kind as all others. */
static void choose(bool all, const json_t *objects, struct removals *removals) {
  Trammel__Adapter__V1__KubernetesObject place = TRAMMEL__ADAPTER__V1__KUBERNETES_OBJECT__INIT;
  Trammel__Adapter__V1__NativeObject native = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__INIT, *list[] = {&native};
  Trammel__Adapter__V1__TranslateResponse translation = TRAMMEL__ADAPTER__V1__TRANSLATE_RESPONSE__INIT;
  char version[] = "example.org/v1beta1", kind[] = "Wall", ns[] = "shop", name[] = "named";
  place.api_version = version;
  place.kind = kind;
  place.namespace_ = ns;
  place.name = name;
  native.transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES;
  native.kubernetes = &place;
  native.wave = 3;
  translation.n_objects = 1;
  translation.objects = list;
  _cleanup_(removal_index_destroy_p) struct removal_index *index = removal_index_create(&translation);
  _cleanup_(sources_destroy_p) struct sources *sources = sources_create(&set);
  assert_non_null(index);
  assert_int_equal(removals_choose(objects, sources, index, all, removals), 0);
}

static void expect_removals(bool all, const char *name, const char *list, size_t count, bool kept) {
  json_auto_t *objects = json_pack("[o]", object(name, list));
  struct removals removals = {0};
  choose(all, objects, &removals);
  assert_int_equal(removals.count, count);
  if (count > 0) {
    assert_int_equal(removals.items[0].kept != NULL, kept);
    assert_int_equal(removals.items[0].wave, 3);
  }
  removals_finish(&removals);
}

static void an_apply_prunes_what_is_of_these_resources_alone(void **state) {
  (void)state;
  expect_removals(false, "old", "TrafficTarget/shop/a", 1, false);
  expect_removals(false, "old", "TrafficTarget/shop/a,…", 1, true);
  expect_removals(false, "old", "TrafficTarget/shop/a,TrafficTarget/shop/c", 0, false);
  expect_removals(false, "old", NULL, 0, false);
  expect_removals(false, "named", "TrafficTarget/shop/a", 0, false); /* in another version of its kind */
}

static void a_deletion_takes_what_the_translation_names_too(void **state) {
  (void)state;
  expect_removals(true, "old", "TrafficTarget/shop/a", 1, false);
  expect_removals(true, "named", "TrafficTarget/shop/a", 1, false);
  expect_removals(true, "named", NULL, 1, false);
  expect_removals(true, "named", "TrafficTarget/shop/a,TrafficTarget/shop/c", 1, true);
  expect_removals(true, "old", NULL, 0, false);
  expect_removals(true, "old", "TrafficTarget/shop/c", 0, false);
}

static void what_a_server_keeps_is_no_content(void **state) {
  (void)state;
  json_auto_t *a = json_loads("{\"metadata\": {\"name\": \"x\", \"uid\": \"1\", \"resourceVersion\": \"7\", "
                              "\"generation\": 1, \"managedFields\": [], \"creationTimestamp\": \"t\"}, \"spec\": {}, "
                              "\"status\": {\"ready\": true}}",
                              0, NULL);
  json_auto_t *b = json_loads("{\"metadata\": {\"name\": \"x\"}, \"spec\": {}}", 0, NULL);
  json_auto_t *c = json_loads("{\"metadata\": {\"name\": \"x\"}, \"spec\": {\"more\": 1}}", 0, NULL);
  assert_true(content_equal(a, b));
  assert_false(content_equal(a, c));
  assert_false(content_equal(NULL, b));
  assert_true(content_equal(NULL, NULL));
  assert_non_null(json_object_get(a, "status")); /* it was a copy */
}

static void namespaces_are_those_of_resources_and_subjects(void **state) {
  (void)state;
  struct namespaces namespaces = {0};
  assert_int_equal(namespaces_add_set(&namespaces, &set), 0);
  assert_int_equal(namespaces_add(&namespaces, "shop"), 0);
  assert_int_equal(namespaces_add(&namespaces, NULL), 0);
  assert_int_equal(namespaces.count, 3);
  assert_string_equal(namespaces.names[0], "shop");
  assert_string_equal(namespaces.names[1], "front");
  assert_string_equal(namespaces.names[2], "back");
  namespaces_finish(&namespaces);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_is_held_against_what_was_given),
      cmocka_unit_test(an_apply_prunes_what_is_of_these_resources_alone),
      cmocka_unit_test(a_deletion_takes_what_the_translation_names_too),
      cmocka_unit_test(what_a_server_keeps_is_no_content),
      cmocka_unit_test(namespaces_are_those_of_resources_and_subjects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
