#include "host/auth/attempts.h"

#include <stdio.h>
#include <string.h>

void attempts_init(struct attempts *attempts) {
  (void)memset(attempts->places, 0, sizeof(attempts->places));
  (void)pthread_mutex_init(&attempts->lock, NULL);
}

void attempts_finish(struct attempts *attempts) {
  (void)pthread_mutex_destroy(&attempts->lock);
}

/* Cut as the names of places are. */
static struct attempt *find(struct attempts *attempts, const char *name) {
  for (size_t i = 0; i < ATTEMPTS_PLACES; i++)
    if (attempts->places[i].failures > 0 && strncmp(attempts->places[i].name, name, ATTEMPTS_NAME_MAX - 1) == 0)
      return &attempts->places[i];
  return NULL;
}

static struct attempt *oldest(struct attempts *attempts) {
  struct attempt *found = &attempts->places[0];
  for (size_t i = 0; i < ATTEMPTS_PLACES; i++) {
    struct attempt *place = &attempts->places[i];
    if (place->failures == 0)
      return place;
    if (place->last_ns < found->last_ns)
      found = place;
  }
  return found;
}

static int64_t wait_of(unsigned failures, unsigned free) {
  int64_t wait_ns = ATTEMPTS_WAIT_MIN_NS;
  if (failures < free)
    return 0;
  for (unsigned i = free; i < failures && wait_ns < ATTEMPTS_WAIT_MAX_NS; i++)
    wait_ns *= 2;
  return wait_ns < ATTEMPTS_WAIT_MAX_NS ? wait_ns : ATTEMPTS_WAIT_MAX_NS;
}

int64_t attempts_wait_ns(struct attempts *attempts, const char *name, unsigned free, int64_t now_ns) {
  pthread_mutex_lock(&attempts->lock);
  const struct attempt *place = find(attempts, name);
  int64_t left_ns = place ? place->last_ns + wait_of(place->failures, free) - now_ns : 0;
  pthread_mutex_unlock(&attempts->lock);
  return left_ns > 0 ? left_ns : 0;
}

void attempts_failed(struct attempts *attempts, const char *name, int64_t now_ns) {
  pthread_mutex_lock(&attempts->lock);
  struct attempt *place = find(attempts, name);
  if (!place) {
    place = oldest(attempts);
    place->failures = 0;
    (void)snprintf(place->name, sizeof(place->name), "%s", name);
  }
  if (now_ns - place->last_ns > ATTEMPTS_FORGET_NS)
    place->failures = 0;
  place->failures += place->failures < UINT32_MAX;
  place->last_ns = now_ns;
  pthread_mutex_unlock(&attempts->lock);
}

void attempts_succeeded(struct attempts *attempts, const char *name) {
  pthread_mutex_lock(&attempts->lock);
  struct attempt *place = find(attempts, name);
  if (place)
    place->failures = 0;
  pthread_mutex_unlock(&attempts->lock);
}
