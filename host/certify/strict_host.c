#include "host/certify/strict_host.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/adapter/status.h"
#include "host/certify/sitting.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"

/* This host's own: it has nothing to do with that of host/adapter. */
struct trammel_op {
  struct strict_host *host;
  const char *method;
  pthread_mutex_t lock;
  bool streaming;
  bool returned;
  char *message;
  size_t length;
  unsigned messages;
};

#define TABLE_TAIL 64 /* bytes behind a table of a later version */

struct strict_host {
  trammel_host table; /* first */
  unsigned char table_tail[TABLE_TAIL];
  struct sitting *sitting;
  enum strict_manner manner;
  bool spares;
  struct {
    trammel_op_api api;
    unsigned char tail[TABLE_TAIL];
  } op;
  struct {
    trammel_log_api api;
    unsigned char tail[TABLE_TAIL];
  } log;
  struct {
    trammel_http_api api;
    unsigned char tail[TABLE_TAIL];
  } http;
};

/* Bytes of a call's messages. */
#define KEPT_MAX ((size_t)64 << 20)

#define LINGER_NS (150 * NS_PER_MS)

/* ---- what the adapter calls */

static bool op_cancelled(trammel_op *op) {
  (void)op;
  return false;
}

static int op_cancel_fd(trammel_op *op) {
  (void)op;
  return -1;
}

static int64_t op_deadline_ns(trammel_op *op) {
  (void)op;
  return 0;
}

static int keep_message(trammel_op *op, trammel_str message) {
  size_t head = op->streaming ? sizeof message.n : 0;
  char *longer = message.n > KEPT_MAX - op->length ? NULL : realloc(op->message, op->length + head + message.n + 1);
  if (!longer)
    return -ENOMEM;
  op->message = longer;
  memcpy(longer + op->length, &message.n, head);
  if (message.n)
    memcpy(longer + op->length + head, message.p, message.n);
  op->length += head + message.n;
  op->messages++;
  return 0;
}

static int op_emit(trammel_op *op, trammel_str message) {
  struct sitting *sitting = op->host->sitting;
  pthread_mutex_lock(&op->lock);
  bool late = op->returned, second = !op->streaming && op->messages > 0;
  int r = late || second ? -EPROTO : message.n && !message.p ? -EINVAL : keep_message(op, message);
  pthread_mutex_unlock(&op->lock);
  if (late)
    sitting_fail(sitting, "%s sends a message after it has returned: threads of the adapter's must be done by then",
                 op->method);
  else if (second)
    sitting_fail(sitting, "%s sends a second message; a unary method sends exactly one", op->method);
  else if (r == -EINVAL)
    sitting_fail(sitting, "%s sends a message of %zu bytes at no address", op->method, message.n);
  return r;
}

static bool is_text(trammel_str text) {
  return text.n == 0 || (text.p && text_valid(text.p, text.n));
}

static void op_diagnose(trammel_op *op, const trammel_diagnostic *d) {
  struct sitting *sitting = op->host->sitting;
  pthread_mutex_lock(&op->lock);
  bool late = op->returned;
  pthread_mutex_unlock(&op->lock);
  if (late)
    sitting_fail(sitting, "%s gives a diagnostic after it has returned", op->method);
  else if (d->size < TRAMMEL_DIAGNOSTIC_SIZE_1_0)
    sitting_fail(sitting, "%s gives a diagnostic whose size is %u; set it to sizeof(trammel_diagnostic)", op->method,
                 d->size);
  else if (d->severity < TRAMMEL_INFO || d->severity > TRAMMEL_ERROR || d->reserved != 0 ||
           (d->flags & ~(uint32_t)(TRAMMEL_RETRY_MAY_HELP | TRAMMEL_EFFECTS_UNKNOWN)) != 0)
    sitting_fail(sitting,
                 "%s gives a diagnostic with severity %u, flags %u, reserved %u, which ABI %u.%u does not have",
                 op->method, d->severity, d->flags, d->reserved, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR);
  else if (!is_text(d->code) || !is_text(d->resource) || !is_text(d->pointer) || !is_text(d->summary) ||
           !is_text(d->detail) || !is_text(d->cause) || !is_text(d->remedy))
    sitting_fail(sitting, "%s gives a diagnostic with a text that is not UTF-8, or holds a NUL", op->method);
  else if (d->code.n == 0 || d->summary.n == 0)
    sitting_warn(sitting, "%s gives a diagnostic without a %s", op->method, d->code.n ? "summary" : "code");
}

static void log_write(const trammel_host *host, uint32_t level, trammel_str line) {
  struct sitting *sitting = ((const struct strict_host *)host)->sitting;
  if (level < TRAMMEL_INFO || level > TRAMMEL_DEBUG)
    sitting_fail(sitting, "a line of the log has level %u, which there is not", level);
  else if (!is_text(line))
    sitting_warn(sitting, "a line of the log is not UTF-8, or holds a NUL");
}

static int http_request(trammel_op *op, const trammel_http_request *request, trammel_http_response *response) {
  struct sitting *sitting = op->host->sitting;
  if (request->size < TRAMMEL_HTTP_REQUEST_SIZE_1_0 || response->size < TRAMMEL_HTTP_RESPONSE_SIZE_1_0)
    sitting_fail(sitting, "%s asks for HTTP with a table whose size is less than ABI 1.0 has it; set it to sizeof",
                 op->method);
  return TRAMMEL_UNAVAILABLE;
}

static const void *get_service(const trammel_host *table, const char *id) {
  const struct strict_host *host = (const struct strict_host *)table;
  if (host->manner == STRICT_EMPTY)
    return NULL;
  if (strcmp(id, TRAMMEL_OP_SERVICE) == 0)
    return &host->op.api;
  if (host->manner == STRICT_BARE)
    return NULL;
  if (strcmp(id, TRAMMEL_LOG_SERVICE) == 0)
    return &host->log.api;
  return strcmp(id, TRAMMEL_HTTP_SERVICE) == 0 ? &host->http.api : NULL;
}

/* ---- what calls the adapter */

static trammel_head head_of(enum strict_manner manner, size_t size) {
  bool longer = manner == STRICT_LONGER;
  return (trammel_head){(uint32_t)(size + (longer ? TABLE_TAIL : 0)), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR + longer, 0};
}

struct strict_host *strict_host_create(struct sitting *sitting, enum strict_manner manner) {
  struct strict_host *host = malloc(sizeof *host);
  if (!host) {
    sitting_lacks(sitting, "memory");
    return NULL;
  }
  memset(host, 0xa5, sizeof *host); /* whoever uses what is behind the tables it knows finds nothing that is there */
  host->sitting = sitting;
  host->manner = manner;
  host->spares = false;
  host->table = (trammel_host){.head = head_of(manner, sizeof host->table), .ctx = host, .get = get_service};
  host->op.api = (trammel_op_api){.head = head_of(manner, sizeof host->op.api),
                                  .cancelled = op_cancelled,
                                  .cancel_fd = op_cancel_fd,
                                  .deadline_ns = op_deadline_ns,
                                  .emit = op_emit,
                                  .diagnose = op_diagnose};
  host->log.api = (trammel_log_api){.head = head_of(manner, sizeof host->log.api), .write = log_write};
  host->http.api = (trammel_http_api){.head = head_of(manner, sizeof host->http.api), .request = http_request};
  return host;
}

void strict_host_spare(struct strict_host *host) {
  host->spares = true;
}

static trammel_op *make_op(struct strict_host *host, const char *method, bool streaming) {
  trammel_op *op = calloc(1, sizeof *op);
  if (!op)
    return NULL;
  *op = (trammel_op){.host = host, .method = method, .streaming = streaming};
  pthread_mutex_init(&op->lock, NULL);
  return op;
}

static void end_op(trammel_op *op) {
  pthread_mutex_lock(&op->lock);
  op->returned = true;
  pthread_mutex_unlock(&op->lock);
}

/* Who uses it later finds it marked as returned, unless it is to be spared. */
static void drop_op(const struct strict_host *host, trammel_op *op) {
  if (!host->spares)
    return;
  pthread_mutex_destroy(&op->lock);
  free(op->message);
  free(op);
}

static void judge_status(struct strict_host *host, const trammel_op *op, int status) {
  if (!status_name(status))
    sitting_fail(host->sitting, "%s returns the status %d, which is none of gRPC's", op->method, status);
  else if (status == TRAMMEL_OK && op->messages == 0 && !op->streaming)
    sitting_fail(host->sitting, "%s returns OK and has sent no message", op->method);
}

/* Memory of its own, that can be taken away. */
struct borrowed {
  char *start;
  size_t size;
};

static trammel_str borrow(struct borrowed *borrowed, const void *data, size_t length) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  borrowed->size = (length / page + 1) * page;
  borrowed->start = mmap(NULL, borrowed->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (borrowed->start == MAP_FAILED)
    return (trammel_str){NULL, 0};
  char *at = borrowed->start + borrowed->size - length; /* what is read beyond its end is not there */
  if (length)
    memcpy(at, data, length);
  (void)mprotect(borrowed->start, borrowed->size, PROT_READ);
  return (trammel_str){at, length};
}

/* The addresses stay taken, so that nothing else is there; the memory does not. */
static void take_back(const struct strict_host *host, const struct borrowed *borrowed) {
  if (host->spares) {
    (void)munmap(borrowed->start, borrowed->size);
    return;
  }
  (void)mprotect(borrowed->start, borrowed->size, PROT_NONE);
  (void)madvise(borrowed->start, borrowed->size, MADV_DONTNEED);
}

int strict_create(struct strict_host *host, const char *config, trammel_instance **ret_instance) {
  static char untouched;
  trammel_instance *const mark = (trammel_instance *)(void *)&untouched;
  trammel_instance *instance = mark;
  trammel_op *op = make_op(host, "create", true);
  struct borrowed borrowed;
  trammel_str text = borrow(&borrowed, config, strlen(config));
  if (!op || borrowed.start == MAP_FAILED) {
    sitting_lacks(host->sitting, "memory");
    return TRAMMEL_RESOURCE_EXHAUSTED;
  }
  int status = host->sitting->table->create(&host->table, text, &instance, op);
  end_op(op);
  take_back(host, &borrowed);
  judge_status(host, op, status);
  if (op->messages)
    sitting_fail(host->sitting, "create sends a message; it only makes an instance");
  if (status == TRAMMEL_OK && (instance == mark || !instance))
    sitting_fail(host->sitting, "create returns OK without an instance");
  else if (status == TRAMMEL_OK)
    *ret_instance = instance;
  else if (instance != mark)
    sitting_fail(host->sitting, "create fails and sets its instance all the same: set it only when it returns OK");
  drop_op(host, op);
  return status;
}

void strict_call(struct strict_host *host, trammel_instance *instance, const char *method, const void *request,
                 size_t length, bool streaming, struct strict_answer *ret_answer) {
  struct borrowed asked, named;
  trammel_op *op = make_op(host, method, streaming);
  trammel_str bytes = borrow(&asked, request, length), name = borrow(&named, method, strlen(method));
  *ret_answer = (struct strict_answer){.status = TRAMMEL_RESOURCE_EXHAUSTED};
  if (!op || asked.start == MAP_FAILED || named.start == MAP_FAILED) {
    sitting_lacks(host->sitting, "memory");
    return;
  }
  ret_answer->status = host->sitting->table->call(instance, name, bytes, op);
  end_op(op);
  take_back(host, &asked);
  take_back(host, &named);
  judge_status(host, op, ret_answer->status);
  ret_answer->message = take(op->message);
  ret_answer->length = op->length;
  drop_op(host, op);
}

void strict_answer_finish(struct strict_answer *answer) {
  free(answer->message);
  answer->message = NULL;
}

void strict_host_linger(void) {
  const struct timespec moment = {0, LINGER_NS};
  (void)nanosleep(&moment, NULL);
}
