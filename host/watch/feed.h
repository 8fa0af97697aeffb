/* Follows the objects of one kind on a cluster, on a thread of its own, for as long as it is let: it lists them in
 * pages and then watches, over connections that break and servers that are started anew, and lists again when it has
 * fallen too far behind (410). */
#ifndef TRAMMEL_HOST_WATCH_FEED_H
#define TRAMMEL_HOST_WATCH_FEED_H

#include <jansson.h>

#include "host/engine/cluster.h"

#define FEED_VERSIONS_MAX 4

/* Pauses after a failure, and before everything is listed again: the first one, and the most they grow to; and how
 * often a kind that is not served is looked for. */
#define FEED_PAUSE_LEAST_NS (500 * INT64_C(1000000))
#define FEED_PAUSE_MOST_NS (20 * INT64_C(1000000000))
#define FEED_STEADY_NS (30 * INT64_C(1000000000)) /* who has followed for so long has no failure behind it */
#define FEED_ABSENT_PAUSE_NS (10 * INT64_C(1000000000))

enum feed_event {
  FEED_OBJECT = 1, /* as it is now; it may be changed and kept */
  FEED_GONE,       /* as it was last */
  FEED_BEGINS,     /* a list: what is not in it, until FEED_LISTED, is not there any more. No object */
  FEED_LISTED,     /* no object */
  FEED_ABSENT,     /* the cluster does not serve the kind, and has not since the feed began. No object */
};

struct feed_options {
  struct cluster *cluster;
  const char *kind;
  const char *versions[FEED_VERSIONS_MAX]; /* the first one that is served is followed */
  const char *label_selector;              /* NULL: all */
  const atomic_bool *cancel;
  void (*event)(void *ctx, enum feed_event event, json_t *object); /* on the feed's thread */
  void (*failed)(void *ctx, const char *why);                      /* the same; it is tried again */
  void (*behind)(void *ctx);                                       /* the same; all is listed again (410) */
  void *ctx;
};

struct feed;

/* Starts it. Borrows the options' texts. */
int feed_start(const struct feed_options *options, struct feed **ret_feed, struct error **err);

/* Waits for its end, after a cancellation. NULL is fine. */
void feed_join(struct feed *feed);

#endif
