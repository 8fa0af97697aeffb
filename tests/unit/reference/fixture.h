/* The reference adapter behind a fake host, and the inventory its tests share. */
#ifndef TRAMMEL_TESTS_UNIT_REFERENCE_FIXTURE_H
#define TRAMMEL_TESTS_UNIT_REFERENCE_FIXTURE_H

#include "tests/support/fake_host.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

/* Two namespaces, three workloads in main: server and backup hold the account "server", client its own; a service each.
 * Never changes. */
const PB(Inventory) * fixture_inventory(void);

/* Makes an instance with `config` (JSON; "": none), runs `method`, destroys it. What was sent and said is in `op`. */
int fixture_call(const char *config, const char *method, const ProtobufCMessage *request, struct fake_op *op);

#endif
