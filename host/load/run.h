/* A run: generators on threads, started at one instant, and what they counted, added up. */
#ifndef TRAMMEL_HOST_LOAD_RUN_H
#define TRAMMEL_HOST_LOAD_RUN_H

#include <stdatomic.h>

#include "host/load/schedule.h"
#include "host/load/tally.h"
#include "host/load/target.h"

#define LOAD_THREADS_MAX 256 /* at most SCHEDULE_WORKERS_MAX */
#define LOAD_WORKERS_MAX 64
#define LOAD_CONNECTIONS_MAX 100000
#define LOAD_STREAMS_MAX 1000000 /* of all connections */

/* For a load that begins together with others: called once, on the thread of load_run(), when its connections are made
 * or have failed; returns when it is to begin (CLOCK_MONOTONIC). */
struct load_start {
  int64_t (*meet)(void *context);
  void *context;
};

/* Which part of the schedule and of the connections is this program's: worker k of N sends the requests whose number
 * leaves k when it is divided by N. */
struct load_share {
  unsigned worker, workers; /* 0 of 0: all of it */
};

struct load_options {
  struct schedule schedule;      /* its duration is that of what is measured; the warm-up comes before */
  unsigned threads, connections; /* of each worker; of all together */
  struct load_share share;
  int64_t warm_up_ns;
  int64_t connect_timeout_ns, timeout_ns, drain_ns;
  const atomic_bool *cancel;      /* NULL: never; what was counted until then is the result */
  const struct load_start *start; /* NULL: it begins when it is connected */
};

/* Why the numbers do not tell about the target; bits. */
enum load_doubt {
  LOAD_DOUBT_LATE = 1 << 0,  /* fewer than 99% of the requests that were due were sent before the end */
  LOAD_DOUBT_LAG = 1 << 1,   /* the generator's own lag is more than a tenth of what it measured (p99 against p50) */
  LOAD_DOUBT_BUSY = 1 << 2,  /* its threads had work for more than 90% of the time */
  LOAD_DOUBT_EMPTY = 1 << 3, /* no request was answered */
  LOAD_DOUBT_CUT = 1 << 4,   /* it was cancelled */
  LOAD_DOUBT_LOST = 1 << 5,  /* a worker was lost, and its share with it */
};
#define LOAD_DOUBT_LAST LOAD_DOUBT_LOST

/* A worker that handed nothing over: what it did is in no number. */
struct load_loss {
  unsigned worker; /* from 0 */
  char *reason;    /* heap: "killed by SIGKILL" */
};

struct load_result {
  struct tally tally;
  unsigned workers;         /* processes that shared it; 0: this one alone made it */
  struct load_loss *losses; /* heap */
  unsigned loss_count;
  int64_t begun_ns;     /* when the measured time began, of the wall clock (since 1970) */
  int64_t measured_ns;  /* of the schedule, without the warm-up; less when it was cancelled */
  double target_rate;   /* requests per second that were due; 0 in a closed loop */
  double achieved_rate; /* that had an end by then, by answer or error */
  double busy;          /* share of the threads' time that was work */
  unsigned doubts;      /* load_doubt bits */
  char *problem;        /* heap: why the target has no address; NULL: it has one */
};

/* -EINVAL says which option is out of range. */
int load_check(const struct target *target, const struct load_options *options, struct error **err);

/* -EINVAL as load_check(). Errors of requests are in the result; what makes none is an error. */
int load_run(struct target *target, const struct load_options *options, struct load_result *ret_result,
             struct error **err);
void load_result_finish(struct load_result *result);

/* How many threads all workers have together. */
unsigned load_lanes(const struct load_options *options);
/* Rates and doubts, once `result->tally` is that of all threads of `options`; `cancelled`: it may have been cut. */
void load_conclude(struct load_result *result, const struct load_options *options, bool cancelled);

/* "late" …, and what it means in a sentence. */
const char *load_doubt_name(enum load_doubt doubt);
const char *load_doubt_text(enum load_doubt doubt);

#endif
