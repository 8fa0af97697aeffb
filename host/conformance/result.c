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
  case CAPABILITY_UNTESTED:
    return "untested";
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

const struct check_result *case_first_broken(const struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++)
    if (!result->checks[i].held)
      return &result->checks[i];
  return NULL;
}

static bool case_names(const struct test_case *test, const char *requirement) {
  if (test->level != CASE_REQUIRED)
    return false;
  for (size_t i = 0; i < test->requirement_count; i++)
    if (strcmp(test->requirements[i], requirement) == 0)
      return true;
  return false;
}

static bool is_asked(const struct run_result *run, const char *requirement) {
  for (size_t i = 0; i < run->case_count; i++)
    if (case_names(run->cases[i].test, requirement))
      return true;
  return false;
}

bool run_tests_requirement(const struct run_result *run, const char *requirement) {
  for (size_t i = 0; !run->source && i < run->tested_count; i++)
    if (strcmp(run->tested[i], requirement) == 0)
      return true;
  for (size_t i = 0; run->source && i < suite_count(run->source); i++)
    if (case_names(suite_at(run->source, i), requirement))
      return true;
  return is_asked(run, requirement);
}

bool run_takes_interpretation(const struct run_result *run, int number) {
  for (size_t i = 0; i < run->case_count; i++)
    for (size_t k = 0; k < run->cases[i].test->interpretation_count; k++)
      if (run->cases[i].test->interpretations[k] == number)
        return true;
  return false;
}

static bool breaks(const struct case_result *result, const char *requirement) {
  for (size_t i = 0; i < result->check_count; i++)
    if (!result->checks[i].held && strcmp(result->checks[i].check->requirement, requirement) == 0)
      return true;
  return false;
}

static bool is_proved(const struct run_result *run, const char *requirement) {
  bool passed = false;
  for (size_t i = 0; i < run->case_count; i++) {
    const struct case_result *result = &run->cases[i];
    if (result->outcome == OUTCOME_FAILED && breaks(result, requirement))
      return false;
    if (!case_names(result->test, requirement))
      continue;
    if (result->outcome == OUTCOME_SKIPPED || result->outcome == OUTCOME_ERROR)
      return false;
    passed |= result->outcome == OUTCOME_PASSED;
  }
  return passed;
}

enum capability run_capability(const struct run_result *run, enum smi_group group, unsigned *ret_proved,
                               unsigned *ret_total) {
  unsigned proved = 0;
  unsigned total = 0;
  bool asked = false;
  for (size_t i = 0; i < requirement_count(); i++) {
    const struct requirement *requirement = requirement_at(i);
    if (requirement->group != group || !run_tests_requirement(run, requirement->id))
      continue;
    total++;
    proved += is_proved(run, requirement->id);
    asked |= is_asked(run, requirement->id);
  }
  if (ret_proved)
    *ret_proved = proved;
  if (ret_total)
    *ret_total = total;
  if (proved == 0)
    return asked ? CAPABILITY_NONE : CAPABILITY_UNTESTED;
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
