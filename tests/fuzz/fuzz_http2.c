/* Bytes as what a target of load says by HTTP/2, behind a real socket: nothing crashes, and each request ends once. The
 * first byte says how many requests are on their way, in its highest bit that they have a body, and in the next one
 * that they are calls of gRPC: without a body, of a health check. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/load/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS 8

static char buffer[64 * 1024];

static struct target *make_target(uint8_t kind) {
  struct target *target = NULL;
  bool with_body = kind & 0x80, grpc = kind & 0x40;
  const struct target_options options = {.url = "http://h/",
                                         .body = with_body ? "some bytes" : NULL,
                                         .body_length = with_body ? 10 : 0,
                                         .http2 = true,
                                         .grpc = grpc && with_body ? "a.B/C" : NULL,
                                         .grpc_messages = grpc && with_body ? 3 : 0,
                                         .grpc_health = grpc && !with_body ? "" : NULL,
                                         .streams = STREAMS};
  if (target_create(&options, &target, NULL) < 0)
    abort();
  return target;
}

static void feed(struct connection *connection, struct connection_context *context, int peer, const uint8_t *data,
                 size_t size) {
  for (size_t at = 0; connection->state != CONNECTION_DOWN && at < size;) {
    size_t piece = size - at < 4096 ? size - at : 4096;
    if (send(peer, data + at, piece, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)piece)
      abort();
    at += piece;
    transport_wake(&connection->transport, false);
    http2_protocol.receive(connection, context, 2);
    while (recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
      continue;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct schedule schedule = {.kind = SCHEDULE_CLOSED, .duration_ns = 1000};
  struct exchange exchanges[STREAMS] = {0};
  struct connection connection;
  struct tally tally;
  struct pacer pacer;
  int ends[2];
  if (size < 1 || tally_init(&tally, NULL) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
    return 0;
  struct target *target = make_target(data[0]);
  struct connection_context context = {.target = target,
                                       .protocol = &http2_protocol,
                                       .pacer = &pacer,
                                       .tally = &tally,
                                       .buffer = buffer,
                                       .buffer_size = sizeof(buffer)};
  pacer_begin(&pacer, &schedule, 0, 1, 0, &tally);
  connection_init(&connection, 0, exchanges, STREAMS);
  if (transport_open(&connection.transport, ends[0], NULL) < 0)
    abort();
  connection.state = CONNECTION_UP;
  connection.limit = STREAMS;
  http2_protocol.open(&connection, &context, 1);
  unsigned requests = (data[0] & 0x3f) % (STREAMS + 1);
  for (unsigned i = 0; i < requests; i++) {
    const struct shot shot = {.due_ns = 1, .sent_ns = 1};
    connection_send(&connection, &context, &shot, 1);
  }
  connection_push(&connection, &context, 1);
  feed(&connection, &context, ends[1], data + 1, size - 1);
  (void)close(ends[1]);
  if (connection.state != CONNECTION_DOWN) {
    transport_wake(&connection.transport, true);
    http2_protocol.receive(&connection, &context, 3);
  }
  connection_finish(&connection, &context, 4);
  if (tally.scheduled != requests || tally.completed + tally.failed != requests || context.on_their_way != 0)
    abort();
  uint64_t calls = 0;
  for (int i = 0; i < GRPC_STATUS_COUNT; i++)
    calls += tally.grpc_statuses[i];
  if (calls != (target->protocol == TARGET_GRPC ? tally.completed : 0))
    abort();
  tally_finish(&tally);
  target_destroy(target);
  return 0;
}
