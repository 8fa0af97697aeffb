/* Peers that do not behave: a thread that accepts TCP connections on a port and treats each in one way, or swallows
 * datagrams. */
#ifndef TRAMMEL_TESTS_WORKLOAD_PEER_H
#define TRAMMEL_TESTS_WORKLOAD_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum peer_manner {
  PEER_SILENT = 1,   /* reads, never answers */
  PEER_RESET,        /* reads something, then resets */
  PEER_CLOSE,        /* reads something, then closes */
  PEER_HALF,         /* reads something, answers half an HTTP response, closes */
  PEER_ONE_ANSWER,   /* answers one HTTP request with keep-alive, and closes the connection when the second comes */
  PEER_GARBAGE,      /* answers with bytes that are no protocol */
  PEER_UNTIL_CLOSED, /* answers with a response that ends with the connection */
  PEER_INTERIM,      /* answers 100 Continue first, then a chunked response */
  PEER_LONG,         /* answers with a body over the limit */
  PEER_EARLY_NONCE,  /* sends a nonce and a name in an interim response and in trailers, but not in the response */
  PEER_TWO_NONCES,   /* answers with two nonces */
  PEER_H2_EARLY,     /* sends a nonce in an interim response, by h2c */
  PEER_H2_TWO,       /* answers with two nonces, by h2c */
  PEER_NO_CONTENT,   /* answers 204 with a content-length, keeping the connection */
  PEER_NOT_MODIFIED, /* answers 304 with a content-length, keeping the connection */
};

struct peer {
  pthread_t thread;
  int listener;
  int wake[2];
  uint16_t port;
  enum peer_manner manner;
  atomic_uint accepted;
};

/* Asserts. */
void peer_start(struct peer *peer, enum peer_manner manner, const char *address);
void peer_stop(struct peer *peer);

#endif
