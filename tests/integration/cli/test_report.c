/* Kept reports: rendered, compared, signed and verified, as people do it on the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/support/command.h"

#define RUN_S 120
#define CASE "access/http/unlisted-source"

/* Two runs of one case: as it should be, and with a mesh that looks at no source. */
static struct {
  char *folder;
  char good[256];
  char broken[256];
  char text[256]; /* what the good run itself wrote */
  char junit[256];
  char markdown[256];
} kept;

static void run(struct command_result *result, const char *first, ...) {
  const char *argv[16] = {"trammel", first};
  va_list words;
  va_start(words, first);
  for (size_t i = 2; i < 15; i++) {
    argv[i] = va_arg(words, const char *);
    if (!argv[i])
      break;
  }
  va_end(words);
  command_run(argv, NULL, RUN_S, result);
}

static void in_folder(char path[256], const char *name) {
  (void)snprintf(path, 256, "%s/%s", kept.folder, name);
}

static char *file_text(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file)
    fail_msg("no file %s", path);
  struct strbuf text = STRBUF_INIT;
  char block[4096];
  for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
    strbuf_append(&text, block, got);
  assert_int_equal(fclose(file), 0);
  return strbuf_steal(&text);
}

static int make_reports(void **state) {
  (void)state;
  char outputs[4][300];
  struct command_result result;
  kept.folder = scratch_create();
  in_folder(kept.good, "good.json");
  in_folder(kept.broken, "broken.json");
  in_folder(kept.text, "good.txt");
  in_folder(kept.junit, "good.xml");
  in_folder(kept.markdown, "good.md");
  (void)snprintf(outputs[0], sizeof outputs[0], "json=%s", kept.good);
  (void)snprintf(outputs[1], sizeof outputs[1], "text=%s", kept.text);
  (void)snprintf(outputs[2], sizeof outputs[2], "junit=%s", kept.junit);
  (void)snprintf(outputs[3], sizeof outputs[3], "markdown=%s", kept.markdown);
  run(&result, "conformance", "run", "-q", "--case", CASE, "-o", outputs[0], "-o", outputs[1], "-o", outputs[2], "-o",
      outputs[3], NULL);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  (void)snprintf(outputs[0], sizeof outputs[0], "json=%s", kept.broken);
  run(&result, "conformance", "run", "-q", "--case", CASE, "--set", "fault=ignore-source", "-o", outputs[0], NULL);
  assert_int_equal(result.exit_code, 1);
  command_result_finish(&result);
  return 0;
}

static int remove_reports(void **state) {
  (void)state;
  scratch_remove(kept.folder);
  return 0;
}

static void assert_rendered(const char *format, const char *file) {
  struct command_result result;
  _cleanup_free_ char *expected = file_text(file);
  run(&result, "report", "render", kept.good, "-o", format, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_string_equal(strbuf_text(&result.errors), "");
  assert_string_equal(strbuf_text(&result.out), expected);
  command_result_finish(&result);
}

static void rendering_gives_what_the_run_itself_wrote(void **state) {
  (void)state;
  assert_rendered("json", kept.good);
  assert_rendered("text", kept.text);
  assert_rendered("junit", kept.junit);
  assert_rendered("markdown", kept.markdown);
}

static void rendering_goes_to_files_and_from_standard_input(void **state) {
  (void)state;
  char copy[256];
  char output[300];
  struct command_result result;
  in_folder(copy, "copy.json");
  (void)snprintf(output, sizeof output, "json=%s", copy);
  _cleanup_free_ char *expected = file_text(kept.good);
  const char *argv[] = {"trammel", "report", "render", "-", "-o", output, NULL};
  command_run(argv, expected, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "Conformance: suite smi\n")); /* text, as after a run */
  command_result_finish(&result);
  _cleanup_free_ char *written = file_text(copy);
  assert_string_equal(written, expected);
}

static void what_is_no_report_is_refused_with_its_place(void **state) {
  (void)state;
  struct command_result result;
  const char *argv[] = {"trammel", "report", "render", "-", NULL};
  command_run(argv, "{\"format\": \"trammel.conformance-report/v9\"}", RUN_S, &result);
  assert_int_equal(result.exit_code, 2);
  assert_string_equal(strbuf_text(&result.out), "");
  assert_non_null(strstr(strbuf_text(&result.errors), "1:12: error[SCHEMA-0003]"));
  assert_non_null(strstr(strbuf_text(&result.errors), "(/format)"));
  command_result_finish(&result);

  run(&result, "report", "render", "/nonexistent.json", NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
  run(&result, "report", "render", NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
}

static void a_diff_ends_with_1_when_something_broke(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "diff", kept.good, kept.broken, NULL);
  assert_int_equal(result.exit_code, 1);
  const char *text = strbuf_text(&result.out);
  assert_non_null(strstr(text, "settings      {} "));
  assert_non_null(strstr(text, "\nNewly broken\n"));
  assert_non_null(strstr(text, "ACC-03 v1alpha1, v1alpha2, v1alpha3"));
  assert_non_null(strstr(text, CASE "  [access/v1alpha3 specs/v1alpha4]\n"));
  assert_non_null(strstr(text, "\n  ACC-03: expected that GET / from other-client to server:8080 is denied; seen:"));
  command_result_finish(&result);

  run(&result, "conformance", "diff", kept.broken, kept.good, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "\nMended\n"));
  command_result_finish(&result);

  run(&result, "conformance", "diff", kept.broken, kept.broken, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "\nStill broken\n"));
  command_result_finish(&result);
}

static void a_diff_is_json_and_markdown_too(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "diff", "-o", "json", kept.good, kept.broken, NULL);
  assert_int_equal(result.exit_code, 1);
  json_t *value = json_loads(strbuf_text(&result.out), JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(value);
  assert_int_equal(json_integer_value(json_object_get(value, "exitCode")), 1);
  const json_t *one = json_array_get(json_object_get(value, "cases"), 0);
  assert_string_equal(json_string_value(json_object_get(one, "id")), CASE);
  assert_string_equal(json_string_value(json_object_get(one, "change")), "broken");
  json_decref(value);
  command_result_finish(&result);

  run(&result, "conformance", "diff", "-o", "markdown", kept.good, kept.broken, NULL);
  assert_int_equal(result.exit_code, 1);
  assert_non_null(strstr(strbuf_text(&result.out), "## Newly broken\n\n- **ACC-03** access/v1alpha1: proved"));
  command_result_finish(&result);
}

static void a_diff_needs_two_reports(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "diff", kept.good, NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
  run(&result, "conformance", "diff", kept.good, "/nonexistent.json", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_string_equal(strbuf_text(&result.out), "");
  command_result_finish(&result);
  run(&result, "conformance", "diff", kept.good, kept.text, NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
}

/* ---- signatures */

static struct {
  char private_key[256];
  char public_key[256];
  char file[256]; /* a copy of the good report, for changing */
  char signature[300];
} signing;

static void append(const char *path, const char *text) {
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int make_signed(void **state) {
  (void)state;
  struct command_result result;
  in_folder(signing.private_key, "key.pem");
  in_folder(signing.public_key, "key.pub.pem");
  in_folder(signing.file, "signed.json");
  (void)snprintf(signing.signature, sizeof signing.signature, "%s.sig", signing.file);
  _cleanup_free_ char *report = file_text(kept.good);
  append(signing.file, report);
  run(&result, "report", "keygen", signing.private_key, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_null(strstr(strbuf_text(&result.out), "PRIVATE KEY-----"));
  command_result_finish(&result);
  run(&result, "report", "sign", signing.file, "--key", signing.private_key, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_string_equal(strbuf_text(&result.errors), "");
  command_result_finish(&result);
  return 0;
}

static int remove_signed(void **state) {
  (void)state;
  (void)unlink(signing.private_key);
  (void)unlink(signing.public_key);
  (void)unlink(signing.file);
  (void)unlink(signing.signature);
  return 0;
}

static int verified(const char *key) {
  struct command_result result;
  run(&result, "report", "verify", signing.file, "--key", key, NULL);
  int code = result.exit_code;
  command_result_finish(&result);
  return code;
}

static void a_signature_is_good_until_a_byte_changes(void **state) {
  (void)state;
  assert_int_equal(verified(signing.public_key), 0);
  append(signing.file, " ");
  assert_int_equal(verified(signing.public_key), 1);
}

static void an_unknown_key_is_told_by_its_id(void **state) {
  (void)state;
  char other[256];
  char other_public[256];
  struct command_result result;
  in_folder(other, "other");
  in_folder(other_public, "other.pub");
  run(&result, "report", "keygen", other, NULL);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  run(&result, "report", "verify", signing.file, "--key", other_public, NULL);
  assert_int_equal(result.exit_code, 1);
  assert_non_null(strstr(strbuf_text(&result.errors), "it was signed with the key "));
  command_result_finish(&result);
  run(&result, "report", "verify", signing.file, "--key", other_public, "--key", signing.public_key, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "key.pub.pem"));
  command_result_finish(&result);
}

static void what_cannot_be_verified_is_bad_input(void **state) {
  (void)state;
  struct command_result result;
  assert_int_equal(verified(signing.private_key), 2); /* not a public key */
  assert_int_equal(verified("/nonexistent.pem"), 2);
  run(&result, "report", "verify", signing.file, NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
  append(signing.signature, "}");
  assert_int_equal(verified(signing.public_key), 2);
  assert_int_equal(unlink(signing.signature), 0);
  run(&result, "report", "verify", signing.file, "--key", signing.public_key, NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "was not signed"));
  command_result_finish(&result);
}

static void keys_are_private_and_stay(void **state) {
  (void)state;
  struct command_result result;
  struct stat status;
  assert_int_equal(stat(signing.private_key, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  _cleanup_free_ char *before = file_text(signing.private_key);
  run(&result, "report", "keygen", signing.private_key, NULL);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
  _cleanup_free_ char *after = file_text(signing.private_key);
  assert_string_equal(after, before);

  assert_int_equal(chmod(signing.private_key, 0644), 0);
  run(&result, "report", "sign", signing.file, "--key", signing.private_key, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.errors), "chmod 600"));
  command_result_finish(&result);
}

static int shell(const char *script, const char *first, const char *second, const char *third) {
  struct command_result result;
  const char *argv[] = {"/bin/sh", "-c", script, "sh", first, second, third, NULL};
  command_run(argv, NULL, RUN_S, &result);
  int code = result.exit_code;
  command_result_finish(&result);
  return code;
}

/* Keys and signatures are OpenSSL's own, both ways. */
static void openssl_verifies_it_and_makes_keys_for_it(void **state) {
  (void)state;
  static const char verify[] =
      "command -v openssl >/dev/null || exit 77\n"
      "sed -n 's/.*\"signature\": \"\\(.*\\)\".*/\\1/p' \"$1.sig\" | openssl base64 -d -A >\"$1.raw\" &&\n"
      "openssl pkeyutl -verify -rawin -pubin -inkey \"$2\" -sigfile \"$1.raw\" -in \"$1\"";
  int code = shell(verify, signing.file, signing.public_key, NULL);
  if (code == 77) {
    print_message("openssl is not installed\n");
    skip();
  }
  assert_int_equal(code, 0);
  static const char id[] =
      "grep -q \"$(openssl pkey -pubin -in \"$2\" -outform DER | sha256sum | cut -d' ' -f1)\" \"$1.sig\"";
  assert_int_equal(shell(id, signing.file, signing.public_key, NULL), 0);

  static const char make[] =
      "rm \"$1\" \"$2\" && openssl genpkey -algorithm ed25519 -out \"$1\" && chmod 600 \"$1\" &&\n"
      "openssl pkey -in \"$1\" -pubout -out \"$2\"";
  assert_int_equal(shell(make, signing.private_key, signing.public_key, NULL), 0);
  struct command_result result;
  run(&result, "report", "sign", signing.file, "--key", signing.private_key, NULL);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  assert_int_equal(verified(signing.public_key), 0);
  assert_int_equal(shell(verify, signing.file, signing.public_key, NULL), 0);
}

static void an_encrypted_key_is_refused_without_asking(void **state) {
  (void)state;
  static const char make[] = "command -v openssl >/dev/null || exit 77\n"
                             "openssl genpkey -algorithm ed25519 -aes256 -pass pass:secret -out \"$1\"";
  char encrypted[256];
  in_folder(encrypted, "encrypted.pem");
  int code = shell(make, encrypted, NULL, NULL);
  if (code == 77)
    skip();
  assert_int_equal(code, 0);
  struct command_result result;
  run(&result, "report", "sign", signing.file, "--key", encrypted, NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "is encrypted"));
  command_result_finish(&result);
}

#define SIGNED(name) cmocka_unit_test_setup_teardown(name, make_signed, remove_signed)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rendering_gives_what_the_run_itself_wrote),
      cmocka_unit_test(rendering_goes_to_files_and_from_standard_input),
      cmocka_unit_test(what_is_no_report_is_refused_with_its_place),
      cmocka_unit_test(a_diff_ends_with_1_when_something_broke),
      cmocka_unit_test(a_diff_is_json_and_markdown_too),
      cmocka_unit_test(a_diff_needs_two_reports),
      SIGNED(a_signature_is_good_until_a_byte_changes),
      SIGNED(an_unknown_key_is_told_by_its_id),
      SIGNED(what_cannot_be_verified_is_bad_input),
      SIGNED(keys_are_private_and_stay),
      SIGNED(openssl_verifies_it_and_makes_keys_for_it),
      SIGNED(an_encrypted_key_is_refused_without_asking),
  };
  return cmocka_run_group_tests_name("reports", tests, make_reports, remove_reports);
}
