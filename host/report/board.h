/* What the live board shows: the state of a run that goes on, drawn to a given size. Pure; no terminal, no thread, no
 * clock. */
#ifndef TRAMMEL_HOST_REPORT_BOARD_H
#define TRAMMEL_HOST_REPORT_BOARD_H

#include <stdint.h>

#include "host/conformance/result.h"
#include "host/lab/lab.h"
#include "host/report/style.h"

#define BOARD_NAME_MAX 256 /* of a case and its column, cut beyond */

struct board_slot {
  bool busy;
  char name[BOARD_NAME_MAX];
  int64_t since_ns;
};

struct board {
  char suite[64];
  unsigned planned;
  unsigned done;
  unsigned counts[OUTCOME_ERROR + 1]; /* by outcome */
  unsigned slot_count;
  struct board_slot slots[LAB_SLOTS_MAX];
  int64_t started_ns;
};

void board_init(struct board *board, unsigned slots,
                int64_t now_ns); /* more than LAB_SLOTS_MAX slots: the first ones are shown */
void board_start(struct board *board, unsigned slot, const struct test_case *test, const struct case_column *column,
                 int64_t now_ns);
void board_end(struct board *board, unsigned slot, const struct case_result *result, unsigned done, unsigned planned);

/* Appends the lines, each ended by a newline and narrower than `columns`, fewer than `rows` in number, so that the
 * terminal neither wraps nor scrolls. `frame` turns the spinner. Returns the number of lines and their widths, of which
 * there are at most BOARD_LINES_MAX. */
#define BOARD_LINES_MAX (LAB_SLOTS_MAX + 2)
size_t board_draw(const struct board *board, const struct style *style, size_t columns, size_t rows, unsigned frame,
                  int64_t now_ns, struct strbuf *buffer, size_t ret_widths[BOARD_LINES_MAX]);

#endif
