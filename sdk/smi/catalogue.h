/* Which groups, versions and kinds SMI has. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_CATALOGUE_H
#define TRAMMEL_SDK_SMI_CATALOGUE_H

#include "sdk/smi/model.h"

#define SMI_GROUP_SUFFIX ".smi-spec.io"

struct smi_group_info {
  enum smi_group group;
  const char *name;
  uint8_t newest; /* v1alpha1 to this one exist */
};

struct smi_kind_info {
  enum smi_kind kind;
  const char *name;
  enum smi_group group;
  uint8_t since; /* the first version of the group that has it */
};

/* NULL when there is none. */
const struct smi_group_info *smi_group_info(enum smi_group group);
const struct smi_kind_info *smi_kind_info(enum smi_kind kind);
const struct smi_kind_info *smi_kind_by_name(const char *name);
const struct smi_kind_info *smi_kind_like(const char *name); /* without case */

/* "access" or "access.smi-spec.io", `length` bytes; 0 when it is no group of SMI. */
enum smi_group smi_group_parse(const char *text, size_t length);

/* Whether a resource's own fields stand under `spec` in this version, or beside `metadata`. */
bool smi_body_in_spec(struct smi_version version);

#endif
