/* What came of a profile: what each target's load measured, all of them together, and what that says of the objectives.
 */
#ifndef TRAMMEL_HOST_PERF_OUTCOME_H
#define TRAMMEL_HOST_PERF_OUTCOME_H

#include <jansson.h>
#include <stdio.h>

#include "host/perf/profile.h"
#include "host/report/load_report.h"

struct outcome {
  const struct profile *profile;
  struct target *const *targets; /* of its loads */
  size_t run_count;              /* repetitions that were begun: fewer than the profile has when it was cancelled */
  struct load_result *runs;      /* each repetition, all loads together; as many as run_count */
  struct load_result *by_load;   /* each load, all repetitions together */
  struct load_result whole;      /* all of it. Its rates are of one repetition on average */
  uint64_t *unexpected;          /* of each load: answers with a status that is not expected */
  struct objective_finding *findings; /* of each objective, of the whole */
  int64_t begun_ns, ended_ns;         /* CLOCK_REALTIME: with connections made, warm-ups and waits for last answers */
};

/* Runs all repetitions, one after the other. `targets` are of profile_targets(); both
 * stay the caller's, and are there as long as the outcome. After `*cancel`
 * nothing more is begun. An error leaves nothing to finish. */
int outcome_run(const struct profile *profile, struct target *const *targets, const atomic_bool *cancel,
                struct outcome *ret_outcome, struct error **err);
void outcome_finish(struct outcome *outcome);

bool outcome_is_valid(const struct outcome *outcome);
/* MISSED when an objective was missed, else UNTOLD when one can't be told or the outcome is not valid, else MET. */
enum objective_verdict outcome_verdict(const struct outcome *outcome);

/* What reports are made of: of load `i`, or of all together. The texts are in `text`, which is to be finished after the
 * report was used. */
struct load_report outcome_report_of(const struct outcome *outcome, size_t i);
struct load_report outcome_report(const struct outcome *outcome, struct strbuf *text);

/* What was found of each objective, as in docs/schema/perf-run.json, and the names of doubts. NULL without memory. */
json_t *outcome_objectives_json(const struct outcome *outcome);
json_t *outcome_doubts_json(const struct outcome *outcome);
/* docs/schema/perf-run.json. NULL without memory. */
json_t *outcome_json(const struct outcome *outcome);
/* 0 or -EIO when `out` failed. */
int outcome_text(const struct outcome *outcome, FILE *out);

#endif
