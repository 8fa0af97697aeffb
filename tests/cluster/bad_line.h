/* A bad line to a server: a TCP proxy in a process of its own, which passes bytes on slowly, or cuts each connection
 * after some. It ends with the test. */
#ifndef TRAMMEL_TESTS_CLUSTER_BAD_LINE_H
#define TRAMMEL_TESTS_CLUSTER_BAD_LINE_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

struct bad_line {
  pid_t pid;
  unsigned port;     /* on 127.0.0.1 */
  atomic_uint *cuts; /* connections that were cut so far */
};

struct bad_line_way {
  unsigned pause_ms; /* before each KiB from the server */
  size_t bytes_most; /* from the server, on one connection, which is reset then; 0: no limit */
};

/* `server`: "https://ADDRESS:PORT", as a kubeconfig has it. Fails the test where it cannot be. */
struct bad_line bad_line_start(const char *server, const struct bad_line_way *way);
void bad_line_stop(struct bad_line *line);

#endif
