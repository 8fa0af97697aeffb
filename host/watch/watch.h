/* Keeps the SMI resources of a cluster translated: follows them and who there is, translates what a change touches, and
 * makes the native objects on the cluster what they should be, for as long as it runs. What it makes is found again by
 * label and field manager ("trammel-watch/<adapter>"), so nothing is kept on this machine: after an end at any moment
 * another one goes on, and also removes what came from resources that have gone meanwhile.
 *
 *   feeds ─► inbox ─► mirrors ─► cells ─► translator ─► stock ─► senders ─► cluster
 *   (a thread each)   └──────────── this thread ─────────────┘   (threads)
 *                     feeds of the native objects ─────────► stock */
#ifndef TRAMMEL_HOST_WATCH_WATCH_H
#define TRAMMEL_HOST_WATCH_WATCH_H

#include "host/adapter/instance.h"
#include "host/engine/rollout.h"
#include "host/watch/counters.h"

/* After changes of workloads and Services, which come in groups, everything is translated once it has been quiet for
 * WATCH_QUIET_NS, at the latest after WATCH_QUIET_MOST_NS. */
#define WATCH_QUIET_NS (300 * INT64_C(1000000))
#define WATCH_QUIET_MOST_NS (2 * INT64_C(1000000000))

/* And so it is after translations of parts, to see that they add up; else every WATCH_AUDIT_NS. */
#define WATCH_SETTLE_NS (5 * INT64_C(1000000000))
#define WATCH_SETTLE_MOST_NS (60 * INT64_C(1000000000))
#define WATCH_AUDIT_NS (600 * INT64_C(1000000000))

/* After a translation that failed. */
#define WATCH_RETRY_NS (5 * INT64_C(1000000000))

struct watch_lease {
  const char *ns, *name;
};

struct watch_options {
  struct cluster *cluster;
  const Trammel__Adapter__V1__DescribeResponse *description; /* of the adapter */
  struct instance *instance;                                 /* of it */
  const char *const *deny_by_default;                        /* namespaces */
  size_t deny_count;
  Trammel__Adapter__V1__Protocol default_protocol;
  const struct watch_lease *lease; /* NULL: this is the only one */
  struct counters *counters;
  const atomic_bool *cancel;
  /* Any thread, one at a time is not seen to. */
  void (*told)(void *ctx, const struct rollout_step *step); /* what became of an object; without `before`, `after` */
  void (*said)(void *ctx, const char *text);                /* what people may want to know; one line */
  void *ctx;
};

/* Until it is cancelled: 0. Otherwise why it could not begin: the adapter's error, -EINVAL for objects that are not for
 * a cluster, -ENOMEM. What comes in the way later is said, and tried again. */
int watch_run(const struct watch_options *options, struct error **err);

#endif
