/* What the table of runs (runs.c), what is kept of one (record.c) and the thread that carries them out (worker.c)
 * share. */
#ifndef TRAMMEL_HOST_RUNS_INTERNAL_H
#define TRAMMEL_HOST_RUNS_INTERNAL_H

#include <pthread.h>
#include <sys/queue.h>

#include "host/runs/process.h"
#include "host/runs/runs.h"
#include "host/store/results.h"
#include "sdk/base/strbuf.h"

struct run {
  TAILQ_ENTRY(run) next;
  char id[RUN_ID_SIZE];
  enum run_state state;
  json_t *spec;
  int64_t created_ms, ended_ms;
  unsigned planned, done, failed;
  int exit_code;
  char message[RUN_MESSAGE_MAX + 1];
  size_t count;            /* of events */
  json_t *events;          /* NULL: not in memory, which only those of an ended run may be */
  unsigned watchers;       /* that wait or look */
  struct results *results; /* until the end */
  bool asked;              /* to end, by a client */
  bool broken;             /* what happens could not be kept: it is ended, `message` says why */
  struct process process;
  struct strbuf arriving; /* of an event */
  struct strbuf said;     /* the latest */
  int64_t kill_ns;        /* CLOCK_MONOTONIC; 0: not asked to end */
};
TAILQ_HEAD(run_list, run);

struct runs {
  struct runs_options options;
  char *state, *program; /* what `options` borrows */
  char *directory;       /* <state>/daemon, as host/store/results.h takes a state directory */
  size_t interrupted;
  pthread_t worker;
  bool begun;             /* the worker was, and was not stopped */
  int wake;               /* eventfd: something is to be done */
  pthread_mutex_t lock;   /* guards what follows, and all runs */
  pthread_cond_t changed; /* CLOCK_MONOTONIC; events, and `over` */
  struct run_list list;   /* the latest first */
  size_t kept;
  bool stopping;
  int64_t grace_ns;
  bool over; /* nothing goes on any more */
};

bool run_is_over(const struct run *run);

/* Wakes the worker. */
void runs_wake(struct runs *runs);

/* ---- record.c. With the lock held. */

struct run *run_create(struct runs *runs, json_t *spec, struct error **err);
void run_free(struct run *run);
/* Reads all that are kept, and marks those that have no end. */
int runs_load(struct runs *runs, struct error **err);
/* Keeps an event, then tells it. Takes it. */
int run_record(struct runs *runs, struct run *run, json_t *event, struct error **err);
/* The last event. */
void run_end(struct runs *runs, struct run *run, enum run_state state, int exit_code);
/* Has the events in memory. */
int run_fetch(struct runs *runs, struct run *run, struct error **err);
/* Lets them go, once nobody needs them. */
void run_release(struct run *run);
/* Removes what is kept of an ended run, and frees it. */
void run_forget(struct runs *runs, struct run *run);
/* Heap; NULL without memory. */
char *run_report_path(const struct runs *runs, const char *id);

/* ---- worker.c */

void *runs_work(void *runs);

#endif
