/* Right, as far as it goes: it only says what it is, and takes no memory from where a check could make it fail. */
#define BROKEN_ID "own-memory"
#include "tests/broken-adapters/broken.h"

BROKEN_DESCRIBE({
  static uint8_t data[512];
  size_t length = trammel__adapter__v1__describe_response__get_packed_size(&description);
  if (length > sizeof data)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  trammel__adapter__v1__describe_response__pack(&description, data);
  broken_op->emit(op, (trammel_str){(const char *)data, length});
  return TRAMMEL_OK;
})
