#include "sdk/smi/bodies.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/strbuf.h"

const struct body *body_of(enum smi_kind kind) {
  switch (kind) {
  case SMI_TRAFFIC_TARGET:
    return &body_traffic_target;
  case SMI_IDENTITY_BINDING:
    return &body_identity_binding;
  case SMI_HTTP_ROUTE_GROUP:
    return &body_http_route_group;
  case SMI_TCP_ROUTE:
  case SMI_UDP_ROUTE:
    return &body_port_route;
  case SMI_TRAFFIC_SPLIT:
    return &body_traffic_split;
  }
  return NULL;
}

void read_labels(struct reading *reading, const struct node *map, const struct smi_label **ret_labels,
                 size_t *ret_count) {
  struct smi_label *labels;

  if (!reading_expect(reading, map, NODE_MAP) || !reading_list_fits(reading, map))
    return;
  labels = reading_alloc(reading, map->count, sizeof(*labels));
  for (size_t i = 0; labels && i < map->count; i++) {
    labels[i].name = reading_strdup(reading, map->entries[i].key);
    labels[i].value = reading_text(reading, map->entries[i].value, TEXT_ANY);
  }
  *ret_labels = labels;
  *ret_count = labels ? map->count : 0;
}

int read_choice(struct reading *reading, const struct node *value, const char *const *names, const char *detail) {
  _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;

  if (!reading_expect(reading, value, NODE_STRING))
    return -1;
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], value->text) == 0)
      return i;
  for (int i = 0; names[i]; i++)
    strbuf_printf(&list, "%s%s", i ? ", " : "", names[i]);
  if (strbuf_failed(&list))
    reading->error = -ENOMEM;
  reading_error(reading, "SMI-0011", value, detail, NULL, "\"%s\" is not one of: %s", node_shown(reading->arena, value),
                strbuf_text(&list));
  return -1;
}
