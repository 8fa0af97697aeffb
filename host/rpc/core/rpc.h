/* gRPC's C core behind calls that wait: both sides of a connection over a socket that is there already, and the calling
 * side of one over TLS; each call a pair of message streams with a status at its end. gRPC, "gRPC over HTTP2"; of the C
 * core only what is used here.
 *
 * Of one call, one thread may send, one may receive, and any may cancel, all at the same time. */
#ifndef TRAMMEL_HOST_RPC_CORE_RPC_H
#define TRAMMEL_HOST_RPC_CORE_RPC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

/* Bytes of each message received: 64 MiB, and what the message around them takes. */
#define RPC_MESSAGE_MAX (((size_t)64 << 20) + ((size_t)64 << 10))

/* ---- a call, on either side */

struct rpc_call;

/* Sends a message; waits while the other side is slow. -ECANCELED when the call is over, which who serves may learn
 * with the next message. */
int rpc_send(struct rpc_call *call, const void *data, size_t length);

/* Waits for the next message: 1 with a heap copy of it, 0 when there is no more, -ENOMEM, -EPROTO for a compressed one:
 * it could be made a thousand times as long. With `cancel`, which may be
 * NULL and is looked at every RPC_CANCEL_POLL_MS, the call is cancelled once it is true. */
#define RPC_CANCEL_POLL_MS 20
int rpc_receive(struct rpc_call *call, const atomic_bool *cancel, uint8_t **ret_data, size_t *ret_length);

/* Ends the call for both sides at once: what waits returns. Any thread, also after the call's end. */
void rpc_cancel(struct rpc_call *call);

/* ---- the calling side */

struct rpc_channel;

/* A channel over a connected stream socket, which it takes, also when it fails. */
int rpc_channel_create(int fd, struct rpc_channel **ret_channel, struct error **err);

/* What this side is, and whom it trusts: texts in PEM. */
struct rpc_identity {
  const char *certificate; /* with those between it and its authority; NULL, as the key: it shows none */
  const char *key;
  const char *ca; /* that the other side's certificate must be signed by */
};

/* A channel to "HOST:PORT" over TLS, whose server must show a certificate for HOST. It is connected by the first call,
 * and again by the next one after the connection was lost; the connection is shared with no other channel. What is
 * wrong shows in a call: UNAVAILABLE. */
int rpc_channel_connect(const char *address, const struct rpc_identity *identity, struct rpc_channel **ret_channel,
                        struct error **err);

/* What each call from here on has as its "authorization" header; copied; NULL: none. 0 or -ENOMEM. While no call is
 * started. */
int rpc_channel_authorize(struct rpc_channel *channel, const char *authorization);

/* Whether its connection is gone, so that no call on it will go through any more: the other side closed it, or gRPC
 * did, because what came is not its protocol. */
bool rpc_channel_lost(const struct rpc_channel *channel);
/* Once its calls are destroyed. NULL is fine. */
void rpc_channel_destroy(struct rpc_channel *channel);

/* How a call ended. */
struct rpc_status {
  int code;   /* of gRPC: 0 OK … 16 UNAUTHENTICATED */
  char *text; /* heap; NULL: none */
};

/* Starts a call of `method` ("/package.Service/Method") with its first message. `deadline_ns` is of CLOCK_MONOTONIC,
 * and travels to the other side. 0 or -ENOMEM; that nobody is at the other end shows when it is received from. */
int rpc_call_start(struct rpc_channel *channel, const char *method, int64_t deadline_ns, const void *data,
                   size_t length, struct rpc_call **ret_call);

/* Once rpc_receive() gave 0: waits for the status. */
void rpc_call_finish(struct rpc_call *call, struct rpc_status *ret_status);

/* Cancels it when it is not over. Once no other thread is in it. */
void rpc_call_destroy(struct rpc_call *call);

/* ---- the serving side */

/* Serves one call: receives its messages, sends its own, and returns the status. On a thread of the call's own. */
struct rpc_service {
  void *ctx;
  int (*serve)(void *ctx, struct rpc_call *call, const char *method, char **ret_text); /* heap; NULL: none */
  size_t receive_max; /* bytes of each message received, which come before `serve`; 0: RPC_MESSAGE_MAX */
  int64_t idle_ms;    /* a connection that has had no call for so long is ended; 0: none is */
};

/* Serves calls over a connected stream socket, which it takes, until the other side is gone: 0. */
int rpc_serve(int fd, const struct rpc_service *service, struct error **err);

/* Sends what comes before the first message now: it tells the caller that the call was taken. -ECANCELED when the call
 * is over. Before any message. */
int rpc_send_headers(struct rpc_call *call);

/* Sends the call's last message together with its status, once it is served: less work for both sides. No
 * rpc_send() may follow. */
void rpc_send_last(struct rpc_call *call, const void *data, size_t length);

/* The value of a header that came with the call, by its name in small letters: 1 with a heap text, 0 when there is
 * none, -EEXIST when there are several, -EINVAL when it is no text (a NUL in it), -ENOMEM. */
int rpc_call_header(const struct rpc_call *call, const char *name, char **ret_value);

/* What who serves wants to know of a call further down; NULL at first. */
void rpc_call_set_context(struct rpc_call *call, const void *context);
const void *rpc_call_context(const struct rpc_call *call);

/* The deadline that came with the call, CLOCK_MONOTONIC; 0: none. */
int64_t rpc_call_deadline(const struct rpc_call *call);

/* Whether the call was cancelled, or its caller is gone; true from then on, also while nothing waits. Of served calls.
 */
const atomic_bool *rpc_call_cancelled(const struct rpc_call *call);

#endif
