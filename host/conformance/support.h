/* How a mesh comes to do what SMI says, version by version, by its adapter's own account: the mesh reads SMI itself, or
 * the adapter turns it into the mesh's own API. */
#ifndef TRAMMEL_HOST_CONFORMANCE_SUPPORT_H
#define TRAMMEL_HOST_CONFORMANCE_SUPPORT_H

#include <stddef.h>

#include "sdk/base/strbuf.h"
#include "sdk/smi/model.h"

enum support { SUPPORT_UNSUPPORTED = 1, SUPPORT_TRANSLATED, SUPPORT_NATIVE };
#define SUPPORT_LAST SUPPORT_NATIVE
const char *support_name(enum support support); /* "unsupported", "translated", "native" */

struct version_support {
  struct smi_version version;
  enum support support;
};

struct Trammel__Adapter__V1__DescribeResponse;

/* What an adapter's Describe says, in its order. Heap array, NULL for none. 0 or -ENOMEM. */
int support_of(const struct Trammel__Adapter__V1__DescribeResponse *description, struct version_support **ret_list,
               size_t *ret_count);

/* Appends what is said of a group for people: "translated by the adapter", "native", or, where versions differ,
 * "native: v1alpha3; translated: v1alpha1, v1alpha2". Nothing when nothing is known of the group. */
void support_describe(struct strbuf *buffer, const struct version_support *list, size_t count, enum smi_group group);

#endif
