/* A socket that a proxy listens on: of TCP, or of UDP. */
#ifndef TRAMMEL_REFERENCE_MESH_LISTENER_H
#define TRAMMEL_REFERENCE_MESH_LISTENER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>

struct error;
struct workload;

struct listener {
  struct workload *workload;
  /* TCP: a connection; it takes `fd` over. NULL for UDP. */
  void (*accept)(struct workload *workload, size_t index, int fd);
  /* UDP: a datagram. NULL for TCP. */
  void (*receive)(struct listener *listener, const struct sockaddr_in *from, const char *data, size_t length);
  size_t index; /* of the workload's port or upstream */
  struct sockaddr_in address;
  int fd;                /* -1: none */
  struct listener *from; /* whose socket it shares, until it takes it over */
  bool watched;
  struct event event;
};

/* Binds and listens, but does not accept yet. */
int listener_open(struct listener *listener, struct error **err);
/* Uses the socket of another listener on the same address, which stays as it is until listener_take_over. */
void listener_share(struct listener *listener, struct listener *from);
/* The other listener loses its socket. Nothing for one that shares none. */
void listener_take_over(struct listener *listener);
/* Whether both are for the same port of the same transport. */
bool listener_same(const struct listener *a, const struct listener *b);
/* Begins to accept, or to receive. */
int listener_start(struct listener *listener, struct event_base *base);
/* A shared socket stays open. */
void listener_close(struct listener *listener);

#endif
