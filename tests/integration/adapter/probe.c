/* An adapter that does what the test of instances asks of it, also what the SDK would not let it do. */
#define BROKEN_ID "probe"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/adapter/instance.h"
#include "host/adapter/runner_protocol.h"
#include "tests/broken-adapters/broken.h"

static const trammel_http_api *http;
static atomic_int running;
static atomic_int emitted;
static pthread_t late_thread;
static sem_t late_now;
static int late_result;

static int answer(trammel_op *op, const char *text) {
  Trammel__Adapter__V1__InvokeEvent event = TRAMMEL__ADAPTER__V1__INVOKE_EVENT__INIT;
  event.summary = (char *)(uintptr_t)text;
  uint8_t data[512];
  if (trammel__adapter__v1__invoke_event__get_packed_size(&event) > sizeof data)
    return -EMSGSIZE;
  size_t length = trammel__adapter__v1__invoke_event__pack(&event, data);
  return broken_op->emit(op, (trammel_str){(const char *)data, length});
}

/* Returns soon after a cancel. The argument is a pipe to write a byte to first, or empty. */
static int run_wait(trammel_op *op, const char *argument) {
  if (*argument && write(atoi(argument), "x", 1) != 1) /* it runs */
    return TRAMMEL_INTERNAL;
  struct pollfd fd = {.fd = broken_op->cancel_fd(op), .events = POLLIN};
  int n = poll(&fd, 1, 20000);
  return n == 1 && broken_op->cancelled(op) ? TRAMMEL_CANCELLED : TRAMMEL_INTERNAL;
}

/* Returns when the test says so, whoever cancels: a byte comes through the pipe whose number is the argument. */
static int run_deaf(const char *argument) {
  char byte;
  return read(atoi(argument), &byte, 1) == 1 ? TRAMMEL_CANCELLED : TRAMMEL_INTERNAL;
}

static void *emit_late(void *op) {
  (void)sem_wait(&late_now);
  late_result = answer(op, "late");
  return NULL;
}

static int run_late(trammel_op *op) {
  if (sem_init(&late_now, 0, 0) != 0 || pthread_create(&late_thread, NULL, emit_late, op) != 0)
    return TRAMMEL_INTERNAL;
  answer(op, "in time");
  return TRAMMEL_OK;
}

static int run_late_now(trammel_op *op) {
  char text[64];
  (void)sem_post(&late_now);
  (void)pthread_join(late_thread, NULL);
  (void)snprintf(text, sizeof text, "%d", late_result);
  answer(op, text);
  return TRAMMEL_OK;
}

static int run_oversize(trammel_op *op) {
  size_t size = (size_t)CALL_MESSAGE_INPROCESS_MAX + 1; /* more than any placement takes */
  char *data = calloc(1, size);
  int r = data ? broken_op->emit(op, (trammel_str){data, size}) : -ENOMEM;
  free(data);
  return r == -EMSGSIZE ? TRAMMEL_OK : TRAMMEL_INTERNAL;
}

static int run_stream(trammel_op *op, const char *argument) {
  atomic_store(&emitted, 0);
  for (int i = 0; i < atoi(argument); i++) {
    char text[16];
    (void)snprintf(text, sizeof text, "%d", i);
    if (answer(op, text) < 0)
      return TRAMMEL_CANCELLED;
    atomic_fetch_add(&emitted, 1);
  }
  return TRAMMEL_OK;
}

static int run_emitted(trammel_op *op) {
  char text[16];
  (void)snprintf(text, sizeof text, "%d", atomic_load(&emitted));
  answer(op, text);
  return TRAMMEL_OK;
}

/* `argument`: "endpoint METHOD path". */
static int run_http(trammel_op *op, const char *argument) {
  char endpoint[64], method[16], path[256], text[400];
  if (sscanf(argument, "%63s %15s %255s", endpoint, method, path) != 3)
    return TRAMMEL_INVALID_ARGUMENT;
  trammel_http_request request = {.size = sizeof request,
                                  .endpoint = {endpoint, strlen(endpoint)},
                                  .method = {method, strlen(method)},
                                  .path = {path, strlen(path)}};
  trammel_http_response response = {.size = sizeof response};
  int status = http->request(op, &request, &response);
  (void)snprintf(text, sizeof text, "%d %u %.*s", status, response.status, (int)response.body.n,
                 response.body.n ? response.body.p : "");
  answer(op, text);
  return TRAMMEL_OK;
}

/* Asks for HTTP once cancelled, and writes the status, as a byte, to the pipe whose number is the argument. */
static int run_late_http(trammel_op *op, const char *argument) {
  trammel_http_request request = {
      .size = sizeof request, .endpoint = {"control", 7}, .method = {"GET", 3}, .path = {"/v1/x", 5}};
  trammel_http_response response = {.size = sizeof response};
  int status = run_wait(op, argument);
  if (status != TRAMMEL_CANCELLED)
    return status;
  char answer_status = (char)http->request(op, &request, &response);
  return write(atoi(argument), &answer_status, 1) == 1 ? TRAMMEL_CANCELLED : TRAMMEL_INTERNAL;
}

/* Writes so many megabytes to its standard output, and answers. */
static int run_flood(trammel_op *op, const char *argument) {
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  for (int i = 0; i < atoi(argument); i++)
    if (write(STDOUT_FILENO, block, sizeof block) < 0)
      return TRAMMEL_INTERNAL;
  return answer(op, "written");
}

/* Takes memory until there is none. */
static int run_eat(trammel_op *op) {
  enum { MEAL = 16 << 20 };
  size_t eaten = 0;
  for (char *meal; eaten < ((size_t)8 << 30) && (meal = malloc(MEAL)); eaten += MEAL)
    memset(meal, 1, MEAL);
  return answer(op, eaten < ((size_t)8 << 30) ? "hungry" : "full");
}

/* Answers after so many milliseconds. */
static int run_slow(trammel_op *op, const char *argument) {
  (void)poll(NULL, 0, atoi(argument));
  return answer(op, "at last") == 0 ? TRAMMEL_OK : TRAMMEL_CANCELLED;
}

/* Writes the frames of a message of 512 MiB, as fast as they are taken. */
static int run_big(trammel_op *op) {
  static unsigned char block[9 + 16384] = {0, 0x40, 0, 0, 0, 0, 0, 0, 3, 0, 0x20};
  size_t written = 0;
  while (written < (size_t)512 << 20) {
    size_t done = written % sizeof block;
    struct pollfd fd = {.fd = RUNNER_CHANNEL_FD, .events = POLLOUT};
    ssize_t n = poll(&fd, 1, 10000) == 1 ? write(RUNNER_CHANNEL_FD, block + done, sizeof block - done) : -1;
    if (n < 0)
      return run_slow(op, "10000");
    written += (size_t)n;
    if (written == sizeof block) /* only the first has the head of the message */
      block[9] = block[10] = 0;
  }
  return run_slow(op, "100");
}

/* Writes to the host's connection past gRPC, as HTTP/2 (RFC 9113, 4.1: length, type, flags, stream) or not, and
 * answers. Stream 3 is the second call on a connection. */
static int run_wire(trammel_op *op, const char *argument) {
  static const unsigned char noise[64] = {0xa5, 0x5a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                             frame[] = {0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 3},
                             message[] = {0, 0, 5, 0, 0, 0, 0, 0, 3, 0, 0x7f, 0xff, 0xff, 0xff},
                             goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                             reset[] = {0, 0, 4, 3, 0, 0, 0, 0, 3, 0, 0, 0, 2};
  static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t length;
  } kinds[] = {{"noise", noise, sizeof noise},
               {"frame", frame, sizeof frame},
               {"message", message, sizeof message},
               {"goaway", goaway, sizeof goaway},
               {"reset", reset, sizeof reset}};
  if (strcmp(argument, "big") == 0)
    return run_big(op);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(argument, kinds[i].name) == 0 && write(RUNNER_CHANNEL_FD, kinds[i].bytes, kinds[i].length) < 0)
      return TRAMMEL_INTERNAL;
  return run_slow(op, "100");
}

static int run_badly(const char *method) {
  if (strcmp(method, "Crash") == 0)
    raise(SIGSEGV);
  if (strcmp(method, "Abort") == 0)
    abort();
  if (strcmp(method, "Exit") == 0)
    _exit(7);
  for (volatile bool forever = true; strcmp(method, "Spin") == 0 && forever;)
    continue;
  while (strcmp(method, "Hang") == 0)
    (void)poll(NULL, 0, -1);
  return TRAMMEL_UNIMPLEMENTED;
}

static int run(const char *method, const char *argument, trammel_op *op) {
  if (strcmp(method, "Echo") == 0)
    return answer(op, argument) == 0 ? TRAMMEL_OK : TRAMMEL_INTERNAL;
  if (strcmp(method, "Wait") == 0)
    return run_wait(op, argument);
  if (strcmp(method, "LateHttp") == 0)
    return run_late_http(op, argument);
  if (strcmp(method, "Deaf") == 0)
    return run_deaf(argument);
  if (strcmp(method, "Twice") == 0)
    return answer(op, "one") == 0 && answer(op, "two") == -EPROTO ? TRAMMEL_OK : TRAMMEL_INTERNAL;
  if (strcmp(method, "Silent") == 0)
    return TRAMMEL_OK;
  if (strcmp(method, "Status") == 0)
    return atoi(argument);
  if (strcmp(method, "Late") == 0)
    return run_late(op);
  if (strcmp(method, "LateNow") == 0)
    return run_late_now(op);
  if (strcmp(method, "Oversize") == 0)
    return run_oversize(op);
  if (strcmp(method, "Stream") == 0)
    return run_stream(op, argument);
  if (strcmp(method, "Emitted") == 0)
    return run_emitted(op);
  if (strcmp(method, "Flood") == 0)
    return run_flood(op, argument);
  if (strcmp(method, "Eat") == 0)
    return run_eat(op);
  if (strcmp(method, "Slow") == 0)
    return run_slow(op, argument);
  if (strcmp(method, "Wire") == 0)
    return run_wire(op, argument);
  if (strcmp(method, "HttpCrash") == 0 && run_http(op, argument) == TRAMMEL_OK)
    raise(SIGSEGV);
  if (strcmp(method, "HttpHang") == 0 && run_http(op, argument) == TRAMMEL_OK)
    return run_badly("Hang");
  return strcmp(method, "Http") == 0 ? run_http(op, argument) : run_badly(method);
}

static int describe(trammel_op *op) {
  static char name[] = "control", purpose[] = "tests", get[] = "GET", post[] = "POST", prefix[] = "/v1/";
  Trammel__Adapter__V1__DescribeResponse description = broken_description();
  Trammel__Adapter__V1__Permission permission = TRAMMEL__ADAPTER__V1__PERMISSION__INIT;
  Trammel__Adapter__V1__Permission change = TRAMMEL__ADAPTER__V1__PERMISSION__INIT;
  Trammel__Adapter__V1__Permission *permissions[] = {&permission, &change};
  Trammel__Adapter__V1__Endpoint endpoint = TRAMMEL__ADAPTER__V1__ENDPOINT__INIT;
  Trammel__Adapter__V1__Endpoint *endpoints[] = {&endpoint};
  permission.method = get;
  permission.path_prefix = prefix;
  change.method = post;
  change.path_prefix = prefix;
  endpoint.name = name;
  endpoint.purpose = purpose;
  endpoint.n_permissions = 2;
  endpoint.permissions = permissions;
  description.n_endpoints = 1;
  description.endpoints = endpoints;
  return broken_answer(op, &description);
}

static int call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
  (void)instance;
  if (method.n == strlen("Describe") && memcmp(method.p, "Describe", method.n) == 0)
    return describe(op);
  if (atomic_fetch_add(&running, 1) != 0)
    return TRAMMEL_DATA_LOSS; /* two calls at once */
  char name[32] = "";
  memcpy(name, method.p, method.n < sizeof name - 1 ? method.n : sizeof name - 1);
  Trammel__Adapter__V1__InvokeRequest *message =
      trammel__adapter__v1__invoke_request__unpack(NULL, request.n, (const uint8_t *)request.p);
  int status = message ? run(name, message->operation, op) : TRAMMEL_INVALID_ARGUMENT;
  if (message)
    trammel__adapter__v1__invoke_request__free_unpacked(message, NULL);
  atomic_fetch_sub(&running, 1);
  return status;
}

static int create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  http = host->get(host, TRAMMEL_HTTP_SERVICE);
  return broken_create(host, config, ret, op);
}

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.call = call; table.create = create;)
