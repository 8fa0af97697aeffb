/* A lock, and a condition whose deadlines are of CLOCK_MONOTONIC. */
#ifndef TRAMMEL_HOST_WATCH_CONDITION_H
#define TRAMMEL_HOST_WATCH_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/error.h"

int condition_init(pthread_mutex_t *lock, pthread_cond_t *condition, struct error **err);
void condition_finish(pthread_mutex_t *lock, pthread_cond_t *condition);

/* Waits for a signal. False when the deadline is over. */
bool condition_wait(pthread_mutex_t *lock, pthread_cond_t *condition, int64_t deadline_ns);

#endif
