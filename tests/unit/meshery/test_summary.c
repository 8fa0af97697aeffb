/* A report in the words of Meshery's family. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/meshery/conformance_service.h"
#include "host/meshery/summary.h"

static const char report[] =
    "{\"mesh\":{\"version\":\"1.2\"},\"cases\":["
    "{\"id\":\"a\",\"title\":\"A\",\"group\":\"access\",\"column\":{\"label\":\"access/v1alpha3 "
    "specs/v1alpha2\",\"access\":\"v1alpha3\",\"specs\":\"v1alpha2\"},\"outcome\":\"passed\",\"reason\":null,"
    "\"durationNs\":1500000000,\"coverage\":[{\"level\":\"exact\"}]},"
    "{\"id\":\"b\",\"title\":\"B\",\"group\":\"specs\",\"column\":{\"access\":\"v1alpha3\",\"specs\":\"v1alpha2\"},"
    "\"outcome\":\"failed\",\"reason\":\"it was allowed\",\"coverage\":[{\"level\":\"exact\"},{\"level\":"
    "\"approximated\"}]},"
    "{\"id\":\"c\",\"title\":\"C\",\"group\":\"split\",\"column\":{\"split\":\"v1alpha4\"},\"outcome\":\"skipped\","
    "\"reason\":\"the mesh has no splits\",\"coverage\":[{\"level\":\"unsupported\"}]},"
    "{\"id\":\"d\",\"title\":\"D\",\"group\":\"metrics\",\"column\":{\"metrics\":\"v1alpha1\"},\"outcome\":\"error\","
    "\"reason\":\"no pod\",\"coverage\":[]},"
    "{\"id\":\"e\",\"title\":\"E\",\"group\":\"access\",\"column\":{},\"outcome\":\"informative\"}]}";

static void verdicts_are_those_of_the_report(void **state) {
  struct summary summary;
  (void)state;
  assert_int_equal(summary_read(report, strlen(report), &summary, NULL), 0);
  const struct verdict *verdicts = summary.verdicts;
  assert_int_equal(summary.count, 4); /* an informative case judges nothing */
  assert_string_equal(summary.mesh_version, "1.2");
  assert_string_equal(verdicts[0].smi_spec, "traffic-access");
  assert_string_equal(verdicts[0].version, "v1alpha3");
  assert_true(verdict_passed(&verdicts[0]));
  assert_true(verdicts[0].seconds == 1.5);
  assert_int_equal(verdicts[0].capability, SMI_CONFORMANCE__CAPABILITY__FULL);
  assert_string_equal(verdicts[1].smi_spec, "traffic-specs");
  assert_string_equal(verdicts[1].version, "v1alpha2");
  assert_string_equal(verdicts[1].code, "failed");
  assert_string_equal(verdicts[1].reason, "it was allowed");
  assert_int_equal(verdicts[1].capability, SMI_CONFORMANCE__CAPABILITY__HALF);
  assert_string_equal(verdicts[2].code, "skipped");
  assert_int_equal(verdicts[2].capability, SMI_CONFORMANCE__CAPABILITY__NONE);
  assert_string_equal(verdicts[3].code, "not-judged");
  assert_false(verdict_passed(&verdicts[3]));
  summary_finish(&summary);
}

/* What was not judged is no pass; what was skipped is not counted. */
static void the_percentage_is_of_what_was_to_be_judged(void **state) {
  struct summary summary;
  (void)state;
  assert_int_equal(summary_read(report, strlen(report), &summary, NULL), 0);
  assert_int_equal(summary.passed, 1);
  assert_int_equal(summary.judged, 3);
  assert_true(summary_percent(&summary) > 33.3 && summary_percent(&summary) < 33.4);
  summary_finish(&summary);
  static const char none[] = "{\"cases\":[]}";
  assert_int_equal(summary_read(none, strlen(none), &summary, NULL), 0);
  assert_true(summary_percent(&summary) == 0);
  summary_finish(&summary);
}

static void what_is_no_report_is_refused(void **state) {
  static const char *const wrong[] = {"", "[]", "{}", "{\"cases\":3}", "{\"cases\":[]"};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct summary summary;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(summary_read(wrong[i], strlen(wrong[i]), &summary, &err), -EINVAL);
  }
}

static void meshes_have_the_numbers_of_the_specification(void **state) {
  mesh_type type;
  (void)state;
  assert_true(mesh_type_named("OPEN_SERVICE_MESH", &type));
  assert_int_equal(type, 10);
  assert_true(mesh_type_named("LINKERD", &type));
  assert_int_equal(type, 5);
  assert_false(mesh_type_named("REFERENCE", &type));
  assert_int_equal(type, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verdicts_are_those_of_the_report),
      cmocka_unit_test(the_percentage_is_of_what_was_to_be_judged),
      cmocka_unit_test(what_is_no_report_is_refused),
      cmocka_unit_test(meshes_have_the_numbers_of_the_specification),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
