/* Packages that were made to do harm are refused, and leave nothing behind. */
#include <errno.h>
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

#include <archive.h>
#include <archive_entry.h>

#include "host/signing/signature.h"
#include "sdk/base/document.h"
#include "tests/integration/cli/packages.h"
#include "tests/support/command.h"

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

/* A word of the manifest's text becomes another one. */
static void lie(char *manifest, const char *word) {
  char *place = strstr(manifest, word);
  assert_non_null(place);
  *place ^= 1;
}

/* The entries of a good package, with a file left out or changed, or a word of its manifest, go first when `copy` says
 * so. */
static void tar_copy(struct tar *tar, const char *package, const char *without, const char *changed,
                     const char *changed_word) {
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
    if (changed_word && strcmp(path, "manifest.json") == 0)
      lie(data, changed_word);
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
  const char *changed_word; /* of its manifest */
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
    {.name = "unsigned, with another summary", .without = "manifest.json.sig", .changed_word = "in several versions"},
};

static void make_hostile(const struct hostile *one, const char *package, const char *path) {
  struct tar tar;
  tar_begin(&tar, path);
  tar_copy(&tar, package, one->without, one->changed, one->changed_word);
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
  tar_copy(&tar, package, NULL, NULL, NULL);
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
  const char *errors = strbuf_text(&result.errors);
  bool refused = result.exit_code == 1 || result.exit_code == 2;
  if (!refused || strcmp(before, after) != 0 || strchr(errors, '\033') || strstr(errors, "is installed"))
    fail_msg("%s: ended with %d, left behind:\n%s\nbefore:\n%s\n%s", name, result.exit_code, after, before, errors);
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
  packages_path(good, "packages", "1.0.0");
  packages_path(package, "packages", "1.2.0");
  packages_in_folder(path, "hostile.trm");
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "installed", "install", good, NULL); /* which stays as it is */
  unsigned refused = 0, tried = 0;
  for (size_t i = 0; i < ARRAY_COUNT(hostile); i++, tried++) {
    make_hostile(&hostile[i], package, path);
    refused += is_refused(path, hostile[i].name);
  }
  make_bomb(package, path);
  refused += is_refused(path, "bomb");
  packages_write(path, "no package at all\n");
  refused += is_refused(path, "text");
  refused += refuse_parts(package, path);
  tried += 10;
  print_message("%u of %u hostile packages refused, nothing left behind\n", refused, tried);
  assert_int_equal(refused, tried);
  assert_int_equal(access("/tmp/trammel-hostile", F_OK), -1);
  packages_expect(0, "versioned 1.0.0: good", "verify", NULL);

  /* What the hostile ones are made of is a good one. */
  struct tar tar;
  tar_begin(&tar, path);
  tar_copy(&tar, package, NULL, NULL, NULL);
  tar_end(&tar);
  packages_expect(0, "versioned 1.2.0: installed, signed by vendor", "install", path, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(hostile_packages_are_refused_and_leave_nothing, packages_forget),
  };
  return cmocka_run_group_tests_name("hostile packages", tests, packages_setup, packages_teardown);
}
