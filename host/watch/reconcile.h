/* What the main thread of a watch does: takes in what feeds say, and decides what is wanted. */
#ifndef TRAMMEL_HOST_WATCH_RECONCILE_H
#define TRAMMEL_HOST_WATCH_RECONCILE_H

#include "host/watch/follow.h"
#include "host/watch/mirror.h"
#include "host/watch/reporter.h"
#include "host/watch/translator.h"

struct reconcile {
  const struct watch_options *options;
  struct inbox *inbox;
  struct stock *stock;
  struct reporter *reporter;
  const atomic_bool *retell; /* set when this one has become the leader: what is wrong is to be told again */

  struct mirror resources, population;
  struct translator translator;
  bool listed[MIRROR_FEEDS_MAX];
  unsigned without;       /* kinds of SMI that are not served, as bits */
  bool begun;             /* everything was translated once */
  bool parts;             /* whether parts are translated by themselves */
  int64_t survey_due_ns;  /* when everything is to be translated for a new inventory; 0: it is not */
  int64_t survey_late_ns; /* at the latest */
  int64_t audit_due_ns, audit_late_ns;
  int64_t retry_due_ns; /* after a translation that failed: until then there is none; 0: none has failed */
};

void reconcile_init(struct reconcile *reconcile);
void reconcile_finish(struct reconcile *reconcile);

/* Waits for what comes, for at most a second, and sees to it. 1 when everything was translated for the first time; 0;
 * an error that ends the watch. */
int reconcile_step(struct reconcile *reconcile, struct error **err);

#endif
