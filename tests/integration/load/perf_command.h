/* `trammel perf run -o json` as a user calls it, with its result held against the schema. */
#ifndef TRAMMEL_TESTS_INTEGRATION_LOAD_PERF_COMMAND_H
#define TRAMMEL_TESTS_INTEGRATION_LOAD_PERF_COMMAND_H

#include <jansson.h>

/* Whichever follows from the verdict: whether a machine is too busy for the generator to be in time is not asked. */
#define PERF_AS_VERDICT (-1)

/* `options` is NULL-terminated. Fails the test when the exit code is another one, what is printed keeps not to the
 * schema, or the requests don't add up. */
json_t *perf_command_run(const char *url, const char *const *options, int exit_code);

#define PERF_OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Fails the test when it does not keep to docs/schema/`name`. */
void perf_assert_schema(const json_t *json, const char *name);

/* 0 when it is not there. */
json_int_t perf_number(const json_t *json, const char *name);
json_int_t perf_errors(const json_t *json, const char *name);
/* How many durations a histogram has. */
json_int_t perf_latency_count(const json_t *json, const char *histogram);

#endif
