/* The serving side: one thread takes what gRPC has to tell, and each call has a thread of its own. */
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

/* Threads that serve; more calls than these wait. */
#define WORKERS_MAX 64

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
  pthread_mutex_t lock;    /* guards what follows */
  pthread_cond_t changed;  /* `waiting` or `ending`: idle workers wait for it */
  struct served_list waiting;
  unsigned queued; /* calls in `waiting` */
  unsigned workers, idle;
  bool ending;
  bool shut; /* the server's thread's */
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

static void send_status(struct rpc_call *call, int code, const char *text) {
  grpc_slice details = text ? grpc_slice_from_copied_string(text) : grpc_empty_slice();
  const grpc_op ops[] = {
      {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
       .data.send_status_from_server = {.status = (grpc_status_code)code, .status_details = &details}},
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
  };
  if (call_begin(call, &call->starting, ops, call->begun ? 1 : 2))
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

static void *work(void *context) {
  struct server *server = context;
  pthread_mutex_lock(&server->lock);
  for (;;) {
    struct served *served = STAILQ_FIRST(&server->waiting);
    if (!served && server->ending)
      break;
    if (!served) {
      server->idle++;
      pthread_cond_wait(&server->changed, &server->lock);
      server->idle--;
      continue;
    }
    STAILQ_REMOVE_HEAD(&server->waiting, next);
    server->queued--;
    pthread_mutex_unlock(&server->lock);
    serve(server, served);
    free_served(served);
    pthread_mutex_lock(&server->lock);
  }
  server->workers--;
  pthread_mutex_unlock(&server->lock);
  return NULL;
}

/* Its first message is there, or there is none: a thread that came before would wait for it. */
static void hand_over(struct operation *receiving) {
  struct served *served = (struct served *)receiving->call;
  struct server *server = served->server;
  pthread_t thread;
  receiving->over = NULL;
  (void)sem_post(&receiving->done);
  pthread_mutex_lock(&server->lock);
  STAILQ_INSERT_TAIL(&server->waiting, served, next);
  server->queued++; /* an idle worker that was woken for another call still counts as idle */
  if (server->queued > server->idle && server->workers < WORKERS_MAX &&
      pthread_create(&thread, NULL, work, server) == 0) {
    (void)pthread_detach(thread);
    server->workers++;
  }
  pthread_mutex_unlock(&server->lock);
  pthread_cond_signal(&server->changed);
}

/* ---- the server's thread */

static void accept_next(struct server *server) {
  struct served *served = calloc(1, sizeof *served);
  server->accepted = served;
  if (!served)
    return;
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
  served->call.receiving.over = hand_over;
  if (!call_receive(&served->call))
    hand_over(&served->call.receiving);
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
  grpc_server_shutdown_and_notify(server->server, server->queue, &server->shutting);
  grpc_server_cancel_all_calls(server->server);
  return NULL;
}

/* Takes one event; false when none came in time, or none will. */
static bool take_event(struct server *server, gpr_timespec until) {
  grpc_event event = grpc_completion_queue_next(server->queue, until, NULL);
  if (event.type == GRPC_OP_COMPLETE)
    on_event(server, &event);
  return event.type == GRPC_OP_COMPLETE;
}

static bool has_workers(struct server *server) {
  pthread_mutex_lock(&server->lock);
  bool has = server->workers > 0;
  pthread_mutex_unlock(&server->lock);
  return has;
}

/* Calls that are served still wait for events. */
static void end_workers(struct server *server) {
  pthread_mutex_lock(&server->lock);
  server->ending = true;
  pthread_cond_broadcast(&server->changed);
  pthread_mutex_unlock(&server->lock);
  while (has_workers(server))
    (void)take_event(server, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(10, GPR_TIMESPAN)));
}

static void close_down(struct server *server) {
  end_workers(server);
  grpc_server_destroy(server->server);
  grpc_completion_queue_shutdown(server->queue);
  while (take_event(server, gpr_inf_future(GPR_CLOCK_MONOTONIC)))
    continue;
  grpc_completion_queue_destroy(server->queue);
}

int rpc_serve(int fd, const struct rpc_service *service, struct error **err) {
  struct server server = {.service = service,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER,
                          .waiting = STAILQ_HEAD_INITIALIZER(server.waiting)};
  pthread_t watcher;
  server.watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (server.watched < 0) {
    int code = errno;
    (void)close(fd);
    return error_set(err, code, "serving: %s", strerror(code));
  }
  library_open();
  grpc_arg arguments[LIBRARY_ARGUMENTS];
  const grpc_channel_args all = library_arguments(arguments);
  grpc_server_credentials *none = grpc_insecure_server_credentials_create();
  server.server = grpc_server_create(&all, NULL);
  server.queue = grpc_completion_queue_create_for_next(NULL);
  grpc_server_register_completion_queue(server.server, server.queue, NULL);
  grpc_server_start(server.server);
  grpc_server_add_channel_from_fd(server.server, fd, none);
  grpc_server_credentials_release(none);
  accept_next(&server);
  int r = pthread_create(&watcher, NULL, watch, &server);
  if (r == 0) {
    while (!server.shut && take_event(&server, gpr_inf_future(GPR_CLOCK_MONOTONIC)))
      continue;
    (void)pthread_join(watcher, NULL);
  } else {
    (void)error_set(err, r, "serving: no thread: %s", strerror(r));
  }
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
