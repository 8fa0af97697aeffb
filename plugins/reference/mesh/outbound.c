/* The proxy a workload's program calls through: it chooses the workload that answers. */
#include "plugins/reference/mesh/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/choice.h"

static bool outbound_allows(const struct outbound *outbound, struct workload *destination, uint16_t port,
                            const struct head *request) {
  struct account account = workload_account(outbound->base.workload);
  enum transport transport = outbound->upstream->transport;
  const struct workload_port *declared = workload_port(destination, port, transport);
  enum protocol undeclared = transport == TRANSPORT_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
  struct access access = {
      .caller = &account, .port = port, .protocol = declared ? declared->protocol : undeclared, .request = request};
  return enforce_outbound(destination, &access);
}

/* What a request is counted for, and where it may go again. */
static void remember(struct outbound *outbound, bool chosen, const struct choice *choice) {
  outbound->last.destination[0] = '\0';
  if (chosen) {
    store_key(outbound->last.destination, choice->workload->namespace, choice->workload->name);
    outbound->last.port = choice->port;
  }
  if (choice->split == outbound->last.split)
    return; /* the choice before, once more */
  (void)snprintf(outbound->last.split, sizeof outbound->last.split, "%s", choice->split);
  (void)snprintf(outbound->last.backend, sizeof outbound->last.backend, "%s", choice->backend);
}

/* Where the last request went: FAULT_SPLIT_STICKY_CONNECTION. */
static bool choose_again(const struct outbound *outbound, struct choice *ret_choice) {
  const struct mesh *mesh = outbound->base.workload->mesh;
  ret_choice->port = outbound->last.port;
  ret_choice->workload = table_object(&mesh->store.workloads, outbound->last.destination);
  ret_choice->split = outbound->last.split;
  ret_choice->backend = outbound->last.backend;
  return fault_on(mesh->faults, FAULT_SPLIT_STICKY_CONNECTION) && ret_choice->workload;
}

static bool choose(const struct outbound *outbound, const struct head *request, struct choice *ret_choice) {
  struct account client = workload_account(outbound->base.workload);
  struct choice_question question = {.namespace = outbound->upstream->namespace,
                                     .service = outbound->upstream->service,
                                     .port = outbound->upstream->port,
                                     .transport = outbound->upstream->transport,
                                     .client = &client,
                                     .request = request};
  return choose_again(outbound, ret_choice) || choice_make(outbound->base.workload->mesh, &question, ret_choice);
}

static struct target target_of(const struct workload *destination, const struct outbound_choice *choice) {
  return (struct target){
      .address = {.sin_family = AF_INET, .sin_port = htons(choice->port), .sin_addr = destination->spec->inbound},
      .identity = choice->identity,
  };
}

enum route outbound_route(void *context, const struct head *request, struct target *ret_target) {
  struct outbound *outbound = context;
  struct choice choice = {.split = "", .backend = ""};
  bool chosen = choose(outbound, request, &choice);
  remember(outbound, chosen, &choice);
  if (!chosen)
    return ROUTE_UNAVAILABLE;
  if (!outbound_allows(outbound, choice.workload, choice.port, request))
    return ROUTE_DENIED;
  struct account account = workload_account(choice.workload);
  if (!authority_identity(outbound->base.workload->mesh->authority, &account, outbound->last.identity))
    return ROUTE_UNAVAILABLE;
  *ret_target = target_of(choice.workload, &outbound->last);
  return ROUTE_FORWARD;
}

static void *outbound_note(void *context) {
  const struct outbound *outbound = context;
  struct outbound_choice *note = malloc(sizeof *note);
  if (note)
    *note = outbound->last;
  return note;
}

/* The choice stands: a request counts once in the weights of a split. */
static enum route outbound_again(void *context, const void *note, const struct head *request,
                                 struct target *ret_target) {
  const struct outbound *outbound = context;
  const struct outbound_choice *choice = note ? note : &outbound->last;
  struct workload *destination = table_object(&outbound->base.workload->mesh->store.workloads, choice->destination);
  if (!destination)
    return ROUTE_UNAVAILABLE;
  if (!outbound_allows(outbound, destination, choice->port, request))
    return ROUTE_DENIED;
  *ret_target = target_of(destination, choice);
  return ROUTE_FORWARD;
}

/* Counts the request for whom it was sent to, or for nobody; not for one that is gone, whose series went with it. */
static void outbound_served(void *context, const void *note, unsigned status, int64_t latency_ns) {
  const struct outbound *outbound = context;
  const struct outbound_choice *choice = note ? note : &outbound->last;
  const struct workload *workload = outbound->base.workload;
  const struct workload *destination = table_object(&workload->mesh->store.workloads, choice->destination);
  if (choice->destination[0] && !destination)
    return;
  struct series_key key = {
      .client = true,
      .source = {workload->namespace, workload->name},
      .destination = {destination ? destination->namespace : "", destination ? destination->name : ""},
      .service = {outbound->upstream->namespace, outbound->upstream->service},
      .split = choice->split,
      .backend = choice->backend};
  struct series *series = metrics_series(workload->mesh->metrics, &key);
  if (series)
    metrics_count(workload->mesh->metrics, series, status, latency_ns);
}

static const struct session_handler outbound_session = {.route = outbound_route,
                                                        .again = outbound_again,
                                                        .served = outbound_served,
                                                        .note = outbound_note,
                                                        .closed = connection_closed};

bool outbound_may_stay(struct connection *connection) {
  const struct outbound *outbound = (const struct outbound *)connection;
  struct workload *destination = table_object(&connection->workload->mesh->store.workloads, outbound->last.destination);
  return !destination || outbound_allows(outbound, destination, outbound->last.port, NULL);
}

/* A service that isn't declared, or lacks the port, may be of any protocol: HTTP gets its 503, anything else is closed.
 */
static const struct service_port *declared_port(const struct outbound *outbound) {
  const struct service *service =
      store_service(&outbound->base.workload->mesh->store, outbound->upstream->namespace, outbound->upstream->service);
  return service ? service_port(service, outbound->upstream->port, outbound->upstream->transport) : NULL;
}

void outbound_accept(struct workload *workload, size_t index, int fd) {
  struct outbound *outbound = (struct outbound *)connection_create(workload, sizeof *outbound);
  if (!outbound) {
    close(fd);
    return;
  }
  struct connection *connection = &outbound->base;
  outbound->upstream = &workload->spec->upstreams[index];
  connection->stream = stream_accept(&workload->mesh->loop, fd, NULL, NULL, NULL); /* handed over below */
  if (!connection->stream) {
    connection_destroy(connection);
    return;
  }
  const struct service_port *port = declared_port(outbound);
  if (!port || port->protocol == PROTOCOL_HTTP) {
    connection_serve(connection, workload->outbound, !port, &outbound_session);
    return;
  }
  struct target target;
  if (outbound_route(outbound, NULL, &target) != ROUTE_FORWARD) {
    connection_destroy(connection);
    return;
  }
  connection->allowed = outbound_may_stay;
  connection_tunnel(connection, workload->outbound, &target);
}
