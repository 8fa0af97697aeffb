/* A NULL-terminated list of borrowed strings that options collect. */
#ifndef TRAMMEL_HOST_CLI_LIST_H
#define TRAMMEL_HOST_CLI_LIST_H

#include <stddef.h>

#include "sdk/base/memory.h"

struct list {
  const char **items; /* heap; NULL while empty, else ends with NULL */
  size_t count;
  size_t capacity;
};

/* 0 or -ENOMEM. */
int list_add(struct list *list, const char *item);

/* Adds the parts of a comma-separated argument, which is cut up in place. */
int list_add_split(struct list *list, char *text);

void list_finish(struct list *list);

#endif
