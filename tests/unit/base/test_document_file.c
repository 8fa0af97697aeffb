#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/error.h"

/* A file without a name, reachable as /proc/self/fd/N. */
static int file_of(const void *data, size_t length, char path[static 40]) {
  int fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, length), (ssize_t)length);
  (void)snprintf(path, 40, "/proc/self/fd/%d", fd);
  return fd;
}

/* A pipe that holds `length` bytes, closed for writing. */
static int pipe_of(const void *data, size_t length) {
  int ends[2];

  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  assert_int_equal(write(ends[1], data, length), (ssize_t)length);
  assert_int_equal(close(ends[1]), 0);
  return ends[0];
}

static void a_file_is_read_whole(void **state) {
  static const size_t sizes[] = {0, 1, 5000, 16383, 16384, 16385, 40000};
  static char data[40000];

  (void)state;
  memset(data, 'x', sizeof(data));
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    _cleanup_free_ char *text = NULL;
    _cleanup_close_ int fd = -1;
    size_t length = SIZE_MAX;
    char path[40];

    fd = file_of(data, sizes[i], path);
    assert_int_equal(file_read(path, sizes[i], &text, &length, NULL), 0);
    assert_int_equal(length, sizes[i]);
    assert_memory_equal(text, data, length);
    assert_int_equal(text[length], 0);
  }
}

static void a_large_file_is_refused_unread_with_size_and_limit(void **state) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_close_ int fd = -1;
  char *text = NULL, path[40];
  size_t length;

  (void)state;
  fd = file_of("", 0, path);
  assert_int_equal(ftruncate(fd, (off_t)100 << 20), 0);
  assert_int_equal(file_read(path, 16 << 20, &text, &length, &err), -E2BIG);
  assert_null(text);
  assert_non_null(strstr(error_message(err), "104857600 bytes, the limit is 16777216"));
}

static void a_pipe_is_read_no_further_than_one_byte_past_the_limit(void **state) {
  static const char data[] = "0123456789";
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *text = NULL;
  _cleanup_close_ int end = -1;
  char path[40], rest[16];
  size_t length;

  (void)state;
  end = pipe_of(data, 10);
  (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", end);
  assert_int_equal(file_read(path, 4, &text, &length, &err), -E2BIG);
  assert_non_null(strstr(error_message(err), "the limit is 4"));
  assert_int_equal(read(end, rest, sizeof(rest)), 5);
  assert_memory_equal(rest, "56789", 5);
}

static void standard_input_is_a_dash(void **state) {
  _cleanup_free_ char *text = NULL;
  _cleanup_close_ int end = -1, before = dup(STDIN_FILENO);
  size_t length = 0;
  int r;

  (void)state;
  end = pipe_of("a: b\n", 5);
  assert_true(dup2(end, STDIN_FILENO) >= 0);
  r = file_read("-", 100, &text, &length, NULL);
  if (before >= 0)
    assert_true(dup2(before, STDIN_FILENO) >= 0);
  assert_int_equal(r, 0);
  assert_string_equal(text, "a: b\n");
  assert_int_equal(length, 5);
}

static void what_cannot_be_read_is_named(void **state) {
  _cleanup_error_ struct error *absent = NULL, *directory = NULL;
  char *text = NULL;
  size_t length;

  (void)state;
  assert_int_equal(file_read("/nonexistent/policy.yaml", 10, &text, &length, &absent), -ENOENT);
  assert_non_null(strstr(error_message(absent), "/nonexistent/policy.yaml"));
  assert_int_equal(file_read("/", 10, &text, &length, &directory), -EISDIR);
  assert_non_null(strstr(error_message(directory), "is a directory"));
}

static void a_file_without_a_size_is_read(void **state) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;

  (void)state;
  assert_int_equal(file_read("/proc/self/stat", 65536, &text, &length, NULL), 0);
  assert_true(length > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_is_read_whole),
      cmocka_unit_test(a_large_file_is_refused_unread_with_size_and_limit),
      cmocka_unit_test(a_pipe_is_read_no_further_than_one_byte_past_the_limit),
      cmocka_unit_test(standard_input_is_a_dash),
      cmocka_unit_test(what_cannot_be_read_is_named),
      cmocka_unit_test(a_file_without_a_size_is_read),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
