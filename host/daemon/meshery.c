#include "host/daemon/meshery.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/daemon/connections.h"
#include "host/daemon/log.h"
#include "host/meshery/mesh_service.h"
#include "sdk/base/memory.h"

#define BACKLOG 32
#define PORTS_MAX (MESHERY_ADAPTERS_MAX + 1)
#define PAUSE_MS 200 /* until descriptors may be there again */

struct port {
  int fd;
  struct mesh_service *mesh; /* NULL: the conformance service */
  struct connections *connections;
};

struct meshery {
  struct conformance_service conformance;
  struct port ports[PORTS_MAX];
  size_t count;
  int stop; /* eventfd */
  pthread_t thread;
  bool begun;
};

static int listen_on(uint16_t port, int *ret_fd, struct error **err) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int yes = 1;
  _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
      bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
    return error_set(err, errno, "meshery: listening on 127.0.0.1:%u: %s", (unsigned)port, strerror(errno));
  *ret_fd = fd;
  fd = -1;
  return 0;
}

/* `service` is what is served there; `mesh` may be NULL. */
static int open_port(struct meshery *meshery, uint16_t number, struct mesh_service *mesh,
                     const struct rpc_service *service, unsigned connections, struct error **err) {
  struct port *port = &meshery->ports[meshery->count++];
  *port = (struct port){.fd = -1, .mesh = mesh};
  int r = listen_on(number, &port->fd, err);
  const struct connections_options options = {.service = *service, .most = connections};
  return r < 0 ? r : connections_create(&options, &port->connections, err);
}

static int open_adapter(struct meshery *meshery, uint16_t port, json_t *spec, unsigned connections,
                        struct service *host, struct error **err) {
  struct mesh_service *mesh = mesh_service_create(host, spec);
  const struct rpc_service service = {.ctx = mesh, .serve = mesh_service_serve};
  if (!mesh)
    return error_set(err, ENOMEM, "no memory");
  return open_port(meshery, port, mesh, &service, connections, err);
}

/* All that wait; false when descriptors or memory are missing. */
static bool admit_all(struct port *port) {
  int fd = -1;
  while ((fd = accept4(port->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    _cleanup_error_ struct error *err = NULL;
    const struct arrival arrival = {.peer = "a client of Meshery's family"};
    if (connections_admit(port->connections, fd, &arrival, &err) < 0)
      log_line(LOG_WARNINGS, NULL, "meshery: %s", error_message(err));
  }
  return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
}

static void *admit(void *context) {
  struct meshery *meshery = context;
  struct pollfd fds[PORTS_MAX + 1] = {{.fd = meshery->stop, .events = POLLIN}};
  for (size_t i = 0; i < meshery->count; i++)
    fds[i + 1] = (struct pollfd){.fd = meshery->ports[i].fd, .events = POLLIN};
  while (!fds[0].revents) {
    bool all = true;
    if (poll(fds, meshery->count + 1, -1) <= 0)
      continue;
    for (size_t i = 0; i < meshery->count; i++)
      if (fds[i + 1].revents)
        all = admit_all(&meshery->ports[i]) && all;
    if (!all)
      (void)poll(fds, 1, PAUSE_MS);
  }
  return NULL;
}

static int begin(struct meshery *meshery, struct error **err) {
  meshery->stop = eventfd(0, EFD_CLOEXEC);
  if (meshery->stop < 0)
    return error_set(err, errno, "no eventfd: %s", strerror(errno));
  int r = pthread_create(&meshery->thread, NULL, admit, meshery);
  meshery->begun = r == 0;
  return r == 0 ? 0 : error_set(err, r, "no thread: %s", strerror(r));
}

int meshery_open(const struct meshery_config *config, unsigned connections, struct service *host,
                 struct meshery **ret_meshery, struct error **err) {
  *ret_meshery = NULL;
  if (config->count == 0 && config->conformance_port == 0)
    return 0;
  struct meshery *meshery = calloc(1, sizeof(*meshery));
  if (!meshery)
    return error_set(err, ENOMEM, "no memory");
  meshery->stop = -1;
  meshery->conformance = (struct conformance_service){.host = host, .meshes = config->meshes, .count = config->count};
  const struct rpc_service conformance = {.ctx = &meshery->conformance, .serve = conformance_service_serve};
  int r = 0;
  for (size_t i = 0; r == 0 && i < config->count; i++)
    if (config->ports[i] > 0)
      r = open_adapter(meshery, config->ports[i], config->meshes[i].spec, connections, host, err);
  if (r == 0 && config->conformance_port > 0)
    r = open_port(meshery, config->conformance_port, NULL, &conformance, connections, err);
  if (r == 0)
    r = begin(meshery, err);
  if (r < 0)
    meshery_close(meshery);
  else
    *ret_meshery = meshery;
  return r;
}

void meshery_close(struct meshery *meshery) {
  if (!meshery)
    return;
  if (meshery->begun) {
    (void)eventfd_write(meshery->stop, 1);
    (void)pthread_join(meshery->thread, NULL);
  }
  for (size_t i = 0; i < meshery->count; i++) {
    struct port *port = &meshery->ports[i];
    if (port->mesh)
      mesh_service_stop(port->mesh);
    connections_destroy(port->connections);
    mesh_service_destroy(port->mesh);
    close_p(&port->fd);
  }
  close_p(&meshery->stop);
  free(meshery);
}
