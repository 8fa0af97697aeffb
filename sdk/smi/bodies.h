/* What each kind of resource holds beside its metadata: the tables of fields, by version. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_BODIES_H
#define TRAMMEL_SDK_SMI_BODIES_H

#include "sdk/smi/shape.h"

struct body {
  enum smi_kind kind;
  size_t size; /* of the struct of model.h; it begins with its struct smi_meta */
  const struct shape *shape;
};

extern const struct body body_traffic_target;
extern const struct body body_identity_binding;
extern const struct body body_http_route_group;
extern const struct body body_port_route;
extern const struct body body_traffic_split;

/* NULL when there is none. */
const struct body *body_of(enum smi_kind kind);

/* Reads a map of strings (labels and the like) into an array of the set. */
void read_labels(struct reading *reading, const struct node *map, const struct smi_label **ret_labels,
                 size_t *ret_count);

/* An item of a list whose only legal values are `names` (NULL-terminated): its index, or -1 after an error that lists
 * them. */
int read_choice(struct reading *reading, const struct node *value, const char *const *names, const char *detail);

#endif
