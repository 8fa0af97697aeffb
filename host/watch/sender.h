/* Does the jobs of a stock, on threads of its own. */
#ifndef TRAMMEL_HOST_WATCH_SENDER_H
#define TRAMMEL_HOST_WATCH_SENDER_H

#include "host/watch/counters.h"
#include "host/watch/stock.h"

#define SENDER_THREADS 8

/* How long one object may take, with all that is tried again. */
#define SENDER_TIMEOUT_NS (10 * INT64_C(1000000000))

struct sender_options {
  struct stock *stock;
  struct cluster *cluster;
  const char *manager; /* the field manager */
  struct counters *counters;
  const atomic_bool *cancel;
  /* What became of an object; of one that failed, how often in a row, and what it came from
   * ("Kind/namespace/name,…"). On the sender's threads. */
  void (*told)(void *ctx, const struct rollout_step *step, unsigned failures, const char *sources);
  void *ctx;
};

struct sender;
int sender_start(const struct sender_options *options, struct sender **ret_sender, struct error **err);
/* Waits for its end, after a cancellation. NULL is fine. */
void sender_join(struct sender *sender);

#endif
