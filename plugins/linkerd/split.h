/* TrafficSplits, as HTTPRoutes or as ServiceProfiles. */
#ifndef TRAMMEL_PLUGINS_LINKERD_SPLIT_H
#define TRAMMEL_PLUGINS_LINKERD_SPLIT_H

#include "plugins/linkerd/options.h"
#include "sdk/adapter/coverage.h"
#include "sdk/kube/directory.h"

/* One split on its way. */
struct split {
  const struct kube_directory *directory;
  const struct linkerd_options *options;
  const struct smi_traffic_split *smi;
  struct coverage_list coverage;
  const struct inventory_service *root;
  const struct inventory_service **backends; /* NULL: not there */
  struct native_object **objects;
  size_t object_count, object_capacity;
};

/* Every split of the request. Of two for one service the first by name counts. */
void splits_translate(const struct kube_directory *directory, const struct linkerd_options *options,
                      struct translation *translation);

/* The two forms. They make the objects; whatever cannot be carried over whole they cover. */
void split_to_routes(struct split *split);
void split_to_profile(struct split *split);

/* For these: adds coverage; `index` of the list, or SIZE_MAX for the whole field. */
void split_cover(struct split *split, enum coverage_level level, const char *field, size_t index, const char *code,
                 const char *reason, const char *remedy);

void split_add_object(struct split *split, const char *api_version, const char *kind, const char *name, json_t *spec);

/* Whether the backend has a port for the root's. */
bool split_backend_has(const struct split *split, size_t backend, const struct inventory_port *port);

#endif
