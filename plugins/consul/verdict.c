#include "plugins/consul/verdict.h"

void verdict_cover(struct coverage_list *list, const struct smi_meta *resource, struct verdict verdict,
                   const char *pointer, ...) {
  const struct coverage coverage = {.resource = resource,
                                    .level = verdict.level,
                                    .reason = verdict.reason,
                                    .code = verdict.code,
                                    .remedy = verdict.remedy};
  va_list args;
  va_start(args, pointer);
  coverage_addv(list, &coverage, pointer, args);
  va_end(args);
}

void verdict_lower(struct coverage_list *list, struct verdict verdict) {
  for (size_t i = 0; i < list->count; i++) {
    struct coverage *item = &list->items[i];
    if (item->level != COVERAGE_EXACT)
      continue;
    item->level = verdict.level;
    item->code = verdict.code;
    item->reason = verdict.reason;
    item->remedy = verdict.remedy;
  }
}
