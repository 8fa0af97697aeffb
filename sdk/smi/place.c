#include "sdk/smi/place.h"

#include <stdio.h>
#include <string.h>

#include "sdk/base/document.h"

struct smi_place smi_place(struct arena *arena, const struct smi_meta *meta, const char *pointer) {
  struct smi_place place = {.pointer = pointer, .position = meta->position};
  const char *resource;

  if (!meta->node)
    return place;
  if (pointer)
    place.position = node_nearest(meta->node, pointer)->position;
  resource = node_pointer(arena, meta->node);
  if (resource && (*resource || pointer))
    place.pointer = arena_printf(arena, "%s%s", resource, pointer ? pointer : "");
  return place;
}

const char *smi_header_pointer(struct arena *arena, const struct smi_meta *meta, const char *pointer, size_t number) {
  const struct node *headers = meta->node && pointer ? node_at(meta->node, pointer) : NULL;
  const char *found, *resource;
  size_t i = 0;

  while (headers && headers->kind == NODE_LIST && i < headers->count && number >= headers->items[i]->count)
    number -= headers->items[i++]->count;
  if (headers && headers->kind == NODE_LIST)
    headers = i < headers->count ? headers->items[i] : NULL;
  if (!headers || headers->kind != NODE_MAP || number >= headers->count)
    return pointer;
  found = node_pointer(arena, headers->entries[number].value);
  resource = node_pointer(arena, meta->node);
  return found && resource ? found + strlen(resource) : pointer;
}

const char *smi_pointer(struct arena *arena, const char *format, va_list args) {
  char text[128];

  (void)vsnprintf(text, sizeof(text), format, args);
  return arena_strdup(arena, text);
}
