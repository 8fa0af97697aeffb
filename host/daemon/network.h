/* Listening on the network. */
#ifndef TRAMMEL_HOST_DAEMON_NETWORK_H
#define TRAMMEL_HOST_DAEMON_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

#define NETWORK_NAME_MAX 80

/* "HOST:PORT" or "[ADDRESS]:PORT"; port 0: any that is free. -EINVAL. */
int network_check(const char *address, struct error **err);
/* Whether all that the address stands for is this machine alone (127.0.0.0/8, ::1). -EINVAL when it stands for nothing.
 */
int network_is_loopback(const char *address, bool *ret_loopback, struct error **err);

/* A socket that listens, non-blocking, and where: "127.0.0.1:4711". */
int network_listen(const char *address, int *ret_fd, char ret_name[NETWORK_NAME_MAX], struct error **err);

/* Accepts a connection: 1 with it and whose it is, "192.0.2.1:4711"; 0 for one that went; -errno when there are no
 * more.
 */
int network_accept(int fd, int *ret_fd, char ret_peer[NETWORK_NAME_MAX]);

#endif
