#include "host/perf/outcome.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "sdk/base/clock.h"

/* ---- results added up */

/* Of loads that ran at the same time, or one after the other. */
enum together { AT_ONCE, IN_TURN };

static void add_times(struct load_result *to, const struct load_result *from, enum together how) {
  if (to->begun_ns == 0 || (from->begun_ns > 0 && from->begun_ns < to->begun_ns))
    to->begun_ns = from->begun_ns;
  to->measured_ns = how == IN_TURN ? to->measured_ns + from->measured_ns
                                   : (to->measured_ns > from->measured_ns ? to->measured_ns : from->measured_ns);
  to->target_rate += from->target_rate;
  to->busy = fmax(to->busy, from->busy);
  to->doubts |= from->doubts;
}

static int add_result(struct load_result *to, const struct load_result *from, enum together how) {
  int64_t later_ns = how == IN_TURN ? to->measured_ns : 0; /* what is between them is left out */
  add_times(to, from, how);
  tally_add_later(&to->tally, &from->tally, later_ns);
  if (from->problem && !to->problem && !(to->problem = strdup(from->problem)))
    return -ENOMEM;
  return timeline_check(to->tally.timeline);
}

/* What follows from the sums. */
static void conclude(struct load_result *result, size_t turns) {
  double measured_s = (double)result->measured_ns / (double)NS_PER_SECOND;
  result->achieved_rate = measured_s > 0 ? (double)result->tally.ended_in_time / measured_s : 0;
  result->target_rate /= (double)turns;
}

/* ---- one repetition */

/* Each repetition has arrivals of its own, and none of them those of another target. */
static uint64_t seed_of(uint64_t seed, size_t repetition) {
  return seed + repetition * UINT64_C(0x9e3779b97f4a7c15);
}

static int add_run(struct outcome *outcome, const struct load_result *results, struct load_result *run,
                   struct error **err) {
  int r = tally_init(&run->tally, err);
  for (size_t i = 0; r == 0 && i < outcome->profile->load_count; i++) {
    r = add_result(run, &results[i], AT_ONCE);
    if (r == 0)
      r = add_result(&outcome->by_load[i], &results[i], IN_TURN);
    outcome->unexpected[i] += profile_load_unexpected(&outcome->profile->loads[i], &results[i]);
  }
  if (r == 0) {
    conclude(run, 1);
    r = add_result(&outcome->whole, run, IN_TURN);
  }
  return r < 0 ? error_set(err, ENOMEM, "no memory for the results of a profile") : 0;
}

static int run_once(struct outcome *outcome, struct target *const *targets, const atomic_bool *cancel,
                    struct error **err) {
  struct ensemble_part parts[PROFILE_TARGETS_MAX];
  struct load_result results[PROFILE_TARGETS_MAX];
  size_t count = outcome->profile->load_count;
  for (size_t i = 0; i < count; i++) {
    parts[i] = (struct ensemble_part){targets[i], outcome->profile->loads[i].options};
    parts[i].options.cancel = cancel;
    parts[i].options.schedule.seed = seed_of(parts[i].options.schedule.seed, outcome->run_count);
  }
  int r = ensemble_run(parts, count, results, err);
  if (r < 0)
    return r;
  r = add_run(outcome, results, &outcome->runs[outcome->run_count++], err);
  for (size_t i = 0; i < count; i++)
    load_result_finish(&results[i]);
  return r;
}

/* ---- the whole */

static int prepare(struct outcome *outcome, struct error **err) {
  const struct profile *profile = outcome->profile;
  outcome->runs = calloc(profile->repetitions, sizeof(*outcome->runs));
  outcome->by_load = calloc(profile->load_count, sizeof(*outcome->by_load));
  outcome->unexpected = calloc(profile->load_count, sizeof(*outcome->unexpected));
  outcome->findings = calloc(profile->objective_count + 1, sizeof(*outcome->findings));
  if (!outcome->runs || !outcome->by_load || !outcome->unexpected || !outcome->findings)
    return error_set(err, ENOMEM, "no memory for the results of a profile");
  int r = tally_init(&outcome->whole.tally, err);
  for (size_t i = 0; r == 0 && i < profile->load_count; i++)
    r = tally_init(&outcome->by_load[i].tally, err);
  return r;
}

static void judge(struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  uint64_t unexpected = 0;
  for (size_t i = 0; i < profile->load_count; i++)
    unexpected += outcome->unexpected[i];
  for (size_t i = 0; i < profile->objective_count; i++)
    outcome->findings[i] =
        objective_judge(&profile->objectives[i], &outcome->whole, profile_is_closed(profile), unexpected);
}

int outcome_run(const struct profile *profile, struct target *const *targets, const atomic_bool *cancel,
                struct outcome *ret_outcome, struct error **err) {
  struct outcome outcome = {.profile = profile, .targets = targets, .begun_ns = clock_realtime_ns()};
  int r = prepare(&outcome, err);
  for (unsigned i = 0; r == 0 && i < profile->repetitions && !(i > 0 && cancel && atomic_load(cancel)); i++)
    r = run_once(&outcome, targets, cancel, err);
  if (r < 0) {
    outcome_finish(&outcome);
    return r;
  }
  if (outcome.run_count < profile->repetitions)
    outcome.whole.doubts |= LOAD_DOUBT_CUT;
  outcome.ended_ns = clock_realtime_ns();
  for (size_t i = 0; i < profile->load_count; i++)
    conclude(&outcome.by_load[i], outcome.run_count);
  conclude(&outcome.whole, outcome.run_count);
  judge(&outcome);
  *ret_outcome = outcome;
  return 0;
}

void outcome_finish(struct outcome *outcome) {
  for (size_t i = 0; i < outcome->run_count; i++)
    load_result_finish(&outcome->runs[i]);
  for (size_t i = 0; outcome->by_load && i < outcome->profile->load_count; i++)
    load_result_finish(&outcome->by_load[i]);
  load_result_finish(&outcome->whole);
  free(outcome->runs);
  free(outcome->by_load);
  free(outcome->unexpected);
  free(outcome->findings);
  *outcome = (struct outcome){0};
}

bool outcome_is_valid(const struct outcome *outcome) {
  return outcome->whole.doubts == 0;
}

enum objective_verdict outcome_verdict(const struct outcome *outcome) {
  enum objective_verdict verdict = outcome_is_valid(outcome) ? OBJECTIVE_MET : OBJECTIVE_UNTOLD;
  for (size_t i = 0; i < outcome->profile->objective_count; i++) {
    if (outcome->findings[i].verdict == OBJECTIVE_MISSED)
      return OBJECTIVE_MISSED;
    if (outcome->findings[i].verdict == OBJECTIVE_UNTOLD)
      verdict = OBJECTIVE_UNTOLD;
  }
  return verdict;
}

/* ---- reports */

struct load_report outcome_report_of(const struct outcome *outcome, size_t i) {
  const struct profile_load *load = &outcome->profile->loads[i];
  const struct target *target = outcome->targets[i];
  return (struct load_report){.version = TRAMMEL_VERSION,
                              .url = target->url,
                              .method = target->method,
                              .protocol = target_protocol_name(target->protocol),
                              .call = target->call,
                              .messages = target->messages,
                              .streams = target->streams,
                              .secure = target->tls != NULL,
                              .insecure = target->tls && load->target.tls.insecure,
                              .options = &load->options,
                              .result = &outcome->by_load[i]};
}

/* "A, B": each once, in `out`, behind what is there. */
static void list_once(struct strbuf *out, size_t from, const char *text) {
  const char *found = from < out->length ? strstr(strbuf_text(out) + from, text) : NULL;
  size_t length = strlen(text);
  while (found && !((found == strbuf_text(out) + from || found[-1] == ' ') && (!found[length] || found[length] == ',')))
    found = strstr(found + 1, text);
  if (!found)
    strbuf_printf(out, "%s%s", out->length > from ? ", " : "", text);
}

struct load_report outcome_report(const struct outcome *outcome, struct strbuf *text) {
  const struct profile *profile = outcome->profile;
  struct load_report report = outcome_report_of(outcome, 0);
  for (size_t i = 0; i < profile->load_count; i++) {
    const struct load_report of = outcome_report_of(outcome, i);
    list_once(text, 0, of.url);
    report.secure |= of.secure;
    report.insecure |= of.insecure;
  }
  size_t methods = text->length + 1;
  strbuf_append(text, "", 1); /* ends the URLs */
  for (size_t i = 0; i < profile->load_count; i++)
    list_once(text, methods, outcome->targets[i]->method);
  report.url = strbuf_text(text);
  report.method = strbuf_failed(text) ? "" : strbuf_text(text) + methods;
  report.options = &profile->whole;
  report.result = &outcome->whole;
  return report;
}
