/* Which objects on a cluster a rollout is to remove, and in which order. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_REMOVAL_H
#define TRAMMEL_HOST_ENGINE_REMOVAL_H

#include <jansson.h>
#include <stdint.h>

#include "host/engine/cluster.h"
#include "host/engine/sources.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* The objects of a translation by which of them they are, and the waves of their kinds. */
struct removal_index;
struct removal_index *removal_index_create(const Trammel__Adapter__V1__TranslateResponse *translation);
void removal_index_destroy(struct removal_index *index);
DEFINE_CLEANUP(struct removal_index *, removal_index_destroy);

struct removal {
  const json_t *object; /* borrowed from what was looked through */
  uint32_t wave;        /* that of the object in the translation, else of its kind there, else the last */
  size_t place;         /* among those that were judged */
  char *kept;           /* why it stays; NULL: it goes */
};

struct removals {
  struct removal *items; /* those of the last wave first */
  size_t count, capacity;
};
void removals_finish(struct removals *removals);

/* Judges each of `objects` (an array). With `all` what the translation names is meant as well; otherwise only what it
 * no longer has. 0 or -ENOMEM. */
int removals_choose(const json_t *objects, const struct sources *sources, const struct removal_index *index, bool all,
                    struct removals *ret_removals);

#endif
