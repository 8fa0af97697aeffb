#include "tests/support/adapter_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

int adapter_call(const char *config, const char *method, const ProtobufCMessage *request, struct fake_op *op) {
  const trammel_head head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0};
  const trammel_adapter *adapter = trammel_adapter_entry_v1(&head);
  assert_non_null(adapter);
  trammel_op *handle = (trammel_op *)(void *)op;
  trammel_instance *instance = NULL;
  int status = adapter->create(&fake_host, (trammel_str){config, strlen(config)}, &instance, handle);
  if (status != TRAMMEL_OK)
    return status;
  size_t length = protobuf_c_message_get_packed_size(request);
  uint8_t *data = malloc(length + 1);
  assert_non_null(data);
  (void)protobuf_c_message_pack(request, data);
  status =
      adapter->call(instance, (trammel_str){method, strlen(method)}, (trammel_str){(const char *)data, length}, handle);
  free(data);
  adapter->destroy(instance);
  return status;
}
