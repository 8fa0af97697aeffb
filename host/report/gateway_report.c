#include <errno.h>

#include "host/report/emit.h"
#include "host/report/glyph.h"
#include "host/report/report.h"
#include "sdk/base/document.h"

/* The names are those of the Gateway API's conformance/apis/v1: ConformanceReport, Implementation, ProfileReport,
 * Status, Statistics. Core is what SMI requires, extended is what it leaves open. */
#define API_VERSION "gateway.networking.k8s.io/v1"
#define CHANNEL "smi"
#define SPECIFICATION "v0.6.0" /* SMI's last release, which all tested versions are from */

enum tier { TIER_CORE, TIER_EXTENDED };

struct status {
  unsigned passed, skipped, failed;
  bool partial; /* not all that belongs to it was tested */
  json_t *skipped_tests, *failed_tests;
  json_t *supported, *unsupported; /* features: what informative cases found */
};

static void put(json_t *object, const char *key, json_t *value, bool *failed) {
  *failed |= json_object_set_new(object, key, value) < 0;
}

static json_t *string(const char *value) {
  _cleanup_strbuf_ struct strbuf valid = STRBUF_INIT;
  glyph_append_valid(&valid, text_or_empty(value));
  return strbuf_failed(&valid) ? NULL : json_string(strbuf_text(&valid));
}

/* ---- one tier of one group */

static enum tier tier_of(const struct case_result *result) {
  return result->test->level == CASE_INFORMATIVE ? TIER_EXTENDED : TIER_CORE;
}

static void add_name(json_t *list, const struct case_result *result, bool *failed) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  strbuf_printf(&name, "%s [%s]", result->test->id, result->column.label);
  *failed |= strbuf_failed(&name) || json_array_append_new(list, string(strbuf_text(&name))) < 0;
}

/* What could not be judged proves nothing and accuses nobody, as what was skipped. A mesh that reads SMI differently
 * has not failed: it lacks that feature, which the Gateway API does not count. */
static void add(struct status *status, const struct case_result *result, bool *failed) {
  switch (result->outcome) {
  case OUTCOME_PASSED:
    status->passed++;
    break;
  case OUTCOME_FAILED:
    status->failed++;
    add_name(status->failed_tests, result, failed);
    break;
  case OUTCOME_SKIPPED:
  case OUTCOME_ERROR:
    status->skipped++;
    add_name(status->skipped_tests, result, failed);
    break;
  case OUTCOME_INFORMATIVE:
    status->passed += result->held;
    add_name(result->held ? status->supported : status->unsupported, result, failed);
    break;
  }
}

static bool belongs(const struct case_result *result, enum smi_group group, enum tier tier) {
  return result->test->group == group && tier_of(result) == tier;
}

static struct status collect(const struct run_result *run, enum smi_group group, enum tier tier, bool *failed) {
  struct status status = {.partial = run->interrupted,
                          .skipped_tests = json_array(),
                          .failed_tests = json_array(),
                          .supported = json_array(),
                          .unsupported = json_array()};
  for (size_t i = 0; i < run->case_count; i++)
    if (belongs(&run->cases[i], group, tier))
      add(&status, &run->cases[i], failed);
  status.partial |= tier == TIER_CORE && run_capability(run, group, NULL, NULL) != CAPABILITY_FULL;
  return status;
}

static void status_finish(struct status *status) {
  json_decref(status->skipped_tests);
  json_decref(status->failed_tests);
  json_decref(status->supported);
  json_decref(status->unsupported);
}

static bool is_empty(const struct status *status) {
  return status->passed + status->skipped + status->failed == 0 && json_array_size(status->unsupported) == 0;
}

static const char *result_of(const struct status *status) {
  if (status->failed > 0)
    return "failure";
  return status->skipped > 0 || status->partial ? "partial" : "success";
}

static void put_names(json_t *object, const char *key, json_t *names, bool *failed) {
  if (json_array_size(names) > 0)
    put(object, key, json_incref(names), failed);
}

static json_t *status_json(const struct status *status, bool *failed) {
  json_t *statistics = json_object();
  put(statistics, "Failed", json_integer(status->failed), failed);
  put(statistics, "Passed", json_integer(status->passed), failed);
  put(statistics, "Skipped", json_integer(status->skipped), failed);
  json_t *object = json_object();
  put_names(object, "failedTests", status->failed_tests, failed);
  put(object, "result", json_string(result_of(status)), failed);
  put_names(object, "skippedTests", status->skipped_tests, failed);
  put(object, "statistics", statistics, failed);
  put_names(object, "supportedFeatures", status->supported, failed);
  put_names(object, "unsupportedFeatures", status->unsupported, failed);
  return object;
}

/* ---- a profile for each group */

static void summarise(struct strbuf *text, const char *tier, const struct status *status) {
  strbuf_printf(text, "%s tests ", tier);
  if (status->failed > 0)
    strbuf_printf(text, "failed with %u test failures. ", status->failed);
  else if (status->skipped > 0)
    strbuf_printf(text, "partially succeeded with %u test skips. ", status->skipped);
  else
    strbuf_puts(text, status->partial ? "partially succeeded. " : "succeeded. ");
}

static json_t *summary(const struct run_result *run, enum smi_group group, const struct status *core,
                       const struct status *extended) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  unsigned proved = 0;
  unsigned total = 0;
  (void)run_capability(run, group, &proved, &total);
  summarise(&text, "Core", core);
  if (!is_empty(extended))
    summarise(&text, "Extended", extended);
  strbuf_printf(&text, "%u of %u requirements proved.", proved, total);
  if (run->interrupted)
    strbuf_printf(&text, " The run ended early: %zu of %u cases ran.", run->case_count, run->planned);
  return strbuf_failed(&text) ? NULL : string(strbuf_text(&text));
}

static json_t *profile_name(enum smi_group group) {
  static const char *const names[] = {
      [SMI_ACCESS] = "SMI-ACCESS", [SMI_SPECS] = "SMI-SPECS", [SMI_SPLIT] = "SMI-SPLIT", [SMI_METRICS] = "SMI-METRICS"};
  return json_string(names[group]);
}

/* Nothing when no case of the run is in the group. */
static void add_profile(json_t *profiles, const struct run_result *run, enum smi_group group, bool *failed) {
  struct status core = collect(run, group, TIER_CORE, failed);
  struct status extended = collect(run, group, TIER_EXTENDED, failed);
  if (!is_empty(&core) || !is_empty(&extended)) {
    json_t *profile = json_object();
    put(profile, "core", status_json(&core, failed), failed);
    if (!is_empty(&extended))
      put(profile, "extended", status_json(&extended, failed), failed);
    put(profile, "name", profile_name(group), failed);
    put(profile, "summary", summary(run, group, &core, &extended), failed);
    *failed |= json_array_append_new(profiles, profile) < 0;
  }
  status_finish(&core);
  status_finish(&extended);
}

/* ---- the report */

/* Who maintains the mesh, and where, a run cannot know: whoever hands the report in writes that. */
static json_t *implementation(const struct run_result *run, bool *failed) {
  json_t *object = json_object();
  put(object, "contact", json_array(), failed);
  put(object, "organization", string(run->mesh_type), failed);
  put(object, "project", string(run->mesh_name), failed);
  put(object, "url", json_string(""), failed);
  put(object, "version", string(run->mesh_version), failed);
  return object;
}

static json_t *report(const struct run_result *run, bool *failed) {
  char time[TIME_TEXT_MAX];
  json_t *profiles = json_array();
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    add_profile(profiles, run, group, failed);
  json_t *object = json_object();
  put(object, "apiVersion", json_string(API_VERSION), failed);
  put(object, "date", json_string(time_text(run->started_ns, time)), failed);
  put(object, "gatewayAPIChannel", json_string(CHANNEL), failed);
  put(object, "gatewayAPIVersion", json_string(SPECIFICATION), failed);
  put(object, "implementation", implementation(run, failed), failed);
  put(object, "kind", json_string("ConformanceReport"), failed);
  put(object, "mode", string(run->lab), failed);
  put(object, "profiles", profiles, failed);
  return object;
}

int report_gateway_api(const struct run_result *run, FILE *out) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  bool failed = false;
  json_t *value = report(run, &failed);
  append_facts(&buffer, run);
  int r = failed ? -ENOMEM : yaml_write(value, &buffer);
  json_decref(value);
  return r < 0 ? r : emit(&buffer, out);
}
