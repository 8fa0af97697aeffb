/* What calls in a child are compared with: bare calls of gRPC's C core, and bare messages, over a socket pair. */
#ifndef TRAMMEL_TESTS_BENCH_ECHO_PEER_H
#define TRAMMEL_TESTS_BENCH_ECHO_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct echo_peer;

/* Start the other side as a process: before this one has threads or gRPC. Exits when it cannot. */
struct echo_peer *grpc_peer_start(void);
struct echo_peer *socket_peer_start(void);
/* Ends the process, and waits for it. */
void echo_peer_stop(struct echo_peer *peer);

/* One call: sends the bytes and waits for as many. */
bool grpc_peer_call(struct echo_peer *peer, const void *data, size_t length);
bool socket_peer_call(struct echo_peer *peer, const void *data, size_t length);

#endif
