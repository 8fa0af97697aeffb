/* An HTTP/2 connection to a server: one request at a time, and kept for the next one in a pool. */
#ifndef TRAMMEL_REFERENCE_MESH_H2_LINK_H
#define TRAMMEL_REFERENCE_MESH_H2_LINK_H

#include <stdint.h>
#include <sys/types.h>

#include "plugins/reference/mesh/h2_head.h"
#include "plugins/reference/mesh/pool.h"

struct h2_link;

struct h2_link_handler {
  /* The head of the answer, or of an interim one, was read and checked. With `end` no body follows. */
  void (*head)(void *context, struct h2_head *head, bool end);
  void (*body)(void *context, const char *data, size_t length);
  /* Takes up to `size` bytes of the request's body: how many; NGHTTP2_ERR_DEFERRED: none now, h2_link_resume tells when
   * there are. `*ret_end` when these are the last. */
  ssize_t (*read)(void *context, uint8_t *data, size_t size, bool *ret_end);
  /* Something happened: the last call of an event. The link may be closed in it. */
  void (*changed)(void *context);
};

enum h2_link_end {
  H2_LINK_OPEN,     /* not yet answered to the end */
  H2_LINK_COMPLETE, /* the answer is whole */
  H2_LINK_REFUSED,  /* the server says that it did not look at the request */
  H2_LINK_FAILED,   /* reset, not understood, or the connection ended */
  H2_LINK_TIMEOUT,
};

/* A connection to the target with a request on it, whose head is `head`; without `body` it ends there. What passes
 * either way extends its time, up to `due_s` by the loop's clock. NULL without memory or descriptors. */
struct h2_link *h2_link_open(struct pool *pool, struct target *target, bool idle, const struct head *head, bool body,
                             int64_t due_s, const struct h2_link_handler *handler, void *context);

/* The request's body goes on. */
void h2_link_resume(struct h2_link *link);
/* So many bytes of the answer's body were passed on: the server may send as many more. */
void h2_link_consumed(struct h2_link *link, size_t length);
/* Sends what the calls above and the body call for. */
void h2_link_flush(struct h2_link *link);

enum h2_link_end h2_link_end(const struct h2_link *link);
bool h2_link_connected(const struct h2_link *link); /* before H2_LINK_FAILED, a server was reached */
bool h2_link_reused(const struct h2_link *link);

/* Gives it back when request and answer are whole, else tells the server that nobody waits any more. */
void h2_link_close(struct h2_link *link);

#endif
