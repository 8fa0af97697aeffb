#include "plugins/reference/mesh/connection.h"

#include <stdlib.h>

struct connection *connection_create(struct workload *workload, size_t size) {
  struct connection *connection = calloc(1, size);
  if (!connection)
    return NULL;
  connection->workload = workload;
  LIST_INSERT_HEAD(&workload->connections, connection, entry);
  workload->mesh->connections++;
  return connection;
}

void connection_destroy(struct connection *connection) {
  connection->workload->mesh->connections--;
  LIST_REMOVE(connection, entry);
  if (connection->finish)
    connection->finish(connection);
  session_destroy(connection->session);
  tunnel_destroy(connection->tunnel);
  relay_destroy(connection->relay);
  stream_destroy(connection->stream);
  free(connection);
}

void connection_closed(void *connection) {
  connection_destroy(connection);
}

void connection_serve(struct connection *connection, struct pool *pool, bool silent,
                      const struct session_handler *handler) {
  connection->session = session_create(take(connection->stream), pool, silent, handler, connection);
  if (!connection->session)
    connection_destroy(connection);
}

void connection_tunnel(struct connection *connection, struct pool *pool, const struct target *target) {
  connection->tunnel = tunnel_create(take(connection->stream), pool, target, connection_closed, connection);
  if (!connection->tunnel)
    connection_destroy(connection);
}

void connection_relay(struct connection *connection, const struct sockaddr_in *program) {
  connection->relay =
      relay_create(&connection->workload->mesh->loop, take(connection->stream), program, connection_closed, connection);
  if (!connection->relay)
    connection_destroy(connection);
}
