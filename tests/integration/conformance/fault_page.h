/* docs/conformance/faults.md: which fault of the reference mesh is caught by which cases, as runs have shown. Read,
 * written and compared with runs. In memory a page is a JSON object: {"<fault>": row, …}, and a row is
 * {"always": [case, …], "sometimes": [case, …], "caught": n, "runs": n, "baseline": [case, …]}: the cases of the suite
 * smi that failed in each run and in some runs, how many runs of the suite baseline failed, and the cases of it that
 * did. */
#ifndef TRAMMEL_TESTS_INTEGRATION_CONFORMANCE_FAULT_PAGE_H
#define TRAMMEL_TESTS_INTEGRATION_CONFORMANCE_FAULT_PAGE_H

#include <jansson.h>
#include <stdio.h>

/* The page of the tree ($TRAMMEL_SOURCE_DIR). Heap. */
char *fault_page_path(void);

/* A new reference; an empty page when there is none. Sections about faults that are no more are passed over. */
json_t *fault_page_read(const char *path);

/* Writes the rows of the faults of plugins/reference/faults.h, in its order, as far as they are there. 0 or -1. */
int fault_page_write(json_t *page, FILE *out);

/* Fails the test when the page's row does not say what `report`, a run of the suite, says. Chance has its place: on a
 * difference the suite runs up to four times more, and only what all five runs say counts against the page. */
void assert_page_says_smi(const char *fault, const json_t *report);
void assert_page_says_baseline(const char *fault, const json_t *report);

#endif
