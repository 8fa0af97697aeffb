#include "host/rpc/core/library.h"

#include <grpc/support/log.h>
#include <stdlib.h>

#include "host/rpc/core/rpc.h"

/* What the other side sends must not get to the terminal this way; what matters is in the calls' statuses. */
static void drop(gpr_log_func_args *line) {
  (void)line;
}

void library_open(void) {
  if (!getenv("GRPC_VERBOSITY")) /* gRPC's own, for whoever looks for a fault */
    gpr_set_log_function(drop);
  grpc_init();
}

void library_close(void) {
  grpc_shutdown();
}

grpc_channel_args library_arguments(grpc_arg room[LIBRARY_ARGUMENTS], size_t receive_max) {
  static char received[] = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, sent[] = GRPC_ARG_MAX_SEND_MESSAGE_LENGTH,
              retries[] = GRPC_ARG_ENABLE_RETRIES, probe[] = GRPC_ARG_HTTP2_BDP_PROBE,
              decompression[] = GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION;
  room[0] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = received, .value.integer = (int)receive_max};
  room[1] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = sent, .value.integer = (int)RPC_MESSAGE_MAX};
  room[2] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = retries, .value.integer = 0};
  /* The probe widens the window for a peer that sends fast, to hundreds of MiB for one that never ends a message. */
  room[3] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = probe, .value.integer = 0};
  /* It would come before the limit on what is received. */
  room[4] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = decompression, .value.integer = 0};
  return (grpc_channel_args){.num_args = LIBRARY_ARGUMENTS, .args = room};
}
