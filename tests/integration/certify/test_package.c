/* trammel adapter check of packages, and what the commands that list them tell of it. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/certify/fixture.h"

/* The package of an adapter without a flaw. */
static const char *pack_sound(void) {
  static char path[4096];
  (void)snprintf(path, sizeof path, "%s/sound.trm", fixture_directory);
  free(fixture_output(
      (const char *[]){"trammel", "adapter", "pack", fixture_flawed("sound"), "--licence", "MIT", "-o", path, NULL},
      0));
  return path;
}

static void the_report_of_a_package_is_kept_and_told(void **state) {
  (void)state;
  const char *package = pack_sound();
  char sound[4096];
  (void)snprintf(sound, sizeof sound, "%s", fixture_flawed("sound"));
  /* One that was built, by itself, was checked by an earlier test: this data directory is new. */
  char data[4096], before[4096];
  (void)snprintf(before, sizeof before, "%s", getenv("TRAMMEL_DATA_DIR"));
  (void)snprintf(data, sizeof data, "%s/data-2", fixture_directory);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", data, 1), 0);
  const char *const install[] = {"trammel", "adapter", "install", "--allow-unsigned", package, NULL};
  const char *const list[] = {"trammel", "adapter", "list", NULL};
  const char *const show[] = {"trammel", "adapter", "show", "flawed", NULL};
  fixture_require_said(install, 0, "not checked");
  fixture_require_said(list, 0, "    not checked");
  fixture_require_said(show, 0, "checked        not checked");

  int code;
  json_t *report = fixture_check(package, NULL, &code);
  assert_int_equal(code, 0);
  assert_string_equal(report_text(json_object_get(report, "file"), "kind"), "package");
  report_require_schema(report);
  fixture_require_said(list, 0, "    checked: 16 passed, 0 warnings, 0 failed, by Trammel");
  fixture_require_said(show, 0, "checked        16 passed, 0 warnings, 0 failed, by Trammel");
  fixture_require_said(install, 0, "    checked: 16 passed");
  fixture_require_said((const char *[]){"trammel", "adapter", "list", "-o", "json", NULL}, 0, "\"passed\": 16");

  char kept[4096 + 128];
  (void)snprintf(kept, sizeof kept, "%s/checks/%s.json", data, report_text(json_object_get(report, "file"), "sha256"));
  FILE *out = fopen(kept, "r+e");
  assert_non_null(out);
  assert_true(fputs("damaged", out) >= 0 && fclose(out) == 0);
  fixture_require_code(list, 0, "a report of a check is left out");
  fixture_require_said(list, 0, "    not checked");
  json_decref(report);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", before, 1), 0);
}

/* The package of an adapter without a flaw, with a manifest that was edited. */
static const char *pack_edited(const char *edit) {
  static char edited[4096];
  char script[9000];
  const char *package = pack_sound();
  (void)snprintf(edited, sizeof edited, "%s/edited.trm", fixture_directory);
  (void)snprintf(script, sizeof script,
                 "cd '%s' && rm -rf unpacked && mkdir unpacked && tar -xf '%s' -C unpacked && cd unpacked && "
                 "sed -i '%s' manifest.json && tar --format=ustar -czf '%s' *",
                 fixture_directory, package, edit, edited);
  assert_int_equal(system(script), 0);
  return edited;
}

static void a_package_for_another_machine_cannot_be_checked(void **state) {
  (void)state;
  const char *package = pack_edited("s#\"arch\": *\"[^\"]*\"#\"arch\": \"abacus\"#");
  fixture_require_code((const char *[]){"trammel", "adapter", "check", package, NULL}, 3, "it is for linux on abacus");
}

/* The digests of a package hold its files, not its manifest: unless somebody signs that, it may say anything. */
static void a_manifest_that_says_something_else_is_found(void **state) {
  int code;
  (void)state;
  json_t *report = fixture_check(pack_edited("s#/v1/#/v9/#"), "descriptor", &code);
  const json_t *one = report_find(report, "descriptor");
  assert_int_equal(code, 1);
  assert_string_equal(report_text(one, "verdict"), "failed");
  assert_non_null(strstr(report_text(one, "reason"), "pack the adapter again"));
  json_decref(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_report_of_a_package_is_kept_and_told),
      cmocka_unit_test(a_package_for_another_machine_cannot_be_checked),
      cmocka_unit_test(a_manifest_that_says_something_else_is_found),
  };
  return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
