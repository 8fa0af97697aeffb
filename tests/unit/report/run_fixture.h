/* A run made by hand: one case of each outcome, one failure, and text that is hard to print. */
#ifndef TRAMMEL_TESTS_RUN_FIXTURE_H
#define TRAMMEL_TESTS_RUN_FIXTURE_H

#include "host/conformance/result.h"
#include "host/report/report.h"

/* What the failed check says it saw: an escape sequence, markup of every format, a bad byte, a control character XML
 * lacks. */
#define FIXTURE_SEEN "\x1b[31m<b>&amp;|`x`\xff\x01 \"status\" 200"

/* In `cases`, by index. */
enum { FIXTURE_PASSED, FIXTURE_FAILED, FIXTURE_ERROR, FIXTURE_SKIPPED, FIXTURE_INFORMATIVE, FIXTURE_CASES };

/* The JSON values in it are new references, released by run_fixture_finish(). Everything else is static. */
struct run_fixture {
  struct case_result cases[FIXTURE_CASES];
  struct check_result checks[3];
  struct run_result run;
};
void run_fixture_init(struct run_fixture *fixture);
void run_fixture_finish(struct run_fixture *fixture);

/* Puts a copy of another case in the place of one. */
void run_fixture_replace(struct run_fixture *fixture, size_t place, size_t other);

/* Renders with `write` into a heap string. */
char *rendered(int (*write)(const struct run_result *run, FILE *out), const struct run_result *run);

#endif
