#include "host/cli/list.h"

#include <errno.h>
#include <string.h>

int list_add(struct list *list, const char *item) {
  int r = array_reserve((void **)&list->items, &list->capacity, list->count + 1, sizeof(*list->items));
  if (r < 0)
    return r;
  list->items[list->count++] = item;
  list->items[list->count] = NULL;
  return 0;
}

int list_add_split(struct list *list, char *text) {
  char *rest = NULL;
  for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
    int r = list_add(list, part);
    if (r < 0)
      return r;
  }
  return 0;
}

void list_finish(struct list *list) {
  free((void *)list->items);
  *list = (struct list){0};
}
