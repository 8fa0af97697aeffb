#include "host/perf/outcome.h"

#include <time.h>

#include "sdk/base/clock.h"

/* RFC 3339, in UTC, with milliseconds. */
static json_t *time_json(int64_t ns) {
  time_t second = (time_t)(ns / NS_PER_SECOND);
  struct tm utc;
  char text[32];
  if (!gmtime_r(&second, &utc) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
    return json_null();
  return json_sprintf("%s.%03dZ", text, (int)(ns / NS_PER_MS % 1000));
}

/* In the unit of the bound as it is written out: milliseconds, a share, requests per second. */
static double shown(const struct objective *objective, double value) {
  bool latency = objective->measure != OBJECTIVE_ERRORS && objective->measure != OBJECTIVE_RATE;
  return latency ? value / (double)NS_PER_MS : value;
}

json_t *outcome_objectives_json(const struct outcome *outcome) {
  json_t *list = json_array();
  for (size_t i = 0; i < outcome->profile->objective_count; i++) {
    const struct objective *objective = &outcome->profile->objectives[i];
    const struct objective_finding *finding = &outcome->findings[i];
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:o*, s:s*}", "objective", objective->text, "verdict",
                                                objective_verdict_name(finding->verdict), "bound",
                                                shown(objective, objective->bound), "measured",
                                                finding->measured ? json_real(shown(objective, finding->value)) : NULL,
                                                "reason", finding->reason));
  }
  return list;
}

json_t *outcome_doubts_json(const struct outcome *outcome) {
  json_t *list = json_array();
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    if (outcome->whole.doubts & doubt)
      (void)json_array_append_new(list, json_string(load_doubt_name(doubt)));
  return list;
}

static json_t *targets_json(const struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  json_t *list = json_array();
  for (size_t i = 0; i < profile->load_count; i++) {
    const struct load_report report = outcome_report_of(outcome, i);
    (void)json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o*}", "name", profile->loads[i].name, "weight",
                                                (json_int_t)profile->loads[i].weight, "unexpected",
                                                (json_int_t)outcome->unexpected[i], "result",
                                                profile->load_count > 1 ? load_report_json(&report) : NULL));
  }
  return list;
}

/* Each repetition, when there are several. */
static json_t *runs_json(const struct outcome *outcome, const struct load_report *whole) {
  json_t *list = outcome->run_count > 1 ? json_array() : NULL;
  for (size_t i = 0; list && i < outcome->run_count; i++) {
    struct load_report report = *whole;
    report.result = &outcome->runs[i];
    (void)json_array_append_new(list, load_report_json(&report));
  }
  return list;
}

json_t *outcome_json(const struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct load_report whole = outcome_report(outcome, &text);
  return json_pack("{s:s, s:s, s:{s:s, s:s*}, s:o, s:o, s:b, s:s, s:o, s:o, s:I, s:o*, s:o}", "format",
                   "trammel.perf-run/v1", "trammel", TRAMMEL_VERSION, "profile", "name", profile->name, "description",
                   profile->description, "begun", time_json(outcome->begun_ns), "ended", time_json(outcome->ended_ns),
                   "valid", outcome_is_valid(outcome), "verdict", objective_verdict_name(outcome_verdict(outcome)),
                   "objectives", outcome_objectives_json(outcome), "targets", targets_json(outcome), "repetitions",
                   (json_int_t)outcome->run_count, "runs", runs_json(outcome, &whole), "whole",
                   load_report_json(&whole));
}
