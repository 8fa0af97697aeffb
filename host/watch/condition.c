#include "host/watch/condition.h"

#include <errno.h>

#include "sdk/base/clock.h"

int condition_init(pthread_mutex_t *lock, pthread_cond_t *condition, struct error **err) {
  pthread_condattr_t attributes;

  if (pthread_mutex_init(lock, NULL) != 0)
    return error_set(err, ENOMEM, "out of memory for a lock");
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  int r = pthread_cond_init(condition, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  if (r == 0)
    return 0;
  (void)pthread_mutex_destroy(lock);
  return error_set(err, r, "out of memory for a lock");
}

void condition_finish(pthread_mutex_t *lock, pthread_cond_t *condition) {
  (void)pthread_cond_destroy(condition);
  (void)pthread_mutex_destroy(lock);
}

bool condition_wait(pthread_mutex_t *lock, pthread_cond_t *condition, int64_t deadline_ns) {
  const struct timespec until = {.tv_sec = deadline_ns / NS_PER_SECOND, .tv_nsec = deadline_ns % NS_PER_SECOND};

  return pthread_cond_timedwait(condition, lock, &until) == 0;
}
