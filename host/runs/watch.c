/* Who follows a run: from what this host carries out, or page by page from the store. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/runs/internal.h"
#include "sdk/base/clock.h"

#define PAGE 100 /* events of one question to the store */
/* How often one that waits for an event looks whether it is to give up, and asks for what another host carries out. */
#define POLL_MS 250

struct runs_watch {
  struct runs *runs;
  struct run *run; /* NULL: from the store */
  char id[RUN_ID_SIZE];
  uint64_t after;
  struct store_event *page;
  size_t count, at;
};

static int check_after(const struct runs_watch *watch, bool over, size_t count, struct error **err) {
  return over && watch->after > count ? error_set(err, EINVAL, "run %s has %zu events, there is none after %llu",
                                                  watch->id, count, (unsigned long long)watch->after)
                                      : 0;
}

static int open_kept(struct runs_watch *watch, struct error **err) {
  struct run_view view = {0};
  int r = runs_get(watch->runs, watch->id, &view, err);
  if (r < 0)
    return r;
  run_view_finish(&view);
  return check_after(watch, view.state >= RUN_ENDED, view.last_sequence, err);
}

/* Whether this host carries it out. */
static bool open_live(struct runs_watch *watch, int *ret_result, struct error **err) {
  pthread_mutex_lock(&watch->runs->lock);
  struct run *run = runs_find(watch->runs, watch->id);
  if (run)
    *ret_result = check_after(watch, run_is_over(run), run->event_count, err);
  if (run && *ret_result == 0) {
    run->watchers++;
    watch->run = run;
  }
  pthread_mutex_unlock(&watch->runs->lock);
  return run != NULL;
}

int runs_watch_open(struct runs *runs, const char *id, uint64_t after, struct runs_watch **ret_watch,
                    struct error **err) {
  if (strlen(id) >= RUN_ID_SIZE)
    return runs_unknown(id, err);
  struct runs_watch *watch = calloc(1, sizeof(*watch));
  if (!watch)
    return error_set(err, ENOMEM, "no memory");
  watch->runs = runs;
  watch->after = after;
  (void)snprintf(watch->id, sizeof(watch->id), "%s", id);
  int r = 0;
  if (!open_live(watch, &r, err))
    r = open_kept(watch, err);
  if (r < 0)
    free(watch);
  else
    *ret_watch = watch;
  return r;
}

void runs_watch_close(struct runs_watch *watch) {
  if (!watch)
    return;
  if (watch->run) {
    pthread_mutex_lock(&watch->runs->lock);
    watch->run->watchers--;
    pthread_mutex_unlock(&watch->runs->lock);
    runs_wake(watch->runs); /* which lets it go */
  }
  store_events_free(watch->page, watch->count);
  free(watch);
}

/* ---- what this host carries out */

static void wait_a_little(struct runs *runs) {
  int64_t until_ns = clock_in_ns(POLL_MS * NS_PER_MS);
  const struct timespec until = {.tv_sec = until_ns / NS_PER_SECOND, .tv_nsec = until_ns % NS_PER_SECOND};
  (void)pthread_cond_timedwait(&runs->changed, &runs->lock, &until);
}

/* With the lock held. */
static int next_live(struct runs_watch *watch, const atomic_bool *cancel, char **ret_text, struct error **err) {
  const struct run *run = watch->run;
  while (watch->after >= run->event_count && !run_is_over(run)) {
    if (atomic_load(cancel))
      return -ECANCELED;
    if (watch->runs->over)
      return error_set(err, ESHUTDOWN, "the host has stopped, and run %s is not known to have ended", run->id);
    wait_a_little(watch->runs);
  }
  size_t count = run->event_count;
  if (watch->after == count)
    return 0;
  if (watch->after > count)
    return check_after(watch, true, count, err);
  *ret_text = strdup(run->events[watch->after]);
  return *ret_text ? 1 : error_set(err, ENOMEM, "no memory");
}

/* ---- what is kept */

/* Whether more events may come, and a page of those that are there. */
static int turn_page(struct runs_watch *watch, bool *ret_over, struct error **err) {
  struct run_view view = {0};
  int r = runs_get(watch->runs, watch->id, &view, err);
  if (r < 0)
    return r;
  run_view_finish(&view);
  *ret_over = view.state >= RUN_ENDED;
  store_events_free(watch->page, watch->count);
  watch->page = NULL;
  watch->count = watch->at = 0;
  return store_event_list(watch->runs->options.store, watch->id, watch->after, PAGE, &watch->page, &watch->count, err);
}

static int next_kept(struct runs_watch *watch, const atomic_bool *cancel, char **ret_text, struct error **err) {
  bool over = false;
  while (watch->at == watch->count) {
    int r = turn_page(watch, &over, err);
    if (r < 0 || (watch->count == 0 && over))
      return r;
    if (watch->count == 0)
      (void)poll(NULL, 0, POLL_MS);
    if (atomic_load(cancel))
      return -ECANCELED;
  }
  struct store_event *event = &watch->page[watch->at++];
  *ret_text = take(event->text);
  return 1;
}

int runs_watch_next(struct runs_watch *watch, const atomic_bool *cancel, json_t **ret_event, uint64_t *ret_sequence,
                    struct error **err) {
  _cleanup_free_ char *text = NULL;
  int r = 0;
  if (watch->run) {
    pthread_mutex_lock(&watch->runs->lock);
    r = next_live(watch, cancel, &text, err);
    pthread_mutex_unlock(&watch->runs->lock);
  } else {
    r = next_kept(watch, cancel, &text, err);
  }
  if (r != 1)
    return r;
  *ret_sequence = ++watch->after;
  *ret_event = json_loads(text, 0, NULL);
  return *ret_event
             ? 1
             : error_set(err, EIO, "event %llu of run %s is no JSON", (unsigned long long)watch->after, watch->id);
}
