/* An instance on another machine. */
#include <errno.h>
#include <stdio.h>

#include "host/adapter/connection.h"
#include "host/adapter/remote.h"

static int open_remote(const struct adapter_entry *entry, struct connection **ret_connection, struct error **err) {
  const struct identity *own = &entry->remote->identity;
  const struct rpc_identity identity = {.certificate = own->certificate, .key = own->key, .ca = own->ca};
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection)
    return error_set(err, ENOMEM, "out of memory");
  *ret_connection = connection;
  return rpc_channel_connect(entry->remote->address, &identity, &connection->channel, err);
}

static void describe_end(struct connection *connection, const char *reason, char *ret_why, size_t size) {
  (void)connection;
  (void)snprintf(ret_why, size, "the connection to it was lost, or could not be made: %.300s", reason);
}

static void close_remote(struct connection *connection) {
  rpc_channel_destroy(connection->channel);
  free(connection);
}

static const struct connector connector = {
    .open = open_remote,
    .describe_end = describe_end,
    .close = close_remote,
    .config_with_calls = true,
    .detail = "The adapter is served at the address that --adapter names; the next call connects again.",
    .when_late = "the connection to it was closed",
};

int remote_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                            const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                            struct placement **ret_placement, struct error **err) {
  return connection_placement_create(&connector, entry, config, http, backoff, diagnostics, ret_placement, err);
}
