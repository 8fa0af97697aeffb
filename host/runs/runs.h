/* Conformance runs that the central host carries out: a process of `trammel conformance run` each, so that the crash of
 * one ends nothing else. What happens in a run is a sequence of events, each kept (host/store/results.h, under
 * <state>/daemon/) before it is told; a run that has no last event when runs are opened was interrupted, and is marked
 * so. One thread starts the processes, reads what they say and sees them end; all functions may be called on any
 * thread. */
#ifndef TRAMMEL_HOST_RUNS_RUNS_H
#define TRAMMEL_HOST_RUNS_RUNS_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define RUNS_KEPT_MAX 256         /* then the oldest that has ended goes, with its report */
#define RUNS_QUEUED_MAX 64        /* that wait or go on */
#define RUN_MESSAGE_MAX 4096      /* bytes of what a run said last */
#define RUN_EVENT_MAX (64 * 1024) /* bytes of an event */
#define RUN_EVENTS_MAX 200000     /* of a run */
#define RUN_ID_SIZE 40

enum run_state { RUN_QUEUED = 1, RUN_RUNNING, RUN_ENDED, RUN_CANCELLED, RUN_INTERRUPTED };
const char *run_state_name(enum run_state state); /* "queued" … */

struct runs;

struct runs_options {
  const char *state_directory; /* absolute */
  const char *program;         /* path of `trammel` */
  unsigned at_once;            /* runs that go on at the same time; the others wait */
  unsigned at_once_per_mesh;   /* of one mesh: they share what it has */
  /* Told of what an operator wants to know, on any thread, with a lock held: it calls nothing of this module. */
  void (*log)(void *ctx, const char *run, const char *text);
  void *ctx;
};

/* Opens what is kept, and begins to carry out. */
int runs_open(const struct runs_options *options, struct runs **ret_runs, struct error **err);

/* Takes no further run, asks those that go on to end, and after `grace_ns` ends them; marks all of them interrupted. */
void runs_stop(struct runs *runs, int64_t grace_ns);
/* Stops them, unless that was done; once no other thread is in a function of this module. NULL is fine. */
void runs_close(struct runs *runs);

/* How many were found interrupted by runs_open(). */
size_t runs_found_interrupted(const struct runs *runs);

/* A run as it is at a moment. */
struct run_view {
  char id[RUN_ID_SIZE];
  enum run_state state;
  json_t *spec;                 /* a new reference, never changed */
  int64_t created_ms, ended_ms; /* CLOCK_REALTIME; 0: not ended */
  unsigned planned, done, failed;
  int exit_code;
  char message[RUN_MESSAGE_MAX + 1];
  size_t last_sequence;
};
void run_view_finish(struct run_view *view);

/* Queues a run. `spec` is an object of what arguments.h takes. -EINVAL for what is no spec, -EAGAIN for too many,
 * -ESHUTDOWN. */
int runs_start(struct runs *runs, json_t *spec, struct run_view *ret_view, struct error **err);

/* -ENOENT for an id that is not known. */
int runs_get(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err);

/* The latest first, at most `limit` (0: all). Heap array. */
int runs_list(struct runs *runs, size_t limit, struct run_view **ret_views, size_t *ret_count);
void runs_list_free(struct run_view *views, size_t count);

/* Asks a run to end; one that has ended stays as it is. */
int runs_cancel(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err);

/* Waits for the event after `after`: 1 with it (a new reference; its sequence number is after + 1), 0 when there is
 * none any more, -ECANCELED once `cancel` is true, -ENOENT, -EINVAL for an event that is yet to come of a run that
 * ended. */
int runs_next(struct runs *runs, const char *id, size_t after, const atomic_bool *cancel, json_t **ret_event,
              struct error **err);

/* A run's JSON report, heap. -ENOENT, -EAGAIN while it goes on. */
int runs_report(struct runs *runs, const char *id, char **ret_data, size_t *ret_length, struct error **err);

#endif
