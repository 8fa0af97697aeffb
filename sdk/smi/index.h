/* Finding resources by kind, namespace and name among many: n log n to build and log n for a search, where smi_find_*
 * take n each. An index borrows all texts and resources; its entries live in the arena. Searches may run on several
 * threads at once. Names, namespaces of what is added are not NULL. */
#ifndef TRAMMEL_SDK_SMI_INDEX_H
#define TRAMMEL_SDK_SMI_INDEX_H

#include "sdk/smi/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an entry is found by, what it stands for, and its place among the entries added. */
struct smi_index_entry {
  enum smi_kind kind;
  const char *ns;
  const char *name;
  const struct smi_meta *meta; /* begins the resource's own struct */
  size_t order;
};

struct smi_index {
  struct smi_index_entry *entries;
  size_t count;
};

/* Room for `capacity` entries; -ENOMEM. */
int smi_index_init(struct smi_index *index, struct arena *arena, size_t capacity);

/* Adds within the capacity. */
void smi_index_add(struct smi_index *index, enum smi_kind kind, const char *ns, const char *name,
                   const struct smi_meta *meta);

/* To be called after the last smi_index_add and before the first search: sorts by kind, namespace, name, order. */
void smi_index_sort(struct smi_index *index);

/* The first of the entries with this key and how many there are; NULL and 0 for none. */
const struct smi_index_entry *smi_index_find(const struct smi_index *index, enum smi_kind kind, const char *ns,
                                             const char *name, size_t *ret_count);

/* The resource with this key, or NULL. */
const struct smi_meta *smi_index_get(const struct smi_index *index, enum smi_kind kind, const char *ns,
                                     const char *name);

/* Whether two entries have the same key. */
bool smi_index_same(const struct smi_index_entry *a, const struct smi_index_entry *b);

/* Every resource of a set, sorted. -ENOMEM. */
int smi_index_set(struct smi_index *index, struct arena *arena, const struct smi_set *set);

#ifdef __cplusplus
}
#endif

#endif
