/* A server to put load on, on a thread of its own, that answers or misbehaves as told. */
#ifndef TRAMMEL_TESTS_INTEGRATION_LOAD_TARGET_SERVER_H
#define TRAMMEL_TESTS_INTEGRATION_LOAD_TARGET_SERVER_H

#include <stdint.h>

enum conduct {
  CONDUCT_ANSWERS,
  CONDUCT_CLOSES_IDLE, /* answers, and closes the connection without having said so */
  CONDUCT_CUTS,        /* half an answer, and the connection is closed */
  CONDUCT_RESETS,      /* reads the request, and resets */
  CONDUCT_GARBAGE,
  CONDUCT_ENDLESS, /* headers without an end */
  CONDUCT_MUTE,    /* never answers */
  CONDUCT_SLOW,    /* each answer takes 5 ms, one after the other */
  CONDUCT_SLOWER,  /* 50 ms: more than a busy machine adds */
};

struct target_server;

/* On a free port of 127.0.0.1. Fails the test when it can't start. */
struct target_server *target_server_start(enum conduct conduct);
/* It does nothing for `for_ms`, from the first request on that comes `at_ms` after the first of all: it stops itself.
 */
struct target_server *target_server_start_stalling(int64_t at_ms, int64_t for_ms);
void target_server_stop(struct target_server *server);

/* "http://127.0.0.1:PORT/", borrowed. */
const char *target_server_url(const struct target_server *server);
/* Requests that came. */
uint64_t target_server_requests(const struct target_server *server);

#endif
