/* Holds what an adapter says of itself in Describe against its ELF note and against the contract: lies are refused. */
#ifndef TRAMMEL_HOST_ADAPTER_DESCRIPTION_H
#define TRAMMEL_HOST_ADAPTER_DESCRIPTION_H

#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/abi.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* Entries of each list of a description. */
#define DESCRIPTION_LIST_MAX 256
/* Bytes of an apiVersion, and of a kind. */
#define DESCRIPTION_KIND_MAX 317
/* Bytes of a domain (Kubernetes, "Labels and Selectors": of the prefix of a label). */
#define DESCRIPTION_DOMAIN_MAX 253

/* 0, or -EINVAL with the first thing that is wrong: what was described, and what was expected. */
int description_check(const Trammel__Adapter__V1__DescribeResponse *description, const trammel_note *note,
                      struct error **err);

/* Whether it names this kind of Kubernetes objects. */
bool description_has_kind(const Trammel__Adapter__V1__DescribeResponse *description, const char *api_version,
                          const char *kind);

#endif
