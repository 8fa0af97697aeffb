/* The hosts that a listening runner serves. Each connection has a thread, which ends TLS here, and a worker: another
 * trammel-runner, confined as that of a child placement, on the other side of a socket pair. So the adapter's process
 * has neither network nor key, and no host sees anything of another's. */
#ifndef TRAMMEL_HOST_RUNNER_GUESTS_H
#define TRAMMEL_HOST_RUNNER_GUESTS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "sdk/base/error.h"

#define GUESTS_MAX 16             /* connections that have a worker; more are closed */
#define GUESTS_CONNECTIONS_MAX 64 /* with those that are not known yet; more wait to be accepted */
#define GUESTS_HANDSHAKE_S 10     /* seconds that a TLS handshake may take */
#define GUESTS_BUFFER_MAX 262144u /* bytes on their way in each direction of a connection */

struct guests;

/* What they are served; all is borrowed. */
struct guests_fare {
  SSL_CTX *tls;
  int file;       /* the adapter's, which passed the gate */
  const char *id; /* its name for the log */
  bool partly;    /* as in struct runner_start */
};

int guests_create(const struct guests_fare *fare, struct guests **ret_guests, struct error **err);

/* Takes an accepted socket. One thread calls this. */
void guests_admit(struct guests *guests, int fd);

/* Whether there is room for one more connection, or, when not, a descriptor that is readable once there is. */
bool guests_have_room(struct guests *guests, int *ret_fd);

/* Ends all connections and their workers, and waits for that. NULL is fine. */
void guests_destroy(struct guests *guests);

#endif
