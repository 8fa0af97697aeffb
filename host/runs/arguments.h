/* What a run is to do, as the words of a command line. */
#ifndef TRAMMEL_HOST_RUNS_ARGUMENTS_H
#define TRAMMEL_HOST_RUNS_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define SPEC_TEXT_MAX 4096 /* bytes */
#define SPEC_LIST_MAX 256  /* items */
#define SPEC_PARALLEL_MAX 32
#define SPEC_DURATION_MAX_MS (INT64_C(24) * 3600 * 1000)

/* Whether `spec` is an object of these, each of which may be missing: "mesh", "filter" (texts), "suite" ("smi" or
 * "baseline"), "settings", "endpoints", "cases", "groups", "requirements", "versions" (lists of texts), "seed" (a text
 * of digits), "parallel", "caseTimeoutMs", "convergeMs", "holdMs" (integers from 1), "failFast" (a boolean). -EINVAL
 * with what is wrong. */
int spec_check(const json_t *spec, struct error **err);

/* The options of `trammel conformance run` for a spec that was checked, added to `words`, an array of texts. */
int spec_words(const json_t *spec, json_t *words);

/* How the mesh was spelled; "" for the adapter that brings its own. Borrowed. */
const char *spec_mesh(const json_t *spec);

#endif
