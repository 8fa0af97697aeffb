/* Packages on the command line: packed, signed, installed, listed and refused, as people do it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/signing/signature.h"
#include "sdk/base/document.h"
#include "tests/integration/cli/packages.h"
#include "tests/support/command.h"

/* ---- installing */

static void only_what_a_trusted_key_signed_is_installed(void **state) {
  (void)state;
  char package[PATH_SIZE];
  packages_path(package, "packages", "1.0.0");
  packages_expect(1, "no trusted key has signed it", "install", package, NULL);
  packages_expect(0, "is trusted", "trust", "add", "other", kept.other_public, NULL);
  packages_expect(1, "no trusted key has signed it", "install", package, NULL);
  packages_expect(0, "no adapter is installed", "verify", NULL);
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "versioned 1.0.0: installed, signed by vendor", "install", package, NULL);
  packages_expect(0, "nothing to do", "install", package, NULL);
  packages_expect(0, "good, signed by vendor", "verify", NULL);
  packages_expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  packages_expect(1, "which is not trusted", "verify", "versioned", NULL);
}

static void what_is_unsigned_is_installed_by_an_explicit_word_and_told(void **state) {
  (void)state;
  char package[PATH_SIZE];
  packages_path(package, "packages", "1.0.0");
  packages_expect(0, "trammel: warning: versioned 1.0.0 is installed without a trusted signature", "install", package,
                  "--allow-unsigned", NULL);
  json_t *list = packages_output("verify", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_true(json_is_true(json_object_get(one, "good")));
  assert_true(json_is_null(json_object_get(one, "keyId")));
  assert_string_equal(packages_text_of(one, "source"), package);
  json_decref(list);
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "written down anew, signed by vendor", "install", package, NULL);
  packages_expect(0, "good, signed by vendor", "verify", NULL);
}

static void a_version_goes_back_and_forth_and_away(void **state) {
  (void)state;
  char first[PATH_SIZE], second[PATH_SIZE];
  packages_path(first, "packages", "1.0.0");
  packages_path(second, "packages", "1.2.0");
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "installed", "install", first, NULL);
  packages_expect(2, "no previous version", "rollback", "versioned", NULL);
  packages_expect(0, "1.0.0 was in use before", "install", second, NULL);
  packages_expect(0, "versioned 1.0.0: in use again", "rollback", "versioned", NULL);
  packages_expect(0, "versioned 1.2.0: in use again", "rollback", "versioned", NULL);
  packages_expect(2, "came from", "upgrade", "versioned", NULL);
  packages_expect(0, "came from an index", "upgrade", NULL);
  packages_expect(0, "removed", "remove", "versioned", NULL);
  packages_expect(2, "no adapter \"versioned\" is installed", "remove", "versioned", NULL);
  packages_expect(2, "no adapter \"versioned\" is installed", "rollback", "versioned", NULL);
  packages_expect(2, "no adapter \"versioned\" is installed", "verify", "versioned", NULL);
  packages_expect(2, "no adapter \"versioned\" is installed", "upgrade", "versioned", NULL);
}

static void expect_doctor(const char *text, bool good) {
  const char *argv[] = {"trammel", "doctor", NULL};
  struct command_result result;
  command_run(argv, NULL, RUN_S, &result);
  if (!strstr(strbuf_text(&result.out), text) || (!good && result.exit_code != 1))
    fail_msg("expected \"%s\", found %d:\n%s", text, result.exit_code, strbuf_text(&result.out));
  command_result_finish(&result);
}

/* Of `trammel adapter list -o json`. Borrowed. */
static const json_t *entry_of(const json_t *list, const char *id) {
  const json_t *entry;
  size_t i;
  json_array_foreach(list, i, entry) {
    if (strcmp(packages_text_of(entry, "id"), id) == 0)
      return entry;
  }
  fail_msg("no adapter %s is listed", id);
  return NULL;
}

static void a_changed_file_is_found_and_put_back(void **state) {
  (void)state;
  char package[PATH_SIZE];
  packages_path(package, "packages", "1.0.0");
  packages_expect(0, "installed", "install", package, "--allow-unsigned", NULL);
  char command[2 * PATH_SIZE];
  (void)snprintf(command, sizeof command, "echo x >> \"$(find '%s' -name versioned.so)\"", kept.data);
  assert_int_equal(system(command), 0);
  packages_expect(1, "versioned.so is not the file that its manifest lists", "verify", NULL);
  expect_doctor("MISSING  installed   versioned 1.0.0", false);
  packages_expect(0, "is damaged: ", "list", NULL);
  packages_expect(3, "adapter versioned is not usable: is damaged: ", "show", "versioned", NULL);
  json_auto_t *list = packages_output("list", "-o", "json", NULL);
  const json_t *damaged = entry_of(list, "versioned");
  assert_true(json_is_false(json_object_get(damaged, "usable")));
  assert_non_null(strstr(packages_text_of(damaged, "refusal"), "versioned.so is not the file that its manifest lists"));
  assert_true(json_is_object(json_object_get(damaged, "installed")));
  packages_expect(0, "was damaged, its files are put back", "install", package, "--allow-unsigned", NULL);
  expect_doctor("ok       installed   1 unchanged", true);
  packages_expect(0, "good, unsigned", "verify", NULL);
}

static void a_directory_has_exactly_one_package_for_this_machine(void **state) {
  (void)state;
  char one[PATH_SIZE], several[PATH_SIZE], none[PATH_SIZE];
  packages_directory(one, "one", 1);
  packages_directory(several, "several", 2);
  packages_directory(none, "none", 0);
  packages_expect(0, "installed", "install", one, "--allow-unsigned", NULL);
  packages_expect(2, "are both for this machine", "install", several, "--allow-unsigned", NULL);
  packages_expect(2, "has no package", "install", none, "--allow-unsigned", NULL);
  packages_expect(2, "No such file", "install", "/nonexistent.trm", NULL);
  packages_expect(2, "is neither a file nor a directory", "install", "/dev/null", NULL);
}

/* ---- what list and show say of it */

static const json_t *installed_of(const json_t *list, const char *id) {
  return json_object_get(entry_of(list, id), "installed");
}

static void assert_origin(const json_t *origin, const char *signer, const char *source, const char *problem) {
  assert_true(json_is_object(origin));
  assert_string_equal(packages_text_of(origin, "signer"), signer);
  assert_string_equal(packages_text_of(origin, "source"), source);
  if (!strstr(packages_text_of(origin, "problem"), problem) || (!*problem && *packages_text_of(origin, "problem")))
    fail_msg("expected \"%s\", found \"%s\"", problem, packages_text_of(origin, "problem"));
}

static void assert_listed_and_shown(const char *signer, const char *source, const char *problem) {
  json_t *list = packages_output("list", "-o", "json", NULL),
         *shown = packages_output("show", "versioned", "-o", "json", NULL);
  assert_true(json_is_null(installed_of(list, "reference"))); /* it came with Trammel */
  assert_origin(installed_of(list, "versioned"), signer, source, problem);
  assert_origin(json_object_get(shown, "installed"), signer, source, problem);
  json_decref(list);
  json_decref(shown);
}

static void list_and_show_say_who_signed_it_and_where_it_is_from(void **state) {
  (void)state;
  char package[PATH_SIZE], text[2 * PATH_SIZE], command[3 * PATH_SIZE];
  packages_path(package, "packages", "1.0.0");
  packages_expect(0, "installed", "install", package, "--allow-unsigned", NULL);
  assert_listed_and_shown("", package, "");
  (void)snprintf(text, sizeof text, "\n    unsigned, from %s\n", package);
  packages_expect(0, text, "list", NULL);
  (void)snprintf(text, sizeof text, "\ninstalled      unsigned, from %s\n", package);
  packages_expect(0, text, "show", "versioned", NULL);

  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "written down anew", "install", package, NULL);
  assert_listed_and_shown("vendor", package, "");
  (void)snprintf(text, sizeof text, "\n    signed by vendor, from %s\n", package);
  packages_expect(0, text, "list", NULL);

  /* A signature that was changed after it was installed. */
  (void)snprintf(command, sizeof command,
                 "cd '%s' && set -- adapters/versioned/1.0.0-*/manifest.json.sig && cp \"$1\" sig && echo '{}' >\"$1\"",
                 kept.data);
  assert_int_equal(system(command), 0);
  packages_expect(0, "; NOT GOOD: ", "list", NULL);
  (void)snprintf(command, sizeof command, "cd '%s' && mv sig adapters/versioned/1.0.0-*/manifest.json.sig", kept.data);
  assert_int_equal(system(command), 0);

  packages_expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  assert_listed_and_shown("", package, "not among those to check it with");
  packages_expect(0, "which is not trusted, from ", "list", NULL);
  packages_expect(0, "which is not trusted, from ", "show", "versioned", NULL);
}

/* ---- keys and words */

static void keys_have_one_name_each(void **state) {
  (void)state;
  packages_expect(0, "no key is trusted", "trust", "list", NULL);
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(2, "trusted already, as \"vendor\"", "trust", "add", "again", kept.public_key, NULL);
  packages_expect(2, "another key is called \"vendor\"", "trust", "add", "vendor", kept.other_public, NULL);
  packages_expect(2, "is no name for a key", "trust", "add", "../x", kept.other_public, NULL);
  packages_expect(2, "is a private key", "trust", "add", "x", kept.other_key, NULL);
  packages_expect(2, "no trusted key is called", "trust", "remove", "../keys/vendor", NULL);
  json_t *list = packages_output("trust", "list", "-o", "json", NULL);
  assert_int_equal(json_array_size(list), 1);
  assert_string_equal(packages_text_of(json_array_get(list, 0), "name"), "vendor");
  json_decref(list);
}

/* A pipe cannot be read a second time, and a file may be another one then: what is told is what is trusted. */
static void the_key_that_is_told_is_the_one_that_is_trusted(void **state) {
  (void)state;
  char command[4 * PATH_SIZE], output[PATH_SIZE], told[PATH_SIZE] = {0};
  packages_in_folder(output, "told");
  (void)snprintf(command, sizeof command, "'%s'/bin/trammel adapter trust add vendor - < '%s' > '%s'",
                 getenv("TRAMMEL_BUILD_DIR"), kept.public_key, output);
  assert_int_equal(system(command), 0);
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  assert_int_equal(file_read(output, FILE_READ_MAX, &text, &length, NULL), 0);
  assert_int_equal(sscanf(text, "vendor: the key %64[0-9a-f] is trusted", told), 1);
  json_t *list = packages_output("trust", "list", "-o", "json", NULL);
  assert_string_equal(packages_text_of(json_array_get(list, 0), "keyId"), told);
  json_decref(list);
}

static void wrong_words_are_usage_errors(void **state) {
  (void)state;
  char adapter[PATH_SIZE];
  packages_adapter(adapter, packages_versions[0]);
  packages_expect(2, "which package?", "install", NULL);
  packages_expect(2, "trammel adapter verify` shows those that are", "remove", "reference", NULL);
  packages_expect(2, "unexpected argument", "install", "a", "b", NULL);
  packages_expect(2, "no package; name a file", "install", "", NULL);
  packages_expect(2, "a URL begins with https:// or http://", "install", "ftp://127.0.0.1/x.trm", NULL);
  packages_expect(2, "--licence is needed", "pack", "x.so", NULL);
  packages_expect(2, "the licence 'foo bar' is no SPDX expression", "pack", adapter, "--licence", "foo bar", "-o",
                  kept.folder, NULL);
  packages_expect(2, "--key KEY.pem is needed", "sign", "x.trm", NULL);
  packages_expect(2, "--key FILE.pem is needed", "index", "add", "x", "/tmp", NULL);
  packages_expect(2, "a name and a key are needed", "trust", "add", "x", NULL);
  packages_expect(2, "not an ELF file", "pack", kept.key, "--licence", "MIT", "-o", kept.folder, NULL);
  packages_expect(2, "adapter index make", "index", NULL);
  packages_expect(2, "not taken", "install", "http://me:secret@127.0.0.1/x.trm", NULL);
}

static void commands_of_three_words_are_completed_and_explained(void **state) {
  (void)state;
  const char *argv[] = {"trammel", "completion", "bash", NULL};
  struct command_result result;
  command_run(argv, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  const char *script = strbuf_text(&result.out);
  assert_non_null(strstr(script, "'adapter index') words='add list show remove make ' ;;"));
  assert_non_null(strstr(script, "'adapter index add'|'adapter index add '*) words='--key --help' ;;"));
  assert_null(strstr(script, "trust add list"));
  command_result_finish(&result);
  packages_expect(0, "adapter index make", "index", "--help", NULL);
  packages_expect(2, "Did you mean `trammel adapter index add`?", "index", "ad", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(only_what_a_trusted_key_signed_is_installed, packages_forget),
      cmocka_unit_test_setup(what_is_unsigned_is_installed_by_an_explicit_word_and_told, packages_forget),
      cmocka_unit_test_setup(a_version_goes_back_and_forth_and_away, packages_forget),
      cmocka_unit_test_setup(a_changed_file_is_found_and_put_back, packages_forget),
      cmocka_unit_test_setup(list_and_show_say_who_signed_it_and_where_it_is_from, packages_forget),
      cmocka_unit_test_setup(a_directory_has_exactly_one_package_for_this_machine, packages_forget),
      cmocka_unit_test_setup(keys_have_one_name_each, packages_forget),
      cmocka_unit_test_setup(the_key_that_is_told_is_the_one_that_is_trusted, packages_forget),
      cmocka_unit_test_setup(wrong_words_are_usage_errors, packages_forget),
      cmocka_unit_test_setup(commands_of_three_words_are_completed_and_explained, packages_forget),
  };
  return cmocka_run_group_tests_name("packages", tests, packages_setup, packages_teardown);
}
