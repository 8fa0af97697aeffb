/* Packages as tars: what is written is read back, and hostile ones are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "host/package/tarball.h"

static void add(struct tarball *tarball, const char *path, const char *text) {
  struct error *err = NULL;
  if (tarball_add(tarball, path, text, strlen(text), &err) < 0)
    fail_msg("%s: %s", path, error_message(err));
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0}, again = {0};
  _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
  add(&tarball, "manifest.json", "{}");
  add(&tarball, "doc/README", "");
  add(&tarball, "x.so", "\177ELF");
  assert_int_equal(tarball_write(&tarball, &packed, NULL), 0);
  assert_int_equal(tarball_read(packed.data, packed.length, &again, NULL), 0);
  assert_int_equal(again.count, 3);
  assert_int_equal(again.bytes, 6);
  assert_string_equal(again.files[0].path, "doc/README");
  assert_int_equal(again.files[0].length, 0);
  assert_non_null(again.files[0].data);
  const struct tarball_file *manifest = tarball_find(&again, "manifest.json");
  assert_non_null(manifest);
  assert_int_equal(manifest->length, 2);
  assert_memory_equal(manifest->data, "{}", 2);
  assert_null(tarball_find(&again, "manifest"));
}

static void the_same_files_give_the_same_bytes(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball one = {0}, other = {0};
  _cleanup_strbuf_ struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
  add(&one, "a", "1");
  add(&one, "b", "2");
  add(&other, "b", "x");
  add(&other, "a", "1");
  assert_int_equal(tarball_put(&other, "b", "2", 1, NULL), 0);
  assert_int_equal(tarball_write(&one, &first, NULL), 0);
  assert_int_equal(tarball_write(&other, &second, NULL), 0);
  assert_int_equal(first.length, second.length);
  assert_memory_equal(first.data, second.data, first.length);
}

static void paths_that_lead_elsewhere_are_not_taken(void **state) {
  (void)state;
  static const char *const bad[] = {"",         "/",    "/etc/passwd", "..",     "../x",  "a/../b", "a/./b",
                                    ".hidden",  "a/.b", "a//b",        "a/",     "a b",   "a\\b",   "a\nb",
                                    "\xc3\xa9", "a:b",  "~",           "-/../x", "a\x01", "a/\x7f", NULL};
  _cleanup_tarball_ struct tarball tarball = {0};
  for (size_t i = 0; bad[i]; i++)
    assert_int_equal(tarball_add(&tarball, bad[i], "", 0, NULL), -EINVAL);
  char path[TARBALL_PATH_MAX + 2];
  memset(path, 'a', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  assert_int_equal(tarball_add(&tarball, path, "", 0, NULL), -EINVAL);
  path[TARBALL_PATH_MAX] = '\0';
  assert_int_equal(tarball_add(&tarball, path, "", 0, NULL), 0);
}

static void a_path_that_is_refused_is_told_on_one_line(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0};
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(tarball_add(&tarball, "a\nvendor 1.0.0: good\x1b[0m", "", 0, &err), -EINVAL);
  assert_null(strpbrk(error_message(err), "\n\x1b"));
  assert_non_null(strstr(error_message(err), "\"a\\nvendor"));
}

static void a_path_is_there_once_and_no_directory_of_another(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0};
  add(&tarball, "a/b", "");
  add(&tarball, "a-b", "");
  assert_int_equal(tarball_add(&tarball, "a/b", "", 0, NULL), -EEXIST);
  assert_int_equal(tarball_add(&tarball, "a", "", 0, NULL), -EINVAL);
  assert_int_equal(tarball_add(&tarball, "a/b/c", "", 0, NULL), -EINVAL);
  assert_int_equal(tarball.count, 2);
}

static void there_is_a_limit_to_files_and_bytes(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0};
  for (unsigned i = 0; i < TARBALL_FILES_MAX; i++) {
    char path[16];
    (void)snprintf(path, sizeof path, "f%u", i);
    add(&tarball, path, "");
  }
  assert_int_equal(tarball_add(&tarball, "one-more", "", 0, NULL), -E2BIG);
  assert_int_equal(tarball_put(&tarball, "f0", "x", 1, NULL), 0);
  assert_int_equal(tarball.bytes, 1);
}

/* ---- tars that others wrote */

struct foreign {
  struct archive *out;
  struct archive_entry *entry;
  char *data;
  size_t length;
};

static void foreign_begin_as(struct foreign *foreign, int (*set_format)(struct archive *),
                             int (*add_filter)(struct archive *)) {
  enum { ROOM = 1 << 20 };
  foreign->out = archive_write_new();
  foreign->entry = archive_entry_new();
  foreign->data = malloc(ROOM);
  assert_non_null(foreign->data);
  assert_int_equal(add_filter(foreign->out), ARCHIVE_OK);
  (void)archive_write_set_filter_option(foreign->out, "gzip", "compression-level", "1"); /* bombs are quick to make */
  assert_int_equal(set_format(foreign->out), ARCHIVE_OK);
  assert_int_equal(archive_write_open_memory(foreign->out, foreign->data, ROOM, &foreign->length), ARCHIVE_OK);
}

static void foreign_begin(struct foreign *foreign) {
  foreign_begin_as(foreign, archive_write_set_format_gnutar, archive_write_add_filter_gzip);
}

static void foreign_finish(struct foreign *foreign) {
  (void)archive_write_free(foreign->out);
  archive_entry_free(foreign->entry);
  free(foreign->data);
}

static void foreign_put(struct foreign *foreign, const char *path, unsigned type, const char *link, const char *text) {
  archive_entry_clear(foreign->entry);
  archive_entry_set_pathname(foreign->entry, path);
  archive_entry_set_filetype(foreign->entry, type);
  archive_entry_set_perm(foreign->entry, 0777);
  archive_entry_set_size(foreign->entry, (la_int64_t)strlen(text));
  if (link && type == AE_IFLNK)
    archive_entry_set_symlink(foreign->entry, link);
  else if (link)
    archive_entry_set_hardlink(foreign->entry, link);
  assert_int_equal(archive_write_header(foreign->out, foreign->entry), ARCHIVE_OK);
  assert_int_equal(archive_write_data(foreign->out, text, strlen(text)), (la_ssize_t)strlen(text));
}

/* What reading it comes to; the tarball is empty after an error. */
static int foreign_end(struct foreign *foreign) {
  _cleanup_tarball_ struct tarball tarball = {0};
  assert_int_equal(archive_write_close(foreign->out), ARCHIVE_OK);
  int r = tarball_read(foreign->data, foreign->length, &tarball, NULL);
  assert_true(r == 0 || (tarball.count == 0 && !tarball.files));
  foreign_finish(foreign);
  return r;
}

static int one_entry(const char *path, unsigned type, const char *link) {
  struct foreign foreign;
  foreign_begin(&foreign);
  foreign_put(&foreign, "manifest.json", AE_IFREG, NULL, "{}");
  foreign_put(&foreign, path, type, link, "");
  return foreign_end(&foreign);
}

static void only_regular_files_at_their_places_are_taken(void **state) {
  (void)state;
  assert_int_equal(one_entry("x", AE_IFREG, NULL), 0);
  assert_int_equal(one_entry("x", AE_IFLNK, "/etc/passwd"), -EINVAL);
  assert_int_equal(one_entry("x", AE_IFREG, "manifest.json"), -EINVAL);
  assert_int_equal(one_entry("x", AE_IFDIR, NULL), -EINVAL);
  assert_int_equal(one_entry("x", AE_IFIFO, NULL), -EINVAL);
  assert_int_equal(one_entry("x", AE_IFCHR, NULL), -EINVAL);
  assert_int_equal(one_entry("x", AE_IFBLK, NULL), -EINVAL);
  assert_int_equal(one_entry("../x", AE_IFREG, NULL), -EINVAL);
  assert_int_equal(one_entry("/x", AE_IFREG, NULL), -EINVAL);
  assert_int_equal(one_entry("manifest.json", AE_IFREG, NULL), -EEXIST);
  assert_int_equal(one_entry("manifest.json/x", AE_IFREG, NULL), -EINVAL);
}

static int packed_twice(struct archive *out) {
  int r = archive_write_add_filter_gzip(out);
  return r == ARCHIVE_OK ? archive_write_add_filter_gzip(out) : r;
}

static int packed_by(int (*add_filter)(struct archive *)) {
  struct foreign foreign;
  foreign_begin_as(&foreign, archive_write_set_format_gnutar, add_filter);
  foreign_put(&foreign, "manifest.json", AE_IFREG, NULL, "{}");
  return foreign_end(&foreign);
}

static void only_one_gzip_is_taken(void **state) {
  (void)state;
  assert_int_equal(packed_by(archive_write_add_filter_gzip), 0);
  assert_int_equal(packed_by(archive_write_add_filter_none), -EINVAL);
  assert_int_equal(packed_by(packed_twice), -EINVAL);
}

/* They would be signed, and be no part of what is checked. */
static void bytes_after_the_compressed_data_are_refused(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0};
  _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
  add(&tarball, "manifest.json", "{}");
  assert_int_equal(tarball_write(&tarball, &packed, NULL), 0);
  static const char *const rests[] = {"x", "more than a few bytes", "\x1f"};
  for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
    struct tarball read;
    size_t length = packed.length;
    strbuf_puts(&packed, rests[i]);
    assert_int_equal(tarball_read(packed.data, packed.length, &read, NULL), -EINVAL);
    assert_null(read.files);
    packed.length = length;
  }
}

static void too_many_files_are_refused(void **state) {
  (void)state;
  struct foreign foreign;
  foreign_begin(&foreign);
  for (unsigned i = 0; i <= TARBALL_FILES_MAX; i++) {
    char path[16];
    (void)snprintf(path, sizeof path, "f%u", i);
    foreign_put(&foreign, path, AE_IFREG, NULL, "x");
  }
  assert_int_equal(foreign_end(&foreign), -E2BIG);
}

/* Some hundred kilobytes that become more than a package may hold. */
static void a_bomb_is_refused_while_it_goes_off(void **state) {
  (void)state;
  enum { BLOCK = 1 << 20 };
  struct foreign foreign;
  char *zeroes = calloc(1, BLOCK);
  assert_non_null(zeroes);
  foreign_begin(&foreign);
  archive_entry_set_pathname(foreign.entry, "bomb");
  archive_entry_set_filetype(foreign.entry, AE_IFREG);
  archive_entry_set_size(foreign.entry, (la_int64_t)TARBALL_BYTES_MAX + BLOCK);
  assert_int_equal(archive_write_header(foreign.out, foreign.entry), ARCHIVE_OK);
  for (size_t i = 0; i <= TARBALL_BYTES_MAX / BLOCK; i++)
    assert_int_equal(archive_write_data(foreign.out, zeroes, BLOCK), BLOCK);
  free(zeroes);
  assert_int_equal(foreign_end(&foreign), -E2BIG);
}

/* Parts of a tar that is not compressed yet; NULL is zeroes. */
struct part {
  const struct strbuf *text;
  size_t length;
};

/* What reading their sum comes to, compressed. */
static int read_parts(const struct part *parts, size_t count) {
  enum { BLOCK = 1 << 20 };
  struct foreign foreign;
  char *zeroes = calloc(1, BLOCK);
  assert_non_null(zeroes);
  foreign_begin_as(&foreign, archive_write_set_format_raw, archive_write_add_filter_gzip);
  archive_entry_set_filetype(foreign.entry, AE_IFREG);
  assert_int_equal(archive_write_header(foreign.out, foreign.entry), ARCHIVE_OK);
  for (size_t i = 0; i < count; i++)
    for (size_t done = 0; done < parts[i].length;) {
      size_t n = parts[i].text || parts[i].length - done < BLOCK ? parts[i].length - done : BLOCK;
      const char *data = parts[i].text ? parts[i].text->data : zeroes;
      assert_int_equal(archive_write_data(foreign.out, data, n), (la_ssize_t)n);
      done += n;
    }
  free(zeroes);
  return foreign_end(&foreign);
}

/* One file, and what ends a tar. */
static void make_tar(const char *path, struct strbuf *out) {
  struct foreign foreign;
  foreign_begin_as(&foreign, archive_write_set_format_gnutar, archive_write_add_filter_none);
  foreign_put(&foreign, path, AE_IFREG, NULL, "{}");
  assert_int_equal(archive_write_close(foreign.out), ARCHIVE_OK);
  strbuf_append(out, foreign.data, foreign.length);
  foreign_finish(&foreign);
}

/* Zeroes where a tar may have them belong to no file, but are read all the same. */
static void a_bomb_beside_the_files_is_refused(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
  make_tar("manifest.json", &first);
  make_tar("x", &second);
  const struct part one = {&first, first.length}, other = {&second, second.length};
  const struct part few = {NULL, 1 << 20}, bomb = {NULL, TARBALL_UNPACKED_MAX};
  assert_int_equal(read_parts((const struct part[]){one, few, other, few}, 4), 0);
  assert_int_equal(read_parts((const struct part[]){one, bomb}, 2), -E2BIG);
  assert_int_equal(read_parts((const struct part[]){one, bomb, other}, 3), -E2BIG);
  assert_int_equal(read_parts((const struct part[]){bomb, one}, 2), -E2BIG);
}

/* Wherever it ends too early, and whatever byte is another one. */
static void a_broken_one_is_refused_or_read_whole(void **state) {
  (void)state;
  _cleanup_tarball_ struct tarball tarball = {0};
  _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
  add(&tarball, "manifest.json", "{\"format\": \"x\"}");
  add(&tarball, "x.so", "some bytes");
  assert_int_equal(tarball_write(&tarball, &packed, NULL), 0);
  for (size_t length = 0; length < packed.length; length++) {
    struct tarball half;
    if (tarball_read(packed.data, length, &half, NULL) != -EINVAL)
      fail_msg("its first %zu of %zu bytes are taken", length, packed.length);
    assert_null(half.files);
  }
  for (size_t i = 0; i < packed.length; i++) {
    struct tarball changed;
    packed.data[i] ^= 0x55;
    if (tarball_read(packed.data, packed.length, &changed, NULL) == 0)
      tarball_finish(&changed);
    packed.data[i] ^= 0x55;
  }
  assert_int_equal(tarball_read("no tar at all", 13, &(struct tarball){0}, NULL), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(the_same_files_give_the_same_bytes),
      cmocka_unit_test(paths_that_lead_elsewhere_are_not_taken),
      cmocka_unit_test(a_path_that_is_refused_is_told_on_one_line),
      cmocka_unit_test(a_path_is_there_once_and_no_directory_of_another),
      cmocka_unit_test(there_is_a_limit_to_files_and_bytes),
      cmocka_unit_test(only_regular_files_at_their_places_are_taken),
      cmocka_unit_test(only_one_gzip_is_taken),
      cmocka_unit_test(bytes_after_the_compressed_data_are_refused),
      cmocka_unit_test(too_many_files_are_refused),
      cmocka_unit_test(a_bomb_is_refused_while_it_goes_off),
      cmocka_unit_test(a_bomb_beside_the_files_is_refused),
      cmocka_unit_test(a_broken_one_is_refused_or_read_whole),
  };
  return cmocka_run_group_tests_name("tarball", tests, NULL, NULL);
}
