#include "host/daemon/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/daemon/tls.h"
#include "sdk/base/memory.h"

struct connection {
  LIST_ENTRY(connection) next;
  struct connections *all;
  int fd;          /* what gRPC takes */
  struct tls *tls; /* NULL: none */
  struct session session;
  int watched; /* a duplicate, to end it by */
};
LIST_HEAD(connection_list, connection);

struct connections {
  struct connections_options options;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t fewer;
  struct connection_list list;
  unsigned count;
};

int connections_create(const struct connections_options *options, struct connections **ret_connections,
                       struct error **err) {
  struct connections *connections = calloc(1, sizeof(*connections));
  if (!connections)
    return error_set(err, ENOMEM, "no memory");
  *connections =
      (struct connections){.options = *options, .lock = PTHREAD_MUTEX_INITIALIZER, .fewer = PTHREAD_COND_INITIALIZER};
  LIST_INIT(&connections->list);
  *ret_connections = connections;
  return 0;
}

static void serve_peer(struct connection *connection) {
  const struct connections_options *options = &connection->all->options;
  struct rpc_service service = options->service;
  _cleanup_error_ struct error *err = NULL;
  if (options->host)
    service.ctx = &connection->session;
  if (!connection->session.local)
    service.idle_ms = CONNECTIONS_IDLE_MS;
  int r = connection->tls ? tls_accept(connection->tls, connection->fd, &connection->fd, &err) : 0;
  if (r == 0)
    r = rpc_serve(connection->fd, &service, &err);
  if (r < 0 && options->log)
    options->log(connection->session.peer, error_message(err));
}

static void *serve(void *context) {
  struct connection *connection = context;
  struct connections *all = connection->all;
  serve_peer(connection);
  pthread_mutex_lock(&all->lock);
  LIST_REMOVE(connection, next);
  all->count--;
  close_p(&connection->watched);
  free(connection);
  pthread_cond_signal(&all->fewer);
  pthread_mutex_unlock(&all->lock);
  return NULL;
}

/* Who is on this machine gets in while the network fills all that it may have. */
static unsigned most_of(const struct connections_options *options, bool local) {
  unsigned reserved = options->reserved < options->most / 2 ? options->reserved : options->most / 2;
  return local ? options->most : options->most - reserved;
}

/* With the lock held. */
static int begin(struct connections *all, int fd, const struct arrival *arrival, struct error **err) {
  pthread_t thread = 0;
  struct connection *connection = NULL;
  if (all->count < most_of(&all->options, arrival->local))
    connection = calloc(1, sizeof(*connection));
  if (!connection)
    return error_set(err, EAGAIN, "a connection was closed: there are %u, which is the most there may be", all->count);
  connection->all = all;
  connection->fd = fd;
  connection->tls = arrival->tls;
  connection->session = (struct session){.service = all->options.host, .local = arrival->local};
  (void)snprintf(connection->session.peer, sizeof(connection->session.peer), "%s", arrival->peer);
  connection->watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  int r = connection->watched < 0 ? errno : pthread_create(&thread, NULL, serve, connection);
  if (r != 0) {
    close_p(&connection->watched);
    free(connection);
    return error_set(err, r, "a connection was closed: %s", strerror(r));
  }
  (void)pthread_detach(thread);
  LIST_INSERT_HEAD(&all->list, connection, next);
  all->count++;
  return 0;
}

int connections_admit(struct connections *connections, int fd, const struct arrival *arrival, struct error **err) {
  pthread_mutex_lock(&connections->lock);
  int r = begin(connections, fd, arrival, err);
  pthread_mutex_unlock(&connections->lock);
  if (r < 0)
    (void)close(fd);
  return r;
}

void connections_destroy(struct connections *connections) {
  const struct connection *connection;
  if (!connections)
    return;
  pthread_mutex_lock(&connections->lock);
  LIST_FOREACH(connection, &connections->list, next)
  (void)shutdown(connection->watched, SHUT_RDWR);
  while (connections->count > 0)
    pthread_cond_wait(&connections->fewer, &connections->lock);
  pthread_mutex_unlock(&connections->lock);
  pthread_cond_destroy(&connections->fewer);
  pthread_mutex_destroy(&connections->lock);
  free(connections);
}
