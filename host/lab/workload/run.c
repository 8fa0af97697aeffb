#include "host/lab/workload/run.h"
#include "sdk/base/clock.h"

#include <errno.h>
#include <stdio.h>

/* Calls started before the event loop gets its turn: connections that are refused at once would else keep it. */
#define STARTS_AT_ONCE 256

/* A place for one call at a time, with the connection it is made on. */
struct slot {
  struct run *run;
  struct caller *caller;
  struct call_request request;
  char id[CALL_ID_MAX + 1];
  unsigned index; /* of the call */
  bool busy;
  bool reopened; /* for this call */
  int64_t intended_ns;
  int64_t started_ns;
};

struct run {
  struct event_base *base;
  struct batch *batch;
  struct keep *keep;
  uint64_t keep_generation;
  run_done_fn done;
  void *user;
  struct event *pace;
  struct event *overdue;
  bool overdue_armed;
  unsigned next; /* call to start */
  unsigned done_count;
  unsigned idle_count;
  struct slot *idle[WORKLOAD_CONCURRENCY_MAX];
  struct slot slots[WORKLOAD_CONCURRENCY_MAX];
  int64_t began_ns;
  struct call_outcome *outcomes;
};

static void run_pump(struct run *run);

static void arm(struct event *event, int64_t in_ns) {
  int64_t us = in_ns <= 0 ? 0 : (in_ns + 999) / 1000;
  struct timeval after = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
  (void)event_add(event, &after);
}

static void slot_drop(struct slot *slot) {
  caller_destroy(slot->caller);
  slot->caller = NULL;
}

static void slot_finish(struct slot *slot, const struct call_outcome *outcome) {
  struct run *run = slot->run;
  struct call_outcome *kept = &run->outcomes[slot->index];
  *kept = *outcome;
  kept->latency_ns = clock_monotonic_ns() - slot->intended_ns;
  slot->busy = false;
  run->done_count++;
  run->idle[run->idle_count++] = slot;
}

static void slot_fail(struct slot *slot, int code) {
  struct call_outcome outcome = {0};
  call_outcome_fail(&outcome, code);
  slot_drop(slot);
  slot_finish(slot, &outcome);
}

static void on_done(void *user, struct caller *caller);

static bool is_http(const struct run *run) {
  return run->batch->protocol == CALL_HTTP1 || run->batch->protocol == CALL_H2C;
}

/* Makes the call on the slot's connection, or on a new one. */
static void slot_send(struct slot *slot) {
  const struct run *run = slot->run;
  if (slot->caller && !slot->caller->usable) {
    int code = slot->caller->idle_end;
    slot_drop(slot);
    /* Who speaks HTTP opens a new connection. A TCP caller has lost the one it was told to call on, and says so. */
    if (!is_http(run)) {
      slot_fail(slot, code);
      return;
    }
  }
  if (!slot->caller) {
    int r = caller_open(run->base, run->batch->protocol, &run->batch->endpoint, &slot->caller);
    if (r < 0) {
      slot_fail(slot, -r);
      return;
    }
  }
  caller_call(slot->caller, &slot->request, on_done, slot);
}

/* A connection that was used before may have been closed by the peer just as the call was sent: the call is made once
 * more on a new one, when not a byte of a response came. What happens to a new connection is reported as it is. */
static bool may_reopen(const struct slot *slot) {
  const struct caller *caller = slot->caller;
  enum call_end end = caller->outcome.end;
  return is_http(slot->run) && !slot->reopened && caller->calls > 1 && caller->silent &&
         (end == CALL_CLOSED || end == CALL_RESET);
}

static void on_done(void *user, struct caller *caller) {
  struct slot *slot = user;
  struct run *run = slot->run;
  if (may_reopen(slot)) {
    slot->reopened = true;
    slot_drop(slot);
    slot_send(slot);
  } else {
    slot_finish(slot, &caller->outcome);
    if (run->batch->fresh || !caller->usable)
      slot_drop(slot);
  }
  run_pump(run);
}

static void slot_start(struct slot *slot, unsigned index, int64_t intended_ns, int64_t now_ns) {
  struct run *run = slot->run;
  const struct batch *batch = run->batch;
  slot->index = index;
  slot->busy = true;
  slot->reopened = false;
  slot->intended_ns = intended_ns;
  slot->started_ns = now_ns;
  (void)snprintf(slot->id, sizeof(slot->id), "%s-%u", batch->id, index);
  slot->request = (struct call_request){
      .id = slot->id,
      .authority = batch->authority,
      .method = batch->method,
      .path = batch->path,
      .headers = batch->headers,
      .header_count = batch->header_count,
      .body = batch->body,
      .body_length = batch->body_length,
      .last = batch->fresh,
  };
  if (!run->overdue_armed) {
    run->overdue_armed = true;
    arm(run->overdue, (int64_t)batch->timeout_ms * 1000000);
  }
  slot_send(slot);
}

static void run_finish(struct run *run) {
  struct slot *slot = &run->slots[0];
  (void)event_del(run->overdue);
  if (run->batch->keep[0] && slot->caller)
    keep_put(run->keep, run->batch->keep, run->keep_generation, take(slot->caller));
  run->done(run->user, run->outcomes, run->batch->count);
}

/* Calls without a pace begin with one, and as many more may be under way as have ended: a proxy that has no connection
 * to the destination yet would else open one for each of them, all with whole handshakes. */
static bool run_has_room(const struct run *run) {
  return run->idle_count > 0 && (run->batch->spacing_us > 0 || run->next - run->done_count <= run->done_count);
}

/* Starts what is due and has a slot. The run may be gone afterwards. */
static void run_pump(struct run *run) {
  const struct batch *batch = run->batch;
  for (unsigned budget = STARTS_AT_ONCE; run->next < batch->count && run_has_room(run); budget--) {
    int64_t now_ns = clock_monotonic_ns();
    int64_t due_ns = batch->spacing_us > 0 ? run->began_ns + (int64_t)run->next * batch->spacing_us * 1000 : now_ns;
    if (due_ns > now_ns || budget == 0) {
      arm(run->pace, due_ns - now_ns);
      return;
    }
    struct slot *slot = run->idle[--run->idle_count];
    slot_start(slot, run->next++, due_ns, now_ns);
  }
  if (run->done_count == batch->count)
    run_finish(run);
}

static void on_pace(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  run_pump(user);
}

/* Ends the calls that are overdue, and waits for the next that will be. */
static void on_overdue(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  struct run *run = user;
  int64_t now_ns = clock_monotonic_ns();
  int64_t timeout_ns = (int64_t)run->batch->timeout_ms * 1000000;
  int64_t next_ns = INT64_MAX;
  run->overdue_armed = false;
  for (unsigned i = 0; i < run->batch->concurrency; i++) {
    struct slot *slot = &run->slots[i];
    int64_t left_ns = slot->started_ns + timeout_ns - now_ns;
    if (slot->busy && left_ns <= 0)
      slot_fail(slot, ETIMEDOUT);
    else if (slot->busy && left_ns < next_ns)
      next_ns = left_ns;
  }
  if (next_ns != INT64_MAX) {
    run->overdue_armed = true;
    arm(run->overdue, next_ns);
  }
  run_pump(run);
}

static void run_set_slots(struct run *run) {
  const struct batch *batch = run->batch;
  for (unsigned i = batch->concurrency; i-- > 0;) {
    run->slots[i].run = run;
    run->idle[run->idle_count++] = &run->slots[i];
  }
  if (batch->keep[0])
    run->slots[0].caller = keep_take(run->keep, batch->keep, batch->protocol, &batch->endpoint);
}

int run_create(struct event_base *base, struct batch *batch, struct keep *keep, run_done_fn done, void *user,
               struct run **ret_run) {
  struct run *run = calloc(1, sizeof(*run));
  if (!run) {
    batch_destroy(batch);
    return -ENOMEM;
  }
  run->base = base;
  run->batch = batch;
  run->keep = keep;
  run->keep_generation = keep->generation;
  run->done = done;
  run->user = user;
  run->began_ns = clock_monotonic_ns();
  run->outcomes = calloc(batch->count, sizeof(*run->outcomes));
  run->pace = evtimer_new(base, on_pace, run);
  run->overdue = evtimer_new(base, on_overdue, run);
  if (!run->outcomes || !run->pace || !run->overdue) {
    run_destroy(run);
    return -ENOMEM;
  }
  run_set_slots(run);
  arm(run->pace, 0);
  *ret_run = run;
  return 0;
}

void run_destroy(struct run *run) {
  if (!run)
    return;
  for (unsigned i = 0; i < run->batch->concurrency; i++)
    slot_drop(&run->slots[i]);
  if (run->pace)
    event_free(run->pace);
  if (run->overdue)
    event_free(run->overdue);
  batch_destroy(run->batch);
  free(run->outcomes);
  free(run);
}
