#include "sdk/smi/index.h"

#include <errno.h>
#include <string.h>

int smi_index_init(struct smi_index *index, struct arena *arena, size_t capacity) {
  *index = (struct smi_index){.entries = arena_array(arena, capacity, sizeof(*index->entries))};
  return index->entries ? 0 : -ENOMEM;
}

void smi_index_add(struct smi_index *index, enum smi_kind kind, const char *ns, const char *name,
                   const struct smi_meta *meta) {
  index->entries[index->count] =
      (struct smi_index_entry){.kind = kind, .ns = ns, .name = name, .meta = meta, .order = index->count};
  index->count++;
}

static int compare_keys(const struct smi_index_entry *a, const struct smi_index_entry *b) {
  int r;

  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  r = strcmp(a->ns, b->ns);
  return r != 0 ? r : strcmp(a->name, b->name);
}

static int compare_entries(const void *a, const void *b) {
  const struct smi_index_entry *left = a, *right = b;
  int r = compare_keys(left, right);

  return r != 0 ? r : (left->order > right->order) - (left->order < right->order);
}

void smi_index_sort(struct smi_index *index) {
  if (index->count > 0)
    qsort(index->entries, index->count, sizeof(*index->entries), compare_entries);
}

const struct smi_index_entry *smi_index_find(const struct smi_index *index, enum smi_kind kind, const char *ns,
                                             const char *name, size_t *ret_count) {
  const struct smi_index_entry key = {.kind = kind, .ns = ns, .name = name};
  size_t low = 0, high = index->count, end;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (compare_keys(&index->entries[middle], &key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  for (end = low; end < index->count && smi_index_same(&index->entries[end], &key);)
    end++;
  *ret_count = end - low;
  return end > low ? &index->entries[low] : NULL;
}

const struct smi_meta *smi_index_get(const struct smi_index *index, enum smi_kind kind, const char *ns,
                                     const char *name) {
  size_t count;
  const struct smi_index_entry *entry = smi_index_find(index, kind, ns, name, &count);

  return entry ? entry->meta : NULL;
}

bool smi_index_same(const struct smi_index_entry *a, const struct smi_index_entry *b) {
  return compare_keys(a, b) == 0;
}

static void add_meta(struct smi_index *index, const struct smi_meta *meta) {
  smi_index_add(index, meta->kind, meta->ns, meta->name, meta);
}

int smi_index_set(struct smi_index *index, struct arena *arena, const struct smi_set *set) {
  size_t count =
      set->target_count + set->route_group_count + set->port_route_count + set->split_count + set->binding_count;
  int r = smi_index_init(index, arena, count);

  if (r < 0)
    return r;
  for (size_t i = 0; i < set->target_count; i++)
    add_meta(index, &set->targets[i].meta);
  for (size_t i = 0; i < set->route_group_count; i++)
    add_meta(index, &set->route_groups[i].meta);
  for (size_t i = 0; i < set->port_route_count; i++)
    add_meta(index, &set->port_routes[i].meta);
  for (size_t i = 0; i < set->split_count; i++)
    add_meta(index, &set->splits[i].meta);
  for (size_t i = 0; i < set->binding_count; i++)
    add_meta(index, &set->bindings[i].meta);
  smi_index_sort(index);
  return 0;
}
