/* The bytes of one connection: a socket that does not block, and TLS on it where the target has it. */
#ifndef TRAMMEL_HOST_LOAD_TRANSPORT_H
#define TRAMMEL_HOST_LOAD_TRANSPORT_H

#include <stdbool.h>
#include <sys/types.h>

#include "host/load/tally.h"
#include "host/load/tls.h"

/* What is sent or received, other than a number of bytes. */
enum transport_end {
  TRANSPORT_WAITS = 0,   /* until the next event of the socket */
  TRANSPORT_FAILED = -1, /* and says why */
  TRANSPORT_ENDED = -2,  /* the other side sends no more, and said so */
};

struct transport {
  int fd;
  SSL *ssl;     /* NULL: none */
  bool drained; /* nothing is left in the socket until its next event: a receive less */
  bool last;    /* the other side has ended: no further event will tell of what is there */
  int problem;  /* errno of the socket beneath TLS; 0: it ended */
};

/* By the system's number of an error. */
enum load_error transport_error(int number);

/* Takes `fd`, which is connected; `tls` NULL: none. Closes `fd` and is TRANSPORT_FAILED without memory. */
int transport_open(struct transport *transport, int fd, const struct tls *tls);
void transport_close(struct transport *transport);

/* An event of the socket; `last` as above. */
static inline void transport_wake(struct transport *transport, bool last) {
  transport->drained = false;
  transport->last = last;
}

/* 1 when TLS stands, and at once without TLS; or a transport_end and `*ret_error`. */
int transport_secure(struct transport *transport, const struct tls *tls, enum load_error *ret_error);
/* How many bytes went; or a transport_end and `*ret_error`. */
ssize_t transport_send(struct transport *transport, const char *data, size_t length, enum load_error *ret_error);
/* How many came; or a transport_end and `*ret_error`. To be called until it says that it waits, or what was wanted is
 * there: with TLS, an event may have brought more than is given out at once. */
ssize_t transport_receive(struct transport *transport, char *buffer, size_t size, enum load_error *ret_error);

/* How TLS reaches the socket. NULL without memory. */
BIO_METHOD *transport_method_create(void);

#endif
