/* Files that are written whole or not at all. That they are on the disk is tested with the packages. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/file.h"
#include "tests/support/command.h"

enum { ROOM = 5 }; /* bytes that a file can have while there is little room */

static struct rlimit room_before;

static void take_room(void) {
  struct rlimit little = {.rlim_cur = ROOM};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &room_before), 0);
  little.rlim_max = room_before.rlim_max;
  assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
}

static void give_room(void) {
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &room_before), 0);
}

static int setup(void **state) {
  *state = scratch_create();
  return chdir(*state);
}

static int teardown(void **state) {
  int r = chdir("/");
  scratch_remove(*state);
  return r;
}

static void assert_content(const char *path, const char *expected) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  assert_int_equal(file_read(path, FILE_READ_MAX, &data, &length, NULL), 0);
  assert_string_equal(data, expected);
}

static void what_does_not_all_fit_is_an_error(void **state) {
  (void)state;
  _cleanup_close_ int fd = open("x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  take_room();
  int r = file_write_all(fd, "0123456789", 10);
  give_room();
  assert_int_equal(r, -EFBIG);
  assert_content("x", "01234"); /* the first write took these */
  assert_int_equal(file_write_all(fd, "56789", 5), 0);
  assert_content("x", "0123456789");
  assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
}

static void a_file_without_a_directory_in_its_name_is_replaced(void **state) {
  (void)state;
  assert_int_equal(file_replace("x", 0600, "one", 3, NULL), 0);
  assert_content("x", "one");
  assert_int_equal(file_replace("x", 0600, "", 0, NULL), 0);
  assert_content("x", "");
}

static void a_file_stays_when_there_is_no_room_for_the_next(void **state) {
  (void)state;
  assert_int_equal(file_replace("x", 0600, "one", 3, NULL), 0);
  take_room();
  int r = file_replace("x", 0600, "0123456789", 10, NULL);
  give_room();
  assert_int_equal(r, -EFBIG);
  assert_content("x", "one");
  assert_int_equal(unlink("x"), 0);
  assert_int_equal(rmdir(*state), 0); /* nothing else was left */
  assert_int_equal(mkdir(*state, 0700), 0);
}

static void a_place_is_tried_and_left_as_it_was(void **state) {
  struct stat status;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(file_replace("there", 0600, "before", 6, NULL), 0);
  assert_int_equal(file_replace_try("there", NULL), 0);
  assert_content("there", "before");
  assert_int_equal(file_replace_try("new", NULL), 0);
  assert_int_equal(stat("new", &status), -1);
  assert_int_equal(file_replace_try("nowhere/new", &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "writing nowhere/new"));
  assert_int_equal(stat(*state, &status), 0);
  assert_int_equal(unlink("there"), 0);
  assert_int_equal(chdir("/"), 0);
  assert_int_equal(rmdir(*state), 0); /* nothing else is in it */
  assert_int_equal(mkdir(*state, 0700), 0);
  assert_int_equal(chdir(*state), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_does_not_all_fit_is_an_error, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_without_a_directory_in_its_name_is_replaced, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_stays_when_there_is_no_room_for_the_next, setup, teardown),
      cmocka_unit_test_setup_teardown(a_place_is_tried_and_left_as_it_was, setup, teardown),
  };
  return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
