#include <string.h>

#include "host/report/emit.h"
#include "host/report/report.h"
#include "sdk/base/document.h"
#include "sdk/base/utf8.h"

/* On one line; "#" would begin a directive. */
static void text(struct strbuf *buffer, const char *value) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, value, strlen(value), NULL);
  for (const char *c = strbuf_text(&safe); *c != '\0'; c++) {
    if (*c == '#' || *c == '\\')
      strbuf_putc(buffer, '\\');
    strbuf_putc(buffer, *c);
  }
  buffer->failed = buffer->failed || strbuf_failed(&safe);
}

/* ---- the YAML block of a test point that is not ok
 *
 * Only what every TAP reader's own small YAML reader takes: scalars in double quotes, literal blocks, and lists deeper
 * than their key. */

static void scalar(struct strbuf *buffer, int indent, const char *key, const char *value) {
  if (!value)
    return;
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, value, strlen(value), NULL);
  strbuf_printf(buffer, "%*s%s: \"", indent, "", key);
  for (const char *c = strbuf_text(&safe); *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      strbuf_putc(buffer, '\\');
    strbuf_putc(buffer, *c);
  }
  strbuf_puts(buffer, "\"\n");
  buffer->failed = buffer->failed || strbuf_failed(&safe);
}

static void literal(struct strbuf *buffer, int indent, const char *key, const json_t *value,
                    int (*write)(const json_t *value, struct strbuf *out)) {
  if (!value)
    return;
  _cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
  if (write(value, &lines) < 0 || strbuf_failed(&lines))
    buffer->failed = true;
  strbuf_printf(buffer, "%*s%s: |\n", indent, "", key);
  for (const char *line = strbuf_text(&lines); *line != '\0';) {
    size_t length = strcspn(line, "\n");
    strbuf_printf(buffer, "%*s", indent + 2, "");
    strbuf_append(buffer, line, length);
    strbuf_putc(buffer, '\n');
    line += length + (line[length] == '\n');
  }
}

static void broken_checks(struct strbuf *buffer, const struct case_result *result) {
  if (!case_first_broken(result))
    return;
  strbuf_puts(buffer, "  broken:\n");
  for (size_t i = 0; i < result->check_count; i++) {
    const struct check_result *check = &result->checks[i];
    if (check->held)
      continue;
    strbuf_printf(buffer, "    - step: %u\n", check->step + 1);
    scalar(buffer, 6, "requirement", check->check->requirement);
    scalar(buffer, 6, "expected", check->expected);
    scalar(buffer, 6, "seen", check->seen);
    literal(buffer, 6, "evidence", check->evidence, json_write);
  }
}

static void yaml_block(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  _cleanup_strbuf_ struct strbuf command = STRBUF_INIT;
  append_reproduction(&command, run, result);
  strbuf_puts(buffer, "  ---\n");
  scalar(buffer, 2, "message", text_or_empty(result->reason));
  scalar(buffer, 2, "severity", result->outcome == OUTCOME_FAILED ? "fail" : "not judged");
  broken_checks(buffer, result);
  scalar(buffer, 2, "cause", result->cause);
  literal(buffer, 2, "objects", result->objects, yaml_write);
  if (run->reproduce)
    scalar(buffer, 2, "reproduce", strbuf_text(&command));
  strbuf_puts(buffer, "  ...\n");
  buffer->failed = buffer->failed || strbuf_failed(&command);
}

/* ---- the lines */

static bool is_ok(enum outcome outcome) {
  return outcome != OUTCOME_FAILED && outcome != OUTCOME_ERROR;
}

static void point(struct strbuf *buffer, const struct run_result *run, size_t i) {
  const struct case_result *result = &run->cases[i];
  strbuf_printf(buffer, "%s %zu - ", is_ok(result->outcome) ? "ok" : "not ok", i + 1);
  text(buffer, result->test->id);
  strbuf_puts(buffer, " [");
  text(buffer, result->column.label);
  strbuf_putc(buffer, ']');
  if (result->outcome == OUTCOME_INFORMATIVE)
    strbuf_printf(buffer, " (informative: the mesh %s)", result->held ? "agrees" : "differs");
  if (result->outcome == OUTCOME_SKIPPED) {
    strbuf_puts(buffer, " # SKIP ");
    text(buffer, text_or_empty(result->reason));
  }
  strbuf_putc(buffer, '\n');
  if (!is_ok(result->outcome))
    yaml_block(buffer, run, result);
}

/* A run that ended early owes the points of its plan. */
static size_t planned(const struct run_result *run) {
  return run->interrupted && run->planned > run->case_count ? run->planned : run->case_count;
}

int report_tap(const struct run_result *run, FILE *out) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  strbuf_printf(&buffer, "TAP version 14\n1..%zu%s\n", planned(run), planned(run) == 0 ? " # SKIP no case ran" : "");
  append_facts(&buffer, run);
  for (size_t i = 0; i < run->case_count; i++)
    point(&buffer, run, i);
  if (run->interrupted) {
    strbuf_puts(&buffer, "Bail out! ");
    text(&buffer, run->stop_reason ? run->stop_reason : "interrupted");
    strbuf_putc(&buffer, '\n');
  }
  return emit(&buffer, out);
}
