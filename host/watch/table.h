/* Things by their names. Not thread-safe. */
#ifndef TRAMMEL_HOST_WATCH_TABLE_H
#define TRAMMEL_HOST_WATCH_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* What every item begins with. */
struct named {
  char *key;
};

struct table {
  struct named **slots; /* NULL where there is none: the way to look at all of them */
  size_t capacity, count;
};

/* NULL when there is none. */
void *table_get(const struct table *table, const char *key);

/* Puts in one whose key is not there yet; borrows it. 0 or -ENOMEM. */
int table_put(struct table *table, void *item);

/* Takes it out; it has to be there. Others may change their slots. */
void table_remove(struct table *table, const void *item);

/* Frees what the table itself has. */
void table_finish(struct table *table);

/* 64 bits of FNV-1a. */
#define TABLE_HASH_START UINT64_C(14695981039346656037)
uint64_t table_hash(uint64_t hash, const char *text);

#endif
