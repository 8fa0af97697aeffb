/* What is wanted of a stock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/watch/difference.h"
#include "host/watch/stock_internal.h"
#include "sdk/base/strbuf.h"

#define PB(name) Trammel__Adapter__V1__##name

static int note_body(struct item *item, const char *body) {
  json_auto_t *object = json_loads(body, 0, NULL);

  return object ? item_note_content(item, object) : -ENOMEM;
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
  struct item *item = stock_item_of(stock, &place);

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
      backlog_describe(&item->task, object->wave, sources, item_is_there(item) || item->task.busy) < 0) {
    stock_review(stock, item, false);
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
  stock_review(stock, item, true);
  return 1;
}

static void want_no_more(struct stock *stock, struct item *item, int64_t since_ns) {
  free(take(item->body));
  item->since_ns = since_ns;
  item->fulfilled = false;
  stock_review(stock, item, true);
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
  const struct item *item = stock_item_find(stock, &place);

  return pair->before ? is_body(item, pair->before) : !item || !item->body || is_body(item, pair->after);
}

static int carry_out(struct stock *stock, const struct difference_pair *pair, int64_t since_ns) {
  if (pair->after)
    return want(stock, pair->after, since_ns);
  const struct cluster_place place = place_of(pair->before);
  struct item *item = stock_item_find(stock, &place);
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
