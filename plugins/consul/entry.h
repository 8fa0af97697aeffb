/* Config entries of Consul, as custom resources or as the HTTP API takes them. */
#ifndef TRAMMEL_PLUGINS_CONSUL_ENTRY_H
#define TRAMMEL_PLUGINS_CONSUL_ENTRY_H

#include "plugins/consul/consul.h"

enum entry_kind {
  ENTRY_DEFAULTS = 1, /* service-defaults */
  ENTRY_INTENTIONS,
  ENTRY_SPLITTER,
  ENTRY_ROUTER,
};

struct entry {
  enum entry_kind kind;
  const char *ns;      /* of Kubernetes */
  const char *service; /* whose entry it is; "*" for intentions of every service */
  const struct smi_meta *const *sources;
  size_t source_count;
};

/* Who made an object that is of the HTTP API: its member, and what it says. */
#define MARK_KEY "managed-by"
#define MARK_VALUE "trammel"

/* The object for an entry whose content is `spec`, written as in a custom resource. Lower waves come first: the default
 * deny (its intentions are of "*"), protocols, intentions and splitters, routers. Takes the reference to `spec`. */
struct native_object *entry_object(struct call *call, const struct consul_config *config, const struct entry *entry,
                                   json_t *spec);

/* An intention of Consul 1.8 between services as they are called there: `source` may call `destination`, or with "*"
 * for both and `allow` false, nobody may call anybody. With "*" as source alone, everybody may call `destination`. */
struct native_object *entry_old_intention(struct call *call, const char *source, const char *destination, bool allow);

#endif
