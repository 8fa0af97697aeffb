#include "host/daemon/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sdk/base/memory.h"

#define BACKLOG 128
#define SYSTEMD_FIRST_FD 3 /* sd_listen_fds(3) */

static const char prefix[] = "unix:";

int endpoint_default(char **ret_address, struct error **err) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  if (!runtime || *runtime != '/')
    return error_set(err, ENOENT, "XDG_RUNTIME_DIR is not set: say where to listen with --listen unix:PATH");
  if (asprintf(ret_address, "unix:%s/trammel/trammeld.sock", runtime) < 0)
    return error_set(err, ENOMEM, "no memory");
  return 0;
}

bool endpoint_is_unix(const char *address) {
  return strncmp(address, prefix, strlen(prefix)) == 0;
}

int endpoint_check(const char *address, struct error **err) {
  struct sockaddr_un room;
  if (!endpoint_is_unix(address))
    return error_set(err, EINVAL, "'%s' is no unix:PATH", address);
  const char *path = address + strlen(prefix);
  if (*path != '/')
    return error_set(err, EINVAL, "'%s': the path of a socket has to begin with /", address);
  if (strlen(path) >= sizeof(room.sun_path))
    return error_set(err, EINVAL, "'%s': the path of a socket has at most %zu bytes", address,
                     sizeof(room.sun_path) - 1);
  return 0;
}

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
  return address;
}

/* Whoever may write to it could put another socket in this one's place. */
static int prepare_directory(const char *path, struct error **err) {
  _cleanup_free_ char *directory = strdup(path);
  struct stat status;
  if (!directory)
    return error_set(err, ENOMEM, "no memory");
  char *slash = strrchr(directory, '/');
  slash[slash == directory ? 1 : 0] = '\0';
  if (mkdir(directory, 0700) < 0 && errno != EEXIST)
    return error_set(err, errno, "making %s: %s", directory, strerror(errno));
  if (stat(directory, &status) < 0)
    return error_set(err, errno, "%s: %s", directory, strerror(errno));
  if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return error_set(err, EPERM,
                     "%s has to belong to this user and to be open to nobody else (chmod 0700): the socket is in it",
                     directory);
  return 0;
}

/* A lock tells a socket that is listened on from one that was left behind. */
static int take_lock(const char *path, int *ret_lock, struct error **err) {
  _cleanup_free_ char *name = NULL;
  if (asprintf(&name, "%s.lock", path) < 0)
    name = NULL;
  if (!name)
    return error_set(err, ENOMEM, "no memory");
  _cleanup_close_ int lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0)
    return error_set(err, errno, "%s: %s", name, strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) < 0)
    return error_set(err, EADDRINUSE, "another trammeld listens on %s", path);
  *ret_lock = lock;
  lock = -1;
  return 0;
}

static int listen_on(const char *path, int *ret_fd, struct error **err) {
  const struct sockaddr_un address = address_of(path);
  _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return error_set(err, errno, "no socket: %s", strerror(errno));
  struct stat there;
  if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode))
    return error_set(err, EEXIST, "%s is there and no socket: name another path", path);
  if (unlink(path) < 0 && errno != ENOENT)
    return error_set(err, errno, "removing the old %s: %s", path, strerror(errno));
  if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0600) < 0 ||
      listen(fd, BACKLOG) < 0)
    return error_set(err, errno, "listening on %s: %s", path, strerror(errno));
  *ret_fd = fd;
  fd = -1;
  return 0;
}

int endpoint_open(const char *address, struct endpoint *ret_endpoint, struct error **err) {
  struct endpoint endpoint = ENDPOINT_NONE;
  int r = endpoint_check(address, err);
  if (r < 0)
    return r;
  const char *path = address + strlen(prefix);
  r = prepare_directory(path, err);
  if (r == 0)
    r = take_lock(path, &endpoint.lock, err);
  if (r == 0)
    r = listen_on(path, &endpoint.fd, err);
  if (r == 0 && !(endpoint.path = strdup(path)))
    r = error_set(err, ENOMEM, "no memory");
  if (r < 0)
    endpoint_close(&endpoint);
  else
    *ret_endpoint = endpoint;
  return r;
}

int endpoint_inherit(struct endpoint *ret_endpoint, struct error **err) {
  const char *pid = getenv("LISTEN_PID");
  const char *count = getenv("LISTEN_FDS");
  struct sockaddr_un address = {0};
  socklen_t length = sizeof(address);
  int listening = 0;
  socklen_t size = sizeof(listening);
  if (!pid || !count || strtol(pid, NULL, 10) != getpid() || strtol(count, NULL, 10) == 0)
    return 0;
  if (strcmp(count, "1") != 0)
    return error_set(err, EINVAL, "systemd passed %s sockets, but one is wanted", count);
  if (getsockname(SYSTEMD_FIRST_FD, (struct sockaddr *)&address, &length) < 0 || address.sun_family != AF_UNIX ||
      getsockopt(SYSTEMD_FIRST_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 || !listening)
    return error_set(err, EINVAL, "what systemd passed is no unix socket that listens (ListenStream= with a path)");
  if (fcntl(SYSTEMD_FIRST_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(SYSTEMD_FIRST_FD, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, errno, "the socket of systemd: %s", strerror(errno));
  *ret_endpoint = (struct endpoint){.fd = SYSTEMD_FIRST_FD, .lock = -1};
  return 1;
}

int endpoint_accept(const struct endpoint *endpoint, int *ret_fd, unsigned *ret_uid, struct error **err) {
  struct ucred peer;
  socklen_t length = sizeof(peer);
  _cleanup_close_ int fd = accept4(endpoint->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
    (void)error_set(err, errno, "a connection says not whose it is: %s", strerror(errno));
    return 0;
  }
  if (peer.uid != geteuid() && peer.uid != 0) {
    (void)error_set(err, EPERM, "a connection of user %u was refused", (unsigned)peer.uid);
    return 0;
  }
  *ret_fd = fd;
  *ret_uid = peer.uid;
  fd = -1;
  return 1;
}

void endpoint_close(struct endpoint *endpoint) {
  if (endpoint->path)
    (void)unlink(endpoint->path);
  close_p(&endpoint->fd);
  close_p(&endpoint->lock); /* the lock's file stays: removing it would race with who takes it */
  free(endpoint->path);
  *endpoint = ENDPOINT_NONE;
}
