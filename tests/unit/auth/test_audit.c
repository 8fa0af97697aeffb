/* What is written down of who did what. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/auth/audit.h"
#include "tests/support/command.h"

static char *directory;
static char path[4096];

static int set_up(void **state) {
  (void)state;
  directory = scratch_create();
  (void)snprintf(path, sizeof(path), "%s/audit.jsonl", directory);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  scratch_remove(directory);
  return 0;
}

static void put(struct audit *audit, const char *who, const char *about, int status) {
  const struct audit_entry entry = {.who = who, .from = "uid 1", .what = "/a/B", .about = about, .status = status};
  assert_int_equal(audit_write(audit, &entry, NULL), 0);
}

/* The lines of the file, each an object; what they have in "omitted", summed up. */
static size_t count_lines(size_t *ret_omitted) {
  char line[4096];
  size_t count = 0;
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  *ret_omitted = 0;
  for (; fgets(line, sizeof(line), file); count++) {
    json_t *entry = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(entry));
    assert_true(json_is_string(json_object_get(entry, "time")));
    *ret_omitted += (size_t)json_integer_value(json_object_get(entry, "omitted"));
    json_decref(entry);
  }
  (void)fclose(file);
  return count;
}

static void lines_are_added_to_what_is_there(void **state) {
  (void)state;
  struct audit *audit = NULL;
  struct stat status;
  size_t omitted = 0;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(audit_open(path, &audit, NULL), 0);
    put(audit, "alice", "user \"bob\"\n\xff\x1b[2J", 0);
    audit_close(audit);
  }
  assert_int_equal(count_lines(&omitted), 2);
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  assert_int_equal(audit_write(NULL, &(struct audit_entry){.who = ""}, NULL), 0);
}

/* Who is not known can be refused as often as they like, and fill no disk; who is known is always written down. */
static void a_flood_of_refusals_is_counted(void **state) {
  (void)state;
  struct audit *audit = NULL;
  size_t omitted = 0;
  assert_int_equal(audit_open(path, &audit, NULL), 0);
  for (int i = 0; i < 1000; i++)
    put(audit, "", "", 16);
  for (int i = 0; i < 50; i++)
    put(audit, "alice", "", 7);
  size_t lines = count_lines(&omitted);
  assert_int_equal(lines + omitted, 1050);
  assert_true(lines >= 50 + AUDIT_REFUSALS_PER_S && omitted > 0);
  audit_close(audit);
}

static void a_full_file_makes_room(void **state) {
  (void)state;
  struct audit *audit = NULL;
  char old[4200];
  struct stat status;
  size_t omitted = 0;
  for (int i = 1; i <= AUDIT_FILES + 1; i++) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)AUDIT_FILE_MAX - 1), 0);
    (void)close(fd);
    assert_int_equal(audit_open(path, &audit, NULL), 0);
    put(audit, "alice", "", 0);
    audit_close(audit);
    assert_int_equal(count_lines(&omitted), 1);
  }
  for (int i = 1; i <= AUDIT_FILES; i++) {
    (void)snprintf(old, sizeof(old), "%s.%d", path, i);
    assert_int_equal(stat(old, &status), i < AUDIT_FILES ? 0 : -1);
  }
}

static int put_quietly(struct audit *audit) {
  return audit_write(audit, &(struct audit_entry){.who = "alice", .from = "uid 1", .what = "/a/B", .about = ""}, NULL);
}

static struct rlimit limit(__rlimit_resource_t what, rlim_t now) {
  struct rlimit before;
  assert_int_equal(getrlimit(what, &before), 0);
  assert_int_equal(setrlimit(what, &(struct rlimit){.rlim_cur = now, .rlim_max = before.rlim_max}), 0);
  return before;
}

static void a_file_that_cannot_be_opened_loses_no_old_ones(void **state) {
  (void)state;
  struct audit *audit = NULL;
  char old[4200];
  struct stat status;
  size_t omitted = 0;
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  assert_int_equal(ftruncate(fd, (off_t)AUDIT_FILE_MAX - 1), 0);
  (void)close(fd);
  assert_int_equal(audit_open(path, &audit, NULL), 0);
  const struct rlimit before = limit(RLIMIT_NOFILE, 0);
  for (int i = 0; i < AUDIT_FILES; i++)
    assert_int_equal(put_quietly(audit), -EMFILE);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  put(audit, "alice", "", 0);
  assert_int_equal(count_lines(&omitted), 1);
  (void)snprintf(old, sizeof(old), "%s.1", path);
  assert_int_equal(stat(old, &status), 0);
  audit_close(audit);
}

/* The disk is full in the middle of a line. */
static void half_a_line_does_not_stay(void **state) {
  (void)state;
  struct audit *audit = NULL;
  struct stat status;
  size_t omitted = 0;
  assert_int_equal(audit_open(path, &audit, NULL), 0);
  put(audit, "alice", "", 0);
  assert_int_equal(stat(path, &status), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  const struct rlimit before = limit(RLIMIT_FSIZE, (rlim_t)status.st_size + 10);
  assert_int_equal(put_quietly(audit), -EFBIG);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  put(audit, "alice", "", 0);
  assert_int_equal(count_lines(&omitted), 2);
  audit_close(audit);
}

static void a_link_is_not_followed(void **state) {
  (void)state;
  struct audit *audit = NULL;
  assert_int_equal(symlink("/dev/null", path), 0);
  assert_int_equal(audit_open(path, &audit, NULL), -ELOOP);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(lines_are_added_to_what_is_there), TEST(a_flood_of_refusals_is_counted),
      TEST(a_full_file_makes_room),           TEST(a_file_that_cannot_be_opened_loses_no_old_ones),
      TEST(half_a_line_does_not_stay),        TEST(a_link_is_not_followed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
