#include "host/watch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/watch/lease.h"
#include "host/watch/reconcile.h"
#include "host/watch/sender.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define MANAGER_SIZE 129  /* Kubernetes: at most 128 bytes */
#define IDENTITY_SIZE 128 /* of the holder of a Lease */

struct watch {
  const struct watch_options *options;
  struct reconcile reconcile;
  struct inbox inbox;
  struct stock *stock;
  struct reporter *reporter;
  struct follow *follow;
  struct sender *sender;
  struct lease *lease;
  char manager[MANAGER_SIZE], identity[IDENTITY_SIZE];
  struct managers_view view;
  atomic_llong held_until_ns; /* the Lease */
  atomic_bool known;          /* which native objects there are */
  atomic_bool retell;
  atomic_bool lost; /* something that a feed said: without it nothing is right any more */
  atomic_bool end;  /* of all threads */
};

/* Both have to be so before anything is written. Whichever comes last allows it. */
static void allow(struct watch *watch) {
  int64_t until_ns = atomic_load(&watch->held_until_ns);

  stock_allow(watch->stock, atomic_load(&watch->known) ? until_ns : 0);
}

static void on_known(void *ctx) {
  struct watch *watch = ctx;

  atomic_store(&watch->known, true);
  atomic_store(&watch->options->counters->ready, true);
  allow(watch);
}

static void on_lost(void *ctx) {
  atomic_store(&((struct watch *)ctx)->lost, true);
}

static void on_held(void *ctx, int64_t until_ns) {
  struct watch *watch = ctx;
  bool leading = until_ns > 0;

  atomic_store(&watch->held_until_ns, until_ns);
  if (leading && !atomic_exchange(&watch->options->counters->leading, leading))
    atomic_store(&watch->retell, true);
  atomic_store(&watch->options->counters->leading, leading);
  allow(watch);
}

static void on_said(void *ctx, const char *text) {
  const struct watch *watch = ctx;

  watch->options->said(watch->options->ctx, text);
}

/* The first of the sources is told, the first time. */
static void complain(struct watch *watch, const char *sources, const char *why) {
  struct message *message = calloc(1, sizeof(*message));

  if (!message)
    return;
  *message =
      (struct message){.event = MESSAGE_COMPLAINT, .key = strndup(sources, strcspn(sources, ",")), .text = strdup(why)};
  if (message->key && message->text)
    inbox_put(&watch->inbox, message);
  else
    message_free(message);
}

/* On the object itself: one that denies has no resource that it came from. */
static void report_contested(struct watch *watch, const struct sender_news *news) {
  const struct cluster_place *place = &news->step.place;
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  strbuf_printf(&key, "%s/%s/%s", place->kind, place->ns ? place->ns : "", place->name);
  if (place->ns && *place->ns && !strbuf_failed(&key)) /* an Event about what has no namespace would need another one */
    reporter_tell(watch->reporter, &(struct report){.key = strbuf_text(&key),
                                                    .api_version = place->api_version,
                                                    .uid = news->uid,
                                                    .reason = "Contested",
                                                    .message = news->step.why,
                                                    .warning = true});
}

static void on_told(void *ctx, const struct sender_news *news) {
  struct watch *watch = ctx;

  watch->options->told(watch->options->ctx, &news->step);
  if (news->failures == 1 && *news->sources && news->step.why)
    complain(watch, news->sources, news->step.why);
  if (news->contested)
    report_contested(watch, news);
}

/* "host_1a2b3c4d5e6f7890": no two programs have the same. */
static int make_identity(struct watch *watch, struct error **err) {
  char host[65] = "";
  uint64_t random;

  if (gethostname(host, sizeof(host) - 1) < 0 || getentropy(&random, sizeof(random)) < 0)
    return error_set(err, errno, "no name for this program: %s", strerror(errno));
  (void)snprintf(watch->identity, sizeof(watch->identity), "%s_%016llx", host, (unsigned long long)random);
  return 0;
}

static int start_lease(struct watch *watch, struct error **err) {
  const struct watch_options *options = watch->options;

  if (!options->lease) {
    on_held(watch, INT64_MAX);
    return 0;
  }
  int r = make_identity(watch, err);
  const struct lease_options lease = {.cluster = options->cluster,
                                      .ns = options->lease->ns,
                                      .name = options->lease->name,
                                      .identity = watch->identity,
                                      .cancel = &watch->end,
                                      .held = on_held,
                                      .said = on_said,
                                      .ctx = watch};
  return r < 0 ? r : lease_start(&lease, &watch->lease, err);
}

/* What writes. */
static int start_writers(struct watch *watch, struct error **err) {
  const struct watch_options *options = watch->options;
  const struct sender_options sending = {.stock = watch->stock,
                                         .cluster = options->cluster,
                                         .view = &watch->view,
                                         .counters = options->counters,
                                         .cancel = &watch->end,
                                         .told = on_told,
                                         .ctx = watch};

  const struct reporter_options reporting = {.cluster = options->cluster,
                                             .manager = watch->manager,
                                             .counters = options->counters,
                                             .cancel = &watch->end,
                                             .said = on_said,
                                             .ctx = watch};

  int r = reporter_start(&reporting, &watch->reporter, err);
  return r < 0 ? r : sender_start(&sending, &watch->sender, err);
}

static int start(struct watch *watch, struct watch_options *inner, struct error **err) {
  const struct follow_options following = {
      .watch = inner, .inbox = &watch->inbox, .stock = watch->stock, .known = on_known, .lost = on_lost, .ctx = watch};

  int r = start_writers(watch, err);
  if (r == 0)
    r = start_lease(watch, err);
  if (r == 0)
    r = follow_start(&following, &watch->follow, err);
  watch->reconcile.options = watch->options; /* what it does ends with the caller's flag, not after it */
  watch->reconcile.inbox = &watch->inbox;
  watch->reconcile.stock = watch->stock;
  watch->reconcile.reporter = watch->reporter;
  watch->reconcile.retell = &watch->retell;
  reconcile_init(&watch->reconcile);
  return r;
}

static int work(struct watch *watch, struct error **err) {
  int r = 0;

  while (r == 0 && !atomic_load(watch->options->cancel)) {
    r = reconcile_step(&watch->reconcile, err);
    if (r > 0)
      r = follow_native(watch->follow, err);
    if (r == 0 && atomic_load(&watch->lost))
      r = error_set(err, ENOMEM, "out of memory for what is on the cluster");
  }
  return atomic_load(watch->options->cancel) ? 0 : r;
}

/* What writes ends first, and then the Lease is given up. */
static void stop(struct watch *watch) {
  atomic_store(&watch->end, true);
  sender_join(watch->sender);
  reporter_join(watch->reporter);
  lease_join(watch->lease);
  follow_join(watch->follow);
  reconcile_finish(&watch->reconcile);
}

int watch_run(const struct watch_options *options, struct error **err) {
  struct watch *watch = calloc(1, sizeof(*watch));
  struct watch_options inner = *options;

  if (!watch)
    return error_set(err, ENOMEM, "out of memory for a watch");
  watch->options = options;
  inner.cancel = &watch->end;
  (void)snprintf(watch->manager, sizeof(watch->manager), "trammel-watch/%s", options->description->adapter_id);
  int r = inbox_init(&watch->inbox, err);
  if (r < 0) {
    free(watch);
    return r;
  }
  watch->view = managers_view_of(options->description, watch->manager);
  r = stock_create(&watch->view, &watch->stock, err);
  if (r == 0) {
    r = start(watch, &inner, err);
    r = r < 0 ? r : work(watch, err);
    if (atomic_load(options->cancel)) {
      r = 0;
      error_free(take(*err));
    }
    stop(watch);
  }
  stock_destroy(watch->stock);
  inbox_finish(&watch->inbox);
  free(watch);
  return r;
}
