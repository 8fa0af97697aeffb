#include "host/engine/removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/holdings.h"
#include "sdk/base/strbuf.h"

#define OVER_KUBERNETES TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES

struct removal_index {
  json_t *waves; /* by holdings_key(), and by that of the kind without namespace and name: the highest */
};

void removal_index_destroy(struct removal_index *index) {
  if (!index)
    return;
  json_decref(index->waves);
  free(index);
}

static bool set_wave(struct removal_index *index, const struct cluster_place *place, uint32_t wave) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  if (!holdings_key(&key, place))
    return false;
  const json_t *known = json_object_get(index->waves, strbuf_text(&key));
  return (known && json_integer_value(known) >= wave) ||
         json_object_set_new(index->waves, strbuf_text(&key), json_integer(wave)) == 0;
}

/* The kind of a place. */
static struct cluster_place kind_of(const struct cluster_place *place) {
  return (struct cluster_place){.api_version = place->api_version, .kind = place->kind, .ns = "", .name = ""};
}

static bool add(struct removal_index *index, const Trammel__Adapter__V1__NativeObject *object) {
  if (object->transport_case != OVER_KUBERNETES)
    return true;
  const Trammel__Adapter__V1__KubernetesObject *said = object->kubernetes;
  const struct cluster_place place = {
      .api_version = said->api_version, .kind = said->kind, .ns = said->namespace_, .name = said->name};
  const struct cluster_place kind = kind_of(&place);
  return set_wave(index, &place, object->wave) && set_wave(index, &kind, object->wave);
}

struct removal_index *removal_index_create(const Trammel__Adapter__V1__TranslateResponse *translation) {
  _cleanup_(removal_index_destroy_p) struct removal_index *index = calloc(1, sizeof(*index));

  if (!index)
    return NULL;
  index->waves = json_object();
  if (!index->waves)
    return NULL;
  for (size_t i = 0; i < translation->n_objects; i++)
    if (!add(index, translation->objects[i]))
      return NULL;
  return take(index);
}

/* -ENOMEM, or whether the translation has it; `ret_wave` in both cases. */
static int find(const struct removal_index *index, const struct cluster_place *place, uint32_t *ret_wave) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT, kind_key = STRBUF_INIT;
  const struct cluster_place kind = kind_of(place);

  if (!holdings_key(&key, place) || !holdings_key(&kind_key, &kind))
    return -ENOMEM;
  const json_t *own = json_object_get(index->waves, strbuf_text(&key));
  const json_t *others = json_object_get(index->waves, strbuf_text(&kind_key));
  const json_t *wave = own ? own : others;
  *ret_wave = wave ? (uint32_t)json_integer_value(wave) : UINT32_MAX;
  return own ? 1 : 0;
}

void removals_finish(struct removals *removals) {
  for (size_t i = 0; i < removals->count; i++)
    free(removals->items[i].kept);
  free(removals->items);
  *removals = (struct removals){0};
}

/* Takes `kept` over. */
static int put(struct removals *removals, const json_t *object, uint32_t wave, char *kept) {
  if (array_reserve((void **)&removals->items, &removals->capacity, removals->count, sizeof(*removals->items)) < 0) {
    free(kept);
    return -ENOMEM;
  }
  removals->items[removals->count] =
      (struct removal){.object = object, .wave = wave, .place = removals->count, .kept = kept};
  removals->count++;
  return 0;
}

/* `other`: a source that was not given; "": the list was cut. */
static int keep(struct removals *removals, const json_t *object, uint32_t wave, const char *other) {
  struct strbuf why = STRBUF_INIT;

  if (*other)
    strbuf_printf(&why, "it comes from %s as well: apply the resources that remain, and it is made from these alone",
                  other);
  else
    strbuf_puts(&why, "its list of sources was too long to be kept whole: when nothing else needs it, remove it "
                      "yourself");
  char *text = strbuf_steal(&why);
  return text ? put(removals, object, wave, text) : -ENOMEM;
}

static int judge(const json_t *object, const struct sources *sources, const struct removal_index *index, bool all,
                 struct removals *removals) {
  const struct cluster_place place = holdings_place(object);
  char other[SOURCES_TOLD_MAX];
  uint32_t wave = 0;

  int named = find(index, &place, &wave);
  if (named < 0)
    return named;
  if (named && !all)
    return 0;
  switch (sources_judge(sources, object, other)) {
  case SOURCES_GIVEN:
    return put(removals, object, wave, NULL);
  case SOURCES_CUT:
    return keep(removals, object, wave, "");
  case SOURCES_OTHER:
    return named ? keep(removals, object, wave, other) : 0;
  default:
    return named ? put(removals, object, wave, NULL) : 0;
  }
}

static int by_wave(const void *a, const void *b) {
  const struct removal *x = a, *y = b;

  if (x->wave != y->wave)
    return x->wave < y->wave ? 1 : -1;
  return x->place < y->place ? -1 : 1;
}

int removals_choose(const json_t *objects, const struct sources *sources, const struct removal_index *index, bool all,
                    struct removals *ret_removals) {
  struct removals removals = {0};
  const json_t *object;
  size_t i;
  int r = 0;

  json_array_foreach(objects, i, object) {
    r = r == 0 ? judge(object, sources, index, all, &removals) : r;
  }
  if (r < 0) {
    removals_finish(&removals);
    return r;
  }
  if (removals.count > 0)
    qsort(removals.items, removals.count, sizeof(*removals.items), by_wave);
  *ret_removals = removals;
  return 0;
}
