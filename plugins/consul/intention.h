/* Who may call whom, from all TrafficTargets: one entry of intentions for each destination, each source in it once. */
#ifndef TRAMMEL_PLUGINS_CONSUL_INTENTION_H
#define TRAMMEL_PLUGINS_CONSUL_INTENTION_H

#include "plugins/consul/directory.h"

/* A match that is allowed: where it stands, and what it comes to. */
struct permission {
  const struct smi_meta *group;
  size_t match;
  json_t *criteria; /* kept by the intentions */
};

/* What one TrafficTarget allows one source at one destination. */
struct grant {
  struct kube_identity destination;
  struct kube_identity source;
  const struct smi_meta *target;
  size_t target_order;
  const struct permission *permissions;
  size_t permission_count;      /* 0: everything */
  struct native_object *object; /* that carries it, once emitted */
};

struct intentions {
  const struct directory *directory;
  struct grant *grants;
  size_t count, capacity;
  json_t *kept; /* owns all criteria */
};

/* False without memory. */
bool intentions_init(struct intentions *intentions, const struct directory *directory);
void intentions_finish(struct intentions *intentions);

/* Keeps `criteria`, a new reference, for a permission. False, and the call marked, without memory. */
bool intentions_keep(struct intentions *intentions, json_t *criteria);
void intentions_grant(struct intentions *intentions, const struct grant *grant);

/* Adds the default deny and the grants. After this the grants are in the order of their targets. */
void intentions_emit(struct intentions *intentions, struct translation *translation);

#endif
