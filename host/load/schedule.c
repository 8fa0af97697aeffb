#include "host/load/schedule.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "sdk/base/clock.h"

static const char *const kind_names[] = {"closed", "constant", "ramp", "steps", "sine", "poisson"};

const char *schedule_kind_name(enum schedule_kind kind) {
  return kind_names[kind];
}

int schedule_kind_parse(const char *name) {
  for (size_t i = 0; i < ARRAY_COUNT(kind_names); i++)
    if (strcmp(kind_names[i], name) == 0)
      return (int)i;
  return -1;
}

/* ---- checks */

static bool is_rate(double rate) {
  return rate >= SCHEDULE_RATE_MIN && rate <= SCHEDULE_RATE_MAX;
}

static int check_rate(const char *what, double rate, struct error **err) {
  return is_rate(rate) ? 0
                       : error_set(err, EINVAL, "%s is from %g to %g requests per second, not %g", what,
                                   SCHEDULE_RATE_MIN, SCHEDULE_RATE_MAX, rate);
}

static double last_step_rate(const struct schedule *schedule) {
  int64_t last = (schedule->duration_ns - 1) / schedule->period_ns;
  return schedule->rate + schedule->rate_step * (double)last;
}

static int check_period(const struct schedule *schedule, struct error **err) {
  if (schedule->period_ns > 0)
    return 0;
  return error_set(err, EINVAL, "a schedule of kind %s wants a period above 0", schedule_kind_name(schedule->kind));
}

int schedule_check(const struct schedule *schedule, struct error **err) {
  if (schedule->duration_ns <= 0)
    return error_set(err, EINVAL, "a schedule has a duration above 0");
  int r = schedule->kind == SCHEDULE_CLOSED ? 0 : check_rate("the rate", schedule->rate, err);
  switch (schedule->kind) {
  case SCHEDULE_CLOSED:
  case SCHEDULE_CONSTANT:
  case SCHEDULE_POISSON:
    return r;
  case SCHEDULE_RAMP:
    return r < 0 ? r : check_rate("the rate at the end", schedule->rate_end, err);
  case SCHEDULE_STEPS:
    r = r < 0 ? r : check_period(schedule, err);
    return r < 0 ? r : check_rate("the rate of the last step", last_step_rate(schedule), err);
  case SCHEDULE_SINE:
    r = r < 0 ? r : check_period(schedule, err);
    r = r < 0 ? r : check_rate("the highest rate", schedule->rate + fabs(schedule->rate_swing), err);
    return r < 0 ? r : check_rate("the lowest rate", schedule->rate - fabs(schedule->rate_swing), err);
  }
  return error_set(err, EINVAL, "no such kind of schedule");
}

/* ---- how many, and when: one is the inverse of the other */

static double seconds(int64_t ns) {
  return (double)ns / (double)NS_PER_SECOND;
}

static double steps_before(const struct schedule *schedule, double s) {
  double period = seconds(schedule->period_ns), whole = floor(s / period);
  double begun = whole * period * (schedule->rate + schedule->rate_step * (whole - 1) / 2);
  return begun + (s - whole * period) * (schedule->rate + schedule->rate_step * whole);
}

static double count_before(const struct schedule *schedule, double s) {
  double rate = schedule->rate;
  switch (schedule->kind) {
  case SCHEDULE_CLOSED:
    return 0;
  case SCHEDULE_CONSTANT:
  case SCHEDULE_POISSON:
    return rate * s;
  case SCHEDULE_RAMP:
    return rate * s + (schedule->rate_end - rate) * s * s / (2 * seconds(schedule->duration_ns));
  case SCHEDULE_STEPS:
    return steps_before(schedule, s);
  case SCHEDULE_SINE: {
    double turn = 2 * M_PI / seconds(schedule->period_ns);
    return rate * s + schedule->rate_swing / turn * (1 - cos(turn * s));
  }
  }
  return 0;
}

double schedule_due_before(const struct schedule *schedule, int64_t at_ns) {
  return count_before(schedule, seconds(at_ns));
}

/* rate * t + slope * t * t / 2 = count; in the form that loses nothing when the slope is next to none. */
static double ramp_at(const struct schedule *schedule, double count) {
  double slope = (schedule->rate_end - schedule->rate) / seconds(schedule->duration_ns);
  double inner = schedule->rate * schedule->rate + 2 * slope * count;
  return inner <= 0 ? HUGE_VAL : 2 * count / (schedule->rate + sqrt(inner));
}

/* Bisection: the count grows with time, at less than the highest rate and at more than the lowest one. */
static double inverse_at(const struct schedule *schedule, double count) {
  double low = 0, high = seconds(schedule->duration_ns);
  if (count_before(schedule, high) < count)
    return HUGE_VAL;
  for (int i = 0; i < 64 && high - low > 1e-10; i++) {
    double middle = (low + high) / 2;
    if (count_before(schedule, middle) < count)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static double due_at(const struct schedule *schedule, uint64_t number) {
  double count = (double)number;
  switch (schedule->kind) {
  case SCHEDULE_CONSTANT:
    return count / schedule->rate;
  case SCHEDULE_RAMP:
    return ramp_at(schedule, count);
  case SCHEDULE_STEPS:
  case SCHEDULE_SINE:
    return inverse_at(schedule, count);
  case SCHEDULE_CLOSED:
  case SCHEDULE_POISSON:
    break;
  }
  return HUGE_VAL;
}

/* ---- Poisson arrivals */

/* An exponential gap of mean 1; the argument of the logarithm is above 0 and at most 1. */
static double draw_gap(struct chance *chance) {
  return -log(((double)(chance_next(chance) >> 11) + 1) * 0x1p-53);
}

/* ---- cursors */

static void settle(struct schedule_cursor *cursor) {
  const struct schedule *schedule = cursor->schedule;
  double at_s = cursor->drawn_s;
  if (schedule->kind != SCHEDULE_POISSON)
    at_s = due_at(schedule, cursor->number);
  else
    at_s = cursor->drawn_s += draw_gap(&cursor->chance) * cursor->workers / schedule->rate;
  cursor->ended = at_s >= seconds(schedule->duration_ns);
  cursor->due_ns = cursor->ended ? INT64_MAX : llround(at_s * (double)NS_PER_SECOND);
}

void schedule_begin(struct schedule_cursor *cursor, const struct schedule *schedule, unsigned worker,
                    unsigned workers) {
  *cursor = (struct schedule_cursor){.schedule = schedule, .worker = worker, .workers = workers, .number = worker};
  cursor->chance.state = schedule->seed;
  for (unsigned i = 0; i <= worker; i++) /* a place in the sequence for each worker, far from those of the others */
    cursor->chance.state = chance_next(&cursor->chance);
  settle(cursor);
}

void schedule_next(struct schedule_cursor *cursor) {
  cursor->number += cursor->workers;
  settle(cursor);
}
