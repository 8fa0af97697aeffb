#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/store/store_internal.h"
#include "sdk/base/clock.h"

#define COLUMNS                                                                                                        \
  "id, kind, mesh, subject, who, command, summary, owner, state, seed, created_ns, started_ns, finished_ns, "          \
  "event_count"
#define COLUMN_COUNT 14

static const char *const states[] = {
    [STORE_QUEUED] = "queued",           [STORE_RUNNING] = "running", [STORE_FINISHED] = "finished",
    [STORE_INTERRUPTED] = "interrupted", [STORE_FAILED] = "failed",   [STORE_CANCELLED] = "cancelled"};

const char *store_state_name(enum store_state state) {
  return (size_t)state < ARRAY_COUNT(states) ? states[state] : NULL;
}

int store_state_parse(const char *name, enum store_state *ret_state) {
  for (size_t i = STORE_QUEUED; i < ARRAY_COUNT(states); i++)
    if (strcmp(states[i], name) == 0) {
      *ret_state = (enum store_state)i;
      return 0;
    }
  return -EINVAL;
}

void store_run_finish(struct store_run *run) {
  free(run->id);
  free(run->kind);
  free(run->mesh);
  free(run->subject);
  free(run->who);
  free(run->command);
  free(run->summary);
  free(run->owner);
  *run = (struct store_run){0};
}

void store_runs_free(struct store_run *runs, size_t count) {
  for (size_t i = 0; i < count; i++)
    store_run_finish(&runs[i]);
  free(runs);
}

struct run_list {
  const struct store_filter *filter;
  struct store_run *runs;
  size_t count;
  size_t capacity;
};

static int take_run(void *ctx, const struct sql_value *values, size_t count) {
  struct run_list *list = ctx;
  if (count != COLUMN_COUNT)
    return -EIO;
  int r = array_reserve((void **)&list->runs, &list->capacity, list->count, sizeof(*list->runs));
  if (r < 0)
    return r;
  struct store_run *run = &list->runs[list->count++];
  *run = (struct store_run){0};
  char **const texts[] = {&run->id,  &run->kind,    &run->mesh,    &run->subject,
                          &run->who, &run->command, &run->summary, &run->owner};
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    if ((r = column_text(&values[i], texts[i])) < 0)
      return r;
  run->state = (enum store_state)values[8].integer;
  run->seed = (uint64_t)values[9].integer;
  run->created_ns = values[10].integer;
  run->started_ns = values[11].integer;
  run->finished_ns = values[12].integer;
  run->event_count = (uint64_t)values[13].integer;
  return 0;
}

/* ---- writing */

static int check_names(const struct store_run *run, struct error **err) {
  const struct {
    const char *text;
    size_t limit;
    const char *what;
  } checks[] = {
      {run->id, STORE_NAME_MAX, "a run's id"},           {run->kind, STORE_NAME_MAX, "a run's kind"},
      {run->mesh, STORE_NAME_MAX, "a mesh's name"},      {run->subject, STORE_NAME_MAX, "a suite's name"},
      {run->who, STORE_NAME_MAX, "a user's name"},       {run->command, STORE_TEXT_MAX, "a run's command"},
      {run->summary, STORE_TEXT_MAX, "a run's summary"}, {run->owner, STORE_NAME_MAX, "a run's owner"},
  };
  if (!run->id || !run->id[0])
    return error_set(err, EINVAL, "a run without an id");
  for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
    int r = store_check(checks[i].text, checks[i].limit, checks[i].what, err);
    if (r < 0)
      return r;
  }
  return 0;
}

int run_insert(struct sql *sql, const struct store_run *run, struct error **err) {
  const struct sql_value values[COLUMN_COUNT] = {
      sql_text(run->id),
      sql_text(run->kind),
      sql_text(run->mesh),
      sql_text(run->subject),
      sql_text(run->who),
      sql_text(run->command),
      sql_text(run->summary),
      sql_text(run->owner),
      SQL_VALUE_INTEGER(run->state),
      SQL_VALUE_INTEGER((int64_t)run->seed),
      SQL_VALUE_INTEGER(run->created_ns),
      SQL_VALUE_INTEGER(run->started_ns),
      SQL_VALUE_INTEGER(run->finished_ns),
      SQL_VALUE_INTEGER((int64_t)run->event_count),
  };
  int r = check_names(run, err);
  if (r < 0)
    return r;
  int64_t added = 0;
  r = sql->driver->run(sql,
                       "INSERT INTO runs (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                       " $14) ON CONFLICT DO NOTHING",
                       values, COLUMN_COUNT, NULL, NULL, &added, err);
  if (r == 0 && added == 0)
    return error_set(err, EEXIST, "run %s is kept already", run->id);
  return r;
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  return run_insert(sql, ctx, err);
}

int store_run_add(struct store *store, const struct store_run *run, struct error **err) {
  if (!store_owner(store))
    return error_set(err, EPERM, "the store was opened without an owner");
  struct store_run row = *run;
  row.summary = NULL;
  row.owner = (char *)store_owner(store);
  row.state = STORE_QUEUED;
  if (row.created_ns == 0)
    row.created_ns = clock_realtime_ns();
  row.started_ns = row.finished_ns = 0;
  row.event_count = 0;
  return store_write(store, add_work, &row, err);
}

int run_expect(struct sql *sql, const char *id, unsigned wanted, struct error **err) {
  const struct sql_value value = sql_text(id);
  int64_t state = 0;
  int r = sql->driver->run(sql, "SELECT state FROM runs WHERE id = $1", &value, 1, row_integer, &state, NULL, err);
  if (r < 0)
    return r;
  if (state == 0)
    return error_set(err, ENOENT, "no run %s is kept", id);
  if (state < 0 || state > STORE_CANCELLED || !(wanted & 1u << state))
    return error_set(err, EALREADY, "run %s is %s", id,
                     store_state_name((enum store_state)state) ? store_state_name((enum store_state)state) : "unknown");
  return 0;
}

static int start_work(struct sql *sql, void *ctx, struct error **err) {
  const char *id = ctx;
  const struct sql_value values[] = {SQL_VALUE_INTEGER(STORE_RUNNING), SQL_VALUE_INTEGER(clock_realtime_ns()),
                                     sql_text(id), SQL_VALUE_INTEGER(STORE_QUEUED)};
  int64_t changed = 0;
  int r = sql->driver->run(sql, "UPDATE runs SET state = $1, started_ns = $2 WHERE id = $3 AND state = $4", values,
                           ARRAY_COUNT(values), NULL, NULL, &changed, err);
  return r < 0 || changed > 0 ? r : run_expect(sql, id, RUN_QUEUED, err);
}

int store_run_start(struct store *store, const char *id, struct error **err) {
  int r = store_check(id, STORE_NAME_MAX, "a run's id", err);
  return r < 0 ? r : store_write(store, start_work, (char *)(uintptr_t)id, err);
}

struct run_end {
  const char *id;
  enum store_state state;
  const char *summary;
  const char *event; /* NULL: none */
  const char *data;  /* compressed; NULL: no report */
  size_t data_length;
  size_t length;
};

int report_insert(struct sql *sql, const char *id, const char *data, size_t data_length, size_t length,
                  struct error **err) {
  const struct sql_value values[] = {
      sql_text(id), SQL_VALUE_INTEGER((int64_t)length), {.kind = SQL_BYTES, .data = data, .length = data_length}};
  return sql->driver->run(sql, "INSERT INTO reports (run, length, data) VALUES ($1, $2, $3)", values,
                          ARRAY_COUNT(values), NULL, NULL, NULL, err);
}

static int end_work(struct sql *sql, void *ctx, struct error **err) {
  const struct run_end *end = ctx;
  const struct sql_value values[] = {SQL_VALUE_INTEGER(end->state), SQL_VALUE_INTEGER(clock_realtime_ns()),
                                     sql_text(end->summary), sql_text(end->id), SQL_VALUE_INTEGER(end->event ? 1 : 0)};
  int64_t events = -1;
  int r = sql->driver->run(sql,
                           "UPDATE runs SET state = $1, finished_ns = $2, summary = $3, event_count = event_count + $5"
                           " WHERE id = $4 AND state IN " RUN_OPEN " RETURNING event_count",
                           values, ARRAY_COUNT(values), row_integer, &events, NULL, err);
  if (r == 0 && events < 0)
    r = run_expect(sql, end->id, RUN_QUEUED | RUN_RUNNING, err);
  if (r == 0 && end->event)
    r = event_append(sql, end->id, end->event, events, err);
  return r < 0 || !end->data ? r : report_insert(sql, end->id, end->data, end->data_length, end->length, err);
}

struct completion {
  const char *id, *owner, *summary, *event;
};

static int complete_work(struct sql *sql, void *ctx, struct error **err) {
  const struct completion *completion = ctx;
  const struct sql_value values[] = {sql_text(completion->summary), sql_text(completion->id),
                                     SQL_VALUE_INTEGER(STORE_INTERRUPTED), sql_text(completion->owner)};
  int64_t events = -1;
  int r = sql->driver->run(sql,
                           "UPDATE runs SET summary = $1, event_count = event_count + 1"
                           " WHERE id = $2 AND state = $3 AND owner = $4 AND summary = '' RETURNING event_count",
                           values, ARRAY_COUNT(values), row_integer, &events, NULL, err);
  if (r == 0 && events < 0)
    r = run_expect(sql, completion->id, 0, err);
  return r < 0 ? r : event_append(sql, completion->id, completion->event, events, err);
}

int store_run_complete(struct store *store, const char *id, const char *summary, const char *event,
                       struct error **err) {
  struct completion completion = {.id = id, .owner = store_owner(store), .summary = summary, .event = event};
  if (!summary || !*summary || !event)
    return error_set(err, EINVAL, "what completes a run is a summary and an event");
  int r = store_check(id, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_check(summary, STORE_TEXT_MAX, "a run's summary", err);
  return r < 0 ? r : store_write(store, complete_work, &completion, err);
}

int report_compress(const void *report, size_t length, char **ret_data, size_t *ret_length, struct error **err) {
  if (length > STORE_REPORT_MAX)
    return error_set(err, E2BIG, "a report of %zu bytes: at most %zu are kept", length, STORE_REPORT_MAX);
  uLongf room = compressBound(length);
  char *data = malloc(room);
  if (!data || compress2((Bytef *)data, &room, report, length, Z_DEFAULT_COMPRESSION) != Z_OK) {
    free(data);
    return error_set(err, ENOMEM, "compressing a report: no memory");
  }
  *ret_data = data;
  *ret_length = room;
  return 0;
}

int store_run_end(struct store *store, const char *id, enum store_state state, const char *summary, const char *event,
                  const void *report, size_t report_length, struct error **err) {
  _cleanup_free_ char *data = NULL;
  struct run_end end = {.id = id, .state = state, .summary = summary, .event = event, .length = report_length};
  if (state < STORE_FINISHED || state > STORE_CANCELLED)
    return error_set(err, EINVAL, "a run does not end as %s", store_state_name(state) ? store_state_name(state) : "?");
  int r = store_check(id, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_check(summary, STORE_TEXT_MAX, "a run's summary", err);
  if (r == 0 && report)
    r = report_compress(report, report_length, &data, &end.data_length, err);
  if (r < 0)
    return r;
  end.data = data;
  return store_write(store, end_work, &end, err);
}

/* ---- reading */

static void start_over(struct run_list *list) {
  store_runs_free(list->runs, list->count);
  list->runs = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct run_list *list = ctx;
  const struct store_filter *filter = list->filter;
  const struct sql_value values[] = {
      sql_text(filter->mesh),           sql_text(filter->kind),
      SQL_VALUE_INTEGER(filter->state), SQL_VALUE_INTEGER(filter->before_id ? filter->before_ns : INT64_MAX),
      sql_text(filter->before_id),      SQL_VALUE_INTEGER((int64_t)filter->limit),
      sql_text(filter->owner),
  };
  start_over(list);
  return sql->driver->run(sql,
                          "SELECT " COLUMNS " FROM runs WHERE ($1 = '' OR mesh = $1) AND ($2 = '' OR kind = $2)"
                          " AND ($3 = 0 OR state = $3) AND ($7 = '' OR owner = $7) AND (created_ns, id) < ($4, $5)"
                          " ORDER BY created_ns DESC, id DESC LIMIT $6",
                          values, ARRAY_COUNT(values), take_run, list, NULL, err);
}

int store_run_list(struct store *store, const struct store_filter *filter, struct store_run **ret_runs,
                   size_t *ret_count, struct error **err) {
  struct run_list list = {.filter = filter};
  const char *const texts[] = {filter->mesh, filter->kind, filter->owner, filter->before_id};
  int r = store_check_limit(filter->limit, err);
  for (size_t i = 0; r == 0 && i < ARRAY_COUNT(texts); i++)
    r = store_check(texts[i], STORE_NAME_MAX, "what runs are looked for by", err);
  if (r == 0)
    r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_runs = list.runs;
  *ret_count = list.count;
  return 0;
}

struct run_one {
  const char *id;
  struct run_list list;
};

static int get_work(struct sql *sql, void *ctx, struct error **err) {
  struct run_one *one = ctx;
  const struct sql_value value = sql_text(one->id);
  start_over(&one->list);
  return sql->driver->run(sql, "SELECT " COLUMNS " FROM runs WHERE id = $1", &value, 1, take_run, &one->list, NULL,
                          err);
}

int store_run_get(struct store *store, const char *id, struct store_run *ret_run, struct error **err) {
  struct run_one one = {.id = id};
  int r = store_check(id, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_read(store, get_work, &one, err);
  if (r == 0 && one.list.count == 1)
    *ret_run = take(one.list.runs[0]);
  else if (r == 0)
    r = error_set(err, ENOENT, "no run %s is kept", id);
  start_over(&one.list);
  return r;
}

struct report {
  const char *id;
  char *text;
  size_t length;
};

static int take_report(void *ctx, const struct sql_value *values, size_t count) {
  struct report *report = ctx;
  if (count != 2 || values[1].kind != SQL_BYTES || values[0].integer < 0 ||
      (uint64_t)values[0].integer > STORE_REPORT_MAX)
    return -EBADMSG;
  uLongf length = (uLongf)values[0].integer;
  char *text = malloc(length + 1);
  if (!text)
    return -ENOMEM;
  /* A length of 0 still needs a place. */
  uLongf room = length > 0 ? length : 1;
  if (uncompress((Bytef *)text, &room, (const Bytef *)values[1].data, values[1].length) != Z_OK || room != length) {
    free(text);
    return -EBADMSG;
  }
  text[length] = '\0';
  report->text = text;
  report->length = length;
  return 0;
}

static int report_work(struct sql *sql, void *ctx, struct error **err) {
  struct report *report = ctx;
  const struct sql_value value = sql_text(report->id);
  free(take(report->text));
  return sql->driver->run(sql, "SELECT length, data FROM reports WHERE run = $1", &value, 1, take_report, report, NULL,
                          err);
}

int store_report_get(struct store *store, const char *id, char **ret_report, size_t *ret_length, struct error **err) {
  struct report report = {.id = id};
  int r = store_check(id, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_read(store, report_work, &report, err);
  if (r == 0 && !report.text)
    r = error_set(err, ENOENT, "no report of run %s is kept", id);
  if (r < 0) {
    free(report.text);
    return r;
  }
  *ret_report = report.text;
  *ret_length = report.length;
  return 0;
}
