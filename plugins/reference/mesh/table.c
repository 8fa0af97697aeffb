#include "plugins/reference/mesh/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/memory.h"

static void object_destroy(const struct table *table, void *object) {
  if (table->destroy && object)
    table->destroy(object);
}

static void entry_finish(struct table_entry *entry) {
  free(entry->key);
  json_decref(entry->body);
}

void table_finish(struct table *table) {
  for (size_t i = 0; i < table->count; i++) {
    object_destroy(table, table->entries[i].object);
    entry_finish(&table->entries[i]);
  }
  free(table->entries);
  table->entries = NULL;
  table->count = table->capacity = 0;
}

size_t table_lower_bound(const struct table *table, const char *key) {
  size_t low = 0, high = table->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(table->entries[middle].key, key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const struct table_entry *table_find(const struct table *table, const char *key) {
  size_t at = table_lower_bound(table, key);
  return at < table->count && strcmp(table->entries[at].key, key) == 0 ? &table->entries[at] : NULL;
}

void *table_object(const struct table *table, const char *key) {
  const struct table_entry *entry = table_find(table, key);
  return entry ? entry->object : NULL;
}

static int table_insert(struct table *table, size_t at, const char *key) {
  if (table->count >= table->limit)
    return -ENOSPC;
  int r = array_reserve((void **)&table->entries, &table->capacity, table->count, sizeof *table->entries);
  if (r < 0)
    return r;
  char *copy = strdup(key);
  if (!copy)
    return -ENOMEM;
  memmove(&table->entries[at + 1], &table->entries[at], (table->count - at) * sizeof *table->entries);
  table->entries[at] = (struct table_entry){.key = copy};
  table->count++;
  return 0;
}

int table_put(struct table *table, const char *key, json_t *body, void *object) {
  size_t at = table_lower_bound(table, key);
  if (at == table->count || strcmp(table->entries[at].key, key) != 0) {
    int r = table_insert(table, at, key);
    if (r < 0)
      return r;
  }
  struct table_entry *entry = &table->entries[at];
  object_destroy(table, entry->object);
  json_decref(entry->body);
  entry->body = json_incref(body);
  entry->object = object;
  return 0;
}

bool table_remove(struct table *table, const char *key, void **ret_object) {
  const struct table_entry *found = table_find(table, key);
  if (!found)
    return false;
  struct table_entry entry = *found;
  size_t at = (size_t)(found - table->entries);
  table->count--;
  memmove(&table->entries[at], &table->entries[at + 1], (table->count - at) * sizeof *table->entries);
  if (ret_object)
    *ret_object = entry.object;
  else
    object_destroy(table, entry.object);
  entry_finish(&entry);
  return true;
}
