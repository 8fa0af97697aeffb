#include "host/watch/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/limiter.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/watch.h"
#include "sdk/base/clock.h"

struct feed {
  struct feed_options options;
  struct kube_resource resource;
  pthread_t thread;
  bool listed; /* at least once */
  bool absent; /* told */
  int64_t pause_ns;
};

static void tell(struct feed *feed, enum feed_event event, json_t *object) {
  feed->options.event(feed->options.ctx, event, object);
}

static struct kube_call call_of(const struct feed *feed) {
  return (struct kube_call){.cancel = feed->options.cancel};
}

static int discover(struct feed *feed, struct error **err) {
  const struct kube_call call = call_of(feed);
  int r = -ENOTSUP;

  for (size_t i = 0; r == -ENOTSUP && i < FEED_VERSIONS_MAX && feed->options.versions[i]; i++)
    r = kube_discover(cluster_client(feed->options.cluster), feed->options.versions[i], feed->options.kind, &call,
                      &feed->resource, err);
  return r;
}

static int on_item(json_t *item, void *ctx, struct error **err) {
  (void)err;
  tell(ctx, FEED_OBJECT, item);
  return 0;
}

static void on_restart(void *ctx) {
  tell(ctx, FEED_BEGINS, NULL);
}

static int on_event(enum kube_event event, json_t *object, void *ctx, struct error **err) {
  struct feed *feed = ctx;

  (void)err;
  if (event != KUBE_EVENT_BOOKMARK) /* of which a server that forgets each time may send one each time */
    feed->pause_ns = FEED_PAUSE_LEAST_NS;
  if (event == KUBE_EVENT_ADDED || event == KUBE_EVENT_MODIFIED)
    tell(feed, FEED_OBJECT, object);
  else if (event == KUBE_EVENT_DELETED)
    tell(feed, FEED_GONE, object);
  return 0;
}

static void on_interruption(const struct error *reason, void *ctx) {
  struct feed *feed = ctx;

  feed->options.failed(feed->options.ctx, error_message(reason));
}

/* Until something ends it: -ESTALE when all is to be listed again. */
static int follow(struct feed *feed, struct error **err) {
  const struct kube_call call = call_of(feed);
  const struct kube_ref ref = {.resource = &feed->resource};
  const struct kube_list_options listing = {.label_selector = feed->options.label_selector};
  const struct kube_list_visitor items = {.item = on_item, .restart = on_restart, .ctx = feed};
  const struct kube_watch_visitor events = {.event = on_event, .interrupted = on_interruption, .ctx = feed};
  struct kube_client *client = cluster_client(feed->options.cluster);
  _cleanup_free_ char *version = NULL;

  int r = discover(feed, err);
  if (r < 0)
    return r;
  tell(feed, FEED_BEGINS, NULL);
  r = kube_list_each(client, &ref, &listing, &items, &call, &version, err);
  if (r < 0)
    return r;
  feed->listed = true;
  tell(feed, FEED_LISTED, NULL);
  const struct kube_watch_options watching = {.label_selector = feed->options.label_selector,
                                              .resource_version = version};
  return kube_watch(client, &ref, &watching, &events, &call, err);
}

/* A kind that was there and is not served any more keeps what it had: a server that has just been started does not
 * serve its definitions at once. */
static void pause_after(struct feed *feed, int r, const struct error *why) {
  if (r == -ENOTSUP && !feed->listed) {
    if (!feed->absent)
      tell(feed, FEED_ABSENT, NULL);
    feed->absent = true;
    feed->pause_ns = FEED_PAUSE_LEAST_NS;
    (void)limiter_wait(FEED_ABSENT_PAUSE_NS, feed->options.cancel);
    return;
  }
  if (r == -ESTALE)
    feed->options.behind(feed->options.ctx);
  else
    feed->options.failed(feed->options.ctx, error_message(why));
  (void)limiter_wait(feed->pause_ns, feed->options.cancel);
  feed->pause_ns = 2 * feed->pause_ns < FEED_PAUSE_MOST_NS ? 2 * feed->pause_ns : FEED_PAUSE_MOST_NS;
}

static void *run(void *ctx) {
  struct feed *feed = ctx;

  while (!atomic_load(feed->options.cancel)) {
    _cleanup_error_ struct error *why = NULL;
    int64_t start_ns = clock_monotonic_ns();
    int r = follow(feed, &why);
    if (clock_monotonic_ns() - start_ns >= FEED_STEADY_NS)
      feed->pause_ns = FEED_PAUSE_LEAST_NS;
    if (!atomic_load(feed->options.cancel))
      pause_after(feed, r, why);
  }
  return NULL;
}

int feed_start(const struct feed_options *options, struct feed **ret_feed, struct error **err) {
  struct feed *feed = calloc(1, sizeof(*feed));

  if (!feed)
    return error_set(err, ENOMEM, "out of memory for a feed");
  *feed = (struct feed){.options = *options, .pause_ns = FEED_PAUSE_LEAST_NS};
  int r = pthread_create(&feed->thread, NULL, run, feed);
  if (r != 0) {
    free(feed);
    return error_set(err, r, "no thread to follow %s with", options->kind);
  }
  *ret_feed = feed;
  return 0;
}

void feed_join(struct feed *feed) {
  if (!feed)
    return;
  (void)pthread_join(feed->thread, NULL);
  free(feed);
}
