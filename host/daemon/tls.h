/* TLS of the connections that come over the network: ended here, since gRPC's core takes a connection that is there
 * already only without. */
#ifndef TRAMMEL_HOST_DAEMON_TLS_H
#define TRAMMEL_HOST_DAEMON_TLS_H

#include "sdk/base/error.h"

#define TLS_HANDSHAKE_MS 10000         /* that a handshake may take */
#define TLS_LOOK_MS 1000               /* between two looks at the files */
#define TLS_FILE_MAX ((size_t)1 << 20) /* bytes of each file */

struct tls;

/* Files in PEM: this side's certificate with what is between it and its authority, its key without a pass phrase, which
 * others may not read, and the authorities that a client's certificate has to come from; NULL: clients need none. */
struct tls_files {
  const char *certificate, *key, *clients;
};

/* Reads the files and sees that they go together. `log` is told when they have changed and cannot be used; the ones
 * before stay in use then. */
int tls_open(const struct tls_files *files, void (*log)(const char *text), struct tls **ret_tls, struct error **err);
/* What was accepted goes on. NULL is fine. */
void tls_close(struct tls *tls);

/* The handshake on an accepted socket, which it takes, with the files as they are now: 0 with a socket that has what
 * goes through it; a thread of its own carries it until either side ends. Any thread. -ETIMEDOUT, -EPROTO with what is
 * wrong.
 */
int tls_accept(struct tls *tls, int fd, int *ret_plain, struct error **err);

#endif
