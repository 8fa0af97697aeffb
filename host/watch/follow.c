#include "host/watch/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/census.h"
#include "host/engine/holdings.h"
#include "host/watch/condense.h"
#include "host/watch/feed.h"
#include "host/watch/marks.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"
#include "sdk/smi/model.h"

/* The hub's version first: it says the most, apart from the draft's. */
static const struct smi {
  enum smi_kind kind;
  const char *versions[FEED_VERSIONS_MAX];
} smi_kinds[FOLLOW_SMI] = {
    {SMI_TRAFFIC_TARGET,
     {"access.smi-spec.io/v1alpha3", "access.smi-spec.io/v1alpha4", "access.smi-spec.io/v1alpha2",
      "access.smi-spec.io/v1alpha1"}},
    {SMI_HTTP_ROUTE_GROUP,
     {"specs.smi-spec.io/v1alpha4", "specs.smi-spec.io/v1alpha3", "specs.smi-spec.io/v1alpha2",
      "specs.smi-spec.io/v1alpha1"}},
    {SMI_TCP_ROUTE,
     {"specs.smi-spec.io/v1alpha4", "specs.smi-spec.io/v1alpha3", "specs.smi-spec.io/v1alpha2",
      "specs.smi-spec.io/v1alpha1"}},
    {SMI_UDP_ROUTE, {"specs.smi-spec.io/v1alpha4"}},
    {SMI_TRAFFIC_SPLIT,
     {"split.smi-spec.io/v1alpha4", "split.smi-spec.io/v1alpha3", "split.smi-spec.io/v1alpha2",
      "split.smi-spec.io/v1alpha1"}},
};

/* A feed, and where what it says goes. */
struct source {
  struct follow *follow;
  size_t number; /* of those that send messages */
  const char *kind;
  struct feed *feed;
  struct strbuf prefix; /* of the holdings_key() of native objects */
  unsigned listing;
  bool known; /* its native objects have been seen */
};

struct follow {
  struct follow_options options;
  struct source said[FOLLOW_SMI + CENSUS_KINDS];
  struct source native[FOLLOW_NATIVE_MAX];
  size_t native_count;
  atomic_size_t unknown; /* native kinds that have not been listed yet */
};

size_t follow_count(void) {
  return FOLLOW_SMI + CENSUS_KINDS;
}

unsigned follow_smi_kind(size_t feed) {
  return feed < FOLLOW_SMI ? 1u << smi_kinds[feed].kind : 0;
}

static void on_failure(void *ctx, const char *why) {
  const struct source *source = ctx;
  const struct watch_options *watch = source->follow->options.watch;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  atomic_fetch_add(&watch->counters->interruptions, 1);
  strbuf_printf(&text, "%s: %s", source->kind, why);
  watch->said(watch->ctx, strbuf_text(&text));
}

static void on_behind(void *ctx) {
  const struct source *source = ctx;

  atomic_fetch_add(&source->follow->options.watch->counters->relists, 1);
}

/* ---- to the inbox */

static char *copy(const char *text) {
  return text ? strdup(text) : NULL;
}

static char *key_of(const struct source *source, const json_t *object) {
  const char *ns = kube_object_namespace(object), *name = kube_object_name(object);
  struct strbuf key = STRBUF_INIT;

  strbuf_printf(&key, "%s/%s/%s", source->kind, ns ? ns : "", name ? name : "");
  return strbuf_steal(&key);
}

static bool fill(const struct source *source, const json_t *object, struct message *message) {
  message->key = key_of(source, object);
  if (message->event == FEED_OBJECT) {
    message->text = source->number < FOLLOW_SMI ? condense_resource(object) : condense_population(object);
    message->uid = copy(kube_object_uid(object));
    message->api_version = copy(json_string_value(json_object_get(object, "apiVersion")));
  }
  return message->key && (message->event != FEED_OBJECT || (message->text && message->api_version));
}

/* What is lost would be a change that is never made. */
static void lose(const struct source *source) {
  source->follow->options.lost(source->follow->options.ctx);
}

/* Whether it stands for nothing by itself: who controls it stands for it; and a resource of SMI that was made from
 * others, for a mesh that reads SMI in its own way, would be translated again and again. */
static bool is_derived(const struct source *source, const json_t *object) {
  return source->number < FOLLOW_SMI ? cluster_owns(object) && marks_made(object) : census_is_controlled(object);
}

static void on_said(void *ctx, enum feed_event event, json_t *object) {
  const struct source *source = ctx;
  struct message *message = calloc(1, sizeof(*message));

  if (!message) {
    lose(source);
    return;
  }
  if (event == FEED_OBJECT && is_derived(source, object))
    event = FEED_GONE;
  *message = (struct message){.event = event, .feed = source->number, .came_ns = clock_monotonic_ns()};
  if (object && !fill(source, object, message)) {
    message_free(message);
    lose(source);
    return;
  }
  inbox_put(source->follow->options.inbox, message);
}

/* ---- to the stock */

static void note_known(struct source *source) {
  struct follow *follow = source->follow;

  if (source->known)
    return;
  source->known = true;
  if (atomic_fetch_sub(&follow->unknown, 1) == 1)
    follow->options.known(follow->options.ctx);
}

static void on_native(void *ctx, enum feed_event event, json_t *object) {
  struct source *source = ctx;
  struct stock *stock = source->follow->options.stock;

  switch (event) {
  case FEED_OBJECT:
    if (stock_see(stock, object, source->listing) < 0)
      lose(source);
    break;
  case FEED_GONE:
    stock_miss(stock, object);
    break;
  case FEED_BEGINS:
    source->listing++;
    break;
  case FEED_LISTED:
    stock_sweep(stock, strbuf_text(&source->prefix), source->listing);
    note_known(source);
    break;
  case FEED_ABSENT:
    note_known(source);
    break;
  }
}

/* ---- the feeds */

static int start_said(struct follow *follow, size_t number, const char *kind, const char *const *versions, size_t count,
                      struct error **err) {
  const struct watch_options *watch = follow->options.watch;
  struct source *source = &follow->said[number];
  struct feed_options options = {.cluster = watch->cluster,
                                 .kind = kind,
                                 .cancel = watch->cancel,
                                 .event = on_said,
                                 .failed = on_failure,
                                 .behind = on_behind,
                                 .ctx = source};

  *source = (struct source){.follow = follow, .number = number, .kind = kind};
  for (size_t i = 0; i < count; i++)
    options.versions[i] = versions[i];
  return feed_start(&options, &source->feed, err);
}

int follow_start(const struct follow_options *options, struct follow **ret_follow, struct error **err) {
  struct follow *follow = calloc(1, sizeof(*follow));
  int r = 0;

  if (!follow)
    return error_set(err, ENOMEM, "out of memory for feeds");
  follow->options = *options;
  *ret_follow = follow; /* also when only some have started */
  for (size_t i = 0; r == 0 && i < FOLLOW_SMI; i++)
    r = start_said(follow, i, smi_kind_name(smi_kinds[i].kind), smi_kinds[i].versions, FEED_VERSIONS_MAX, err);
  for (size_t i = 0; r == 0 && i < CENSUS_KINDS; i++)
    r = start_said(follow, FOLLOW_SMI + i, census_kinds[i].kind, census_kinds[i].versions, 2, err);
  return r;
}

static bool same_group(const char *a, const char *b) {
  size_t length = strcspn(a, "/");

  return strncmp(a, b, length) == 0 && b[length] == a[length];
}

typedef Trammel__Adapter__V1__KubernetesKind kubernetes_kind;

/* Versions of a kind show the same objects. */
static bool is_first(kubernetes_kind *const *kinds, size_t at) {
  for (size_t i = 0; i < at; i++)
    if (strcmp(kinds[i]->kind, kinds[at]->kind) == 0 && same_group(kinds[i]->api_version, kinds[at]->api_version))
      return false;
  return true;
}

static int start_native(struct follow *follow, size_t at, struct error **err) {
  const struct watch_options *watch = follow->options.watch;
  kubernetes_kind *const *kinds = watch->description->kubernetes_kinds;
  struct source *source = &follow->native[follow->native_count];
  const char *slash = strchr(kinds[at]->api_version, '/');
  struct feed_options options = {.cluster = watch->cluster,
                                 .kind = kinds[at]->kind,
                                 .label_selector = KUBE_MANAGED_LABEL "=" KUBE_MANAGED_VALUE,
                                 .cancel = watch->cancel,
                                 .event = on_native,
                                 .failed = on_failure,
                                 .behind = on_behind,
                                 .ctx = source};
  size_t versions = 0;

  for (size_t i = at; i < watch->description->n_kubernetes_kinds && versions < FEED_VERSIONS_MAX; i++)
    if (strcmp(kinds[i]->kind, kinds[at]->kind) == 0 && same_group(kinds[i]->api_version, kinds[at]->api_version))
      options.versions[versions++] = kinds[i]->api_version;
  *source = (struct source){.follow = follow, .kind = kinds[at]->kind};
  strbuf_printf(&source->prefix, "%.*s/%s/", slash ? (int)(slash - kinds[at]->api_version) : 0, kinds[at]->api_version,
                kinds[at]->kind);
  if (strbuf_failed(&source->prefix))
    return error_set(err, ENOMEM, "out of memory for feeds");
  follow->native_count++;
  return feed_start(&options, &source->feed, err);
}

int follow_native(struct follow *follow, struct error **err) {
  const struct watch_options *watch = follow->options.watch;
  kubernetes_kind *const *kinds = watch->description->kubernetes_kinds;
  size_t count = 0;
  int r = 0;

  for (size_t i = 0; i < watch->description->n_kubernetes_kinds; i++)
    count += is_first(kinds, i);
  if (count > FOLLOW_NATIVE_MAX)
    return error_set(err, E2BIG, "the adapter has more than %d kinds of objects", FOLLOW_NATIVE_MAX);
  atomic_store(&follow->unknown, count);
  if (count == 0)
    follow->options.known(follow->options.ctx);
  for (size_t i = 0; r == 0 && i < watch->description->n_kubernetes_kinds; i++)
    if (is_first(kinds, i))
      r = start_native(follow, i, err);
  return r;
}

void follow_join(struct follow *follow) {
  if (!follow)
    return;
  for (size_t i = 0; i < follow_count(); i++)
    feed_join(follow->said[i].feed);
  for (size_t i = 0; i < follow->native_count; i++) {
    feed_join(follow->native[i].feed);
    strbuf_finish(&follow->native[i].prefix);
  }
  free(follow);
}
