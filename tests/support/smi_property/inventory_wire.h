/* An inventory as an adapter's message. For tests/support/smi_property only. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_INVENTORY_WIRE_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_INVENTORY_WIRE_H

#include "sdk/adapter/inventory.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* In `arena`; borrows the inventory's texts. Ends the test without memory. */
struct arena;
Trammel__Adapter__V1__Inventory *inventory_to_wire(struct arena *arena, const struct inventory *inventory);

#endif
