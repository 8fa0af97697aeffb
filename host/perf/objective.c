#include "host/perf/objective.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "sdk/base/clock.h"
#include "sdk/base/duration.h"

#define BOUND_LATENCY_MAX_NS (3600 * NS_PER_SECOND) /* HISTOGRAM_HIGHEST_NS */

/* ---- reading */

static int no_objective(const char *text, const char *what, struct error **err) {
  return error_set(err, EINVAL,
                   "'%.128s' is no objective: %s; one looks like 'p99 < 20ms', 'mean <= 5ms', 'errors < 0.1%%' or "
                   "'rate >= 900'",
                   text, what);
}

static const char *skip_spaces(const char *at) {
  return at + strspn(at, " \t");
}

/* "99", "99.9": a percentage above 0 and below 100, and nothing behind it. */
static bool read_percentile(const char *digits, size_t length, double *ret_quantile) {
  char text[16];
  if (length == 0 || length >= sizeof(text) || strspn(digits, "0123456789.") < length)
    return false;
  (void)snprintf(text, sizeof(text), "%.*s", (int)length, digits);
  char *end;
  *ret_quantile = strtod(text, &end) / 100;
  return *end == '\0' && *ret_quantile > 0 && *ret_quantile < 1;
}

static bool read_measure(const char *name, size_t length, struct objective *objective) {
  static const struct {
    const char *name;
    enum objective_measure measure;
  } measures[] = {
      {"mean", OBJECTIVE_MEAN}, {"max", OBJECTIVE_MAX}, {"errors", OBJECTIVE_ERRORS}, {"rate", OBJECTIVE_RATE}};
  for (size_t i = 0; i < ARRAY_COUNT(measures); i++)
    if (strlen(measures[i].name) == length && strncmp(name, measures[i].name, length) == 0) {
      objective->measure = measures[i].measure;
      return true;
    }
  objective->measure = OBJECTIVE_QUANTILE;
  return length > 1 && *name == 'p' && read_percentile(name + 1, length - 1, &objective->quantile);
}

static const char *read_relation(const char *at, enum objective_relation *ret_relation) {
  bool below = *at == '<', equal = *at && at[1] == '=';
  if (!below && *at != '>')
    return NULL;
  *ret_relation =
      below ? (equal ? OBJECTIVE_AT_MOST : OBJECTIVE_BELOW) : (equal ? OBJECTIVE_AT_LEAST : OBJECTIVE_ABOVE);
  return skip_spaces(at + 1 + equal);
}

/* Digits with a point or without one, and then `unit`, or nothing where the unit may be left out. */
static bool read_number(const char *text, const char *unit, bool bare, double *ret_value, bool *ret_bare) {
  size_t digits = strspn(text, "0123456789.");
  char *end = NULL;
  const char *rest = skip_spaces(text + digits);
  *ret_bare = *rest == '\0';
  if (digits == 0 || !((bare && *ret_bare) || strcmp(rest, unit) == 0))
    return false;
  *ret_value = strtod(text, &end);
  return end == text + digits;
}

static int read_bound(const char *whole, const char *text, struct objective *objective, struct error **err) {
  int64_t ns = 0;
  bool bare = false;
  switch (objective->measure) {
  case OBJECTIVE_ERRORS:
    if (!read_number(text, "%", true, &objective->bound, &bare))
      return no_objective(whole, "errors have a bound such as 0.1% or 0.001", err);
    objective->bound /= bare ? 1 : 100;
    return objective->bound <= 1 ? 0 : no_objective(whole, "errors are at most 100%, or 1", err);
  case OBJECTIVE_RATE:
    if (!read_number(text, "/s", true, &objective->bound, &bare) || !(objective->bound <= SCHEDULE_RATE_MAX))
      return no_objective(whole, "a rate has a bound such as 900 or 900/s, at most 10000000", err);
    return 0;
  case OBJECTIVE_QUANTILE:
  case OBJECTIVE_MEAN:
  case OBJECTIVE_MAX:
    break;
  }
  if (duration_read(text, BOUND_LATENCY_MAX_NS, &ns) < 0 || strspn(text, "0123456789.") == strlen(text))
    return no_objective(whole, "a latency has a bound with its unit, such as 20ms, at most 1h", err);
  objective->bound = (double)ns;
  return 0;
}

int objective_read(const char *text, struct objective *ret_objective, struct error **err) {
  struct objective objective = {0};
  const char *name = skip_spaces(text);
  size_t length = strcspn(name, " \t<>=");
  if (strlen(text) >= sizeof(objective.text))
    return no_objective(text, "it has more than 127 bytes", err);
  if (!read_measure(name, length, &objective))
    return no_objective(text, "it begins with p50, p99, p99.9 and so on, mean, max, errors or rate", err);
  const char *bound = read_relation(skip_spaces(name + length), &objective.relation);
  if (!bound)
    return no_objective(text, "then comes <, <=, > or >=", err);
  int r = read_bound(text, bound, &objective, err);
  if (r < 0)
    return r;
  (void)snprintf(objective.text, sizeof(objective.text), "%s", text);
  *ret_objective = objective;
  return 0;
}

/* ---- judging */

static bool holds(const struct objective *objective, double value) {
  switch (objective->relation) {
  case OBJECTIVE_BELOW:
    return value < objective->bound;
  case OBJECTIVE_AT_MOST:
    return value <= objective->bound;
  case OBJECTIVE_ABOVE:
    return value > objective->bound;
  case OBJECTIVE_AT_LEAST:
    return value >= objective->bound;
  }
  return false;
}

static struct objective_finding untold(const char *reason) {
  return (struct objective_finding){.verdict = OBJECTIVE_UNTOLD, .reason = reason};
}

static struct objective_finding found(const struct objective *objective, double value) {
  return (struct objective_finding){
      .verdict = holds(objective, value) ? OBJECTIVE_MET : OBJECTIVE_MISSED, .measured = true, .value = value};
}

/* Of all that was scheduled: what has no answer took longer than anything that has one. */
static struct objective_finding judge_quantile(const struct objective *objective, const struct histogram *latencies,
                                               uint64_t scheduled) {
  uint64_t answered = histogram_count(latencies);
  double place = answered > 0 ? objective->quantile * (double)scheduled / (double)answered : HUGE_VAL;
  if (!quantile_tells(scheduled, objective->quantile))
    return untold("too few requests for this quantile");
  if (place <= 1)
    return found(objective, (double)histogram_quantile(latencies, place));
  return (struct objective_finding){.verdict = holds(objective, HUGE_VAL) ? OBJECTIVE_MET : OBJECTIVE_MISSED,
                                    .reason = "so many requests have no answer"};
}

static struct objective_finding measure(const struct objective *objective, const struct load_result *result,
                                        bool closed, uint64_t unexpected) {
  const struct tally *tally = &result->tally;
  const struct histogram *latencies = closed ? tally->service : tally->response;
  switch (objective->measure) {
  case OBJECTIVE_QUANTILE:
    return judge_quantile(objective, latencies, tally->scheduled);
  case OBJECTIVE_MEAN:
  case OBJECTIVE_MAX:
    if (histogram_count(latencies) == 0)
      return untold("no request was answered");
    return found(objective,
                 objective->measure == OBJECTIVE_MAX ? (double)histogram_max(latencies) : histogram_mean(latencies));
  case OBJECTIVE_ERRORS:
    if (tally->scheduled == 0)
      return untold("no request was due");
    return found(objective, (double)(tally->failed + tally->censored + unexpected) / (double)tally->scheduled);
  case OBJECTIVE_RATE:
    return found(objective, result->achieved_rate);
  }
  return untold("no such measure");
}

/* Whether the verdict may be the generator's doing: what it adds to latencies, what it takes from the rate, and what it
 * sent too late to have an answer in time. */
static bool by_generator(const struct objective *objective, const struct load_result *result, uint64_t unexpected,
                         enum objective_verdict verdict) {
  const struct tally *tally = &result->tally;
  bool wants_less = objective->relation == OBJECTIVE_BELOW || objective->relation == OBJECTIVE_AT_MOST;
  bool is_more = wants_less == (verdict == OBJECTIVE_MISSED);
  if (!(result->doubts & (LOAD_DOUBT_LAG | LOAD_DOUBT_BUSY)))
    return false;
  if (objective->measure == OBJECTIVE_RATE)
    return !is_more;
  if (objective->measure != OBJECTIVE_ERRORS)
    return is_more;
  double sure = (double)(tally->failed + unexpected) / (double)tally->scheduled;
  return holds(objective, sure) != (verdict == OBJECTIVE_MET);
}

struct objective_finding objective_judge(const struct objective *objective, const struct load_result *result,
                                         bool closed, uint64_t unexpected) {
  struct objective_finding finding = measure(objective, result, closed, unexpected);
  if (finding.verdict == OBJECTIVE_UNTOLD)
    return finding;
  const char *reason = NULL;
  if (result->doubts & LOAD_DOUBT_CUT)
    reason = "the run was ended before its time";
  else if (by_generator(objective, result, unexpected, finding.verdict))
    reason = "the generator was too slow to tell: this may be its doing";
  if (reason) {
    finding.verdict = OBJECTIVE_UNTOLD;
    finding.reason = reason;
  }
  return finding;
}

const char *objective_verdict_name(enum objective_verdict verdict) {
  static const char *const names[] = {"met", "missed", "untold"};
  return names[verdict];
}

void objective_value_text(const struct objective *objective, double value, struct strbuf *out) {
  switch (objective->measure) {
  case OBJECTIVE_ERRORS:
    strbuf_printf(out, "%.4g%%", 100 * value);
    return;
  case OBJECTIVE_RATE:
    strbuf_printf(out, "%.1f/s", value);
    return;
  case OBJECTIVE_QUANTILE:
  case OBJECTIVE_MEAN:
  case OBJECTIVE_MAX:
    strbuf_printf(out, "%.3f ms", value / (double)NS_PER_MS);
    return;
  }
}
