#include "host/adapter/op.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "host/adapter/inprocess.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

/* Bytes of one string of a diagnostic. */
#define TEXT_MAX 4096

trammel_op *op_create(struct inprocess *owner, const char *method, const void *request, size_t length) {
  trammel_op *op = calloc(1, sizeof *op);
  if (!op)
    return NULL;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&op->lock, NULL);
  pthread_cond_init(&op->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  atomic_init(&op->references, 1);
  op->owner = owner;
  op->state = OP_QUEUED;
  op->cancel_fd = -1;
  op->diagnostics = diagnostics_create();
  op->method = method ? strdup(method) : NULL;
  op->request = malloc(length + 1);
  if (!op->diagnostics || !op->request || (method && !op->method)) {
    op_unref(op);
    return NULL;
  }
  if (length)
    memcpy(op->request, request, length);
  op->request[length] = '\0';
  op->request_length = length;
  return op;
}

trammel_op *op_ref(trammel_op *op) {
  atomic_fetch_add(&op->references, 1);
  return op;
}

static void free_bodies(trammel_op *op) {
  for (size_t i = 0; i < op->body_count; i++)
    free(op->bodies[i]);
  free(op->bodies);
  op->bodies = NULL;
  op->body_count = op->body_capacity = op->body_bytes = 0;
}

void op_unref(trammel_op *op) {
  if (!op || atomic_fetch_sub(&op->references, 1) > 1)
    return;
  free_bodies(op);
  if (op->cancel_fd >= 0)
    (void)close(op->cancel_fd);
  diagnostics_destroy(op->diagnostics);
  free(op->method);
  free(op->request);
  free(op->message);
  pthread_cond_destroy(&op->changed);
  pthread_mutex_destroy(&op->lock);
  free(op);
}

void op_cancel(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  op->cancelled = true;
  if (op->cancel_fd >= 0)
    (void)eventfd_write(op->cancel_fd, 1);
  pthread_cond_broadcast(&op->changed);
  pthread_mutex_unlock(&op->lock);
}

void op_done(trammel_op *op, int status) {
  pthread_mutex_lock(&op->lock);
  op->state = OP_DONE;
  op->status = status;
  free_bodies(op);
  free(op->request); /* the op may be kept for a while, its request need not */
  op->request = NULL;
  pthread_mutex_unlock(&op->lock);
  atomic_store(&op->over, 1);
  pthread_cond_broadcast(&op->changed); /* whoever wakes finds the lock free */
}

bool op_service_enter(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  bool open = op->state == OP_RUNNING && !op->cancelled;
  op->in_service += open;
  pthread_mutex_unlock(&op->lock);
  return open;
}

void op_service_leave(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  op->in_service--;
  pthread_cond_broadcast(&op->changed);
  pthread_mutex_unlock(&op->lock);
}

int op_keep_body(trammel_op *op, char *body, size_t length) {
  pthread_mutex_lock(&op->lock);
  int r = op->body_bytes + length > OP_BODIES_MAX
              ? -EFBIG
              : array_reserve((void **)&op->bodies, &op->body_capacity, op->body_count, sizeof *op->bodies);
  if (r == 0) {
    op->bodies[op->body_count++] = body;
    op->body_bytes += length;
  }
  pthread_mutex_unlock(&op->lock);
  return r;
}

static void add(trammel_op *op, const struct diagnostic *diagnostic) {
  pthread_mutex_lock(&op->lock);
  if (op->state != OP_DONE)
    (void)diagnostics_add(op->diagnostics, diagnostic);
  pthread_mutex_unlock(&op->lock);
}

void op_diagnose(trammel_op *op, uint32_t severity, const char *code, const char *remedy, const char *format, ...) {
  char summary[TEXT_MAX];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(summary, sizeof summary, format, args);
  va_end(args);
  if (n >= 0)
    add(op,
        &(struct diagnostic){.severity = (enum severity)severity, .code = code, .summary = summary, .remedy = remedy});
}

/* ---- the service "trammel.op/1" */

static bool service_cancelled(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  bool cancelled = op->cancelled;
  pthread_mutex_unlock(&op->lock);
  return cancelled;
}

static int service_cancel_fd(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  if (op->cancel_fd < 0)
    op->cancel_fd = eventfd(op->cancelled ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
  int fd = op->cancel_fd;
  pthread_mutex_unlock(&op->lock);
  return fd;
}

static int64_t service_deadline_ns(trammel_op *op) {
  return op->deadline_ns;
}

static int put_message(trammel_op *op, trammel_str message) {
  while (op->streaming && op->has_message && !op->cancelled)
    pthread_cond_wait(&op->changed, &op->lock);
  if (op->cancelled)
    return -ECANCELED;
  if (message.n > op->message_max) {
    op->too_large = true;
    return -EMSGSIZE;
  }
  if (!op->streaming && op->emitted) {
    op->second = true;
    return -EPROTO;
  }
  uint8_t *copy = malloc(message.n + 1);
  if (!copy)
    return -ENOMEM;
  if (message.n)
    memcpy(copy, message.p, message.n);
  op->message = copy;
  op->message_length = message.n;
  op->has_message = true;
  op->emitted++;
  if (op->streaming) /* a unary call's is taken at its end */
    pthread_cond_broadcast(&op->changed);
  return 0;
}

static int service_emit(trammel_op *op, trammel_str message) {
  pthread_mutex_lock(&op->lock);
  bool late = op->state == OP_DONE;
  int r = late ? -EPROTO : put_message(op, message);
  pthread_mutex_unlock(&op->lock);
  if (late)
    inprocess_late(op->owner);
  return r;
}

/* The strings of a diagnostic, made safe to show. */
struct clean {
  struct strbuf code, pointer, summary, detail, remedy;
};

static void clean_finish(struct clean *clean) {
  strbuf_finish(&clean->code);
  strbuf_finish(&clean->pointer);
  strbuf_finish(&clean->summary);
  strbuf_finish(&clean->detail);
  strbuf_finish(&clean->remedy);
}

static void append(struct strbuf *out, trammel_str text) {
  if (text.p)
    utf8_append_safe(out, text.p, text.n < TEXT_MAX ? text.n : TEXT_MAX, "\n");
}

static void append_sentence(struct strbuf *out, const char *label, trammel_str text) {
  if (!text.p || !text.n)
    return;
  strbuf_printf(out, "%s%s", out->length ? "\n" : "", label);
  append(out, text);
}

#define LITERAL(text) ((trammel_str){(text), sizeof(text) - 1})

static const char *or_null(const struct strbuf *text) {
  return text->length ? strbuf_text(text) : NULL;
}

static void service_diagnose(trammel_op *op, const trammel_diagnostic *from) {
  if (from->size < TRAMMEL_DIAGNOSTIC_SIZE_1_0)
    return;
  _cleanup_(clean_finish) struct clean to = {0};
  append(&to.code, from->code);
  append(&to.pointer, from->pointer);
  append(&to.remedy, from->remedy);
  append(&to.summary, from->resource);
  if (to.summary.length)
    strbuf_puts(&to.summary, ": ");
  append(&to.summary, from->summary);
  append(&to.detail, from->detail);
  append_sentence(&to.detail, "Probable cause: ", from->cause);
  if (from->flags & TRAMMEL_RETRY_MAY_HELP)
    append_sentence(&to.detail, "", LITERAL("Trying again may help."));
  if (from->flags & TRAMMEL_EFFECTS_UNKNOWN)
    append_sentence(&to.detail, "", LITERAL("The mesh may or may not have changed."));
  bool known = from->severity >= TRAMMEL_INFO && from->severity <= TRAMMEL_ERROR;
  add(op, &(struct diagnostic){.severity = known ? (enum severity)from->severity : SEVERITY_ERROR,
                               .code = to.code.length ? strbuf_text(&to.code) : "ADAPTER",
                               .pointer = or_null(&to.pointer),
                               .summary = strbuf_text(&to.summary),
                               .detail = or_null(&to.detail),
                               .remedy = or_null(&to.remedy)});
}

const trammel_op_api op_service = {
    .head = {sizeof(trammel_op_api), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
    .cancelled = service_cancelled,
    .cancel_fd = service_cancel_fd,
    .deadline_ns = service_deadline_ns,
    .emit = service_emit,
    .diagnose = service_diagnose,
};
