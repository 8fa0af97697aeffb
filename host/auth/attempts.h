/* How often who has failed to log in: guessing goes no faster than one is told to wait. In memory: a host that starts
 * anew has forgotten. */
#ifndef TRAMMEL_HOST_AUTH_ATTEMPTS_H
#define TRAMMEL_HOST_AUTH_ATTEMPTS_H

#include <pthread.h>
#include <stdint.h>

#include "sdk/base/clock.h"

#define ATTEMPTS_WAIT_MIN_NS (1 * NS_PER_SECOND)
#define ATTEMPTS_WAIT_MAX_NS (300 * NS_PER_SECOND)
#define ATTEMPTS_FORGET_NS (900 * NS_PER_SECOND) /* since the last failure */
#define ATTEMPTS_PLACES 1024                     /* who is remembered */
#define ATTEMPTS_NAME_MAX 128

struct attempts {
  pthread_mutex_t lock;
  struct attempt {
    char name[ATTEMPTS_NAME_MAX]; /* "user alice", "from 192.0.2.1" */
    unsigned failures;
    int64_t last_ns;
  } places[ATTEMPTS_PLACES];
};

void attempts_init(struct attempts *attempts);
void attempts_finish(struct attempts *attempts);

struct attempts_who {
  const char *name;
  unsigned free; /* so many failures cost nothing; each after them doubles the waiting */
};
/* An attempt of all these: how long it still has to wait, or 0, and then it is counted as failed already, so that many
 * at once count, too. Times are those of one clock that goes on. When all places are taken, who failed longest ago is
 * forgotten. */
int64_t attempts_begin(struct attempts *attempts, const struct attempts_who *who, size_t count, int64_t now_ns);
/* All of its failures are forgotten. */
void attempts_succeeded(struct attempts *attempts, const char *name);
/* The attempt was none that failed; those before it were. */
void attempts_take_back(struct attempts *attempts, const char *name);

#endif
