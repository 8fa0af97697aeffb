#include "host/engine/patience.h"

#include "sdk/base/clock.h"

static _Thread_local int64_t thread_deadline_ns;

void patience_set(int64_t deadline_ns) {
  thread_deadline_ns = deadline_ns;
}

int64_t patience_deadline_ns(int64_t longest_ns) {
  int64_t deadline_ns = clock_in_ns(longest_ns);

  return thread_deadline_ns > 0 && thread_deadline_ns < deadline_ns ? thread_deadline_ns : deadline_ns;
}
