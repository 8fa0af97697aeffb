/* One call of an adapter that is at the other end of a channel, wherever that is: trammel.adapter.v1.Placement. */
#ifndef TRAMMEL_HOST_ADAPTER_EXCHANGE_H
#define TRAMMEL_HOST_ADAPTER_EXCHANGE_H

#include "host/adapter/instance.h"
#include "host/rpc/core/rpc.h"
#include "sdk/base/error.h"

struct placed_call;

struct exchange {
  /* Given, and borrowed. */
  const struct adapter_entry *entry;
  const struct adapter_http *http; /* NULL: no endpoint has an address */
  const char *config;              /* JSON, for an other end that may not have the instance; NULL: it has */
  const struct placed_call *call;
  const struct call_options *options;
  int64_t deadline_ns; /* CLOCK_MONOTONIC */
  /* What came of it. */
  uint8_t *message; /* of a unary call, heap, the caller's */
  size_t length;
  unsigned messages;
  bool changed; /* a request was sent that may have changed the mesh */
  bool stopped; /* by on_message */
  struct rpc_call *rpc;
};

enum exchange_end {
  EXCHANGE_OVER,        /* the adapter answered, or said why not */
  EXCHANGE_MALFORMED,   /* with something that is no answer */
  EXCHANGE_UNAVAILABLE, /* nobody is at the other end any more; the error is gRPC's text */
  EXCHANGE_LATE         /* the deadline passed */
};

/* Runs the call to its end. 0 or an error as of instance_call(); of EXCHANGE_UNAVAILABLE and EXCHANGE_LATE the caller
 * knows more to say. */
int exchange_run(struct exchange *exchange, struct rpc_channel *channel, enum exchange_end *ret_end,
                 struct error **err);

/* Fails a call whose other end is gone: gives the diagnostic, which says whether the mesh may have been changed, and
 * sets the error: -EIO. */
int exchange_lost(const struct exchange *exchange, const char *why, const char *detail, struct error **err);

/* What is known of effects, as the end of a message. */
const char *exchange_effects(const struct exchange *exchange);

/* The method's name, for messages. */
const char *exchange_method(const struct exchange *exchange);

#endif
