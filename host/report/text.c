#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/report/emit.h"
#include "host/report/matrix.h"
#include "host/report/report.h"
#include "host/report/style.h"
#include "sdk/base/document.h"

#define WIDTH 80
#define FAILURES_IN_FULL 10 /* the rest get a line each; every detail is in the JSON report */
#define OBJECT_LINES 60
#define LABEL_WIDTH 12 /* "likely cause", right of an indent of 2 */

struct page {
  struct style style;
  struct strbuf buffer;
  const struct run_result *run;
};

static void toned(struct page *page, enum tone tone, const char *text) {
  style_begin(&page->style, &page->buffer, tone);
  (void)style_text(&page->style, &page->buffer, text, strlen(text));
  style_end(&page->style, &page->buffer, tone);
}

static void heading(struct page *page, const char *title, unsigned count) {
  style_begin(&page->style, &page->buffer, TONE_STRONG);
  strbuf_printf(&page->buffer, "\n%s", title);
  if (count > 0)
    strbuf_printf(&page->buffer, " (%u)", count);
  style_end(&page->style, &page->buffer, TONE_STRONG);
  strbuf_putc(&page->buffer, '\n');
}

/* "  label         value", the value wrapped under itself. */
static void field(struct page *page, const char *label, const char *value) {
  strbuf_puts(&page->buffer, "  ");
  style_begin(&page->style, &page->buffer, TONE_DIM);
  style_field(&page->style, &page->buffer, label, LABEL_WIDTH);
  style_end(&page->style, &page->buffer, TONE_DIM);
  strbuf_puts(&page->buffer, "  ");
  style_wrap(&page->style, &page->buffer, value, LABEL_WIDTH + 4, WIDTH);
}

static void field_named_version(struct page *page, const char *label, const char *name, const char *version,
                                const char *more) {
  _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
  strbuf_puts(&value, text_or_empty(name));
  if (version && version[0] != '\0')
    strbuf_printf(&value, " %s", version);
  if (more && more[0] != '\0')
    strbuf_printf(&value, ", %s", more);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&value);
  field(page, label, strbuf_text(&value));
}

static void header(struct page *page) {
  const struct run_result *run = page->run;
  char digest[24] = "";
  char value[160];
  char time[TIME_TEXT_MAX];
  char duration[DURATION_TEXT_MAX];
  style_begin(&page->style, &page->buffer, TONE_STRONG);
  strbuf_puts(&page->buffer, "Conformance: suite ");
  (void)style_text(&page->style, &page->buffer, text_or_empty(run->suite), 40);
  style_end(&page->style, &page->buffer, TONE_STRONG);
  strbuf_putc(&page->buffer, '\n');
  field_named_version(page, "mesh", run->mesh_name, run->mesh_version, NULL);
  if (run->adapter_digest)
    (void)snprintf(digest, sizeof digest, "sha256 %.12s", run->adapter_digest);
  field_named_version(page, "adapter", run->adapter_id, run->adapter_version, digest);
  (void)snprintf(value, sizeof value, "seed %" PRIu64, run->seed);
  field_named_version(page, "lab", run->lab, NULL, value);
  (void)snprintf(value, sizeof value, "%s, took %s", time_text(run->started_ns, time),
                 duration_text(run->duration_ns, duration));
  field(page, "started", value);
  if (run->trammel_version)
    field(page, "trammel", run->trammel_version);
  if (run->command)
    field(page, "command", run->command);
}

static void matrix_head(struct page *page, const struct matrix *matrix, enum smi_group group, size_t room) {
  style_begin(&page->style, &page->buffer, TONE_DIM);
  strbuf_puts(&page->buffer, "  ");
  style_field(&page->style, &page->buffer, smi_group_name(group), room + 2);
  strbuf_puts(&page->buffer, "v1alpha");
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++) {
    if (!matrix->used[group][alpha])
      continue;
    if (alpha == 0)
      strbuf_puts(&page->buffer, "  *");
    else
      strbuf_printf(&page->buffer, "  %u", alpha);
  }
  style_end(&page->style, &page->buffer, TONE_DIM);
  strbuf_putc(&page->buffer, '\n');
}

static void matrix_line(struct page *page, const struct matrix *matrix, const struct matrix_row *row, size_t room) {
  strbuf_puts(&page->buffer, "  ");
  style_field(&page->style, &page->buffer, row->requirement, 8);
  style_field(&page->style, &page->buffer, matrix_summary(row), room + 1);
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++) {
    if (!matrix->used[row->group][alpha])
      continue;
    enum tone tone;
    const char *symbol = style_cell(&page->style, row->cells[alpha], &tone);
    strbuf_puts(&page->buffer, "  ");
    style_begin(&page->style, &page->buffer, tone);
    strbuf_puts(&page->buffer, symbol);
    style_end(&page->style, &page->buffer, tone);
  }
  strbuf_putc(&page->buffer, '\n');
}

/* A line holds "  ACC-05  summary   ✓  ✗": 2 + 8 + (room + 1) + 3 a column = WIDTH; the head puts "v1alpha" at the
 * summary's end. */
static void matrix_group(struct page *page, const struct matrix *matrix, enum smi_group group) {
  size_t columns = 0;
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
    columns += matrix->used[group][alpha];
  if (columns == 0)
    return;
  size_t room = WIDTH - 11 - 3 * columns;
  matrix_head(page, matrix, group, room);
  for (size_t i = 0; i < matrix->count; i++)
    if (matrix->rows[i].group == group)
      matrix_line(page, matrix, &matrix->rows[i], room);
}

static void legend(struct page *page) {
  static const struct {
    enum cell cell;
    const char *meaning;
  } entries[] = {{CELL_PROVED, "proved"},   {CELL_BROKEN, "broken"},           {CELL_UNJUDGED, "not judged"},
                 {CELL_SKIPPED, "skipped"}, {CELL_INFORMATIVE, "informative"}, {CELL_NONE, "no case"}};
  strbuf_puts(&page->buffer, "  ");
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    enum tone tone;
    const char *symbol = style_cell(&page->style, entries[i].cell, &tone);
    style_begin(&page->style, &page->buffer, tone);
    strbuf_puts(&page->buffer, symbol);
    style_end(&page->style, &page->buffer, tone);
    strbuf_putc(&page->buffer, ' ');
    toned(page, TONE_DIM, entries[i].meaning);
    strbuf_puts(&page->buffer, i + 1 < sizeof entries / sizeof *entries ? "   " : "\n");
  }
}

/* "✗ id  [column]", at most one line. */
static void case_line(struct page *page, const struct case_result *result) {
  enum tone tone;
  const char *symbol = style_outcome(&page->style, result->outcome, &tone);
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  strbuf_printf(&line, "%s  [%s]", result->test->id, result->column.label);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&line);
  style_begin(&page->style, &page->buffer, tone);
  strbuf_printf(&page->buffer, "%s ", symbol);
  style_end(&page->style, &page->buffer, tone);
  (void)style_text(&page->style, &page->buffer, strbuf_text(&line), WIDTH - 2);
  strbuf_putc(&page->buffer, '\n');
}

static void objects(struct page *page, const json_t *value) {
  _cleanup_strbuf_ struct strbuf yaml = STRBUF_INIT;
  if (yaml_write(value, &yaml) < 0 || strbuf_failed(&yaml)) {
    page->buffer.failed = true;
    return;
  }
  field(page, "in force", "native objects");
  unsigned lines = 0;
  unsigned left_out = 0;
  for (char *save, *line = strtok_r(yaml.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    if (lines++ >= OBJECT_LINES) {
      left_out++;
      continue;
    }
    strbuf_puts(&page->buffer, "      ");
    (void)style_text(&page->style, &page->buffer, line, WIDTH - 6);
    strbuf_putc(&page->buffer, '\n');
  }
  if (left_out > 0)
    strbuf_printf(&page->buffer, "      (%u more lines in the JSON report)\n", left_out);
}

static void broken_checks(struct page *page, const struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++) {
    const struct check_result *check = &result->checks[i];
    if (check->held)
      continue;
    char step[32] = "";
    if (result->test->step_count > 1)
      (void)snprintf(step, sizeof step, " (step %u)", check->step + 1);
    const struct requirement *known = requirement_find(check->check->requirement);
    _cleanup_strbuf_ struct strbuf requirement = STRBUF_INIT;
    strbuf_printf(&requirement, "%s %s%s", check->check->requirement, known ? text_or_empty(known->summary) : "", step);
    page->buffer.failed = page->buffer.failed || strbuf_failed(&requirement);
    field(page, "requirement", strbuf_text(&requirement));
    field(page, "expected", text_or_empty(check->expected));
    field(page, "seen", text_or_empty(check->seen));
  }
}

static void failure(struct page *page, const struct case_result *result) {
  case_line(page, result);
  strbuf_puts(&page->buffer, "  ");
  style_wrap(&page->style, &page->buffer, text_or_empty(result->test->title), 2, WIDTH);
  broken_checks(page, result);
  if (!case_first_broken(result) && result->reason)
    field(page, "reason", result->reason);
  if (result->cause)
    field(page, "likely cause", result->cause);
  if (result->objects)
    objects(page, result->objects);
  if (!page->run->reproduce)
    return;
  _cleanup_strbuf_ struct strbuf command = STRBUF_INIT;
  append_reproduction(&command, page->run, result);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&command);
  field(page, "reproduce", strbuf_text(&command));
}

static void failures(struct page *page, unsigned count) {
  if (count == 0)
    return;
  heading(page, "Failures", count);
  unsigned shown = 0;
  for (size_t i = 0; i < page->run->case_count; i++) {
    const struct case_result *result = &page->run->cases[i];
    if (result->outcome != OUTCOME_FAILED)
      continue;
    if (shown > 0 && shown < FAILURES_IN_FULL)
      strbuf_putc(&page->buffer, '\n');
    if (shown++ < FAILURES_IN_FULL) {
      failure(page, result);
      continue;
    }
    if (shown == FAILURES_IN_FULL + 1)
      strbuf_putc(&page->buffer, '\n');
    case_line(page, result);
    if (result->reason)
      field(page, "reason", result->reason);
  }
}

/* What is said of a case beside its name: why it was not judged, or what an informative case says of the mesh. */
static void remark(struct page *page, const struct case_result *result) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (result->outcome == OUTCOME_INFORMATIVE) {
    strbuf_printf(&text, "%s: %s", result->held ? "holds" : "does not hold", text_or_empty(result->test->title));
    append_interpretations(&text, result->test);
  } else {
    strbuf_puts(&text, text_or_empty(result->reason));
  }
  page->buffer.failed = page->buffer.failed || strbuf_failed(&text);
  strbuf_puts(&page->buffer, "  ");
  style_wrap(&page->style, &page->buffer, strbuf_text(&text), 2, WIDTH);
}

static const struct case_result *next_with(const struct run_result *run, size_t *i, enum outcome outcome) {
  while (*i < run->case_count)
    if (run->cases[(*i)++].outcome == outcome)
      return &run->cases[*i - 1];
  return NULL;
}

/* Cases with one outcome that need a line and a remark, no more. Neighbours with the same reason share it. */
static void others(struct page *page, enum outcome outcome, const char *title, unsigned count) {
  if (count == 0)
    return;
  heading(page, title, count);
  size_t i = 0;
  const struct case_result *next;
  for (const struct case_result *result = next_with(page->run, &i, outcome); result; result = next) {
    next = next_with(page->run, &i, outcome);
    case_line(page, result);
    bool shared = next && outcome != OUTCOME_INFORMATIVE && result->reason && next->reason &&
                  strcmp(result->reason, next->reason) == 0;
    if (!shared)
      remark(page, result);
  }
}

/* What SMI leaves open and the verdicts rely on. */
static void interpretations(struct page *page) {
  unsigned count = 0;
  for (int number = 1; number <= interpretation_last(); number++)
    count += run_takes_interpretation(page->run, number);
  if (count == 0)
    return;
  heading(page, "Interpretations of docs/smi.md", count);
  for (int number = 1; number <= interpretation_last(); number++) {
    if (!run_takes_interpretation(page->run, number))
      continue;
    const struct interpretation *taken = interpretation_find(number);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, "%s. %s", taken->title, taken->text);
    page->buffer.failed = page->buffer.failed || strbuf_failed(&text);
    strbuf_printf(&page->buffer, "  %2d  ", number);
    style_wrap(&page->style, &page->buffer, strbuf_text(&text), 6, WIDTH);
  }
}

static void capabilities(struct page *page) {
  static const enum tone tones[] = {[CAPABILITY_UNTESTED] = TONE_DIM,
                                    [CAPABILITY_NONE] = TONE_BAD,
                                    [CAPABILITY_HALF] = TONE_WARNING,
                                    [CAPABILITY_FULL] = TONE_GOOD};
  heading(page, "Capability", 0);
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++) {
    unsigned proved = 0;
    unsigned total = 0;
    enum capability capability = run_capability(page->run, group, &proved, &total);
    if (total == 0)
      continue;
    strbuf_printf(&page->buffer, "  %-8s", smi_group_name(group));
    toned(page, tones[capability], capability_name(capability));
    _cleanup_strbuf_ struct strbuf rest = STRBUF_INIT;
    strbuf_printf(&rest, ", %u of %u requirements proved", proved, total);
    append_support(&rest, page->run, group);
    page->buffer.failed = page->buffer.failed || strbuf_failed(&rest);
    style_wrap(&page->style, &page->buffer, strbuf_text(&rest), 10, WIDTH - 4);
  }
}

static void broken_requirements(struct page *page) {
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  if (run_broken_requirements(page->run, &broken, &count) < 0) {
    page->buffer.failed = true;
    return;
  }
  if (count == 0)
    return;
  _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
  for (size_t i = 0; i < count; i++)
    strbuf_printf(&list, "%s%s", i > 0 ? " " : "", broken[i]);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&list);
  strbuf_puts(&page->buffer, "Broken: ");
  style_wrap(&page->style, &page->buffer, strbuf_text(&list), 8, WIDTH);
}

static void total(struct page *page, unsigned count, const char *what, enum tone tone) {
  char text[40];
  (void)snprintf(text, sizeof text, "%u %s", count, what);
  toned(page, count > 0 ? tone : TONE_PLAIN, text);
}

static void totals_line(struct page *page, const struct run_totals *totals) {
  total(page, totals->passed, "passed", TONE_GOOD);
  strbuf_puts(&page->buffer, ", ");
  total(page, totals->failed, "failed", TONE_BAD);
  strbuf_puts(&page->buffer, ", ");
  total(page, totals->error, "not judged", TONE_WARNING);
  strbuf_puts(&page->buffer, ", ");
  total(page, totals->skipped, "skipped", TONE_WARNING);
  strbuf_puts(&page->buffer, ", ");
  total(page, totals->informative, "informative", TONE_PLAIN);
  if (page->run->not_applicable > 0)
    strbuf_printf(&page->buffer, " (%u not applicable)", page->run->not_applicable);
  strbuf_putc(&page->buffer, '\n');
}

static void ended_early(struct page *page) {
  const struct run_result *run = page->run;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "Ended early (%s): %zu of %u cases ran.", run->stop_reason ? run->stop_reason : "interrupted",
                run->case_count, run->planned);
  page->buffer.failed = page->buffer.failed || strbuf_failed(&text);
  style_wrap(&page->style, &page->buffer, strbuf_text(&text), 0, WIDTH);
}

int report_text(const struct run_result *run, bool colour, FILE *out) {
  _cleanup_matrix_ struct matrix matrix = {0};
  int r = matrix_build(run, &matrix);
  if (r < 0)
    return r;
  struct page page = {.style = style_detect(colour), .buffer = STRBUF_INIT, .run = run};
  struct run_totals totals = run_totals(run);
  header(&page);
  heading(&page, "Requirements", 0);
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    matrix_group(&page, &matrix, group);
  legend(&page);
  others(&page, OUTCOME_SKIPPED, "Skipped", totals.skipped);
  others(&page, OUTCOME_INFORMATIVE, "Informative", totals.informative);
  others(&page, OUTCOME_ERROR, "Not judged", totals.error);
  failures(&page, totals.failed);
  interpretations(&page);
  capabilities(&page);
  strbuf_putc(&page.buffer, '\n');
  broken_requirements(&page);
  if (run->interrupted)
    ended_early(&page);
  totals_line(&page, &totals);
  r = emit(&page.buffer, out);
  strbuf_finish(&page.buffer);
  return r;
}
