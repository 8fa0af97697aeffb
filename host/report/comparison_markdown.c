#include "host/report/comparison.h"
#include "host/report/emit.h"
#include "host/report/markdown_text.h"

static void one_run(struct strbuf *buffer, const char *label, const char *name, const struct run_result *run) {
  char started[TIME_TEXT_MAX];
  struct run_totals totals = run_totals(run);
  strbuf_printf(buffer, "| %s | ", label);
  markdown_text(buffer, name);
  strbuf_puts(buffer, " | ");
  markdown_text(buffer, text_or_empty(run->mesh_name));
  strbuf_putc(buffer, ' ');
  markdown_text(buffer, text_or_empty(run->mesh_version));
  strbuf_printf(buffer, " | %s | %u passed, %u failed, %u not judged, %u skipped, %u informative%s |\n",
                time_text(run->started_ns, started), totals.passed, totals.failed, totals.error, totals.skipped,
                totals.informative, run->interrupted ? ", ended early" : "");
}

static void header(struct strbuf *buffer, const struct comparison *comparison) {
  strbuf_puts(buffer, "# What changed: suite ");
  markdown_text(buffer, text_or_empty(comparison->after->suite));
  strbuf_puts(buffer, "\n\n| | Report | Mesh | Started | Result |\n|---|---|---|---|---|\n");
  one_run(buffer, "Before", comparison->before_name, comparison->before);
  one_run(buffer, "After", comparison->after_name, comparison->after);
  strbuf_putc(buffer, '\n');
  if (comparison_suites_differ(comparison))
    strbuf_printf(buffer,
                  "**The reports are not of the same cases:** %u are new, %u are no longer there, %u are defined "
                  "otherwise.\n\n",
                  comparison->case_counts[CHANGE_NEW], comparison->case_counts[CHANGE_REMOVED], comparison->redefined);
}

static void facts(struct strbuf *buffer, const struct comparison *comparison) {
  if (comparison->fact_count == 0)
    return;
  strbuf_puts(buffer, "## Circumstances\n\n| | Before | After |\n|---|---|---|\n");
  for (size_t i = 0; i < comparison->fact_count; i++) {
    const struct fact_change *fact = &comparison->facts[i];
    strbuf_printf(buffer, "| %s | ", fact->name);
    markdown_text(buffer, fact->before ? fact->before : "unknown");
    strbuf_puts(buffer, " | ");
    markdown_text(buffer, fact->after ? fact->after : "unknown");
    strbuf_puts(buffer, " |\n");
  }
  strbuf_putc(buffer, '\n');
}

static void cell_line(struct strbuf *buffer, const struct cell_change *cell) {
  char version[VERSION_TEXT_MAX];
  const struct requirement *known = requirement_find(cell->requirement);
  strbuf_printf(buffer, "- **%s** %s/%s: %s → %s. ", cell->requirement, smi_group_name(cell->group),
                version_text(cell->alpha, version), cell_name(cell->before), cell_name(cell->after));
  markdown_text(buffer, known ? known->summary : "");
  strbuf_putc(buffer, '\n');
}

static const char *said(const struct case_result *result) {
  if (!result)
    return "absent";
  if (result->outcome == OUTCOME_INFORMATIVE)
    return result->held ? "informative, holds" : "informative, does not hold";
  return outcome_name(result->outcome);
}

static void case_name(struct strbuf *buffer, const struct case_change *change) {
  const struct case_result *result = change->after ? change->after : change->before;
  strbuf_printf(buffer, "- `%s` [%s]: ", result->test->id, result->column.label);
}

static void case_line(struct strbuf *buffer, const struct case_change *change) {
  case_name(buffer, change);
  strbuf_printf(buffer, "%s → %s", said(change->before), said(change->after));
  if (change->after && change->after->reason) {
    strbuf_puts(buffer, ". ");
    markdown_text(buffer, change->after->reason);
  }
  strbuf_putc(buffer, '\n');
}

static void section(struct strbuf *buffer, const struct comparison *comparison, enum change change) {
  if (comparison->cell_counts[change] + comparison->case_counts[change] == 0)
    return;
  strbuf_printf(buffer, "## %s\n\n", change_title(change));
  for (size_t i = 0; i < comparison->cell_count; i++)
    if (comparison->cells[i].change == change)
      cell_line(buffer, &comparison->cells[i]);
  for (size_t i = 0; i < comparison->case_count; i++)
    if (comparison->cases[i].change == change)
      case_line(buffer, &comparison->cases[i]);
  strbuf_putc(buffer, '\n');
}

static void redefined(struct strbuf *buffer, const struct comparison *comparison) {
  if (comparison->redefined == 0)
    return;
  strbuf_puts(buffer, "## Defined otherwise\n\n");
  for (size_t i = 0; i < comparison->case_count; i++)
    if (comparison->cases[i].redefined) {
      case_name(buffer, &comparison->cases[i]);
      markdown_text(buffer, text_or_empty(comparison->cases[i].after->test->title));
      strbuf_putc(buffer, '\n');
    }
  strbuf_putc(buffer, '\n');
}

static void pace(struct strbuf *buffer, const struct comparison *comparison, enum pace which, const char *title,
                 unsigned count) {
  if (count == 0)
    return;
  strbuf_printf(buffer, "## %s\n\n", title);
  for (size_t i = 0; i < comparison->case_count; i++) {
    const struct case_change *change = &comparison->cases[i];
    char before[DURATION_TEXT_MAX];
    char after[DURATION_TEXT_MAX];
    if (change->pace != which)
      continue;
    case_name(buffer, change);
    strbuf_printf(buffer, "%s → %s\n", duration_text(change->before->propagation_ns, before),
                  duration_text(change->after->propagation_ns, after));
  }
  strbuf_putc(buffer, '\n');
}

int comparison_markdown(const struct comparison *comparison, FILE *out) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  header(&buffer, comparison);
  facts(&buffer, comparison);
  for (enum change change = CHANGE_BROKEN; change <= CHANGE_LAST; change++)
    section(&buffer, comparison, change);
  redefined(&buffer, comparison);
  pace(&buffer, comparison, PACE_SLOWER, "Slower to take effect", comparison->slower);
  pace(&buffer, comparison, PACE_FASTER, "Faster to take effect", comparison->faster);
  strbuf_printf(&buffer, "%u requirements and %u cases are the same.\n", comparison->cell_counts[CHANGE_NONE],
                comparison->case_counts[CHANGE_NONE]);
  return emit(&buffer, out);
}
