/* The serving side. One thread at a time leads: it takes what gRPC has to tell. When that is a call, another thread
 * leads from then on and it serves the call itself, so that no call waits for a thread to wake. */
#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "host/rpc/core/call.h"
#include "host/rpc/core/library.h"
#include "sdk/base/clock.h"

/* One leads, the others serve; more calls than these wait. */
#define THREADS_MAX 64
/* That the other side may have open at once; its further ones wait there, and take no memory here. */
#define CALLS_MAX 128
/* gRPC looks at a message's length only when all of it is there: what a connection's messages may take together, in
 * messages as long as may be. Then it ends a call. */
#define MESSAGES_HELD 16
#define SERVER_ARGUMENTS (LIBRARY_ARGUMENTS + 3)

struct served {
  struct rpc_call call; /* first */
  struct server *server;
  STAILQ_ENTRY(served) next;
};
STAILQ_HEAD(served_list, served);

struct server {
  const struct rpc_service *service;
  grpc_server *server;
  grpc_completion_queue *queue;
  struct operation accepting, shutting;
  struct served *accepted; /* what `accepting` fills in */
  int watched;             /* a duplicate of the socket; to see that the other side is gone */
  struct served *ready;    /* a call that just began; the leader's, as `shut` */
  bool shut;
  pthread_mutex_t lock;       /* guards what follows */
  pthread_cond_t changed;     /* `led`, `over` or `threads` */
  struct served_list waiting; /* for a thread, all being busy */
  unsigned threads, idle, serving;
  bool led; /* a thread leads */
  bool over;
};

static void free_served(struct served *served) {
  call_finish(&served->call);
  free(served);
}

/* ---- a call, on its thread */

static void on_gone(struct operation *operation) {
  if (operation->call->gone)
    atomic_store(&operation->call->cancelled, true);
  (void)sem_post(&operation->done);
}

int rpc_send_headers(struct rpc_call *call) {
  const grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
  call->begun = call_begin(call, &call->sending, &op, 1);
  return call->begun ? 0 : -ECANCELED;
}

void rpc_send_last(struct rpc_call *call, const void *data, size_t length) {
  call->last = message_of(data, length);
}

/* With the last message, when there is one. */
static void send_status(struct rpc_call *call, int code, const char *text) {
  grpc_slice details = text ? grpc_slice_from_copied_string(text) : grpc_empty_slice();
  grpc_op ops[3] = {{.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                     .data.send_status_from_server = {.status = (grpc_status_code)code, .status_details = &details}}};
  size_t count = 1;
  if (!call->begun)
    ops[count++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
  if (call->last && (!call->sending.begun || call_wait(&call->sending))) /* one message at a time */
    ops[count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->last};
  if (call_begin(call, &call->starting, ops, count))
    (void)call_wait(&call->starting);
  grpc_slice_unref(details);
}

static void serve(struct server *server, struct served *served) {
  struct rpc_call *call = &served->call;
  const grpc_op gone[] = {{.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &call->gone}};
  char *method = grpc_slice_to_c_string(call->details.method);
  char *text = NULL;
  call->ending.over = on_gone;
  (void)call_begin(call, &call->ending, gone, 1);
  int code = server->service->serve(server->service->ctx, call, method, &text);
  send_status(call, code, text);
  (void)call_wait(&call->sending);
  (void)call_wait(&call->ending);
  free(text);
  gpr_free(method);
}

/* ---- the leader */

/* Its first message is there, or there is none: a thread that came before would wait for it. */
static void on_first_message(struct operation *receiving) {
  struct served *served = (struct served *)receiving->call;
  receiving->over = NULL;
  (void)sem_post(&receiving->done);
  served->server->ready = served;
}

/* Takes no further call, ends those there are, and then the server. */
static void stop(struct server *server) {
  grpc_server_shutdown_and_notify(server->server, server->queue, &server->shutting);
  grpc_server_cancel_all_calls(server->server);
}

static void accept_next(struct server *server) {
  struct served *served = calloc(1, sizeof *served);
  server->accepted = served;
  if (!served) {
    stop(server); /* its callers see the connection end, instead of no answer */
    return;
  }
  call_init(&served->call);
  if (grpc_server_request_call(server->server, &served->call.call, &served->call.details, &served->call.initial,
                               server->queue, server->queue, &server->accepting) == GRPC_CALL_OK)
    return;
  free_served(served);
  server->accepted = NULL;
}

static void on_accepted(struct server *server, bool success) {
  struct served *served = server->accepted;
  server->accepted = NULL;
  if (!success) {
    free_served(served); /* the server ends */
    return;
  }
  served->server = server;
  served->call.receiving.over = on_first_message;
  if (!call_receive(&served->call))
    on_first_message(&served->call.receiving);
  accept_next(server);
}

static void on_event(struct server *server, const grpc_event *event) {
  struct operation *operation = event->tag;
  if (operation == &server->accepting) {
    on_accepted(server, event->success);
    return;
  }
  operation->success = event->success;
  if (operation == &server->shutting)
    server->shut = true;
  else if (operation->over)
    operation->over(operation);
  else
    (void)sem_post(&operation->done);
}

/* gRPC does not say when a connection that it was given is gone. */
static void *watch(void *context) {
  struct server *server = context;
  struct pollfd fd = {.fd = server->watched, .events = POLLRDHUP};
  while (poll(&fd, 1, -1) < 0 && errno == EINTR)
    continue;
  stop(server);
  return NULL;
}

static grpc_event next_event(struct server *server, gpr_timespec until) {
  return grpc_completion_queue_next(server->queue, until, NULL);
}

static grpc_event look(struct server *server) {
  const int64_t until = clock_in_ns(LOOK_NS);
  grpc_event event;
  do {
    event = next_event(server, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  } while (event.type == GRPC_QUEUE_TIMEOUT && looks_on(until));
  return event;
}

/* Takes one event; false when none came in time, or none will. */
static bool take_event(struct server *server, gpr_timespec until) {
  grpc_event event = look(server);
  if (event.type == GRPC_QUEUE_TIMEOUT)
    event = next_event(server, until);
  if (event.type == GRPC_OP_COMPLETE)
    on_event(server, &event);
  return event.type == GRPC_OP_COMPLETE;
}

static void *work(void *context);

/* Whether there is, or will be, a thread that leads in place of this one. Called with the lock held. */
static bool has_successor(struct server *server) {
  pthread_t thread;
  if (server->idle > 0)
    return true;
  if (server->threads == THREADS_MAX || pthread_create(&thread, NULL, work, server) != 0)
    return false;
  (void)pthread_detach(thread);
  server->threads++;
  return true;
}

/* Whether the leader is to serve the call that just began; else the next thread that is free does. */
static bool takes_over(struct server *server, struct served *served) {
  pthread_mutex_lock(&server->lock);
  bool takes = has_successor(server);
  server->serving++;
  if (!takes)
    STAILQ_INSERT_TAIL(&server->waiting, served, next);
  pthread_mutex_unlock(&server->lock);
  return takes;
}

static bool is_over(struct server *server) {
  if (!server->shut)
    return false;
  pthread_mutex_lock(&server->lock);
  bool over = server->serving == 0; /* calls that are served still wait for events */
  pthread_mutex_unlock(&server->lock);
  return over;
}

/* How long to wait for an event: once the server is shut, the end of the last call brings none. */
static gpr_timespec patience(const struct server *server) {
  return server->shut ? gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(10, GPR_TIMESPAN))
                      : gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

/* Takes events until one is a call for this thread to serve; NULL: the server is over. */
static struct served *lead(struct server *server) {
  while (!is_over(server)) {
    (void)take_event(server, patience(server));
    struct served *served = take(server->ready);
    if (served && takes_over(server, served))
      return served;
  }
  return NULL;
}

/* ---- threads */

/* Called and left with the lock held. */
static void serve_unlocked(struct server *server, struct served *served) {
  pthread_mutex_unlock(&server->lock);
  serve(server, served);
  free_served(served);
  pthread_mutex_lock(&server->lock);
  server->serving--;
}

/* The same. */
static void lead_and_serve(struct server *server) {
  server->led = true;
  pthread_mutex_unlock(&server->lock);
  struct served *served = lead(server);
  pthread_mutex_lock(&server->lock);
  server->led = false;
  if (served) {
    pthread_cond_signal(&server->changed);
    serve_unlocked(server, served);
  } else {
    server->over = true;
    pthread_cond_broadcast(&server->changed);
  }
}

static void *work(void *context) {
  struct server *server = context;
  pthread_mutex_lock(&server->lock);
  while (!server->over) {
    struct served *served = STAILQ_FIRST(&server->waiting);
    if (served) {
      STAILQ_REMOVE_HEAD(&server->waiting, next);
      serve_unlocked(server, served);
    } else if (!server->led) {
      lead_and_serve(server);
    } else {
      server->idle++;
      pthread_cond_wait(&server->changed, &server->lock);
      server->idle--;
    }
  }
  server->threads--;
  pthread_cond_broadcast(&server->changed);
  pthread_mutex_unlock(&server->lock);
  return NULL;
}

static void await_threads(struct server *server) {
  pthread_mutex_lock(&server->lock);
  while (server->threads > 0)
    pthread_cond_wait(&server->changed, &server->lock);
  pthread_mutex_unlock(&server->lock);
}

static void close_down(struct server *server) {
  await_threads(server);
  grpc_server_destroy(server->server);
  grpc_completion_queue_shutdown(server->queue);
  while (take_event(server, gpr_inf_future(GPR_CLOCK_MONOTONIC)))
    continue;
  grpc_completion_queue_destroy(server->queue);
}

/* NULL: none. */
static grpc_resource_quota *quota_of(const struct rpc_service *service) {
  grpc_resource_quota *quota = service->receive_max > 0 ? grpc_resource_quota_create(NULL) : NULL;
  if (quota)
    grpc_resource_quota_resize(quota, MESSAGES_HELD * service->receive_max);
  return quota;
}

static grpc_channel_args arguments_of(const struct rpc_service *service, grpc_resource_quota *quota,
                                      grpc_arg room[SERVER_ARGUMENTS]) {
  static char streams[] = GRPC_ARG_MAX_CONCURRENT_STREAMS, idle[] = GRPC_ARG_MAX_CONNECTION_IDLE_MS,
              memory[] = GRPC_ARG_RESOURCE_QUOTA;
  grpc_channel_args all = library_arguments(room, service->receive_max > 0 ? service->receive_max : RPC_MESSAGE_MAX);
  room[all.num_args++] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = streams, .value.integer = CALLS_MAX};
  if (service->idle_ms > 0)
    room[all.num_args++] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = idle, .value.integer = (int)service->idle_ms};
  if (quota)
    room[all.num_args++] =
        (grpc_arg){.type = GRPC_ARG_POINTER, .key = memory, .value.pointer = {quota, grpc_resource_quota_arg_vtable()}};
  return all;
}

int rpc_serve(int fd, const struct rpc_service *service, struct error **err) {
  struct server server = {.service = service,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER,
                          .waiting = STAILQ_HEAD_INITIALIZER(server.waiting),
                          .threads = 1};
  pthread_t watcher;
  server.watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (server.watched < 0) {
    int code = errno;
    (void)close(fd);
    return error_set(err, code, "serving: %s", strerror(code));
  }
  library_open();
  grpc_arg arguments[SERVER_ARGUMENTS];
  grpc_resource_quota *quota = quota_of(service);
  const grpc_channel_args all = arguments_of(service, quota, arguments);
  grpc_server_credentials *none = grpc_insecure_server_credentials_create();
  server.server = grpc_server_create(&all, NULL);
  if (quota)
    grpc_resource_quota_unref(quota);
  server.queue = grpc_completion_queue_create_for_next(NULL);
  grpc_server_register_completion_queue(server.server, server.queue, NULL);
  grpc_server_start(server.server);
  grpc_server_add_channel_from_fd(server.server, fd, none);
  grpc_server_credentials_release(none);
  accept_next(&server);
  int r = pthread_create(&watcher, NULL, watch, &server);
  if (r != 0) {
    (void)error_set(err, r, "serving: no thread: %s", strerror(r));
    stop(&server);
  }
  (void)work(&server);
  if (r == 0)
    (void)pthread_join(watcher, NULL);
  close_down(&server);
  (void)close(server.watched);
  library_close();
  return -r;
}

int64_t rpc_call_deadline(const struct rpc_call *call) {
  if (gpr_time_cmp(call->details.deadline, gpr_inf_future(call->details.deadline.clock_type)) == 0)
    return 0;
  gpr_timespec deadline = gpr_convert_clock_type(call->details.deadline, GPR_CLOCK_MONOTONIC);
  return deadline.tv_sec * 1000000000 + deadline.tv_nsec;
}

const atomic_bool *rpc_call_cancelled(const struct rpc_call *call) {
  return &call->cancelled;
}

int rpc_call_header(const struct rpc_call *call, const char *name, char **ret_value) {
  const grpc_metadata *found = NULL;
  for (size_t i = 0; i < call->initial.count; i++) {
    const grpc_metadata *each = &call->initial.metadata[i];
    if (grpc_slice_str_cmp(each->key, name) != 0)
      continue;
    if (found)
      return -EEXIST;
    found = each;
  }
  if (!found)
    return 0;
  size_t length = GRPC_SLICE_LENGTH(found->value);
  const uint8_t *data = GRPC_SLICE_START_PTR(found->value);
  if (memchr(data, '\0', length))
    return -EINVAL;
  *ret_value = strndup((const char *)data, length);
  return *ret_value ? 1 : -ENOMEM;
}

void rpc_call_set_context(struct rpc_call *call, const void *context) {
  call->context = context;
}

const void *rpc_call_context(const struct rpc_call *call) {
  return call->context;
}
