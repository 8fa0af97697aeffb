/* The adapter that comes with its own mesh, for tests. */
#ifndef TRAMMEL_TESTS_ADAPTER_FIXTURE_H
#define TRAMMEL_TESTS_ADAPTER_FIXTURE_H

#include "host/adapter/registry.h"

/* Scans the build's adapters; fails the test, with the reasons of those that were refused, when it is not there. */
const struct adapter_entry *find_embedded_adapter(struct registry **ret_registry);

#endif
