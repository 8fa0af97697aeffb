/* Files as a power cut would leave them: a name is on the disk when its directory was synced after it came there. */
#include <dirent.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "host/package/files.h"
#include "tests/support/command.h"

enum { CALLS_MAX = 200, PATH_SIZE = 512 };

/* What was called, in order. */
static struct call {
  enum { SYNCED, MADE, RENAMED } what;
  char path[PATH_SIZE]; /* absolute; the new one of a rename */
} calls[CALLS_MAX];
static size_t call_count;

static void note(int what, const char *path) {
  assert_true(call_count < CALLS_MAX);
  calls[call_count].what = (unsigned)what;
  (void)snprintf(calls[call_count++].path, PATH_SIZE, "%s", path);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_fsync(int fd) {
  char link[64], path[PATH_SIZE] = {0};
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  assert_true(readlink(link, path, sizeof path - 1) > 0);
  note(SYNCED, path);
  return __real_fsync(fd);
}

int __wrap_mkdir(const char *path, mode_t mode) {
  int r = __real_mkdir(path, mode);
  if (r == 0)
    note(MADE, path);
  return r;
}

static char renamed[PATH_SIZE];       /* the old name of the last one */
static const char *written_meanwhile; /* which file another writer replaces before the next rename; NULL: none */

int __wrap_rename(const char *from, const char *to) {
  const char *other = written_meanwhile;
  written_meanwhile = NULL;
  if (other)
    assert_int_equal(files_replace(other, "other", 5, NULL), 0);
  int r = __real_rename(from, to);
  if (r == 0)
    note(RENAMED, to);
  (void)snprintf(renamed, sizeof renamed, "%s", from);
  return r;
}

/* Where in the order; fails the test when it is not there. */
static size_t find(int what, const char *path) {
  for (size_t i = call_count; i > 0; i--)
    if (calls[i - 1].what == (unsigned)what && strcmp(calls[i - 1].path, path) == 0)
      return i - 1;
  fail_msg("%s is not %s", path, what == SYNCED ? "on the disk" : what == MADE ? "made" : "renamed");
  return 0;
}

/* That the directory was synced after the name came into it. */
static void assert_named(int what, const char *path) {
  char parent[PATH_SIZE];
  (void)snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
  if (find(SYNCED, parent) < find(what, path))
    fail_msg("the name of %s is not on the disk", path);
}

static int setup(void **state) {
  *state = scratch_create();
  call_count = 0;
  return 0;
}

static int teardown(void **state) {
  scratch_remove(*state);
  return 0;
}

static const char *below(const char *scratch, const char *name) {
  static char path[PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
  return path;
}

static void directories_that_are_made_are_on_the_disk(void **state) {
  assert_int_equal(files_make_directories(below(*state, "a/b/c"), NULL), 0);
  assert_named(MADE, below(*state, "a"));
  assert_named(MADE, below(*state, "a/b"));
  assert_named(MADE, below(*state, "a/b/c"));
}

static void a_tarball_that_is_written_is_on_the_disk(void **state) {
  static const char *const paths[] = {"doc/README.md", "doc/more/x", "doc/z", "manifest.json", NULL};
  _cleanup_tarball_ struct tarball tarball = {0};
  for (size_t i = 0; paths[i]; i++)
    assert_int_equal(tarball_add(&tarball, paths[i], "x", 1, NULL), 0);
  assert_int_equal(files_write(below(*state, "1.0.0"), &tarball, NULL), 0);
  assert_named(MADE, below(*state, "1.0.0"));
  assert_named(MADE, below(*state, "1.0.0/doc"));
  assert_named(MADE, below(*state, "1.0.0/doc/more"));
  for (size_t i = 0; paths[i]; i++) {
    char path[64];
    (void)snprintf(path, sizeof path, "1.0.0/%s", paths[i]);
    assert_named(SYNCED, below(*state, path));
  }
}

static void a_file_that_is_replaced_is_on_the_disk(void **state) {
  assert_int_equal(files_replace(below(*state, "x"), "1", 1, NULL), 0);
  assert_named(RENAMED, below(*state, "x"));
  if (find(RENAMED, below(*state, "x")) < find(SYNCED, renamed))
    fail_msg("its content was not on the disk before it had the name");
}

static void assert_content(const char *path, const char *expected) {
  char content[16] = {0};
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  content[fread(content, 1, sizeof content - 1, file)] = '\0';
  assert_int_equal(fclose(file), 0);
  assert_string_equal(content, expected);
}

/* How many names a directory has. */
static unsigned names_in(const char *path) {
  DIR *all = opendir(path);
  unsigned count = 0;
  assert_non_null(all);
  for (const struct dirent *entry; (entry = readdir(all));)
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  assert_int_equal(closedir(all), 0);
  return count;
}

/* Two programs that replace a file at the same time: the last one's content is there, whole. */
static void two_that_replace_a_file_do_not_meet(void **state) {
  char path[PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s", below(*state, "x"));
  written_meanwhile = path;
  assert_int_equal(files_replace(path, "own", 3, NULL), 0);
  assert_null(written_meanwhile);
  assert_content(path, "own");
  assert_int_equal(names_in(*state), 1);
}

static void a_file_beside_the_one_that_is_replaced_stays(void **state) {
  char beside[PATH_SIZE];
  (void)snprintf(beside, sizeof beside, "%s", below(*state, "x.trm.partial"));
  FILE *file = fopen(beside, "we");
  assert_non_null(file);
  assert_true(fputs("mine", file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(files_publish(below(*state, "x.trm"), "1", 1, NULL), 0);
  assert_content(beside, "mine");
  assert_int_equal(names_in(*state), 2);
}

static void assert_mode(const char *path, mode_t expected) {
  struct stat status;
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 07777, expected);
}

static void who_may_read_a_file_is_as_asked_and_as_the_umask_says(void **state) {
  mode_t before = umask(027);
  assert_int_equal(files_replace(below(*state, "own"), "1", 1, NULL), 0);
  assert_int_equal(files_publish(below(*state, "public"), "1", 1, NULL), 0);
  (void)umask(before);
  assert_mode(below(*state, "own"), 0600);
  assert_mode(below(*state, "public"), 0640);
}

static void what_cannot_be_replaced_leaves_nothing(void **state) {
  char name[300];
  memset(name, 'x', sizeof name - 1);
  name[255] = '\0';
  assert_int_equal(mkdir(below(*state, "directory"), 0700), 0);
  assert_int_equal(files_replace(below(*state, "directory"), "1", 1, NULL), -EISDIR);
  assert_int_equal(files_replace(below(*state, "none/x"), "1", 1, NULL), -ENOENT);
  assert_int_equal(files_replace(below(*state, name), "1", 1, NULL), 0); /* as long as a name can be */
  assert_int_equal(names_in(*state), 2);
}

/* ---- removing */

static void put(const char *path) {
  assert_int_equal(files_replace(path, "x", 1, NULL), 0);
}

static void links_are_removed_and_not_what_they_lead_to(void **state) {
  char kept[PATH_SIZE];
  assert_int_equal(files_make_directories(below(*state, "gone/deeper/still"), NULL), 0);
  assert_int_equal(files_make_directories(below(*state, "kept"), NULL), 0);
  put(below(*state, "kept/x"));
  put(below(*state, "gone/deeper/still/x"));
  (void)snprintf(kept, sizeof kept, "%s", below(*state, "kept"));
  assert_int_equal(symlink(kept, below(*state, "gone/deeper/link")), 0);
  assert_int_equal(symlink(kept, below(*state, "link")), 0);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "gone"), NULL), 0);
  assert_int_not_equal(access(below(*state, "gone"), F_OK), 0);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "gone"), NULL), 0);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "link"), NULL), -ENOTDIR);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "kept/x"), NULL), -ENOTDIR);
  assert_int_equal(access(below(*state, "link/x"), F_OK), 0);
}

/* Directories in one another, `depth` of them below the first. */
static void make_deep(const char *path, unsigned depth) {
  _cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
  strbuf_puts(&all, path);
  for (unsigned i = 0; i <= depth; i++) {
    assert_int_equal(__real_mkdir(strbuf_text(&all), 0700), 0);
    strbuf_puts(&all, "/d");
  }
}

static void there_is_a_limit_to_the_depth(void **state) {
  make_deep(below(*state, "deep"), FILES_DEPTH_MAX);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "deep"), NULL), 0);
  make_deep(below(*state, "deep"), FILES_DEPTH_MAX + 1);
  assert_int_equal(files_remove(AT_FDCWD, below(*state, "deep"), NULL), -ELOOP);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(directories_that_are_made_are_on_the_disk, setup, teardown),
      cmocka_unit_test_setup_teardown(a_tarball_that_is_written_is_on_the_disk, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_that_is_replaced_is_on_the_disk, setup, teardown),
      cmocka_unit_test_setup_teardown(two_that_replace_a_file_do_not_meet, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_beside_the_one_that_is_replaced_stays, setup, teardown),
      cmocka_unit_test_setup_teardown(who_may_read_a_file_is_as_asked_and_as_the_umask_says, setup, teardown),
      cmocka_unit_test_setup_teardown(what_cannot_be_replaced_leaves_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(links_are_removed_and_not_what_they_lead_to, setup, teardown),
      cmocka_unit_test_setup_teardown(there_is_a_limit_to_the_depth, setup, teardown),
  };
  return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
