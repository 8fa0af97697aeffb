/* Bytes as a descriptor set and as a message in JSON: nothing crashes, and an error says what is wrong. The first two
 * bytes say how long the JSON is, the higher one first; the set follows it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/load/grpc_json.h"
#include "sdk/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  if (size < 2)
    return 0;
  size_t length = (size_t)data[0] << 8 | data[1];
  length = length < size - 2 ? length : size - 2;
  _cleanup_free_ char *json = strndup((const char *)data + 2, length);
  if (!json)
    return 0;
  int r = grpc_json_encode((struct protoset_part){data + 2 + length, size - 2 - length}, "shop.v1.Cart/Put", json,
                           &message, &err);
  if ((r < 0) != (err != NULL))
    abort();
  return 0;
}
