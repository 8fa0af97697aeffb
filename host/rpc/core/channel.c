/* The calling side. */
#include <errno.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/rpc/core/call.h"
#include "host/rpc/core/library.h"

struct rpc_channel {
  grpc_channel *channel;
};

int rpc_channel_create(int fd, struct rpc_channel **ret_channel, struct error **err) {
  struct rpc_channel *channel = calloc(1, sizeof *channel);
  if (!channel) {
    (void)close(fd);
    return error_set(err, ENOMEM, "out of memory");
  }
  library_open();
  grpc_arg arguments[LIBRARY_ARGUMENTS];
  const grpc_channel_args all = library_arguments(arguments);
  grpc_channel_credentials *none = grpc_insecure_credentials_create();
  channel->channel = grpc_channel_create_from_fd("adapter", fd, none, &all);
  grpc_channel_credentials_release(none);
  *ret_channel = channel;
  return 0;
}

void rpc_channel_destroy(struct rpc_channel *channel) {
  if (!channel)
    return;
  grpc_channel_destroy(channel->channel);
  free(channel);
  library_close();
}

static gpr_timespec deadline_of(int64_t deadline_ns) {
  return (gpr_timespec){.tv_sec = deadline_ns / 1000000000,
                        .tv_nsec = (int32_t)(deadline_ns % 1000000000),
                        .clock_type = GPR_CLOCK_MONOTONIC};
}

static void begin(struct rpc_call *call, const void *data, size_t length) {
  grpc_byte_buffer *message = message_of(data, length);
  const grpc_op start[] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
  };
  const grpc_op end[] = {{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                          .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                                         .status = &call->status,
                                                         .status_details = &call->text}}};
  (void)call_begin(call, &call->ending, end, 1);
  (void)call_begin(call, &call->starting, start, 2);
  grpc_byte_buffer_destroy(message);
}

int rpc_call_start(struct rpc_channel *channel, const char *method, int64_t deadline_ns, const void *data,
                   size_t length, struct rpc_call **ret_call) {
  struct rpc_call *call = calloc(1, sizeof *call);
  if (!call)
    return -ENOMEM;
  call_init(call);
  call->queue = grpc_completion_queue_create_for_pluck(NULL);
  grpc_slice name = grpc_slice_from_copied_string(method);
  call->call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS, call->queue, name, NULL,
                                        deadline_of(deadline_ns), NULL);
  grpc_slice_unref(name);
  begin(call, data, length);
  *ret_call = call;
  return 0;
}

void rpc_call_finish(struct rpc_call *call, struct rpc_status *ret_status) {
  (void)call_wait(&call->ending);
  *ret_status = (struct rpc_status){.code = (int)call->status};
  if (GRPC_SLICE_LENGTH(call->text) > 0)
    ret_status->text = strndup((const char *)GRPC_SLICE_START_PTR(call->text), GRPC_SLICE_LENGTH(call->text));
}

void rpc_call_destroy(struct rpc_call *call) {
  if (!call)
    return;
  if (call->ending.pending)
    rpc_cancel(call);
  (void)call_wait(&call->starting);
  (void)call_wait(&call->ending);
  call_finish(call);
  free(call);
}
