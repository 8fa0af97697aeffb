/* A connection that makes calls, one at a time. Each protocol is a table of functions. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_CALLER_H
#define TRAMMEL_HOST_LAB_WORKLOAD_CALLER_H

#include <event2/event.h>
#include <stdbool.h>

#include "host/lab/call.h"
#include "host/lab/workload/endpoint.h"
#include "sdk/base/strbuf.h"

struct caller;

/* Where a response's body goes; what is over WORKLOAD_BODY_MAX ends the call with an error. */
struct call_sink {
  struct strbuf body;
  char content_type[128];
};

/* Borrowed until the call is done. Everything was checked before: these are written as they are. */
struct call_request {
  const char *id; /* "": none is sent */
  const char *authority;
  const char *method;
  const char *path;
  const struct call_header *headers;
  size_t header_count;
  const char *body;
  size_t body_length;
  struct call_sink *sink; /* NULL: the body is counted and dropped */
  bool last;              /* the connection is not used again */
};

/* The caller may be destroyed, or make its next call, in here. */
typedef void (*call_done_fn)(void *user, struct caller *caller);

struct caller_type {
  enum call_protocol protocol;
  int (*open)(struct event_base *base, const struct endpoint *endpoint, struct caller **ret_caller);
  void (*send)(struct caller *caller);
  void (*destroy)(struct caller *caller);
};

struct caller {
  const struct caller_type *type;
  struct endpoint endpoint;
  const struct call_request *request;
  call_done_fn done;
  void *user;
  struct call_outcome outcome; /* of the latest call; its latency is not set here */
  size_t body_length;          /* of the response so far */
  unsigned nonces;             /* x-trammel-nonce fields in the head that counts */
  unsigned calls;              /* made so far, with the one in progress */
  int idle_end;                /* CLOSED by the peer between calls: what it looked like */
  bool silent;                 /* no byte of a response came */
  bool busy;
  bool usable; /* for another call */
};

/* 0, or -errno when connecting failed at once. */
int caller_open(struct event_base *base, enum call_protocol protocol, const struct endpoint *endpoint,
                struct caller **ret_caller);
/* NULL is fine. A call in progress is given up. */
void caller_destroy(struct caller *caller);

/* Starts a call on a usable, idle caller. `done` comes later, from the event loop. */
void caller_call(struct caller *caller, const struct call_request *request, call_done_fn done, void *user);

/* What an errno, or 0 for a peer that closed, means as the end of a call. */
enum call_end call_end_of_errno(int code);
/* Fills `end` and, for an error, its text. */
void call_outcome_fail(struct call_outcome *outcome, int code);

/* For the protocols: a head begins, so that what an interim one before it (1xx) said counts no more. */
void caller_begin_head(struct caller *caller);
/* For the protocols: a part of the answer came; its headers, without trailers; its body (false: too much). */
void caller_header(struct caller *caller, const char *name, size_t name_length, const char *value, size_t value_length);
bool caller_body(struct caller *caller, const void *data, size_t length);
/* For the protocols: reads "SERVER NONCE" into the outcome and ends the call; `usable` when the connection is good for
 * another one after such an answer. */
void caller_answer_line(struct caller *caller, const char *line, size_t length, bool usable);
/* For the protocols: the call is done. The last thing a protocol does. `error` may be NULL. An answer with two nonces
 * is an error, since nothing tells which one is the server's. */
void caller_finish(struct caller *caller, enum call_end end, bool usable, const char *error);
/* For the protocols: the connection ended, in or between calls. The last thing a protocol does. */
void caller_ended(struct caller *caller, int code);

extern const struct caller_type caller_http1;
extern const struct caller_type caller_http2;
extern const struct caller_type caller_tcp;
extern const struct caller_type caller_udp;

#endif
