/* What a conformance run found. Made by the runner, read by host/report. All strings live in the run's arena. */
#ifndef TRAMMEL_HOST_CONFORMANCE_RESULT_H
#define TRAMMEL_HOST_CONFORMANCE_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/conformance/suite.h"
#include "host/conformance/support.h"

enum outcome {
  OUTCOME_PASSED = 1,
  OUTCOME_FAILED,
  OUTCOME_SKIPPED,     /* the adapter cannot express it, with its reason */
  OUTCOME_INFORMATIVE, /* an informative case: `held` says what the mesh does */
  OUTCOME_ERROR,       /* could not be judged: control run failed, a workload died, timeout of the machinery */
};
const char *outcome_name(enum outcome outcome); /* "passed" … */

struct check_result {
  const struct check *check;
  unsigned step; /* from 0 */
  bool held;
  const char *expected; /* one line for people */
  const char *seen;
  json_t *evidence; /* what was sent and recorded: ids, nonces, status, counts, p-value */
};

struct case_result {
  const struct test_case *test;
  struct case_column column;
  unsigned order; /* position in this run's order */
  enum outcome outcome;
  bool held;          /* informative: every check held */
  const char *reason; /* for skipped and error; for failed the first broken check in one line */
  const char *cause;  /* failed: the likely cause; NULL */
  int64_t started_ns; /* CLOCK_REALTIME */
  int64_t duration_ns;
  int64_t propagation_ns; /* of the slowest step; -1: never converged */
  const struct check_result *checks;
  size_t check_count;
  json_t *resources; /* the SMI resources in this column's version */
  json_t *objects;   /* native objects in force, read back where possible; failed cases only, else NULL */
  json_t *coverage;  /* what the adapter said of its translation */
};

/* The first check that did not hold; NULL when all did. */
const struct check_result *case_first_broken(const struct case_result *result);

/* How a group did, from requirements proved by traffic: full, half, none; untested when no case asked for any. */
enum capability { CAPABILITY_UNTESTED = 1, CAPABILITY_NONE, CAPABILITY_HALF, CAPABILITY_FULL };
const char *capability_name(enum capability capability);

struct run_result {
  const char *id;
  const char *trammel_version;
  const char *suite;
  const struct suite *source; /* where the cases come from, also those that were not selected; NULL: unknown */
  const char *const *tested;  /* without `source`: the requirements that the suite has required cases for */
  size_t tested_count;
  const char *adapter_id;
  const char *adapter_version;
  const char *adapter_digest; /* SHA-256 in hex */
  const char *adapter_path;
  const char *mesh_name;
  const char *mesh_type;
  const char *mesh_version;
  const struct version_support *support; /* how the mesh takes each version of SMI, as the adapter says */
  size_t support_count;
  const char *lab;       /* "process" */
  const char *command;   /* reproduces the run, with the seed */
  const char *reproduce; /* the same without what selects cases and without outputs */
  json_t *config;
  uint64_t seed;
  int64_t started_ns; /* CLOCK_REALTIME */
  int64_t duration_ns;
  bool interrupted;                /* the rest did not run */
  const char *stop_reason;         /* then: why, "interrupted" or a sentence for people; NULL: unknown */
  unsigned planned;                /* case-columns that were to run */
  unsigned not_applicable;         /* case-columns that a version cannot express */
  const struct case_result *cases; /* in the order of ids, then columns */
  size_t case_count;
};

struct run_totals {
  unsigned passed, failed, skipped, informative, error;
};
struct run_totals run_totals(const struct run_result *run);

/* Requirements with at least one failed required check; each once, sorted. Heap array of borrowed strings. */
int run_broken_requirements(const struct run_result *run, const char ***ret_requirements, size_t *ret_count);

/* Whether the suite has a required case for the requirement: asked of `source`, or without it of `tested` and the run's
 * cases. */
bool run_tests_requirement(const struct run_result *run, const char *requirement);

/* Whether a case of the run takes the reading of docs/smi.md with this number. */
bool run_takes_interpretation(const struct run_result *run, int number);

/* A group's capability, of all requirements that the suite has required cases for: one is proved when a case of it
 * passed and none failed, was skipped or could not be judged. `ret_proved` and `ret_total` may be NULL. */
enum capability run_capability(const struct run_result *run, enum smi_group group, unsigned *ret_proved,
                               unsigned *ret_total);

/* Exit code: 0 all passed; 1 something failed; 3 nothing was executed or nothing but errors; errors beside passes are
 * 3, too. */
int run_exit_code(const struct run_result *run);

#endif
