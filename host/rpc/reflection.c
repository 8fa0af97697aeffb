/* grpc.reflection.v1, and v1alpha, whose messages are encoded the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "host/rpc/descriptors.h"
#include "host/rpc/methods.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest request;
typedef Grpc__Reflection__V1__ServerReflectionResponse response;
typedef Grpc__Reflection__V1__ServiceResponse named;

#define SERVICES_MAX 16

struct names {
  char text[SERVICES_MAX][256];
  size_t count;
};

static void add_name(void *ctx, const char *name) {
  struct names *names = ctx;
  if (names->count < SERVICES_MAX)
    (void)snprintf(names->text[names->count++], sizeof(names->text[0]), "%s", name);
}

static int send_services(struct rpc_call *call, response *answer, char **ret_text) {
  struct names names = {.count = 0};
  named services[SERVICES_MAX];
  named *list[SERVICES_MAX];
  Grpc__Reflection__V1__ListServiceResponse all = GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
  descriptors_services(add_name, &names);
  for (size_t i = 0; i < names.count; i++) {
    services[i] = (named)GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
    services[i].name = names.text[i];
    list[i] = &services[i];
  }
  all.n_service = names.count;
  all.service = list;
  answer->message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
  answer->list_services_response = &all;
  int status = message_send(call, &answer->base, ret_text);
  answer->list_services_response = NULL;
  return status;
}

static int send_error(struct rpc_call *call, response *answer, int code, const char *why, char **ret_text) {
  char text[64];
  Grpc__Reflection__V1__ErrorResponse wrong = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
  (void)snprintf(text, sizeof(text), "%s", why);
  wrong.error_code = code;
  wrong.error_message = text;
  answer->message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
  answer->error_response = &wrong;
  int status = message_send(call, &answer->base, ret_text);
  answer->error_response = NULL;
  return status;
}

static int send_file(struct rpc_call *call, response *answer, bool found, const struct descriptor *descriptor,
                     char **ret_text) {
  if (!found)
    return send_error(call, answer, STATUS_NOT_FOUND, "nothing of that name is served", ret_text);
  ProtobufCBinaryData data = {.len = descriptor->length, .data = (uint8_t *)(uintptr_t)descriptor->data};
  Grpc__Reflection__V1__FileDescriptorResponse file = GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
  file.n_file_descriptor_proto = 1;
  file.file_descriptor_proto = &data;
  answer->message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
  answer->file_descriptor_response = &file;
  int status = message_send(call, &answer->base, ret_text);
  answer->file_descriptor_response = NULL;
  return status;
}

static int answer_one(struct rpc_call *call, request *asked, char **ret_text) {
  response answer = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  struct descriptor descriptor = {0};
  bool found;
  answer.valid_host = asked->host;
  answer.original_request = asked;
  switch (asked->message_request_case) {
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
    return send_services(call, &answer, ret_text);
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
    found = descriptors_of_file(asked->file_by_filename, &descriptor);
    return send_file(call, &answer, found, &descriptor, ret_text);
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
    found = descriptors_of_symbol(asked->file_containing_symbol, &descriptor);
    return send_file(call, &answer, found, &descriptor, ret_text);
  default:
    return send_error(call, &answer, STATUS_UNIMPLEMENTED, "not served: there are no extensions", ret_text);
  }
}

int serve_reflection(struct service *service, struct rpc_call *call, char **ret_text) {
  (void)service;
  for (;;) {
    _cleanup_message_ ProtobufCMessage *asked = NULL;
    int status = message_receive(call, &grpc__reflection__v1__server_reflection_request__descriptor, &asked, ret_text);
    if (status != STATUS_OK || !asked)
      return status;
    status = answer_one(call, (request *)asked, ret_text);
    if (status != STATUS_OK)
      return status;
  }
}
