/* The inventory that the tests of the reference adapter share, and how they call the adapter. */
#ifndef TRAMMEL_TESTS_UNIT_REFERENCE_FIXTURE_H
#define TRAMMEL_TESTS_UNIT_REFERENCE_FIXTURE_H

#include "tests/support/adapter_call.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

/* Two namespaces, three workloads in main: server and backup hold the account "server", client its own; a service each.
 * Never changes. */
const PB(Inventory) * fixture_inventory(void);

#endif
