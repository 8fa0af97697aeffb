#include "host/engine/owners.h"

#include <pthread.h>
#include <string.h>

struct owner_slot {
  struct owner owner;
  char *name;
  bool busy; /* a thread is at it */
  struct owner_slot *next;
};

struct owners {
  pthread_mutex_t lock;
  pthread_cond_t released;
  struct owner_slot *first; /* the latest */
};

struct owners *owners_create(void) {
  struct owners *owners = calloc(1, sizeof(*owners));

  if (!owners)
    return NULL;
  (void)pthread_mutex_init(&owners->lock, NULL);
  (void)pthread_cond_init(&owners->released, NULL);
  return owners;
}

static void slot_free(struct owner_slot *slot) {
  owner_finish(&slot->owner);
  free(slot->name);
  free(slot);
}

void owners_destroy(struct owners *owners, const struct mesh *mesh) {
  if (!owners)
    return;
  for (struct owner_slot *slot = owners->first, *next; slot; slot = next) {
    next = slot->next;
    owner_forget_dying(&slot->owner, mesh);
    (void)owner_remove(&slot->owner, mesh, NULL);
    slot_free(slot);
  }
  (void)pthread_cond_destroy(&owners->released);
  (void)pthread_mutex_destroy(&owners->lock);
  free(owners);
}

static struct owner_slot *find_owner(struct owners *owners, const char *name) {
  for (struct owner_slot *slot = owners->first; slot; slot = slot->next)
    if (strcmp(slot->name, name) == 0)
      return slot;
  return NULL;
}

static struct owner_slot *add_owner(struct owners *owners, const char *name) {
  struct owner_slot *slot = calloc(1, sizeof(*slot));

  if (!slot || !(slot->name = strdup(name))) {
    free(slot);
    return NULL;
  }
  slot->next = owners->first;
  owners->first = slot;
  return slot;
}

struct owner *owners_acquire(struct owners *owners, const char *name, bool create) {
  struct owner_slot *slot;

  (void)pthread_mutex_lock(&owners->lock);
  while ((slot = find_owner(owners, name)) && slot->busy)
    (void)pthread_cond_wait(&owners->released, &owners->lock);
  if (!slot && create)
    slot = add_owner(owners, name);
  if (slot)
    slot->busy = true;
  (void)pthread_mutex_unlock(&owners->lock);
  return slot ? &slot->owner : NULL;
}

void owners_release(struct owners *owners, struct owner *owner) {
  struct owner_slot *slot = (struct owner_slot *)owner; /* its first member */

  (void)pthread_mutex_lock(&owners->lock);
  slot->busy = false;
  if (slot->owner.count == 0) {
    struct owner_slot **link = &owners->first;
    while (*link != slot)
      link = &(*link)->next;
    *link = slot->next;
    slot_free(slot);
  }
  (void)pthread_cond_broadcast(&owners->released);
  (void)pthread_mutex_unlock(&owners->lock);
}
