#include "sdk/smi/reader.h"

#include <errno.h>
#include <string.h>

int kept_append(struct smi_reader *reader, struct kept_list *list, void *resource, struct smi_port_wish *wish) {
  struct kept *kept = arena_new(reader->arena, struct kept);

  if (!kept)
    return -ENOMEM;
  *kept = (struct kept){.resource = resource, .wish = wish};
  *list->end = kept;
  list->end = &kept->next;
  list->count++;
  return 0;
}

struct kept_list *reader_list(struct smi_reader *reader, enum smi_kind kind) {
  switch (kind) {
  case SMI_TRAFFIC_TARGET:
    return &reader->targets;
  case SMI_HTTP_ROUTE_GROUP:
    return &reader->route_groups;
  case SMI_TCP_ROUTE:
  case SMI_UDP_ROUTE:
    return &reader->port_routes;
  case SMI_TRAFFIC_SPLIT:
    return &reader->splits;
  case SMI_IDENTITY_BINDING:
    return &reader->bindings;
  }
  return NULL;
}

/* The document's arena may be gone before the set is. */
struct position reader_position(struct smi_reader *reader, struct position position) {
  if (position.file && position.file != reader->file_seen) {
    reader->file_seen = position.file;
    if (!reader->file_copy || strcmp(reader->file_copy, position.file) != 0)
      reader->file_copy = arena_strdup(reader->arena, position.file);
  }
  position.file = position.file ? reader->file_copy : NULL;
  return position;
}

const char *reader_pointer(struct smi_reader *reader, const struct node *node) {
  return diagnostics_full(reader->diagnostics) ? NULL : node_pointer(reader->arena, node);
}

/* Reports about a document that is not read any further. */
int reader_refuse(struct smi_reader *reader, const char *code, const struct node *node, const char *detail,
                  const char *remedy, const char *summary) {
  struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                  .code = code,
                                  .pointer = reader_pointer(reader, node),
                                  .position = node->position,
                                  .summary = summary,
                                  .detail = detail,
                                  .remedy = remedy};

  return !summary || diagnostics_add(reader->diagnostics, &diagnostic) < 0 ? -ENOMEM : -EINVAL;
}
