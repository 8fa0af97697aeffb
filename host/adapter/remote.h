/* Adapters that another machine serves: gRPC of trammel.adapter.v1.Placement over TLS, with certificates of both. */
#ifndef TRAMMEL_HOST_ADAPTER_REMOTE_H
#define TRAMMEL_HOST_ADAPTER_REMOTE_H

#include <stdint.h>

#include "host/adapter/identity.h"
#include "host/adapter/registry.h"

#define REMOTE_PREFIX "remote:"

/* How long one may take to be connected to and to answer Describe. */
#define REMOTE_DESCRIBE_NS (10 * INT64_C(1000000000))

/* Where an adapter is, and as whom the host calls it. */
struct adapter_remote {
  const char *address; /* HOST:PORT */
  struct identity identity;
};

/* Asks the adapter at `address` what it is, and holds that to what a file's description is held to. The registry, which
 * it is the only one of, owns the entry. -EINVAL for what is wrong here, or with what it says; -EHOSTUNREACH when it
 * could not be asked. */
int remote_find(const char *address, const struct identity_files *files, struct registry **ret_registry,
                const struct adapter_entry **ret_entry, struct error **err);

#endif
