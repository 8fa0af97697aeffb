/* Something of the mesh between a client and a server: real sockets in this process, under a clock of the test's own.
 */
#ifndef TRAMMEL_TESTS_REFMESH_BETWEEN_H
#define TRAMMEL_TESTS_REFMESH_BETWEEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "plugins/reference/mesh/pool.h"

extern int64_t between_now_s;

struct between {
  struct event_base *base;
  struct stream_loop loop;
  struct pool *pool;
  struct target target;
  int listener, client, inner, server;
  bool closed;
};

void between_init(struct between *between);
void between_finish(struct between *between);

/* As a handler's `closed`. */
void between_closed(void *between);

/* Lets the loop run until `fd` can be read, and reads: the bytes, or -errno. */
ssize_t between_receive(struct between *between, int fd, char *data, size_t size);
void between_accept(struct between *between);
/* Sends a text, which must arrive. */
void between_pass(struct between *between, int from, int to, const char *text);
/* Moves the clock on, and waits until the loop has seen it. */
void between_advance(struct between *between, int64_t seconds);

#endif
