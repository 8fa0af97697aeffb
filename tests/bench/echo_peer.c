#include "tests/bench/echo_peer.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_MESSAGE_MAX 65536

struct echo_peer {
  pid_t pid;
  int fd;
  grpc_channel *channel; /* made by the first call */
  grpc_completion_queue *queue;
};

/* ---- the other side */

struct served {
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array initial;
  grpc_byte_buffer *message;
  int cancelled;
};

static bool next(grpc_completion_queue *queue) {
  return grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).success;
}

static bool run(struct served *served, grpc_completion_queue *queue, const grpc_op *ops, size_t count) {
  return grpc_call_start_batch(served->call, ops, count, served, NULL) == GRPC_CALL_OK && next(queue);
}

/* Everything on one thread, the answer and the status in one batch. */
static bool serve_one(grpc_server *server, grpc_completion_queue *queue) {
  struct served served = {.message = NULL};
  grpc_call_details_init(&served.details);
  grpc_metadata_array_init(&served.initial);
  if (grpc_server_request_call(server, &served.call, &served.details, &served.initial, queue, queue, &served) !=
          GRPC_CALL_OK ||
      !next(queue))
    return false;
  const grpc_op receive[] = {{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &served.message}};
  bool done = run(&served, queue, receive, 1);
  const grpc_op answer[] = {
      {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &served.cancelled},
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = served.message},
      {.op = GRPC_OP_SEND_STATUS_FROM_SERVER, .data.send_status_from_server.status = GRPC_STATUS_OK}};
  done = done && run(&served, queue, answer, 4);
  if (served.message)
    grpc_byte_buffer_destroy(served.message);
  grpc_call_unref(served.call);
  grpc_call_details_destroy(&served.details);
  grpc_metadata_array_destroy(&served.initial);
  return done;
}

static void serve_grpc(int fd) {
  grpc_init();
  grpc_server *server = grpc_server_create(NULL, NULL);
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  grpc_server_register_completion_queue(server, queue, NULL);
  grpc_server_start(server);
  grpc_server_credentials *none = grpc_insecure_server_credentials_create();
  grpc_server_add_channel_from_fd(server, fd, none);
  while (serve_one(server, queue))
    continue;
}

static void serve_socket(int fd) {
  static char data[SOCKET_MESSAGE_MAX];
  for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;)
    if (write(fd, data, (size_t)n) != n)
      return;
}

static struct echo_peer *start(void (*serve)(int fd), int flags) {
  struct echo_peer *peer = calloc(1, sizeof *peer);
  int pair[2];
  if (!peer || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, pair) < 0 || (peer->pid = fork()) < 0) {
    perror("cannot start a peer");
    exit(1);
  }
  if (peer->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(pair[0]);
    serve(pair[1]);
    _exit(1);
  }
  (void)close(pair[1]);
  peer->fd = pair[0];
  return peer;
}

struct echo_peer *grpc_peer_start(void) {
  return start(serve_grpc, SOCK_NONBLOCK);
}

struct echo_peer *socket_peer_start(void) {
  return start(serve_socket, 0);
}

void echo_peer_stop(struct echo_peer *peer) {
  (void)kill(peer->pid, SIGKILL);
  (void)waitpid(peer->pid, NULL, 0);
  if (peer->channel) {
    grpc_completion_queue_shutdown(peer->queue);
    grpc_completion_queue_destroy(peer->queue);
    grpc_channel_destroy(peer->channel);
    grpc_shutdown();
  } else {
    (void)close(peer->fd);
  }
  free(peer);
}

/* ---- this side */

static void open_channel(struct echo_peer *peer) {
  grpc_init();
  grpc_channel_credentials *none = grpc_insecure_credentials_create();
  peer->channel = grpc_channel_create_from_fd("peer", peer->fd, none, NULL);
  peer->queue = grpc_completion_queue_create_for_pluck(NULL);
  grpc_channel_credentials_release(none);
}

bool grpc_peer_call(struct echo_peer *peer, const void *data, size_t length) {
  if (!peer->channel)
    open_channel(peer);
  grpc_call *call = grpc_channel_create_call(
      peer->channel, NULL, GRPC_PROPAGATE_DEFAULTS, peer->queue, grpc_slice_from_static_string("/peer/Echo"), NULL,
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(10, GPR_TIMESPAN)), NULL);
  grpc_slice slice = grpc_slice_from_copied_buffer(data, length), text = grpc_empty_slice();
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1), *answer = NULL;
  grpc_metadata_array initial, trailing;
  grpc_status_code status = GRPC_STATUS_UNKNOWN;
  grpc_metadata_array_init(&initial);
  grpc_metadata_array_init(&trailing);
  const grpc_op ops[] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
      {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &initial},
      {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &answer},
      {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
       .data.recv_status_on_client = {.trailing_metadata = &trailing, .status = &status, .status_details = &text}},
  };
  bool done = grpc_call_start_batch(call, ops, sizeof ops / sizeof ops[0], call, NULL) == GRPC_CALL_OK &&
              grpc_completion_queue_pluck(peer->queue, call, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).success;
  done = done && status == GRPC_STATUS_OK && answer && grpc_byte_buffer_length(answer) == length;
  grpc_byte_buffer_destroy(message);
  if (answer)
    grpc_byte_buffer_destroy(answer);
  grpc_slice_unref(slice);
  grpc_slice_unref(text);
  grpc_metadata_array_destroy(&initial);
  grpc_metadata_array_destroy(&trailing);
  grpc_call_unref(call);
  return done;
}

bool socket_peer_call(struct echo_peer *peer, const void *data, size_t length) {
  static char answer[SOCKET_MESSAGE_MAX];
  if (write(peer->fd, data, length) != (ssize_t)length)
    return false;
  for (size_t done = 0; done < length;) {
    ssize_t n = read(peer->fd, answer + done, length - done);
    if (n <= 0)
      return false;
    done += (size_t)n;
  }
  return true;
}
