/* The outbound proxy's side of UDP: each flow of the workload's program goes over a connection of its own to the
 * inbound proxy of the workload that was chosen when it began. */
#include <string.h>

#include "plugins/reference/mesh/flow.h"
#include "plugins/reference/mesh/frame.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/listener.h"
#include "plugins/reference/mesh/outbound.h"

struct outbound_flow {
  struct outbound outbound;
  struct flow flow;
  struct pool_link *link;
  struct frame_reader reader;
  bool ready;
  size_t waiting; /* bytes, until it is ready */
};

static void outbound_finish(struct connection *connection) {
  struct outbound_flow *flow = (struct outbound_flow *)connection;
  flow_end(&flow->flow);
  if (flow->link)
    pool_abort(flow->link);
  frame_reader_finish(&flow->reader);
}

static void link_drained(void *context) {
  (void)context;
}

/* A proxy that took no offer of datagrams would take them for something else. */
static void link_ready(void *context) {
  struct outbound_flow *flow = context;
  const SSL *tls = stream_tls(flow->link->stream);
  flow->ready = true;
  if (!tls || !tls_carries_datagrams(tls))
    connection_destroy(&flow->outbound.base);
}

static size_t link_data(void *context, const char *data, size_t length) {
  struct outbound_flow *flow = context;
  const char *rest = data, *datagram;
  size_t left = length, size;
  for (;;) {
    switch (frame_next(&flow->reader, &rest, &left, &datagram, &size)) {
    case FRAME_DATAGRAM:
      flow_answer(&flow->flow, datagram, size);
      break;
    case FRAME_MORE:
      return length;
    case FRAME_BAD:
      connection_destroy(&flow->outbound.base);
      return length;
    }
  }
}

static void link_ended(void *context, enum stream_end end) {
  (void)end;
  struct outbound_flow *flow = context;
  connection_destroy(&flow->outbound.base);
}

static const struct stream_handler link_handler = {
    .ready = link_ready, .data = link_data, .drained = link_drained, .ended = link_ended};

/* Connects to the destination that is chosen now, for all of the flow. */
static bool flow_connect(struct outbound_flow *flow) {
  struct target target;
  if (outbound_route(&flow->outbound, NULL, &target) != ROUTE_FORWARD)
    return false;
  target.datagrams = true;
  flow->link = pool_take(flow->outbound.base.workload->outbound, &target, false, &link_handler, flow);
  return flow->link != NULL;
}

static struct outbound_flow *flow_new(struct listener *listener, const struct sockaddr_in *from) {
  struct workload *workload = listener->workload;
  if (!flow_make_room(workload->flows))
    return NULL;
  struct outbound_flow *flow = (struct outbound_flow *)connection_create(workload, sizeof *flow);
  if (!flow)
    return NULL;
  struct connection *connection = &flow->outbound.base;
  connection->finish = outbound_finish;
  connection->allowed = outbound_may_stay;
  flow->outbound.upstream = &workload->spec->upstreams[listener->index];
  flow_begin(workload->flows, &flow->flow, connection, listener, from);
  if (flow_connect(flow))
    return flow;
  connection_destroy(connection);
  return NULL;
}

static void flow_send(struct outbound_flow *flow, const char *data, size_t length) {
  struct stream *stream = flow->link->stream;
  if (stream_full(stream) || (!flow->ready && flow->waiting + FRAME_HEAD + length > LIMIT_FLOW_WAITING))
    return;
  if (!flow->ready)
    flow->waiting += FRAME_HEAD + length;
  frame_write(stream, data, length);
  stream_flush(stream);
}

void outbound_receive(struct listener *listener, const struct sockaddr_in *from, const char *data, size_t length) {
  struct flow *known = flow_find(listener->workload->flows, listener, from);
  struct outbound_flow *flow = known ? (struct outbound_flow *)known->connection : flow_new(listener, from);
  if (flow)
    flow_send(flow, data, length);
}
