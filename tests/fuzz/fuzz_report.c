/* Bytes to a report and back: nothing crashes, what is refused is told, and what was read is written and read again
 * without a change, in every format, and nothing changed from it to itself. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/report/comparison.h"
#include "host/report/report.h"
#include "host/report/report_read.h"
#include "sdk/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static char *write_json(const struct run_result *run, size_t *ret_length) {
  char *text = NULL;
  FILE *out = open_memstream(&text, ret_length);
  if (!out || report_json(run, out) < 0 || fclose(out) != 0)
    abort();
  return text;
}

static void write_the_rest(const struct run_result *run) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out || report_text(run, true, out) < 0 || report_junit(run, out) < 0 || report_markdown(run, out) < 0 ||
      report_badge(run, out) < 0 || report_tap(run, out) < 0 || report_gateway_api(run, out) < 0 || fclose(out) != 0)
    abort();
  free(text);
}

/* Nothing in a report becomes an element that the page has none of. */
static void write_page(const struct run_result *run) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out || report_html(run, out) < 0 || fclose(out) != 0 || !utf8_valid(text, length, NULL) ||
      strstr(text, "<script") || strstr(text, "<img"))
    abort();
  free(text);
}

/* Nothing changed from a run to itself. */
static void compare(const struct run_result *run, const struct run_result *again) {
  struct comparison comparison;
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out || comparison_make(run, "a", again, "b", &comparison, NULL) < 0)
    abort();
  if (comparison_exit_code(&comparison) != 0 || comparison_suites_differ(&comparison) || comparison.fact_count > 0 ||
      comparison.cell_counts[CHANGE_NONE] + comparison.cell_counts[CHANGE_STILL_BROKEN] != comparison.cell_count ||
      comparison.case_counts[CHANGE_NONE] + comparison.case_counts[CHANGE_STILL_BROKEN] != comparison.case_count)
    abort();
  if (comparison_text(&comparison, true, out) < 0 || comparison_json(&comparison, out) < 0 ||
      comparison_markdown(&comparison, out) < 0 || fclose(out) != 0)
    abort();
  free(text);
  comparison_finish(&comparison);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_report_ struct run_result *run = NULL;
  _cleanup_report_ struct run_result *again = NULL;
  if (size > INPUT_MAX || !diagnostics)
    return 0;
  int r = report_read("fuzz", data, size, diagnostics, &run);
  if (r < 0) {
    if (run || !diagnostics_have_error(diagnostics))
      abort();
    return 0;
  }
  if (diagnostics_have_error(diagnostics))
    abort();
  size_t first_length = 0;
  size_t second_length = 0;
  _cleanup_free_ char *first = write_json(run, &first_length);
  if (report_read("again", first, first_length, diagnostics, &again) < 0)
    abort();
  _cleanup_free_ char *second = write_json(again, &second_length);
  if (first_length != second_length || memcmp(first, second, first_length) != 0)
    abort();
  write_the_rest(run);
  write_page(run);
  compare(run, again);
  return 0;
}
