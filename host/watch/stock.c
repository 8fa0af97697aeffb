#include "host/watch/stock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "host/engine/holdings.h"
#include "host/watch/condition.h"
#include "host/watch/fulfilment.h"
#include "host/watch/table.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"
#include "sdk/smi/model.h"

#define PB(name) Trammel__Adapter__V1__##name
#define OVER_KUBERNETES TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES

enum work { WORK_NONE, WORK_APPLY, WORK_REMOVE };

/* The work of a namespace that is not done yet, by wave. */
struct space {
  char *key; /* the namespace */
  size_t applying[STOCK_WAVES], removing[STOCK_WAVES];
  size_t untried; /* of those to be applied */
};

struct item {
  char *key; /* holdings_key() */
  char *api_version, *kind, *ns, *name;
  struct space *space;
  unsigned wave;
  char *body;    /* as it is wanted; NULL: it is not */
  char *sources; /* of `body` */
  unsigned round;

  bool there, ours, fulfilled; /* on the cluster */
  unsigned listing;
  unsigned kinds; /* of SMI that it came from, as bits */

  enum work work;
  bool busy;
  unsigned failures;
  int64_t not_before_ns, since_ns;
  TAILQ_ENTRY(item) link; /* when there is work, and it is not busy */
};

TAILQ_HEAD(queue, item);

struct stock {
  char *manager;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct table items, spaces;
  struct queue applying[STOCK_WAVES], removing[STOCK_WAVES];
  int64_t allowed_until_ns;
  unsigned without; /* kinds of SMI, as bits */
  unsigned round;
};

/* ---- from the beginning to the end */

static void item_free(struct item *item) {
  free(item->key);
  free(item->api_version);
  free(item->kind);
  free(item->ns);
  free(item->name);
  free(item->body);
  free(item->sources);
  free(item);
}

int stock_create(const char *manager, struct stock **ret_stock, struct error **err) {
  struct stock *stock = calloc(1, sizeof(*stock));

  if (!stock || !(stock->manager = strdup(manager)) || condition_init(&stock->lock, &stock->changed, NULL) < 0) {
    if (stock)
      free(stock->manager);
    free(stock);
    return error_set(err, ENOMEM, "out of memory for objects");
  }
  for (unsigned wave = 0; wave < STOCK_WAVES; wave++) {
    TAILQ_INIT(&stock->applying[wave]);
    TAILQ_INIT(&stock->removing[wave]);
  }
  *ret_stock = stock;
  return 0;
}

void stock_destroy(struct stock *stock) {
  if (!stock)
    return;
  for (size_t i = 0; i < stock->items.capacity; i++)
    if (stock->items.slots[i])
      item_free((struct item *)stock->items.slots[i]);
  for (size_t i = 0; i < stock->spaces.capacity; i++)
    if (stock->spaces.slots[i]) {
      free(stock->spaces.slots[i]->key);
      free(stock->spaces.slots[i]);
    }
  table_finish(&stock->items);
  table_finish(&stock->spaces);
  condition_finish(&stock->lock, &stock->changed);
  free(stock->manager);
  free(stock);
}

static struct space *space_of(struct stock *stock, const char *ns) {
  struct space *space = table_get(&stock->spaces, ns);

  if (space)
    return space;
  space = calloc(1, sizeof(*space));
  if (space && (space->key = strdup(ns)) && table_put(&stock->spaces, space) == 0)
    return space;
  if (space)
    free(space->key);
  free(space);
  return NULL;
}

static struct item *item_find(const struct stock *stock, const struct cluster_place *place) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  return holdings_key(&key, place) ? table_get(&stock->items, strbuf_text(&key)) : NULL;
}

static struct item *item_new(struct stock *stock, const struct cluster_place *place) {
  struct strbuf key = STRBUF_INIT;
  struct item *item = calloc(1, sizeof(*item));

  if (!item || !holdings_key(&key, place)) {
    strbuf_finish(&key);
    free(item);
    return NULL;
  }
  item->key = strbuf_steal(&key);
  item->api_version = strdup(place->api_version);
  item->kind = strdup(place->kind);
  item->ns = strdup(place->ns ? place->ns : "");
  item->name = strdup(place->name);
  if (item->key && item->api_version && item->kind && item->ns && item->name &&
      (item->space = space_of(stock, item->ns)) && table_put(&stock->items, item) == 0)
    return item;
  item_free(item);
  return NULL;
}

static struct item *item_of(struct stock *stock, const struct cluster_place *place) {
  struct item *item = item_find(stock, place);

  return item ? item : item_new(stock, place);
}

/* ---- what is to be done */

static struct queue *queue_of(struct stock *stock, const struct item *item) {
  return item->work == WORK_APPLY ? &stock->applying[item->wave] : &stock->removing[item->wave];
}

static size_t *count_of(struct item *item) {
  return item->work == WORK_APPLY ? &item->space->applying[item->wave] : &item->space->removing[item->wave];
}

static bool is_untried(const struct item *item) {
  return item->work == WORK_APPLY && item->failures == 0;
}

static enum work work_for(const struct stock *stock, const struct item *item) {
  if (item->body)
    return item->there && item->ours && item->fulfilled ? WORK_NONE : WORK_APPLY;
  return item->there && item->ours && !(item->kinds & stock->without) ? WORK_REMOVE : WORK_NONE;
}

static void take_off(struct stock *stock, struct item *item) {
  if (item->work == WORK_NONE)
    return;
  --*count_of(item);
  item->space->untried -= is_untried(item);
  if (!item->busy)
    TAILQ_REMOVE(queue_of(stock, item), item, link);
  item->work = WORK_NONE;
}

/* Of an item that has no work. */
static void put_on(struct stock *stock, struct item *item, enum work work) {
  item->work = work;
  if (work == WORK_NONE)
    return;
  ++*count_of(item);
  item->space->untried += is_untried(item);
  if (!item->busy)
    TAILQ_INSERT_TAIL(queue_of(stock, item), item, link);
  (void)pthread_cond_signal(&stock->changed);
}

/* After something about it has changed. With `anew` what failed before says nothing about what is to be done now. An
 * item that is neither wanted nor there is forgotten. */
static void review(struct stock *stock, struct item *item, bool anew) {
  enum work work = work_for(stock, item);

  if (work != item->work || anew) {
    take_off(stock, item);
    item->failures = 0;
    item->not_before_ns = 0;
    put_on(stock, item, work);
  }
  if (work == WORK_NONE && !item->body && !item->there && !item->busy) {
    table_remove(&stock->items, item);
    item_free(item);
  }
}

/* ---- what is wanted */

static unsigned wave_of(const PB(NativeObject) * object) {
  return object->wave < STOCK_WAVES ? object->wave : STOCK_WAVES - 1;
}

static char *body_of(const PB(NativeObject) * object) {
  return strndup((const char *)object->body.data, object->body.len);
}

static char *sources_of(const PB(NativeObject) * object) {
  struct strbuf text = STRBUF_INIT;

  strbuf_puts(&text, "");
  for (size_t i = 0; i < object->n_sources; i++)
    strbuf_printf(&text, "%s%s/%s/%s", i ? "," : "", object->sources[i]->kind, object->sources[i]->namespace_,
                  object->sources[i]->name);
  return text.failed ? NULL : text.data ? strbuf_steal(&text) : strdup("");
}

static struct cluster_place place_of(const PB(NativeObject) * object) {
  return (struct cluster_place){.api_version = object->kubernetes->api_version,
                                .kind = object->kubernetes->kind,
                                .ns = object->kubernetes->namespace_,
                                .name = object->kubernetes->name};
}

static bool is_body(const struct item *item, const PB(NativeObject) * object) {
  return item && item->body && strlen(item->body) == object->body.len &&
         memcmp(item->body, object->body.data, object->body.len) == 0;
}

/* 1 when it was wanted otherwise, 0, or -ENOMEM. */
static int want(struct stock *stock, const PB(NativeObject) * object, int64_t since_ns) {
  const struct cluster_place place = place_of(object);
  struct item *item = item_of(stock, &place);

  if (!item)
    return -ENOMEM;
  item->round = stock->round;
  if (is_body(item, object))
    return 0;
  char *body = body_of(object), *sources = sources_of(object), *version = strdup(place.api_version);
  if (!body || !sources || !version) {
    free(body);
    free(sources);
    free(version);
    return -ENOMEM;
  }
  take_off(stock, item);
  free(item->body);
  free(item->sources);
  free(item->api_version);
  item->body = body;
  item->sources = sources;
  item->api_version = version;
  item->wave = wave_of(object);
  item->since_ns = since_ns;
  item->fulfilled = false;
  review(stock, item, true);
  return 1;
}

static void want_no_more(struct stock *stock, struct item *item, int64_t since_ns) {
  take_off(stock, item);
  free(take(item->body));
  item->since_ns = since_ns;
  item->fulfilled = false;
  review(stock, item, true);
}

/* The one that is not wanted in this round; NULL: all are. Slots may move with each removal. */
static struct item *outdated(const struct stock *stock, size_t *slot) {
  for (; *slot < stock->items.capacity; ++*slot) {
    struct item *item = (struct item *)stock->items.slots[*slot];
    if (item && item->body && item->round != stock->round)
      return item;
  }
  return NULL;
}

int stock_settle(struct stock *stock, const PB(TranslateResponse) * response, int64_t since_ns, size_t *ret_changes) {
  size_t changes = 0, slot = 0;
  struct item *item;
  int r = 0;

  (void)pthread_mutex_lock(&stock->lock);
  stock->round++;
  for (size_t i = 0; r >= 0 && i < response->n_objects; i++) {
    r = want(stock, response->objects[i], since_ns);
    changes += r > 0 && response->objects[i]->n_sources > 0;
  }
  while (r >= 0 && (item = outdated(stock, &slot))) {
    changes += *item->sources != '\0';
    want_no_more(stock, item, since_ns);
  }
  (void)pthread_mutex_unlock(&stock->lock);
  *ret_changes = changes;
  return r < 0 ? r : 0;
}

/* ---- what two translations differ in */

static int by_place(const void *a, const void *b) {
  const PB(KubernetesObject) *x = (*(PB(NativeObject) *const *)a)->kubernetes,
                             *y = (*(PB(NativeObject) *const *)b)->kubernetes;
  int order = strcmp(x->name, y->name);

  order = order ? order : strcmp(x->namespace_, y->namespace_);
  order = order ? order : strcmp(x->kind, y->kind);
  return order ? order : strcmp(x->api_version, y->api_version);
}

static PB(NativeObject) * *sorted(const PB(TranslateResponse) * response) {
  PB(NativeObject) **objects = calloc(response->n_objects + 1, sizeof(*objects));

  if (!objects)
    return NULL;
  for (size_t i = 0; i < response->n_objects; i++)
    objects[i] = response->objects[i];
  if (response->n_objects > 1)
    qsort(objects, response->n_objects, sizeof(*objects), by_place);
  return objects;
}

/* An object in one or both of two translations. */
struct pair {
  PB(NativeObject) * before, *after;
};

static bool next_pair(PB(NativeObject) * *before, PB(NativeObject) * *after, size_t *b, size_t *a, struct pair *pair) {
  int order = !before[*b] ? 1 : !after[*a] ? -1 : by_place(&before[*b], &after[*a]);

  if (!before[*b] && !after[*a])
    return false;
  pair->before = order <= 0 ? before[(*b)++] : NULL;
  pair->after = order >= 0 ? after[(*a)++] : NULL;
  return true;
}

static bool is_same(const PB(NativeObject) * a, const PB(NativeObject) * b) {
  return a && b && a->body.len == b->body.len && memcmp(a->body.data, b->body.data, a->body.len) == 0;
}

static bool is_for_namespace(const struct pair *pair) {
  return !pair->after && pair->before->n_sources == 0;
}

/* Whether what is wanted is what these resources alone came to. */
static bool is_expected(const struct stock *stock, const struct pair *pair) {
  const struct cluster_place place = place_of(pair->before ? pair->before : pair->after);
  const struct item *item = item_find(stock, &place);

  return pair->before ? is_body(item, pair->before) : !item || !item->body || is_body(item, pair->after);
}

static int carry_out(struct stock *stock, const struct pair *pair, int64_t since_ns) {
  if (pair->after)
    return want(stock, pair->after, since_ns);
  const struct cluster_place place = place_of(pair->before);
  struct item *item = item_find(stock, &place);
  if (item)
    want_no_more(stock, item, since_ns);
  return 1;
}

int stock_change(struct stock *stock, const PB(TranslateResponse) * before, const PB(TranslateResponse) * after,
                 int64_t since_ns, size_t *ret_changes) {
  PB(NativeObject) **old = sorted(before), **new = sorted(after);
  struct pair pair;
  size_t changes = 0, b = 0, a = 0;
  int r = old && new ? 0 : -ENOMEM;

  (void)pthread_mutex_lock(&stock->lock);
  while (r == 0 && next_pair(old, new, &b, &a, &pair))
    if (!is_same(pair.before, pair.after) && !is_for_namespace(&pair) && !is_expected(stock, &pair))
      r = -ESTALE;
  a = b = 0;
  while (r == 0 && next_pair(old, new, &b, &a, &pair)) {
    if (is_same(pair.before, pair.after) || is_for_namespace(&pair))
      continue;
    int done = carry_out(stock, &pair, since_ns);
    changes += done > 0;
    r = done < 0 ? done : 0;
  }
  (void)pthread_mutex_unlock(&stock->lock);
  free(old);
  free(new);
  *ret_changes = changes;
  return r;
}

/* ---- what is there */

static bool is_applied_by(const json_t *object, const char *manager) {
  const json_t *list = json_object_get(json_object_get(object, "metadata"), "managedFields"), *entry;
  size_t i;

  json_array_foreach(list, i, entry) {
    const char *name = json_string_value(json_object_get(entry, "manager"));
    const char *operation = json_string_value(json_object_get(entry, "operation"));
    if (name && operation && strcmp(name, manager) == 0 && strcmp(operation, "Apply") == 0)
      return true;
  }
  return false;
}

/* The kinds in its list of sources. */
static unsigned kinds_of(const json_t *object) {
  const json_t *annotations = json_object_get(json_object_get(object, "metadata"), "annotations");
  const char *list = json_string_value(json_object_get(annotations, KUBE_SOURCES_ANNOTATION));
  unsigned kinds = 0;

  for (const char *source = list; source; source = strchr(source, ',') ? strchr(source, ',') + 1 : NULL)
    for (enum smi_kind kind = SMI_TRAFFIC_TARGET; kind <= SMI_IDENTITY_BINDING; kind++) {
      size_t length = strlen(smi_kind_name(kind));
      if (strncmp(source, smi_kind_name(kind), length) == 0 && source[length] == '/')
        kinds |= 1u << kind;
    }
  return kinds;
}

static bool fulfils(const struct item *item, const json_t *object) {
  json_auto_t *wanted = item->body ? json_loads(item->body, 0, NULL) : NULL;

  (void)json_object_del(wanted, "apiVersion"); /* of any version */
  return wanted && is_fulfilled(wanted, object);
}

int stock_see(struct stock *stock, const json_t *object, unsigned listing) {
  const struct cluster_place place = holdings_place(object);
  bool ours = cluster_owns(object) && is_applied_by(object, stock->manager);
  int r = 0;

  (void)pthread_mutex_lock(&stock->lock);
  struct item *item = ours ? item_of(stock, &place) : item_find(stock, &place);
  if (item) {
    item->there = true;
    item->ours = ours;
    item->fulfilled = ours && fulfils(item, object);
    item->listing = listing;
    item->kinds = kinds_of(object);
    review(stock, item, false);
  } else if (ours) {
    r = -ENOMEM;
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return r;
}

static void miss(struct stock *stock, struct item *item) {
  item->there = item->ours = item->fulfilled = false;
  review(stock, item, false);
}

void stock_miss(struct stock *stock, const json_t *object) {
  const struct cluster_place place = holdings_place(object);

  (void)pthread_mutex_lock(&stock->lock);
  struct item *item = item_find(stock, &place);
  if (item)
    miss(stock, item);
  (void)pthread_mutex_unlock(&stock->lock);
}

/* With a removal others move, at most back to a slot that is looked at again. */
void stock_sweep(struct stock *stock, const char *prefix, unsigned listing) {
  size_t length = strlen(prefix);

  (void)pthread_mutex_lock(&stock->lock);
  for (size_t i = 0; i < stock->items.capacity;) {
    struct item *item = (struct item *)stock->items.slots[i];
    if (item && item->there && item->listing != listing && !item->busy && strncmp(item->key, prefix, length) == 0) {
      miss(stock, item);
      continue;
    }
    i++;
  }
  (void)pthread_mutex_unlock(&stock->lock);
}

void stock_without(struct stock *stock, unsigned kinds) {
  (void)pthread_mutex_lock(&stock->lock);
  stock->without = kinds;
  for (size_t i = 0; i < stock->items.capacity; i++) {
    struct item *item = (struct item *)stock->items.slots[i];
    if (item && (item->body || item->there)) /* those are not forgotten now */
      review(stock, item, false);
  }
  (void)pthread_mutex_unlock(&stock->lock);
}

/* ---- jobs */

void stock_job_finish(struct stock_job *job) {
  free((void *)(uintptr_t)job->place.api_version);
  free((void *)(uintptr_t)job->place.kind);
  free((void *)(uintptr_t)job->place.ns);
  free((void *)(uintptr_t)job->place.name);
  json_decref(job->body);
  free(job->sources);
  *job = (struct stock_job){0};
}

void stock_allow(struct stock *stock, int64_t until_ns) {
  (void)pthread_mutex_lock(&stock->lock);
  stock->allowed_until_ns = until_ns;
  (void)pthread_cond_broadcast(&stock->changed);
  (void)pthread_mutex_unlock(&stock->lock);
}

/* Whether something else of its namespace comes first. */
static bool has_to_wait(const struct item *item) {
  const struct space *space = item->space;

  if (item->work == WORK_APPLY) {
    for (unsigned wave = 0; wave < item->wave; wave++)
      if (space->applying[wave] > 0)
        return true;
    return false;
  }
  if (space->untried > 0)
    return true;
  for (unsigned wave = item->wave + 1; wave < STOCK_WAVES; wave++)
    if (space->removing[wave] > 0)
      return true;
  return false;
}

/* The first one that may be begun; else when to look again is moved up. */
static struct item *find_in(struct queue *queue, int64_t now_ns, int64_t *wake_ns) {
  struct item *item;

  TAILQ_FOREACH(item, queue, link) {
    if (item->not_before_ns > now_ns) {
      *wake_ns = item->not_before_ns < *wake_ns ? item->not_before_ns : *wake_ns;
      continue;
    }
    if (!has_to_wait(item))
      return item;
  }
  return NULL;
}

static struct item *find_next(struct stock *stock, int64_t now_ns, int64_t *wake_ns) {
  struct item *item = NULL;

  if (stock->allowed_until_ns <= now_ns)
    return NULL;
  for (unsigned wave = 0; !item && wave < STOCK_WAVES; wave++)
    item = find_in(&stock->applying[wave], now_ns, wake_ns);
  for (unsigned wave = STOCK_WAVES; !item && wave-- > 0;)
    item = find_in(&stock->removing[wave], now_ns, wake_ns);
  return item;
}

static int make_job(const struct item *item, struct stock_job *job) {
  *job = (struct stock_job){.place = {.api_version = strdup(item->api_version),
                                      .kind = strdup(item->kind),
                                      .ns = strdup(item->ns),
                                      .name = strdup(item->name)},
                            .body = item->work == WORK_APPLY ? json_loads(item->body, 0, NULL) : NULL,
                            .sources = strdup(item->sources ? item->sources : ""),
                            .since_ns = item->since_ns,
                            .item = (void *)(uintptr_t)item};
  if (job->place.api_version && job->place.kind && job->place.ns && job->place.name && job->sources &&
      (job->body || item->work == WORK_REMOVE))
    return 1;
  stock_job_finish(job);
  return -ENOMEM;
}

int stock_next(struct stock *stock, int64_t wait_ns, struct stock_job *ret_job) {
  int64_t end_ns = clock_in_ns(wait_ns);
  struct item *item = NULL;
  int r = 0;

  (void)pthread_mutex_lock(&stock->lock);
  for (;;) {
    int64_t now_ns = clock_monotonic_ns(), wake_ns = end_ns;
    item = find_next(stock, now_ns, &wake_ns);
    if (item || now_ns >= end_ns)
      break;
    (void)condition_wait(&stock->lock, &stock->changed, wake_ns);
  }
  if (item && (r = make_job(item, ret_job)) > 0) {
    ret_job->until_ns = stock->allowed_until_ns;
    TAILQ_REMOVE(queue_of(stock, item), item, link);
    item->busy = true;
    if (item->work == WORK_APPLY)
      item->fulfilled = true; /* unless something is wanted otherwise, or seen, meanwhile */
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return r;
}

static int64_t pause_of(unsigned failures) {
  int64_t pause_ns = STOCK_PAUSE_LEAST_NS;

  for (unsigned i = 1; i < failures && pause_ns < STOCK_PAUSE_MOST_NS; i++)
    pause_ns *= 2;
  return pause_ns < STOCK_PAUSE_MOST_NS ? pause_ns : STOCK_PAUSE_MOST_NS;
}

/* Puts it back behind the others. */
static void put_off(struct stock *stock, struct item *item) {
  enum work work = item->work;
  unsigned failures = item->failures + 1;

  take_off(stock, item);
  item->failures = failures;
  item->not_before_ns = clock_in_ns(pause_of(failures));
  put_on(stock, item, work);
}

unsigned stock_done(struct stock *stock, struct stock_job *job, int r) {
  struct item *item = job->item;
  bool applied = job->body != NULL;
  unsigned failures = 0;

  (void)pthread_mutex_lock(&stock->lock);
  if (item->work != WORK_NONE)
    take_off(stock, item);
  item->busy = false;
  if (r == 0) {
    item->there = item->ours = applied;
    item->failures = 0;
  } else if (applied) {
    item->fulfilled = false;
  }
  enum work work = work_for(stock, item);
  bool again = r < 0 && work == (applied ? WORK_APPLY : WORK_REMOVE);
  if (again) {
    put_on(stock, item, work);
    put_off(stock, item);
    failures = item->failures;
  } else {
    review(stock, item, false);
  }
  (void)pthread_cond_broadcast(&stock->changed); /* others of the namespace may have waited for it */
  (void)pthread_mutex_unlock(&stock->lock);
  return failures;
}

struct stock_counts stock_count(struct stock *stock) {
  struct stock_counts counts = {0};

  (void)pthread_mutex_lock(&stock->lock);
  for (size_t i = 0; i < stock->items.capacity; i++) {
    const struct item *item = (const struct item *)stock->items.slots[i];
    if (!item)
      continue;
    counts.wanted += item->body != NULL;
    counts.there += item->there && item->ours;
    counts.pending += item->work != WORK_NONE;
    counts.failing += item->work != WORK_NONE && item->failures > 0;
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return counts;
}
