/* Writing the hub form as any SMI version, or refusing: a conversion never drops anything silently. */
#ifndef TRAMMEL_SDK_SMI_CONVERT_H
#define TRAMMEL_SDK_SMI_CONVERT_H

#include <jansson.h>

#include "sdk/smi/model.h"

/* Which version each group is written in. {0} for a group: its hub version (access v1alpha3, specs v1alpha4, split
 * v1alpha4). */
struct smi_target_versions {
  struct smi_version access;
  struct smi_version specs;
  struct smi_version split;
};

/* The specs version that an access or split version goes with when none is chosen (smi-semantics, versions): access
 * v1alpha1 → specs v1alpha2, access v1alpha2 → v1alpha3, access v1alpha3/4 → v1alpha4, split v1alpha3 → v1alpha3,
 * others → v1alpha4. */
struct smi_version smi_paired_specs(struct smi_version version);

/* Converts the whole set. `*ret_resources` is a new JSON array of resources, in the order targets, route groups, port
 * routes, splits, bindings, each with apiVersion, kind, metadata. What the version cannot say is a diagnostic
 * (SMI-01xx, severity error) that names resource, field and remedy, and the result is -ENOTSUP; nothing is returned
 * then. */
int smi_convert(const struct smi_set *set, const struct smi_target_versions *versions, struct diagnostics *diagnostics,
                json_t **ret_resources);

#endif
