/* TLS handshakes on a thread of their own: most of what a new connection costs is public key cryptography, and the
 * event loop has other connections to serve meanwhile.
 *
 * All functions are called by the event loop's thread. */
#ifndef TRAMMEL_REFERENCE_MESH_HANDSHAKER_H
#define TRAMMEL_REFERENCE_MESH_HANDSHAKER_H

#include <openssl/ssl.h>
#include <sys/queue.h>

struct event_base;
struct handshaker;

enum handshake_state { HANDSHAKE_IDLE, HANDSHAKE_QUEUED, HANDSHAKE_RUNNING, HANDSHAKE_STEPPED };

/* A connection's handshake. Between handshaker_step() and `stepped` nobody else uses `tls`. */
struct handshake {
  TAILQ_ENTRY(handshake) link;
  enum handshake_state state;
  SSL *tls;
  int result;                                   /* as by SSL_get_error(): SSL_ERROR_NONE when hands are shaken */
  void (*stepped)(struct handshake *handshake); /* called by the event loop */
};

/* Starts the thread. -errno when that, or memory, fails. */
int handshaker_create(struct event_base *base, struct handshaker **ret_handshaker);
/* To be called when no handshake is under way any more. NULL is fine. */
void handshaker_destroy(struct handshaker *handshaker);

/* Goes on with a handshake that is idle, as far as it gets without waiting for the other side. */
void handshaker_step(struct handshaker *handshaker, struct handshake *handshake);
/* Afterwards it is idle, and `stepped` is not called. Waits for a step that runs, which never waits itself. */
void handshaker_cancel(struct handshaker *handshaker, struct handshake *handshake);

#endif
