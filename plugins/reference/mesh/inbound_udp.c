/* Datagrams that come straight to the inbound address: of a caller without identity. */
#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/datagram.h"
#include "plugins/reference/mesh/flow.h"
#include "plugins/reference/mesh/listener.h"

struct inbound_flow {
  struct connection base;
  struct flow flow;
  uint64_t generation; /* of the store, when the flow began */
  struct datagram_socket *program;
};

static bool plaintext_allowed(struct workload *workload, uint16_t port, uint64_t since) {
  struct access access = {.port = port, .protocol = PROTOCOL_UDP};
  return enforce_inbound(workload, &access, since);
}

static bool flow_allowed(struct connection *connection) {
  const struct inbound_flow *flow = (struct inbound_flow *)connection;
  return plaintext_allowed(connection->workload, ntohs(flow->flow.listener->address.sin_port), flow->generation);
}

static void inbound_finish(struct connection *connection) {
  struct inbound_flow *flow = (struct inbound_flow *)connection;
  flow_end(&flow->flow);
  datagram_close(flow->program);
}

static void program_answer(void *context, const char *data, size_t length) {
  flow_answer(&((struct inbound_flow *)context)->flow, data, length);
}

/* Who is denied leaves nothing behind here. */
static struct inbound_flow *flow_new(struct listener *listener, const struct sockaddr_in *from) {
  struct workload *workload = listener->workload;
  struct sockaddr_in program = {
      .sin_family = AF_INET, .sin_port = listener->address.sin_port, .sin_addr = workload->spec->app};
  uint64_t generation = workload->mesh->store.generation;
  if (!plaintext_allowed(workload, ntohs(program.sin_port), generation) || !flow_make_room(workload->flows))
    return NULL;
  struct inbound_flow *flow = (struct inbound_flow *)connection_create(workload, sizeof *flow);
  if (!flow)
    return NULL;
  flow->base.finish = inbound_finish;
  flow->base.allowed = flow_allowed;
  flow->generation = generation;
  flow_begin(workload->flows, &flow->flow, &flow->base, listener, from);
  flow->program = datagram_connect(&workload->mesh->loop, &program, program_answer, flow);
  if (flow->program)
    return flow;
  connection_destroy(&flow->base);
  return NULL;
}

void inbound_receive(struct listener *listener, const struct sockaddr_in *from, const char *data, size_t length) {
  struct flow *known = flow_find(listener->workload->flows, listener, from);
  struct inbound_flow *flow = known ? (struct inbound_flow *)known->connection : flow_new(listener, from);
  if (flow)
    datagram_send(flow->program, data, length);
}
