/* Carries what goes through a TLS connection to and from a socket without it. */
#ifndef TRAMMEL_HOST_DAEMON_RELAY_H
#define TRAMMEL_HOST_DAEMON_RELAY_H

#include <openssl/types.h>

#include "sdk/base/error.h"

/* The server's handshake, which waits at most `limit_ms`, and a thread that carries both ways until one side ends.
 * Takes the connection and its socket `fd` (non-blocking), whatever comes of it. -ETIMEDOUT, -EPROTO, -ENOMEM. */
int relay_start(SSL *ssl, int fd, int limit_ms, int *ret_plain, struct error **err);

#endif
