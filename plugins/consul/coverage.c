#include "plugins/consul/coverage.h"

#include <stdio.h>

void coverage_add(struct coverage_list *list, const struct smi_meta *resource, struct verdict verdict,
                  const char *pointer, ...) {
  char text[128];
  va_list args;
  va_start(args, pointer);
  (void)vsnprintf(text, sizeof text, pointer, args);
  va_end(args);
  char *copy = arena_strdup(call_arena(list->call), text);
  if (!copy || arena_reserve(call_arena(list->call), (void **)&list->items, &list->capacity, list->count,
                             sizeof *list->items) < 0) {
    call_out_of_memory(list->call);
    return;
  }
  list->items[list->count++] = (struct coverage){.resource = resource,
                                                 .level = verdict.level,
                                                 .pointer = copy,
                                                 .reason = verdict.reason,
                                                 .code = verdict.code,
                                                 .remedy = verdict.remedy};
}

static void set(struct coverage *item, struct verdict verdict) {
  item->level = verdict.level;
  item->code = verdict.code;
  item->reason = verdict.reason;
  item->remedy = verdict.remedy;
}

void coverage_withdraw(struct coverage_list *list, struct verdict verdict) {
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].level != COVERAGE_UNSUPPORTED)
      set(&list->items[i], verdict);
}

void coverage_lower(struct coverage_list *list, struct verdict verdict) {
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].level == COVERAGE_EXACT)
      set(&list->items[i], verdict);
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
