/* What the parts of a stock share: what is wanted (stock_wanted.c), what is there, and the jobs (stock_jobs.c). All
 * with the stock's lock held. */
#ifndef TRAMMEL_HOST_WATCH_STOCK_INTERNAL_H
#define TRAMMEL_HOST_WATCH_STOCK_INTERNAL_H

#include <pthread.h>

#include "host/watch/backlog.h"
#include "host/watch/contest.h"
#include "host/watch/stock.h"
#include "host/watch/table.h"

struct item {
  char *key; /* holdings_key() */
  char *api_version, *kind, *ns, *name;
  char *body;    /* as it is wanted; NULL: it is not */
  char *sources; /* of `body`, else of the object that is there */
  unsigned round;
  int64_t since_ns;

  bool there, ours, fulfilled; /* on the cluster */
  unsigned listing;
  unsigned kinds; /* of SMI that it came from, as bits */
  struct contest contest;

  struct task task;
};

struct stock {
  struct managers_view view;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct table items;
  struct backlog backlog;
  int64_t allowed_until_ns;
  unsigned without; /* kinds of SMI, as bits */
  unsigned round;
};

/* NULL when there is none; one that is made when there is none, NULL without memory. */
struct item *stock_item_find(const struct stock *stock, const struct cluster_place *place);
struct item *stock_item_of(struct stock *stock, const struct cluster_place *place);

/* Whether it is on the cluster, and ours. */
bool item_is_there(const struct item *item);

/* Notes what an object says. Of an item that has no work. 0 or -ENOMEM. */
int item_note_content(struct item *item, const json_t *object);

/* What there is to do about it. */
enum backlog_work stock_work_for(const struct stock *stock, const struct item *item);

/* After something about it has changed. With `anew` what failed before says nothing about what is to be done now. An
 * item that is neither wanted nor there is forgotten. */
void stock_review(struct stock *stock, struct item *item, bool anew);

#endif
