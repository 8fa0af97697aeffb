#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>

#include "host/report/board.h"
#include "host/report/emit.h"
#include "host/report/report.h"
#include "sdk/base/clock.h"

#define REDRAW_NS (100 * NS_PER_MS)
#define CURSOR_HIDE "\x1b[?25l"
#define CURSOR_SHOW "\x1b[?25h"

struct progress {
  FILE *out;
  bool terminal;
  struct style style;
  pthread_t ticker;
  pthread_cond_t wake;
  pthread_mutex_t lock; /* for all below */
  bool stopping;
  struct board board;
  unsigned frame;
  size_t drawn; /* lines of the board that stand on the terminal, and their widths */
  size_t widths[BOARD_LINES_MAX];
};

static void terminal_size(FILE *out, size_t *ret_columns, size_t *ret_rows) {
  struct winsize size = {0};
  int fd = fileno(out);
  bool known = fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0;
  *ret_columns = known && size.ws_col > 0 ? size.ws_col : 80;
  *ret_rows = known && size.ws_row > 0 ? size.ws_row : 24;
}

/* Appends what takes the board off the terminal. A terminal made narrower since has wrapped the drawn lines onto
 * several rows each. */
static void erase(struct progress *progress, size_t columns, struct strbuf *buffer) {
  size_t rows = 0;
  for (size_t i = 0; i < progress->drawn; i++)
    rows += progress->widths[i] > columns ? (progress->widths[i] + columns - 1) / columns : 1;
  if (rows > 0)
    strbuf_printf(buffer, "\x1b[%zuA\r\x1b[J", rows);
  progress->drawn = 0;
}

/* Draws the board anew, below `above`, which stays (NULL: nothing). */
static void redraw(struct progress *progress, const char *above) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  size_t columns;
  size_t rows;
  terminal_size(progress->out, &columns, &rows);
  erase(progress, columns, &buffer);
  if (above)
    strbuf_puts(&buffer, above);
  progress->drawn = board_draw(&progress->board, &progress->style, columns, rows, progress->frame++,
                               clock_monotonic_ns(), &buffer, progress->widths);
  (void)emit(&buffer, progress->out); /* a board that cannot be shown must not stop a run */
}

static void *tick(void *arg) {
  struct progress *progress = arg;
  (void)pthread_mutex_lock(&progress->lock);
  int64_t next_ns = clock_monotonic_ns();
  while (!progress->stopping) {
    redraw(progress, NULL);
    next_ns += REDRAW_NS;
    struct timespec deadline = {.tv_sec = next_ns / NS_PER_SECOND, .tv_nsec = next_ns % NS_PER_SECOND};
    while (!progress->stopping && pthread_cond_timedwait(&progress->wake, &progress->lock, &deadline) != ETIMEDOUT)
      ;
  }
  (void)pthread_mutex_unlock(&progress->lock);
  return NULL;
}

static int start_ticker(struct progress *progress) {
  pthread_condattr_t attributes;
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&progress->wake, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  int r = pthread_create(&progress->ticker, NULL, tick, progress);
  if (r != 0)
    (void)pthread_cond_destroy(&progress->wake);
  return -r;
}

struct progress *progress_create(FILE *out, bool terminal, bool colour, unsigned slots) {
  struct progress *progress = calloc(1, sizeof *progress);
  if (!progress)
    return NULL;
  progress->out = out;
  progress->style = style_detect(colour);
  board_init(&progress->board, slots, clock_monotonic_ns());
  (void)pthread_mutex_init(&progress->lock, NULL);
  progress->terminal = terminal && start_ticker(progress) == 0; /* without a thread: a line per case */
  if (progress->terminal) {
    (void)pthread_mutex_lock(&progress->lock);
    (void)fputs(CURSOR_HIDE, out);
    (void)pthread_mutex_unlock(&progress->lock);
  }
  return progress;
}

void progress_destroy(struct progress *progress) {
  if (!progress)
    return;
  if (progress->terminal) {
    (void)pthread_mutex_lock(&progress->lock);
    progress->stopping = true;
    (void)pthread_cond_signal(&progress->wake);
    (void)pthread_mutex_unlock(&progress->lock);
    (void)pthread_join(progress->ticker, NULL);
    (void)pthread_cond_destroy(&progress->wake);
    _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
    size_t columns;
    size_t rows;
    terminal_size(progress->out, &columns, &rows);
    erase(progress, columns, &buffer);
    (void)emit(&buffer, progress->out);
    (void)fputs(CURSOR_SHOW, progress->out);
    (void)fflush(progress->out);
  }
  (void)pthread_mutex_destroy(&progress->lock);
  free(progress);
}

static void planned(void *ctx, const struct run_result *run, unsigned count) {
  struct progress *progress = ctx;
  (void)pthread_mutex_lock(&progress->lock);
  progress->board.planned = count;
  (void)snprintf(progress->board.suite, sizeof progress->board.suite, "%s", run->suite ? run->suite : "conformance");
  (void)pthread_mutex_unlock(&progress->lock);
}

static void case_started(void *ctx, unsigned slot, const struct test_case *test, const struct case_column *column) {
  struct progress *progress = ctx;
  (void)pthread_mutex_lock(&progress->lock);
  board_start(&progress->board, slot, test, column, clock_monotonic_ns());
  (void)pthread_mutex_unlock(&progress->lock);
}

static const char *outcome_word(enum outcome outcome) {
  switch (outcome) {
  case OUTCOME_PASSED:
    return "ok";
  case OUTCOME_FAILED:
    return "FAIL";
  case OUTCOME_SKIPPED:
    return "skip";
  case OUTCOME_INFORMATIVE:
    return "info";
  case OUTCOME_ERROR:
    return "err";
  }
  return "?";
}

/* "ok   12/84 id [column] 0.12s: reason", of any length: a line per case is for logs. */
static void append_line(struct progress *progress, struct strbuf *buffer, const struct case_result *result,
                        unsigned done, unsigned count) {
  enum tone tone;
  char total[16];
  char duration[DURATION_TEXT_MAX];
  (void)style_outcome(&progress->style, result->outcome, &tone);
  int width = snprintf(total, sizeof total, "%u", count);
  style_begin(&progress->style, buffer, tone);
  strbuf_printf(buffer, "%-4s", outcome_word(result->outcome));
  style_end(&progress->style, buffer, tone);
  strbuf_printf(buffer, " %*u/%s ", width, done, total);
  (void)style_text(&progress->style, buffer, result->test->id, SIZE_MAX);
  strbuf_printf(buffer, " [%s] %s", result->column.label, duration_text(result->duration_ns, duration));
  if (result->reason) {
    strbuf_puts(buffer, ": ");
    (void)style_text(&progress->style, buffer, result->reason, SIZE_MAX);
  }
  strbuf_putc(buffer, '\n');
}

/* On a terminal only what needs eyes stays above the board: failures and errors. */
static void case_ended(void *ctx, unsigned slot, const struct case_result *result, unsigned done, unsigned count) {
  struct progress *progress = ctx;
  (void)pthread_mutex_lock(&progress->lock);
  board_end(&progress->board, slot, result, done, count);
  bool alarming = result->outcome == OUTCOME_FAILED || result->outcome == OUTCOME_ERROR;
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  if (!progress->terminal || alarming)
    append_line(progress, &line, result, done, count);
  if (!progress->terminal)
    (void)emit(&line, progress->out);
  else if (alarming)
    redraw(progress, strbuf_text(&line));
  (void)pthread_mutex_unlock(&progress->lock);
}

struct runner_listener progress_listener(struct progress *progress) {
  return (struct runner_listener){
      .ctx = progress, .planned = planned, .case_started = case_started, .case_ended = case_ended};
}
