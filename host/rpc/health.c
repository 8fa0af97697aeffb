/* grpc.health.v1. */
#include <string.h>
#include <time.h>

#include "grpc/health/v1/health.pb-c.h"
#include "host/rpc/descriptors.h"
#include "host/rpc/methods.h"

typedef Grpc__Health__V1__HealthCheckRequest request;
typedef Grpc__Health__V1__HealthCheckResponse response;

/* How often one that watches is looked after. */
#define LOOK_MS 250

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving;

static serving status_now(struct service *service) {
  return atomic_load(&service->stopping) ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
                                         : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
}

static bool is_known(const char *name) {
  return *name == '\0' || descriptors_serve(name);
}

int serve_health_check(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  int status = message_receive_one(call, &grpc__health__v1__health_check_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  if (!is_known(((const request *)asked)->service))
    return status_with(STATUS_NOT_FOUND, ret_text, "there is no such service");
  response answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  answer.status = status_now(service);
  return message_send_last(call, &answer.base, ret_text);
}

int serve_health_watch(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  int status = message_receive_one(call, &grpc__health__v1__health_check_request__descriptor, &asked, ret_text);
  const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
  int told = -1;
  while (status == STATUS_OK && !atomic_load(rpc_call_cancelled(call))) {
    response answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    answer.status = is_known(((const request *)asked)->service)
                        ? status_now(service)
                        : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    if ((int)answer.status != told)
      status = message_send(call, &answer.base, ret_text);
    told = (int)answer.status;
    (void)nanosleep(&pause, NULL);
  }
  return status;
}
