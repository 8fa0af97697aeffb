#include "host/conformance/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum outcome outcome) {
  switch (outcome) {
  case OUTCOME_PASSED:
    return "passed";
  case OUTCOME_FAILED:
    return "failed";
  case OUTCOME_SKIPPED:
    return "skipped";
  case OUTCOME_INFORMATIVE:
    return "informative";
  case OUTCOME_ERROR:
    return "error";
  }
  return "unknown";
}

const char *capability_name(enum capability capability) {
  switch (capability) {
  case CAPABILITY_NONE:
    return "none";
  case CAPABILITY_HALF:
    return "half";
  case CAPABILITY_FULL:
    return "full";
  }
  return "unknown";
}

struct run_totals run_totals(const struct run_result *run) {
  struct run_totals totals = {0};
  for (size_t i = 0; i < run->case_count; i++) {
    switch (run->cases[i].outcome) {
    case OUTCOME_PASSED:
      totals.passed++;
      break;
    case OUTCOME_FAILED:
      totals.failed++;
      break;
    case OUTCOME_SKIPPED:
      totals.skipped++;
      break;
    case OUTCOME_INFORMATIVE:
      totals.informative++;
      break;
    case OUTCOME_ERROR:
      totals.error++;
      break;
    }
  }
  return totals;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int run_broken_requirements(const struct run_result *run, const char ***ret_requirements, size_t *ret_count) {
  _cleanup_free_ const char **list = NULL;
  size_t count = 0;
  size_t capacity = 0;
  for (size_t i = 0; i < run->case_count; i++) {
    const struct case_result *result = &run->cases[i];
    if (result->outcome != OUTCOME_FAILED)
      continue;
    for (size_t k = 0; k < result->check_count; k++) {
      if (result->checks[k].held)
        continue;
      int r = array_reserve((void **)&list, &capacity, count, sizeof(*list));
      if (r < 0)
        return r;
      list[count++] = result->checks[k].check->requirement;
    }
  }
  if (count > 0)
    qsort(list, count, sizeof(*list), compare_texts);
  size_t unique = 0;
  for (size_t i = 0; i < count; i++)
    if (unique == 0 || strcmp(list[unique - 1], list[i]) != 0)
      list[unique++] = list[i];
  *ret_requirements = take(list);
  *ret_count = unique;
  return 0;
}

/* What traffic said of one requirement: some check of it held in a case that passed; some check of it broke in one that
 * failed. */
struct proof {
  bool proved;
  bool broken;
};

static struct proof requirement_proof(const struct run_result *run, const char *requirement) {
  struct proof proof = {0};
  for (size_t i = 0; i < run->case_count; i++) {
    const struct case_result *result = &run->cases[i];
    if (result->outcome != OUTCOME_PASSED && result->outcome != OUTCOME_FAILED)
      continue;
    for (size_t k = 0; k < result->check_count; k++) {
      if (strcmp(result->checks[k].check->requirement, requirement) != 0)
        continue;
      proof.broken |= !result->checks[k].held;
      proof.proved |= result->outcome == OUTCOME_PASSED;
    }
    for (size_t k = 0; result->outcome == OUTCOME_PASSED && k < result->test->requirement_count; k++)
      proof.proved |= strcmp(result->test->requirements[k], requirement) == 0;
  }
  return proof;
}

enum capability run_capability(const struct run_result *run, enum smi_group group, unsigned *ret_proved,
                               unsigned *ret_total) {
  unsigned proved = 0;
  unsigned total = 0;
  for (size_t i = 0; i < requirement_count(); i++) {
    const struct requirement *requirement = requirement_at(i);
    if (requirement->group != group)
      continue;
    struct proof proof = requirement_proof(run, requirement->id);
    if (!proof.proved && !proof.broken)
      continue; /* nothing in this run tested it */
    total++;
    proved += proof.proved && !proof.broken;
  }
  if (ret_proved)
    *ret_proved = proved;
  if (ret_total)
    *ret_total = total;
  if (proved == 0)
    return CAPABILITY_NONE;
  return proved == total ? CAPABILITY_FULL : CAPABILITY_HALF;
}

int run_exit_code(const struct run_result *run) {
  struct run_totals totals = run_totals(run);
  if (totals.failed > 0)
    return 1;
  if (totals.error > 0 || run->interrupted || totals.passed + totals.informative == 0)
    return 3;
  return 0;
}
