/* Where trammeld listens: a unix socket, which only this user's programs may connect to. */
#ifndef TRAMMEL_HOST_DAEMON_ENDPOINT_H
#define TRAMMEL_HOST_DAEMON_ENDPOINT_H

#include <stdbool.h>

#include "sdk/base/error.h"

struct endpoint {
  int fd;
  char *path; /* heap; NULL: of systemd, which keeps it */
  int lock;   /* held while it is ours; -1 */
};
#define ENDPOINT_NONE ((struct endpoint){-1, NULL, -1})

/* "unix:PATH" of $XDG_RUNTIME_DIR/trammel/trammeld.sock; heap. -ENOENT when there is no such directory. */
int endpoint_default(char **ret_address, struct error **err);

/* Whether an address is one that can be listened on: "unix:PATH" with an absolute path. -EINVAL with the reason. */
bool endpoint_is_unix(const char *address);
int endpoint_check(const char *address, struct error **err);

/* Makes the socket's directory when it is missing (0700), and takes the place of a socket that nobody listens on any
 * more. -EADDRINUSE when another trammeld does; -EPERM for a directory that others may write to. */
int endpoint_open(const char *address, struct endpoint *ret_endpoint, struct error **err);

/* A socket that systemd passed (sd_listen_fds(3)): 1 with it, 0 when there is none, -EINVAL for what cannot be used. */
int endpoint_inherit(struct endpoint *ret_endpoint, struct error **err);

/* Accepts a connection of this user or of root: 1 with it and whose it is; 0 for one that went, or was refused, with
 * the reason in `err`; -errno when there are no more. */
int endpoint_accept(const struct endpoint *endpoint, int *ret_fd, unsigned *ret_uid, struct error **err);

/* Removes the socket that endpoint_open() made. */
void endpoint_close(struct endpoint *endpoint);

#endif
