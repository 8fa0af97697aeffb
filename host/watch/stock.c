#include "host/watch/stock.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/fulfilment.h"
#include "host/engine/holdings.h"
#include "host/engine/managers.h"
#include "host/watch/backlog.h"
#include "host/watch/condition.h"
#include "host/watch/contest.h"
#include "host/watch/difference.h"
#include "host/watch/marks.h"
#include "host/watch/table.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"
#include "sdk/smi/model.h"

#define PB(name) Trammel__Adapter__V1__##name

struct item {
  char *key; /* holdings_key() */
  char *api_version, *kind, *ns, *name;
  char *body;    /* as it is wanted; NULL: it is not */
  char *sources; /* of `body`, else of the object that is there */
  unsigned round;
  int64_t since_ns;

  bool there, ours, fulfilled; /* on the cluster */
  unsigned listing;
  unsigned kinds; /* of SMI that it came from, as bits */
  struct contest contest;

  struct task task;
};

struct stock {
  struct managers_view view;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct table items;
  struct backlog backlog;
  int64_t allowed_until_ns;
  unsigned without; /* kinds of SMI, as bits */
  unsigned round;
};

/* ---- from the beginning to the end */

static void item_free(struct stock *stock, struct item *item) {
  backlog_leave(&stock->backlog, &item->task);
  free(item->key);
  free(item->api_version);
  free(item->kind);
  free(item->ns);
  free(item->name);
  free(item->body);
  free(item->sources);
  free(item);
}

int stock_create(const struct managers_view *view, struct stock **ret_stock, struct error **err) {
  struct stock *stock = calloc(1, sizeof(*stock));

  if (!stock || condition_init(&stock->lock, &stock->changed, NULL) < 0) {
    free(stock);
    return error_set(err, ENOMEM, "out of memory for objects");
  }
  stock->view = *view;
  backlog_init(&stock->backlog);
  *ret_stock = stock;
  return 0;
}

void stock_destroy(struct stock *stock) {
  if (!stock)
    return;
  for (size_t i = 0; i < stock->items.capacity; i++)
    if (stock->items.slots[i])
      item_free(stock, (struct item *)stock->items.slots[i]);
  table_finish(&stock->items);
  backlog_finish(&stock->backlog);
  condition_finish(&stock->lock, &stock->changed);
  free(stock);
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
  item->sources = strdup("");
  if (item->key && item->api_version && item->kind && item->ns && item->name && item->sources &&
      backlog_join(&stock->backlog, &item->task, item->ns) == 0 && table_put(&stock->items, item) == 0)
    return item;
  item_free(stock, item);
  return NULL;
}

static struct item *item_of(struct stock *stock, const struct cluster_place *place) {
  struct item *item = item_find(stock, place);

  return item ? item : item_new(stock, place);
}

/* ---- what is to be done */

static enum backlog_work work_for(const struct stock *stock, const struct item *item) {
  if (item->body)
    return item->there && item->ours && item->fulfilled ? BACKLOG_NONE : BACKLOG_APPLY;
  return item->there && item->ours && !(item->kinds & stock->without) ? BACKLOG_REMOVE : BACKLOG_NONE;
}

static bool is_there(const struct item *item) {
  return item->there && item->ours;
}

/* After something about it has changed. With `anew` what failed before says nothing about what is to be done now. An
 * item that is neither wanted nor there is forgotten. */
static void review(struct stock *stock, struct item *item, bool anew) {
  struct task *task = &item->task;
  enum backlog_work work = work_for(stock, item);

  if (work != task->work || anew) {
    backlog_put(&stock->backlog, task, BACKLOG_NONE, false);
    backlog_forgive(task);
  }
  if (work != task->work || (work != BACKLOG_NONE && is_there(item) != task->standing)) {
    backlog_put(&stock->backlog, task, work, is_there(item));
    (void)pthread_cond_signal(&stock->changed);
  }
  if (work == BACKLOG_NONE && !item->body && !item->there && !task->busy) {
    table_remove(&stock->items, item);
    item_free(stock, item);
  }
}

/* What an object says. Of one that has no work. */
static int note_content(struct item *item, const json_t *object) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  marks_content(object, &key);
  return strbuf_failed(&key) ? -ENOMEM : backlog_describe_content(&item->task, strbuf_text(&key));
}

static int note_body(struct item *item, const char *body) {
  json_auto_t *object = json_loads(body, 0, NULL);

  return object ? note_content(item, object) : -ENOMEM;
}

/* ---- what is wanted */

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
  backlog_put(&stock->backlog, &item->task, BACKLOG_NONE, false);
  if (note_body(item, body) < 0 ||
      backlog_describe(&item->task, object->wave, sources, is_there(item) || item->task.busy) < 0) {
    review(stock, item, false);
    free(body);
    free(sources);
    free(version);
    return -ENOMEM;
  }
  free(item->body);
  free(item->sources);
  free(item->api_version);
  item->body = body;
  item->sources = sources;
  item->api_version = version;
  item->since_ns = since_ns;
  item->fulfilled = false;
  review(stock, item, true);
  return 1;
}

static void want_no_more(struct stock *stock, struct item *item, int64_t since_ns) {
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

/* Whether what is wanted is what these resources alone came to. */
static bool is_expected(const struct stock *stock, const struct difference_pair *pair) {
  const struct cluster_place place = place_of(pair->before ? pair->before : pair->after);
  const struct item *item = item_find(stock, &place);

  return pair->before ? is_body(item, pair->before) : !item || !item->body || is_body(item, pair->after);
}

static int carry_out(struct stock *stock, const struct difference_pair *pair, int64_t since_ns) {
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
  struct difference difference;
  struct difference_pair pair;
  size_t changes = 0;

  int r = difference_init(&difference, before, after);
  bool found = r == 0;
  (void)pthread_mutex_lock(&stock->lock);
  while (found && difference_next(&difference, &pair))
    if (!is_expected(stock, &pair))
      r = -ESTALE;
  while (r == 0 && difference_next(&difference, &pair)) {
    int done = carry_out(stock, &pair, since_ns);
    changes += done > 0;
    r = done < 0 ? done : 0;
  }
  (void)pthread_mutex_unlock(&stock->lock);
  difference_finish(&difference);
  *ret_changes = changes;
  return r;
}

/* ---- what is there */

/* Of an object that is not wanted it is only known from itself what it came from, and in which wave. */
static int note_marks(struct stock *stock, struct item *item, const json_t *object) {
  const char *sources = marks_sources(object);
  unsigned wave = marks_wave(object, BACKLOG_WAVES, item->task.wave);

  if (item->body || (strcmp(item->sources, sources) == 0 && wave == item->task.wave && item->task.content))
    return 0;
  char *copy = strdup(sources);
  if (!copy)
    return -ENOMEM;
  backlog_put(&stock->backlog, &item->task, BACKLOG_NONE, false);
  int r = note_content(item, object);
  r = r < 0 ? r : backlog_describe(&item->task, wave, copy, false);
  free(r < 0 ? copy : item->sources);
  if (r == 0)
    item->sources = copy;
  return r;
}

static bool fulfils(const struct stock *stock, const struct item *item, const json_t *object) {
  json_auto_t *wanted = item->body ? json_loads(item->body, 0, NULL) : NULL;

  (void)json_object_del(wanted, "apiVersion"); /* of any version */
  return wanted && is_fulfilled(wanted, object) && !managers_touched(object, wanted, &stock->view);
}

int stock_see(struct stock *stock, const json_t *object, unsigned listing) {
  const struct cluster_place place = holdings_place(object);
  bool ours = cluster_owns(object) && managers_applied(object, stock->view.manager);
  int r = 0;

  (void)pthread_mutex_lock(&stock->lock);
  struct item *item = ours ? item_of(stock, &place) : item_find(stock, &place);
  if (item) {
    item->there = true;
    item->ours = ours;
    item->fulfilled = ours && fulfils(stock, item, object);
    item->listing = listing;
    item->kinds = marks_kinds(marks_sources(object));
    r = note_marks(stock, item, object);
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
    if (item && item->there && item->listing != listing && !item->task.busy &&
        strncmp(item->key, prefix, length) == 0) {
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

static struct item *find_next(struct stock *stock, int64_t now_ns, int64_t *wake_ns) {
  struct task *task = stock->allowed_until_ns > now_ns ? backlog_find(&stock->backlog, now_ns, wake_ns) : NULL;

  return task ? (struct item *)(void *)((char *)task - offsetof(struct item, task)) : NULL;
}

static int make_job(const struct item *item, struct stock_job *job) {
  *job = (struct stock_job){.place = {.api_version = strdup(item->api_version),
                                      .kind = strdup(item->kind),
                                      .ns = strdup(item->ns),
                                      .name = strdup(item->name)},
                            .body = item->task.work == BACKLOG_APPLY ? json_loads(item->body, 0, NULL) : NULL,
                            .sources = strdup(item->sources),
                            .since_ns = item->since_ns,
                            .undo = contest_allows(&item->contest, clock_monotonic_ns()),
                            .item = (void *)(uintptr_t)item};
  if (job->place.api_version && job->place.kind && job->place.ns && job->place.name && job->sources &&
      (item->task.work == BACKLOG_REMOVE || (job->body && marks_set_wave(job->body, item->task.wave) == 0)))
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
    backlog_begin(&stock->backlog, &item->task);
    if (item->task.work == BACKLOG_APPLY)
      item->fulfilled = true; /* unless something is wanted otherwise, or seen, meanwhile */
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return r;
}

unsigned stock_done(struct stock *stock, struct stock_job *job, int r) {
  struct item *item = job->item;
  bool applied = job->body != NULL;
  unsigned failures = 0;

  (void)pthread_mutex_lock(&stock->lock);
  backlog_end(&stock->backlog, &item->task);
  if (job->undone)
    contest_note(&item->contest, clock_monotonic_ns());
  if (r == 0) {
    item->there = item->ours = applied;
    backlog_forgive(&item->task);
    if (item->fulfilled) /* else it was changed meanwhile */
      backlog_settle(&item->task);
  } else if (applied) {
    item->fulfilled = false;
  }
  enum backlog_work work = work_for(stock, item);
  if (r < 0 && work == (applied ? BACKLOG_APPLY : BACKLOG_REMOVE))
    failures = backlog_put_off(&stock->backlog, &item->task, work, is_there(item), r == -EBUSY);
  else
    review(stock, item, false);
  (void)pthread_cond_broadcast(&stock->changed); /* others of the namespace may have waited for it */
  (void)pthread_mutex_unlock(&stock->lock);
  return failures;
}

struct stock_counts stock_count(struct stock *stock) {
  struct stock_counts counts = {0};
  int64_t now_ns = clock_monotonic_ns();

  (void)pthread_mutex_lock(&stock->lock);
  counts.namespaces = stock->backlog.spaces.count;
  for (size_t i = 0; i < stock->items.capacity; i++) {
    const struct item *item = (const struct item *)stock->items.slots[i];
    if (!item)
      continue;
    counts.wanted += item->body != NULL;
    counts.there += item->there && item->ours;
    counts.pending += item->task.work != BACKLOG_NONE;
    counts.failing += item->task.work != BACKLOG_NONE && item->task.failures > 0;
    counts.contested += item->task.work == BACKLOG_APPLY && !contest_allows(&item->contest, now_ns);
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return counts;
}
