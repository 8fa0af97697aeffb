#include <errno.h>
#include <inttypes.h>

#include "host/store/store_internal.h"
#include "sdk/base/clock.h"

struct event_add {
  const char *run;
  const struct store_happening *happenings;
  size_t count;
  int64_t last;
};

int event_append(struct sql *sql, const char *run, const char *text, int64_t sequence, struct error **err) {
  if (sequence > STORE_EVENTS_MAX)
    return error_set(err, E2BIG, "run %s has %d events already: no more are kept", run, STORE_EVENTS_MAX);
  const struct store_event event = {
      .sequence = (uint64_t)sequence, .at_ns = clock_realtime_ns(), .text = (char *)(uintptr_t)text};
  return event_insert(sql, run, &event, err);
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  struct event_add *add = ctx;
  const struct sql_value counted[] = {SQL_VALUE_INTEGER((int64_t)add->count), sql_text(add->run),
                                      SQL_VALUE_INTEGER(STORE_RUNNING)};
  add->last = 0;
  int r = sql->driver->run(sql,
                           "UPDATE runs SET event_count = event_count + $1 WHERE id = $2 AND state = $3"
                           " RETURNING event_count",
                           counted, ARRAY_COUNT(counted), row_integer, &add->last, NULL, err);
  if (r == 0 && add->last == 0)
    r = run_expect(sql, add->run, 0, err);
  int64_t sequence = add->last - (int64_t)add->count;
  for (size_t i = 0; r == 0 && i < add->count; i++) {
    r = event_append(sql, add->run, add->happenings[i].text, ++sequence, err);
    if (r == 0 && add->happenings[i].result)
      r = result_insert(sql, add->run, add->happenings[i].result, err);
  }
  return r;
}

int event_insert(struct sql *sql, const char *run, const struct store_event *event, struct error **err) {
  const struct sql_value values[] = {sql_text(run), SQL_VALUE_INTEGER((int64_t)event->sequence),
                                     SQL_VALUE_INTEGER(event->at_ns), sql_text(event->text)};
  int r = store_check(event->text, STORE_TEXT_MAX, "an event", err);
  return r < 0 ? r
               : sql->driver->run(sql, "INSERT INTO events (run, sequence, at_ns, text) VALUES ($1, $2, $3, $4)",
                                  values, ARRAY_COUNT(values), NULL, NULL, NULL, err);
}

int store_events_add(struct store *store, const char *run, const struct store_happening *happenings, size_t count,
                     uint64_t *ret_last, struct error **err) {
  struct event_add add = {.run = run, .happenings = happenings, .count = count};
  if (count == 0 || count > STORE_PAGE_MAX)
    return error_set(err, EINVAL, "%zu events at once: 1 to %d can be added", count, STORE_PAGE_MAX);
  int r = store_check(run, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_write(store, add_work, &add, err);
  if (r == 0 && ret_last)
    *ret_last = (uint64_t)add.last;
  return r;
}

int store_event_add(struct store *store, const char *run, const char *text, uint64_t *ret_sequence,
                    struct error **err) {
  const struct store_happening happening = {.text = text};
  return store_events_add(store, run, &happening, 1, ret_sequence, err);
}

void store_events_free(struct store_event *events, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(events[i].text);
  free(events);
}

struct event_list {
  const char *run;
  uint64_t after;
  size_t limit;
  struct store_event *events;
  size_t count;
  size_t capacity;
};

static int take_event(void *ctx, const struct sql_value *values, size_t count) {
  struct event_list *list = ctx;
  if (count != 3)
    return -EIO;
  int r = array_reserve((void **)&list->events, &list->capacity, list->count, sizeof(*list->events));
  if (r < 0)
    return r;
  struct store_event *event = &list->events[list->count];
  *event = (struct store_event){.sequence = (uint64_t)values[0].integer, .at_ns = values[1].integer};
  r = column_text(&values[2], &event->text);
  if (r == 0)
    list->count++;
  return r;
}

static void start_over(struct event_list *list) {
  store_events_free(list->events, list->count);
  list->events = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct event_list *list = ctx;
  const struct sql_value values[] = {sql_text(list->run),
                                     SQL_VALUE_INTEGER(list->after > INT64_MAX ? INT64_MAX : (int64_t)list->after),
                                     SQL_VALUE_INTEGER((int64_t)list->limit)};
  start_over(list);
  return sql->driver->run(sql,
                          "SELECT sequence, at_ns, text FROM events WHERE run = $1 AND sequence > $2"
                          " ORDER BY sequence LIMIT $3",
                          values, ARRAY_COUNT(values), take_event, list, NULL, err);
}

int store_event_list(struct store *store, const char *run, uint64_t after, size_t limit,
                     struct store_event **ret_events, size_t *ret_count, struct error **err) {
  struct event_list list = {.run = run, .after = after, .limit = limit};
  int r = store_check(run, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_check_limit(limit, err);
  if (r == 0)
    r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_events = list.events;
  *ret_count = list.count;
  return 0;
}
