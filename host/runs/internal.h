/* What the table of runs (runs.c), what is kept of one (record.c), who follows one (watch.c) and the thread that
 * carries them out (worker.c) share. */
#ifndef TRAMMEL_HOST_RUNS_INTERNAL_H
#define TRAMMEL_HOST_RUNS_INTERNAL_H

#include <pthread.h>
#include <sys/queue.h>

#include "host/runs/process.h"
#include "host/runs/runs.h"
#include "sdk/base/strbuf.h"

#define RUN_KIND "conformance" /* in the store */

/* A run that this host carries out. All others are in the store alone. */
struct run {
  TAILQ_ENTRY(run) next;
  char id[RUN_ID_SIZE];
  char *mesh; /* id of the adapter */
  enum run_state state;
  json_t *spec; /* only with the lock held: counting references orders nothing between threads */
  int64_t created_ns, ended_ms;
  unsigned planned, done, failed;
  int exit_code;
  char message[RUN_MESSAGE_MAX + 1];
  char **events; /* JSON, as they are kept: each thread that reads one makes values of its own of it */
  size_t event_count, event_capacity;
  unsigned watchers;     /* that have a pointer to it */
  bool asked;            /* to end, by a client */
  bool broken;           /* what happens could not be kept: it is ended, `message` says why */
  enum run_state ending; /* has ended so, which is still to be kept and told; 0: goes on, or is over */
  int64_t retry_ns;      /* CLOCK_MONOTONIC: when keeping its end is tried again */
  struct process process;
  struct strbuf arriving; /* of an event */
  struct strbuf said;     /* the latest */
  int64_t kill_ns;        /* CLOCK_MONOTONIC; 0: not asked to end */
};
TAILQ_HEAD(run_list, run);

struct runs {
  struct runs_options options;
  char *state, *program; /* what `options` borrows */
  char *directory;       /* <state>/daemon */
  size_t interrupted;
  pthread_t worker;
  bool begun;             /* the worker was, and was not stopped */
  int wake;               /* eventfd: something is to be done */
  pthread_mutex_t lock;   /* guards what follows, and all runs */
  pthread_cond_t changed; /* CLOCK_MONOTONIC; events, and `over` */
  struct runs_limits limits;
  struct run_list list; /* the latest first; only the worker takes some out */
  size_t live;          /* in `list` or about to be */
  int64_t prune_ns;     /* CLOCK_MONOTONIC: when what is too old is looked for */
  bool stopping;
  int64_t grace_ns;
  bool over; /* nothing goes on any more */
};

bool run_is_over(const struct run *run);

/* Wakes the worker. */
void runs_wake(struct runs *runs);

/* With the lock held; NULL when this host does not carry it out. */
struct run *runs_find(struct runs *runs, const char *id);
int runs_unknown(const char *id, struct error **err);

/* ---- record.c */

/* A new run, kept as a queued one. Without the lock. */
struct run *run_create(struct runs *runs, json_t *spec, const char *mesh, struct error **err);
void run_free(struct run *run);
/* Completes what was interrupted. Before there is a worker. */
int runs_recover(struct runs *runs, struct error **err);
/* A run as the store has it. */
int run_view_of(const struct store_run *kept, struct run_view *ret_view);
/* Heap; NULL without memory. */
char *run_report_path(const struct runs *runs, const char *id);

/* On the worker, with the lock held, which is let go while something is written. */

/* Keeps that it has begun. */
int run_begin(struct runs *runs, struct run *run, struct error **err);
/* Keeps events, then tells them. Takes the array. */
int run_record(struct runs *runs, struct run *run, json_t *events, struct error **err);
/* Keeps the end and tells it, with the report; what cannot be kept is tried again by run_retry(). */
void run_end(struct runs *runs, struct run *run, enum run_state state, int exit_code);
void run_retry(struct runs *runs, struct run *run);
/* Removes what there is too much of in the store. */
void runs_prune(struct runs *runs);

/* ---- worker.c */

void *runs_work(void *runs);

#endif
