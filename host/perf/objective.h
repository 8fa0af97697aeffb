/* What a load has to keep to: "p99 < 20ms", "errors < 0.1%", "rate >= 900". Pure functions. */
#ifndef TRAMMEL_HOST_PERF_OBJECTIVE_H
#define TRAMMEL_HOST_PERF_OBJECTIVE_H

#include <stdbool.h>

#include "host/load/run.h"

#define OBJECTIVE_TEXT_MAX 128 /* bytes */

enum objective_measure {
  OBJECTIVE_QUANTILE, /* of latencies: responses, in a closed loop services. What has no answer is above all of them */
  OBJECTIVE_MEAN,     /* of the latencies of what was answered */
  OBJECTIVE_MAX,
  OBJECTIVE_ERRORS, /* share of what was scheduled that has no answer, or one that is not expected */
  OBJECTIVE_RATE,   /* requests per second that had an end in time */
};

enum objective_relation { OBJECTIVE_BELOW, OBJECTIVE_AT_MOST, OBJECTIVE_ABOVE, OBJECTIVE_AT_LEAST };

struct objective {
  char text[OBJECTIVE_TEXT_MAX]; /* as it was written */
  enum objective_measure measure;
  enum objective_relation relation;
  double quantile; /* above 0 and below 1 */
  double bound;    /* nanoseconds, a share (0 to 1), or requests per second */
};

/* -EINVAL says what is wrong, and what an objective looks like. */
int objective_read(const char *text, struct objective *ret_objective, struct error **err);

enum objective_verdict {
  OBJECTIVE_MET,
  OBJECTIVE_MISSED,
  OBJECTIVE_UNTOLD, /* `reason` says why */
};

struct objective_finding {
  enum objective_verdict verdict;
  bool measured;      /* there is a value */
  double value;       /* as the bound: nanoseconds, a share, or requests per second */
  const char *reason; /* static; NULL: none */
};

/* `unexpected`: how many answers have a status that is not expected. */
struct objective_finding objective_judge(const struct objective *objective, const struct load_result *result,
                                         bool closed, uint64_t unexpected);

/* "met", "missed", "untold". */
const char *objective_verdict_name(enum objective_verdict verdict);
/* Appends a value of this measure with its unit: "12.345 ms", "0.1%", "912.3/s". */
void objective_value_text(const struct objective *objective, double value, struct strbuf *out);

#endif
