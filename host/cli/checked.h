/* What `trammel adapter check` has found of an adapter on this machine, for the commands that list adapters. */
#ifndef TRAMMEL_HOST_CLI_CHECKED_H
#define TRAMMEL_HOST_CLI_CHECKED_H

#include <jansson.h>

#include "host/adapter/registry.h"
#include "host/cli/origin.h"
#include "host/package/manifest.h"

/* The report of the file with this digest; NULL when there is none. One that cannot be read is none, with a warning. A
 * new reference. */
json_t *checked_report(const char *digest);

/* The same for a package: of its file, or else of the adapter that its manifest lists. An empty manifest lists none. */
json_t *checked_package(const char *digest, const struct manifest *manifest);

/* The same for an adapter: of its shared object, or of the package that it was installed from. */
json_t *checked_adapter(const struct adapter_entry *entry, const struct origins *origins);

#endif
