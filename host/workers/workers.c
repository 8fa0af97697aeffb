#include "host/workers/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/workers/local.h"
#include "host/workers/wire.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define PB(name) Trammel__Load__V1__##name

#define LEAD_NS (50 * NS_PER_MS) /* for all of them to learn when to begin */
#define PATIENCE_NS                                                                                                    \
  (30 * NS_PER_SECOND) /* beyond what a load takes at most: names are looked up, results handed over */
#define LOOK_MS 20     /* between two looks at whether it is cancelled */

struct worker {
  struct local_worker process;
  struct rpc_channel *channel;
  struct rpc_call *call;
  bool lost;
  char reason[160];
};

struct crew {
  const struct load_options *options;
  unsigned count;
  struct worker workers[LOAD_WORKERS_MAX];
  atomic_bool over; /* all have handed over, or are lost */
};

/* ---- what is lost, and why */

/* What is wrong by the call's end. To be called once it gives no message any more. */
static void lose(struct worker *worker, int r) {
  struct rpc_status status = {0};
  char end[LOCAL_WORKER_END_SIZE];
  bool gone = r == 0 && rpc_channel_lost(worker->channel);
  if (r == 0)
    rpc_call_finish(worker->call, &status);
  if (r == 0 && (gone || status.code == 14 /* UNAVAILABLE */))
    local_worker_end(&worker->process, end);
  else
    end[0] = '\0';
  const char *why = r < 0  ? "what it sent is no message"
                    : *end ? end
                    : status.code == 4 /* DEADLINE_EXCEEDED */
                        ? "it handed nothing over in time"
                        : status.text && *status.text ? status.text : "it ended the call without a result";
  (void)snprintf(worker->reason, sizeof(worker->reason), "%s", why);
  worker->lost = true;
  free(status.text);
}

/* ---- one after the other */

static int64_t longest_ns(const struct load_options *options) {
  return options->connect_timeout_ns + options->warm_up_ns + options->schedule.duration_ns + options->drain_ns +
         PATIENCE_NS;
}

static int begin(struct crew *crew, unsigned i, const struct workers *workers, const struct target_options *target,
                 struct error **err) {
  struct worker *worker = &crew->workers[i];
  struct load_options share = *crew->options;
  struct wire_assignment assignment;
  PB(ToWorker) message = TRAMMEL__LOAD__V1__TO_WORKER__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  share.share = (struct load_share){.worker = i, .workers = crew->count};
  wire_assign(target, &share, &assignment);
  message.body_case = TRAMMEL__LOAD__V1__TO_WORKER__BODY_ASSIGNMENT;
  message.assignment = &assignment.message;
  int r = local_worker_start(workers->words, &worker->process, err);
  if (r < 0)
    return r;
  int fd = worker->process.fd;
  worker->process.fd = -1; /* the channel takes it */
  r = rpc_channel_create(fd, &worker->channel, err);
  if (r < 0)
    return r;
  r = message_pack(&message.base, &data, &length, NULL);
  if (r == 0)
    r = rpc_call_start(worker->channel, WORKER_RUN, clock_in_ns(longest_ns(crew->options)), data, length,
                       &worker->call);
  return r < 0 ? error_set(err, -r, "no memory for worker %u", i) : 0;
}

/* The next message of a worker, of that kind; false when it is lost. */
static bool expect(struct worker *worker, const atomic_bool *cancel, PB(FromWorker__BodyCase) kind,
                   PB(FromWorker) * *ret_message) {
  ProtobufCMessage *message = NULL;
  int r = wire_receive(worker->call, cancel, &trammel__load__v1__from_worker__descriptor, &message);
  if (r <= 0) {
    lose(worker, r);
    return false;
  }
  *ret_message = (PB(FromWorker) *)message;
  if ((*ret_message)->body_case == kind)
    return true;
  protobuf_c_message_free_unpacked(message, NULL);
  lose(worker, -EPROTO);
  return false;
}

static bool cancelled(const struct crew *crew) {
  return crew->options->cancel && atomic_load(crew->options->cancel);
}

static int wait_ready(struct crew *crew, struct error **err) {
  for (unsigned i = 0; i < crew->count; i++) {
    PB(FromWorker) *message = NULL;
    struct worker *worker = &crew->workers[i];
    bool ready = expect(worker, crew->options->cancel, TRAMMEL__LOAD__V1__FROM_WORKER__BODY_READY, &message);
    if (cancelled(crew)) {
      if (ready)
        protobuf_c_message_free_unpacked(&message->base, NULL);
      return error_set(err, ECANCELED, "interrupted before the load began");
    }
    if (!ready)
      return error_set(err, ECHILD, "worker %u of %u was lost before the load began: %s", i, crew->count,
                       worker->reason);
    protobuf_c_message_free_unpacked(&message->base, NULL);
  }
  return 0;
}

static void start_all(struct crew *crew) {
  PB(Start) start = TRAMMEL__LOAD__V1__START__INIT;
  PB(ToWorker) message = TRAMMEL__LOAD__V1__TO_WORKER__INIT;
  start.at_unix_ns = clock_read_ns(CLOCK_REALTIME) + LEAD_NS;
  message.body_case = TRAMMEL__LOAD__V1__TO_WORKER__BODY_START;
  message.start = &start;
  for (unsigned i = 0; i < crew->count; i++)
    (void)wire_send(crew->workers[i].call, &message.base); /* who is gone is found when its result is missing */
}

/* Passes a cancellation on, since the calls are waited for by another thread. */
static void *stop_main(void *argument) {
  struct crew *crew = argument;
  const struct timespec pause = {.tv_nsec = LOOK_MS * NS_PER_MS};
  PB(Stop) stop = TRAMMEL__LOAD__V1__STOP__INIT;
  PB(ToWorker) message = TRAMMEL__LOAD__V1__TO_WORKER__INIT;
  message.body_case = TRAMMEL__LOAD__V1__TO_WORKER__BODY_STOP;
  message.stop = &stop;
  while (!atomic_load(&crew->over) && !cancelled(crew))
    (void)nanosleep(&pause, NULL);
  for (unsigned i = 0; i < crew->count && !atomic_load(&crew->over); i++)
    (void)wire_send(crew->workers[i].call, &message.base);
  return NULL;
}

/* ---- what they hand over */

/* A worker that is lost is no error. */
static int take_result(struct worker *worker, struct load_result *result, struct error **err) {
  PB(FromWorker) *message = NULL;
  _cleanup_error_ struct error *why = NULL;
  struct tally tally;
  int64_t begun_ns = 0;
  if (!expect(worker, NULL, TRAMMEL__LOAD__V1__FROM_WORKER__BODY_RESULT, &message))
    return 0;
  int r = wire_take_result(message->result, &tally, &begun_ns, &why);
  protobuf_c_message_free_unpacked(&message->base, NULL);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "no memory for what a worker counted");
  if (r < 0) {
    (void)snprintf(worker->reason, sizeof(worker->reason), "%s", error_message(why));
    worker->lost = true;
    return 0;
  }
  tally_add(&result->tally, &tally);
  tally_finish(&tally);
  if (result->begun_ns == 0 || begun_ns < result->begun_ns)
    result->begun_ns = begun_ns;
  return 0;
}

static int take_results(struct crew *crew, struct load_result *result, struct error **err) {
  pthread_t stopper;
  int r = -pthread_create(&stopper, NULL, stop_main, crew);
  if (r < 0)
    return error_set(err, -r, "starting a thread: %s", strerror(-r));
  for (unsigned i = 0; r == 0 && i < crew->count; i++)
    r = take_result(&crew->workers[i], result, err);
  atomic_store(&crew->over, true);
  (void)pthread_join(stopper, NULL);
  if (r == 0 && timeline_check(result->tally.timeline) < 0)
    r = error_set(err, ENOMEM, "no memory for what each second of a run counts");
  return r;
}

static int tell_losses(const struct crew *crew, struct load_result *result, struct error **err) {
  result->losses = calloc(crew->count, sizeof(*result->losses));
  for (unsigned i = 0; result->losses && i < crew->count; i++) {
    if (!crew->workers[i].lost)
      continue;
    char *reason = strdup(crew->workers[i].reason);
    if (!reason)
      return error_set(err, ENOMEM, "no memory for what was lost");
    result->losses[result->loss_count++] = (struct load_loss){.worker = i, .reason = reason};
  }
  return result->losses ? 0 : error_set(err, ENOMEM, "no memory for what was lost");
}

/* ---- the whole */

static int run(struct crew *crew, const struct workers *workers, const struct target_options *target,
               struct load_result *result, struct error **err) {
  int r = 0;
  for (unsigned i = 0; r == 0 && i < crew->count; i++)
    r = begin(crew, i, workers, target, err);
  if (r == 0)
    r = wait_ready(crew, err);
  if (r < 0)
    return r;
  start_all(crew);
  r = take_results(crew, result, err);
  return r < 0 ? r : tell_losses(crew, result, err);
}

static void dismiss(struct crew *crew) {
  char end[LOCAL_WORKER_END_SIZE];
  for (unsigned i = 0; i < crew->count; i++) {
    if (crew->workers[i].call)
      rpc_call_destroy(crew->workers[i].call);
    rpc_channel_destroy(crew->workers[i].channel);
  }
  for (unsigned i = 0; i < crew->count; i++)
    local_worker_end(&crew->workers[i].process, end);
  free(crew);
}

/* Of a name without an address, one load_run() tells; `*ret_told`: it did. */
static int look_up(const struct target_options *options, const struct load_options *load, bool *ret_told,
                   struct load_result *ret_result, struct error **err) {
  _cleanup_(target_destroy_p) struct target *target = NULL;
  int r = target_create(options, &target, err);
  if (r == 0)
    r = load_check(target, load, err);
  *ret_told = r == 0 && target_resolve(target, load->connect_timeout_ns, NULL) < 0;
  return *ret_told ? load_run(target, load, ret_result, err) : r;
}

int workers_run(const struct workers *workers, const struct target_options *target, const struct load_options *options,
                struct load_result *ret_result, struct error **err) {
  struct load_result result = {.workers = workers->count};
  struct load_options whole = *options;
  whole.share = (struct load_share){.workers = workers->count};
  bool told = false;
  int r = look_up(target, &whole, &told, ret_result, err);
  if (told)
    return r;
  struct crew *crew = r == 0 ? calloc(1, sizeof(*crew)) : NULL;
  if (r < 0)
    return r;
  if (!crew)
    return error_set(err, ENOMEM, "no memory for %u workers", workers->count);
  crew->options = &whole;
  crew->count = workers->count;
  for (unsigned i = 0; i < crew->count; i++)
    crew->workers[i].process.fd = -1;
  r = tally_init(&result.tally, err);
  if (r == 0)
    r = run(crew, workers, target, &result, err);
  dismiss(crew);
  if (r < 0) {
    load_result_finish(&result);
    return r;
  }
  load_conclude(&result, &whole, options->cancel && atomic_load(options->cancel));
  result.doubts |= result.loss_count > 0 ? LOAD_DOUBT_LOST : 0;
  *ret_result = result;
  return 0;
}
