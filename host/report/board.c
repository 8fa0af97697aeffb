#include "host/report/board.h"

#include <stdio.h>
#include <string.h>

#include "host/report/emit.h"

#define BAR_MAX 40

void board_init(struct board *board, unsigned slots, int64_t now_ns) {
  *board = (struct board){.slot_count = slots < LAB_SLOTS_MAX ? slots : LAB_SLOTS_MAX, .started_ns = now_ns};
}

void board_start(struct board *board, unsigned slot, const struct test_case *test, const struct case_column *column,
                 int64_t now_ns) {
  if (slot >= board->slot_count)
    return;
  struct board_slot *shown = &board->slots[slot];
  shown->busy = true;
  shown->since_ns = now_ns;
  (void)snprintf(shown->name, sizeof shown->name, "%s  %s", test->id, column->label);
}

void board_end(struct board *board, unsigned slot, const struct case_result *result, unsigned done, unsigned planned) {
  board->done = done;
  board->planned = planned;
  board->counts[result->outcome]++;
  if (slot < board->slot_count)
    board->slots[slot].busy = false;
}

/* A line being drawn: knows how much of its width is left. */
struct line {
  const struct style *style;
  struct strbuf *buffer;
  size_t used;
  size_t columns;
};

static void put(struct line *line, enum tone tone, const char *text) {
  style_begin(line->style, line->buffer, tone);
  line->used += style_text(line->style, line->buffer, text, line->columns - line->used);
  style_end(line->style, line->buffer, tone);
}

static size_t finish(struct line *line) {
  strbuf_putc(line->buffer, '\n');
  return line->used;
}

static void put_repeated(struct line *line, enum tone tone, const char *text, size_t count) {
  style_begin(line->style, line->buffer, tone);
  for (size_t i = 0; i < count; i++)
    line->used += style_text(line->style, line->buffer, text, line->columns - line->used);
  style_end(line->style, line->buffer, tone);
}

static void put_bar(struct line *line, const struct board *board, size_t width) {
  size_t filled = board->planned > 0 ? width * board->done / board->planned : 0;
  put_repeated(line, TONE_GOOD, line->style->unicode ? "━" : "=", filled);
  put_repeated(line, TONE_DIM, line->style->unicode ? "─" : "-", width - filled);
}

/* "⠹ smi  ━━━━━━━━──────  12/84  3.2s": the bar takes what the rest leaves, and goes away on a narrow terminal. */
static size_t draw_head(const struct board *board, struct line *line, unsigned frame, int64_t now_ns) {
  static const char *const unicode[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  static const char *const ascii[] = {"|", "/", "-", "\\"};
  char count[48];
  char time[DURATION_TEXT_MAX];
  (void)snprintf(count, sizeof count, "%u/%u", board->done, board->planned);
  (void)duration_text(now_ns - board->started_ns, time);
  put(line, TONE_STRONG, line->style->unicode ? unicode[frame % 10] : ascii[frame % 4]);
  put(line, TONE_PLAIN, " ");
  put(line, TONE_STRONG, board->suite);
  put(line, TONE_PLAIN, "  ");
  size_t taken = line->used + strlen(count) + strlen(time) + 4;
  size_t room = line->columns > taken ? line->columns - taken : 0;
  if (room >= 5) {
    put_bar(line, board, room < BAR_MAX ? room : BAR_MAX);
    put(line, TONE_PLAIN, "  ");
  }
  put(line, TONE_PLAIN, count);
  put(line, TONE_PLAIN, "  ");
  put(line, TONE_DIM, time);
  return finish(line);
}

static size_t draw_counts(const struct board *board, struct line *line) {
  static const enum outcome order[] = {OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_ERROR, OUTCOME_SKIPPED,
                                       OUTCOME_INFORMATIVE};
  put(line, TONE_PLAIN, " ");
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    unsigned count = board->counts[order[i]];
    if (count == 0 && order[i] != OUTCOME_PASSED && order[i] != OUTCOME_FAILED)
      continue;
    enum tone tone;
    char text[64];
    const char *symbol = style_outcome(line->style, order[i], &tone);
    (void)snprintf(text, sizeof text, " %s %u %s ", symbol, count, outcome_name(order[i]));
    put(line, count > 0 ? tone : TONE_DIM, text);
  }
  return finish(line);
}

static size_t draw_slot(const struct board_slot *slot, struct line *line, unsigned number, int64_t now_ns) {
  char text[24];
  char time[DURATION_TEXT_MAX];
  (void)snprintf(text, sizeof text, "  %2u ", number);
  put(line, TONE_DIM, text);
  if (!slot->busy) {
    put(line, TONE_DIM, "idle");
    return finish(line);
  }
  (void)duration_text(now_ns - slot->since_ns, time);
  size_t taken = line->used + strlen(time) + 2;
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  (void)style_text(line->style, &name, slot->name, line->columns > taken ? line->columns - taken : 0);
  line->buffer->failed = line->buffer->failed || strbuf_failed(&name);
  put(line, TONE_PLAIN, strbuf_text(&name));
  put(line, TONE_PLAIN, "  ");
  put(line, TONE_DIM, time);
  return finish(line);
}

size_t board_draw(const struct board *board, const struct style *style, size_t columns, size_t rows, unsigned frame,
                  int64_t now_ns, struct strbuf *buffer, size_t ret_widths[BOARD_LINES_MAX]) {
  size_t count = 0;
  size_t most = rows > 1 ? rows - 1 : 0;
  struct line empty = {.style = style, .buffer = buffer, .columns = columns > 1 ? columns - 1 : 0};
  struct line line = empty;
  if (count < most)
    ret_widths[count++] = draw_head(board, &line, frame, now_ns);
  line = empty;
  if (count < most)
    ret_widths[count++] = draw_counts(board, &line);
  for (unsigned i = 0; i < board->slot_count && count < most; i++) {
    line = empty;
    ret_widths[count++] = draw_slot(&board->slots[i], &line, i + 1, now_ns);
  }
  return count;
}
