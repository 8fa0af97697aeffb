/* Verdicts on metrics: what a mesh counts of calls that are made between two readings (docs/cases.md). */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_METRICS_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_METRICS_H

#include "host/conformance/judge.h"
#include "host/engine/engine.h"

/* How long a reading may take to catch up with the calls, and for how long it must then stay as it is. */
struct metrics_patience {
  int64_t converge_ns;
  int64_t hold_window_ns;
};

/* Judges a check of kind metrics, as judge_check() does the others. -ENOTSUP when the adapter has no such metrics;
 * -EPROTO when a call of the check was not answered as told, so that there is nothing to count. */
int judge_metrics(struct prober *prober, struct engine *engine, const struct metrics_patience *patience,
                  const struct check *check, struct arena *arena, struct verdict *ret_verdict, struct error **err);

/* Where to look first, from the evidence of a metrics check that is broken. */
const char *judge_metrics_cause(const json_t *evidence);

#endif
