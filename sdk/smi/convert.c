#include "sdk/smi/convert.h"

#include <errno.h>

#include "sdk/smi/catalogue.h"
#include "sdk/smi/conversion.h"
#include "sdk/smi/port.h"

struct smi_version smi_paired_specs(struct smi_version version) {
  uint8_t alpha = 4;

  if (version.group == SMI_ACCESS && version.alpha > 0 && version.alpha <= 2)
    alpha = (uint8_t)(version.alpha + 1);
  else if (version.group == SMI_SPLIT && version.alpha == 3)
    alpha = 3;
  return (struct smi_version){SMI_SPECS, alpha};
}

/* Fills in the hub's version, and checks that `version` is one of `group`. */
static int settle(struct conversion *conversion, enum smi_group group, uint8_t hub, struct smi_version *version) {
  struct diagnostic diagnostic = {.severity = SEVERITY_ERROR, .code = "SMI-0101"};

  if (version->alpha == 0 && version->group == 0) {
    *version = (struct smi_version){group, hub};
    return 0;
  }
  if (version->group == group && version->alpha >= 1 && version->alpha <= smi_group_info(group)->newest)
    return 0;
  (void)diagnostics_addf(conversion->diagnostics, &diagnostic, "%s/v1alpha%u is no version of %s%s to convert to",
                         smi_group_name(version->group), version->alpha, smi_group_name(group), SMI_GROUP_SUFFIX);
  return -ENOTSUP;
}

static int settle_versions(struct conversion *conversion) {
  int r;

  conversion->access_is_hub = conversion->versions.access.alpha == 0;
  r = settle(conversion, SMI_ACCESS, 3, &conversion->versions.access);
  if (r == 0)
    r = settle(conversion, SMI_SPECS, 4, &conversion->versions.specs);
  if (r == 0)
    r = settle(conversion, SMI_SPLIT, 4, &conversion->versions.split);
  return r;
}

static int write_all(struct conversion *conversion) {
  convert_targets(conversion);
  convert_route_groups(conversion);
  convert_port_routes(conversion);
  convert_splits(conversion);
  convert_bindings(conversion);
  if (conversion->out_of_memory || !conversion->result)
    return -ENOMEM;
  return conversion->refused ? -ENOTSUP : 0;
}

int smi_convert(const struct smi_set *set, const struct smi_target_versions *versions, struct diagnostics *diagnostics,
                json_t **ret_resources) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct conversion conversion = {.set = set, .arena = arena, .diagnostics = diagnostics, .versions = *versions};
  int r = arena ? settle_versions(&conversion) : -ENOMEM;

  if (r == 0)
    r = smi_index_set(&conversion.resources, arena, set);
  if (r == 0)
    r = smi_synthesised_index(&conversion.synthesised, arena, set);
  if (r < 0)
    return r;
  conversion.result = json_array();
  r = write_all(&conversion);
  if (r < 0)
    json_decref(conversion.result);
  else
    *ret_resources = conversion.result;
  return r;
}
