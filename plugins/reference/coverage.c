#include "plugins/reference/coverage.h"

#include <stdio.h>
#include <string.h>

static bool reserve(struct coverage_list *list) {
  if (list->count < list->capacity)
    return true;
  size_t capacity = list->capacity ? list->capacity * 2 : 8;
  struct coverage *items = arena_array(call_arena(list->call), capacity, sizeof *items);
  if (!items)
    return false;
  if (list->count)
    memcpy(items, list->items, list->count * sizeof *items);
  list->items = items;
  list->capacity = capacity;
  return true;
}

void coverage_add(struct coverage_list *list, const struct coverage *coverage, const char *pointer, ...) {
  char text[128];
  va_list args;
  va_start(args, pointer);
  (void)vsnprintf(text, sizeof text, pointer, args);
  va_end(args);
  char *copy = arena_strdup(call_arena(list->call), text);
  if (!copy || !reserve(list)) {
    call_out_of_memory(list->call);
    return;
  }
  struct coverage *item = &list->items[list->count++];
  *item = *coverage;
  item->pointer = copy;
}

void coverage_state(const struct coverage_list *list, struct translation *translation,
                    const struct native_object *const *objects, size_t count) {
  for (size_t i = 0; i < list->count; i++) {
    struct coverage item = list->items[i];
    if (item.level != COVERAGE_UNSUPPORTED) {
      item.objects = objects;
      item.object_count = count;
    }
    translation_cover(translation, &item);
  }
}
