#include <errno.h>

#include "host/store/store_internal.h"

struct verdict_add {
  const char *run;
  const struct store_result *result;
};

int result_insert(struct sql *sql, const char *run, const struct store_result *result, struct error **err) {
  const struct sql_value values[] = {sql_text(run), sql_text(result->name), sql_text(result->verdict),
                                     sql_text(result->detail)};
  int64_t added = 0;
  int r = store_check(result->name, STORE_NAME_MAX, "a result's name", err);
  if (r == 0)
    r = store_check(result->verdict, STORE_NAME_MAX, "a verdict", err);
  if (r == 0)
    r = store_check(result->detail, STORE_TEXT_MAX, "a result's detail", err);
  if (r == 0)
    r = sql->driver->run(sql,
                         "INSERT INTO results (run, name, verdict, detail) VALUES ($1, $2, $3, $4)"
                         " ON CONFLICT DO NOTHING",
                         values, ARRAY_COUNT(values), NULL, NULL, &added, err);
  if (r == 0 && added == 0)
    return error_set(err, EEXIST, "run %s has a result of %s already", run, values[1].data);
  return r;
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  const struct verdict_add *add = ctx;
  int r = run_expect(sql, add->run, RUN_RUNNING, err);
  return r < 0 ? r : result_insert(sql, add->run, add->result, err);
}

int store_result_add(struct store *store, const char *run, const struct store_result *result, struct error **err) {
  struct verdict_add add = {.run = run, .result = result};
  int r = store_check(run, STORE_NAME_MAX, "a run's id", err);
  return r < 0 ? r : store_write(store, add_work, &add, err);
}

void store_results_free(struct store_result *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free(results[i].name);
    free(results[i].verdict);
    free(results[i].detail);
  }
  free(results);
}

struct verdict_list {
  const char *run;
  const char *after;
  size_t limit;
  struct store_result *results;
  size_t count;
  size_t capacity;
};

static int take_result(void *ctx, const struct sql_value *values, size_t count) {
  struct verdict_list *list = ctx;
  if (count != 3)
    return -EIO;
  int r = array_reserve((void **)&list->results, &list->capacity, list->count, sizeof(*list->results));
  if (r < 0)
    return r;
  struct store_result *result = &list->results[list->count++];
  *result = (struct store_result){0};
  if ((r = column_text(&values[0], &result->name)) == 0 && (r = column_text(&values[1], &result->verdict)) == 0)
    r = column_text(&values[2], &result->detail);
  return r;
}

static void start_over(struct verdict_list *list) {
  store_results_free(list->results, list->count);
  list->results = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct verdict_list *list = ctx;
  const struct sql_value values[] = {sql_text(list->run), sql_text(list->after),
                                     SQL_VALUE_INTEGER((int64_t)list->limit), SQL_VALUE_INTEGER(list->after ? 0 : 1)};
  start_over(list);
  return sql->driver->run(sql,
                          "SELECT name, verdict, detail FROM results WHERE run = $1 AND (name > $2 OR $4 = 1)"
                          " ORDER BY name LIMIT $3",
                          values, ARRAY_COUNT(values), take_result, list, NULL, err);
}

int store_result_list(struct store *store, const char *run, const char *after, size_t limit,
                      struct store_result **ret_results, size_t *ret_count, struct error **err) {
  struct verdict_list list = {.run = run, .after = after, .limit = limit};
  int r = store_check(run, STORE_NAME_MAX, "a run's id", err);
  if (r == 0)
    r = store_check(after, STORE_NAME_MAX, "a result's name", err);
  if (r == 0)
    r = store_check_limit(limit, err);
  if (r == 0)
    r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_results = list.results;
  *ret_count = list.count;
  return 0;
}
