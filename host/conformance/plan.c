#include "host/conformance/plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/chance.h"
#include "sdk/smi/convert.h"

/* Bytes that one case's resources may take. */
#define RESOURCES_ARENA_MAX (8u << 20)

/* FNV-1a, with the end of the text. */
static uint64_t hash_text(uint64_t hash, const char *text) {
  for (;; text++) {
    hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    if (!*text)
      return hash;
  }
}

void job_name(const struct job *job, uint64_t seed, char ret_name[static JOB_NAME_SIZE]) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ chance_next(&(struct chance){seed});
  hash = hash_text(hash_text(hash, job->test->id), job->column.label);
  (void)snprintf(ret_name, JOB_NAME_SIZE, "c%016" PRIx64, chance_next(&(struct chance){hash}));
}

uint64_t plan_digest(const struct plan *plan) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < plan->count; i++)
    hash = hash_text(hash_text(hash, plan->jobs[i].test->id), plan->jobs[i].column.label);
  return hash;
}

static bool listed(const char *const *list, const char *name) {
  if (!list || !list[0])
    return true;
  for (; *list; list++)
    if (strcmp(*list, name) == 0)
      return true;
  return false;
}

static bool filter_selects(const char *filter, const char *id) {
  if (!filter)
    return true;
  if (strpbrk(filter, "*?["))
    return fnmatch(filter, id, 0) == 0;
  return strstr(id, filter) != NULL;
}

bool selection_has(const struct selection *selection, const struct test_case *test) {
  bool requirement = false;
  for (size_t i = 0; i < test->requirement_count; i++)
    requirement |= listed(selection->requirements, test->requirements[i]);
  return requirement && listed(selection->cases, test->id) && filter_selects(selection->filter, test->id) &&
         listed(selection->groups, smi_group_name(test->group));
}

static bool version_listed(const char *const *versions, struct smi_version version) {
  for (; version.group != 0 && *versions; versions++) {
    struct smi_version wanted;
    if (smi_version_parse(*versions, &wanted) == 0 && wanted.group == version.group && wanted.alpha == version.alpha)
      return true;
  }
  return false;
}

static bool column_selected(const struct selection *selection, const struct case_column *column) {
  if (!selection->versions || !selection->versions[0])
    return true;
  return version_listed(selection->versions, column->access) || version_listed(selection->versions, column->specs) ||
         version_listed(selection->versions, column->split) || version_listed(selection->versions, column->metrics);
}

static const char *alias_itself(void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

/* 1 when the column's versions can say what the case says, 0 when not. */
static int column_expresses(const struct test_case *test, const struct case_column *column, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(RESOURCES_ARENA_MAX);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!arena || !diagnostics)
    return error_set(err, ENOMEM, "planning %s: no memory", test->id);
  struct smi_set set;
  int r = case_resources(test, arena, alias_itself, NULL, &set, diagnostics, err);
  if (r < 0)
    return r;
  struct smi_target_versions versions = {.access = column->access, .specs = column->specs, .split = column->split};
  json_t *resources = NULL;
  r = smi_convert(&set, &versions, diagnostics, &resources);
  json_decref(resources);
  if (r == -ENOTSUP)
    return 0;
  if (r < 0)
    return error_set(err, -r, "converting the resources of case %s to %s failed", test->id, column->label);
  return 1;
}

static int plan_add(struct plan *plan, size_t *capacity, const struct job *job) {
  int r = array_reserve((void **)&plan->jobs, capacity, plan->count, sizeof(*plan->jobs));
  if (r < 0)
    return r;
  plan->jobs[plan->count++] = *job;
  if (job->test->topology->workload_count > plan->workloads)
    plan->workloads = (unsigned)job->test->topology->workload_count;
  return 0;
}

static int plan_case(const struct selection *selection, const struct test_case *test, struct plan *plan,
                     size_t *capacity, struct error **err) {
  _cleanup_free_ struct case_column *columns = NULL;
  size_t count = 0;
  int r = case_columns(test, &columns, &count);
  for (size_t i = 0; r == 0 && i < count; i++) {
    if (!column_selected(selection, &columns[i]))
      continue;
    int expressed = column_expresses(test, &columns[i], err);
    if (expressed < 0)
      return expressed;
    if (expressed == 0)
      plan->not_applicable++;
    else
      r = plan_add(plan, capacity, &(struct job){.test = test, .column = columns[i]});
  }
  return r < 0 ? error_set(err, -r, "planning %s: %s", test->id, strerror(-r)) : 0;
}

/* Fisher-Yates. */
static int plan_shuffle(struct plan *plan, uint64_t seed) {
  plan->order = calloc(plan->count ? plan->count : 1, sizeof(*plan->order));
  if (!plan->order)
    return -ENOMEM;
  for (size_t i = 0; i < plan->count; i++)
    plan->order[i] = i;
  struct chance chance = {seed};
  for (size_t i = plan->count; i > 1; i--) {
    size_t k = chance_below(&chance, i);
    size_t swap = plan->order[i - 1];
    plan->order[i - 1] = plan->order[k];
    plan->order[k] = swap;
  }
  return 0;
}

int plan_create(const struct suite *suite, const struct selection *selection, uint64_t seed, struct plan *ret_plan,
                struct error **err) {
  struct plan plan = {.suite = suite};
  size_t capacity = 0;
  int r = 0;
  for (size_t i = 0; r == 0 && i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    if (selection_has(selection, test))
      r = plan_case(selection, test, &plan, &capacity, err);
  }
  if (r == 0 && plan_shuffle(&plan, seed) < 0)
    r = error_set(err, ENOMEM, "planning: no memory");
  if (r < 0) {
    plan_finish(&plan);
    return r;
  }
  *ret_plan = plan;
  return 0;
}

void plan_group_by_topology(struct plan *plan) {
  size_t grouped = 0;
  while (grouped < plan->count) {
    const struct topology *topology = plan->jobs[plan->order[grouped]].test->topology;
    for (size_t i = grouped++; i < plan->count; i++) {
      size_t job = plan->order[i];
      if (i < grouped || plan->jobs[job].test->topology != topology)
        continue;
      memmove(&plan->order[grouped + 1], &plan->order[grouped], (i - grouped) * sizeof(*plan->order));
      plan->order[grouped++] = job;
    }
  }
}

void plan_finish(struct plan *plan) {
  free(plan->jobs);
  free(plan->order);
  *plan = (struct plan){0};
}
