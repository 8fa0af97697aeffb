/* One connection, plain or TLS, without blocking: bytes in order, bounded by who writes them, and how it ends.
 *
 * Handlers are only called from the event loop, never from within a call to a stream. A handler may destroy its stream.
 */
#ifndef TRAMMEL_REFERENCE_MESH_STREAM_H
#define TRAMMEL_REFERENCE_MESH_STREAM_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct event_base;
struct event;
struct handshaker;
struct stream;
LIST_HEAD(stream_list, stream);

enum { STREAM_SCRATCH = 64 * 1024 };

/* What streams share: the loop, who shakes hands for them, a clock of whole seconds, and those that wait to be freed.
 */
struct stream_loop {
  struct event_base *base;
  struct handshaker *handshaker;
  struct event *tick;
  struct event *reap;
  struct stream_list live, dead;
  int64_t now_s;
  int64_t (*clock_s)(void); /* clock_monotonic_s; tests of timeouts have another */
  char *scratch;            /* what was just read; STREAM_SCRATCH bytes */
};

int stream_loop_init(struct stream_loop *loop, struct event_base *base);
/* Every stream that is left is destroyed, without telling its handler. */
void stream_loop_finish(struct stream_loop *loop);

enum stream_end {
  STREAM_EOF,     /* the other side sends no more; it may still read */
  STREAM_FAILED,  /* reset, refused, handshake failed */
  STREAM_TIMEOUT, /* the deadline passed */
};

/* Before `ready`, only `ended` is called: a handler that is replaced there needs no others. */
struct stream_handler {
  void (*ready)(void *context); /* connected and, with TLS, shaken hands; for an accepted one its kind is known */
  size_t (*data)(void *context, const char *data, size_t length); /* returns what it took; less: until stream_resume */
  void (*drained)(void *context);                                 /* it was full, and no longer is */
  void (*ended)(void *context, enum stream_end end);
};

/* Takes the descriptor over, in every case. With `tls`, a first byte of a TLS handshake makes it a TLS server, any
 * other leaves it plain. Without a handler, one is to be set before the loop goes on. NULL without memory. */
struct stream *stream_accept(struct stream_loop *loop, int fd, SSL_CTX *tls, const struct stream_handler *handler,
                             void *context);

/* Begins to connect; a failure is told to the handler. Takes `tls` over (NULL: plain) in every case. NULL without
 * memory or descriptors. */
struct stream *stream_connect(struct stream_loop *loop, const struct sockaddr_in *address, SSL *tls,
                              const struct stream_handler *handler, void *context);

void stream_set_handler(struct stream *stream, const struct stream_handler *handler, void *context);
SSL *stream_tls(const struct stream *stream); /* NULL when it is plain, or hands are not shaken yet */

/* Bytes are queued, and sent when the stream is flushed. */
void stream_write(struct stream *stream, const void *data, size_t length);
void stream_flush(struct stream *stream);
bool stream_full(const struct stream *stream);

/* Reading stops, or goes on with what was not taken. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* Whether an idle stream is of no more use: ended, or sent something that nobody asked for. */
bool stream_stale(struct stream *stream);

/* STREAM_TIMEOUT in `seconds` from now unless set again; 0: never. */
void stream_set_deadline(struct stream *stream, int seconds);
int64_t stream_now_s(const struct stream *stream); /* by the loop's clock */

void stream_shutdown(struct stream *stream); /* ends the writing side, after what is queued */
void stream_finish(struct stream *stream);   /* the same, then waits a little for the other side's end; gives it up */
void stream_destroy(struct stream *stream);  /* at once: as a clean end when nothing is queued, else as stream_abort */
void stream_abort(struct stream *stream);    /* at once, so that the other side can tell it from a clean end */

#endif
