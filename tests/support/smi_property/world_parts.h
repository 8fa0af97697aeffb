/* The two halves of a world. For tests/support/smi_property only. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_WORLD_PARTS_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_WORLD_PARTS_H

#include "tests/support/smi_property/world.h"

#define WORLD_NAMESPACES 3
#define WORLD_ACCOUNTS 4 /* of a namespace; not all have workloads */

#define WORLD_ROOT_SERVICE "x-root" /* of splits; after all others in the order of names */

extern const char *const world_namespaces[WORLD_NAMESPACES]; /* sorted */
extern const char *const world_accounts[WORLD_ACCOUNTS];

/* `count` zeroed items of the world's arena. */
void *world_array(struct world *world, size_t count, size_t size);
const char *world_text(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

void world_add_inventory(struct world *world);
void world_add_resources(struct world *world, const struct world_options *options); /* after the inventory */

#endif
