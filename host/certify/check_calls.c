/* Calls that do not go well: the mesh answers with nonsense or not at all, the caller gives up, nobody listens. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/certify/big_request.h"
#include "host/certify/checks.h"
#include "host/certify/mesh_double.h"
#include "host/certify/methods.h"
#include "host/certify/translation.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"

/* How long a call may take that has nothing to wait for. */
#define PATIENCE_NS (30 * NS_PER_SECOND)
/* The deadline of a call whose mesh does not answer. */
#define SHORT_NS (200 * NS_PER_MS)
/* How soon an instance must be of use again: after a call that waited for its mesh, and after one that computes, which
 * is not made to look at the clock. */
#define SOON_NS (5 * NS_PER_SECOND)
#define LATER_NS (60 * NS_PER_SECOND)
#define LOOK_NS (20 * NS_PER_MS)
/* When a translation is given up, and the deadline of one. */
#define MOMENT_NS (20 * NS_PER_MS)

static struct guest_call call_of(const struct sample *sample, int64_t limit_ns, const atomic_bool *cancel) {
  return (struct guest_call){.method = sample->type->name,
                             .request = sample->data,
                             .length = sample->length,
                             .on_message = sample->type->streaming ? guest_drop_message : NULL,
                             .options = {.deadline_ns = clock_in_ns(limit_ns), .cancel = cancel}};
}

/* Whether the instance is of use after a call that was given up, `within_ns` of that. In the host's process, an adapter
 * that has not returned holds its thread until it does. */
static void require_next(struct guest *guest, const char *about, const char *what, int64_t within_ns,
                         const char *remedy) {
  const struct timespec pause = {0, LOOK_NS};
  int64_t until = clock_in_ns(within_ns);
  for (;;) {
    _cleanup_answer_ struct guest_answer answer = {0};
    guest_run(guest, &(struct guest_call){.method = "Describe"}, &answer);
    if (answer.result == 0 || sitting_failed(guest_sitting(guest)))
      return;
    if (clock_monotonic_ns() > until) {
      sitting_fail(guest_sitting(guest), "%s: after %s, the next call does not go through: %s. %s", about, what,
                   answer.why, remedy);
      return;
    }
    (void)nanosleep(&pause, NULL);
  }
}

/* The methods that ask the mesh; the check is skipped when there is none. */
static int make_samples(struct sitting *sitting, struct arena *arena, struct sample **ret_samples, size_t *ret_count) {
  int r = samples_make(sitting, arena, ret_samples, ret_count);
  size_t kept = 0;
  for (size_t i = 0; r == 0 && i < *ret_count; i++)
    if ((*ret_samples)[i].type->asks_mesh)
      (*ret_samples)[kept++] = (*ret_samples)[i];
  *ret_count = kept;
  return r;
}

/* ---- host-replies */

static bool decodes(struct sitting *sitting, const struct sample *sample, const char *when,
                    const struct guest_answer *answer, ProtobufCMessage **ret_message) {
  _cleanup_error_ struct error *err = NULL;
  *ret_message = NULL;
  if (sample->type->streaming ||
      message_unpack(sample->type->response, answer->data, answer->length, MESSAGE_MEMORY_MAX, ret_message, &err) == 0)
    return true;
  sitting_fail(sitting, "%s, when the mesh answers with %s: the response cannot be read: %s", sample->about, when,
               error_message(err));
  return false;
}

/* What is not there, or says that it fails, is not ready. */
static void judge_detection(struct sitting *sitting, const struct reply *reply, const ProtobufCMessage *message) {
  const Trammel__Adapter__V1__DetectResponse *detected = (const Trammel__Adapter__V1__DetectResponse *)message;
  if (detected->ready && (reply->error || reply->status != 200))
    sitting_fail(sitting, "Detect says that the mesh is ready when it answers with %s", reply->name);
}

static void try_reply(struct guest *guest, const struct sample *sample, const struct reply *reply) {
  struct sitting *sitting = guest_sitting(guest);
  _cleanup_answer_ struct guest_answer answer = {0};
  const struct guest_call call = call_of(sample, PATIENCE_NS, NULL);
  ProtobufCMessage *message = NULL;
  guest_run(guest, &call, &answer);
  if (!reply->repeat) { /* what memory a long one takes is another question */
    sitting_answer(sitting, &answer.result, sizeof answer.result);
    sitting_answer(sitting, answer.data, answer.length);
  }
  if (answer.result == -ETIMEDOUT && reply->error != -ETIMEDOUT)
    sitting_fail(sitting, "%s does not return when the mesh answers with %s", sample->about, reply->name);
  else if (answer.result == 0 && decodes(sitting, sample, reply->name, &answer, &message) && message) {
    if (strcmp(sample->type->name, "Detect") == 0)
      judge_detection(sitting, reply, message);
    protobuf_c_message_free_unpacked(message, NULL);
  }
}

void check_host_replies(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct sample *samples = NULL;
  size_t count = 0;
  struct mesh_double mesh;
  if (make_samples(sitting, arena, &samples, &count) < 0)
    return;
  if (count == 0) {
    sitting_skip(sitting, "the adapter asks its mesh for nothing: it has no Detect, Metrics or Invoke");
    sitting_done(sitting);
    return;
  }
  mesh_double_init(&mesh, DOUBLE_ANSWERS, NULL);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, &mesh.http);
  for (size_t i = 0; guest && i < count; i++)
    for (size_t k = 0; k < hostile_reply_count && !sitting_failed(sitting); k++) {
      mesh.reply = &hostile_replies[k];
      try_reply(guest, &samples[i], mesh.reply);
    }
  if (guest && atomic_load(&mesh.requests) == 0)
    sitting_skip(sitting, "no call that was tried asked the mesh for anything, so that nothing could be answered");
  sitting_fact(sitting, "requests", (json_int_t)count);
  sitting_fact(sitting, "askedOfTheMesh", (json_int_t)atomic_load(&mesh.requests));
  sitting_fact(sitting, "replies", (json_int_t)hostile_reply_count);
  sitting_done(sitting);
}

/* ---- cancel */

#define CANCEL_REMEDY                                                                                                  \
  "Return when a service of the host says CANCELLED, and in long work look at call_cancelled() now and then"

/* What was given up of all that was tried. */
struct given_up {
  unsigned waiting; /* calls that had asked the mesh */
  bool computing;   /* Translate, before it was done */
};

/* An adapter that answers without its mesh has not shown what it does while it waits. */
static void conclude(struct sitting *sitting, const struct given_up *given_up) {
  bool translates = sitting_offers(sitting, "Translate");
  if (given_up->waiting == 0 && !given_up->computing)
    sitting_skip(sitting, "nothing was there to be given up: no call asked the mesh for anything%s",
                 translates ? ", and Translate was done before" : ", and there is no Translate");
  else if (given_up->waiting == 0)
    sitting_note(sitting, "no call asked the mesh for anything, so that only Translate was given up");
  sitting_fact(sitting, "givenUpWaiting", given_up->waiting);
  sitting_fact(sitting, "givenUpComputing", given_up->computing);
}

/* A call that waits for its mesh. */
static void cancel_request(struct sitting *sitting, const struct sample *sample, struct given_up *given_up) {
  struct mesh_double mesh;
  mesh_double_init(&mesh, DOUBLE_CANCELS, NULL);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, &mesh.http);
  _cleanup_answer_ struct guest_answer answer = {0};
  const struct guest_call call = call_of(sample, PATIENCE_NS, &mesh.cancel);
  if (!guest)
    return;
  guest_run(guest, &call, &answer);
  if (answer.result == -ETIMEDOUT)
    sitting_fail(sitting, "%s: %s. " CANCEL_REMEDY, sample->about, answer.why);
  else
    require_next(guest, sample->about, "a cancel", SOON_NS, CANCEL_REMEDY);
  given_up->waiting += atomic_load(&mesh.requests) > 0;
}

static void *cancel_later(void *cancel) {
  const struct timespec moment = {0, MOMENT_NS};
  (void)nanosleep(&moment, NULL);
  atomic_store((atomic_bool *)cancel, true);
  return NULL;
}

/* A call that computes: some are done before. */
static void cancel_translation(struct sitting *sitting, struct given_up *given_up) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  _cleanup_answer_ struct guest_answer answer = {0};
  atomic_bool cancel = false;
  pthread_t thread;
  struct guest_call call = {.method = "Translate",
                            .options = {.deadline_ns = clock_in_ns(PATIENCE_NS), .cancel = &cancel}};
  if (!guest || big_request_make(sitting, arena, BIG_TARGETS, BIG_RULES, &call.request, &call.length) < 0)
    return;
  if (pthread_create(&thread, NULL, cancel_later, &cancel) != 0) {
    sitting_lacks(sitting, "thread");
    return;
  }
  guest_run(guest, &call, &answer);
  (void)pthread_join(thread, NULL);
  given_up->computing = answer.result == -ECANCELED;
  require_next(guest, "Translate", "a cancel", LATER_NS, CANCEL_REMEDY);
}

void check_cancel(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct given_up given_up = {0};
  struct sample *samples = NULL;
  size_t count = 0;
  if (make_samples(sitting, arena, &samples, &count) < 0)
    return;
  samples_thin_out(samples, &count);
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++)
    cancel_request(sitting, &samples[i], &given_up);
  if (sitting_offers(sitting, "Translate") && !sitting_failed(sitting))
    cancel_translation(sitting, &given_up);
  conclude(sitting, &given_up);
  sitting_done(sitting);
}

/* ---- deadline */

#define DEADLINE_REMEDY                                                                                                \
  "Return when a service of the host says DEADLINE_EXCEEDED, and in long work look at call_deadline_ns() now and then"

/* Whether the call was given up. */
static bool run_late(struct guest *guest, const char *about, int64_t within_ns, const struct guest_call *call) {
  _cleanup_answer_ struct guest_answer answer = {0};
  int64_t began = clock_monotonic_ns();
  guest_run(guest, call, &answer);
  int64_t took = clock_monotonic_ns() - began;
  if (took > PATIENCE_NS)
    sitting_fail(guest_sitting(guest), "%s took %lld s, with a deadline of less than one. " DEADLINE_REMEDY, about,
                 (long long)(took / NS_PER_SECOND));
  else
    require_next(guest, about, "its deadline", within_ns, DEADLINE_REMEDY);
  return answer.result == -ETIMEDOUT;
}

static void overrun_request(struct sitting *sitting, const struct sample *sample, struct given_up *given_up) {
  struct mesh_double mesh;
  mesh_double_init(&mesh, DOUBLE_WAITS, NULL);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, &mesh.http);
  if (!guest)
    return;
  const struct guest_call call = call_of(sample, SHORT_NS, NULL);
  (void)run_late(guest, sample->about, SOON_NS, &call);
  given_up->waiting += atomic_load(&mesh.requests) > 0;
}

static void overrun_translation(struct sitting *sitting, struct given_up *given_up) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  struct guest_call call = {.method = "Translate"};
  if (!guest || big_request_make(sitting, arena, BIG_TARGETS, BIG_RULES, &call.request, &call.length) < 0)
    return;
  call.options.deadline_ns = clock_in_ns(MOMENT_NS);
  given_up->computing = run_late(guest, "Translate", LATER_NS, &call);
}

void check_deadline(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct given_up given_up = {0};
  struct sample *samples = NULL;
  size_t count = 0;
  if (make_samples(sitting, arena, &samples, &count) < 0)
    return;
  samples_thin_out(samples, &count);
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++)
    overrun_request(sitting, &samples[i], &given_up);
  if (sitting_offers(sitting, "Translate") && !sitting_failed(sitting))
    overrun_translation(sitting, &given_up);
  conclude(sitting, &given_up);
  sitting_done(sitting);
}

/* ---- backpressure */

/* A receiver of a stream. */
struct receiver {
  struct sitting *sitting;
  const char *about;
  unsigned stop_after; /* messages; 0: it takes all */
  bool slow;
  unsigned taken;
  int result; /* of the call */
};

#define TAKEN_MAX 1000u  /* messages of one stream */
#define SLOW_MESSAGES 20 /* that a slow receiver takes its time for */

static int receive(void *ctx, const uint8_t *data, size_t length) {
  struct receiver *receiver = ctx;
  const struct timespec pause = {0, 2 * NS_PER_MS};
  ProtobufCMessage *message = NULL;
  if (message_unpack(&trammel__adapter__v1__invoke_event__descriptor, data, length, MESSAGE_MEMORY_MAX, &message,
                     NULL) < 0)
    sitting_fail(receiver->sitting, "%s sends an event that cannot be read", receiver->about);
  else
    protobuf_c_message_free_unpacked(message, NULL);
  if (receiver->slow && receiver->taken < SLOW_MESSAGES)
    (void)nanosleep(&pause, NULL);
  return ++receiver->taken == receiver->stop_after;
}

static void stream(struct sitting *sitting, const struct sample *sample, struct receiver *receiver) {
  static const struct reply nothing = {.name = "nothing", .status = 200, .body = "{}"};
  struct mesh_double mesh;
  mesh_double_init(&mesh, DOUBLE_ANSWERS, &nothing);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, &mesh.http);
  _cleanup_answer_ struct guest_answer answer = {0};
  struct guest_call call = call_of(sample, PATIENCE_NS, NULL);
  call.on_message = receive;
  call.ctx = receiver;
  if (!guest)
    return;
  guest_run(guest, &call, &answer);
  receiver->result = answer.result;
  if (answer.result == -ETIMEDOUT)
    sitting_fail(sitting, "%s: %s", sample->about, answer.why);
  else
    require_next(guest, sample->about, "its receiver stopped listening", SOON_NS,
                 "Return when an event can no longer be sent: invocation_event() is false then");
}

/* One that stops, one that takes all at once, and one that takes its time, which must get as much as that. Whether
 * there was an event. */
static bool try_stream(struct sitting *sitting, const struct sample *sample) {
  struct receiver stops = {.sitting = sitting, .about = sample->about, .stop_after = 1};
  struct receiver quick = {.sitting = sitting, .about = sample->about, .stop_after = TAKEN_MAX};
  struct receiver slow = {.sitting = sitting, .about = sample->about, .slow = true, .stop_after = TAKEN_MAX};
  stream(sitting, sample, &stops);
  if (stops.taken == 0 || sitting_failed(sitting))
    return stops.taken > 0;
  stream(sitting, sample, &quick);
  stream(sitting, sample, &slow);
  if (!sitting_failed(sitting) && (slow.taken != quick.taken || slow.result != quick.result))
    sitting_fail(
        sitting,
        "%s: a slow receiver gets %u events, and one that is not gets %u: wait for it, no event may be left out",
        sample->about, slow.taken, quick.taken);
  return true;
}

void check_backpressure(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct sample *samples = NULL;
  size_t count = 0;
  unsigned streams = 0, tried = 0;
  if (make_samples(sitting, arena, &samples, &count) < 0)
    return;
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++) {
    streams += samples[i].type->streaming;
    tried += samples[i].type->streaming && try_stream(sitting, &samples[i]);
  }
  if (tried == 0)
    sitting_skip(sitting, streams ? "no operation sends an event when the mesh answers with {}, so that none can wait"
                                  : "the adapter has no operation, which is what streams");
  else if (tried < streams)
    sitting_note(sitting, "of %u operations, %u send events when the mesh answers with {}; the others prove nothing",
                 streams, tried);
  sitting_done(sitting);
}
