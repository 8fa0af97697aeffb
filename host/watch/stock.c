#include "host/watch/stock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/fulfilment.h"
#include "host/engine/holdings.h"
#include "host/engine/managers.h"
#include "host/watch/condition.h"
#include "host/watch/marks.h"
#include "host/watch/stock_internal.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

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

struct item *stock_item_find(const struct stock *stock, const struct cluster_place *place) {
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

struct item *stock_item_of(struct stock *stock, const struct cluster_place *place) {
  struct item *item = stock_item_find(stock, place);

  return item ? item : item_new(stock, place);
}

/* ---- what is to be done */

enum backlog_work stock_work_for(const struct stock *stock, const struct item *item) {
  if (item->body)
    return item->there && item->ours && item->fulfilled ? BACKLOG_NONE : BACKLOG_APPLY;
  return item->there && item->ours && !(item->kinds & stock->without) ? BACKLOG_REMOVE : BACKLOG_NONE;
}

bool item_is_there(const struct item *item) {
  return item->there && item->ours;
}

void stock_review(struct stock *stock, struct item *item, bool anew) {
  struct task *task = &item->task;
  enum backlog_work work = stock_work_for(stock, item);

  if (work != task->work || anew) {
    backlog_put(&stock->backlog, task, BACKLOG_NONE, false);
    backlog_forgive(task);
  }
  if (work != task->work || (work != BACKLOG_NONE && item_is_there(item) != task->standing)) {
    backlog_put(&stock->backlog, task, work, item_is_there(item));
    (void)pthread_cond_signal(&stock->changed);
  }
  if (work == BACKLOG_NONE && !item->body && !item->there && !task->busy) {
    table_remove(&stock->items, item);
    item_free(stock, item);
  }
}

int item_note_content(struct item *item, const json_t *object) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  marks_content(object, &key);
  return strbuf_failed(&key) ? -ENOMEM : backlog_describe_content(&item->task, strbuf_text(&key));
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
  int r = item_note_content(item, object);
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
  struct item *item = ours ? stock_item_of(stock, &place) : stock_item_find(stock, &place);
  if (item) {
    item->there = true;
    item->ours = ours;
    item->fulfilled = ours && fulfils(stock, item, object);
    item->listing = listing;
    item->kinds = marks_kinds(marks_sources(object));
    r = note_marks(stock, item, object);
    stock_review(stock, item, false);
  } else if (ours) {
    r = -ENOMEM;
  }
  (void)pthread_mutex_unlock(&stock->lock);
  return r;
}

/* What failed was about the one that was there. */
static void miss(struct stock *stock, struct item *item) {
  bool gone = item->there;

  item->there = item->ours = item->fulfilled = false;
  stock_review(stock, item, gone);
}

void stock_miss(struct stock *stock, const json_t *object) {
  const struct cluster_place place = holdings_place(object);

  (void)pthread_mutex_lock(&stock->lock);
  struct item *item = stock_item_find(stock, &place);
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
      stock_review(stock, item, false);
  }
  (void)pthread_mutex_unlock(&stock->lock);
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
