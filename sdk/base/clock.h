/* The two clocks, in nanoseconds: monotonic for deadlines and durations, real time for what people read. */
#ifndef TRAMMEL_SDK_BASE_CLOCK_H
#define TRAMMEL_SDK_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static inline int64_t clock_read_ns(clockid_t clock) {
  struct timespec now;
  (void)clock_gettime(clock, &now); /* cannot fail for the two clocks below */
  return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static inline int64_t clock_monotonic_ns(void) {
  return clock_read_ns(CLOCK_MONOTONIC);
}

/* The monotonic time in `duration_ns` from now: a deadline. */
static inline int64_t clock_in_ns(int64_t duration_ns) {
  return clock_monotonic_ns() + duration_ns;
}

static inline int64_t clock_monotonic_s(void) {
  return clock_monotonic_ns() / NS_PER_SECOND;
}

static inline int64_t clock_realtime_ns(void) {
  return clock_read_ns(CLOCK_REALTIME);
}

static inline int64_t clock_realtime_s(void) {
  return clock_realtime_ns() / NS_PER_SECOND;
}

#endif
