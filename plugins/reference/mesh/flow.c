#include "plugins/reference/mesh/flow.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "plugins/reference/mesh/connection.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/listener.h"

enum { BUCKETS = 256 };

LIST_HEAD(flow_bucket, flow);
TAILQ_HEAD(flow_ages, flow);

struct flow_table {
  struct mesh *mesh;
  struct event *sweep; /* pending while there are flows */
  struct flow_bucket buckets[BUCKETS];
  struct flow_ages ages; /* the last used first */
  size_t count;
};

static struct flow *oldest(struct flow_table *table) {
  return TAILQ_LAST(&table->ages, flow_ages);
}

/* Flows of which nothing was heard for too long are over. */
static void on_sweep(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct flow_table *table = context;
  struct flow *flow;
  while ((flow = oldest(table)) && table->mesh->loop.now_s - flow->used_s > TIMEOUT_FLOW_IDLE)
    connection_destroy(flow->connection);
}

struct flow_table *flow_table_create(struct mesh *mesh) {
  struct flow_table *table = calloc(1, sizeof *table);
  if (!table)
    return NULL;
  table->mesh = mesh;
  for (size_t i = 0; i < BUCKETS; i++)
    LIST_INIT(&table->buckets[i]);
  TAILQ_INIT(&table->ages);
  table->sweep = event_new(mesh->base, -1, EV_PERSIST, on_sweep, table);
  if (!table->sweep) {
    free(table);
    return NULL;
  }
  return table;
}

void flow_table_destroy(struct flow_table *table) {
  if (!table)
    return;
  event_free(table->sweep);
  free(table);
}

static struct flow_bucket *bucket_of(struct flow_table *table, const struct sockaddr_in *client) {
  uint32_t mixed = (ntohl(client->sin_addr.s_addr) ^ ntohs(client->sin_port)) * UINT32_C(2654435761);
  return &table->buckets[(mixed >> 24) % BUCKETS];
}

static void use(struct flow *flow) {
  struct flow_table *table = flow->table;
  flow->used_s = table->mesh->loop.now_s;
  TAILQ_REMOVE(&table->ages, flow, older);
  TAILQ_INSERT_HEAD(&table->ages, flow, older);
}

struct flow *flow_find(struct flow_table *table, const struct listener *listener, const struct sockaddr_in *client) {
  struct flow *flow;
  LIST_FOREACH(flow, bucket_of(table, client), same_bucket) {
    if (flow->listener != listener || flow->client.sin_port != client->sin_port ||
        flow->client.sin_addr.s_addr != client->sin_addr.s_addr)
      continue;
    use(flow);
    return flow;
  }
  return NULL;
}

/* Flows leave half of what may be open at once to connections: a flow begins without a handshake of its client's. */
bool flow_make_room(struct flow_table *table) {
  if (table->count < LIMIT_FLOWS && table->mesh->connections < LIMIT_CONNECTIONS / 2)
    return true;
  struct flow *flow = oldest(table);
  if (!flow)
    return false;
  connection_destroy(flow->connection);
  return true;
}

void flow_begin(struct flow_table *table, struct flow *flow, struct connection *connection,
                const struct listener *listener, const struct sockaddr_in *client) {
  *flow = (struct flow){.table = table,
                        .connection = connection,
                        .listener = listener,
                        .client = *client,
                        .used_s = table->mesh->loop.now_s};
  LIST_INSERT_HEAD(bucket_of(table, client), flow, same_bucket);
  TAILQ_INSERT_HEAD(&table->ages, flow, older);
  if (table->count++ == 0)
    (void)event_add(table->sweep, &(struct timeval){.tv_sec = 1});
}

void flow_end(struct flow *flow) {
  struct flow_table *table = flow->table;
  if (!table)
    return; /* it did not begin */
  LIST_REMOVE(flow, same_bucket);
  TAILQ_REMOVE(&table->ages, flow, older);
  if (--table->count == 0)
    event_del(table->sweep);
  flow->table = NULL;
}

void flow_answer(struct flow *flow, const char *data, size_t length) {
  use(flow);
  (void)sendto(flow->listener->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&flow->client,
               sizeof flow->client);
}
