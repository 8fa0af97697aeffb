#include "host/adapter/inprocess.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/adapter/services.h"
#include "host/adapter/status.h"
#include "sdk/adapter/codec.h"

/* How long either side looks before it sleeps: as long as a few wake-ups take, so a call in a row of short ones needs
 * none, in a child either. */
#define LOOK_NS (100 * INT64_C(1000))
#define LOOKS 32 /* between two glances at the clock */

/* How often a caller with a cancel flag looks at it. */
#define CANCEL_POLL_NS (20 * INT64_C(1000000))

struct inprocess {
  const trammel_adapter *adapter;
  trammel_instance *instance;
  char *id; /* a copy: a call that was left behind may log when its owner is gone */
  trammel_host host;
  struct inprocess_options options;
  pthread_mutex_t lock;
  pthread_cond_t work;
  trammel_op *first, *last; /* the queue */
  atomic_uint queued;       /* ops in it: may be looked at without the lock */
  bool stopping;
  unsigned left_behind; /* calls given up that have not returned */
  trammel_op *finished[INPROCESS_FINISHED];
  size_t finished_next;
  atomic_uint late;
  pthread_t threads[INPROCESS_THREADS];
  unsigned thread_count;
};

const char *inprocess_id(const struct inprocess *inprocess) {
  return inprocess->id;
}

const Trammel__Adapter__V1__DescribeResponse *inprocess_description(const struct inprocess *inprocess) {
  return inprocess->options.description;
}

const struct adapter_http *inprocess_http(const struct inprocess *inprocess) {
  return inprocess->options.http;
}

void inprocess_late(struct inprocess *inprocess) {
  atomic_fetch_add(&inprocess->late, 1);
}

static inline void relax(void) {
#if defined __x86_64__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

/* Waits briefly for `*value` to be other than 0. */
static void look(const atomic_uint *value) {
  int64_t until = clock_in_ns(LOOK_NS);
  do {
    for (int i = 0; i < LOOKS; i++) {
      if (atomic_load_explicit(value, memory_order_acquire))
        return;
      relax();
    }
    (void)sched_yield(); /* the other side may have been put on this very processor */
  } while (clock_monotonic_ns() < until);
}

/* ---- the adapter's threads */

static trammel_op *next_op(struct inprocess *p) {
  pthread_mutex_lock(&p->lock);
  while (!p->first && !p->stopping)
    pthread_cond_wait(&p->work, &p->lock);
  trammel_op *op = p->first;
  if (op) {
    p->first = op->next;
    if (!p->first)
      p->last = NULL;
    atomic_fetch_sub(&p->queued, 1);
  }
  pthread_mutex_unlock(&p->lock);
  return op;
}

/* Keeps the queue's reference for a while, so that a late use of the op meets memory that knows it is late. */
static void remember(struct inprocess *p, trammel_op *op) {
  pthread_mutex_lock(&p->lock);
  op->returned = true;
  p->left_behind -= op->left_behind;
  trammel_op *oldest = p->finished[p->finished_next];
  p->finished[p->finished_next] = op;
  p->finished_next = (p->finished_next + 1) % INPROCESS_FINISHED;
  pthread_mutex_unlock(&p->lock);
  op_unref(oldest);
}

static int run(struct inprocess *p, trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  bool given_up = op->cancelled;
  if (!given_up)
    op->state = OP_RUNNING;
  pthread_mutex_unlock(&op->lock);
  if (given_up)
    return TRAMMEL_CANCELLED;
  trammel_str request = {(const char *)op->request, op->request_length};
  if (!op->method) {
    trammel_instance *instance = NULL; /* what a create that failed leaves there is nobody's */
    int status = p->adapter->create(&p->host, request, &instance, op);
    if (status == TRAMMEL_OK)
      p->instance = instance;
    return status;
  }
  return p->adapter->call(p->instance, (trammel_str){op->method, strlen(op->method)}, request, op);
}

static void *worker(void *arg) {
  struct inprocess *p = arg;
  trammel_op *op;
  while ((op = next_op(p))) {
    int status = run(p, op);
    op_done(op, status);
    remember(p, op);
    look(&p->queued);
  }
  return NULL;
}

static int start_threads(struct inprocess *p, struct error **err) {
  unsigned wanted = p->options.description && p->options.description->reentrant ? INPROCESS_THREADS : 1;
  while (p->thread_count < wanted) {
    int r = pthread_create(&p->threads[p->thread_count], NULL, worker, p);
    if (r != 0)
      return error_set(err, r, "cannot start a thread for adapter %s: %s", p->id, strerror(r));
    p->thread_count++;
  }
  return 0;
}

/* ---- the caller's side */

static void enqueue(struct inprocess *p, trammel_op *op) {
  pthread_mutex_lock(&p->lock);
  if (p->last)
    p->last->next = op;
  else
    p->first = op;
  p->last = op;
  atomic_fetch_add(&p->queued, 1);
  pthread_mutex_unlock(&p->lock);
  pthread_cond_signal(&p->work);
}

static void wait_until(trammel_op *op, int64_t when_ns) {
  struct timespec until = {.tv_sec = when_ns / 1000000000, .tv_nsec = when_ns % 1000000000};
  (void)pthread_cond_timedwait(&op->changed, &op->lock, &until);
}

/* Hands over one message of a stream. Called and left with the op's lock held. */
static int deliver(trammel_op *op, int (*on_message)(void *ctx, const uint8_t *message, size_t length), void *ctx) {
  uint8_t *message = take(op->message);
  size_t length = op->message_length;
  op->has_message = false;
  pthread_cond_broadcast(&op->changed);
  pthread_mutex_unlock(&op->lock);
  int r = on_message(ctx, message, length);
  free(message);
  pthread_mutex_lock(&op->lock);
  return r;
}

/* Waits for the end of the call, delivering a stream's messages. Returns 0, or why the caller gives up. */
static int await_end(trammel_op *op, const struct call_options *call,
                     int (*on_message)(void *ctx, const uint8_t *message, size_t length), void *ctx) {
  int r = 0;
  pthread_mutex_lock(&op->lock);
  while (r == 0) {
    if (on_message && op->has_message) {
      r = deliver(op, on_message, ctx) ? -ECANCELED : 0;
      continue;
    }
    if (op->state == OP_DONE)
      break;
    int64_t now = clock_monotonic_ns();
    if (call->cancel && atomic_load(call->cancel))
      r = -ECANCELED;
    else if (now >= op->deadline_ns)
      r = -ETIMEDOUT;
    else if (call->cancel && now + CANCEL_POLL_NS < op->deadline_ns)
      wait_until(op, now + CANCEL_POLL_NS);
    else
      wait_until(op, op->deadline_ns);
  }
  pthread_mutex_unlock(&op->lock);
  return r;
}

/* Tells the adapter and waits a little for its return; a host service that works for it is waited for in any case. True
 * when it returned. */
static bool give_up(trammel_op *op) {
  op_cancel(op);
  int64_t until = clock_monotonic_ns() + INPROCESS_GRACE_NS;
  pthread_mutex_lock(&op->lock);
  while (op->state == OP_RUNNING && (op->in_service || clock_monotonic_ns() < until)) {
    if (op->in_service)
      pthread_cond_wait(&op->changed, &op->lock);
    else
      wait_until(op, until);
  }
  bool returned = op->state != OP_RUNNING; /* one still queued will not be started any more */
  pthread_mutex_unlock(&op->lock);
  return returned;
}

static size_t message_max(const struct inprocess *p) {
  return p->options.message_max ? p->options.message_max : CALL_MESSAGE_MAX;
}

/* Judges a call that has returned. */
static int judge(trammel_op *op, struct error **err) {
  const char *id = inprocess_id(op->owner);
  const char *method = op->method ? op->method : "create";
  const char *status = status_name(op->status);
  if (op->second)
    return error_set(err, EPROTO, "adapter %s: %s sent more than one message, a unary method sends exactly one", id,
                     method);
  if (!status)
    return error_set(err, EPROTO, "adapter %s: %s returned the unknown status %d", id, method, op->status);
  if (op->status != TRAMMEL_OK) {
    const char *why = diagnostics_first_error(op->diagnostics);
    return error_set(err, status_errno(op->status), "adapter %s: %s failed with %s%s%s", id, method, status,
                     why ? ": " : "",
                     why             ? why
                     : op->too_large ? ": its message is too large"
                                     : "");
  }
  if (op->method && !op->streaming && !op->emitted)
    return error_set(err, EPROTO, "adapter %s: %s returned OK without a message%s", id, method,
                     op->too_large ? ": the one it sent is too large" : "");
  return 0;
}

static int gave_up_error(trammel_op *op, int why, bool returned, int64_t began_ns, struct error **err) {
  const char *id = inprocess_id(op->owner);
  const char *method = op->method ? op->method : "create";
  const char *rest = returned ? "" : " and has not returned; this process cannot end it";
  if (why == -ECANCELED)
    return error_set(err, ECANCELED, "adapter %s: %s was cancelled%s", id, method, rest);
  if (op->deadline_ns <= began_ns)
    return error_set(err, ETIMEDOUT, "adapter %s: the deadline of %s had passed before it was called%s", id, method,
                     rest);
  return error_set(err, ETIMEDOUT, "adapter %s: %s did not answer within %" PRId64 " ms%s", id, method,
                   (op->deadline_ns - began_ns) / 1000000, rest);
}

static void hand_over_diagnostics(trammel_op *op, struct diagnostics *to) {
  pthread_mutex_lock(&op->lock);
  for (size_t i = 0; to && i < diagnostics_count(op->diagnostics); i++)
    (void)diagnostics_add(to, diagnostics_at(op->diagnostics, i));
  pthread_mutex_unlock(&op->lock);
}

static void tell_late(struct inprocess *p, struct diagnostics *to) {
  unsigned late = atomic_exchange(&p->late, 0);
  if (late)
    (void)diagnostics_addf(to,
                           &(struct diagnostic){.severity = SEVERITY_WARNING,
                                                .code = "ADAPTER-0007",
                                                .remedy = "report this to the adapter's vendor"},
                           "adapter %s sent %u message(s) after the call had returned; they were dropped", p->id, late);
}

static int check_free(struct inprocess *p, struct error **err) {
  pthread_mutex_lock(&p->lock);
  bool stuck = p->left_behind >= p->thread_count; /* each thread is in such a call */
  pthread_mutex_unlock(&p->lock);
  return stuck ? error_set(err, EIO, "adapter %s never returned from an earlier call; start a new process", p->id) : 0;
}

static void leave_behind(struct inprocess *p, trammel_op *op) {
  pthread_mutex_lock(&p->lock);
  op->left_behind = !op->returned;
  p->left_behind += op->left_behind;
  pthread_mutex_unlock(&p->lock);
}

/* Runs `op`, whose reference the caller keeps. */
static int execute(struct inprocess *p, trammel_op *op, const struct call_options *call,
                   int (*on_message)(void *ctx, const uint8_t *message, size_t length), void *ctx, struct error **err) {
  int64_t began = clock_monotonic_ns();
  op->deadline_ns = call->deadline_ns ? call->deadline_ns : began + CALL_TIMEOUT_DEFAULT_NS;
  op->message_max = message_max(p);
  op->user = call->user;
  op->streaming = on_message != NULL;
  int r = check_free(p, err);
  if (r < 0)
    return r;
  enqueue(p, op_ref(op));
  look(&op->over);
  int why = await_end(op, call, on_message, ctx);
  if (why == 0) {
    r = judge(op, err);
  } else {
    bool returned = give_up(op);
    if (!returned)
      leave_behind(p, op);
    r = gave_up_error(op, why, returned, began, err);
  }
  hand_over_diagnostics(op, call->diagnostics);
  tell_late(p, call->diagnostics);
  return r;
}

int inprocess_call(struct inprocess *p, const char *method, const void *request, size_t length,
                   int (*on_message)(void *ctx, const uint8_t *message, size_t length), void *ctx,
                   const struct call_options *call, uint8_t **ret_message, size_t *ret_length, struct error **err) {
  if (length > message_max(p))
    return error_set(err, EMSGSIZE, "the request of %s has %zu bytes, at most %zu are sent; ask for less at a time",
                     method, length, message_max(p));
  trammel_op *op = op_create(p, method, request, length);
  if (!op)
    return error_set(err, ENOMEM, "out of memory");
  int r = execute(p, op, call, on_message, ctx, err);
  if (r == 0 && !on_message) {
    *ret_message = take(op->message);
    *ret_length = op->message_length;
  }
  op_unref(op);
  return r;
}

static int create_instance(struct inprocess *p, const char *config, const struct call_options *call,
                           struct error **err) {
  trammel_op *op = op_create(p, NULL, config, strlen(config));
  if (!op)
    return error_set(err, ENOMEM, "out of memory");
  int r = execute(p, op, call, NULL, NULL, err);
  op_unref(op);
  if (r == 0 && !p->instance)
    return error_set(err, EPROTO, "adapter %s: create returned OK without an instance", p->id);
  return r;
}

int inprocess_create(const trammel_adapter *adapter, const struct inprocess_options *options, const char *config,
                     const struct call_options *call, struct inprocess **ret_inprocess, struct error **err) {
  struct inprocess *p = calloc(1, sizeof *p);
  if (!p)
    return error_set(err, ENOMEM, "out of memory");
  p->adapter = adapter;
  p->options = *options;
  p->id = strdup(options->id);
  p->host = (trammel_host){
      .head = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0}, .ctx = p, .get = services_get};
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->work, NULL);
  int r = p->id ? start_threads(p, err) : error_set(err, ENOMEM, "out of memory");
  if (r == 0)
    r = create_instance(p, config, call, err);
  if (r < 0) {
    inprocess_destroy(p);
    return r;
  }
  *ret_inprocess = p;
  return 0;
}

void inprocess_destroy(struct inprocess *p) {
  if (!p)
    return;
  pthread_mutex_lock(&p->lock);
  p->stopping = true;
  bool stuck = p->left_behind > 0;
  pthread_cond_broadcast(&p->work);
  pthread_mutex_unlock(&p->lock);
  for (unsigned i = 0; i < p->thread_count; i++)
    (void)(stuck ? pthread_detach(p->threads[i]) : pthread_join(p->threads[i], NULL));
  if (stuck)
    return; /* the adapter's code still runs on this memory: it must stay */
  if (p->instance)
    p->adapter->destroy(p->instance);
  for (size_t i = 0; i < INPROCESS_FINISHED; i++)
    op_unref(p->finished[i]);
  pthread_cond_destroy(&p->work);
  pthread_mutex_destroy(&p->lock);
  free(p->id);
  free(p);
}
