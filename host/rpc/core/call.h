/* What a call is on both sides. For channel.c and server.c. */
#ifndef TRAMMEL_HOST_RPC_CORE_CALL_H
#define TRAMMEL_HOST_RPC_CORE_CALL_H

#include <grpc/grpc.h>
#include <semaphore.h>

#include "host/rpc/core/rpc.h"

/* How long a thread looks for what it waits for before it sleeps: as long as a few wake-ups take. */
#define LOOK_NS (100 * INT64_C(1000))

/* A batch under way; its address is the tag. */
struct operation {
  struct rpc_call *call;
  void (*over)(struct operation *operation); /* on the server's thread, for served calls; NULL: `done` is posted */
  sem_t done;
  bool success;
  bool begun;   /* at any time */
  bool pending; /* begun, and not waited for */
};

struct rpc_call {
  grpc_call *call;
  grpc_completion_queue *queue; /* of a call that was made: its own, for grpc_completion_queue_pluck(). NULL: served */
  struct operation starting, sending, receiving, ending;
  bool begun; /* initial metadata: received by who calls, sent by who serves */
  grpc_metadata_array initial, trailing;
  grpc_status_code status; /* of a call that was made, once `ending` is over */
  grpc_slice text;
  grpc_call_details details; /* of a served call */
  grpc_byte_buffer *message; /* what `receiving` fills in */
  grpc_byte_buffer *last;    /* of a served call: goes with its status */
  int gone;                  /* what gRPC says at its end */
  atomic_bool cancelled;
  const void *context; /* of a served call: rpc_call_set_context() */
};

void call_init(struct rpc_call *call);
void call_finish(struct rpc_call *call);

/* Begins a batch; false when gRPC takes none any more. */
bool call_begin(struct rpc_call *call, struct operation *operation, const grpc_op *ops, size_t count);
/* Waits for it, when it was begun; whether it succeeded. */
bool call_wait(struct operation *operation);
/* The same; of a call that was made also cancels it once `cancel` is true. */
bool call_wait_or_cancel(struct operation *operation, const atomic_bool *cancel);

/* Whether to look once more, until `until_ns` of the monotonic clock. Lets others run first: the other side may have
 * been put on this very processor. */
bool looks_on(int64_t until_ns);

/* Begins to receive a message, when that is not begun; false when gRPC takes no batch any more. */
bool call_receive(struct rpc_call *call);

grpc_byte_buffer *message_of(const void *data, size_t length);

#endif
