/* A conversion in progress. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_CONVERSION_H
#define TRAMMEL_SDK_SMI_CONVERSION_H

#include "sdk/smi/convert.h"
#include "sdk/smi/index.h"

struct conversion {
  const struct smi_set *set;
  struct arena *arena; /* for the time of the conversion */
  struct diagnostics *diagnostics;
  struct smi_target_versions versions; /* with the hub's filled in */
  bool access_is_hub;                  /* only what needs the draft is written in v1alpha4 */
  struct smi_index resources;          /* by kind, namespace and name */
  struct smi_index synthesised;        /* TCPRoutes that stand for ports, by their target */
  json_t *result;
  bool refused;
  bool out_of_memory;
};

/* Adds the resources of each kind to the result. */
void convert_targets(struct conversion *conversion);
void convert_bindings(struct conversion *conversion);
void convert_route_groups(struct conversion *conversion);
void convert_port_routes(struct conversion *conversion);
void convert_splits(struct conversion *conversion);

/* Reports that a resource cannot be said in the version asked for. `pointer` is relative to its body ("/rules/0"),
 * NULL: the whole. */
void conversion_refuse(struct conversion *conversion, const struct smi_meta *meta, const char *code,
                       const char *pointer, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* "/spec/rules/0/matches": formatted, in the conversion's arena. */
const char *conversion_pointer(struct conversion *conversion, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds a resource of `version` and returns the (borrowed) object that holds its body; NULL without memory. An empty
 * body under `spec` is written as `spec: {}`. */
json_t *conversion_resource(struct conversion *conversion, const struct smi_meta *meta, struct smi_version version);

/* Builders that note a failed allocation and take NULL for their object. `value` is stolen. */
void conversion_set(struct conversion *conversion, json_t *object, const char *key, json_t *value);
void conversion_text(struct conversion *conversion, json_t *object, const char *key, const char *text);
json_t *conversion_list(struct conversion *conversion, json_t *object,
                        const char *key);                                               /* a new empty list, borrowed */
json_t *conversion_map(struct conversion *conversion, json_t *object, const char *key); /* a new empty map, borrowed */
json_t *conversion_item(struct conversion *conversion, json_t *list); /* a new empty map at its end, borrowed */
void conversion_append(struct conversion *conversion, json_t *list, json_t *value);
void conversion_texts(struct conversion *conversion, json_t *object, const char *key, const char *const *texts,
                      size_t count);
void conversion_labels(struct conversion *conversion, json_t *object, const char *key, const struct smi_label *labels,
                       size_t count);

#endif
