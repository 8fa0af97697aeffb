/* Conformance runs that the central host carries out: a process of `trammel conformance run` each, so that the crash of
 * one ends nothing else. What happens in a run is a sequence of events, each kept in the store (host/store/store.h)
 * before it is told, as is its end with its report. What the host had not brought to an end when it ended itself is
 * marked as interrupted when runs are opened again. One thread starts the processes, reads what they say and sees them
 * end; all functions may be called on any thread. Besides their own errors they have those of the store. */
#ifndef TRAMMEL_HOST_RUNS_RUNS_H
#define TRAMMEL_HOST_RUNS_RUNS_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/store/store.h"
#include "sdk/base/error.h"

#define RUNS_QUEUED_MAX 64 /* that wait or go on */
#define RUNS_LISTED_MAX STORE_PAGE_MAX
#define RUN_MESSAGE_MAX 4096      /* bytes of what a run said last */
#define RUN_EVENT_MAX (64 * 1024) /* bytes of an event */
#define RUN_EVENTS_MAX 200000     /* of a run */
#define RUN_ID_SIZE 40

enum run_state { RUN_QUEUED = 1, RUN_RUNNING, RUN_ENDED, RUN_CANCELLED, RUN_INTERRUPTED };
const char *run_state_name(enum run_state state); /* "queued" … */

struct runs;

struct runs_limits {
  unsigned at_once;          /* runs that go on at the same time; the others wait */
  unsigned at_once_per_mesh; /* of one adapter's mesh, however it was spelled: they share what it has */
  /* What stays of the ended runs of each mesh: the latest so many, and those of the latest so many days; 0: all. */
  unsigned kept, kept_days;
};

struct runs_options {
  const char *state_directory; /* absolute, and no other host's */
  const char *program;         /* path of `trammel` */
  struct store *store;         /* with an owner; borrowed until runs_close() */
  struct runs_limits limits;
  /* Told of what an operator wants to know, on any thread, maybe with a lock held: it calls nothing of this module. */
  void (*log)(void *ctx, const char *run, const char *text);
  void *ctx;
};

/* Completes what was interrupted, and begins to carry out. */
int runs_open(const struct runs_options *options, struct runs **ret_runs, struct error **err);

/* Other limits, from now on; what goes on is not ended by them. */
void runs_set_limits(struct runs *runs, const struct runs_limits *limits);

/* Takes no further run, asks those that go on to end, and after `grace_ns` ends them; marks all of them interrupted. */
void runs_stop(struct runs *runs, int64_t grace_ns);
/* Stops them, unless that was done; once no other thread is in a function of this module. NULL is fine. */
void runs_close(struct runs *runs);

/* How many were found interrupted by runs_open(). */
size_t runs_found_interrupted(const struct runs *runs);

/* A run as it is at a moment. */
struct run_view {
  char id[RUN_ID_SIZE];
  char mesh[STORE_NAME_MAX + 1]; /* id of the adapter */
  enum run_state state;
  json_t *spec;                 /* the view's own */
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

/* The latest first, at most `limit` (0 or more than RUNS_LISTED_MAX: that many), of `mesh` (an adapter's id; NULL:
 * any), those made before the run `before` (NULL: from the latest; -ENOENT). Heap array. */
int runs_list(struct runs *runs, const char *mesh, const char *before, size_t limit, struct run_view **ret_views,
              size_t *ret_count, struct error **err);
void runs_list_free(struct run_view *views, size_t count);

/* Whether one goes on here. */
bool runs_any_running(struct runs *runs);

/* Asks a run to end; one that has ended stays as it is. -EREMOTE for one that another host carries out. */
int runs_cancel(struct runs *runs, const char *id, struct run_view *ret_view, struct error **err);

/* A run's JSON report, heap. -ENOENT, -EAGAIN while it goes on. */
int runs_report(struct runs *runs, const char *id, char **ret_data, size_t *ret_length, struct error **err);

/* ---- following one: watch.c */

struct runs_watch;
/* From the event after `after` on. -ENOENT, -EINVAL for an event that is yet to come of a run that ended. */
int runs_watch_open(struct runs *runs, const char *id, uint64_t after, struct runs_watch **ret_watch,
                    struct error **err);
/* Waits for the next event: 1 with it (a new reference) and its number, 0 when there is none any more, -ECANCELED once
 * `cancel` is true, -ESHUTDOWN when runs were stopped and the end could not be kept. */
int runs_watch_next(struct runs_watch *watch, const atomic_bool *cancel, json_t **ret_event, uint64_t *ret_sequence,
                    struct error **err);
/* NULL is fine. */
void runs_watch_close(struct runs_watch *watch);

#endif
