/* Every form of a report that a run can write, from one run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"

static const struct {
  const char *format;
  const char *begin;    /* the text's first characters */
  const char *contains; /* what it says of the case */
} forms[] = {
    {"json", "{", "access/http/unlisted-source"},
    {"junit", "<?xml", "access/http/unlisted-source"},
    {"markdown", "# ", "| access | "},
    {"html", "<!DOCTYPE html>", "<code>access/http/unlisted-source</code>"},
    {"badge", "<svg ", "SMI conformance: 1/1 in part"},
    {"tap", "TAP version 14\n1..1\n", "ok 1 - access/http/unlisted-source [access/v1alpha3 specs/v1alpha4]\n"},
    {"gateway-api", "# trammel ", "\napiVersion: gateway.networking.k8s.io/v1\n"},
};

static void assert_form(const char *directory, size_t i) {
  _cleanup_free_ char *path = NULL;
  _cleanup_free_ char *text = NULL;
  size_t length;
  assert_true(asprintf(&path, "%s/%s", directory, forms[i].format) > 0);
  assert_int_equal(file_read(path, FILE_READ_MAX, &text, &length, NULL), 0);
  if (strncmp(text, forms[i].begin, strlen(forms[i].begin)) != 0 || !strstr(text, forms[i].contains))
    fail_msg("%s: %s", forms[i].format, text);
}

static void one_run_writes_them_all(void **state) {
  (void)state;
  char *directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", directory, 1);
  char *outputs[ARRAY_COUNT(forms)];
  const char *argv[32] = {"trammel",        "conformance",    "run", "-q", "--case", "access/http/unlisted-source",
                          "--spec-version", "access/v1alpha3"};
  size_t count = 8;
  for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
    assert_true(asprintf(&outputs[i], "%s=%s/%s", forms[i].format, directory, forms[i].format) > 0);
    argv[count++] = "-o";
    argv[count++] = outputs[i];
  }
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != 0)
    fail_msg("exit %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
    assert_form(directory, i);
    free(outputs[i]);
  }
  command_result_finish(&result);
  scratch_remove(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_run_writes_them_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
