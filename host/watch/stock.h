/* The native objects: what is to be on the cluster, what is there, and what has to be done about the difference, in the
 * order of backlog.h. Thread-safe. */
#ifndef TRAMMEL_HOST_WATCH_STOCK_H
#define TRAMMEL_HOST_WATCH_STOCK_H

#include <jansson.h>

#include "host/engine/cluster.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct stock;

/* `view`: of the field manager whose objects these are; what it points at is borrowed. */
int stock_create(const struct managers_view *view, struct stock **ret_stock, struct error **err);
void stock_destroy(struct stock *stock);

/* ---- what is wanted */

/* Wants these objects, and no others. `ret_changes`: those with sources that were another before. `since_ns`:
 * CLOCK_MONOTONIC, when what this comes from was learnt. 0 or -ENOMEM. */
int stock_settle(struct stock *stock, const Trammel__Adapter__V1__TranslateResponse *response, int64_t since_ns,
                 size_t *ret_changes);

/* Wants what is in `after` and was not so in `before`, translations of the same resources as they are and as they were.
 * Objects without sources, which are for a namespace as a whole, stay. -ESTALE, and nothing is changed, when something
 * in `before` that is to be changed is not what is wanted: then these resources did not decide on it alone. */
int stock_change(struct stock *stock, const Trammel__Adapter__V1__TranslateResponse *before,
                 const Trammel__Adapter__V1__TranslateResponse *after, int64_t since_ns, size_t *ret_changes);

/* ---- what is there */

/* An object of the kinds, as it is. 0 or -ENOMEM. */
int stock_see(struct stock *stock, const json_t *object, unsigned listing);
void stock_miss(struct stock *stock, const json_t *object);
/* What begins with this holdings_key() and was not seen in this listing is not there. */
void stock_sweep(struct stock *stock, const char *prefix, unsigned listing);

/* Kinds of SMI (bits 1 << enum smi_kind) that the cluster does not serve: what came from them stays, since a server
 * that has just been started does not serve its definitions at once. */
void stock_without(struct stock *stock, unsigned kinds);

/* ---- what is to be done */

struct stock_job {
  struct cluster_place place; /* texts are the job's */
  json_t *body;               /* to be applied; NULL: it is to be removed */
  char *sources;              /* "Kind/namespace/name,…"; "" */
  int64_t since_ns;
  int64_t until_ns; /* nothing may be done about it after that: of stock_allow() */
  bool undo;        /* what others have added to it may be undone: they did not do it again and again */
  bool undone;      /* by whoever does the job: something was, whether or not the job was done */
  void *item;
};
void stock_job_finish(struct stock_job *job);

/* Until when jobs are given out (CLOCK_MONOTONIC): not before it is known what is there, and only to a leader. 0: not
 * at all, as at first; INT64_MAX: always. */
void stock_allow(struct stock *stock, int64_t until_ns);

/* The next one, waiting for at most `wait_ns`. 1; 0: none came; -ENOMEM. */
int stock_next(struct stock *stock, int64_t wait_ns, struct stock_job *ret_job);

/* Gives it back: it was done, or `r` < 0 says why not. The number of failures in a row. Before stock_job_finish(). */
unsigned stock_done(struct stock *stock, struct stock_job *job, int r);

struct stock_counts {
  size_t wanted, there, pending, failing;
  size_t contested;  /* that others add to again and again: left to them for a while */
  size_t namespaces; /* that have objects */
};
struct stock_counts stock_count(struct stock *stock);

#endif
