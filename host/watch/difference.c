#include "host/watch/difference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PB(name) Trammel__Adapter__V1__##name

static int by_place(const void *a, const void *b) {
  const PB(KubernetesObject) *x = (*(PB(NativeObject) *const *)a)->kubernetes,
                             *y = (*(PB(NativeObject) *const *)b)->kubernetes;
  int order = strcmp(x->name, y->name);

  order = order ? order : strcmp(x->namespace_, y->namespace_);
  order = order ? order : strcmp(x->kind, y->kind);
  return order ? order : strcmp(x->api_version, y->api_version);
}

static PB(NativeObject) * *sorted(const PB(TranslateResponse) * response) {
  PB(NativeObject) **objects = calloc(response->n_objects + 1, sizeof(*objects));

  if (!objects)
    return NULL;
  for (size_t i = 0; i < response->n_objects; i++)
    objects[i] = response->objects[i];
  if (response->n_objects > 1)
    qsort(objects, response->n_objects, sizeof(*objects), by_place);
  return objects;
}

int difference_init(struct difference *difference, const PB(TranslateResponse) * before,
                    const PB(TranslateResponse) * after) {
  *difference = (struct difference){.before = sorted(before), .after = sorted(after)};
  return difference->before && difference->after ? 0 : -ENOMEM;
}

void difference_finish(struct difference *difference) {
  free(difference->before);
  free(difference->after);
}

static bool next_pair(struct difference *d, struct difference_pair *pair) {
  if (!d->before[d->b] && !d->after[d->a])
    return false;
  int order = !d->before[d->b] ? 1 : !d->after[d->a] ? -1 : by_place(&d->before[d->b], &d->after[d->a]);
  pair->before = order <= 0 ? d->before[d->b++] : NULL;
  pair->after = order >= 0 ? d->after[d->a++] : NULL;
  return true;
}

static bool is_same(const PB(NativeObject) * a, const PB(NativeObject) * b) {
  return a && b && a->body.len == b->body.len && memcmp(a->body.data, b->body.data, a->body.len) == 0;
}

bool difference_next(struct difference *difference, struct difference_pair *ret_pair) {
  struct difference_pair pair;

  while (next_pair(difference, &pair)) {
    bool gone_without_sources = !pair.after && pair.before && pair.before->n_sources == 0;
    if (gone_without_sources || is_same(pair.before, pair.after))
      continue;
    *ret_pair = pair;
    return true;
  }
  difference->b = difference->a = 0;
  return false;
}
