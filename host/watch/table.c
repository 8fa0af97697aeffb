#include "host/watch/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 64

uint64_t table_hash(uint64_t hash, const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    hash = (hash ^ *c) * UINT64_C(1099511628211);
  return hash;
}

static size_t slot_of(const struct table *table, const char *key) {
  return (size_t)table_hash(TABLE_HASH_START, key) & (table->capacity - 1);
}

/* Where it is, or the free slot where it would be. */
static size_t find(const struct table *table, const char *key) {
  size_t i = slot_of(table, key);

  while (table->slots[i] && strcmp(table->slots[i]->key, key) != 0)
    i = (i + 1) & (table->capacity - 1);
  return i;
}

void *table_get(const struct table *table, const char *key) {
  return table->count > 0 ? table->slots[find(table, key)] : NULL;
}

static int grow(struct table *table) {
  struct table larger = {.capacity = table->capacity ? 2 * table->capacity : CAPACITY_LEAST, .count = table->count};

  larger.slots = calloc(larger.capacity, sizeof(struct named *));
  if (!larger.slots)
    return -ENOMEM;
  for (size_t i = 0; i < table->capacity; i++)
    if (table->slots[i])
      larger.slots[find(&larger, table->slots[i]->key)] = table->slots[i];
  free(table->slots);
  *table = larger;
  return 0;
}

int table_put(struct table *table, void *item) {
  struct named *named = item;

  if (4 * (table->count + 1) > 3 * table->capacity && grow(table) < 0)
    return -ENOMEM;
  table->slots[find(table, named->key)] = named;
  table->count++;
  return 0;
}

/* What comes behind the hole and would not be found beyond it moves up. */
void table_remove(struct table *table, const void *item) {
  size_t mask = table->capacity - 1;
  size_t hole = find(table, ((const struct named *)item)->key);

  for (size_t i = (hole + 1) & mask; table->slots[i]; i = (i + 1) & mask) {
    size_t home = slot_of(table, table->slots[i]->key);
    if (((i - home) & mask) < ((i - hole) & mask))
      continue;
    table->slots[hole] = table->slots[i];
    hole = i;
  }
  table->slots[hole] = NULL;
  table->count--;
}

void table_finish(struct table *table) {
  free(table->slots);
  *table = (struct table){0};
}
