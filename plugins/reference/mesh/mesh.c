#include "plugins/reference/mesh/mesh.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/pattern.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

/* By the wall clock, which certificates are valid by, and which goes on while the machine sleeps. */
static void on_renewal(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct mesh *mesh = context;
  int64_t now_s = clock_realtime_s();
  for (size_t i = 0; i < mesh->store.workloads.count; i++) {
    struct error *err = NULL;
    struct workload *workload = mesh->store.workloads.entries[i].object;
    if (workload->tls && workload_is_due(workload, now_s) && workload_renew(workload, &err) < 0)
      fprintf(stderr, "trammel-refmesh: %s: %s\n", mesh->store.workloads.entries[i].key, error_message(err));
    error_free(err);
  }
}

static void on_forgetting(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct mesh *mesh = context;
  store_forget_retired(&mesh->store);
  mesh_recheck(mesh);
}

/* libevent's changelist saves a system call for each event that is switched on and off again. */
static struct event_base *base_create(void) {
  struct event_config *config = event_config_new();
  if (!config)
    return NULL;
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  struct event_base *base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

int mesh_create(struct fault_set faults, const char *trust_domain, struct mesh **ret_mesh, struct error **err) {
  _cleanup_(mesh_destroy_p) struct mesh *mesh = calloc(1, sizeof *mesh);
  if (!mesh)
    return error_set(err, ENOMEM, "no memory for the mesh");
  mesh->faults = faults;
  mesh->started_ns = clock_monotonic_ns();
  mesh->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  store_init(&mesh->store, faults);
  mesh->base = base_create();
  mesh->metrics = metrics_create(faults);
  if (!mesh->base || !mesh->metrics)
    return error_set(err, ENOMEM, "no memory for the event loop");
  int r = stream_loop_init(&mesh->loop, mesh->base);
  if (r < 0)
    return error_set(err, -r, "starting the event loop: %s", strerror(-r));
  mesh->renewal = event_new(mesh->base, -1, EV_PERSIST, on_renewal, mesh);
  mesh->forgetting = event_new(mesh->base, -1, 0, on_forgetting, mesh);
  if (!mesh->renewal || !mesh->forgetting || event_add(mesh->renewal, &(struct timeval){.tv_sec = RENEWAL_CHECK}) < 0)
    return error_set(err, ENOMEM, "no memory for the renewal of certificates");
  r = authority_create(trust_domain, &mesh->authority, err);
  if (r == 0)
    *ret_mesh = take(mesh);
  return r;
}

void mesh_destroy(struct mesh *mesh) {
  if (!mesh)
    return;
  for (size_t i = 0; i < mesh->store.workloads.count; i++)
    workload_cut(mesh->store.workloads.entries[i].object); /* what ends is counted for both of its ends */
  for (size_t i = 0; i < mesh->store.workloads.count; i++)
    workload_destroy(mesh->store.workloads.entries[i].object);
  if (mesh->loop.base)
    stream_loop_finish(&mesh->loop);
  store_finish(&mesh->store);
  metrics_destroy(mesh->metrics);
  authority_destroy(mesh->authority);
  if (mesh->renewal)
    event_free(mesh->renewal);
  if (mesh->forgetting)
    event_free(mesh->forgetting);
  if (mesh->base)
    event_base_free(mesh->base);
  if (mesh->spare_fd >= 0)
    close(mesh->spare_fd);
  pattern_cleanup();
  free(mesh);
}

bool mesh_hosts(const struct mesh *mesh, struct in_addr inbound) {
  return mesh->role == MESH_WHOLE || (mesh->role == MESH_SIDECAR && mesh->address.s_addr == inbound.s_addr);
}

bool mesh_random(struct mesh *mesh, uint64_t *ret_random) {
  if (mesh->random_left == 0) {
    /* Up to 256 bytes come whole, once the kernel's source is ready; before, a signal may interrupt (getrandom(2)). */
    ssize_t n;
    while ((n = getrandom(mesh->random, sizeof mesh->random, 0)) < 0 && errno == EINTR)
      continue;
    if (n != (ssize_t)sizeof mesh->random)
      return false;
    mesh->random_left = MESH_RANDOM;
  }
  *ret_random = mesh->random[--mesh->random_left];
  return true;
}

void mesh_recheck(struct mesh *mesh) {
  for (size_t i = 0; i < mesh->store.workloads.count; i++)
    workload_recheck(mesh->store.workloads.entries[i].object);
}

void mesh_cut(struct mesh *mesh, const char *namespace) {
  for (size_t i = 0; i < mesh->store.workloads.count; i++) {
    struct workload *workload = mesh->store.workloads.entries[i].object;
    if (strcmp(workload->namespace, namespace) == 0)
      workload_cut(workload);
  }
}

void mesh_forget_later(struct mesh *mesh) {
  if (!event_pending(mesh->forgetting, EV_TIMEOUT, NULL))
    (void)event_add(mesh->forgetting, &(struct timeval){.tv_sec = STALE_DELETE_S});
}
