/* Renders a conformance run. Each writer prints to `out`; 0 or -errno (-EIO when `out` failed). */
#ifndef TRAMMEL_HOST_REPORT_REPORT_H
#define TRAMMEL_HOST_REPORT_REPORT_H

#include <stdio.h>

#include "host/conformance/result.h"
#include "host/conformance/runner.h"

int report_json(const struct run_result *run, FILE *out); /* schema: docs/schema/conformance-report.json */
/* The same as a value; and a case as it is in its `cases`, for reports that grow while a run goes on. NULL without
 * memory. */
json_t *report_json_value(const struct run_result *run);
json_t *report_json_case(const struct case_result *result);
int report_junit(const struct run_result *run, FILE *out); /* JUnit XML; a test suite per group, a case per column */
int report_markdown(const struct run_result *run, FILE *out);
int report_html(const struct run_result *run, FILE *out);        /* one page that loads nothing and runs nothing */
int report_badge(const struct run_result *run, FILE *out);       /* SVG */
int report_tap(const struct run_result *run, FILE *out);         /* TAP version 14; a test point per case and column */
int report_gateway_api(const struct run_result *run, FILE *out); /* YAML in the shape of its ConformanceReport */

/* The summary for a terminal or pipe: a requirement matrix by version, failures with evidence, totals. `colour` uses
 * ANSI colours. */
int report_text(const struct run_result *run, bool colour, FILE *out);

/* Progress while a run goes on: on a terminal a board that redraws itself, otherwise a line per case. */
struct progress;
struct progress *progress_create(FILE *out, bool terminal, bool colour, unsigned slots);
struct runner_listener progress_listener(struct progress *progress);
/* Redraws (terminal: spinner and clock); any thread; called about ten times a second by its own ticker thread. */
void progress_destroy(struct progress *progress); /* removes the board */

#endif
