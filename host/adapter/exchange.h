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
  EXCHANGE_RETURNED,  /* the adapter returned: with an answer, or with an error */
  EXCHANGE_CANCELLED, /* by the caller, or the receiver of its stream; the adapter may be at it still */
  EXCHANGE_LATE,      /* the deadline passed; so may it then */
  EXCHANGE_MALFORMED, /* what came is no answer */
  EXCHANGE_LOST,      /* nobody is at the other end any more, or takes calls; the text is gRPC's */
  EXCHANGE_FAILED     /* no memory, or gRPC would not carry it; the adapter may be at it still */
};

/* Runs the call to its end. EXCHANGE_RETURNED: 0, or an error as of instance_call(). Any other end: an error code, and
 * why in `ret_why`, which is for exchange_cut_short(). */
#define EXCHANGE_WHY_MAX 600
int exchange_run(struct exchange *exchange, struct rpc_channel *channel, enum exchange_end *ret_end,
                 char ret_why[static EXCHANGE_WHY_MAX], struct error **err);

/* Fails a call that did not come to the adapter's return: the error and a diagnostic tell why, and whether the mesh may
 * have been changed. Returns -code. `detail` is of the diagnostic. */
int exchange_cut_short(const struct exchange *exchange, int code, const char *why, const char *detail,
                       struct error **err);

#endif
