/* A peer that compresses what it sends, as gRPC lets it: a limit on what is received must hold for what that becomes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/impl/codegen/compression_types.h>

#include "host/rpc/core/rpc.h"
#include "sdk/base/clock.h"

enum { SENT_MIB = 256, GROWN_MIB = 64 };

static bool next_event(grpc_completion_queue *queue) {
  gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(30, GPR_TIMESPAN));
  return grpc_completion_queue_next(queue, until, NULL).type == GRPC_OP_COMPLETE;
}

static grpc_server *serve_at(int fd, grpc_completion_queue *queue) {
  grpc_arg all[] = {
      {.type = GRPC_ARG_INTEGER,
       .key = (char *)(uintptr_t)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
       .value.integer = GRPC_COMPRESS_GZIP},
      {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, .value.integer = -1}};
  const grpc_channel_args arguments = {sizeof all / sizeof all[0], all};
  grpc_server_credentials *none = grpc_insecure_server_credentials_create();
  grpc_server *server = grpc_server_create(&arguments, NULL);
  grpc_server_register_completion_queue(server, queue, NULL);
  grpc_server_start(server);
  grpc_server_add_channel_from_fd(server, fd, none);
  grpc_server_credentials_release(none);
  return server;
}

/* Answers one call with zeros, and waits for the end of the connection. The exit status. */
static int send_zeros(int fd) {
  grpc_init();
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  grpc_server *server = serve_at(fd, queue);
  grpc_call *call = NULL;
  grpc_call_details details;
  grpc_metadata_array metadata;
  grpc_call_details_init(&details);
  grpc_metadata_array_init(&metadata);
  if (grpc_server_request_call(server, &call, &details, &metadata, queue, queue, NULL) != GRPC_CALL_OK ||
      !next_event(queue))
    return 1;
  char *zeros = calloc(SENT_MIB, 1 << 20);
  if (!zeros)
    return 1;
  grpc_slice slice = grpc_slice_from_static_buffer(zeros, (size_t)SENT_MIB << 20);
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
  int cancelled = 0;
  const grpc_op ops[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                         {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
                         {.op = GRPC_OP_SEND_STATUS_FROM_SERVER},
                         {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &cancelled}};
  if (grpc_call_start_batch(call, ops, sizeof ops / sizeof ops[0], NULL, NULL) != GRPC_CALL_OK)
    return 1;
  return next_event(queue) ? 0 : 1;
}

static long peak_mib(void) {
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss / 1024;
}

static void a_compressed_message_is_not_unpacked(void **state) {
  (void)state;
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  pid_t peer = fork();
  assert_true(peer >= 0);
  if (peer == 0) {
    (void)close(pair[0]);
    _exit(send_zeros(pair[1]));
  }
  (void)close(pair[1]);
  long before = peak_mib();
  struct rpc_channel *channel = NULL;
  struct rpc_call *call = NULL;
  struct rpc_status status;
  uint8_t *data = NULL;
  size_t length = 0;
  assert_int_equal(rpc_channel_create(pair[0], &channel, NULL), 0);
  assert_int_equal(rpc_call_start(channel, "/test/Zeros", clock_in_ns(60 * NS_PER_SECOND), "x", 1, &call), 0);
  int r = rpc_receive(call, NULL, &data, &length);
  rpc_call_finish(call, &status);
  rpc_call_destroy(call);
  free(status.text);
  rpc_channel_destroy(channel);
  print_message("received: %d; %d MiB sent, %ld MiB more memory at the peak\n", r, SENT_MIB, peak_mib() - before);
  assert_int_equal(r, -EPROTO);
  assert_true(peak_mib() - before < GROWN_MIB);
  int ended = 0;
  assert_int_equal(waitpid(peer, &ended, 0), peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_compressed_message_is_not_unpacked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
