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

/* With the lock held, as what follows. */
static int64_t wait_ns(struct attempts *attempts, const struct attempts_who *who, int64_t now_ns) {
  const struct attempt *place = find(attempts, who->name);
  int64_t left_ns = place ? place->last_ns + wait_of(place->failures, who->free) - now_ns : 0;
  return left_ns > 0 ? left_ns : 0;
}

static void count_failure(struct attempts *attempts, const char *name, int64_t now_ns) {
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
}

int64_t attempts_begin(struct attempts *attempts, const struct attempts_who *who, size_t count, int64_t now_ns) {
  int64_t longest_ns = 0;
  pthread_mutex_lock(&attempts->lock);
  for (size_t i = 0; i < count; i++) {
    int64_t one_ns = wait_ns(attempts, &who[i], now_ns);
    longest_ns = one_ns > longest_ns ? one_ns : longest_ns;
  }
  for (size_t i = 0; longest_ns == 0 && i < count; i++)
    count_failure(attempts, who[i].name, now_ns);
  pthread_mutex_unlock(&attempts->lock);
  return longest_ns;
}

void attempts_succeeded(struct attempts *attempts, const char *name) {
  pthread_mutex_lock(&attempts->lock);
  struct attempt *place = find(attempts, name);
  if (place)
    place->failures = 0;
  pthread_mutex_unlock(&attempts->lock);
}

void attempts_take_back(struct attempts *attempts, const char *name) {
  pthread_mutex_lock(&attempts->lock);
  struct attempt *place = find(attempts, name);
  if (place)
    place->failures--;
  pthread_mutex_unlock(&attempts->lock);
}
