#include "plugins/consul/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/consul/entry.h"

void protocols_need(struct protocols *protocols, const char *ns, const char *service, const struct smi_meta *source) {
  if (arena_reserve(call_arena(protocols->call), (void **)&protocols->items, &protocols->capacity, protocols->count,
                    sizeof *protocols->items) < 0)
    call_out_of_memory(protocols->call);
  else
    protocols->items[protocols->count++] = (struct protocol_need){ns, service, source};
}

static int by_service(const void *a, const void *b) {
  const struct protocol_need *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  return order != 0 ? order : strcmp(x->service, y->service);
}

static int by_service_and_source(const void *a, const void *b) {
  const struct protocol_need *x = a, *y = b;
  int order = by_service(a, b);
  if (order == 0)
    order = (x->source->kind > y->source->kind) - (x->source->kind < y->source->kind);
  if (order == 0)
    order = strcmp(x->source->ns, y->source->ns);
  return order != 0 ? order : strcmp(x->source->name, y->source->name);
}

static void emit(struct protocols *protocols, const struct consul_config *config, size_t first, size_t end,
                 struct translation *translation) {
  const struct smi_meta **sources = arena_array(call_arena(protocols->call), end - first, sizeof *sources);
  size_t count = 0;
  if (!sources) {
    call_out_of_memory(protocols->call);
    return;
  }
  for (size_t i = first; i < end; i++)
    if (count == 0 || sources[count - 1] != protocols->items[i].source)
      sources[count++] = protocols->items[i].source;
  const struct entry entry = {.kind = ENTRY_DEFAULTS,
                              .ns = protocols->items[first].ns,
                              .service = protocols->items[first].service,
                              .sources = sources,
                              .source_count = count};
  translation_add(translation, entry_object(protocols->call, config, &entry, json_pack("{s:s}", "protocol", "http")));
}

void protocols_emit(struct protocols *protocols, const struct consul_config *config, struct translation *translation) {
  if (!config->write_protocols || protocols->count == 0)
    return;
  qsort(protocols->items, protocols->count, sizeof *protocols->items, by_service_and_source);
  for (size_t first = 0, end; first < protocols->count; first = end) {
    for (end = first + 1; end < protocols->count && by_service(&protocols->items[first], &protocols->items[end]) == 0;)
      end++;
    emit(protocols, config, first, end, translation);
  }
}
