/* A server that sends back what it is sent, over TCP and UDP on one thread, or misbehaves as told. */
#ifndef TRAMMEL_TESTS_INTEGRATION_LOAD_ECHO_SERVER_H
#define TRAMMEL_TESTS_INTEGRATION_LOAD_ECHO_SERVER_H

#include <stdint.h>

enum echo_conduct {
  ECHO_ECHOES,
  ECHO_GARBLES, /* its last byte is another one */
  ECHO_ADDS,    /* a byte more than it was sent */
  ECHO_HALVES,  /* half of it, and TCP's connection is closed */
  ECHO_MUTE,
  ECHO_FLOODS, /* TCP: sends without an end, as fast as it is read */
  /* UDP: */
  ECHO_LOSES,   /* each fourth request */
  ECHO_DOUBLES, /* each answer comes twice */
  ECHO_DELAYS,  /* each answer comes with the request after the next one */
  ECHO_INVENTS, /* with each answer comes a datagram of a number that nobody sent, and an empty one */
};

struct echo_server;

/* On free ports of 127.0.0.1. Fails the test when it can't start. */
struct echo_server *echo_server_start(enum echo_conduct conduct);
void echo_server_stop(struct echo_server *server);

/* "tcp://127.0.0.1:PORT", "udp://127.0.0.1:PORT", borrowed. */
const char *echo_server_tcp(const struct echo_server *server);
const char *echo_server_udp(const struct echo_server *server);
/* Datagrams that came. */
uint64_t echo_server_datagrams(const struct echo_server *server);

#endif
