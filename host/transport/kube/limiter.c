#include "host/transport/kube/limiter.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "sdk/base/clock.h"

#define CANCEL_POLL_NS (20 * NS_PER_MS)

int limiter_init(struct limiter *limiter, double rate, unsigned burst, struct error **err) {
  if (burst < 1 || rate > 1e9)
    return error_set(err, EINVAL, "a rate is at most 10^9 per second, and its burst at least 1");
  *limiter = (struct limiter){.interval_ns = rate > 0 ? (int64_t)((double)NS_PER_SECOND / rate) : 0};
  if (__builtin_mul_overflow(limiter->interval_ns, (int64_t)burst - 1, &limiter->burst_ns))
    limiter->burst_ns = INT64_MAX / 2;
  if (pthread_mutex_init(&limiter->lock, NULL) != 0)
    return error_set(err, ENOMEM, "out of memory for a lock");
  return 0;
}

void limiter_finish(struct limiter *limiter) {
  (void)pthread_mutex_destroy(&limiter->lock);
}

int64_t limiter_reserve(struct limiter *limiter, int64_t now_ns, int64_t deadline_ns) {
  int64_t wait_ns = 0;

  if (limiter->interval_ns == 0)
    return 0;
  (void)pthread_mutex_lock(&limiter->lock);
  int64_t due_ns = limiter->next_ns;
  if (due_ns < now_ns - limiter->burst_ns)
    due_ns = now_ns - limiter->burst_ns; /* a pause saves up no more than the burst */
  if (due_ns > now_ns)
    wait_ns = due_ns - now_ns;
  if (wait_ns > 0 && due_ns > deadline_ns)
    wait_ns = -1;
  else
    limiter->next_ns = due_ns + limiter->interval_ns;
  (void)pthread_mutex_unlock(&limiter->lock);
  return wait_ns;
}

static void nap(int64_t duration_ns) {
  struct timespec time = {.tv_sec = duration_ns / NS_PER_SECOND, .tv_nsec = duration_ns % NS_PER_SECOND};

  (void)nanosleep(&time, NULL); /* a signal only makes it shorter, and the caller looks at the clock */
}

int limiter_wait(int64_t duration_ns, const atomic_bool *cancel) {
  int64_t end_ns = clock_in_ns(duration_ns);

  for (;;) {
    if (cancel && atomic_load(cancel))
      return -ECANCELED;
    int64_t left_ns = end_ns - clock_monotonic_ns();
    if (left_ns <= 0)
      return 0;
    nap(cancel && left_ns > CANCEL_POLL_NS ? CANCEL_POLL_NS : left_ns);
  }
}
