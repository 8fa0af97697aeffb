/* Who owns fields of an object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "host/engine/managers.h"

#define OURS "\"manager\":\"trammel-watch/istio\",\"operation\":\"Apply\""
#define RULES_OF(operation)                                                                                            \
  "{\"manager\":\"kubectl\",\"operation\":\"" operation "\",\"fieldsV1\":{\"f:spec\":{\"f:rules\":{}}}}"
#define ENTRY_OF_OURS "{" OURS ",\"fieldsV1\":{\"f:spec\":{\"f:selector\":{}}}}"

static char mesh_domain[] = "mesh.example";
static char *const domains[] = {mesh_domain};
static const struct managers_view view = {.manager = "trammel-watch/istio", .domains = domains, .domain_count = 1};

/* An object with the `spec` and, besides ours, the entry of managedFields. */
static json_t *object(const char *spec, const char *entry) {
  json_t *parsed = json_loads(spec, 0, NULL);
  json_t *managers = json_loads("[" ENTRY_OF_OURS "]", 0, NULL);
  if (entry)
    assert_int_equal(json_array_append_new(managers, json_loads(entry, 0, NULL)), 0);
  json_t *made = json_pack("{s:s, s:s, s:{s:s, s:o}, s:o}", "apiVersion", "security.istio.io/v1", "kind", "Policy",
                           "metadata", "name", "p", "managedFields", managers, "spec", parsed);
  assert_non_null(made);
  return made;
}

/* Expects that the one at `path` is found ("" for none), and whether a change of a list is. */
static void expect(const char *wanted_spec, const char *spec, const char *entry, const char *path, bool touched) {
  json_auto_t *wanted = object(wanted_spec, NULL), *there = object(spec, entry);
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
  const char *owner = managers_added(there, wanted, &view, &found);
  assert_string_equal(strbuf_text(&found), path);
  if (*path)
    assert_string_equal(owner, "kubectl");
  else
    assert_null(owner);
  assert_int_equal(managers_touched(there, wanted, &view), touched);
}

static void what_others_add_is_found(void **state) {
  (void)state;
  expect("{}", "{\"rules\":[{}]}",
         "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:rules\":{}}}}", "spec.rules",
         true);
  expect("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}",
         "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:a\":{\".\":{},\"f:c\":{}}}}}",
         "spec.a.c", true);
  /* An apply of another's. */
  expect("{}", "{\"rules\":[{}]}",
         "{\"manager\":\"kubectl\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":{\"f:rules\":{}}}}", "spec.rules",
         true);
  /* Our name, but not our apply. */
  json_auto_t *wanted = object("{}", NULL),
              *there = object("{\"rules\":[{}]}", "{\"manager\":\"trammel-watch/istio\",\"operation\":\"Update\","
                                                  "\"fieldsV1\":{\"f:spec\":{\"f:rules\":{}}}}");
  assert_true(managers_touched(there, wanted, &view));
}

static void what_a_server_fills_in_is_nobodys(void **state) {
  (void)state;
  expect("{}", "{\"action\":\"ALLOW\"}", NULL, "", false);
}

static void what_is_wanted_may_be_of_several(void **state) {
  (void)state;
  expect("{\"rules\":[{\"a\":1}],\"x\":2}", "{\"rules\":[{\"a\":1}],\"x\":3}",
         "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:rules\":{},\"f:x\":{}}}}", "",
         false);
}

static void metadata_and_status_are_not_meant(void **state) {
  (void)state;
  expect("{}", "{}",
         "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\"f:a\":{}}},"
         "\"f:status\":{\"f:conditions\":{}}}}",
         "", false);
}

static void a_list_of_others_is_compared_whole(void **state) {
  (void)state;
  static const char entry[] =
      "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:rules\":{}}}}";
  expect("{\"rules\":[{\"a\":1}]}", "{\"rules\":[{\"a\":1,\"b\":2}]}", entry, "", true);
  /* What a server fills in is not told from what others add, but only where others own it. */
  expect("{\"rules\":[{\"a\":1}]}", "{\"rules\":[{\"a\":1,\"b\":2}]}", NULL, "", false);
}

/* All of ours is there, in its order. */
static void what_others_add_to_a_list_is_found(void **state) {
  (void)state;
  expect("{\"rules\":[{\"a\":1}]}", "{\"rules\":[{\"b\":2},{\"a\":1}]}", RULES_OF("Update"), "spec.rules", true);
  expect("{\"rules\":[{\"a\":1},{\"b\":2}]}", "{\"rules\":[{\"b\":2},{\"a\":1},{}]}", RULES_OF("Update"), "", true);
}

/* Expects what undoes it, and whether it is an addition alone. */
static void expect_undone(const char *wanted_spec, const char *spec, const char *entry, const char *patch, bool alone) {
  json_auto_t *wanted = object(wanted_spec, NULL), *there = object(spec, entry);
  json_auto_t *made = managers_undo(there, wanted, &view), *expected = json_loads(patch, 0, NULL);
  assert_non_null(expected);
  if (!json_equal(made, expected))
    fail_msg("%s", json_dumps(made, 0));
  assert_int_equal(managers_only_added(there, wanted, &view), alone);
}

static void what_others_add_is_undone_and_nothing_else(void **state) {
  (void)state;
  expect_undone("{}", "{\"rules\":[{}]}", RULES_OF("Update"), "{\"spec\":{\"rules\":null}}", true);
  expect_undone("{}", "{\"rules\":[{}]}", RULES_OF("Apply"), "{\"spec\":{\"rules\":null}}", true);
  expect_undone("{\"rules\":[{\"a\":1}]}", "{\"rules\":[{\"a\":1,\"default\":0},{}]}", RULES_OF("Update"),
                "{\"spec\":{\"rules\":[{\"a\":1}]}}", true);
  expect_undone("{\"rules\":[{\"a\":1}]}", "{\"rules\":[{\"a\":2}]}", RULES_OF("Update"), "{}", false);
  expect_undone(
      "{\"a\":{\"b\":1},\"x\":1}", "{\"a\":{\"b\":1,\"c\":2,\"d\":3},\"x\":2}",
      "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:a\":{\"f:c\":{},\"f:d\":{}},"
      "\"f:x\":{}}}}",
      "{\"spec\":{\"a\":{\"c\":null,\"d\":null}}}", false);
  expect_undone("{}", "{\"action\":\"ALLOW\"}", NULL, "{}", false);
}

#define NOTES(map, name)                                                                                               \
  "{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{\"f:" map "\":{\".\":{},\"f:" name  \
  "\":{}}}}}"

/* By what a mesh is told in labels and annotations, a policy may be no policy. */
static void what_labels_and_annotations_tell_a_mesh_is_found(void **state) {
  static const char *const telling[] = {"istio.io/dry-run", "security.istio.io/x", "mesh.example/mode",
                                        "policy.mesh.example/mode"};
  static const char *const others[] = {"plain",
                                       "io/x",
                                       "kubectl.kubernetes.io/last-applied-configuration",
                                       "sidecar.istio.io/x",
                                       "notistio.io/x",
                                       "example/x",
                                       "evilmesh.example/x",
                                       "/x",
                                       "trammel.dev/wave"};
  (void)state;
  for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++) {
    char entry[512], path[128], patch[128];
    (void)snprintf(entry, sizeof(entry), NOTES("annotations", "%s"), telling[i]);
    (void)snprintf(path, sizeof(path), "metadata.annotations.%s", telling[i]);
    (void)snprintf(patch, sizeof(patch), "{\"metadata\":{\"annotations\":{\"%s\":null}}}", telling[i]);
    expect("{}", "{}", entry, path, true);
    expect_undone("{}", "{}", entry, patch, true);
    (void)snprintf(entry, sizeof(entry), NOTES("labels", "%s"), telling[i]);
    (void)snprintf(path, sizeof(path), "metadata.labels.%s", telling[i]);
    expect("{}", "{}", entry, path, true);
    (void)snprintf(entry, sizeof(entry), NOTES("finalizers", "%s"), telling[i]);
    expect("{}", "{}", entry, "", false);
  }
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    char entry[512];
    (void)snprintf(entry, sizeof(entry), NOTES("annotations", "%s"), others[i]);
    expect("{}", "{}", entry, "", false);
    expect_undone("{}", "{}", entry, "{}", false);
  }
}

static void who_applied_is_told(void **state) {
  (void)state;
  json_auto_t *there = object("{}", "{\"manager\":\"kubectl\",\"operation\":\"Update\"}");
  assert_true(managers_applied(there, "trammel-watch/istio"));
  assert_false(managers_applied(there, "kubectl"));
  assert_false(managers_applied(there, "trammel/istio"));
}

static void what_is_no_object_has_no_managers(void **state) {
  (void)state;
  static const char many[] = "{\"metadata\":{\"managedFields\":[1,{},{\"fieldsV1\":[]},"
                             "{\"manager\":1,\"fieldsV1\":{\"f:spec\":3}}]},\"spec\":[]}";
  static const char *const odd[] = {"{}", "{\"metadata\":[]}", "{\"metadata\":{\"managedFields\":{}}}", many};
  json_auto_t *wanted = object("{}", NULL);
  for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
    json_auto_t *there = json_loads(odd[i], 0, NULL);
    assert_non_null(there);
    assert_false(managers_applied(there, "m"));
    assert_false(managers_touched(there, wanted, &(struct managers_view){.manager = "m"}));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_others_add_is_found),
      cmocka_unit_test(what_a_server_fills_in_is_nobodys),
      cmocka_unit_test(what_is_wanted_may_be_of_several),
      cmocka_unit_test(metadata_and_status_are_not_meant),
      cmocka_unit_test(a_list_of_others_is_compared_whole),
      cmocka_unit_test(who_applied_is_told),
      cmocka_unit_test(what_is_no_object_has_no_managers),
      cmocka_unit_test(what_others_add_to_a_list_is_found),
      cmocka_unit_test(what_others_add_is_undone_and_nothing_else),
      cmocka_unit_test(what_labels_and_annotations_tell_a_mesh_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
