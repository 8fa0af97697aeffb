/* Follows changes of a kind, on the calling thread, for as long as it is let. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_WATCH_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_WATCH_H

#include "host/transport/kube/client.h"

/* The most bytes of one event, and how long one request of a watch lasts until it is asked for again. */
#define KUBE_EVENT_MAX (16u * 1024 * 1024)
#define KUBE_WATCH_PERIOD_NS (290 * INT64_C(1000000000))

/* After so many failures in a row, without an event between them, a watch gives up, unless its options say otherwise.
 */
#define KUBE_WATCH_FAILURES_MAX 16

enum kube_event {
  KUBE_EVENT_ADDED = 1,
  KUBE_EVENT_MODIFIED,
  KUBE_EVENT_DELETED,
  KUBE_EVENT_BOOKMARK, /* nothing changed; the object has only its metadata.resourceVersion */
};

struct kube_watch_options {
  const char *label_selector;
  const char *field_selector;
  const char *resource_version; /* where the list ended that this goes on from; required */
  int64_t period_ns;            /* 0: KUBE_WATCH_PERIOD_NS; whole seconds */
  unsigned failures_max;        /* 0: KUBE_WATCH_FAILURES_MAX */
};

struct kube_watch_visitor {
  /* `object` is borrowed, and may be kept with json_incref(). Anything but 0 ends the watch and is returned by it. */
  int (*event)(enum kube_event event, json_t *object, void *ctx, struct error **err);
  /* The connection was lost, or could not be made, for this reason; it is tried again. NULL: not of interest. */
  void (*interrupted)(const struct error *reason, void *ctx);
  void *ctx;
};

/* Goes on over connections that end or break, from the last event or bookmark, with backoff. Returns never 0:
 * -ESTALE when the server no longer has what came after the last event: list again; -ECANCELED, -ETIMEDOUT (only with a
 * deadline; without one a watch has none); what a visitor returned; any other refusal of the server at once. */
int kube_watch(struct kube_client *client, const struct kube_ref *ref, const struct kube_watch_options *options,
               const struct kube_watch_visitor *visitor, const struct kube_call *call, struct error **err);

#endif
