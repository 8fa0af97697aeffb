/* Durations as options take them. */
#ifndef TRAMMEL_HOST_CLI_DURATION_H
#define TRAMMEL_HOST_CLI_DURATION_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/* "500ms", "2s", "1m30s", "1.5" (seconds), at most 24h, in nanoseconds; ends the program with a usage error when it is
 * none. `name` is how the message calls it; `zero`: 0 is one. */
int64_t duration_parse(const struct argp_state *state, const char *name, const char *text, bool zero);

#endif
