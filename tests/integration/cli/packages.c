#include "tests/integration/cli/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"

struct packages_kept kept;

const char *const packages_versions[VERSIONS + 1] = {"1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"};

void packages_in_folder(char path[PATH_SIZE], const char *name) {
  assert_true(snprintf(path, PATH_SIZE, "%s/%s", kept.folder, name) < PATH_SIZE);
}

static void run(struct command_result *result, va_list words) {
  const char *argv[16] = {"trammel", "adapter"};
  for (size_t i = 2; i < 15 && (argv[i] = va_arg(words, const char *)); i++)
    ;
  command_run(argv, NULL, RUN_S, result);
}

void packages_expect(int code, const char *text, ...) {
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
json_t *packages_output(const char *first, ...) {
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

const char *packages_text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

void packages_path(char path[PATH_SIZE], const char *directory, const char *version) {
  char machine[64];
  FILE *uname = popen("uname -m", "re");
  assert_non_null(uname);
  assert_non_null(fgets(machine, sizeof machine, uname));
  assert_int_equal(pclose(uname), 0);
  machine[strcspn(machine, "\n")] = '\0';
  assert_true(snprintf(path, PATH_SIZE, "%s/%s/versioned-%s-linux-%s.trm", kept.folder, directory, version, machine) <
              PATH_SIZE);
}

void packages_copy(const char *from, const char *to) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  assert_int_equal(file_read(from, FILE_READ_MAX, &data, &length, NULL), 0);
  FILE *file = fopen(to, "we");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

void packages_write(const char *path, const char *text) {
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* A directory below the folder with the packages of the first `count` packages_versions. */
void packages_directory(char path[PATH_SIZE], const char *name, size_t count) {
  packages_in_folder(path, name);
  assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
  for (size_t i = 0; i < count; i++) {
    char from[PATH_SIZE], to[PATH_SIZE];
    packages_path(from, "packages", packages_versions[i]);
    packages_path(to, name, packages_versions[i]);
    packages_copy(from, to);
  }
}

static void keygen(const char *path) {
  const char *argv[] = {"trammel", "report", "keygen", path, NULL};
  struct command_result result;
  command_run(argv, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
}

void packages_adapter(char path[PATH_SIZE], const char *version) {
  assert_true(snprintf(path, PATH_SIZE, "%s/tests/versioned/%s/versioned.so", getenv("TRAMMEL_BUILD_DIR"), version) <
              PATH_SIZE);
}

int packages_setup(void **state) {
  (void)state;
  char packages[PATH_SIZE];
  kept.folder = scratch_create();
  packages_in_folder(kept.data, "data");
  packages_in_folder(kept.key, "key.pem");
  packages_in_folder(kept.public_key, "key.pub.pem");
  packages_in_folder(kept.other_key, "other.pem");
  packages_in_folder(kept.other_public, "other.pub.pem");
  packages_in_folder(packages, "packages");
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", kept.data, 1), 0);
  assert_int_equal(mkdir(packages, 0755), 0);
  keygen(kept.key);
  keygen(kept.other_key);
  for (size_t i = 0; i < VERSIONS; i++) {
    char adapter[PATH_SIZE], package[PATH_SIZE];
    packages_adapter(adapter, packages_versions[i]);
    packages_path(package, "packages", packages_versions[i]);
    packages_expect(0, "SHA-256 ", "pack", adapter, "--licence", "Apache-2.0", "-o", packages, NULL);
    packages_expect(0, "signed with the key ", "sign", package, "--key", kept.key, NULL);
  }
  return 0;
}

int packages_teardown(void **state) {
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

void packages_remove(const char *path) {
  (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int packages_forget(void **state) {
  (void)state;
  packages_remove(kept.data);
  return 0;
}
