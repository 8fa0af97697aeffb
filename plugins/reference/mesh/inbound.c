/* The proxy in front of a workload's program: it knows who calls, and decides. */
#include <string.h>

#include "plugins/reference/mesh/choice.h"
#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/head.h"
#include "sdk/base/clock.h"

struct inbound {
  struct connection base;
  struct workload_port port;
  struct caller caller;
  uint64_t generation;   /* of the store, when the connection came */
  struct series *series; /* valid while `series_generation` is the metrics' */
  uint64_t series_generation;
  bool decided; /* some request of it */
};

static bool inbound_allows(struct inbound *inbound, const struct head *request) {
  struct account account = {.namespace = inbound->caller.namespace, .name = inbound->caller.account};
  struct access access = {
      .caller = inbound->caller.identified ? &account : NULL,
      .port = inbound->port.port,
      .protocol = inbound->port.protocol,
      .request = request,
  };
  return enforce_inbound(inbound->base.workload, &access, inbound->generation);
}

static bool tunnel_allowed(struct connection *connection) {
  return inbound_allows((struct inbound *)connection, NULL);
}

static struct target app_target(const struct inbound *inbound) {
  const struct workload *workload = inbound->base.workload;
  struct choice choice = {.workload = inbound->base.workload, .port = inbound->port.port};
  if (!inbound->caller.identified && fault_on(workload->mesh->faults, FAULT_OUTSIDERS_SPLIT))
    (void)choice_for_outsider(workload, inbound->port.port, &choice);
  return (struct target){
      .address = {.sin_family = AF_INET, .sin_port = htons(choice.port), .sin_addr = choice.workload->spec->app},
  };
}

static bool is_faked(const struct inbound *inbound, const struct head *request) {
  const struct workload *workload = inbound->base.workload;
  return fault_on(workload->mesh->faults, FAULT_FAKED_ANSWER) && strcmp(request->method, "GET") == 0 &&
         table_find(&workload->mesh->store.enforcement, workload->namespace);
}

/* What only a fault lets through. */
static bool goes_undecided(const struct inbound *inbound) {
  struct fault_set faults = inbound->base.workload->mesh->faults;
  return inbound->base.h2 && (fault_on(faults, FAULT_H2C_UNENFORCED) ||
                              (inbound->decided && fault_on(faults, FAULT_H2C_FIRST_STREAM_ONLY)));
}

static enum route inbound_route(void *context, const struct head *request, struct target *ret_target) {
  struct inbound *inbound = context;
  bool allowed = goes_undecided(inbound) || inbound_allows(inbound, request);
  inbound->decided = true;
  if (!allowed)
    return ROUTE_DENIED;
  if (is_faked(inbound, request))
    return ROUTE_FAKED;
  *ret_target = app_target(inbound);
  return ROUTE_FORWARD;
}

/* To the workload's program still. */
static enum route inbound_again(void *context, const void *note, const struct head *request,
                                struct target *ret_target) {
  (void)note;
  if (!inbound_allows(context, request))
    return ROUTE_DENIED;
  *ret_target = app_target(context);
  return ROUTE_FORWARD;
}

static bool inbound_last(void *context) {
  const struct caller *caller = &((struct inbound *)context)->caller;
  return caller->identified && clock_realtime_s() >= caller->until_s;
}

/* What the request counts in; NULL when the caller is gone, whose series went with it. */
static struct series *find_series(const struct inbound *inbound) {
  const struct workload *workload = inbound->base.workload;
  const struct caller *caller = &inbound->caller;
  if (caller->identified && !store_workload(&workload->mesh->store, caller->namespace, caller->workload))
    return NULL;
  struct series_key key = {.source = {caller->namespace, caller->workload},
                           .destination = {workload->namespace, workload->name},
                           .service = {"", ""},
                           .split = "",
                           .backend = ""};
  return metrics_series(workload->mesh->metrics, &key);
}

static void inbound_served(void *context, const void *note, unsigned status, int64_t latency_ns) {
  (void)note;
  struct inbound *inbound = context;
  const struct metrics *metrics = inbound->base.workload->mesh->metrics;
  if (!inbound->series || inbound->series_generation != metrics_generation(metrics)) {
    inbound->series = find_series(inbound);
    inbound->series_generation = metrics_generation(metrics);
  }
  if (inbound->series)
    metrics_count(metrics, inbound->series, status, latency_ns);
}

static const struct session_handler inbound_session = {.route = inbound_route,
                                                       .again = inbound_again,
                                                       .last = inbound_last,
                                                       .served = inbound_served,
                                                       .closed = connection_closed,
                                                       .program = true};

/* Datagrams come to the UDP port of the number that the connection came to. */
static void begin_relay(struct inbound *inbound) {
  struct connection *connection = &inbound->base;
  const struct workload_port *port = workload_port(connection->workload, inbound->port.port, TRANSPORT_UDP);
  if (port)
    inbound->port = *port;
  if (!port || !tunnel_allowed(connection)) {
    connection_destroy(connection);
    return;
  }
  connection->allowed = tunnel_allowed;
  struct target target = app_target(inbound);
  connection_relay(connection, &target.address);
}

static void inbound_ready(void *context) {
  struct inbound *inbound = context;
  struct connection *connection = &inbound->base;
  struct workload *workload = connection->workload;
  const SSL *tls = stream_tls(connection->stream);
  if (tls && !authority_caller(workload->mesh->authority, tls, &inbound->caller)) {
    connection_destroy(connection);
    return;
  }
  if (tls && tls_carries_datagrams(tls)) {
    begin_relay(inbound);
    return;
  }
  if (inbound->port.protocol == PROTOCOL_HTTP) {
    connection_serve(connection, workload->inbound, false, &inbound_session);
    return;
  }
  if (inbound->port.protocol == PROTOCOL_UDP || !tunnel_allowed(connection)) {
    connection_destroy(connection);
    return;
  }
  connection->allowed = tunnel_allowed;
  struct target target = app_target(inbound);
  connection_tunnel(connection, workload->inbound, &target);
}

static void inbound_ended(void *context, enum stream_end end) {
  (void)end;
  connection_destroy(context);
}

static const struct stream_handler inbound_handler = {.ready = inbound_ready, .ended = inbound_ended};

void inbound_accept(struct workload *workload, size_t index, int fd) {
  struct inbound *inbound = (struct inbound *)connection_create(workload, sizeof *inbound);
  if (!inbound) {
    close(fd);
    return;
  }
  inbound->port = workload->spec->ports[index];
  inbound->generation = workload->mesh->store.generation;
  inbound->base.stream = stream_accept(&workload->mesh->loop, fd, workload->tls, &inbound_handler, inbound);
  if (!inbound->base.stream)
    connection_destroy(&inbound->base);
}
