/* The in-process placement: a loaded adapter with the threads that run it. No boundary: an adapter that never returns
 * cannot be ended, only left behind. */
#ifndef TRAMMEL_HOST_ADAPTER_INPROCESS_H
#define TRAMMEL_HOST_ADAPTER_INPROCESS_H

#include <stdatomic.h>

#include "host/adapter/instance.h"
#include "host/adapter/op.h"

/* Threads of an adapter that says it is reentrant; one otherwise. */
#define INPROCESS_THREADS 4
/* After a deadline or a cancel, how long a caller still waits for the adapter to return. */
#define INPROCESS_GRACE_NS (INT64_C(1000000000))
/* Finished calls that are remembered, to tell an adapter that uses one after its return. */
#define INPROCESS_FINISHED 64

struct inprocess_options {
  const char *id;                                            /* for messages and the log */
  const Trammel__Adapter__V1__DescribeResponse *description; /* permissions, reentrancy; NULL before it is known */
  const struct adapter_http *http;                           /* NULL: none */
  size_t message_max;                                        /* bytes of a request or response; 0: CALL_MESSAGE_MAX */
};

/* Borrows everything until destroyed. Calls the adapter's create() with `config` (JSON text; empty: none), within
 * `options` of a call. */
int inprocess_create(const trammel_adapter *adapter, const struct inprocess_options *options, const char *config,
                     const struct call_options *call, struct inprocess **ret_inprocess, struct error **err);
/* Waits for calls that run, but leaves one behind that was given up and has not returned (with its memory). NULL is
 * fine. */
void inprocess_destroy(struct inprocess *inprocess);
DEFINE_CLEANUP(struct inprocess *, inprocess_destroy);

/* Runs a method. A unary call (`on_message` NULL) gives the message's bytes (heap); a streaming call hands each to
 * `on_message`, on this thread. Errors as instance_call. */
int inprocess_call(struct inprocess *inprocess, const char *method, const void *request, size_t length,
                   int (*on_message)(void *ctx, const uint8_t *message, size_t length), void *ctx,
                   const struct call_options *call, uint8_t **ret_message, size_t *ret_length, struct error **err);

/* For the host services. */
const char *inprocess_id(const struct inprocess *inprocess);
const Trammel__Adapter__V1__DescribeResponse *inprocess_description(const struct inprocess *inprocess);
const struct adapter_http *inprocess_http(const struct inprocess *inprocess);
/* A message came after its call had returned. */
void inprocess_late(struct inprocess *inprocess);

#endif
