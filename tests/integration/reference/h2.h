/* Peers of the mesh that speak HTTP/2, in the test's own thread: a client, and the program behind the proxies. */
#ifndef TRAMMEL_TESTS_REFMESH_H2_H
#define TRAMMEL_TESTS_REFMESH_H2_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/strbuf.h"

enum { H2_STREAMS = 256, H2_PEERS = 256 };

/* One message each way, as one peer sees it. */
struct h2_stream {
  int32_t id;
  struct strbuf head; /* what came: "name: value\n" for each field, pseudo-fields too */
  struct strbuf body;
  size_t received;     /* bytes of body, also when they are not kept */
  unsigned heads;      /* blocks of fields that came */
  unsigned status;     /* of an answer */
  bool ended;          /* by END_STREAM */
  bool closed;         /* in both directions, or by a reset */
  uint32_t code;       /* why */
  struct strbuf out;   /* what is still to be sent */
  size_t endless;      /* so many bytes after that */
  size_t sent;         /* bytes of body */
  bool held;           /* more is to come: h2_send_more, h2_send_end */
  bool trailers;       /* a field is sent after the body */
  bool body_submitted; /* the answer was begun */
  bool taken;          /* by h2_take */
};

enum h2_manner {
  H2_ECHO, /* answers a request that ended with 200 and its own body, or else its head */
  H2_HOLD, /* the test answers */
};

struct h2_peer {
  int fd; /* -1: closed */
  nghttp2_session *session;
  bool server;
  enum h2_manner manner;
  bool discards; /* bodies are only counted */
  bool manual;   /* windows are opened by h2_consume only */
  bool deaf;     /* does not read */
  struct h2_stream streams[H2_STREAMS];
  size_t count;
  bool goaway;
  int32_t goaway_last;
  uint32_t goaway_code;
  bool ended; /* the connection, by the other side */
};

/* The peers of a test, and where programs are connected to. */
struct h2_net {
  struct h2_peer *peers[H2_PEERS];
  size_t count;
  int listener;          /* -1: none */
  enum h2_manner manner; /* of those that come */
  bool manual;
};

void h2_net_init(struct h2_net *net);
void h2_net_finish(struct h2_net *net);
/* Programs on the app address of `host`. */
void h2_net_listen(struct h2_net *net, int host);
/* `manual` as in h2_peer; its connection window is then large, so that streams are what is bounded. */
struct h2_peer *h2_net_dial(struct h2_net *net, const char *address, int port, bool manual);
/* The connections that came to programs, in their order; NULL. */
struct h2_peer *h2_net_program(struct h2_net *net, size_t index);
size_t h2_net_programs(const struct h2_net *net);
void h2_peer_close(struct h2_peer *peer, bool reset);

/* Waits for something to happen, and lets it. Fails the test when nothing does. */
void h2_turn(struct h2_net *net);
/* The same, within so many milliseconds; false when nothing happened. */
bool h2_turn_within(struct h2_net *net, int ms);
#define H2_WAIT(net, condition)                                                                                        \
  while (!(condition))                                                                                                 \
  h2_turn(net)

/* Sends a request; `fields` are names and values in turn, NULL-terminated (NULL: none). `body` NULL: none. The stream
 * is the peer's. */
struct h2_stream *h2_ask(struct h2_peer *client, const char *method, const char *path, const char *const *fields,
                         const void *body, size_t length);
/* A request whose body follows. */
struct h2_stream *h2_ask_held(struct h2_peer *client, const char *path);
/* Answers what came to a program; `body` NULL: the head is all. */
void h2_answer(struct h2_peer *program, struct h2_stream *stream, const char *status, const char *const *fields,
               const char *body);
/* Answers, and holds the body open. */
void h2_answer_held(struct h2_peer *program, struct h2_stream *stream);
void h2_send_more(struct h2_peer *peer, struct h2_stream *stream, const void *data, size_t length);
void h2_send_end(struct h2_peer *peer, struct h2_stream *stream);
void h2_reset(struct h2_peer *peer, struct h2_stream *stream, uint32_t code);
void h2_consume(struct h2_peer *peer, struct h2_stream *stream, size_t length);
void h2_flush(struct h2_peer *peer);

/* The first stream that came to any program, not yet taken; waits for one. */
struct h2_stream *h2_take(struct h2_net *net, struct h2_peer **ret_program);

/* The status of a request by a client, which is waited for; 0 when its stream was reset or the connection ended. */
unsigned h2_status(struct h2_net *net, struct h2_peer *client, const char *method, const char *path,
                   const char *const *fields);
bool h2_has(const struct h2_stream *stream, const char *line);

#endif
