#include <errno.h>

#include "host/report/comparison.h"
#include "host/report/emit.h"
#include "sdk/base/document.h"

#define DIFF_FORMAT "trammel.conformance-diff/v1"

/* Takes over `item`, which is NULL without memory. */
static bool add(json_t *list, json_t *item) {
  return json_array_append_new(list, item) == 0;
}

static json_t *run_json(const struct run_result *run, const char *name) {
  char started[TIME_TEXT_MAX];
  struct run_totals totals = run_totals(run);
  return json_pack("{s:s*, s:s, s:s, s:s, s:s*, s:s, s:s*, s:s*, s:s, s:s*, s:b, s:{s:I, s:I, s:I, s:I, s:I}}", "file",
                   name, "id", text_or_empty(run->id), "trammelVersion", text_or_empty(run->trammel_version), "mesh",
                   text_or_empty(run->mesh_name), "meshVersion", run->mesh_version, "adapter",
                   text_or_empty(run->adapter_id), "adapterVersion", run->adapter_version, "adapterSha256",
                   run->adapter_digest, "started", time_text(run->started_ns, started), "command", run->command,
                   "interrupted", run->interrupted, "totals", "passed", (json_int_t)totals.passed, "failed",
                   (json_int_t)totals.failed, "skipped", (json_int_t)totals.skipped, "informative",
                   (json_int_t)totals.informative, "error", (json_int_t)totals.error);
}

static json_t *facts_json(const struct comparison *comparison) {
  json_t *list = json_array();
  bool good = list != NULL;
  for (size_t i = 0; good && i < comparison->fact_count; i++) {
    const struct fact_change *fact = &comparison->facts[i];
    good = add(list, json_pack("{s:s, s:s*, s:s*}", "name", fact->name, "before", fact->before, "after", fact->after));
  }
  if (good)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *cell_json(const struct cell_change *cell) {
  char version[VERSION_TEXT_MAX];
  return json_pack("{s:s, s:s, s:s*, s:s, s:s, s:s}", "id", cell->requirement, "group", smi_group_name(cell->group),
                   "version", cell->alpha > 0 ? version_text(cell->alpha, version) : NULL, "change",
                   change_name(cell->change), "before", cell_name(cell->before), "after", cell_name(cell->after));
}

static json_t *cells_json(const struct comparison *comparison) {
  json_t *list = json_array();
  bool good = list != NULL;
  for (size_t i = 0; good && i < comparison->cell_count; i++)
    good = comparison->cells[i].change == CHANGE_NONE || add(list, cell_json(&comparison->cells[i]));
  if (good)
    return list;
  json_decref(list);
  return NULL;
}

/* One side of a case; NULL when it has none. */
static json_t *side_json(const struct case_result *result) {
  json_t *object = json_pack("{s:s, s:s*}", "outcome", outcome_name(result->outcome), "reason", result->reason);
  if (object && result->outcome == OUTCOME_INFORMATIVE)
    (void)json_object_set_new(object, "held", json_boolean(result->held));
  if (object && result->propagation_ns >= 0)
    (void)json_object_set_new(object, "propagationNs", json_integer(result->propagation_ns));
  return object;
}

static json_t *case_json(const struct case_change *change) {
  static const char *const paces[] = {[PACE_SAME] = NULL, [PACE_SLOWER] = "slower", [PACE_FASTER] = "faster"};
  const struct case_result *result = change->after ? change->after : change->before;
  return json_pack("{s:s, s:s, s:s, s:s*, s:b, s:o*, s:o*}", "id", result->test->id, "column", result->column.label,
                   "change", change_name(change->change), "propagation", paces[change->pace], "redefined",
                   change->redefined, "before", change->before ? side_json(change->before) : NULL, "after",
                   change->after ? side_json(change->after) : NULL);
}

static json_t *cases_json(const struct comparison *comparison) {
  json_t *list = json_array();
  bool good = list != NULL;
  for (size_t i = 0; good && i < comparison->case_count; i++) {
    const struct case_change *change = &comparison->cases[i];
    good = (change->change == CHANGE_NONE && change->pace == PACE_SAME && !change->redefined) ||
           add(list, case_json(change));
  }
  if (good)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *counts_json(const unsigned counts[CHANGE_LAST + 1]) {
  json_t *object = json_object();
  for (enum change change = CHANGE_NONE; object && change <= CHANGE_LAST; change++)
    (void)json_object_set_new(object, change_name(change), json_integer(counts[change]));
  return object;
}

int comparison_json(const struct comparison *comparison, FILE *out) {
  json_t *value =
      json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:I, s:I, s:I}}", "format", DIFF_FORMAT, "suite",
                text_or_empty(comparison->after->suite), "exitCode", comparison_exit_code(comparison), "before",
                run_json(comparison->before, comparison->before_name), "after",
                run_json(comparison->after, comparison->after_name), "circumstances", facts_json(comparison),
                "requirements", cells_json(comparison), "cases", cases_json(comparison), "counts", "requirements",
                counts_json(comparison->cell_counts), "cases", counts_json(comparison->case_counts), "slower",
                (json_int_t)comparison->slower, "faster", (json_int_t)comparison->faster, "redefined",
                (json_int_t)comparison->redefined);
  if (!value)
    return -ENOMEM;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  int r = json_write(value, &buffer);
  json_decref(value);
  return r < 0 ? r : emit(&buffer, out);
}
