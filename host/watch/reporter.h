/* Tells those who wrote resources what is wrong with them: as Events on the resources. On a thread of its own, which
 * takes its time. */
#ifndef TRAMMEL_HOST_WATCH_REPORTER_H
#define TRAMMEL_HOST_WATCH_REPORTER_H

#include "host/engine/cluster.h"
#include "host/watch/counters.h"

#define REPORTER_QUEUE_MAX 20000 /* more are not told: there is more wrong than Events help with */
#define REPORTER_MESSAGE_MAX 1000
#define REPORTER_PER_SECOND 50

/* How often it is said that Events could not be written. */
#define REPORTER_SAID_EVERY_NS (60 * INT64_C(1000000000))

/* About which resource. Copied. */
struct report {
  const char *key; /* "Kind/namespace/name" */
  const char *api_version;
  const char *uid;    /* NULL: not known */
  const char *reason; /* "NotTranslated" */
  const char *message;
  bool warning;
};

struct reporter_options {
  struct cluster *cluster;
  const char *manager; /* the field manager */
  struct counters *counters;
  const atomic_bool *cancel;
  void (*said)(void *ctx, const char *text); /* that an Event could not be written, and why; on the reporter's thread */
  void *ctx;
};

struct reporter;
/* Borrows what the options point at. */
int reporter_start(const struct reporter_options *options, struct reporter **ret_reporter, struct error **err);
/* Any thread. The same about the same resource is one Event, also when it was told before a restart. Only the leader
 * tells; what the others would is dropped. */
void reporter_tell(struct reporter *reporter, const struct report *report);
/* Waits for its end, after a cancellation. NULL is fine. */
void reporter_join(struct reporter *reporter);

#endif
