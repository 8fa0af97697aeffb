/* Finding resources by kind, namespace and name among many. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_INDEX_H
#define TRAMMEL_SDK_SMI_INDEX_H

#include "sdk/smi/model.h"

/* What an entry is found by, what it stands for, and its place among the entries added. */
struct index_entry {
  enum smi_kind kind;
  const char *ns;
  const char *name;
  const struct smi_meta *meta; /* begins the resource's own struct */
  size_t order;
};

struct index {
  struct index_entry *entries;
  size_t count;
};

/* Room for `capacity` entries; -ENOMEM. */
int index_init(struct index *index, struct arena *arena, size_t capacity);

/* Adds within the capacity. */
void index_add(struct index *index, enum smi_kind kind, const char *ns, const char *name, const struct smi_meta *meta);

/* To be called after the last index_add and before the first search: sorts by kind, namespace, name, order. */
void index_sort(struct index *index);

/* The first of the entries with this key and how many there are; NULL and 0 for none. */
const struct index_entry *index_find(const struct index *index, enum smi_kind kind, const char *ns, const char *name,
                                     size_t *ret_count);

/* The resource with this key, or NULL. */
const struct smi_meta *index_get(const struct index *index, enum smi_kind kind, const char *ns, const char *name);

/* Whether two entries have the same key. */
bool index_same(const struct index_entry *a, const struct index_entry *b);

/* Every resource of a set, sorted. -ENOMEM. */
int index_set(struct index *index, struct arena *arena, const struct smi_set *set);

#endif
