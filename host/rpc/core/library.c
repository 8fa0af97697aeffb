#include "host/rpc/core/library.h"

#include "host/rpc/core/rpc.h"

void library_open(void) {
  grpc_init();
}

void library_close(void) {
  grpc_shutdown();
}

grpc_channel_args library_arguments(grpc_arg room[LIBRARY_ARGUMENTS]) {
  static char received[] = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, sent[] = GRPC_ARG_MAX_SEND_MESSAGE_LENGTH,
              retries[] = GRPC_ARG_ENABLE_RETRIES;
  room[0] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = received, .value.integer = (int)RPC_MESSAGE_MAX};
  room[1] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = sent, .value.integer = (int)RPC_MESSAGE_MAX};
  room[2] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = retries, .value.integer = 0};
  return (grpc_channel_args){.num_args = LIBRARY_ARGUMENTS, .args = room};
}
