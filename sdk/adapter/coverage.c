#include "sdk/adapter/coverage.h"

#include <stdio.h>

void coverage_addv(struct coverage_list *list, const struct coverage *coverage, const char *pointer, va_list args) {
  char text[128];
  (void)vsnprintf(text, sizeof text, pointer, args);
  char *copy = arena_strdup(call_arena(list->call), text);
  if (!copy || arena_reserve(call_arena(list->call), (void **)&list->items, &list->capacity, list->count,
                             sizeof *list->items) < 0) {
    call_out_of_memory(list->call);
    return;
  }
  struct coverage *item = &list->items[list->count++];
  *item = *coverage;
  item->pointer = copy;
}

void coverage_add(struct coverage_list *list, const struct coverage *coverage, const char *pointer, ...) {
  va_list args;
  va_start(args, pointer);
  coverage_addv(list, coverage, pointer, args);
  va_end(args);
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

void coverage_withdraw(struct coverage_list *list, const char *code, const char *reason) {
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].level != COVERAGE_UNSUPPORTED) {
      list->items[i].level = COVERAGE_UNSUPPORTED;
      list->items[i].code = code;
      list->items[i].reason = reason;
      list->items[i].remedy = NULL;
    }
}
