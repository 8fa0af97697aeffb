/* One call in flight: what the adapter knows as trammel_op. Shared by the caller's thread and the thread that runs the
 * adapter, so that either may leave first; it stays valid while the other holds it. */
#ifndef TRAMMEL_HOST_ADAPTER_OP_H
#define TRAMMEL_HOST_ADAPTER_OP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/clock.h"
#include "sdk/base/diagnostic.h"
#include "trammel/abi.h"

struct inprocess;

/* Bytes of HTTP response bodies that one call may hold. */
#define OP_BODIES_MAX ((size_t)256 * 1024 * 1024)

enum op_state { OP_QUEUED = 1, OP_RUNNING, OP_DONE };

struct trammel_op {
  pthread_mutex_t lock;
  pthread_cond_t changed; /* of CLOCK_MONOTONIC: state, message, cancelled */
  atomic_uint references;

  /* Constant once queued. */
  struct inprocess *owner;
  char *method; /* NULL: create() */
  uint8_t *request;
  size_t request_length;
  size_t message_max;
  int64_t deadline_ns;
  bool streaming;
  void *user; /* of call_options */

  enum op_state state;
  atomic_uint over; /* state is OP_DONE: may be looked at without the lock */
  bool cancelled;   /* by the caller or the deadline: the receiver is gone */
  int cancel_fd;    /* -1 until asked for */
  int status;       /* OP_DONE */
  bool has_message;
  uint8_t *message;
  size_t message_length;
  unsigned emitted;
  bool too_large; /* a message was refused for its size */
  bool second;    /* a unary call sent more than one */
  struct diagnostics *diagnostics;
  char **bodies; /* of HTTP responses, the adapter's until it returns */
  size_t body_count, body_capacity, body_bytes;
  unsigned in_service; /* host services at work for it: their context must outlive them */
  /* Under the owner's lock. */
  bool returned;           /* the adapter's thread is done with it */
  bool left_behind;        /* its caller gave up before that */
  struct trammel_op *next; /* in the queue */
};

extern const trammel_op_api op_service;

/* With one reference. Copies method and request. NULL without memory. */
trammel_op *op_create(struct inprocess *owner, const char *method, const void *request, size_t length);
trammel_op *op_ref(trammel_op *op);
void op_unref(trammel_op *op);

/* Tells the adapter that nobody waits any more. */
void op_cancel(trammel_op *op);
/* The adapter returned: what it held is freed, later messages are refused. */
void op_done(trammel_op *op, int status);

/* Adds a diagnostic of the host's own. */
void op_diagnose(trammel_op *op, uint32_t severity, const char *code, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Around a host service that uses the caller's context. False: the call is over or given up, don't. */
bool op_service_enter(trammel_op *op);
void op_service_leave(trammel_op *op);

/* Keeps a heap body until the adapter returns. 0, -ENOMEM or -EFBIG: then the caller keeps it. */
int op_keep_body(trammel_op *op, char *body, size_t length);

#endif
