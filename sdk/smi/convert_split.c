#include <inttypes.h>

#include "sdk/smi/conversion.h"

#define MILLI 1000

/* Whether whole units stay within what a Quantity can say in milli-units. Only proportions count, so thousandths do as
 * well. */
static bool fits_in_units(const struct smi_traffic_split *split) {
  for (size_t i = 0; i < split->backend_count; i++)
    if (split->backends[i].weight > INT64_MAX / MILLI)
      return false;
  return true;
}

static void write_backends(struct conversion *conversion, json_t *body, const struct smi_traffic_split *split,
                           uint8_t alpha) {
  json_t *list = conversion_list(conversion, body, "backends");
  bool thousandths = alpha == 1 && !fits_in_units(split);

  for (size_t i = 0; i < split->backend_count; i++) {
    const struct smi_backend *backend = &split->backends[i];
    json_t *object = conversion_item(conversion, list);

    conversion_text(conversion, object, "service", backend->service);
    conversion_set(conversion, object, "weight",
                   thousandths ? json_sprintf("%" PRIu64 "m", backend->weight)
                               : json_integer((json_int_t)backend->weight));
  }
}

static bool weights_fit(struct conversion *conversion, const struct smi_traffic_split *split) {
  for (size_t i = 0; i < split->backend_count; i++)
    if (split->backends[i].weight > INT64_MAX) {
      conversion_refuse(conversion, &split->meta, "SMI-0109",
                        conversion_pointer(conversion, "/spec/backends/%zu/weight", i),
                        "divide all weights by the same number", "weight %" PRIu64 " is more than 63 bits hold",
                        split->backends[i].weight);
      return false;
    }
  return true;
}

static void convert_split(struct conversion *conversion, const struct smi_traffic_split *split) {
  struct smi_version version = conversion->versions.split;
  json_t *body, *list;

  if (version.alpha < 3 && split->match_count > 0) {
    conversion_refuse(conversion, &split->meta, "SMI-0106", "/spec/matches", "convert to split/v1alpha3 or newer",
                      "split v1alpha%u has no matches and would split all traffic", version.alpha);
    return;
  }
  if (!weights_fit(conversion, split))
    return;
  body = conversion_resource(conversion, &split->meta, version);
  conversion_text(conversion, body, "service", split->service);
  list = split->match_count > 0 ? conversion_list(conversion, body, "matches") : NULL;
  for (size_t i = 0; i < split->match_count; i++) {
    json_t *object = conversion_item(conversion, list);

    conversion_text(conversion, object, "kind", "HTTPRouteGroup");
    conversion_text(conversion, object, "name", split->matches[i]);
  }
  write_backends(conversion, body, split, version.alpha);
}

void convert_splits(struct conversion *conversion) {
  for (size_t i = 0; i < conversion->set->split_count; i++)
    convert_split(conversion, &conversion->set->splits[i]);
}
