/* When each request of a run is due: a function of its number alone, so that no late request moves the next one. Times
 * are nanoseconds since the start of the schedule, rates are requests per second. */
#ifndef TRAMMEL_HOST_LOAD_SCHEDULE_H
#define TRAMMEL_HOST_LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/chance.h"
#include "sdk/base/error.h"

#define SCHEDULE_RATE_MIN 0.001
#define SCHEDULE_RATE_MAX 1e7
#define SCHEDULE_WORKERS_MAX 256

enum schedule_kind {
  SCHEDULE_CLOSED,   /* no due times: the next request follows an answer */
  SCHEDULE_CONSTANT, /* `rate` */
  SCHEDULE_RAMP,     /* from `rate` to `rate_end`, evenly over the duration */
  SCHEDULE_STEPS,    /* `rate`, and `rate_step` more after each `period_ns` */
  SCHEDULE_SINE,     /* `rate` and up to `rate_swing` more and less, once in `period_ns` */
  SCHEDULE_POISSON,  /* `rate` on average, with independent exponential gaps from `seed` */
};

struct schedule {
  enum schedule_kind kind;
  double rate, rate_end, rate_step, rate_swing;
  int64_t period_ns;
  int64_t duration_ns;
  uint64_t seed;
};

/* "closed", "constant" …; the kind of a name, or -1. */
const char *schedule_kind_name(enum schedule_kind kind);
int schedule_kind_parse(const char *name);

/* 0, or -EINVAL with what is out of range. */
int schedule_check(const struct schedule *schedule, struct error **err);

/* How many requests are due before `at_ns`, for Poisson on average; 0 for a closed one. */
double schedule_due_before(const struct schedule *schedule, int64_t at_ns);

/* One worker's part: of `workers`, number `worker` sends each `workers`-th request, beginning with its own number.
 * Poisson arrivals are a process of its own for each worker, of an equal part of the rate: together they are one again.
 */
struct schedule_cursor {
  const struct schedule *schedule;
  unsigned worker, workers;
  uint64_t number;      /* of the next request, among all */
  int64_t due_ns;       /* its time */
  bool ended;           /* there is none */
  double drawn_s;       /* Poisson: the sum of the gaps so far */
  struct chance chance; /* Poisson */
};

/* `schedule` is checked, not closed, and outlives the cursor. */
void schedule_begin(struct schedule_cursor *cursor, const struct schedule *schedule, unsigned worker, unsigned workers);
/* To the next one. */
void schedule_next(struct schedule_cursor *cursor);

#endif
