/* The store's suite on SQLite, and what only a file can be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/integration/store/suite.h"
#include "tests/support/command.h"

static char *directory;
static char path[4096];

static void begin(void) {
  directory = scratch_create();
  (void)snprintf(path, sizeof(path), "%s/trammel.db", directory);
}

static const char *where(void) {
  return directory;
}

static void end(void) {
  scratch_remove(directory);
}

static void execute(const char *statements) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
    fail_msg("%s", sqlite3_errmsg(db));
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const struct backend backend = {
    .begin = begin,
    .location = where,
    .end = end,
    .execute = execute,
    .schema_1 =
        "PRAGMA application_id = 1953647980;"
        "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY); INSERT INTO schema_version VALUES (1);"
        "CREATE TABLE runs (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, mesh TEXT NOT NULL,"
        " subject TEXT NOT NULL, who TEXT NOT NULL, command TEXT NOT NULL, summary TEXT NOT NULL,"
        " owner TEXT NOT NULL, state INTEGER NOT NULL, seed INTEGER NOT NULL, created_ns INTEGER NOT NULL,"
        " started_ns INTEGER NOT NULL, finished_ns INTEGER NOT NULL, event_count INTEGER NOT NULL) STRICT;"
        "CREATE TABLE events (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, sequence INTEGER NOT NULL,"
        " at_ns INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, sequence)) STRICT;"
        "CREATE TABLE results (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, name TEXT NOT NULL,"
        " verdict TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (run, name)) STRICT;",
};

static int setup(void **state) {
  (void)state;
  begin();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  end();
  return 0;
}

static void files_are_their_users_alone(void **state) {
  (void)state;
  struct stat info;
  char other[4200];
  struct store *store = open_store(directory, OWNER, 0);
  add_run(store, "r1", "m");
  static const char *const endings[] = {"", "-wal", "-shm", ".owner"};
  for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
    (void)snprintf(other, sizeof(other), "%s%s", path, endings[i]);
    assert_int_equal(stat(other, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
  }
  store_close(store);
  (void)snprintf(other, sizeof(other), "sqlite:%s", path);
  store = open_store(other, NULL, 0);
  assert_int_equal(state_of(store, "r1"), STORE_QUEUED);
  store_close(store);
}

/* The name of the only copy beside the file; fails the test when there are more. */
static bool find_copy(char *ret_path, size_t size) {
  DIR *listing = opendir(directory);
  size_t found = 0;
  assert_non_null(listing);
  for (const struct dirent *entry; (entry = readdir(listing));)
    if (strncmp(entry->d_name, "trammel.db.version-1.", strlen("trammel.db.version-1.")) == 0) {
      (void)snprintf(ret_path, size, "%s/%s", directory, entry->d_name);
      found++;
    }
  (void)closedir(listing);
  assert_true(found <= 1);
  return found == 1;
}

static void an_older_file_is_copied_first(void **state) {
  (void)state;
  char copy[4096];
  struct stat info;
  execute(backend.schema_1);
  execute("INSERT INTO runs VALUES ('old', 'conformance', 'm', 's', 'w', 'c', '', 'x', 3, 7, 1, 2, 3, 0);");
  assert_false(find_copy(copy, sizeof(copy)));
  store_close(open_store(directory, OWNER, 0));
  assert_true(find_copy(copy, sizeof(copy)));
  assert_int_equal(stat(copy, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  /* The copy is of the version before, and whole. */
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  assert_int_equal(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  assert_int_equal(
      sqlite3_prepare_v2(db, "SELECT max(version), (SELECT count(*) FROM runs WHERE id = 'old') FROM schema_version",
                         -1, &statement, NULL),
      SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  assert_int_equal(sqlite3_column_int(statement, 0), 1);
  assert_int_equal(sqlite3_column_int(statement, 1), 1);
  assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  store_close(open_store(directory, OWNER, 0)); /* and once is enough */
  assert_true(find_copy(copy, sizeof(copy)));
}

static void refused_as_damaged(const char *location) {
  struct store *store = NULL;
  struct error *err = NULL;
  assert_int_equal(store_open(location, OWNER, &store, NULL, &err), -EBADMSG);
  assert_non_null(strstr(error_message(err), "trammel.db"));
  error_free(err);
}

static void overwrite(off_t offset, size_t length) {
  char garbage[4096];
  memset(garbage, 0x5a, sizeof(garbage));
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  assert_true(fd >= 0);
  assert_true(length <= sizeof(garbage));
  assert_int_equal(pwrite(fd, garbage, length, offset), length);
  (void)close(fd);
}

static void a_damaged_file_is_told_and_left_alone(void **state) {
  (void)state;
  struct stat before;
  struct stat after;
  overwrite(0, 4096);
  assert_int_equal(stat(path, &before), 0);
  refused_as_damaged(directory);
  refused_as_damaged(directory);
  assert_int_equal(stat(path, &after), 0);
  assert_int_equal(before.st_size, after.st_size);
  assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

/* Damage within is looked for when the last end was none of the store's own. */
static void damage_within_is_found_after_an_unclean_end(void **state) {
  (void)state;
  char owner[4200];
  struct store *store = open_store(directory, OWNER, 0);
  add_run(store, "r1", "m");
  start_run(store, "r1");
  for (int i = 0; i < 200; i++)
    (void)add_event(store, "r1");
  end_run(store, "r1");
  store_close(store);
  overwrite(4096 * 8, 4096); /* a page of the middle */
  (void)snprintf(owner, sizeof(owner), "%s.owner", path);
  int fd = open(owner, O_WRONLY);
  assert_int_equal(write(fd, "1", 1), 1);
  (void)close(fd);
  refused_as_damaged(directory);
  refused_as_damaged(directory);
}

static void others_files_are_left_alone(void **state) {
  (void)state;
  execute("CREATE TABLE theirs (a);");
  refused_as_damaged(directory);
  execute("INSERT INTO theirs VALUES (1); CREATE TABLE runs (b);"); /* none of ours came to be in it */
}

/* A small disk of the test's own, which ends with it. */
static bool make_disk(void) {
  if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("trammel-test", directory, "tmpfs", 0, "size=1m,mode=0700") < 0) {
    print_message("SKIPPED: a disk of the test's own needs root: %s\n", strerror(errno));
    return false;
  }
  return true;
}

static void a_full_disk_loses_nothing_that_was_told(void **state) {
  (void)state;
  if (!make_disk())
    skip();
  static char text[20000];
  memset(text, 'x', sizeof(text) - 1);
  struct store *store = open_store(directory, OWNER, 0);
  struct error *err = NULL;
  uint64_t sequence = 0;
  uint64_t told = 0;
  int r = 0;
  add_run(store, "r1", "m");
  start_run(store, "r1");
  while ((r = store_event_add(store, "r1", text, &sequence, &err)) == 0)
    told = sequence;
  assert_int_equal(r, -ENOSPC);
  assert_non_null(strstr(error_message(err), "room"));
  error_free(err);
  assert_true(told > 5);
  store_close(store);

  /* With room again it goes on. */
  assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT, "size=4m"), 0);
  store = open_store(directory, OWNER, 1);
  struct store_run run = {0};
  assert_int_equal(store_run_get(store, "r1", &run, NULL), 0);
  assert_int_equal(run.event_count, told);
  store_run_finish(&run);
  add_run(store, "r2", "m");
  store_close(store);

  assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
  err = NULL;
  assert_int_equal(store_open(directory, OWNER, &store, NULL, &err), -EROFS);
  assert_true(error_message(err)[0] != '\0');
  error_free(err);
  assert_int_equal(umount(directory), 0);
}

static void assert_is_there(const char *suffix, off_t size) {
  char name[sizeof(path) + 16];
  struct stat file;
  (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
  assert_int_equal(stat(name, &file), 0);
  if (size >= 0)
    assert_int_equal(file.st_size, size);
}

/* In a file that the owner has just made: neither a second owner nor the last reader takes away what it works with. */
static void others_that_come_and_go_leave_the_owner_alone(void **state) {
  (void)state;
  struct store *other = NULL;
  int go[2], status = 0;
  assert_int_equal(pipe(go), 0);
  pid_t reader = fork(); /* before SQLite has anything that a child must not have */
  if (reader == 0) {
    char byte;
    bool opened = read(go[0], &byte, 1) == 1 && store_open(directory, NULL, &other, NULL, NULL) == 0;
    store_close(other);
    _exit(opened ? 0 : 1);
  }
  struct store *store = open_store(directory, OWNER, 0);
  add_run(store, "r1", "m");
  assert_int_equal(store_open(directory, "host-b", &other, NULL, NULL), -EBUSY);
  assert_is_there(".owner", 1);
  assert_int_equal(write(go[1], "x", 1), 1);
  assert_int_equal(waitpid(reader, &status, 0), reader);
  assert_int_equal(status, 0);
  assert_is_there("-wal", -1);
  store_close(store);
  (void)close(go[0]);
  (void)close(go[1]);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(others_that_come_and_go_leave_the_owner_alone),
      TEST(files_are_their_users_alone),
      TEST(an_older_file_is_copied_first),
      TEST(a_damaged_file_is_told_and_left_alone),
      TEST(damage_within_is_found_after_an_unclean_end),
      TEST(others_files_are_left_alone),
      TEST(a_full_disk_loses_nothing_that_was_told),
  };
  int failed = suite_run("the store on SQLite", &backend);
  return failed + cmocka_run_group_tests_name("a file", tests, NULL, NULL);
}
