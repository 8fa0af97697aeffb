/* Runs a suite against the reference mesh with one of its faults, and tells what the run's report says. */
#ifndef TRAMMEL_TESTS_INTEGRATION_CONFORMANCE_FAULT_RUN_H
#define TRAMMEL_TESTS_INTEGRATION_CONFORMANCE_FAULT_RUN_H

#include <jansson.h>
#include <stdbool.h>

/* The report, a new reference; `fault` NULL: none; `cases` NULL: all, else an array of ids. A run that could not judge
 * a case, as on a machine that is far too busy, is made again, twice; what a fault leaves unjudged stays so. Fails the
 * test (outside of one, ends the program) when there is no report. */
json_t *fault_run(const char *suite, const char *fault, const json_t *cases);

/* Whether a required case failed. */
bool fault_run_caught(const json_t *report);

/* The ids of the cases that failed, or, informative ones, found another reading; each once, sorted: an array. A new
 * reference. */
json_t *fault_run_cases(const json_t *report);

/* Whether a list of cases has the one of this id. */
bool fault_cases_have(const json_t *cases, const json_t *id);

/* What of `cases` is in `others`, too, or with `in` false what is not, in the same order. A new reference. */
json_t *fault_cases_part(const json_t *cases, const json_t *others, bool in);

/* Whether a case failed whose expected state never came true for long enough to be judged: not by chance. */
bool fault_run_certain(const json_t *report);

#endif
