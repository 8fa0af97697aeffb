/* A token bucket: how many requests a client sends in a time. Thread-safe. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_LIMITER_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_LIMITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "sdk/base/error.h"

struct limiter {
  pthread_mutex_t lock;
  int64_t interval_ns; /* between two tokens; 0: no limit */
  int64_t burst_ns;    /* how far behind `next_ns` may be: burst - 1 intervals */
  int64_t next_ns;     /* when the next token is due; CLOCK_MONOTONIC */
};

/* `rate` is tokens per second, below or equal 0 for no limit; `burst` at least 1. */
int limiter_init(struct limiter *limiter, double rate, unsigned burst, struct error **err);
void limiter_finish(struct limiter *limiter);

/* Takes a token that is due at or before `deadline_ns`, at `now_ns`; returns the time to wait for it, in ns, or
 * -1 when it would come too late (then none is taken). */
int64_t limiter_reserve(struct limiter *limiter, int64_t now_ns, int64_t deadline_ns);

/* Waits `duration_ns`, looking at `cancel` (may be NULL) every 20 ms. 0, or -ECANCELED. */
int limiter_wait(int64_t duration_ns, const atomic_bool *cancel);

#endif
