/* A workload process of the process lab: started once, reconfigured for each placement. Private to the process lab. */
#ifndef TRAMMEL_HOST_LAB_WORKER_H
#define TRAMMEL_HOST_LAB_WORKER_H

#include <stdatomic.h>

#include "host/engine/process.h"
#include "host/lab/block.h"
#include "host/lab/workload_client.h"

struct worker {
  unsigned slot;
  unsigned number;
  bool hung; /* it did not answer: not to be used again */
  struct process *process;
  struct workload_client *client;
  char control[ADDRESS_SIZE];
  struct site site;
};

/* Starts the process of workload `number` in `slot`; `*worker` is zeroed. Its parts are ended by the lab also after a
 * failure. */
int worker_start(struct worker *worker, struct journal *journal, const struct block *block, unsigned slot,
                 unsigned number, struct error **err);

/* A client of its control port. */
int worker_dial(const struct worker *worker, struct workload_client **ret_client, struct error **err);

/* Waits until it answers. -ECHILD with the epitaph, -ETIMEDOUT, -ECANCELED. */
int worker_wait_ready(struct worker *worker, int64_t deadline_ns, const atomic_bool *cancel, struct error **err);

/* 0 while it lives; -ECHILD with the epitaph. */
int worker_check(const struct worker *worker, struct error **err);

/* Asks it whether it answers, and waits no longer than that takes when nothing is wrong. -ETIMEDOUT, with its name,
 * when it does not; it is hung then. -ECHILD, with the epitaph, when it ends instead: the connections of a process that
 * is killed are gone a little before it is. */
int worker_ask(struct worker *worker, struct error **err);

/* Whether it can be used: it lives and is not hung. */
bool worker_usable(const struct worker *worker);

/* Ends what is left of it and starts another process in its place, with the same name and addresses; waits until it
 * answers. A failure leaves a worker that is not usable. */
int worker_replace(struct worker *worker, struct journal *journal, const struct block *block, const atomic_bool *cancel,
                   struct error **err);

#endif
