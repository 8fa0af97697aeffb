#include <errno.h>
#include <inttypes.h>

#include "host/report/emit.h"
#include "host/report/glyph.h"
#include "host/report/matrix.h"
#include "host/report/metrics_json.h"
#include "host/report/report.h"
#include "sdk/base/document.h"

#define REPORT_FORMAT "trammel.conformance-report/v1"

/* A string value; what a mesh said may be no valid UTF-8, which JSON must be. */
static json_t *text(const char *value) {
  _cleanup_strbuf_ struct strbuf valid = STRBUF_INIT;
  glyph_append_valid(&valid, value);
  return strbuf_failed(&valid) ? NULL : json_string(strbuf_text(&valid));
}

/* Takes over `value`. A failure, or NULL for `value`, stays noted in `failed`. */
static void put(json_t *object, const char *key, json_t *value, bool *failed) {
  if (json_object_set_new(object, key, value) < 0)
    *failed = true;
}

static void put_text(json_t *object, const char *key, const char *value, bool *failed) {
  if (value)
    put(object, key, text(value), failed);
}

static void put_copy(json_t *object, const char *key, json_t *value, bool *failed) {
  if (value)
    put(object, key, json_incref(value), failed);
}

static void put_time(json_t *object, const char *key, int64_t realtime_ns, bool *failed) {
  char buffer[TIME_TEXT_MAX];
  put(object, key, json_string(time_text(realtime_ns, buffer)), failed);
}

/* Hands over `value`, or frees it and returns NULL. */
static json_t *finish(json_t *value, bool failed) {
  if (!failed)
    return value;
  json_decref(value);
  return NULL;
}

static json_t *texts(const char *const *values, size_t count) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < count && !failed; i++)
    failed = json_array_append_new(list, text(values[i])) < 0;
  return finish(list, failed);
}

static json_t *headers_json(const struct check *check) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < check->header_count && !failed; i++) {
    json_t *header = json_object();
    put_text(header, "name", check->headers[i].name, &failed);
    put_text(header, "value", check->headers[i].value, &failed);
    failed = json_array_append_new(list, header) < 0 || failed;
  }
  return finish(list, failed);
}

/* Of the verdict: for a split as many as its sample. */
static json_t *requests_json(const struct check *check) {
  return json_integer((json_int_t)check_request_count(check));
}

static json_t *shares_json(const struct check *check) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < check->share_count && !failed; i++) {
    json_t *share = json_object();
    put_text(share, "workload", check->shares[i].workload, &failed);
    put(share, "weight", json_integer(check->shares[i].weight), &failed);
    failed = json_array_append_new(list, share) < 0 || failed;
  }
  return finish(list, failed);
}

/* Who calls whom, and how. */
static void put_calls(json_t *object, const struct check *check, bool *failed) {
  put_text(object, "from", check->from, failed);
  put_text(object, "to", check->to, failed);
  put(object, "port", json_integer(check->port), failed);
  put_text(object, "protocol", protocol_name(check->protocol), failed);
  put_text(object, "version", check->h2c ? "h2c" : NULL, failed);
  put_text(object, "method", check->method, failed);
  put_text(object, "path", check->path, failed);
  if (check->header_count > 0)
    put(object, "headers", headers_json(check), failed);
  put_text(object, "keep", check->keep, failed);
  if (!check_goes_on(check))
    put(object, "repeat", requests_json(check), failed);
  if (check->kind == CHECK_SPLIT) {
    put(object, "shares", shares_json(check), failed);
    put_text(object, "tolerance", check->shares_judged ? "exact" : "zero", failed);
    put_text(object, "connections", check_connections_name(check->connections), failed);
  }
  if (check->kind == CHECK_METRICS) {
    put(object, "metrics", metrics_json(check->metrics), failed);
    put(object, "failing", json_integer(check->failing), failed);
    put(object, "answer", json_integer(check->answer), failed);
  }
  if (check->kind == CHECK_COUNTED)
    put(object, "counted", counted_json(check->counted), failed);
  put(object, "direct", json_boolean(check->direct), failed);
}

static json_t *check_json(const struct check_result *result) {
  const struct check *check = result->check;
  json_t *object = json_object();
  bool failed = !object;
  put(object, "step", json_integer(result->step + 1), &failed);
  put_text(object, "requirement", check->requirement, &failed);
  put_text(object, "kind", check_kind_name(check->kind), &failed);
  if (check_calls(check))
    put_calls(object, check, &failed);
  else
    put(object, "resource", json_sprintf("%s/%s", smi_kind_name(check->resource.kind), check->resource.name), &failed);
  put(object, "held", json_boolean(result->held), &failed);
  put_text(object, "expected", result->expected, &failed);
  put_text(object, "seen", result->seen, &failed);
  put_copy(object, "evidence", result->evidence, &failed);
  return finish(object, failed);
}

static void put_version(json_t *object, struct smi_version version, bool *failed) {
  if (version.alpha == 0)
    return;
  put(object, smi_group_name(version.group), json_sprintf("v1alpha%u", version.alpha), failed);
}

static json_t *column_json(const struct case_column *column) {
  json_t *object = json_object();
  bool failed = !object;
  put_text(object, "label", column->label, &failed);
  put_version(object, column->access, &failed);
  put_version(object, column->specs, &failed);
  put_version(object, column->split, &failed);
  put_version(object, column->metrics, &failed);
  return finish(object, failed);
}

static json_t *checks_json(const struct case_result *result) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < result->check_count && !failed; i++)
    failed = json_array_append_new(list, check_json(&result->checks[i])) < 0;
  return finish(list, failed);
}

static json_t *interpretations_json(const struct test_case *test) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < test->interpretation_count && !failed; i++)
    failed = json_array_append_new(list, json_integer(test->interpretations[i])) < 0;
  return finish(list, failed);
}

static json_t *case_json(const struct case_result *result) {
  const struct test_case *test = result->test;
  json_t *object = json_object();
  bool failed = !object;
  put_text(object, "id", test->id, &failed);
  put_text(object, "title", text_or_empty(test->title), &failed);
  put_text(object, "why", test->why, &failed);
  put_text(object, "group", smi_group_name(test->group), &failed);
  if (test->step_count > 0)
    put(object, "steps", json_integer((json_int_t)test->step_count), &failed);
  put_text(object, "level", test->level == CASE_INFORMATIVE ? "informative" : "required", &failed);
  put(object, "requirements", texts(test->requirements, test->requirement_count), &failed);
  if (test->interpretation_count > 0)
    put(object, "interpretations", interpretations_json(test), &failed);
  put(object, "column", column_json(&result->column), &failed);
  put(object, "order", json_integer(result->order), &failed);
  put_text(object, "outcome", outcome_name(result->outcome), &failed);
  if (result->outcome == OUTCOME_INFORMATIVE)
    put(object, "held", json_boolean(result->held), &failed);
  put_text(object, "reason", result->reason, &failed);
  put_text(object, "cause", result->cause, &failed);
  put_time(object, "started", result->started_ns, &failed);
  put(object, "durationNs", json_integer(result->duration_ns), &failed);
  if (result->propagation_ns >= 0)
    put(object, "propagationNs", json_integer(result->propagation_ns), &failed);
  put(object, "checks", checks_json(result), &failed);
  put_copy(object, "resources", result->resources, &failed);
  put_copy(object, "objects", result->objects, &failed);
  put_copy(object, "coverage", result->coverage, &failed);
  return finish(object, failed);
}

static json_t *cases_json(const struct run_result *run) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < run->case_count && !failed; i++)
    failed = json_array_append_new(list, case_json(&run->cases[i])) < 0;
  return finish(list, failed);
}

static json_t *row_json(const struct matrix_row *row) {
  json_t *versions = json_array();
  bool failed = !versions;
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS && !failed; alpha++) {
    if (row->cells[alpha] == CELL_NONE)
      continue;
    json_t *version = json_object();
    if (alpha > 0)
      put(version, "version", json_sprintf("v1alpha%u", alpha), &failed);
    put_text(version, "state", cell_name(row->cells[alpha]), &failed);
    failed = json_array_append_new(versions, version) < 0 || failed;
  }
  json_t *object = json_object();
  put_text(object, "id", row->requirement, &failed);
  put_text(object, "summary", matrix_summary(row), &failed);
  put_text(object, "group", smi_group_name(row->group), &failed);
  put(object, "versions", versions, &failed);
  return finish(object, failed);
}

static json_t *requirements_json(const struct run_result *run, int *ret_error) {
  _cleanup_matrix_ struct matrix matrix = {0};
  *ret_error = matrix_build(run, &matrix);
  if (*ret_error < 0)
    return NULL;
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < matrix.count && !failed; i++)
    failed = json_array_append_new(list, row_json(&matrix.rows[i])) < 0;
  return finish(list, failed);
}

static json_t *capabilities_json(const struct run_result *run) {
  json_t *list = json_array();
  bool failed = !list;
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS && !failed; group++) {
    unsigned proved = 0;
    unsigned total = 0;
    enum capability capability = run_capability(run, group, &proved, &total);
    if (total == 0)
      continue;
    json_t *object = json_object();
    put_text(object, "group", smi_group_name(group), &failed);
    put_text(object, "capability", capability_name(capability), &failed);
    put(object, "proved", json_integer(proved), &failed);
    put(object, "total", json_integer(total), &failed);
    failed = json_array_append_new(list, object) < 0 || failed;
  }
  return finish(list, failed);
}

static json_t *tested_json(const struct run_result *run) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < requirement_count() && !failed; i++)
    if (run_tests_requirement(run, requirement_at(i)->id))
      failed = json_array_append_new(list, text(requirement_at(i)->id)) < 0;
  return finish(list, failed);
}

static json_t *support_json(const struct run_result *run) {
  json_t *list = json_array();
  bool failed = !list;
  for (size_t i = 0; i < run->support_count && !failed; i++) {
    const struct version_support *one = &run->support[i];
    json_t *object = json_object();
    put_text(object, "group", smi_group_name(one->version.group), &failed);
    put(object, "version", json_sprintf("v1alpha%u", one->version.alpha), &failed);
    put_text(object, "support", support_name(one->support), &failed);
    failed = json_array_append_new(list, object) < 0 || failed;
  }
  return finish(list, failed);
}

static json_t *interpretation_texts_json(const struct run_result *run) {
  json_t *list = json_array();
  bool failed = !list;
  for (int number = 1; number <= interpretation_last() && !failed; number++) {
    if (!run_takes_interpretation(run, number))
      continue;
    const struct interpretation *taken = interpretation_find(number);
    json_t *object = json_object();
    put(object, "number", json_integer(number), &failed);
    put_text(object, "title", taken->title, &failed);
    put_text(object, "text", taken->text, &failed);
    failed = json_array_append_new(list, object) < 0 || failed;
  }
  return finish(list, failed);
}

static json_t *totals_json(const struct run_result *run) {
  struct run_totals totals = run_totals(run);
  json_t *object = json_object();
  bool failed = !object;
  put(object, "passed", json_integer(totals.passed), &failed);
  put(object, "failed", json_integer(totals.failed), &failed);
  put(object, "skipped", json_integer(totals.skipped), &failed);
  put(object, "informative", json_integer(totals.informative), &failed);
  put(object, "error", json_integer(totals.error), &failed);
  put(object, "planned", json_integer(run->planned), &failed);
  put(object, "notApplicable", json_integer(run->not_applicable), &failed);
  return finish(object, failed);
}

static json_t *broken_json(const struct run_result *run) {
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  return run_broken_requirements(run, &broken, &count) < 0 ? NULL : texts(broken, count);
}

static json_t *adapter_json(const struct run_result *run) {
  json_t *object = json_object();
  bool failed = !object;
  put_text(object, "id", text_or_empty(run->adapter_id), &failed);
  put_text(object, "version", run->adapter_version, &failed);
  put_text(object, "sha256", run->adapter_digest, &failed);
  put_text(object, "path", run->adapter_path, &failed);
  put_copy(object, "config", run->config, &failed);
  return finish(object, failed);
}

static json_t *mesh_json(const struct run_result *run) {
  json_t *object = json_object();
  bool failed = !object;
  put_text(object, "name", text_or_empty(run->mesh_name), &failed);
  put_text(object, "type", run->mesh_type, &failed);
  put_text(object, "version", run->mesh_version, &failed);
  return finish(object, failed);
}

/* A seed is any 64-bit number, which many JSON readers would round: it is written as a string. */
static json_t *report(const struct run_result *run, int *ret_error) {
  json_t *object = json_object();
  bool failed = !object;
  put_text(object, "format", REPORT_FORMAT, &failed);
  put_text(object, "id", text_or_empty(run->id), &failed);
  put_text(object, "trammelVersion", text_or_empty(run->trammel_version), &failed);
  put_text(object, "suite", text_or_empty(run->suite), &failed);
  put(object, "mesh", mesh_json(run), &failed);
  put(object, "adapter", adapter_json(run), &failed);
  put_text(object, "lab", text_or_empty(run->lab), &failed);
  put(object, "seed", json_sprintf("%" PRIu64, run->seed), &failed);
  put_text(object, "command", run->command, &failed);
  put_text(object, "reproduce", run->reproduce, &failed);
  put_time(object, "started", run->started_ns, &failed);
  put(object, "durationNs", json_integer(run->duration_ns), &failed);
  put(object, "interrupted", json_boolean(run->interrupted), &failed);
  put_text(object, "stopReason", run->stop_reason, &failed);
  put(object, "exitCode", json_integer(run_exit_code(run)), &failed);
  put(object, "totals", totals_json(run), &failed);
  put(object, "capabilities", capabilities_json(run), &failed);
  put(object, "testedRequirements", tested_json(run), &failed);
  if (run->support_count > 0)
    put(object, "smi", support_json(run), &failed);
  put(object, "brokenRequirements", broken_json(run), &failed);
  put(object, "requirements", requirements_json(run, ret_error), &failed);
  put(object, "interpretations", interpretation_texts_json(run), &failed);
  put(object, "cases", cases_json(run), &failed);
  return finish(object, failed);
}

json_t *report_json_value(const struct run_result *run) {
  int error = 0;
  return report(run, &error);
}

json_t *report_json_case(const struct case_result *result) {
  return case_json(result);
}

int report_json(const struct run_result *run, FILE *out) {
  int error = 0;
  json_auto_t *value = report(run, &error);
  if (!value)
    return error < 0 ? error : -ENOMEM;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  int r = json_write(value, &buffer);
  return r < 0 ? r : emit(&buffer, out);
}
