/* One call of the adapter that a unit test is linked with, through its C ABI and the fake host. */
#ifndef TRAMMEL_TESTS_SUPPORT_ADAPTER_CALL_H
#define TRAMMEL_TESTS_SUPPORT_ADAPTER_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "tests/support/fake_host.h"

/* An instance with the configuration, for this call alone: its status, or that of creating the instance where that
 * fails. What the adapter sends is in `op`. */
int adapter_call(const char *config, const char *method, const ProtobufCMessage *request, struct fake_op *op);

#endif
