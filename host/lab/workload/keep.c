#include "host/lab/workload/keep.h"

#include <stdio.h>
#include <string.h>

static struct keep_entry *find(struct keep *keep, const char *name) {
  for (size_t i = 0; i < keep->count; i++)
    if (strcmp(keep->entries[i].name, name) == 0)
      return &keep->entries[i];
  return NULL;
}

struct caller *keep_take(struct keep *keep, const char *name, enum call_protocol protocol,
                         const struct endpoint *endpoint) {
  struct keep_entry *entry = find(keep, name);
  if (!entry)
    return NULL;
  struct caller *caller = entry->caller;
  *entry = keep->entries[--keep->count];
  if (caller->type->protocol == protocol && endpoint_equal(&caller->endpoint, endpoint))
    return caller;
  caller_destroy(caller);
  return NULL;
}

void keep_put(struct keep *keep, const char *name, uint64_t generation, struct caller *caller) {
  struct keep_entry *entry = find(keep, name);
  if (generation != keep->generation || (!entry && keep->count == KEEP_MAX)) {
    caller_destroy(caller);
    return;
  }
  if (entry)
    caller_destroy(entry->caller);
  else
    entry = &keep->entries[keep->count++];
  (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
  entry->caller = caller;
}

void keep_clear(struct keep *keep) {
  for (size_t i = 0; i < keep->count; i++)
    caller_destroy(keep->entries[i].caller);
  keep->count = 0;
  keep->generation++;
}
