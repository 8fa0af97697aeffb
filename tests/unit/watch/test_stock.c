#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "host/watch/contest.h"
#include "host/watch/marks.h"
#include "host/watch/stock.h"
#include "sdk/smi/model.h"

#define PB(name) Trammel__Adapter__V1__##name
#define MOST 8
#define MANAGER "trammel-watch/test"

/* Objects of a translation. */
struct fixture {
  struct stock *stock;
  PB(NativeObject) objects[MOST], *list[MOST];
  PB(KubernetesObject) places[MOST];
  PB(ResourceRef) source, other, *sources[2]; /* TrafficTargets t and u */
  PB(TranslateResponse) response;
};

static const struct managers_view view = {.manager = MANAGER};

/* The time of the code under test: it stands still, so that no pause is over before a test has looked. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
  (void)clock;
  *time = (struct timespec){.tv_sec = 100000};
  return 0;
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  assert_int_equal(stock_create(&view, &f->stock, NULL), 0);
  stock_allow(f->stock, INT64_MAX);
  trammel__adapter__v1__translate_response__init(&f->response);
  trammel__adapter__v1__resource_ref__init(&f->source);
  f->source.kind = (char *)"TrafficTarget";
  f->source.namespace_ = (char *)"ns";
  f->source.name = (char *)"t";
  f->other = f->source;
  f->other.name = (char *)"u";
  f->sources[0] = &f->source;
  f->sources[1] = &f->other;
  f->response.objects = f->list;
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  stock_destroy(f->stock);
  free(f);
  return 0;
}

static void clear(struct fixture *f) {
  f->response.n_objects = 0;
}

static void add(struct fixture *f, const char *ns, const char *name, unsigned wave, const char *body, bool sourced) {
  size_t i = f->response.n_objects++;
  trammel__adapter__v1__native_object__init(&f->objects[i]);
  trammel__adapter__v1__kubernetes_object__init(&f->places[i]);
  f->places[i].api_version = (char *)"example.com/v1";
  f->places[i].kind = (char *)"Policy";
  f->places[i].namespace_ = (char *)ns;
  f->places[i].name = (char *)name;
  f->objects[i].transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES;
  f->objects[i].kubernetes = &f->places[i];
  f->objects[i].body = (ProtobufCBinaryData){strlen(body), (uint8_t *)(uintptr_t)body};
  f->objects[i].wave = wave;
  f->objects[i].n_sources = sourced;
  f->objects[i].sources = f->sources;
  f->list[i] = &f->objects[i];
}

/* What was added last comes from u. */
static void of_other(struct fixture *f) {
  f->objects[f->response.n_objects - 1].sources = &f->sources[1];
}

static size_t settle(struct fixture *f) {
  size_t changes = 0;
  assert_int_equal(stock_settle(f->stock, &f->response, 0, &changes), 0);
  return changes;
}

/* The name of the next object that something is done about, "" when there is none, and what came of it. */
static void expect(struct fixture *f, const char *name, bool apply, int r) {
  struct stock_job job;
  int came = stock_next(f->stock, 0, &job);
  assert_int_equal(came, *name ? 1 : 0);
  if (came == 0)
    return;
  assert_string_equal(job.place.name, name);
  assert_int_equal(job.body != NULL, apply);
  (void)stock_done(f->stock, &job, r);
  stock_job_finish(&job);
}

/* The object is there as it was applied, but for what `intruder`, a part of fieldsV1, has of somebody else. */
static void see_with(struct fixture *f, const char *name, const char *spec, const char *intruder) {
  json_auto_t *fields = json_loads(intruder, 0, NULL), *content = json_loads(spec, JSON_DECODE_ANY, NULL);
  json_auto_t *object =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:[{s:s, s:s}, {s:s, s:s, s:O}]}, s:O}", "apiVersion",
                "example.com/v1", "kind", "Policy", "metadata", "namespace", "ns", "name", name, "labels",
                "app.kubernetes.io/managed-by", "trammel", "managedFields", "manager", MANAGER, "operation", "Apply",
                "manager", "kubectl", "operation", "Update", "fieldsV1", fields, "spec", content);
  assert_non_null(object);
  assert_int_equal(stock_see(f->stock, object, 1), 0);
}

static void see(struct fixture *f, const char *name, const char *member, const char *manager) {
  json_auto_t *object =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:[{s:s, s:s}]}, s:s}", "apiVersion", "example.com/v1", "kind",
                "Policy", "metadata", "namespace", "ns", "name", name, "labels", "app.kubernetes.io/managed-by",
                "trammel", "managedFields", "manager", manager, "operation", "Apply", "spec", member);
  assert_non_null(object);
  assert_int_equal(stock_see(f->stock, object, 1), 0);
}

/* One that an earlier watch has made of t. */
static json_t *made_before(const char *name, unsigned wave) {
  json_t *object = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:{s:s, s:o}, s:[{s:s, s:s}]}}", "apiVersion",
                             "example.com/v1", "kind", "Policy", "metadata", "namespace", "ns", "name", name, "labels",
                             "app.kubernetes.io/managed-by", "trammel", "annotations", "trammel.dev/sources",
                             "HTTPRouteGroup/ns/g,TrafficTarget/ns/t", "trammel.dev/wave", json_sprintf("%u", wave),
                             "managedFields", "manager", MANAGER, "operation", "Apply");
  assert_non_null(object);
  return object;
}

static void what_others_add_is_work_to_do(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "deny", 0, "{\"spec\":{}}", false);
  settle(f);
  expect(f, "deny", true, 0);
  see_with(f, "deny", "{}", "{\"f:metadata\":{\"f:labels\":{\"f:theirs\":{}}}}");
  expect(f, "", false, 0);
  see_with(f, "deny", "{\"rules\":[{}]}", "{\"f:spec\":{\"f:rules\":{}}}");
  expect(f, "deny", true, 0);
}

/* A job about what others have added to deny, which undoes it if it may. */
static void expect_undoing(struct fixture *f, bool allowed) {
  struct stock_job job;
  see_with(f, "deny", "{\"rules\":[{}]}", "{\"f:spec\":{\"f:rules\":{}}}");
  assert_int_equal(stock_next(f->stock, 0, &job), 1);
  assert_int_equal(job.undo, allowed);
  job.undone = allowed;
  assert_int_equal(stock_done(f->stock, &job, allowed ? 0 : -EBUSY), allowed ? 0 : 1);
  stock_job_finish(&job);
}

static void what_comes_back_again_and_again_is_left(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "deny", 0, "{\"spec\":{}}", false);
  settle(f);
  expect(f, "deny", true, 0);
  for (unsigned i = 0; i < CONTEST_ROUNDS; i++) {
    assert_int_equal(stock_count(f->stock).contested, 0);
    expect_undoing(f, true);
  }
  assert_int_equal(stock_count(f->stock).contested, 0);
  expect_undoing(f, false);
  assert_int_equal(stock_count(f->stock).contested, 1);
  see_with(f, "deny", "{}", "{}"); /* they gave it up */
  expect(f, "", false, 0);
  assert_int_equal(stock_count(f->stock).contested, 0);
}

/* What is made in its place has nothing of what was in the way. */
static void what_was_refused_and_is_gone_is_made_at_once(void **state) {
  struct fixture *f = *state;
  json_auto_t *gone = made_before("deny", 0);
  add(f, "ns", "deny", 0, "{\"spec\":{}}", false);
  settle(f);
  expect(f, "deny", true, 0);
  see_with(f, "deny", "{\"rules\":[{}]}", "{\"f:spec\":{\"f:rules\":{}}}");
  expect(f, "deny", true, -EBUSY);
  expect(f, "", false, 0);
  stock_miss(f->stock, gone);
  expect(f, "deny", true, -EEXIST);
  stock_miss(f->stock, gone); /* it was not there */
  expect(f, "", false, 0);
}

static void waves_are_applied_upwards_and_removed_downwards(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "allow", 1, "{\"spec\":\"a\"}", true);
  add(f, "ns", "deny", 0, "{\"spec\":\"d\"}", false);
  assert_int_equal(settle(f), 1);
  expect(f, "deny", true, 0);
  expect(f, "allow", true, 0);
  expect(f, "", false, 0);
  clear(f);
  settle(f);
  expect(f, "allow", false, 0);
  expect(f, "deny", false, 0);
  expect(f, "", false, 0);
  assert_int_equal(stock_count(f->stock).there, 0);
}

/* What allows waits for what denies in its own namespace, and in no other. */
static void a_failure_holds_up_its_namespace_alone(void **state) {
  struct fixture *f = *state;
  add(f, "a", "deny-a", 0, "{}", false);
  add(f, "a", "allow-a", 1, "{}", true);
  add(f, "b", "deny-b", 0, "{}", false);
  add(f, "b", "allow-b", 1, "{}", true);
  settle(f);
  expect(f, "deny-a", true, -EBUSY);
  expect(f, "deny-b", true, 0);
  expect(f, "allow-b", true, 0);
  expect(f, "", false, 0);
  assert_int_equal(stock_count(f->stock).failing, 1);
  assert_int_equal(stock_count(f->stock).pending, 2);
}

/* Without what denies, the end of what allows could open a workload to everybody. */
static void what_allows_stays_while_what_denies_is_lacking(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "ended", 1, "{}", true);
  settle(f);
  expect(f, "ended", true, 0);
  clear(f);
  add(f, "ns", "deny", 0, "{}", false);
  add(f, "ns", "allow", 1, "{}", true);
  of_other(f);
  settle(f);
  expect(f, "deny", true, -EEXIST);
  expect(f, "", false, 0);
  assert_int_equal(stock_count(f->stock).there, 1);
  assert_int_equal(stock_count(f->stock).pending, 3);
  see(f, "deny", "d", "somebody"); /* it is another's */
  expect(f, "", false, 0);
  see(f, "deny", "d", MANAGER);
  expect(f, "allow", true, 0);
  expect(f, "ended", false, 0);
}

/* An object of u is refused for good: that is no concern of what is of t, in whatever order they come. */
static void what_is_not_wanted_goes_beside_a_failure(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "deny", 0, "{}", false);
  add(f, "ns", "ended", 2, "{}", true);
  settle(f);
  expect(f, "deny", true, 0);
  expect(f, "ended", true, 0);
  clear(f);
  add(f, "ns", "deny", 0, "{}", false);
  add(f, "ns", "refused", 1, "{}", true);
  of_other(f);
  add(f, "ns", "held-up", 2, "{}", true);
  of_other(f);
  add(f, "ns", "new", 2, "{}", true);
  settle(f);
  expect(f, "refused", true, -EBUSY);
  expect(f, "new", true, 0);
  expect(f, "ended", false, 0);
  expect(f, "", false, 0);
  assert_int_equal(stock_count(f->stock).there, 2);
  assert_int_equal(stock_count(f->stock).pending, 2);
}

#define HASHED(hash) "{\"kind\":\"Policy\",\"metadata\":{\"annotations\":{\"trammel.dev/hash\":\"" hash "\"}}}"

/* Also of an object that an earlier watch has made, and of which this one only knows what it says of itself. */
static void what_is_renamed_stays_until_it_is_there_again(void **state) {
  struct fixture *f = *state;
  json_auto_t *made = made_before("old", 1);
  json_t *annotations = json_object_get(json_object_get(made, "metadata"), "annotations");
  assert_int_equal(json_object_set_new(annotations, "trammel.dev/hash", json_string("1")), 0);
  assert_int_equal(stock_see(f->stock, made, 1), 0);
  add(f, "ns", "new", 1, HASHED("1"), true);
  of_other(f);
  settle(f);
  expect(f, "new", true, -EEXIST);
  expect(f, "", false, 0);
  clear(f);
  add(f, "ns", "new", 1, HASHED("2"), true); /* it says something else */
  of_other(f);
  settle(f);
  expect(f, "new", true, -EEXIST);
  expect(f, "old", false, 0);
}

/* Namespaces come and go. */
static void a_namespace_without_objects_is_nothing_to_keep(void **state) {
  struct fixture *f = *state;
  for (unsigned i = 0; i < 200; i++) {
    char ns[16];
    (void)snprintf(ns, sizeof(ns), "ns-%u", i);
    clear(f);
    add(f, ns, "allow", 1, "{}", true);
    settle(f);
    expect(f, "allow", true, 0);
    if (i > 0)
      expect(f, "allow", false, 0);
    assert_int_equal(stock_count(f->stock).namespaces, 1);
  }
}

static void what_is_there_as_wanted_is_left_alone(void **state) {
  struct fixture *f = *state;
  see(f, "same", "a", MANAGER);
  see(f, "other", "b", MANAGER);
  see(f, "unwanted", "c", MANAGER);
  see(f, "foreign", "d", "somebody");
  stock_allow(f->stock, 0);
  add(f, "ns", "same", 0, "{\"spec\":\"a\"}", true);
  add(f, "ns", "other", 0, "{\"spec\":\"a\"}", true);
  settle(f);
  expect(f, "", false, 0); /* it is not allowed yet */
  see(f, "same", "a", MANAGER);
  stock_allow(f->stock, INT64_MAX);
  expect(f, "other", true, 0);
  expect(f, "unwanted", false, 0);
  expect(f, "", false, 0);
  see(f, "same", "changed", MANAGER);
  expect(f, "same", true, 0);
  expect(f, "", false, 0);
}

/* What is of no resource, and later than what denies, is nothing that denies. */
static void what_is_shared_holds_up_nothing(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "deny", 0, "{}", false);
  add(f, "ns", "ended", 2, "{}", true);
  settle(f);
  expect(f, "deny", true, 0);
  expect(f, "ended", true, 0);
  clear(f);
  add(f, "ns", "deny", 0, "{}", false);
  add(f, "ns", "probes", 1, "{}", false);
  add(f, "ns", "allow", 2, "{}", true);
  of_other(f);
  settle(f);
  expect(f, "probes", true, -EBUSY);
  expect(f, "allow", true, 0);
  expect(f, "ended", false, 0);
  expect(f, "", false, 0);
}

/* It changes while it is on its way: what was wanted meanwhile is not lost. */
static void a_change_during_a_job_is_another_job(void **state) {
  struct fixture *f = *state;
  struct stock_job job;
  add(f, "ns", "p", 0, "{\"spec\":\"a\"}", true);
  settle(f);
  assert_int_equal(stock_next(f->stock, 0, &job), 1);
  clear(f);
  add(f, "ns", "p", 0, "{\"spec\":\"b\"}", true);
  settle(f);
  expect(f, "", false, 0); /* one at a time */
  assert_int_equal(stock_done(f->stock, &job, 0), 0);
  stock_job_finish(&job);
  assert_int_equal(stock_next(f->stock, 0, &job), 1);
  assert_string_equal(json_string_value(json_object_get(job.body, "spec")), "b");
  clear(f);
  settle(f);
  assert_int_equal(stock_done(f->stock, &job, 0), 0);
  stock_job_finish(&job);
  expect(f, "p", false, 0);
  expect(f, "", false, 0);
}

static void parts_change_what_differs_and_nothing_else(void **state) {
  struct fixture *f = *state;
  struct fixture before = *f, after = *f;
  size_t changes = 0;
  before.response.objects = before.list;
  after.response.objects = after.list;
  add(f, "ns", "changed", 0, "{\"spec\":\"a\"}", true);
  add(f, "ns", "gone", 0, "{\"spec\":\"a\"}", true);
  add(f, "ns", "elsewhere", 0, "{\"spec\":\"a\"}", true);
  settle(f);
  for (int i = 0; i < 3; i++) {
    struct stock_job job;
    assert_int_equal(stock_next(f->stock, 0, &job), 1);
    (void)stock_done(f->stock, &job, 0);
    stock_job_finish(&job);
  }
  add(&before, "ns", "changed", 0, "{\"spec\":\"a\"}", true);
  add(&before, "ns", "gone", 0, "{\"spec\":\"a\"}", true);
  add(&before, "ns", "whole", 0, "{\"spec\":\"w\"}", false);
  add(&after, "ns", "changed", 0, "{\"spec\":\"b\"}", true);
  add(&after, "ns", "new", 0, "{\"spec\":\"n\"}", true);
  assert_int_equal(stock_change(f->stock, &before.response, &after.response, 0, &changes), 0);
  assert_int_equal(changes, 3);
  expect(f, "changed", true, 0);
  expect(f, "new", true, 0);
  expect(f, "gone", false, 0);
  expect(f, "", false, 0);
  /* What was wanted is not what these resources came to: others had a part in it. */
  assert_int_equal(stock_change(f->stock, &before.response, &after.response, 0, &changes), -ESTALE);
  expect(f, "", false, 0);
}

static void what_is_of_kinds_that_are_not_served_stays(void **state) {
  struct fixture *f = *state;
  json_auto_t *object = made_before("p", 0);
  stock_without(f->stock, 1u << SMI_TRAFFIC_TARGET);
  assert_int_equal(stock_see(f->stock, object, 1), 0);
  expect(f, "", false, 0);
  stock_without(f->stock, 1u << SMI_TRAFFIC_SPLIT);
  expect(f, "p", false, 0);
}

/* What narrows what another one allows is there until that is gone, also when neither was ever wanted by this watch. */
static void the_order_outlives_a_restart(void **state) {
  struct fixture *f = *state;
  json_auto_t *filter = made_before("filter", 1), *allow = made_before("allow", 2);
  assert_int_equal(stock_see(f->stock, filter, 1), 0);
  assert_int_equal(stock_see(f->stock, allow, 1), 0);
  expect(f, "allow", false, -EBUSY);
  expect(f, "", false, 0);
  stock_miss(f->stock, allow);
  expect(f, "filter", false, 0);
}

/* Until it is applied it stands as it came from t. */
static void what_it_came_from_counts_until_it_has_changed(void **state) {
  struct fixture *f = *state;
  add(f, "ns", "filter", 1, "{}", true);
  add(f, "ns", "allow", 2, "{}", true);
  settle(f);
  expect(f, "filter", true, 0);
  expect(f, "allow", true, 0);
  clear(f);
  add(f, "ns", "allow", 2, "{\"spec\":\"u\"}", true);
  of_other(f);
  settle(f);
  expect(f, "allow", true, -EBUSY);
  expect(f, "", false, 0);
  clear(f);
  add(f, "ns", "allow", 2, "{\"spec\":\"v\"}", true);
  of_other(f);
  settle(f);
  expect(f, "allow", true, 0);
  expect(f, "filter", false, 0);
}

/* What it says of its wave may be anything. */
static void an_object_says_its_wave(void **state) {
  static const char *const texts[] = {"8", "", "-1", "11", "x", "1 "};
  struct fixture *f = *state;
  struct stock_job job;
  add(f, "ns", "p", 3, "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}", true);
  settle(f);
  assert_int_equal(stock_next(f->stock, 0, &job), 1);
  json_t *annotations = json_object_get(json_object_get(job.body, "metadata"), "annotations");
  assert_string_equal(json_string_value(json_object_get(annotations, "a")), "b");
  assert_int_equal(marks_wave(job.body, 8, 0), 3);
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    assert_int_equal(json_object_set_new(annotations, MARKS_WAVE_ANNOTATION, json_string(texts[i])), 0);
    assert_int_equal(marks_wave(job.body, 8, 5), 5);
  }
  assert_int_equal(json_object_del(annotations, MARKS_WAVE_ANNOTATION), 0);
  assert_int_equal(marks_wave(job.body, 8, 5), 5);
  (void)stock_done(f->stock, &job, 0);
  stock_job_finish(&job);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(what_others_add_is_work_to_do),
      TEST(what_comes_back_again_and_again_is_left),
      TEST(what_was_refused_and_is_gone_is_made_at_once),
      TEST(waves_are_applied_upwards_and_removed_downwards),
      TEST(a_failure_holds_up_its_namespace_alone),
      TEST(what_allows_stays_while_what_denies_is_lacking),
      TEST(what_is_not_wanted_goes_beside_a_failure),
      TEST(what_is_renamed_stays_until_it_is_there_again),
      TEST(a_namespace_without_objects_is_nothing_to_keep),
      TEST(what_is_there_as_wanted_is_left_alone),
      TEST(what_is_shared_holds_up_nothing),
      TEST(a_change_during_a_job_is_another_job),
      TEST(parts_change_what_differs_and_nothing_else),
      TEST(what_is_of_kinds_that_are_not_served_stays),
      TEST(the_order_outlives_a_restart),
      TEST(what_it_came_from_counts_until_it_has_changed),
      TEST(an_object_says_its_wave),
  };
  return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
