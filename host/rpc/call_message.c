#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/rpc/methods.h"

int status_with(int status, char **ret_text, const char *text) {
  *ret_text = strdup(text);
  return status;
}

static int status_not_text(char **ret_text, const char *field) {
  if (asprintf(ret_text, "%s of the request is not UTF-8", field) < 0)
    *ret_text = NULL;
  return STATUS_INVALID_ARGUMENT;
}

int status_of(int r, const struct error *err, char **ret_text) {
  static const struct {
    int code, status;
  } known[] = {
      {EINVAL, STATUS_INVALID_ARGUMENT},     {ENOENT, STATUS_NOT_FOUND},          {EAGAIN, STATUS_RESOURCE_EXHAUSTED},
      {ESHUTDOWN, STATUS_UNAVAILABLE},       {ENOSPC, STATUS_RESOURCE_EXHAUSTED}, {EROFS, STATUS_FAILED_PRECONDITION},
      {EREMOTE, STATUS_FAILED_PRECONDITION}, {EBUSY, STATUS_UNAVAILABLE},         {ECONNREFUSED, STATUS_UNAVAILABLE},
      {ECONNRESET, STATUS_UNAVAILABLE},      {EINPROGRESS, STATUS_UNAVAILABLE},   {ECANCELED, STATUS_CANCELLED},
      {EEXIST, STATUS_ALREADY_EXISTS},       {EPERM, STATUS_PERMISSION_DENIED},   {E2BIG, STATUS_RESOURCE_EXHAUSTED}};
  int status = STATUS_INTERNAL;
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
    if (r == -known[i].code)
      status = known[i].status;
  return status_with(status, ret_text, err ? error_message(err) : strerror(-r));
}

int message_receive(struct rpc_call *call, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                    char **ret_text) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = rpc_receive(call, NULL, &data, &length);
  if (r < 0)
    return r == -EPROTO ? status_with(STATUS_UNIMPLEMENTED, ret_text, "compressed messages are not taken")
                        : status_of(r, NULL, ret_text);
  *ret_message = NULL;
  if (r == 0)
    return STATUS_OK;
  if (length > SERVICE_REQUEST_MAX)
    return status_with(STATUS_RESOURCE_EXHAUSTED, ret_text, "a request has at most 1 MiB");
  _cleanup_message_ ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, length, data);
  if (!message)
    return status_with(STATUS_INVALID_ARGUMENT, ret_text, "the request cannot be decoded");
  const char *field = message_invalid_text(message);
  if (field)
    return status_not_text(ret_text, field);
  *ret_message = take(message);
  return STATUS_OK;
}

int message_receive_one(struct rpc_call *call, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                        char **ret_text) {
  int status = message_receive(call, type, ret_message, ret_text);
  return status == STATUS_OK && !*ret_message
             ? status_with(STATUS_INVALID_ARGUMENT, ret_text, "the call has no request")
             : status;
}

static uint8_t *pack(const ProtobufCMessage *message, size_t *ret_length) {
  *ret_length = protobuf_c_message_get_packed_size(message);
  uint8_t *data = malloc(*ret_length + 1);
  if (data)
    (void)protobuf_c_message_pack(message, data);
  return data;
}

int message_send(struct rpc_call *call, const ProtobufCMessage *message, char **ret_text) {
  size_t length = 0;
  _cleanup_free_ uint8_t *data = pack(message, &length);
  int r = data ? rpc_send(call, data, length) : -ENOMEM;
  return r < 0 ? status_of(r, NULL, ret_text) : STATUS_OK;
}

int message_send_last(struct rpc_call *call, const ProtobufCMessage *message, char **ret_text) {
  size_t length = 0;
  _cleanup_free_ uint8_t *data = pack(message, &length);
  if (!data)
    return status_of(-ENOMEM, NULL, ret_text);
  rpc_send_last(call, data, length);
  return STATUS_OK;
}
