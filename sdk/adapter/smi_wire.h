/* The hub form to and from its messages (proto/trammel/adapter/v1/smi.proto). Used by the host and by the typed layer.
 */
#ifndef TRAMMEL_SDK_ADAPTER_SMI_WIRE_H
#define TRAMMEL_SDK_ADAPTER_SMI_WIRE_H

#include "sdk/base/error.h"
#include "sdk/smi/model.h"
#include "trammel/adapter/v1/smi.pb-c.h"

/* The message of `set`, built in `arena` (never free it with protobuf-c). NULL without memory. */
Trammel__Adapter__V1__SmiSet *smi_to_wire(struct arena *arena, const struct smi_set *set);

/* The set of a message, copied into `arena`. Checks what a peer could get wrong: enum values, ports, counts, empty
 * names, UTF-8. 0, -EINVAL with a reason, -ENOMEM. */
int smi_from_wire(struct arena *arena, const Trammel__Adapter__V1__SmiSet *message, struct smi_set *ret_set,
                  struct error **err);

#endif
