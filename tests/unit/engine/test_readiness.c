/* Whether a mesh has taken an object, by the conditions that its adapter names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/readiness.h"

#define TRUE_AT(type, generation) "{\"type\":\"" type "\",\"status\":\"True\",\"observedGeneration\":" generation "}"
#define OBJECT(spec, status) "{\"metadata\":{\"generation\":2},\"spec\":{" spec "},\"status\":{" status "}}"
#define PARENT(conditions) "{\"conditions\":[" conditions "]}"
#define ONE "\"parentRefs\":[{\"name\":\"a\"}]"
#define TWO "\"parentRefs\":[{\"name\":\"a\"},{\"name\":\"b\"}]"
#define BOTH TRUE_AT("Accepted", "2") "," TRUE_AT("ResolvedRefs", "2")

static void assert_is(const char *text, enum readiness wanted, const char *why) {
  static char accepted[] = "Accepted", resolved[] = "ResolvedRefs";
  char *types[] = {accepted, resolved};
  json_auto_t *object = json_loads(text, 0, NULL);
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
  assert_non_null(object);
  assert_int_equal(readiness_of(object, types, 2, &found), wanted);
  if (!strstr(strbuf_text(&found), why))
    fail_msg("\"%s\" is not in \"%s\"", why, strbuf_text(&found));
}

static void each_parent_has_to_take_it(void **state) {
  (void)state;
  assert_is(OBJECT(ONE, "\"parents\":[" PARENT(BOTH) "]"), READINESS_READY, "");
  assert_is(OBJECT(TWO, "\"parents\":[" PARENT(BOTH) "]"), READINESS_SILENT, "each of its parents");
  assert_is(OBJECT(TWO, "\"parents\":[" PARENT(BOTH) "," PARENT(BOTH) "]"), READINESS_READY, "");
  assert_is(OBJECT(TWO, "\"parents\":[" PARENT(BOTH) "," PARENT(TRUE_AT("Accepted", "2")) "]"), READINESS_SILENT,
            "ResolvedRefs");
  assert_is(OBJECT(ONE, "\"parents\":[]"), READINESS_SILENT, "its parents");
  assert_is(OBJECT(ONE, ""), READINESS_SILENT, "its parents");
}

static void an_object_without_parents_has_conditions_of_its_own(void **state) {
  (void)state;
  assert_is(OBJECT("", "\"conditions\":[" BOTH "]"), READINESS_READY, "");
  assert_is(OBJECT("", "\"conditions\":[" TRUE_AT("Other", "2") "]"), READINESS_SILENT, "Accepted");
  assert_is(OBJECT("", ""), READINESS_SILENT, "Accepted");
  assert_is("{}", READINESS_SILENT, "Accepted");
}

static void what_was_said_of_an_older_one_does_not_count(void **state) {
  (void)state;
  assert_is(OBJECT("", "\"conditions\":[" TRUE_AT("Accepted", "1") "," TRUE_AT("ResolvedRefs", "2") "]"),
            READINESS_SILENT, "since it was changed");
  assert_is(OBJECT("", "\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"}," TRUE_AT("ResolvedRefs", "2") "]"),
            READINESS_READY, "");
}

static void what_is_not_true_is_told(void **state) {
  (void)state;
  assert_is(OBJECT(ONE, "\"parents\":[" PARENT(TRUE_AT(
                            "Accepted", "2") ",{\"type\":\"ResolvedRefs\",\"status\":\"False\",\"reason\":"
                                             "\"BackendNotFound\",\"message\":\"no b\",\"observedGeneration\":2}") "]"),
            READINESS_REFUSED, "its condition ResolvedRefs is False (BackendNotFound): no b");
  assert_is(OBJECT("", "\"conditions\":[{\"type\":\"Accepted\",\"status\":\"Unknown\"}]"), READINESS_REFUSED,
            "Unknown");
}

static void without_conditions_it_is_ready(void **state) {
  json_auto_t *object = json_object();
  (void)state;
  assert_int_equal(readiness_of(object, NULL, 0, NULL), READINESS_READY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_parent_has_to_take_it),
      cmocka_unit_test(an_object_without_parents_has_conditions_of_its_own),
      cmocka_unit_test(what_was_said_of_an_older_one_does_not_count),
      cmocka_unit_test(what_is_not_true_is_told),
      cmocka_unit_test(without_conditions_it_is_ready),
  };
  return cmocka_run_group_tests_name("readiness", tests, NULL, NULL);
}
