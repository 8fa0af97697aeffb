/* Packages on the command line: packed, signed, offered, installed and refused, as people do it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>

#include "host/signing/signature.h"
#include "sdk/base/document.h"
#include "tests/integration/engine/http_server.h"
#include "tests/support/command.h"

#define RUN_S 120
#define PATH_SIZE 512

/* Made once: keys, and packages of one adapter in several versions, signed with the first key. */
static struct {
  char *folder;
  char data[PATH_SIZE]; /* the data directory, empty before each test */
  char key[PATH_SIZE];
  char public_key[PATH_SIZE];
  char other_key[PATH_SIZE];
  char other_public[PATH_SIZE];
} kept;

static const char *const versions[] = {"1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"};
enum { VERSIONS = 4 };

static void in_folder(char path[PATH_SIZE], const char *name) {
  assert_true(snprintf(path, PATH_SIZE, "%s/%s", kept.folder, name) < PATH_SIZE);
}

static void run(struct command_result *result, va_list words) {
  const char *argv[16] = {"trammel", "adapter"};
  for (size_t i = 2; i < 15 && (argv[i] = va_arg(words, const char *)); i++)
    ;
  command_run(argv, NULL, RUN_S, result);
}

/* Runs `trammel adapter …`, which must end with `code` and say `text` somewhere. */
static void expect(int code, const char *text, ...) {
  struct command_result result;
  va_list words;
  va_start(words, text);
  run(&result, words);
  va_end(words);
  if (result.exit_code != code ||
      (!strstr(strbuf_text(&result.out), text) && !strstr(strbuf_text(&result.errors), text)))
    fail_msg("expected %d and \"%s\", found %d:\n%s%s", code, text, result.exit_code, strbuf_text(&result.out),
             strbuf_text(&result.errors));
  command_result_finish(&result);
}

/* Runs one that succeeds; its output as JSON. */
static json_t *output_of(const char *first, ...) {
  const char *argv[16] = {"trammel", "adapter", first};
  struct command_result result;
  va_list words;
  va_start(words, first);
  for (size_t i = 3; i < 15 && (argv[i] = va_arg(words, const char *)); i++)
    ;
  va_end(words);
  command_run(argv, NULL, RUN_S, &result);
  json_t *value = json_loads(strbuf_text(&result.out), JSON_REJECT_DUPLICATES, NULL);
  if (!value)
    fail_msg("no JSON: %s%s", strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  return value;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void package_path(char path[PATH_SIZE], const char *directory, const char *version) {
  char machine[64];
  FILE *uname = popen("uname -m", "re");
  assert_non_null(uname);
  assert_non_null(fgets(machine, sizeof machine, uname));
  assert_int_equal(pclose(uname), 0);
  machine[strcspn(machine, "\n")] = '\0';
  assert_true(snprintf(path, PATH_SIZE, "%s/%s/versioned-%s-linux-%s.trm", kept.folder, directory, version, machine) <
              PATH_SIZE);
}

static void copy_file(const char *from, const char *to) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  assert_int_equal(file_read(from, FILE_READ_MAX, &data, &length, NULL), 0);
  FILE *file = fopen(to, "we");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* A directory below the folder with the packages of the first `count` versions. */
static void make_directory(char path[PATH_SIZE], const char *name, size_t count) {
  in_folder(path, name);
  assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
  for (size_t i = 0; i < count; i++) {
    char from[PATH_SIZE], to[PATH_SIZE];
    package_path(from, "packages", versions[i]);
    package_path(to, name, versions[i]);
    copy_file(from, to);
  }
}

static void keygen(const char *path) {
  const char *argv[] = {"trammel", "report", "keygen", path, NULL};
  struct command_result result;
  command_run(argv, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
}

static void built_adapter(char path[PATH_SIZE], const char *version) {
  assert_true(snprintf(path, PATH_SIZE, "%s/tests/versioned/%s/versioned.so", getenv("TRAMMEL_BUILD_DIR"), version) <
              PATH_SIZE);
}

static int make_packages(void **state) {
  (void)state;
  char packages[PATH_SIZE];
  kept.folder = scratch_create();
  in_folder(kept.data, "data");
  in_folder(kept.key, "key.pem");
  in_folder(kept.public_key, "key.pub.pem");
  in_folder(kept.other_key, "other.pem");
  in_folder(kept.other_public, "other.pub.pem");
  in_folder(packages, "packages");
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", kept.data, 1), 0);
  assert_int_equal(mkdir(packages, 0755), 0);
  keygen(kept.key);
  keygen(kept.other_key);
  for (size_t i = 0; i < VERSIONS; i++) {
    char adapter[PATH_SIZE], package[PATH_SIZE];
    built_adapter(adapter, versions[i]);
    package_path(package, "packages", versions[i]);
    expect(0, "SHA-256 ", "pack", adapter, "--licence", "Apache-2.0", "-o", packages, NULL);
    expect(0, "signed with the key ", "sign", package, "--key", kept.key, NULL);
  }
  return 0;
}

static int remove_packages(void **state) {
  (void)state;
  scratch_remove(kept.folder);
  return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  return remove(path);
}

static int forget_all(void **state) {
  (void)state;
  (void)nftw(kept.data, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return 0;
}

/* ---- installing */

static void only_what_a_trusted_key_signed_is_installed(void **state) {
  (void)state;
  char package[PATH_SIZE];
  package_path(package, "packages", "1.0.0");
  expect(1, "no trusted key has signed it", "install", package, NULL);
  expect(0, "is trusted", "trust", "add", "other", kept.other_public, NULL);
  expect(1, "no trusted key has signed it", "install", package, NULL);
  expect(0, "no adapter is installed", "verify", NULL);
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "versioned 1.0.0: installed, signed by vendor", "install", package, NULL);
  expect(0, "nothing to do", "install", package, NULL);
  expect(0, "good, signed by vendor", "verify", NULL);
  expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  expect(1, "which is not trusted", "verify", "versioned", NULL);
}

static void what_is_unsigned_is_installed_by_an_explicit_word_and_told(void **state) {
  (void)state;
  char package[PATH_SIZE];
  package_path(package, "packages", "1.0.0");
  expect(0, "trammel: warning: versioned 1.0.0 is installed without a trusted signature", "install", package,
         "--allow-unsigned", NULL);
  json_t *list = output_of("verify", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_true(json_is_true(json_object_get(one, "good")));
  assert_true(json_is_null(json_object_get(one, "keyId")));
  assert_string_equal(text_of(one, "source"), package);
  json_decref(list);
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "written down anew, signed by vendor", "install", package, NULL);
  expect(0, "good, signed by vendor", "verify", NULL);
}

static void a_version_goes_back_and_forth_and_away(void **state) {
  (void)state;
  char first[PATH_SIZE], second[PATH_SIZE];
  package_path(first, "packages", "1.0.0");
  package_path(second, "packages", "1.2.0");
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "installed", "install", first, NULL);
  expect(2, "no previous version", "rollback", "versioned", NULL);
  expect(0, "1.0.0 was in use before", "install", second, NULL);
  expect(0, "versioned 1.0.0: in use again", "rollback", "versioned", NULL);
  expect(0, "versioned 1.2.0: in use again", "rollback", "versioned", NULL);
  expect(2, "came from", "upgrade", "versioned", NULL);
  expect(0, "came from an index", "upgrade", NULL);
  expect(0, "removed", "remove", "versioned", NULL);
  expect(2, "no adapter \"versioned\" is installed", "remove", "versioned", NULL);
  expect(2, "no adapter \"versioned\" is installed", "rollback", "versioned", NULL);
  expect(2, "no adapter \"versioned\" is installed", "verify", "versioned", NULL);
  expect(2, "no adapter \"versioned\" is installed", "upgrade", "versioned", NULL);
}

static void a_changed_file_is_found_and_put_back(void **state) {
  (void)state;
  char package[PATH_SIZE];
  package_path(package, "packages", "1.0.0");
  expect(0, "installed", "install", package, "--allow-unsigned", NULL);
  char command[2 * PATH_SIZE];
  (void)snprintf(command, sizeof command, "echo x >> \"$(find '%s' -name versioned.so)\"", kept.data);
  assert_int_equal(system(command), 0);
  expect(1, "versioned.so is not the file that its manifest lists", "verify", NULL);
  expect(0, "was damaged, its files are put back", "install", package, "--allow-unsigned", NULL);
  expect(0, "good, unsigned", "verify", NULL);
}

static void a_directory_has_exactly_one_package_for_this_machine(void **state) {
  (void)state;
  char one[PATH_SIZE], several[PATH_SIZE], none[PATH_SIZE];
  make_directory(one, "one", 1);
  make_directory(several, "several", 2);
  make_directory(none, "none", 0);
  expect(0, "installed", "install", one, "--allow-unsigned", NULL);
  expect(2, "are both for this machine", "install", several, "--allow-unsigned", NULL);
  expect(2, "has no package", "install", none, "--allow-unsigned", NULL);
  expect(2, "No such file", "install", "/nonexistent.trm", NULL);
  expect(2, "is neither a file nor a directory", "install", "/dev/null", NULL);
}

/* ---- what list and show say of it */

/* Of the adapter in a list. */
static const json_t *installed_of(const json_t *list, const char *id) {
  size_t i;
  const json_t *one;
  json_array_foreach(list, i, one) {
    if (strcmp(text_of(one, "id"), id) == 0)
      return json_object_get(one, "installed");
  }
  fail_msg("no %s is listed", id);
  return NULL;
}

static void assert_origin(const json_t *origin, const char *signer, const char *source, const char *problem) {
  assert_true(json_is_object(origin));
  assert_string_equal(text_of(origin, "signer"), signer);
  assert_string_equal(text_of(origin, "source"), source);
  if (!strstr(text_of(origin, "problem"), problem) || (!*problem && *text_of(origin, "problem")))
    fail_msg("expected \"%s\", found \"%s\"", problem, text_of(origin, "problem"));
}

static void assert_listed_and_shown(const char *signer, const char *source, const char *problem) {
  json_t *list = output_of("list", "-o", "json", NULL), *shown = output_of("show", "versioned", "-o", "json", NULL);
  assert_true(json_is_null(installed_of(list, "reference"))); /* it came with Trammel */
  assert_origin(installed_of(list, "versioned"), signer, source, problem);
  assert_origin(json_object_get(shown, "installed"), signer, source, problem);
  json_decref(list);
  json_decref(shown);
}

static void list_and_show_say_who_signed_it_and_where_it_is_from(void **state) {
  (void)state;
  char package[PATH_SIZE], text[2 * PATH_SIZE], command[3 * PATH_SIZE];
  package_path(package, "packages", "1.0.0");
  expect(0, "installed", "install", package, "--allow-unsigned", NULL);
  assert_listed_and_shown("", package, "");
  (void)snprintf(text, sizeof text, "\n    unsigned, from %s\n", package);
  expect(0, text, "list", NULL);
  (void)snprintf(text, sizeof text, "\ninstalled      unsigned, from %s\n", package);
  expect(0, text, "show", "versioned", NULL);

  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "written down anew", "install", package, NULL);
  assert_listed_and_shown("vendor", package, "");
  (void)snprintf(text, sizeof text, "\n    signed by vendor, from %s\n", package);
  expect(0, text, "list", NULL);

  /* A signature that was changed after it was installed. */
  (void)snprintf(command, sizeof command,
                 "cd '%s' && set -- adapters/versioned/1.0.0-*/manifest.json.sig && cp \"$1\" sig && echo '{}' >\"$1\"",
                 kept.data);
  assert_int_equal(system(command), 0);
  expect(0, "; NOT GOOD: ", "list", NULL);
  (void)snprintf(command, sizeof command, "cd '%s' && mv sig adapters/versioned/1.0.0-*/manifest.json.sig", kept.data);
  assert_int_equal(system(command), 0);

  expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  assert_listed_and_shown("", package, "not among those to check it with");
  expect(0, "which is not trusted, from ", "list", NULL);
  expect(0, "which is not trusted, from ", "show", "versioned", NULL);
}

/* ---- keys and words */

static void keys_have_one_name_each(void **state) {
  (void)state;
  expect(0, "no key is trusted", "trust", "list", NULL);
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(2, "trusted already, as \"vendor\"", "trust", "add", "again", kept.public_key, NULL);
  expect(2, "another key is called \"vendor\"", "trust", "add", "vendor", kept.other_public, NULL);
  expect(2, "is no name for a key", "trust", "add", "../x", kept.other_public, NULL);
  expect(2, "is a private key", "trust", "add", "x", kept.other_key, NULL);
  expect(2, "no trusted key is called", "trust", "remove", "../keys/vendor", NULL);
  json_t *list = output_of("trust", "list", "-o", "json", NULL);
  assert_int_equal(json_array_size(list), 1);
  assert_string_equal(text_of(json_array_get(list, 0), "name"), "vendor");
  json_decref(list);
}

/* A pipe cannot be read a second time, and a file may be another one then: what is told is what is trusted. */
static void the_key_that_is_told_is_the_one_that_is_trusted(void **state) {
  (void)state;
  char command[4 * PATH_SIZE], output[PATH_SIZE], told[PATH_SIZE] = {0};
  in_folder(output, "told");
  (void)snprintf(command, sizeof command, "'%s'/bin/trammel adapter trust add vendor - < '%s' > '%s'",
                 getenv("TRAMMEL_BUILD_DIR"), kept.public_key, output);
  assert_int_equal(system(command), 0);
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  assert_int_equal(file_read(output, FILE_READ_MAX, &text, &length, NULL), 0);
  assert_int_equal(sscanf(text, "vendor: the key %64[0-9a-f] is trusted", told), 1);
  json_t *list = output_of("trust", "list", "-o", "json", NULL);
  assert_string_equal(text_of(json_array_get(list, 0), "keyId"), told);
  json_decref(list);
}

static void wrong_words_are_usage_errors(void **state) {
  (void)state;
  char adapter[PATH_SIZE];
  built_adapter(adapter, versions[0]);
  expect(2, "which package?", "install", NULL);
  expect(2, "trammel adapter verify` shows those that are", "remove", "reference", NULL);
  expect(2, "unexpected argument", "install", "a", "b", NULL);
  expect(2, "--licence is needed", "pack", "x.so", NULL);
  expect(2, "the licence 'foo bar' is no SPDX expression", "pack", adapter, "--licence", "foo bar", "-o", kept.folder,
         NULL);
  expect(2, "--key KEY.pem is needed", "sign", "x.trm", NULL);
  expect(2, "--key FILE.pem is needed", "index", "add", "x", "/tmp", NULL);
  expect(2, "a name and a key are needed", "trust", "add", "x", NULL);
  expect(2, "not an ELF file", "pack", kept.key, "--licence", "MIT", "-o", kept.folder, NULL);
  expect(2, "adapter index make", "index", NULL);
  expect(2, "not taken", "install", "http://me:secret@127.0.0.1/x.trm", NULL);
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
  expect(0, "adapter index make", "index", "--help", NULL);
  expect(2, "Did you mean `trammel adapter index add`?", "index", "ad", NULL);
}

/* ---- indexes */

static void make_index(char path[PATH_SIZE], const char *name, size_t count) {
  make_directory(path, name, count);
  expect(0, "packages, serial ", "index", "make", path, "--key", kept.other_key, NULL);
}

/* Whichever place an index has: a newer version is found in it, by semantic versioning, and goes away again. */
static void use_index(const char *directory, const char *place) {
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "added", "index", "add", "shop", place, "--key", kept.other_public, NULL);
  expect(0, "shop", "index", "list", NULL);
  expect(0, "versioned        1.2.0", "index", "show", "shop", NULL);
  expect(0, "versioned 1.0.0: installed", "install", "shop/versioned@1.0.0", NULL);
  expect(0, "versioned 1.2.0: installed, signed by vendor; 1.0.0 was in use before", "upgrade", NULL);
  expect(0, "nothing newer", "upgrade", "versioned", NULL);
  const char *name = strrchr(directory, '/') + 1;
  char again[PATH_SIZE];
  make_index(again, name, VERSIONS);
  json_t *list = output_of("upgrade", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_string_equal(text_of(one, "version"), "1.10.0"); /* no prerelease, and 10 is more than 2 */
  assert_string_equal(text_of(one, "before"), "1.2.0");
  assert_string_equal(text_of(one, "source"), "shop/versioned");
  assert_string_equal(text_of(one, "signer"), "vendor");
  json_decref(list);
  expect(0, "versioned 2.0.0-rc.1: installed", "install", "versioned@2.0.0-rc.1", NULL);
  expect(0, "versioned 1.10.0: in use again", "rollback", "versioned", NULL);
  expect(2, "no index offers versioned 9.9.9", "install", "versioned@9.9.9", NULL);
  expect(2, "no index offers other", "install", "other", NULL);
  expect(2, "no index is called \"none\"", "install", "none/versioned", NULL);
  expect(0, "removed", "index", "remove", "shop", NULL);
  expect(2, "which is none any more", "upgrade", "versioned", NULL);
  expect(2, "no index is called", "index", "remove", "shop", NULL);
}

static void an_index_is_a_directory(void **state) {
  (void)state;
  char directory[PATH_SIZE];
  make_index(directory, "index", 2);
  use_index(directory, directory);
}

/* A report of a check as it is kept for the file at `path`. */
static void keep_report(const char *path) {
  static const char text[] =
      "{\"format\":\"trammel.adapter-check/v1\",\"trammel\":\"1.2.3\",\"date\":\"2026-01-02T03:04:05Z\",\"seed\":\"1\","
      "\"file\":{\"name\":\"x\",\"kind\":\"package\",\"sha256\":\"DIGEST\"},"
      "\"adapter\":{\"id\":\"x\",\"version\":\"1\",\"mesh\":\"x\",\"sha256\":\"DIGEST\",\"abi\":{\"major\":1,\"minor\":"
      "0}},"
      "\"hostAbi\":{\"major\":1,\"minor\":0},"
      "\"conditions\":{\"confined\":true,\"configuration\":{\"given\":false,\"sha256\":"
      "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}},"
      "\"totals\":{\"skipped\":0,\"passed\":12,\"warning\":0,\"failed\":0,\"crashed\":0},\"exitCode\":0,\"checks\":[]}";
  char command[4 * PATH_SIZE], report[PATH_SIZE];
  in_folder(report, "report.json");
  write_text(report, text);
  (void)snprintf(command, sizeof command,
                 "d=$(sha256sum '%s' | cut -c1-64) && mkdir -p '%s/checks' && sed \"s/DIGEST/$d/g\" '%s' > "
                 "'%s/checks/'\"$d\".json",
                 path, kept.data, report, kept.data);
  assert_int_equal(system(command), 0);
}

/* What upgrade says of the one adapter that is installed and has nothing newer. */
static void assert_unchanged(const char *key_id, const char *signer, bool checked) {
  json_t *list = output_of("upgrade", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_true(json_is_false(json_object_get(one, "changed")));
  assert_string_equal(text_of(one, "version"), "1.0.0");
  assert_string_equal(text_of(one, "keyId"), key_id);
  assert_string_equal(text_of(one, "signer"), signer);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "checked"), "passed")), checked ? 12 : 0);
  assert_int_equal(json_is_null(json_object_get(one, "checked")), !checked);
  json_decref(list);
}

static void assert_listed_as_checked(void) {
  json_t *list = output_of("list", "-o", "json", NULL);
  size_t i;
  const json_t *one, *found = NULL;
  json_array_foreach(list, i, one) {
    found = strcmp(text_of(one, "id"), "versioned") == 0 ? one : found;
  }
  assert_int_equal(json_integer_value(json_object_get(json_object_get(found, "checked"), "passed")), 12);
  json_decref(list);
  expect(0, "12 passed", "list", NULL);
  expect(0, "12 passed", "show", "versioned", NULL);
}

static void what_has_nothing_newer_is_told_as_it_is(void **state) {
  (void)state;
  char directory[PATH_SIZE], package[PATH_SIZE], adapter[PATH_SIZE], checks[PATH_SIZE + 16], key_id[PATH_SIZE];
  make_index(directory, "index-same", 1);
  package_path(package, "packages", "1.0.0");
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);
  json_t *installed = output_of("install", "shop/versioned", "-o", "json", NULL);
  (void)snprintf(key_id, sizeof key_id, "%s", text_of(installed, "keyId"));
  assert_int_equal(strlen(key_id), 64);
  json_decref(installed);
  assert_unchanged(key_id, "vendor", false);
  keep_report(package);
  assert_unchanged(key_id, "vendor", true);
  assert_listed_as_checked();

  (void)snprintf(checks, sizeof checks, "%s/checks", kept.data);
  (void)nftw(checks, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  assert_unchanged(key_id, "vendor", false);
  assert_true(snprintf(adapter, sizeof adapter, "%s/tests/versioned/1.0.0/versioned.so", getenv("TRAMMEL_BUILD_DIR")) <
              PATH_SIZE);
  keep_report(adapter);
  assert_unchanged(key_id, "vendor", true);
  expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  assert_unchanged(key_id, "", true);
}

static void a_name_in_two_indexes_needs_the_index(void **state) {
  (void)state;
  char one[PATH_SIZE], other[PATH_SIZE];
  make_index(one, "index-a", 1);
  make_index(other, "index-b", 1);
  expect(0, "added", "index", "add", "a", one, "--key", kept.other_public, NULL);
  expect(0, "added", "index", "add", "b", other, "--key", kept.other_public, NULL);
  expect(2, "say a/versioned or b/versioned", "install", "versioned", "--allow-unsigned", NULL);
  expect(0, "installed", "install", "b/versioned", "--allow-unsigned", NULL);
  expect(2, "there is an index \"a\" already", "index", "add", "a", other, "--key", kept.other_public, NULL);
}

static void an_index_that_is_not_as_signed_is_refused(void **state) {
  (void)state;
  char directory[PATH_SIZE], file[PATH_SIZE + 32], package[PATH_SIZE], other[PATH_SIZE];
  make_index(directory, "index-changed", 1);
  expect(1, "was signed with the key", "index", "add", "shop", directory, "--key", kept.public_key, NULL);
  expect(0, "there is no index", "index", "list", NULL);
  expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);

  /* Another package in the place of the one that the index names. */
  package_path(package, "index-changed", "1.0.0");
  package_path(other, "packages", "1.2.0");
  copy_file(other, package);
  expect(1, "that the index names", "install", "versioned", "--allow-unsigned", NULL);
  expect(0, "no adapter is installed", "verify", NULL);

  /* An index that was current once, with its good signature. */
  char command[4 * PATH_SIZE];
  (void)snprintf(command, sizeof command, "cp '%s'/index.json* '%s'", directory, kept.folder);
  assert_int_equal(system(command), 0);
  make_index(directory, "index-changed", 2);
  expect(0, "1.2.0", "index", "show", "shop", NULL);
  (void)snprintf(command, sizeof command, "cp '%s'/index.json* '%s'", kept.folder, directory);
  assert_int_equal(system(command), 0);
  expect(1, "it is older than one that was seen before", "index", "show", "shop", NULL);
  expect(1, "it is older than one that was seen before", "install", "versioned", "--allow-unsigned", NULL);

  (void)snprintf(file, sizeof file, "%s/index.json", directory);
  write_text(file, "{}");
  expect(1, "the signature does not fit", "index", "show", "shop", NULL);
  expect(2, "is there already and is not written over", "index", "make", directory, "--key", kept.other_key, NULL);
  assert_int_equal(unlink(file), 0);
  expect(2, "index.json", "index", "show", "shop", NULL);
}

/* What its owner can do: put a text in place of another in an index, and sign it. */
static void change_index(const char *directory, const char *before, const char *after) {
  char path[PATH_SIZE + 16], signature_path[PATH_SIZE + 32];
  _cleanup_free_ char *data = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, signature = STRBUF_INIT;
  _cleanup_signing_key_ struct signing_key *key = NULL;
  size_t length = 0;
  (void)snprintf(path, sizeof path, "%s/index.json", directory);
  (void)snprintf(signature_path, sizeof signature_path, "%s.sig", path);
  assert_int_equal(file_read(path, FILE_READ_MAX, &data, &length, NULL), 0);
  const char *place = strstr(data, before);
  assert_non_null(place);
  strbuf_append(&text, data, (size_t)(place - data));
  strbuf_puts(&text, after);
  strbuf_puts(&text, place + strlen(before));
  assert_int_equal(signing_key_read_private(kept.other_key, &key, NULL), 0);
  assert_int_equal(signature_make(key, text.data, text.length, &signature, NULL), 0);
  write_text(path, strbuf_text(&text));
  write_text(signature_path, strbuf_text(&signature));
}

/* The owner of an index is not trusted: under a new name or version comes only what the vendor has signed as such. */
static void a_package_that_is_another_than_the_index_says_is_refused(void **state) {
  (void)state;
  char directory[PATH_SIZE];
  make_index(directory, "index-lies", 1);
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);
  expect(0, "versioned 1.0.0: installed", "install", "shop/versioned", NULL);

  change_index(directory, "\"version\": \"1.0.0\"", "\"version\": \"9.9.9\"");
  expect(1, "it is versioned 1.0.0 for linux on", "upgrade", NULL);
  expect(1, "the index names versioned 9.9.9", "install", "shop/versioned", NULL);
  expect(0, "versioned 1.0.0: good", "verify", NULL);

  change_index(directory, "\"id\": \"versioned\"", "\"id\": \"versionee\"");
  expect(1, "the index names versionee 9.9.9", "install", "shop/versionee", NULL);
  expect(0, "versioned 1.0.0: good", "verify", NULL);
}

static void an_index_of_what_is_no_package_is_not_made(void **state) {
  (void)state;
  char directory[PATH_SIZE], package[PATH_SIZE + 16];
  make_directory(directory, "index-bad", 1);
  (void)snprintf(package, sizeof package, "%s/twice.trm", directory);
  char first[PATH_SIZE];
  package_path(first, "index-bad", "1.0.0");
  copy_file(first, package);
  expect(2, "are both versioned 1.0.0", "index", "make", directory, "--key", kept.key, NULL);
  write_text(package, "no package");
  expect(2, "twice.trm", "index", "make", directory, "--key", kept.key, NULL);
  (void)snprintf(package, sizeof package, "%s/index.json", directory);
  assert_int_equal(access(package, F_OK), -1);
}

/* ---- over HTTP */

struct site {
  const char *directory;
  atomic_uint redirects;
};

static void answer_file(const struct site *site, struct evhttp_request *request, const char *name) {
  char path[2 * PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/%s", site->directory, name);
  int fd = strchr(name, '/') ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    request_answer(request, 404, "text/plain", "no such file");
    return;
  }
  struct evbuffer *buffer = evbuffer_new();
  assert_int_equal(evbuffer_add_file(buffer, fd, 0, status.st_size), 0);
  evhttp_send_reply(request, 200, NULL, buffer);
  evbuffer_free(buffer);
}

/* /files/NAME is a file, /moved/NAME leads there, /loop to itself, /file to a file of this machine, /busy is down. */
static void serve(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct site *site = ctx;
  const char *path = evhttp_request_get_uri(request);
  char to[PATH_SIZE] = "";
  (void)server;
  if (strncmp(path, "/files/", 7) == 0) {
    answer_file(site, request, path + 7);
    return;
  }
  if (strncmp(path, "/busy", 5) == 0) {
    request_answer(request, 503, "text/plain", "busy");
    return;
  }
  if (strncmp(path, "/moved/", 7) == 0)
    (void)snprintf(to, sizeof to, "/files/%s", path + 7);
  else if (strncmp(path, "/file/", 6) == 0)
    (void)snprintf(to, sizeof to, "file://%s/%s", site->directory, path + 6);
  else
    (void)snprintf(to, sizeof to, "%s", path);
  (void)atomic_fetch_add(&site->redirects, 1);
  (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Location", to);
  request_answer(request, 302, "text/plain", "elsewhere");
}

static void an_index_is_a_web_site(void **state) {
  (void)state;
  char directory[PATH_SIZE], url[PATH_SIZE];
  make_index(directory, "site", 2);
  struct site site = {.directory = directory};
  struct http_server *server = http_server_start(serve, &site);
  (void)snprintf(url, sizeof url, "%s/files", http_server_url(server));
  use_index(directory, url);
  (void)snprintf(url, sizeof url, "%s/moved/", http_server_url(server));
  expect(0, "added", "index", "add", "moved", url, "--key", kept.other_public, NULL);
  assert_true(atomic_load(&site.redirects) >= 2);
  http_server_stop(server);
  expect(3, "connection refused", "install", "versioned", NULL);
}

static void a_package_comes_from_the_web(void **state) {
  (void)state;
  char directory[PATH_SIZE], url[2 * PATH_SIZE], package[PATH_SIZE];
  make_directory(directory, "site", 1);
  package_path(package, "site", "1.0.0");
  const char *name = strrchr(package, '/') + 1;
  struct site site = {.directory = directory};
  struct http_server *server = http_server_start(serve, &site);
  const char *base = http_server_url(server);
  (void)snprintf(url, sizeof url, "%s/files/nothing.trm", base);
  expect(2, "answered 404", "install", url, NULL);
  (void)snprintf(url, sizeof url, "%s/busy", base);
  expect(3, "answered 503", "install", url, NULL);
  (void)snprintf(url, sizeof url, "%s/loop", base);
  expect(3, "redirected more than 5 times", "install", url, NULL);
  assert_int_equal(atomic_load(&site.redirects), 6);
  (void)snprintf(url, sizeof url, "%s/file/%s", base, name);
  expect(2, "file", "install", url, "--allow-unsigned", NULL);
  expect(0, "no adapter is installed", "verify", NULL);
  (void)snprintf(url, sizeof url, "%s/moved/%s", base, name);
  expect(1, "no trusted key has signed it", "install", url, NULL);
  expect(0, "versioned 1.0.0: installed", "install", url, "--allow-unsigned", NULL);
  http_server_stop(server);
}

/* ---- hostile packages */

struct tar {
  struct archive *out;
  struct archive_entry *entry;
};

static void tar_begin(struct tar *tar, const char *path) {
  tar->out = archive_write_new();
  tar->entry = archive_entry_new();
  assert_int_equal(archive_write_add_filter_gzip(tar->out), ARCHIVE_OK);
  assert_int_equal(archive_write_set_format_pax(tar->out), ARCHIVE_OK);
  assert_int_equal(archive_write_open_filename(tar->out, path), ARCHIVE_OK);
}

static void tar_put(struct tar *tar, const char *path, unsigned type, const char *link, const void *data,
                    size_t length) {
  archive_entry_clear(tar->entry);
  archive_entry_set_pathname(tar->entry, path);
  archive_entry_set_filetype(tar->entry, type);
  archive_entry_set_perm(tar->entry, 0777);
  archive_entry_set_size(tar->entry, (la_int64_t)length);
  if (link && type == AE_IFLNK)
    archive_entry_set_symlink(tar->entry, link);
  else if (link)
    archive_entry_set_hardlink(tar->entry, link);
  assert_int_equal(archive_write_header(tar->out, tar->entry), ARCHIVE_OK);
  assert_int_equal(archive_write_data(tar->out, data, length), (la_ssize_t)length);
}

static void tar_end(struct tar *tar) {
  assert_int_equal(archive_write_free(tar->out), ARCHIVE_OK);
  archive_entry_free(tar->entry);
}

/* The entries of a good package, with a file left out or changed, go first when `copy` says so. */
static void tar_copy(struct tar *tar, const char *package, const char *without, const char *changed) {
  struct archive *in = archive_read_new();
  struct archive_entry *entry;
  (void)archive_read_support_filter_gzip(in);
  (void)archive_read_support_format_tar(in);
  assert_int_equal(archive_read_open_filename(in, package, 65536), ARCHIVE_OK);
  while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
    size_t length = (size_t)archive_entry_size(entry);
    _cleanup_free_ char *data = calloc(1, length + 1);
    const char *path = archive_entry_pathname(entry);
    assert_int_equal(archive_read_data(in, data, length), (la_ssize_t)length);
    if (changed && strcmp(path, changed) == 0)
      data[length - 20] ^= 1; /* of a signature: in its last digits */
    if (!without || strcmp(path, without) != 0)
      tar_put(tar, path, AE_IFREG, NULL, data, length);
  }
  assert_int_equal(archive_read_free(in), ARCHIVE_OK);
}

/* One way each; in all but the first ones a good package's files are there, too. */
static const struct hostile {
  const char *name;
  const char *without; /* one of the good files is left out */
  const char *changed; /* a byte of one of them is another */
  const char *path;    /* an entry more */
  unsigned type;
  const char *link;
} hostile[] = {
    {.name = "symbolic link", .path = "doc/x", .type = AE_IFLNK, .link = "/etc/passwd"},
    {.name = "symbolic link for a directory", .path = "doc", .type = AE_IFLNK, .link = "/tmp"},
    {.name = "hard link", .path = "doc/x", .type = AE_IFREG, .link = "manifest.json"},
    {.name = "hard link outside", .path = "doc/x", .type = AE_IFREG, .link = "/etc/passwd"},
    {.name = "absolute path", .path = "/tmp/trammel-hostile", .type = AE_IFREG},
    {.name = "path up", .path = "../../trammel-hostile", .type = AE_IFREG},
    {.name = "path up and down", .path = "doc/../../trammel-hostile", .type = AE_IFREG},
    {.name = "hidden file", .path = ".profile", .type = AE_IFREG},
    {.name = "directory", .path = "doc", .type = AE_IFDIR},
    {.name = "pipe", .path = "pipe", .type = AE_IFIFO},
    {.name = "character device", .path = "null", .type = AE_IFCHR},
    {.name = "block device", .path = "disk", .type = AE_IFBLK},
    {.name = "manifest twice", .path = "manifest.json", .type = AE_IFREG},
    {.name = "adapter twice", .path = "versioned.so", .type = AE_IFREG},
    {.name = "file below a file", .path = "versioned.so/x", .type = AE_IFREG},
    {.name = "file that is not listed", .path = "more", .type = AE_IFREG},
    {.name = "control characters in a name", .path = "a\033[2Jb", .type = AE_IFREG},
    {.name = "no manifest", .without = "manifest.json"},
    {.name = "no adapter", .without = "versioned.so"},
    {.name = "changed adapter", .changed = "versioned.so"},
    {.name = "changed manifest", .changed = "manifest.json"},
    {.name = "changed signature", .changed = "manifest.json.sig"},
};

static void make_hostile(const struct hostile *one, const char *package, const char *path) {
  struct tar tar;
  tar_begin(&tar, path);
  tar_copy(&tar, package, one->without, one->changed);
  if (one->path)
    tar_put(&tar, one->path, one->type, one->link, "", 0);
  tar_end(&tar);
}

/* Half a megabyte that would be more than a package may hold. */
static void make_bomb(const char *package, const char *path) {
  enum { SIZE = 192 << 20, BLOCK = 1 << 20 };
  struct tar tar;
  _cleanup_free_ char *zeroes = calloc(1, BLOCK);
  assert_non_null(zeroes);
  tar_begin(&tar, path);
  tar_copy(&tar, package, NULL, NULL);
  archive_entry_clear(tar.entry);
  archive_entry_set_pathname(tar.entry, "doc/bomb");
  archive_entry_set_filetype(tar.entry, AE_IFREG);
  archive_entry_set_size(tar.entry, SIZE);
  assert_int_equal(archive_write_header(tar.out, tar.entry), ARCHIVE_OK);
  for (size_t i = 0; i < SIZE / BLOCK; i++)
    assert_int_equal(archive_write_data(tar.out, zeroes, BLOCK), BLOCK);
  tar_end(&tar);
}

/* Refused with any word of permission, and the data directory as it was: what `find` says of it. */
static char *listing(void) {
  char command[2 * PATH_SIZE];
  char text[65536];
  (void)snprintf(command, sizeof command, "find '%s' -printf '%%p %%s %%i\\n' | sort", kept.data);
  FILE *out = popen(command, "re");
  assert_non_null(out);
  size_t length = fread(text, 1, sizeof text - 1, out);
  text[length] = '\0';
  assert_int_equal(pclose(out), 0);
  return strdup(text);
}

static bool is_refused(const char *path, const char *name) {
  const char *argv[] = {"trammel", "adapter", "install", path, "--allow-unsigned", NULL};
  struct command_result result;
  _cleanup_free_ char *before = listing();
  command_run(argv, NULL, RUN_S, &result);
  _cleanup_free_ char *after = listing();
  bool refused = result.exit_code == 1 || result.exit_code == 2;
  if (!refused || strcmp(before, after) != 0 || strchr(strbuf_text(&result.errors), '\033'))
    fail_msg("%s: ended with %d, left behind:\n%s\nbefore:\n%s\n%s", name, result.exit_code, after, before,
             strbuf_text(&result.errors));
  command_result_finish(&result);
  return refused;
}

static unsigned refuse_parts(const char *package, const char *path) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  unsigned refused = 0;
  assert_int_equal(file_read(package, FILE_READ_MAX, &data, &length, NULL), 0);
  for (size_t i = 0; i < 8; i++) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    size_t part = length * i / 8 + (i == 7 ? length / 8 - 1 : 0);
    assert_int_equal(fwrite(data, 1, part, file), part);
    assert_int_equal(fclose(file), 0);
    refused += is_refused(path, "the beginning of a package");
  }
  return refused;
}

static void hostile_packages_are_refused_and_leave_nothing(void **state) {
  (void)state;
  char good[PATH_SIZE], package[PATH_SIZE], path[PATH_SIZE];
  package_path(good, "packages", "1.0.0");
  package_path(package, "packages", "1.2.0");
  in_folder(path, "hostile.trm");
  expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  expect(0, "installed", "install", good, NULL); /* which stays as it is */
  unsigned refused = 0, tried = 0;
  for (size_t i = 0; i < ARRAY_COUNT(hostile); i++, tried++) {
    make_hostile(&hostile[i], package, path);
    refused += is_refused(path, hostile[i].name);
  }
  make_bomb(package, path);
  refused += is_refused(path, "bomb");
  write_text(path, "no package at all\n");
  refused += is_refused(path, "text");
  refused += refuse_parts(package, path);
  tried += 10;
  print_message("%u of %u hostile packages refused, nothing left behind\n", refused, tried);
  assert_int_equal(refused, tried);
  assert_int_equal(access("/tmp/trammel-hostile", F_OK), -1);
  expect(0, "versioned 1.0.0: good", "verify", NULL);

  /* What the hostile ones are made of is a good one. */
  struct tar tar;
  tar_begin(&tar, path);
  tar_copy(&tar, package, NULL, NULL);
  tar_end(&tar);
  expect(0, "versioned 1.2.0: installed, signed by vendor", "install", path, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(only_what_a_trusted_key_signed_is_installed, forget_all),
      cmocka_unit_test_setup(what_is_unsigned_is_installed_by_an_explicit_word_and_told, forget_all),
      cmocka_unit_test_setup(a_version_goes_back_and_forth_and_away, forget_all),
      cmocka_unit_test_setup(a_changed_file_is_found_and_put_back, forget_all),
      cmocka_unit_test_setup(list_and_show_say_who_signed_it_and_where_it_is_from, forget_all),
      cmocka_unit_test_setup(a_directory_has_exactly_one_package_for_this_machine, forget_all),
      cmocka_unit_test_setup(keys_have_one_name_each, forget_all),
      cmocka_unit_test_setup(the_key_that_is_told_is_the_one_that_is_trusted, forget_all),
      cmocka_unit_test_setup(wrong_words_are_usage_errors, forget_all),
      cmocka_unit_test_setup(commands_of_three_words_are_completed_and_explained, forget_all),
      cmocka_unit_test_setup(an_index_is_a_directory, forget_all),
      cmocka_unit_test_setup(what_has_nothing_newer_is_told_as_it_is, forget_all),
      cmocka_unit_test_setup(a_name_in_two_indexes_needs_the_index, forget_all),
      cmocka_unit_test_setup(an_index_that_is_not_as_signed_is_refused, forget_all),
      cmocka_unit_test_setup(a_package_that_is_another_than_the_index_says_is_refused, forget_all),
      cmocka_unit_test_setup(an_index_of_what_is_no_package_is_not_made, forget_all),
      cmocka_unit_test_setup(an_index_is_a_web_site, forget_all),
      cmocka_unit_test_setup(a_package_comes_from_the_web, forget_all),
      cmocka_unit_test_setup(hostile_packages_are_refused_and_leave_nothing, forget_all),
  };
  return cmocka_run_group_tests_name("packages", tests, make_packages, remove_packages);
}
