#include "host/lab/workload/connection.h"

#include <errno.h>

static void on_data(void *user, const uint8_t *data, size_t length) {
  struct connection *connection = user;
  connection->protocol->data(connection, data, length);
}

static void on_end(void *user, int code) {
  (void)code;
  connection_destroy(user);
}

static const struct stream_handler handler = {.data = on_data, .end = on_end};

int connection_create(struct connection_list *list, size_t *count, struct event_base *base, struct service *service,
                      const struct connection_protocol *protocol, int fd, uint16_t port) {
  struct connection *connection = calloc(1, sizeof(*connection));
  if (!connection) {
    (void)close(fd);
    return -ENOMEM;
  }
  int r = stream_adopt(base, fd, &handler, connection, &connection->stream);
  if (r < 0) {
    free(connection);
    return r;
  }
  connection->protocol = protocol;
  connection->base = base;
  connection->service = service;
  connection->port = port;
  connection->count = count;
  (*count)++;
  LIST_INSERT_HEAD(list, connection, link);
  return 0;
}

void connection_destroy(struct connection *connection) {
  connection->protocol->finish(connection);
  stream_destroy(connection->stream);
  (*connection->count)--;
  LIST_REMOVE(connection, link);
  free(connection);
}
