#include <limits.h>
#include <string.h>

#include "host/report/comparison.h"
#include "host/report/emit.h"
#include "host/report/style.h"

#define WIDTH 80
#define LABEL_WIDTH 12
#define SHOWN_MAX 20 /* lines of a section whose members need nobody's attention; the rest is in JSON */

struct page {
  struct style style;
  struct strbuf buffer;
  const struct comparison *comparison;
};

static void heading(struct page *page, const char *title, unsigned count) {
  style_begin(&page->style, &page->buffer, TONE_STRONG);
  strbuf_printf(&page->buffer, "\n%s", title);
  if (count > 0)
    strbuf_printf(&page->buffer, " (%u)", count);
  style_end(&page->style, &page->buffer, TONE_STRONG);
  strbuf_putc(&page->buffer, '\n');
}

/* "  label         value", wrapped under itself. */
static void field(struct page *page, const char *label, const struct strbuf *value) {
  page->buffer.failed = page->buffer.failed || strbuf_failed(value);
  strbuf_puts(&page->buffer, "  ");
  style_begin(&page->style, &page->buffer, TONE_DIM);
  style_field(&page->style, &page->buffer, label, LABEL_WIDTH);
  style_end(&page->style, &page->buffer, TONE_DIM);
  strbuf_puts(&page->buffer, "  ");
  style_wrap(&page->style, &page->buffer, strbuf_text(value), LABEL_WIDTH + 4, WIDTH);
}

static void one_run(struct page *page, const char *label, const char *name, const struct run_result *run) {
  char started[TIME_TEXT_MAX];
  struct run_totals totals = run_totals(run);
  _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
  strbuf_printf(&value, "%s: %s %s, %s, %u passed, %u failed, %u not judged, %u skipped, %u informative", name,
                text_or_empty(run->mesh_name), text_or_empty(run->mesh_version), time_text(run->started_ns, started),
                totals.passed, totals.failed, totals.error, totals.skipped, totals.informative);
  if (run->interrupted)
    strbuf_printf(&value, "; ended early: %zu of %u cases ran", run->case_count, run->planned);
  field(page, label, &value);
}

static void header(struct page *page) {
  const struct comparison *comparison = page->comparison;
  style_begin(&page->style, &page->buffer, TONE_STRONG);
  strbuf_puts(&page->buffer, "What changed: suite ");
  (void)style_text(&page->style, &page->buffer, text_or_empty(comparison->after->suite), 40);
  style_end(&page->style, &page->buffer, TONE_STRONG);
  strbuf_putc(&page->buffer, '\n');
  one_run(page, "before", comparison->before_name, comparison->before);
  one_run(page, "after", comparison->after_name, comparison->after);
  if (!comparison_suites_differ(comparison))
    return;
  _cleanup_strbuf_ struct strbuf warning = STRBUF_INIT;
  strbuf_printf(&warning,
                "the reports are not of the same cases: %u are new, %u are no longer there, %u are defined otherwise",
                comparison->case_counts[CHANGE_NEW], comparison->case_counts[CHANGE_REMOVED], comparison->redefined);
  field(page, "warning", &warning);
}

static void facts(struct page *page) {
  if (page->comparison->fact_count == 0)
    return;
  heading(page, "Circumstances", 0);
  for (size_t i = 0; i < page->comparison->fact_count; i++) {
    const struct fact_change *fact = &page->comparison->facts[i];
    _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
    strbuf_printf(&value, "%s %s %s", fact->before ? fact->before : "(unknown)", page->style.unicode ? "→" : "->",
                  fact->after ? fact->after : "(unknown)");
    if (strlen(fact->name) > LABEL_WIDTH) { /* nothing of the name is cut */
      strbuf_printf(&page->buffer, "  %s\n", fact->name);
      field(page, "", &value);
    } else {
      field(page, fact->name, &value);
    }
  }
}

/* "✗ ", as the matrix shows it now. */
static void symbol(struct page *page, enum cell cell) {
  enum tone tone;
  const char *text = style_cell(&page->style, cell, &tone);
  style_begin(&page->style, &page->buffer, tone);
  strbuf_puts(&page->buffer, text);
  style_end(&page->style, &page->buffer, tone);
  strbuf_putc(&page->buffer, ' ');
}

/* The same of the same requirement, in another version. */
static bool is_alike(const struct cell_change *a, const struct cell_change *b) {
  return a->change == b->change && a->before == b->before && a->after == b->after &&
         strcmp(a->requirement, b->requirement) == 0;
}

/* A line for the requirement at `i` in all versions alike; returns how many those are. */
static size_t cell_line(struct page *page, size_t i) {
  const struct comparison *comparison = page->comparison;
  const struct cell_change *cell = &comparison->cells[i];
  const struct requirement *known = requirement_find(cell->requirement);
  char version[VERSION_TEXT_MAX];
  size_t count = 0;
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  strbuf_puts(&line, cell->requirement);
  for (size_t k = i; k < comparison->cell_count && strcmp(comparison->cells[k].requirement, cell->requirement) == 0;
       k++)
    if (is_alike(&comparison->cells[k], cell)) {
      strbuf_printf(&line, "%s %s", count++ > 0 ? "," : "", version_text(comparison->cells[k].alpha, version));
    }
  if (cell->change == CHANGE_OTHER)
    strbuf_printf(&line, " (%s before, %s now)", cell_name(cell->before), cell_name(cell->after));
  strbuf_printf(&line, "  %s", known ? known->summary : "");
  page->buffer.failed = page->buffer.failed || strbuf_failed(&line);
  symbol(page, cell->after);
  (void)style_text(&page->style, &page->buffer, strbuf_text(&line), WIDTH - 2);
  strbuf_putc(&page->buffer, '\n');
  return count;
}

/* Whether a line before has told the change at `i`. */
static bool is_told(const struct comparison *comparison, size_t i) {
  const struct cell_change *cell = &comparison->cells[i];
  for (size_t k = i; k-- > 0 && strcmp(comparison->cells[k].requirement, cell->requirement) == 0;)
    if (is_alike(&comparison->cells[k], cell))
      return true;
  return false;
}

static enum cell cell_of(const struct case_result *result) {
  static const enum cell cells[] = {[OUTCOME_PASSED] = CELL_PROVED,
                                    [OUTCOME_FAILED] = CELL_BROKEN,
                                    [OUTCOME_SKIPPED] = CELL_SKIPPED,
                                    [OUTCOME_INFORMATIVE] = CELL_INFORMATIVE,
                                    [OUTCOME_ERROR] = CELL_UNJUDGED};
  return result ? cells[result->outcome] : CELL_NONE;
}

static const char *said(const struct case_result *result) {
  if (!result)
    return "absent";
  if (result->outcome == OUTCOME_INFORMATIVE)
    return result->held ? "informative, holds" : "informative, does not hold";
  return outcome_name(result->outcome);
}

static void remark(struct page *page, const char *text) {
  strbuf_puts(&page->buffer, "  ");
  style_wrap(&page->style, &page->buffer, text, 2, WIDTH);
}

static bool wants_reason(const struct case_change *change) {
  return change->after && change->after->reason &&
         (change->change == CHANGE_BROKEN || change->change == CHANGE_LOST || change->change == CHANGE_FOUND ||
          (change->change == CHANGE_NEW && change->after->outcome == OUTCOME_FAILED));
}

/* What is said below the line; NULL: nothing. In `text`. */
static const char *case_remark(const struct case_change *change, struct strbuf *text) {
  strbuf_clear(text);
  if (change->change == CHANGE_OTHER)
    strbuf_printf(text, "%s before, %s now", said(change->before), said(change->after));
  else if (wants_reason(change))
    strbuf_puts(text, change->after->reason);
  return text->length > 0 ? strbuf_text(text) : NULL;
}

/* `next` follows in the same section, or is NULL: neighbours with the same remark share it. */
static void case_lines(struct page *page, const struct case_change *change, const struct case_change *next) {
  const struct case_result *result = change->after ? change->after : change->before;
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf other = STRBUF_INIT;
  strbuf_printf(&line, "%s  [%s]", result->test->id, result->column.label);
  symbol(page, cell_of(change->after));
  (void)style_text(&page->style, &page->buffer, strbuf_text(&line), WIDTH - 2);
  strbuf_putc(&page->buffer, '\n');
  const char *text = case_remark(change, &line);
  const char *next_text = text && next ? case_remark(next, &other) : NULL;
  if (text && !(next_text && strcmp(text, next_text) == 0))
    remark(page, text);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&line) || strbuf_failed(&other);
}

/* What must not be overlooked is listed in full. */
static bool is_quiet(enum change change) {
  return change == CHANGE_NEW || change == CHANGE_REMOVED || change == CHANGE_GAINED;
}

static const struct case_change *next_case(const struct comparison *comparison, size_t *i, enum change change) {
  while (*i < comparison->case_count)
    if (comparison->cases[(*i)++].change == change)
      return &comparison->cases[*i - 1];
  return NULL;
}

static void section(struct page *page, enum change change) {
  const struct comparison *comparison = page->comparison;
  unsigned left = comparison->cell_counts[change] + comparison->case_counts[change];
  unsigned lines = is_quiet(change) ? SHOWN_MAX : UINT_MAX;
  if (left == 0)
    return;
  heading(page, change_title(change), 0);
  for (size_t i = 0; i < comparison->cell_count && lines > 0; i++)
    if (comparison->cells[i].change == change && !is_told(comparison, i)) {
      left -= (unsigned)cell_line(page, i);
      lines--;
    }
  size_t i = 0;
  const struct case_change *next;
  for (const struct case_change *one = next_case(comparison, &i, change); one && lines > 0; one = next) {
    next = next_case(comparison, &i, change);
    case_lines(page, one, next);
    left--;
    lines--;
  }
  if (left > 0)
    strbuf_printf(&page->buffer, "  (%u more in the JSON output)\n", left);
}

static void redefined(struct page *page) {
  if (page->comparison->redefined == 0)
    return;
  heading(page, "Defined otherwise", page->comparison->redefined);
  for (size_t i = 0; i < page->comparison->case_count; i++) {
    const struct case_change *change = &page->comparison->cases[i];
    if (!change->redefined)
      continue;
    strbuf_puts(&page->buffer, "  ");
    strbuf_printf(&page->buffer, "%s  [%s]\n", change->after->test->id, change->after->column.label);
  }
}

static void pace(struct page *page, enum pace which, const char *title, unsigned count) {
  if (count == 0)
    return;
  heading(page, title, count);
  for (size_t i = 0; i < page->comparison->case_count; i++) {
    const struct case_change *change = &page->comparison->cases[i];
    char before[DURATION_TEXT_MAX];
    char after[DURATION_TEXT_MAX];
    if (change->pace != which)
      continue;
    strbuf_printf(&page->buffer, "  %s  [%s]\n    %s before, %s now\n", change->after->test->id,
                  change->after->column.label, duration_text(change->before->propagation_ns, before),
                  duration_text(change->after->propagation_ns, after));
  }
}

/* "Cases         47 newly broken, 42 the same" */
static void totals_of(struct page *page, const char *what, const unsigned counts[CHANGE_LAST + 1]) {
  static const char *const words[] = {
      [CHANGE_BROKEN] = "newly broken",       [CHANGE_LOST] = "no longer judged",
      [CHANGE_FOUND] = "found broken",        [CHANGE_MENDED] = "mended",
      [CHANGE_STILL_BROKEN] = "still broken", [CHANGE_GAINED] = "now judged to hold",
      [CHANGE_OTHER] = "otherwise changed",   [CHANGE_NEW] = "new",
      [CHANGE_REMOVED] = "no longer there",
  };
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "%u newly broken", counts[CHANGE_BROKEN]);
  for (enum change change = CHANGE_LOST; change <= CHANGE_LAST; change++)
    if (counts[change] > 0)
      strbuf_printf(&text, ", %u %s", counts[change], words[change]);
  strbuf_printf(&text, ", %u the same", counts[CHANGE_NONE]);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&text);
  strbuf_printf(&page->buffer, "%-14s", what);
  style_wrap(&page->style, &page->buffer, strbuf_text(&text), 14, WIDTH);
}

int comparison_text(const struct comparison *comparison, bool colour, FILE *out) {
  struct page page = {.style = style_detect(colour), .buffer = STRBUF_INIT, .comparison = comparison};
  header(&page);
  facts(&page);
  for (enum change change = CHANGE_BROKEN; change <= CHANGE_LAST; change++)
    section(&page, change);
  redefined(&page);
  pace(&page, PACE_SLOWER, "Slower to take effect", comparison->slower);
  pace(&page, PACE_FASTER, "Faster to take effect", comparison->faster);
  strbuf_putc(&page.buffer, '\n');
  totals_of(&page, "Requirements", comparison->cell_counts);
  totals_of(&page, "Cases", comparison->case_counts);
  int r = emit(&page.buffer, out);
  strbuf_finish(&page.buffer);
  return r;
}
