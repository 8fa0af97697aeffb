/* Who owns fields of an object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/engine/managers.h"

#define OURS "\"manager\":\"trammel-watch/istio\",\"operation\":\"Apply\""
#define ENTRY_OF_OURS "{" OURS ",\"fieldsV1\":{\"f:spec\":{\"f:selector\":{}}}}"

/* An object with the `spec` and, besides ours, the entry of managedFields. */
static json_t *object(const char *spec, const char *entry) {
  json_t *parsed = json_loads(spec, 0, NULL);
  json_t *managers = json_loads("[" ENTRY_OF_OURS "]", 0, NULL);
  if (entry)
    assert_int_equal(json_array_append_new(managers, json_loads(entry, 0, NULL)), 0);
  json_t *made = json_pack("{s:s, s:{s:s, s:o}, s:o}", "kind", "Policy", "metadata", "name", "p", "managedFields",
                           managers, "spec", parsed);
  assert_non_null(made);
  return made;
}

/* Expects that the one at `path` is found ("" for none), and whether a change of a list is. */
static void expect(const char *wanted_spec, const char *spec, const char *entry, const char *path, bool touched) {
  json_auto_t *wanted = object(wanted_spec, NULL), *there = object(spec, entry);
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
  const char *owner = managers_added(there, wanted, "trammel-watch/istio", &found);
  assert_string_equal(strbuf_text(&found), path);
  if (*path)
    assert_string_equal(owner, "kubectl");
  else
    assert_null(owner);
  assert_int_equal(managers_touched(there, wanted, "trammel-watch/istio"), touched);
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
  assert_true(managers_touched(there, wanted, "trammel-watch/istio"));
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
    assert_false(managers_touched(there, wanted, "m"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_others_add_is_found),           cmocka_unit_test(what_a_server_fills_in_is_nobodys),
      cmocka_unit_test(what_is_wanted_may_be_of_several),   cmocka_unit_test(metadata_and_status_are_not_meant),
      cmocka_unit_test(a_list_of_others_is_compared_whole), cmocka_unit_test(who_applied_is_told),
      cmocka_unit_test(what_is_no_object_has_no_managers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
