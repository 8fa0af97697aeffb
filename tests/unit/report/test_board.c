#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/board.h"
#include "host/report/glyph.h"
#include "run_fixture.h"

#define S INT64_C(1000000000)
static const struct style style = {.unicode = true};

static size_t columns_of(const char *text, size_t length) {
  size_t columns = 0;
  uint32_t glyph;
  for (const char *end = text + length; text < end; text += glyph_next(text, &glyph))
    columns++;
  return columns;
}

static void start(struct board *board, struct run_fixture *fixture) {
  run_fixture_init(fixture);
  board_init(board, 3, 10 * S);
  (void)snprintf(board->suite, sizeof board->suite, "smi");
  board->planned = 84;
  board_start(board, 1, fixture->cases[FIXTURE_PASSED].test, &fixture->cases[FIXTURE_PASSED].column, 11 * S);
  board_end(board, 0, &fixture->cases[FIXTURE_FAILED], 12, 84);
}

static void shows_counts_slots_and_times(void **state) {
  (void)state;
  struct run_fixture fixture;
  struct board board;
  start(&board, &fixture);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  size_t widths[BOARD_LINES_MAX];
  assert_int_equal(board_draw(&board, &style, 100, 24, 0, 12 * S, &text, widths), 5);
  assert_non_null(strstr(strbuf_text(&text), "12/84  2.0s\n"));
  assert_non_null(strstr(strbuf_text(&text), "✗ 1 failed"));
  assert_non_null(strstr(strbuf_text(&text), "   1 idle\n"));
  assert_non_null(strstr(strbuf_text(&text), "   2 access/http/union  access/v1alpha2 specs/v1alpha3  1.0s\n"));
  run_fixture_finish(&fixture);
}

static void fits_any_terminal(void **state) {
  (void)state;
  struct run_fixture fixture;
  struct board board;
  start(&board, &fixture);
  for (size_t columns = 1; columns <= 200; columns++) {
    for (size_t rows = 1; rows <= 8; rows++) {
      _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
      size_t widths[BOARD_LINES_MAX];
      size_t count = board_draw(&board, &style, columns, rows, 3, 12 * S, &text, widths);
      assert_true(count < rows);
      const char *line = strbuf_text(&text);
      for (size_t i = 0; i < count; i++, line += strcspn(line, "\n") + 1) {
        assert_int_equal(columns_of(line, strcspn(line, "\n")), widths[i]);
        assert_true(widths[i] < columns);
      }
      assert_int_equal(*line, '\0');
    }
  }
  run_fixture_finish(&fixture);
}

static void the_bar_grows_with_what_is_done(void **state) {
  (void)state;
  size_t last = 0;
  for (unsigned done = 0; done <= 10; done += 5) {
    struct board board;
    board_init(&board, 0, 0);
    board.done = done;
    board.planned = 10;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    size_t widths[BOARD_LINES_MAX];
    (void)board_draw(&board, &(struct style){0}, 80, 24, 0, S, &text, widths);
    size_t filled = 0;
    for (const char *c = strbuf_text(&text); *c != '\0'; c++)
      filled += *c == '=';
    assert_true(done == 0 ? filled == 0 : filled > last);
    last = filled;
  }
}

static void slots_beyond_the_boards_are_counted_but_not_shown(void **state) {
  (void)state;
  struct run_fixture fixture;
  struct board board;
  start(&board, &fixture);
  board_start(&board, 3, fixture.cases[0].test, &fixture.cases[0].column, 0);
  board_end(&board, 3, &fixture.cases[FIXTURE_PASSED], 13, 84);
  assert_int_equal(board.counts[OUTCOME_PASSED], 1);
  assert_int_equal(board.done, 13);
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shows_counts_slots_and_times),
      cmocka_unit_test(fits_any_terminal),
      cmocka_unit_test(the_bar_grows_with_what_is_done),
      cmocka_unit_test(slots_beyond_the_boards_are_counted_but_not_shown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
