#include "host/meshery/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static const char *spec_of_group(const char *group) {
  static const char *const groups[][2] = {{"access", "traffic-access"},
                                          {"specs", "traffic-specs"},
                                          {"split", "traffic-split"},
                                          {"metrics", "traffic-metrics"}};
  for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
    if (strcmp(groups[i][0], group) == 0)
      return groups[i][1];
  return group;
}

static const char *code_of_outcome(const char *outcome) {
  if (strcmp(outcome, "passed") == 0)
    return "";
  if (strcmp(outcome, "error") == 0)
    return "not-judged";
  return outcome;
}

static SmiConformance__Capability capability_of(const json_t *test) {
  const json_t *covered;
  size_t i;
  if (strcmp(text_of(test, "outcome"), "skipped") == 0)
    return SMI_CONFORMANCE__CAPABILITY__NONE;
  bool exact = true;
  json_array_foreach(json_object_get(test, "coverage"), i, covered) {
    exact = exact && strcmp(text_of(covered, "level"), "exact") == 0;
  }
  return exact ? SMI_CONFORMANCE__CAPABILITY__FULL : SMI_CONFORMANCE__CAPABILITY__HALF;
}

static struct verdict verdict_of(const json_t *test) {
  const char *group = text_of(test, "group");
  const char *code = code_of_outcome(text_of(test, "outcome"));
  return (struct verdict){
      .smi_spec = spec_of_group(group),
      .version = text_of(json_object_get(test, "column"), group),
      .id = text_of(test, "id"),
      .title = text_of(test, "title"),
      .reason = *code ? text_of(test, "reason") : "",
      .code = code,
      .seconds = (double)json_integer_value(json_object_get(test, "durationNs")) / 1e9,
      .capability = capability_of(test),
  };
}

bool verdict_passed(const struct verdict *verdict) {
  return *verdict->code == '\0';
}

static void add(struct summary *summary, const json_t *test) {
  struct verdict *verdict = &summary->verdicts[summary->count++];
  *verdict = verdict_of(test);
  if (verdict_passed(verdict))
    summary->passed++;
  if (strcmp(verdict->code, "skipped") != 0)
    summary->judged++;
}

int summary_read(const char *data, size_t length, struct summary *ret_summary, struct error **err) {
  struct summary summary = {.report = json_loadb(data, length, JSON_REJECT_DUPLICATES, NULL)};
  const json_t *cases = json_object_get(summary.report, "cases");
  const json_t *test;
  size_t i;
  summary.verdicts = calloc(json_array_size(cases) + 1, sizeof(*summary.verdicts));
  if (!json_is_array(cases) || !summary.verdicts) {
    summary_finish(&summary);
    return error_set(err, EINVAL, "what the run left is no report");
  }
  summary.mesh_version = text_of(json_object_get(summary.report, "mesh"), "version");
  json_array_foreach(cases, i, test) {
    if (strcmp(text_of(test, "outcome"), "informative") != 0)
      add(&summary, test);
  }
  *ret_summary = summary;
  return 0;
}

void summary_finish(struct summary *summary) {
  free(summary->verdicts);
  json_decref(summary->report);
  *summary = (struct summary){0};
}

double summary_percent(const struct summary *summary) {
  return summary->judged > 0 ? 100.0 * (double)summary->passed / (double)summary->judged : 0;
}
