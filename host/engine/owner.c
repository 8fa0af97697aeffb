#include "host/engine/owner.h"

#include <errno.h>
#include <string.h>

void owner_finish(struct owner *owner) {
  for (size_t i = 0; i < owner->count; i++)
    object_free(owner->items[i].object);
  free(owner->items);
  *owner = (struct owner){0};
}

/* An object that moved is there twice until its old place is pruned: the later one counts. */
static struct applied *find(struct owner *owner, const char *id) {
  for (size_t i = owner->count; i-- > 0;)
    if (strcmp(owner->items[i].object->id, id) == 0)
      return &owner->items[i];
  return NULL;
}

static int no_memory(const native_object *object, struct error **err) {
  (void)error_set(err, ENOMEM, "object %s: out of memory", object->id);
  return -ENOMEM;
}

/* The entry that `object` is going to fill, with the object in it but not yet certain. */
static int prepare(struct owner *owner, const native_object *object, struct applied **ret_entry, struct error **err) {
  struct applied *entry = find(owner, object->id);

  if (entry && !object_same_place(entry->object, object))
    entry = NULL;
  if (!entry && array_reserve((void **)&owner->items, &owner->capacity, owner->count, sizeof(*owner->items)) < 0)
    return no_memory(object, err);
  native_object *copy = object_copy(object);
  if (!copy)
    return no_memory(object, err);
  if (entry)
    object_free(entry->object);
  else
    entry = &owner->items[owner->count++];
  *entry = (struct applied){.object = copy, .current = owner->round};
  *ret_entry = entry;
  return 0;
}

/* Takes out an entry; the mesh keeps what it has. */
static void forget(struct owner *owner, struct applied *entry) {
  size_t i = (size_t)(entry - owner->items);

  object_free(entry->object);
  owner->count--;
  (void)memmove(entry, entry + 1, (owner->count - i) * sizeof(*entry));
}

static int put(struct owner *owner, const struct mesh *mesh, const native_object *object, struct error **err) {
  struct applied *entry = find(owner, object->id);

  if (entry && entry->certain && object_same(entry->object, object)) {
    entry->current = owner->round;
    entry->object->wave = object->wave;
    return 0;
  }
  int r = prepare(owner, object, &entry, err);
  if (r < 0)
    return r;
  r = object_put(mesh, object, err);
  if (r == 0)
    entry->certain = true;
  else if (r == -EEXIST)
    forget(owner, entry);
  return r;
}

/* The one to remove next: of the highest wave, and of that the last created. NULL when none is outdated. */
static struct applied *next_outdated(struct owner *owner, const bool *failed) {
  struct applied *next = NULL;

  for (size_t i = owner->count; i-- > 0;) {
    struct applied *entry = &owner->items[i];
    if (entry->current != owner->round && !failed[i] && (!next || entry->object->wave > next->object->wave))
      next = entry;
  }
  return next;
}

/* Takes out an entry together with its mark. */
static void drop(struct owner *owner, struct applied *entry, bool *failed) {
  size_t i = (size_t)(entry - owner->items);

  forget(owner, entry);
  (void)memmove(failed + i, failed + i + 1, (owner->count - i) * sizeof(*failed));
}

/* Removes what this round did not want. Goes on after a failure and returns the first. */
static int prune(struct owner *owner, const struct mesh *mesh, struct error **err) {
  _cleanup_free_ bool *failed = calloc(owner->count + 1, sizeof(*failed));
  struct applied *entry;
  int first = 0;

  if (!failed)
    return error_set(err, ENOMEM, "out of memory for removing objects");
  while ((entry = next_outdated(owner, failed))) {
    int r = object_remove(mesh, entry->object, first < 0 ? NULL : err);
    if (r < 0)
      failed[entry - owner->items] = true;
    else
      drop(owner, entry, failed);
    first = first < 0 ? first : r;
  }
  return first;
}

struct ordered {
  const native_object *object;
  size_t position;
};

static int compare_waves(const void *a, const void *b) {
  const struct ordered *x = a, *y = b;

  if (x->object->wave != y->object->wave)
    return x->object->wave < y->object->wave ? -1 : 1;
  return x->position < y->position ? -1 : 1;
}

static int compare_ids(const void *a, const void *b) {
  return strcmp(((const struct ordered *)a)->object->id, ((const struct ordered *)b)->object->id);
}

/* By wave, and as given within one. Every object is checked before the first is created. */
static int order(const struct mesh *mesh, native_object *const *objects, size_t count, struct ordered *ret_order,
                 struct error **err) {
  for (size_t i = 0; i < count; i++) {
    int r = object_check(mesh, objects[i], err);
    if (r < 0)
      return r;
    ret_order[i] = (struct ordered){.object = objects[i], .position = i};
  }
  if (count == 0)
    return 0;
  qsort(ret_order, count, sizeof(*ret_order), compare_ids);
  for (size_t i = 1; i < count; i++)
    if (compare_ids(&ret_order[i - 1], &ret_order[i]) == 0)
      return error_set(err, EINVAL, "two objects have the id %s", ret_order[i].object->id);
  qsort(ret_order, count, sizeof(*ret_order), compare_waves);
  return 0;
}

int owner_apply(struct owner *owner, const struct mesh *mesh, native_object *const *objects, size_t count,
                struct error **err) {
  _cleanup_free_ struct ordered *list = calloc(count + 1, sizeof(*list));

  if (!list)
    return error_set(err, ENOMEM, "out of memory for applying objects");
  int r = order(mesh, objects, count, list, err);
  if (r < 0)
    return r;
  owner->round++;
  for (size_t i = 0; r == 0 && i < count; i++)
    r = put(owner, mesh, list[i].object, err);
  return r < 0 ? r : prune(owner, mesh, err);
}

int owner_add(struct owner *owner, const struct mesh *mesh, const native_object *object, struct error **err) {
  int r = object_check(mesh, object, err);

  return r < 0 ? r : put(owner, mesh, object, err);
}

int owner_remove(struct owner *owner, const struct mesh *mesh, struct error **err) {
  owner->round++;
  return prune(owner, mesh, err);
}

void owner_forget_dying(struct owner *owner, const struct mesh *mesh) {
  size_t kept = 0;

  for (size_t i = 0; i < owner->count; i++) {
    if (object_dies_with_run(mesh, owner->items[i].object))
      object_free(owner->items[i].object);
    else
      owner->items[kept++] = owner->items[i];
  }
  owner->count = kept;
}

int owner_read(const struct owner *owner, const struct mesh *mesh, json_t *array, struct error **err) {
  for (size_t i = 0; i < owner->count; i++) {
    json_t *value = NULL;
    int r = object_read(mesh, owner->items[i].object, &value, err);
    if (r < 0)
      return r;
    if (value && json_array_append_new(array, value) < 0)
      return error_set(err, ENOMEM, "out of memory for the mesh's objects");
  }
  return 0;
}
