#include "tests/integration/adapter/probe_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct instance *probe_create(const struct adapter_entry *probe, const struct adapter_http *http) {
  struct instance *instance = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (instance_create(probe, NULL, http, NULL, &instance, &err) < 0)
    fail_msg("%s", error_message(err));
  return instance;
}

int probe_call(struct instance *instance, const char *method, const char *argument, const struct call_options *options,
               char ret_text[PROBE_TEXT_SIZE], struct error **err) {
  Trammel__Adapter__V1__InvokeRequest request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  ProtobufCMessage *response = NULL;
  request.operation = (char *)(uintptr_t)argument;
  int r = instance_call(instance, method, &request.base, PROBE_EVENT, options, &response, err);
  if (r < 0)
    return r;
  if (ret_text)
    (void)snprintf(ret_text, PROBE_TEXT_SIZE, "%s", ((Trammel__Adapter__V1__InvokeEvent *)response)->summary);
  protobuf_c_message_free_unpacked(response, NULL);
  return r;
}
