#include "host/report/comparison.h"

#include <errno.h>
#include <string.h>

#include "host/report/emit.h"

const char *change_name(enum change change) {
  static const char *const names[] = {
      [CHANGE_NONE] = "same",       [CHANGE_BROKEN] = "broken", [CHANGE_LOST] = "lost",
      [CHANGE_FOUND] = "found",     [CHANGE_MENDED] = "mended", [CHANGE_STILL_BROKEN] = "still-broken",
      [CHANGE_GAINED] = "gained",   [CHANGE_OTHER] = "other",   [CHANGE_NEW] = "new",
      [CHANGE_REMOVED] = "removed",
  };
  return names[change];
}

const char *change_title(enum change change) {
  static const char *const titles[] = {
      [CHANGE_NONE] = "The same",
      [CHANGE_BROKEN] = "Newly broken",
      [CHANGE_LOST] = "Held before, not judged now",
      [CHANGE_FOUND] = "Not judged before, broken now",
      [CHANGE_STILL_BROKEN] = "Still broken",
      [CHANGE_MENDED] = "Mended",
      [CHANGE_GAINED] = "Not judged before, holds now",
      [CHANGE_OTHER] = "Other changes",
      [CHANGE_NEW] = "New",
      [CHANGE_REMOVED] = "No longer there",
  };
  return titles[change];
}

const char *version_text(unsigned alpha, char text[VERSION_TEXT_MAX]) {
  if (alpha == 0)
    (void)snprintf(text, VERSION_TEXT_MAX, "any version");
  else
    (void)snprintf(text, VERSION_TEXT_MAX, "v1alpha%u", alpha);
  return text;
}

static bool is_unjudged(enum cell cell) {
  return cell == CELL_SKIPPED || cell == CELL_UNJUDGED;
}

static enum change change_of(enum cell before, enum cell after) {
  if (before == CELL_NONE || after == CELL_NONE)
    return before == after ? CHANGE_NONE : before == CELL_NONE ? CHANGE_NEW : CHANGE_REMOVED;
  if (before == CELL_BROKEN && after == CELL_BROKEN)
    return CHANGE_STILL_BROKEN;
  if (before == after)
    return CHANGE_NONE;
  if (before == CELL_PROVED && after == CELL_BROKEN)
    return CHANGE_BROKEN;
  if (before == CELL_PROVED && is_unjudged(after))
    return CHANGE_LOST;
  if (before == CELL_BROKEN && after == CELL_PROVED)
    return CHANGE_MENDED;
  if (is_unjudged(before) && after == CELL_PROVED)
    return CHANGE_GAINED;
  return is_unjudged(before) && after == CELL_BROKEN ? CHANGE_FOUND : CHANGE_OTHER;
}

/* ---- cases */

static enum cell outcome_cell(const struct case_result *result) {
  static const enum cell cells[] = {[OUTCOME_PASSED] = CELL_PROVED,
                                    [OUTCOME_FAILED] = CELL_BROKEN,
                                    [OUTCOME_SKIPPED] = CELL_SKIPPED,
                                    [OUTCOME_INFORMATIVE] = CELL_INFORMATIVE,
                                    [OUTCOME_ERROR] = CELL_UNJUDGED};
  return result ? cells[result->outcome] : CELL_NONE;
}

static bool same_text(const char *a, const char *b) {
  return strcmp(text_or_empty(a), text_or_empty(b)) == 0;
}

static bool is_redefined(const struct test_case *before, const struct test_case *after) {
  if (before->level != after->level || before->step_count != after->step_count ||
      before->requirement_count != after->requirement_count || !same_text(before->title, after->title))
    return true;
  for (size_t i = 0; i < before->requirement_count; i++)
    if (strcmp(before->requirements[i], after->requirements[i]) != 0)
      return true;
  return false;
}

static enum pace pace_of(int64_t before_ns, int64_t after_ns) {
  if (before_ns < 0 || after_ns < 0)
    return PACE_SAME;
  if (after_ns - before_ns >= PACE_LEAST_NS && after_ns / PACE_FACTOR >= before_ns)
    return PACE_SLOWER;
  return before_ns - after_ns >= PACE_LEAST_NS && before_ns / PACE_FACTOR >= after_ns ? PACE_FASTER : PACE_SAME;
}

static struct case_change compare_case(const struct case_result *before, const struct case_result *after) {
  struct case_change change = {
      .before = before, .after = after, .change = change_of(outcome_cell(before), outcome_cell(after))};
  if (!before || !after)
    return change;
  if (before->outcome == OUTCOME_INFORMATIVE && after->outcome == OUTCOME_INFORMATIVE && before->held != after->held)
    change.change = CHANGE_OTHER;
  change.pace = pace_of(before->propagation_ns, after->propagation_ns);
  change.redefined = is_redefined(before->test, after->test);
  return change;
}

static int compare_names(const struct case_result *a, const struct case_result *b) {
  int order = strcmp(a->test->id, b->test->id);
  return order != 0 ? order : strcmp(a->column.label, b->column.label);
}

/* The same case more than once: in the order of the run. */
static int compare_results(const void *a, const void *b) {
  const struct case_result *left = *(const struct case_result *const *)a;
  const struct case_result *right = *(const struct case_result *const *)b;
  int order = compare_names(left, right);
  return order != 0 ? order : (left > right) - (left < right);
}

static const struct case_result **sorted(struct arena *arena, const struct run_result *run) {
  const struct case_result **list = arena_array(arena, run->case_count, sizeof(*list));
  for (size_t i = 0; list && i < run->case_count; i++)
    list[i] = &run->cases[i];
  if (list && run->case_count > 0)
    qsort(list, run->case_count, sizeof(*list), compare_results);
  return list;
}

static int compare_cases(struct comparison *comparison) {
  size_t befores = comparison->before->case_count;
  size_t afters = comparison->after->case_count;
  const struct case_result **before = sorted(comparison->arena, comparison->before);
  const struct case_result **after = sorted(comparison->arena, comparison->after);
  struct case_change *list = arena_array(comparison->arena, befores + afters, sizeof(*list));
  if (!before || !after || !list)
    return -ENOMEM;
  size_t count = 0;
  for (size_t i = 0, k = 0; i < befores || k < afters; count++) {
    int order = i == befores ? 1 : k == afters ? -1 : compare_names(before[i], after[k]);
    list[count] = compare_case(order <= 0 ? before[i] : NULL, order >= 0 ? after[k] : NULL);
    comparison->case_counts[list[count].change]++;
    comparison->slower += list[count].pace == PACE_SLOWER;
    comparison->faster += list[count].pace == PACE_FASTER;
    comparison->redefined += list[count].redefined;
    i += order <= 0;
    k += order >= 0;
  }
  comparison->cases = list;
  comparison->case_count = count;
  return 0;
}

/* ---- requirements */

static bool breaks(const struct case_result *result, const struct cell_change *cell) {
  if (result->outcome != OUTCOME_FAILED || column_version(&result->column, cell->group).alpha != cell->alpha)
    return false;
  for (size_t i = 0; i < result->check_count; i++)
    if (!result->checks[i].held && strcmp(result->checks[i].check->requirement, cell->requirement) == 0)
      return true;
  return false;
}

/* A requirement is not mended because the later run left out what broke it. */
static bool is_judged_again(const struct comparison *comparison, const struct cell_change *cell) {
  for (size_t i = 0; i < comparison->case_count; i++) {
    const struct case_change *change = &comparison->cases[i];
    if (change->before && breaks(change->before, cell) && (!change->after || change->after->outcome != OUTCOME_PASSED))
      return false;
  }
  return true;
}

/* `row` is the one of the two that is there. */
static void compare_row(struct comparison *comparison, const struct matrix_row *row, const struct matrix_row *before,
                        const struct matrix_row *after, struct cell_change *list) {
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++) {
    struct cell_change change = {
        .requirement = row->requirement,
        .group = row->group,
        .alpha = alpha,
        .before = before ? before->cells[alpha] : CELL_NONE,
        .after = after ? after->cells[alpha] : CELL_NONE,
    };
    if (change.before == CELL_NONE && change.after == CELL_NONE)
      continue;
    change.change = change_of(change.before, change.after);
    if (change.change == CHANGE_MENDED && !is_judged_again(comparison, &change))
      change.change = CHANGE_OTHER;
    list[comparison->cell_count++] = change;
    comparison->cell_counts[change.change]++;
  }
}

/* As the matrix is sorted. */
static int compare_rows(const struct matrix_row *a, const struct matrix_row *b) {
  return a->group != b->group ? (a->group < b->group ? -1 : 1) : strcmp(a->requirement, b->requirement);
}

static int compare_matrices(struct comparison *comparison, const struct matrix *before, const struct matrix *after) {
  struct cell_change *list =
      arena_array(comparison->arena, (before->count + after->count) * MATRIX_COLUMNS, sizeof(*list));
  if (!list)
    return -ENOMEM;
  comparison->cells = list;
  for (size_t i = 0, k = 0; i < before->count || k < after->count;) {
    int order = i == before->count ? 1 : k == after->count ? -1 : compare_rows(&before->rows[i], &after->rows[k]);
    compare_row(comparison, order <= 0 ? &before->rows[i] : &after->rows[k], order <= 0 ? &before->rows[i] : NULL,
                order >= 0 ? &after->rows[k] : NULL, list);
    i += order <= 0;
    k += order >= 0;
  }
  return 0;
}

static int compare_requirements(struct comparison *comparison) {
  _cleanup_matrix_ struct matrix before = {0};
  _cleanup_matrix_ struct matrix after = {0};
  int r = matrix_build(comparison->before, &before);
  if (r == 0)
    r = matrix_build(comparison->after, &after);
  return r < 0 ? r : compare_matrices(comparison, &before, &after);
}

/* ---- circumstances */

struct facts {
  struct arena *arena;
  struct fact_change *list;
  size_t count;
  size_t capacity;
  bool failed;
};

static void note(struct facts *facts, const char *name, const char *before, const char *after) {
  if (same_text(before, after))
    return;
  if (!name ||
      arena_reserve(facts->arena, (void **)&facts->list, &facts->capacity, facts->count, sizeof(*facts->list)) < 0) {
    facts->failed = true;
    return;
  }
  facts->list[facts->count++] = (struct fact_change){.name = name, .before = before, .after = after};
}

static const char *config_text(struct facts *facts, const json_t *config) {
  if (!config)
    return NULL;
  char *dumped = json_dumps(config, JSON_SORT_KEYS | JSON_COMPACT);
  const char *text = dumped ? arena_strdup(facts->arena, dumped) : NULL;
  facts->failed = facts->failed || !text;
  free(dumped);
  return text;
}

static const char *support_text(const struct run_result *run, struct smi_version version) {
  for (size_t i = 0; i < run->support_count; i++)
    if (run->support[i].version.group == version.group && run->support[i].version.alpha == version.alpha)
      return support_name(run->support[i].support);
  return NULL;
}

/* Only where both runs say: an older report does not. */
static void note_support(struct facts *facts, const struct run_result *before, const struct run_result *after) {
  for (size_t i = 0; before->support_count > 0 && i < after->support_count; i++) {
    struct smi_version version = after->support[i].version;
    note(facts, smi_version_name(facts->arena, version), support_text(before, version),
         support_name(after->support[i].support));
  }
  for (size_t i = 0; after->support_count > 0 && i < before->support_count; i++)
    if (!support_text(after, before->support[i].version))
      note(facts, smi_version_name(facts->arena, before->support[i].version), support_name(before->support[i].support),
           NULL);
}

static int compare_facts(struct comparison *comparison) {
  const struct run_result *before = comparison->before;
  const struct run_result *after = comparison->after;
  struct facts facts = {.arena = comparison->arena};
  note(&facts, "trammel", before->trammel_version, after->trammel_version);
  note(&facts, "mesh", before->mesh_name, after->mesh_name);
  note(&facts, "mesh version", before->mesh_version, after->mesh_version);
  note(&facts, "adapter", before->adapter_id, after->adapter_id);
  note(&facts, "adapter version", before->adapter_version, after->adapter_version);
  note(&facts, "adapter SHA-256", before->adapter_digest, after->adapter_digest);
  note(&facts, "lab", before->lab, after->lab);
  note(&facts, "settings", config_text(&facts, before->config), config_text(&facts, after->config));
  note_support(&facts, before, after);
  comparison->facts = facts.list;
  comparison->fact_count = facts.count;
  return facts.failed ? -ENOMEM : 0;
}

/* ---- all of it */

int comparison_make(const struct run_result *before, const char *before_name, const struct run_result *after,
                    const char *after_name, struct comparison *ret_comparison, struct error **err) {
  if (!same_text(before->suite, after->suite))
    return error_set(err, EINVAL,
                     "%s is of the suite \"%s\" and %s of the suite \"%s\": only runs of one suite can be compared",
                     before_name, text_or_empty(before->suite), after_name, text_or_empty(after->suite));
  struct comparison comparison = {
      .before = before, .after = after, .before_name = before_name, .after_name = after_name, .arena = arena_create(0)};
  int r = comparison.arena ? compare_cases(&comparison) : -ENOMEM;
  if (r == 0)
    r = compare_requirements(&comparison);
  if (r == 0)
    r = compare_facts(&comparison);
  if (r < 0) {
    comparison_finish(&comparison);
    return error_set(err, -r, "comparing the reports: %s", strerror(-r));
  }
  *ret_comparison = comparison;
  return 0;
}

void comparison_finish(struct comparison *comparison) {
  arena_destroy(comparison->arena);
  *comparison = (struct comparison){0};
}

static unsigned count_of(const struct comparison *comparison, enum change change) {
  return comparison->cell_counts[change] + comparison->case_counts[change];
}

int comparison_exit_code(const struct comparison *comparison) {
  if (count_of(comparison, CHANGE_BROKEN) > 0)
    return 1;
  if (count_of(comparison, CHANGE_LOST) > 0)
    return 3;
  return comparison->after->interrupted && count_of(comparison, CHANGE_REMOVED) > 0 ? 3 : 0;
}

bool comparison_suites_differ(const struct comparison *comparison) {
  return comparison->redefined + comparison->case_counts[CHANGE_NEW] + comparison->case_counts[CHANGE_REMOVED] > 0;
}
