#include "host/workers/serve.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "host/workers/wire.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define PB(name) Trammel__Load__V1__##name

enum status {
  STATUS_OK = 0,
  STATUS_INVALID_ARGUMENT = 3,
  STATUS_FAILED_PRECONDITION = 9,
  STATUS_UNIMPLEMENTED = 12,
  STATUS_INTERNAL = 13
};

/* A load under way. */
struct work {
  struct rpc_call *call;
  atomic_bool stop;  /* the host said so, or is gone */
  bool out_of_order; /* no Start followed */
  bool is_listening;
  pthread_t listener; /* for what the host says after Start */
};

static void free_message(ProtobufCMessage *message) {
  protobuf_c_message_free_unpacked(message, NULL);
}

static int receive(struct rpc_call *call, PB(ToWorker) * *ret_message) {
  ProtobufCMessage *message = NULL;
  int r = wire_receive(call, NULL, &trammel__load__v1__to_worker__descriptor, &message);
  *ret_message = (PB(ToWorker) *)message;
  return r;
}

/* Whatever comes after Start is a Stop; so is the end of the call. */
static void *listen_main(void *argument) {
  struct work *work = argument;
  PB(ToWorker) *message = NULL;
  if (receive(work->call, &message) > 0) {
    free_message(&message->base);
    atomic_store(&work->stop, true);
  }
  while (receive(work->call, &message) > 0)
    free_message(&message->base);
  atomic_store(&work->stop, true);
  return NULL;
}

/* Says that it is ready, and waits for the instant. */
static int64_t meet(void *context) {
  struct work *work = context;
  PB(Ready) ready = TRAMMEL__LOAD__V1__READY__INIT;
  PB(FromWorker) from = TRAMMEL__LOAD__V1__FROM_WORKER__INIT;
  PB(ToWorker) *message = NULL;
  int64_t at_ns = clock_monotonic_ns();
  from.body_case = TRAMMEL__LOAD__V1__FROM_WORKER__BODY_READY;
  from.ready = &ready;
  int r = wire_send(work->call, &from.base);
  if (r == 0)
    r = receive(work->call, &message);
  work->out_of_order = r <= 0 || !message || message->body_case != TRAMMEL__LOAD__V1__TO_WORKER__BODY_START;
  if (message && !work->out_of_order)
    at_ns = message->start->at_unix_ns - clock_read_ns(CLOCK_REALTIME) + clock_monotonic_ns();
  if (message)
    free_message(&message->base);
  work->is_listening = !work->out_of_order && pthread_create(&work->listener, NULL, listen_main, work) == 0;
  if (!work->is_listening)
    atomic_store(&work->stop, true);
  return at_ns;
}

static int hand_over(struct work *work, const struct load_result *result) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = wire_pack_result(result, &data, &length);
  return r < 0 ? r : rpc_send(work->call, data, length);
}

static int fail(int r, const struct error *err, char **ret_text) {
  *ret_text = strdup(err ? error_message(err) : strerror(-r));
  return r == -EINVAL ? STATUS_INVALID_ARGUMENT : STATUS_INTERNAL;
}

static int carry_out(struct rpc_call *call, struct target *target, const struct load_options *assigned,
                     char **ret_text) {
  struct work work = {.call = call};
  const struct load_start start = {.meet = meet, .context = &work};
  struct load_result result;
  _cleanup_error_ struct error *err = NULL;
  struct load_options load = *assigned;
  load.cancel = &work.stop;
  load.start = &start;
  int r = load_run(target, &load, &result, &err);
  int status = r < 0 ? fail(r, err, ret_text) : STATUS_OK;
  if (r == 0 && work.out_of_order)
    status = STATUS_FAILED_PRECONDITION;
  else if (r == 0 && result.problem)
    status = fail(-EINVAL, NULL, ret_text);
  else if (r == 0 && (r = hand_over(&work, &result)) < 0)
    status = fail(r, NULL, ret_text);
  if (r == 0 && result.problem) {
    free(*ret_text);
    *ret_text = strdup(result.problem);
  }
  if (status != STATUS_OK)
    rpc_cancel(call); /* the listener has nothing to wait for */
  if (work.is_listening)
    (void)pthread_join(work.listener, NULL);
  if (r == 0)
    load_result_finish(&result);
  return status;
}

static int take_up(struct rpc_call *call, const PB(ToWorker) * message, char **ret_text) {
  const char *headers[TARGET_HEADERS_MAX];
  struct target_options options;
  struct load_options load;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(target_destroy_p) struct target *target = NULL;
  if (message->body_case != TRAMMEL__LOAD__V1__TO_WORKER__BODY_ASSIGNMENT) {
    *ret_text = strdup("an assignment comes first");
    return STATUS_FAILED_PRECONDITION;
  }
  int r = wire_take_assignment(message->assignment, headers, &options, &load, &err);
  if (r == 0)
    r = target_create(&options, &target, &err);
  return r < 0 ? fail(r, err, ret_text) : carry_out(call, target, &load, ret_text);
}

static int serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  PB(ToWorker) *message = NULL;
  (void)ctx;
  if (strcmp(method, WORKER_RUN) != 0)
    return STATUS_UNIMPLEMENTED;
  int r = receive(call, &message);
  if (r < 0)
    return fail(r == -ENOMEM ? r : -EINVAL, NULL, ret_text);
  if (r == 0)
    return STATUS_FAILED_PRECONDITION;
  int status = take_up(call, message, ret_text);
  free_message(&message->base);
  return status;
}

int worker_serve(int fd, struct error **err) {
  const struct rpc_service service = {.serve = serve};
  return rpc_serve(fd, &service, err);
}
