#include "host/rpc/core/call.h"

#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

static void operation_init(struct operation *operation, struct rpc_call *call) {
  operation->call = call;
  (void)sem_init(&operation->done, 0, 0);
}

void call_init(struct rpc_call *call) {
  operation_init(&call->starting, call);
  operation_init(&call->sending, call);
  operation_init(&call->receiving, call);
  operation_init(&call->ending, call);
  grpc_metadata_array_init(&call->initial);
  grpc_metadata_array_init(&call->trailing);
  grpc_call_details_init(&call->details);
  call->text = grpc_empty_slice();
}

void call_finish(struct rpc_call *call) {
  if (call->call)
    grpc_call_unref(call->call);
  if (call->queue) {
    grpc_completion_queue_shutdown(call->queue);
    grpc_completion_queue_destroy(call->queue);
  }
  grpc_metadata_array_destroy(&call->initial);
  grpc_metadata_array_destroy(&call->trailing);
  grpc_call_details_destroy(&call->details);
  grpc_slice_unref(call->text);
  if (call->message)
    grpc_byte_buffer_destroy(call->message);
  if (call->last)
    grpc_byte_buffer_destroy(call->last);
  (void)sem_destroy(&call->starting.done);
  (void)sem_destroy(&call->sending.done);
  (void)sem_destroy(&call->receiving.done);
  (void)sem_destroy(&call->ending.done);
}

bool call_begin(struct rpc_call *call, struct operation *operation, const grpc_op *ops, size_t count) {
  operation->pending = grpc_call_start_batch(call->call, ops, count, operation, NULL) == GRPC_CALL_OK;
  operation->begun |= operation->pending;
  return operation->pending;
}

static gpr_timespec next_look(bool looking) {
  return looking ? gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(RPC_CANCEL_POLL_MS, GPR_TIMESPAN))
                 : gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

static grpc_event pluck_until(struct operation *operation, gpr_timespec until) {
  return grpc_completion_queue_pluck(operation->call->queue, operation, until, NULL);
}

bool looks_on(int64_t until_ns) {
  return clock_monotonic_ns() < until_ns && sched_yield() == 0;
}

static grpc_event look(struct operation *operation) {
  const int64_t until = clock_in_ns(LOOK_NS);
  grpc_event event;
  do {
    event = pluck_until(operation, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  } while (event.type == GRPC_QUEUE_TIMEOUT && looks_on(until));
  return event;
}

static bool pluck(struct operation *operation, const atomic_bool *cancel) {
  grpc_event event = look(operation);
  for (;; event = pluck_until(operation, next_look(cancel != NULL))) {
    if (event.type != GRPC_QUEUE_TIMEOUT)
      return event.type == GRPC_OP_COMPLETE && event.success;
    if (cancel && atomic_load(cancel)) {
      rpc_cancel(operation->call);
      cancel = NULL;
    }
  }
}

bool call_wait_or_cancel(struct operation *operation, const atomic_bool *cancel) {
  if (!operation->pending)
    return operation->success;
  if (operation->call->queue)
    operation->success = pluck(operation, cancel);
  else
    while (sem_wait(&operation->done) < 0)
      continue;
  operation->pending = false;
  return operation->success;
}

bool call_wait(struct operation *operation) {
  return call_wait_or_cancel(operation, NULL);
}

grpc_byte_buffer *message_of(const void *data, size_t length) {
  grpc_slice slice = grpc_slice_from_copied_buffer(data, length);
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return message;
}

/* Who serves does not wait until its message is out: the status may go with it, and one message under way is as much as
 * is needed for a slow receiver to be felt. */
int rpc_send(struct rpc_call *call, const void *data, size_t length) {
  (void)call_wait(&call->starting); /* one message at a time */
  if (call->sending.begun && !call_wait(&call->sending))
    return -ECANCELED;
  grpc_byte_buffer *message = message_of(data, length);
  bool serves = !call->queue;
  bool first = serves && !call->begun;
  const grpc_op ops[] = {
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
  };
  bool sent = call_begin(call, &call->sending, ops, first ? 2 : 1) && (serves || call_wait(&call->sending));
  call->begun |= first;
  grpc_byte_buffer_destroy(message);
  return sent ? 0 : -ECANCELED;
}

static int read_all(grpc_byte_buffer *message, uint8_t *data, size_t length) {
  grpc_byte_buffer_reader reader;
  grpc_slice slice;
  size_t done = 0;
  if (!grpc_byte_buffer_reader_init(&reader, message))
    return -EPROTO;
  while (grpc_byte_buffer_reader_next(&reader, &slice)) {
    memcpy(data + done, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    done += GRPC_SLICE_LENGTH(slice);
    grpc_slice_unref(slice);
  }
  grpc_byte_buffer_reader_destroy(&reader);
  return done == length ? 0 : -EPROTO;
}

/* Takes the message. */
static int copy_out(grpc_byte_buffer *message, uint8_t **ret_data, size_t *ret_length) {
  bool plain = message->type == GRPC_BB_RAW && message->data.raw.compression == GRPC_COMPRESS_NONE;
  size_t length = grpc_byte_buffer_length(message);
  uint8_t *data = malloc(length + 1);
  int r = !plain ? -EPROTO : data ? read_all(message, data, length) : -ENOMEM;
  grpc_byte_buffer_destroy(message);
  if (r < 0) {
    free(data);
    return r;
  }
  *ret_data = data;
  *ret_length = length;
  return 1;
}

bool call_receive(struct rpc_call *call) {
  bool first = call->queue && !call->begun;
  const grpc_op ops[] = {
      {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->message},
      {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &call->initial},
  };
  if (call->queue)
    call->begun = true;
  return call->receiving.pending || call_begin(call, &call->receiving, ops, first ? 2 : 1);
}

int rpc_receive(struct rpc_call *call, const atomic_bool *cancel, uint8_t **ret_data, size_t *ret_length) {
  bool received = call_receive(call) && call_wait_or_cancel(&call->receiving, cancel);
  grpc_byte_buffer *message = take(call->message);
  if (received && message)
    return copy_out(message, ret_data, ret_length);
  if (message)
    grpc_byte_buffer_destroy(message);
  return 0;
}

void rpc_cancel(struct rpc_call *call) {
  (void)grpc_call_cancel(call->call, NULL);
}
