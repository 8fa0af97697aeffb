/* What an adapter puts over pods. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/overlay.h"
#include "sdk/base/memory.h"

static int read_text(const char *text, json_t **ret_overlay, struct error **err) {
  Trammel__Adapter__V1__EnrollResponse enrolment = TRAMMEL__ADAPTER__V1__ENROLL_RESPONSE__INIT;

  enrolment.pod_template_overlay =
      (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)text, .len = text ? strlen(text) : 0};
  return overlay_read(&enrolment, ret_overlay, err);
}

static void an_overlay_is_an_object_or_none(void **state) {
  json_auto_t *none = json_true(), *object = NULL, *unread = NULL;
  _cleanup_error_ struct error *err = NULL;

  (void)state;
  assert_int_equal(read_text(NULL, &none, NULL), 0);
  assert_null(none);
  assert_int_equal(read_text("{\"metadata\":{}}", &object, NULL), 0);
  assert_int_equal(json_object_size(object), 1);
  assert_int_equal(read_text("[1]", &unread, NULL), -EPROTO);
  assert_int_equal(read_text("{\"a\":1,\"a\":2}", &unread, &err), -EPROTO);
  assert_non_null(strstr(error_message(err), "duplicate"));
  assert_null(unread);
}

static void a_null_anywhere_removes(void **state) {
  json_auto_t *adds = json_pack("{s:{s:{s:s}}, s:[n]}", "metadata", "labels", "a", "b", "list");
  json_auto_t *removes = json_pack("{s:{s:{s:n}}}", "metadata", "labels", "a");

  (void)state;
  assert_false(overlay_removes(adds)); /* a list is replaced as a whole */
  assert_true(overlay_removes(removes));
  assert_false(overlay_removes(NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_overlay_is_an_object_or_none),
      cmocka_unit_test(a_null_anywhere_removes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
