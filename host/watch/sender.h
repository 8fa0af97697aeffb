/* Does the jobs of a stock, on threads of its own. */
#ifndef TRAMMEL_HOST_WATCH_SENDER_H
#define TRAMMEL_HOST_WATCH_SENDER_H

#include "host/watch/counters.h"
#include "host/watch/stock.h"

#define SENDER_THREADS 8

/* How long one object may take, with all that is tried again. */
#define SENDER_TIMEOUT_NS (10 * INT64_C(1000000000))

/* What became of an object. Borrowed during the call. */
struct sender_news {
  struct rollout_step step; /* without `before`, `after` */
  unsigned failures;        /* how often it failed in a row */
  bool contested;           /* because others add to it again and again: it is left to them for a while */
  const char *uid;          /* NULL: not known */
  const char *sources;      /* "Kind/namespace/name,…" */
};

struct sender_options {
  struct stock *stock;
  struct cluster *cluster;
  const struct managers_view *view; /* of the field manager */
  struct counters *counters;
  const atomic_bool *cancel;
  void (*told)(void *ctx, const struct sender_news *news); /* on the sender's threads */
  void *ctx;
};

struct sender;
int sender_start(const struct sender_options *options, struct sender **ret_sender, struct error **err);
/* Waits for its end, after a cancellation. NULL is fine. */
void sender_join(struct sender *sender);

#endif
