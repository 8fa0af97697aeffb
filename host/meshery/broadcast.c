#include "host/meshery/broadcast.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/clock.h"

#define LOOK_NS (200 * NS_PER_MS)

struct broadcast {
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t changed;
  struct {
    uint8_t *data;
    size_t length;
  } kept[BROADCAST_KEPT]; /* number n is at n % BROADCAST_KEPT */
  uint64_t next;          /* number of the one to come */
  bool ended;
};

struct broadcast *broadcast_create(void) {
  struct broadcast *broadcast = calloc(1, sizeof(*broadcast));
  pthread_condattr_t attributes;
  if (!broadcast)
    return NULL;
  (void)pthread_mutex_init(&broadcast->lock, NULL);
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&broadcast->changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  return broadcast;
}

void broadcast_destroy(struct broadcast *broadcast) {
  if (!broadcast)
    return;
  for (size_t i = 0; i < BROADCAST_KEPT; i++)
    free(broadcast->kept[i].data);
  (void)pthread_cond_destroy(&broadcast->changed);
  (void)pthread_mutex_destroy(&broadcast->lock);
  free(broadcast);
}

void broadcast_tell(struct broadcast *broadcast, uint8_t *data, size_t length) {
  (void)pthread_mutex_lock(&broadcast->lock);
  size_t at = broadcast->next++ % BROADCAST_KEPT;
  free(broadcast->kept[at].data);
  broadcast->kept[at].data = data;
  broadcast->kept[at].length = length;
  (void)pthread_cond_broadcast(&broadcast->changed);
  (void)pthread_mutex_unlock(&broadcast->lock);
}

void broadcast_end(struct broadcast *broadcast) {
  (void)pthread_mutex_lock(&broadcast->lock);
  broadcast->ended = true;
  (void)pthread_cond_broadcast(&broadcast->changed);
  (void)pthread_mutex_unlock(&broadcast->lock);
}

uint64_t broadcast_position(struct broadcast *broadcast) {
  (void)pthread_mutex_lock(&broadcast->lock);
  uint64_t position = broadcast->next;
  (void)pthread_mutex_unlock(&broadcast->lock);
  return position;
}

/* With the lock held. */
static int wait_for(struct broadcast *broadcast, uint64_t position, const atomic_bool *cancel) {
  while (position == broadcast->next) {
    if (broadcast->ended)
      return 0;
    if (atomic_load(cancel))
      return -ECANCELED;
    int64_t until_ns = clock_in_ns(LOOK_NS);
    const struct timespec until = {.tv_sec = until_ns / NS_PER_SECOND, .tv_nsec = until_ns % NS_PER_SECOND};
    (void)pthread_cond_timedwait(&broadcast->changed, &broadcast->lock, &until);
  }
  return 1;
}

int broadcast_next(struct broadcast *broadcast, uint64_t *position, const atomic_bool *cancel, uint8_t **ret_data,
                   size_t *ret_length, uint64_t *ret_lost) {
  *ret_lost = 0;
  (void)pthread_mutex_lock(&broadcast->lock);
  int r = wait_for(broadcast, *position, cancel);
  if (r > 0) {
    uint64_t oldest = broadcast->next > BROADCAST_KEPT ? broadcast->next - BROADCAST_KEPT : 0;
    if (*position < oldest) {
      *ret_lost = oldest - *position;
      *position = oldest;
    }
    size_t at = *position % BROADCAST_KEPT;
    *ret_length = broadcast->kept[at].length;
    *ret_data = malloc(*ret_length + 1);
    if (*ret_data)
      (void)memcpy(*ret_data, broadcast->kept[at].data, *ret_length);
    r = *ret_data ? 1 : -ENOMEM;
    *position += 1;
  }
  (void)pthread_mutex_unlock(&broadcast->lock);
  return r;
}
