/* The calling side. */
#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/rpc/core/call.h"
#include "host/rpc/core/library.h"

struct rpc_channel {
  grpc_channel *channel;
  char *authorization; /* of each call; NULL: none */
  int watched; /* a duplicate of the socket, since gRPC tells nothing of a connection that it was given; -1: its own */
};

int rpc_channel_create(int fd, struct rpc_channel **ret_channel, struct error **err) {
  struct rpc_channel *channel = calloc(1, sizeof *channel);
  int watched = channel ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (watched < 0) {
    int code = channel ? errno : ENOMEM;
    free(channel);
    (void)close(fd);
    return error_set(err, code, "no channel: %s", strerror(code));
  }
  channel->watched = watched;
  library_open();
  grpc_arg arguments[LIBRARY_ARGUMENTS];
  const grpc_channel_args all = library_arguments(arguments, RPC_MESSAGE_MAX);
  grpc_channel_credentials *none = grpc_insecure_credentials_create();
  channel->channel = grpc_channel_create_from_fd("adapter", fd, none, &all);
  grpc_channel_credentials_release(none);
  *ret_channel = channel;
  return 0;
}

bool rpc_channel_lost(const struct rpc_channel *channel) {
  struct pollfd fd = {.fd = channel->watched, .events = POLLRDHUP};
  return poll(&fd, 1, 0) > 0;
}

/* How long gRPC waits before it connects again, when that failed before. */
#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 5000

/* The library's, and: a connection of its own that stays while nothing is called, and goes where the address says, not
 * to a proxy of the environment or by what DNS says of services. */
#define CONNECT_ARGUMENTS (LIBRARY_ARGUMENTS + 6)
static grpc_channel_args connect_arguments(grpc_arg room[CONNECT_ARGUMENTS]) {
  static const struct {
    const char *key;
    int value;
  } own[] = {{GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1},
             {GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX},
             {GRPC_ARG_ENABLE_HTTP_PROXY, 0},
             {GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1},
             {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_MIN_MS},
             {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS}};
  (void)library_arguments(room, RPC_MESSAGE_MAX);
  for (size_t i = 0; i < CONNECT_ARGUMENTS - LIBRARY_ARGUMENTS; i++)
    room[LIBRARY_ARGUMENTS + i] =
        (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)own[i].key, .value.integer = own[i].value};
  return (grpc_channel_args){.num_args = CONNECT_ARGUMENTS, .args = room};
}

int rpc_channel_connect(const char *address, const struct rpc_identity *identity, struct rpc_channel **ret_channel,
                        struct error **err) {
  _cleanup_free_ char *target = NULL;
  struct rpc_channel *channel = calloc(1, sizeof *channel);
  if (!channel || asprintf(&target, "dns:///%s", address) < 0) {
    free(channel);
    target = NULL;
    return error_set(err, ENOMEM, "out of memory");
  }
  library_open();
  grpc_arg arguments[CONNECT_ARGUMENTS];
  const grpc_channel_args all = connect_arguments(arguments);
  grpc_ssl_pem_key_cert_pair own = {.private_key = identity->key, .cert_chain = identity->certificate};
  grpc_channel_credentials *credentials =
      grpc_ssl_credentials_create_ex(identity->ca, identity->certificate ? &own : NULL, NULL, NULL);
  channel->watched = -1;
  channel->channel = grpc_channel_create(target, credentials, &all);
  grpc_channel_credentials_release(credentials);
  *ret_channel = channel;
  return 0;
}

static void forget(char *authorization) {
  if (authorization)
    explicit_bzero(authorization, strlen(authorization));
  free(authorization);
}

int rpc_channel_authorize(struct rpc_channel *channel, const char *authorization) {
  char *copy = authorization ? strdup(authorization) : NULL;
  if (authorization && !copy)
    return -ENOMEM;
  forget(channel->authorization);
  channel->authorization = copy;
  return 0;
}

void rpc_channel_destroy(struct rpc_channel *channel) {
  if (!channel)
    return;
  grpc_channel_destroy(channel->channel);
  close_p(&channel->watched);
  forget(channel->authorization);
  free(channel);
  library_close();
}

static gpr_timespec deadline_of(int64_t deadline_ns) {
  return (gpr_timespec){.tv_sec = deadline_ns / 1000000000,
                        .tv_nsec = (int32_t)(deadline_ns % 1000000000),
                        .clock_type = GPR_CLOCK_MONOTONIC};
}

static void begin(struct rpc_call *call, const char *authorization, const void *data, size_t length) {
  grpc_byte_buffer *message = message_of(data, length);
  grpc_metadata header = {.key = grpc_slice_from_static_string("authorization"),
                          .value = authorization ? grpc_slice_from_copied_string(authorization) : grpc_empty_slice()};
  const grpc_op start[] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA,
       .data.send_initial_metadata = {.count = authorization ? 1 : 0, .metadata = &header}},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
  };
  const grpc_op end[] = {{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                          .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                                         .status = &call->status,
                                                         .status_details = &call->text}}};
  (void)call_begin(call, &call->ending, end, 1);
  (void)call_begin(call, &call->starting, start, 2);
  grpc_slice_unref(header.value);
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
  begin(call, channel->authorization, data, length);
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
  (void)call_wait(&call->sending);
  (void)call_wait(&call->ending);
  call_finish(call);
  free(call);
}
