/* `trammel adapter check` as people run it, and its reports. */
#ifndef TRAMMEL_TESTS_INTEGRATION_CERTIFY_FIXTURE_H
#define TRAMMEL_TESTS_INTEGRATION_CERTIFY_FIXTURE_H

#include <jansson.h>
#include <stdbool.h>

extern char *fixture_directory;  /* of the test, with the data directory in it */
extern char fixture_state[4096]; /* the state directory */

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Which part of its tests a program is to run, from 1: all of them without arguments. */
void fixture_part(int argc, char **argv, unsigned *ret_part, unsigned *ret_parts);

/* Paths below the build's directory, and of an adapter with a flaw; until the next call. */
const char *fixture_built(const char *name);
const char *fixture_flawed(const char *flaw);

/* Runs `trammel adapter check -o json ADAPTER`, of all checks or one, and reads the report. */
json_t *fixture_check(const char *adapter, const char *only, int *ret_code);

/* Whether there is anything in the state directory, where a check writes. */
bool fixture_is_anything_left(void);
void fixture_require_nothing_left(void);

/* Runs a command that must end with `code`: its output, a heap string; what it must say there, or as an error. */
char *fixture_output(const char *const *argv, int code);
void fixture_require_said(const char *const *argv, int code, const char *said);
void fixture_require_code(const char *const *argv, int code, const char *said);

/* A report's text, "" when there is none; one of its checks; and whether it keeps to the published schema. */
const char *report_text(const json_t *object, const char *key);
const json_t *report_find(const json_t *report, const char *id);
void report_require_schema(const json_t *report);

#endif
