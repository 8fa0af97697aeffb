/* Echo over UDP: a request is a datagram that begins with a number of its own, and its answer the same datagram. What
 * comes too late, twice or from nowhere is counted apart. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "host/load/protocol.h"

enum {
  BATCH = 32,        /* datagrams of one system call */
  REMEMBERED = 1024, /* numbers, of which is known whether they were answered */
  SLOT_BITS = 16,    /* of a number: where its request is; the rest counts */
};

struct udp {
  uint64_t issued;                  /* requests */
  struct exchange *first, **end;    /* that were not sent yet */
  uint8_t answered[REMEMBERED / 8]; /* bits, by the count modulo REMEMBERED */
};

static void udp_open(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct udp *udp = connection->udp = calloc(1, sizeof(*udp));
  if (!udp) {
    connection_break(connection, context, LOAD_ERROR_SYSTEM, now_ns);
    return;
  }
  udp->end = &udp->first;
  connection->limit = context->target->streams;
  connection_stands(connection, context, now_ns);
  connection_push(connection, context, now_ns);
}

static void udp_close(struct connection *connection) {
  free(take(connection->udp));
}

/* ---- numbers */

static void note_answered(struct udp *udp, uint64_t count, bool answered) {
  unsigned place = count % REMEMBERED, bit = 1U << place % 8;
  uint8_t *byte = &udp->answered[place / 8];
  *byte = (uint8_t)(answered ? *byte | bit : *byte & ~bit);
}

static bool was_answered(const struct udp *udp, uint64_t count) {
  unsigned place = count % REMEMBERED;
  return count + REMEMBERED > udp->issued && udp->answered[place / 8] & 1U << place % 8;
}

/* ---- sending */

static void submit(struct connection *connection, struct connection_context *context, struct exchange *exchange) {
  struct udp *udp = connection->udp;
  (void)context;
  exchange->number = ++udp->issued << SLOT_BITS | (uint64_t)(exchange - connection->exchanges);
  note_answered(udp, udp->issued, false);
  exchange->next = NULL;
  *udp->end = exchange;
  udp->end = &exchange->next;
}

static unsigned gather(const struct udp *udp, const struct target *target, struct mmsghdr *messages,
                       struct iovec (*parts)[2], uint64_t *numbers) {
  unsigned count = 0;
  for (const struct exchange *exchange = udp->first; exchange && count < BATCH; exchange = exchange->next) {
    numbers[count] = htobe64(exchange->number);
    parts[count][0] = (struct iovec){.iov_base = &numbers[count], .iov_len = TARGET_UDP_NUMBER};
    parts[count][1] = (struct iovec){.iov_base = target->request + TARGET_UDP_NUMBER,
                                     .iov_len = target->request_length - TARGET_UDP_NUMBER};
    messages[count] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts[count], .msg_iovlen = 2}};
    count++;
  }
  return count;
}

static void forget_sent(struct udp *udp, unsigned count) {
  while (count-- > 0)
    udp->first = udp->first->next;
  if (!udp->first)
    udp->end = &udp->first;
}

static void push(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct udp *udp = connection->udp;
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH][2];
  uint64_t numbers[BATCH];
  while (udp->first) {
    unsigned count = gather(udp, context->target, messages, parts, numbers);
    int sent = sendmmsg(connection->transport.fd, messages, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && errno != EAGAIN)
      connection_break(connection, context, transport_error(errno), now_ns);
    if (sent < 0)
      return;
    forget_sent(udp, (unsigned)sent);
    context->tally->bytes_written += (uint64_t)sent * context->target->request_length;
  }
}

/* ---- receiving */

/* What a datagram is that answers no request. */
static void count_stray(struct connection *connection, struct connection_context *context, uint64_t number) {
  const struct udp *udp = connection->udp;
  uint64_t count = number >> SLOT_BITS;
  if (count == 0 || count > udp->issued)
    context->tally->datagrams.foreign++;
  else if (was_answered(udp, count))
    context->tally->datagrams.duplicate++;
  else
    context->tally->datagrams.late++;
}

static void take_datagram(struct connection *connection, struct connection_context *context, const char *data,
                          size_t length, bool whole, int64_t now_ns) {
  const struct target *target = context->target;
  uint64_t number = 0;
  if (length >= TARGET_UDP_NUMBER)
    memcpy(&number, data, TARGET_UDP_NUMBER);
  number = be64toh(number);
  context->tally->bytes_read += length;
  size_t slot = number & ((1U << SLOT_BITS) - 1);
  struct exchange *exchange = slot < target->streams ? &connection->exchanges[slot] : NULL;
  if (!exchange || !exchange->taken || exchange->number != number) {
    count_stray(connection, context, number);
    return;
  }
  connection_begun(exchange, context, now_ns);
  note_answered(connection->udp, number >> SLOT_BITS, true);
  if (whole && length == target->request_length &&
      memcmp(data + TARGET_UDP_NUMBER, target->request + TARGET_UDP_NUMBER, length - TARGET_UDP_NUMBER) == 0)
    connection_answered(connection, context, exchange, 0, now_ns);
  else
    connection_fail(connection, context, exchange, LOAD_ERROR_MALFORMED, now_ns);
}

/* How many came; -1 and errno. Each has `size` bytes of the buffer, as many as there is room for. */
static int get(const struct connection *connection, struct connection_context *context, struct mmsghdr *messages,
               size_t size, unsigned most) {
  struct iovec parts[BATCH];
  for (unsigned i = 0; i < most; i++) {
    parts[i] = (struct iovec){.iov_base = context->buffer + i * size, .iov_len = size};
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
  }
  int count;
  do
    count = recvmmsg(connection->transport.fd, messages, most, MSG_DONTWAIT, NULL);
  while (count < 0 && errno == EINTR);
  return count;
}

static void receive(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct mmsghdr messages[BATCH];
  size_t size = context->target->request_length, room = context->buffer_size / size, taken = 0;
  unsigned most = room < BATCH ? (unsigned)room : BATCH;
  int count;
  do {
    if (taken >= CONNECTION_TURN_BYTES) {
      connection_rearm(connection, context);
      return;
    }
    count = get(connection, context, messages, size, most);
    if (count < 0 && errno != EAGAIN)
      connection_break(connection, context, transport_error(errno), now_ns);
    for (int i = 0; i < count; i++)
      take_datagram(connection, context, context->buffer + (size_t)i * size, messages[i].msg_len,
                    !(messages[i].msg_hdr.msg_flags & MSG_TRUNC), now_ns);
    taken += (size_t)(count > 0 ? count : 0) * (size + 64); /* an empty one is work, too */
  } while (count == (int)most);
  if (context->target->fresh && count > 0 && connection->on_their_way == 0)
    connection_close(connection, context, now_ns);
}

/* Its answer may still come, and is then a late one. What could not even be sent says that the socket is stuck. */
static void give_up(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                    int64_t now_ns) {
  if (connection->udp->first)
    connection_break(connection, context, LOAD_ERROR_LOST, now_ns);
  else
    connection_fail(connection, context, exchange, LOAD_ERROR_LOST, now_ns);
}

const struct protocol udp_protocol = {.socket_type = SOCK_DGRAM,
                                      .open = udp_open,
                                      .close = udp_close,
                                      .submit = submit,
                                      .push = push,
                                      .receive = receive,
                                      .give_up = give_up};
