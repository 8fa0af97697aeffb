/* Declared objects by "namespace/name", in the order of their keys, each with the body that declared it. */
#ifndef TRAMMEL_REFERENCE_MESH_TABLE_H
#define TRAMMEL_REFERENCE_MESH_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct table_entry {
  char *key;
  json_t *body;
  void *object;
};

struct table {
  struct table_entry *entries;
  size_t count, capacity;
  size_t limit;
  void (*destroy)(void *object); /* NULL: objects need none */
};

void table_finish(struct table *table);

/* NULL when absent. An entry's address holds until the table changes. */
const struct table_entry *table_find(const struct table *table, const char *key);
void *table_object(const struct table *table, const char *key);

/* The first entry whose key is not less than `key`; `count` when there is none. */
size_t table_lower_bound(const struct table *table, const char *key);

/* Sets what `key` stands for and takes `object` over (not on failure); references `body`. An object it replaces is
 * destroyed. 0, -ENOSPC past the limit, -ENOMEM. */
int table_put(struct table *table, const char *key, json_t *body, void *object);

/* Takes the entry out. Its object is handed to `*ret_object`, or destroyed when that is NULL. False when absent. */
bool table_remove(struct table *table, const char *key, void **ret_object);

#endif
