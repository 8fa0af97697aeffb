#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/report/emit.h"
#include "host/report/markdown_text.h"
#include "host/report/matrix.h"
#include "host/report/report.h"
#include "sdk/base/document.h"

static void row(struct strbuf *buffer, const char *name, const char *value) {
  if (!value)
    return;
  strbuf_printf(buffer, "| %s | ", name);
  markdown_text(buffer, value);
  strbuf_puts(buffer, " |\n");
}

static void summary(struct strbuf *buffer, const struct run_result *run) {
  char value[160];
  char time[TIME_TEXT_MAX];
  char duration[DURATION_TEXT_MAX];
  struct run_totals totals = run_totals(run);
  strbuf_puts(buffer, "| | |\n|---|---|\n");
  (void)snprintf(value, sizeof value, "%u passed, %u failed, %u skipped, %u informative, %u not judged", totals.passed,
                 totals.failed, totals.skipped, totals.informative, totals.error);
  row(buffer, "Result", value);
  if (run->interrupted) {
    (void)snprintf(value, sizeof value, "ended early (%s): %zu of %u cases ran",
                   run->stop_reason ? run->stop_reason : "interrupted", run->case_count, run->planned);
    row(buffer, "Note", value);
  }
  row(buffer, "Suite", run->suite);
  row(buffer, "Mesh", run->mesh_name);
  row(buffer, "Mesh version", run->mesh_version);
  row(buffer, "Adapter", run->adapter_id);
  row(buffer, "Adapter version", run->adapter_version);
  row(buffer, "Adapter SHA-256", run->adapter_digest);
  row(buffer, "Lab", run->lab);
  (void)snprintf(value, sizeof value, "%" PRIu64, run->seed);
  row(buffer, "Seed", value);
  row(buffer, "Started", time_text(run->started_ns, time));
  row(buffer, "Duration", duration_text(run->duration_ns, duration));
  row(buffer, "Trammel", run->trammel_version);
  row(buffer, "Run", run->id);
  strbuf_putc(buffer, '\n');
  if (run->command) {
    strbuf_puts(buffer, "Reproduce:\n\n");
    markdown_code(buffer, "sh", run->command);
  }
}

static void capabilities(struct strbuf *buffer, const struct run_result *run) {
  strbuf_puts(buffer, "## Capability\n\n| Group | Capability | Requirements proved | SMI is |\n|---|---|---|---|\n");
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++) {
    unsigned proved = 0;
    unsigned total = 0;
    enum capability capability = run_capability(run, group, &proved, &total);
    if (total == 0)
      continue;
    strbuf_printf(buffer, "| %s | %s | %u of %u | ", smi_group_name(group), capability_name(capability), proved, total);
    support_describe(buffer, run->support, run->support_count, group);
    strbuf_puts(buffer, " |\n");
  }
  strbuf_putc(buffer, '\n');
}

static const char *cell_text(enum cell cell) {
  static const char *const texts[] = {
      [CELL_NONE] = "",    [CELL_SKIPPED] = "–",           [CELL_INFORMATIVE] = "informative",
      [CELL_PROVED] = "✓", [CELL_UNJUDGED] = "not judged", [CELL_BROKEN] = "**✗ broken**",
  };
  return texts[cell];
}

static void matrix_head(struct strbuf *buffer, const struct matrix *matrix, enum smi_group group) {
  strbuf_printf(buffer, "### %s\n\n| Requirement | |", smi_group_name(group));
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++) {
    if (!matrix->used[group][alpha])
      continue;
    if (alpha == 0)
      strbuf_puts(buffer, " no version |");
    else
      strbuf_printf(buffer, " v1alpha%u |", alpha);
  }
  strbuf_puts(buffer, "\n|---|---|");
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
    if (matrix->used[group][alpha])
      strbuf_puts(buffer, ":-:|");
  strbuf_putc(buffer, '\n');
}

static void matrix_group(struct strbuf *buffer, const struct matrix *matrix, enum smi_group group) {
  bool head = false;
  for (size_t i = 0; i < matrix->count; i++) {
    const struct matrix_row *row = &matrix->rows[i];
    if (row->group != group)
      continue;
    if (!head)
      matrix_head(buffer, matrix, group);
    head = true;
    strbuf_printf(buffer, "| %s | ", row->requirement);
    markdown_text(buffer, matrix_summary(row));
    strbuf_puts(buffer, " |");
    for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
      if (matrix->used[group][alpha])
        strbuf_printf(buffer, " %s |", cell_text(row->cells[alpha]));
    strbuf_putc(buffer, '\n');
  }
  if (head)
    strbuf_putc(buffer, '\n');
}

static void case_head(struct strbuf *buffer, const struct case_result *result) {
  strbuf_printf(buffer, "`%s` [%s]", result->test->id, result->column.label);
}

static void broken_checks(struct strbuf *buffer, const struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++) {
    const struct check_result *check = &result->checks[i];
    if (check->held)
      continue;
    strbuf_printf(buffer, "- **%s**, step %u\n  - expected: ", check->check->requirement, check->step + 1);
    markdown_text(buffer, text_or_empty(check->expected));
    strbuf_puts(buffer, "\n  - seen: ");
    markdown_text(buffer, text_or_empty(check->seen));
    strbuf_putc(buffer, '\n');
  }
}

static void yaml_block(struct strbuf *buffer, const char *title, const json_t *value) {
  if (!value)
    return;
  _cleanup_strbuf_ struct strbuf yaml = STRBUF_INIT;
  if (yaml_write(value, &yaml) < 0)
    buffer->failed = true;
  strbuf_printf(buffer, "%s:\n\n", title);
  markdown_code(buffer, "yaml", strbuf_text(&yaml));
}

static void failure(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  strbuf_printf(buffer, "<details>\n<summary><code>%s</code> [%s]</summary>\n\n", result->test->id,
                result->column.label);
  markdown_text(buffer, text_or_empty(result->test->title));
  strbuf_puts(buffer, "\n\n");
  broken_checks(buffer, result);
  if (result->check_count == 0 && result->reason)
    markdown_text(buffer, result->reason);
  if (result->cause) {
    strbuf_puts(buffer, "\nLikely cause: ");
    markdown_text(buffer, result->cause);
    strbuf_putc(buffer, '\n');
  }
  strbuf_putc(buffer, '\n');
  yaml_block(buffer, "SMI resources", result->resources);
  yaml_block(buffer, "Native objects in force", result->objects);
  if (run->reproduce) {
    _cleanup_strbuf_ struct strbuf command = STRBUF_INIT;
    append_reproduction(&command, run, result);
    buffer->failed = buffer->failed || strbuf_failed(&command);
    strbuf_puts(buffer, "Reproduce:\n\n");
    markdown_code(buffer, "sh", strbuf_text(&command));
  }
  strbuf_puts(buffer, "</details>\n\n");
}

static void failures(struct strbuf *buffer, const struct run_result *run, unsigned count) {
  if (count == 0)
    return;
  strbuf_printf(buffer, "## Failures (%u)\n\n", count);
  for (size_t i = 0; i < run->case_count; i++)
    if (run->cases[i].outcome == OUTCOME_FAILED)
      failure(buffer, run, &run->cases[i]);
}

/* A list of the cases with one outcome and their reasons. */
static void others(struct strbuf *buffer, const struct run_result *run, enum outcome outcome, const char *title,
                   unsigned count) {
  if (count == 0)
    return;
  strbuf_printf(buffer, "## %s (%u)\n\n", title, count);
  for (size_t i = 0; i < run->case_count; i++) {
    const struct case_result *result = &run->cases[i];
    if (result->outcome != outcome)
      continue;
    strbuf_puts(buffer, "- ");
    case_head(buffer, result);
    strbuf_puts(buffer, ": ");
    if (outcome == OUTCOME_INFORMATIVE)
      strbuf_puts(buffer, result->held ? "the mesh does: " : "the mesh does not: ");
    markdown_text(buffer, text_or_empty(outcome == OUTCOME_INFORMATIVE ? result->test->title : result->reason));
    if (outcome == OUTCOME_INFORMATIVE)
      append_interpretations(buffer, result->test);
    strbuf_putc(buffer, '\n');
  }
  strbuf_putc(buffer, '\n');
}

/* The table's texts are Markdown already. */
static void interpretations(struct strbuf *buffer, const struct run_result *run) {
  bool head = false;
  for (int number = 1; number <= interpretation_last(); number++) {
    if (!run_takes_interpretation(run, number))
      continue;
    if (!head)
      strbuf_puts(buffer, "## Interpretations\n\nWhat SMI leaves open, and cases of this run rely on:\n\n");
    head = true;
    const struct interpretation *taken = interpretation_find(number);
    strbuf_printf(buffer, "- %d: **%s.** %s\n", number, taken->title, taken->text);
  }
  if (head)
    strbuf_putc(buffer, '\n');
}

int report_markdown(const struct run_result *run, FILE *out) {
  _cleanup_matrix_ struct matrix matrix = {0};
  int r = matrix_build(run, &matrix);
  if (r < 0)
    return r;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  struct run_totals totals = run_totals(run);
  strbuf_puts(&buffer, "# Conformance of ");
  markdown_text(&buffer, run->mesh_name ? run->mesh_name : "an unnamed mesh");
  strbuf_puts(&buffer, "\n\n");
  summary(&buffer, run);
  capabilities(&buffer, run);
  strbuf_puts(&buffer, "## Requirements\n\n");
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    matrix_group(&buffer, &matrix, group);
  failures(&buffer, run, totals.failed);
  others(&buffer, run, OUTCOME_ERROR, "Not judged", totals.error);
  others(&buffer, run, OUTCOME_SKIPPED, "Skipped", totals.skipped);
  others(&buffer, run, OUTCOME_INFORMATIVE, "Informative", totals.informative);
  interpretations(&buffer, run);
  return emit(&buffer, out);
}
