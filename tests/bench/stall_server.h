/* A server whose delays are known, in a process of its own: it stops itself once, or takes exactly as long for each
 * request, one at a time. */
#ifndef TRAMMEL_TESTS_BENCH_STALL_SERVER_H
#define TRAMMEL_TESTS_BENCH_STALL_SERVER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct stall_plan {
  int64_t stall_at_ns, stall_for_ns; /* since its first request; for 0 ns: never */
  int64_t service_ns;                /* of each request, one after the other; 0: answered at once */
};

struct stall_server {
  pid_t pid;
  char url[64];
  atomic_uint *requests; /* that came so far; shared with it */
};

/* On a free port of 127.0.0.1. -errno. It ends with its parent, too. */
int stall_server_start(const struct stall_plan *plan, struct stall_server *ret_server);
void stall_server_stop(struct stall_server *server);

#endif
