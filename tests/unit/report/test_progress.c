#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run_fixture.h"
#include "sdk/base/strbuf.h"

static char *run_into(FILE *out, bool terminal, char **text, size_t *length) {
  (void)length;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct progress *progress = progress_create(out, terminal, false, 2);
  assert_non_null(progress);
  struct runner_listener listener = progress_listener(progress);
  listener.planned(listener.ctx, &fixture.run, 84);
  listener.case_started(listener.ctx, 0, fixture.cases[0].test, &fixture.cases[0].column);
  listener.case_ended(listener.ctx, 0, &fixture.cases[FIXTURE_PASSED], 9, 84);
  listener.case_ended(listener.ctx, 1, &fixture.cases[FIXTURE_FAILED], 10, 84);
  progress_destroy(progress);
  assert_int_equal(fclose(out), 0);
  run_fixture_finish(&fixture);
  return *text;
}

static void a_pipe_gets_a_line_per_case(void **state) {
  (void)state;
  char *text = NULL;
  size_t length = 0;
  _cleanup_free_ char *got = run_into(open_memstream(&text, &length), false, &text, &length);
  assert_string_equal(got, "ok    9/84 access/http/union [access/v1alpha2 specs/v1alpha3] 0.12s\n"
                           "FAIL 10/84 access/http/union [access/v1alpha3 specs/v1alpha4] 0.12s: ACC-03: expected "
                           "denied, seen allowed\n");
}

static void a_board_leaves_only_failures_and_the_cursor(void **state) {
  (void)state;
  char *text = NULL;
  size_t length = 0;
  _cleanup_free_ char *got = run_into(open_memstream(&text, &length), true, &text, &length);
  assert_null(strstr(got, "ok "));
  assert_non_null(strstr(got, "FAIL 10/84 access/http/union"));
  assert_non_null(strstr(got, "\x1b[?25l"));
  static const char end[] = "A\r\x1b[J\x1b[?25h"; /* up, erase to the end, show the cursor */
  assert_true(strlen(got) > strlen(end));
  assert_string_equal(got + strlen(got) - strlen(end), end);
}

static char *read_pty(int fd, const char *until) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  while (!strstr(strbuf_text(&text), until)) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 5000), 1);
    char bytes[512];
    ssize_t length = read(fd, bytes, sizeof bytes);
    assert_true(length > 0);
    assert_true(text.length < 65536); /* the board draws for ever */
    strbuf_append(&text, bytes, (size_t)length);
  }
  return strbuf_steal(&text);
}

/* Nobody tells of a new size: the board finds out when it draws the next time. */
static void a_terminal_that_shrinks_gets_narrower_lines(void **state) {
  (void)state;
  int master;
  int slave;
  struct winsize size = {.ws_row = 24, .ws_col = 100};
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  FILE *out = fdopen(slave, "w");
  assert_non_null(out);
  struct run_result run = {.suite = "a-suite-with-a-name-of-some-length"};
  struct progress *progress = progress_create(out, true, false, 1);
  assert_non_null(progress);
  struct runner_listener listener = progress_listener(progress);
  listener.planned(listener.ctx, &run, 84);
  free(read_pty(master, "a-suite-with-a-name-of-some-length  "));
  size.ws_col = 20;
  assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
  free(read_pty(master, " a-suite-with-a..."));
  _cleanup_free_ char *next = read_pty(master, " a-suite-with-a...");
  assert_null(strstr(next, "some-length"));
  progress_destroy(progress);
  free(read_pty(master, "\x1b[?25h"));
  (void)fclose(out);
  (void)close(master);
}

static void nothing_to_destroy_is_fine(void **state) {
  (void)state;
  progress_destroy(NULL);
}

int main(void) {
  if (setenv("LC_ALL", "C", 1) < 0)
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pipe_gets_a_line_per_case),
      cmocka_unit_test(a_board_leaves_only_failures_and_the_cursor),
      cmocka_unit_test(a_terminal_that_shrinks_gets_narrower_lines),
      cmocka_unit_test(nothing_to_destroy_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
