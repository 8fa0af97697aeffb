/* Bytes as what a target of echo sends, behind a real socket: nothing crashes, and each request ends once. The first
 * byte says how many requests there are, and in its highest bit that they are datagrams; then follow pieces, each
 * behind its length: in its highest bit it says that what was sent comes back first, as long as the rest of it says. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/load/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS 8

static char buffer[64 * 1024];

static struct target *make_target(bool datagrams) {
  struct target *target = NULL;
  const struct target_options options = {.url = datagrams ? "udp://h:1" : "tcp://h:1",
                                         .body = "some bytes",
                                         .body_length = 10,
                                         .streams = datagrams ? STREAMS : 1};
  if (target_create(&options, &target, NULL) < 0)
    abort();
  return target;
}

static void put(int peer, const void *data, size_t length) {
  if (send(peer, data, length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)length)
    abort();
}

static void feed(struct connection *connection, struct connection_context *context, int peer, const uint8_t *data,
                 size_t size) {
  char sent[256];
  while (connection->state != CONNECTION_DOWN && size > 0) {
    size_t length = data[0] & 0x7fU;
    ssize_t n;
    if (data[0] & 0x80 && (n = recv(peer, sent, sizeof(sent), MSG_DONTWAIT)) > 0)
      put(peer, sent, (size_t)n < length ? (size_t)n : length);
    data++;
    size--;
    length = length < size ? length : size;
    put(peer, data, length);
    data += length;
    size -= length;
    transport_wake(&connection->transport, false);
    context->protocol->receive(connection, context, 2);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct schedule schedule = {.kind = SCHEDULE_CLOSED, .duration_ns = 1000};
  struct exchange exchanges[STREAMS] = {0};
  struct connection connection;
  struct tally tally;
  struct pacer pacer;
  int ends[2];
  bool datagrams = size > 0 && data[0] & 0x80;
  if (size < 1 || tally_init(&tally, NULL) < 0 ||
      socketpair(AF_UNIX, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0, ends) < 0)
    return 0;
  struct target *target = make_target(datagrams);
  struct connection_context context = {.target = target,
                                       .protocol = protocol_of(target),
                                       .pacer = &pacer,
                                       .tally = &tally,
                                       .buffer = buffer,
                                       .buffer_size = sizeof(buffer)};
  pacer_begin(&pacer, &schedule, 0, 1, 0, &tally);
  connection_init(&connection, 0, exchanges, target->streams);
  if (transport_open(&connection.transport, ends[0], NULL) < 0)
    abort();
  connection.state = CONNECTION_GREETING;
  context.protocol->open(&connection, &context, 1);
  unsigned requests = data[0] % (target->streams + 1);
  for (unsigned i = 0; i < requests; i++) {
    const struct shot shot = {.due_ns = 1, .sent_ns = 1};
    connection_send(&connection, &context, &shot, 1);
  }
  connection_push(&connection, &context, 1);
  feed(&connection, &context, ends[1], data + 1, size - 1);
  for (unsigned i = 0; connection.state == CONNECTION_UP && i < target->streams; i += 2)
    if (exchanges[i].taken)
      context.protocol->give_up(&connection, &context, &exchanges[i], 3);
  (void)close(ends[1]);
  connection_finish(&connection, &context, 4);
  if (tally.scheduled != requests || tally.completed + tally.failed + tally.censored != requests ||
      context.on_their_way != 0)
    abort();
  tally_finish(&tally);
  target_destroy(target);
  return 0;
}
