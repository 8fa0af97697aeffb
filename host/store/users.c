#include <errno.h>
#include <string.h>

#include "host/store/accounts.h"
#include "host/store/store_internal.h"
#include "sdk/base/clock.h"

#define COLUMNS "name, role, password, created_ns"

void store_user_finish(struct store_user *user) {
  free(user->name);
  free(user->role);
  free(user->password);
  *user = (struct store_user){0};
}

void store_users_free(struct store_user *users, size_t count) {
  for (size_t i = 0; i < count; i++)
    store_user_finish(&users[i]);
  free(users);
}

struct user_list {
  const char *name; /* NULL: all */
  struct store_user *users;
  size_t count;
  size_t capacity;
};

static int take_user(void *ctx, const struct sql_value *values, size_t count) {
  struct user_list *list = ctx;
  if (count != 4 || values[3].kind != SQL_INTEGER)
    return -EIO;
  int r = array_reserve((void **)&list->users, &list->capacity, list->count, sizeof(*list->users));
  if (r < 0)
    return r;
  struct store_user *user = &list->users[list->count++];
  *user = (struct store_user){.created_ns = values[3].integer};
  if ((r = column_text(&values[0], &user->name)) == 0 && (r = column_text(&values[1], &user->role)) == 0)
    r = column_text(&values[2], &user->password);
  return r;
}

static void start_over(struct user_list *list) {
  store_users_free(list->users, list->count);
  list->users = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct user_list *list = ctx;
  const struct sql_value values[] = {sql_text(list->name), SQL_VALUE_INTEGER(list->name ? 0 : 1)};
  start_over(list);
  return sql->driver->run(sql, "SELECT " COLUMNS " FROM users WHERE name = $1 OR $2 = 1 ORDER BY name", values,
                          ARRAY_COUNT(values), take_user, list, NULL, err);
}

static int no_user(const char *name, struct error **err) {
  return error_set(err, ENOENT, "there is no user %s", name);
}

int store_user_get(struct store *store, const char *name, struct store_user *ret_user, struct error **err) {
  struct user_list list = {.name = name};
  int r = store_check(name, STORE_NAME_MAX, "a user's name", err);
  if (r == 0)
    r = store_read(store, list_work, &list, err);
  if (r == 0 && list.count == 1) {
    *ret_user = list.users[0];
    free(list.users);
    return 0;
  }
  start_over(&list);
  return r < 0 ? r : no_user(name, err);
}

int store_user_list(struct store *store, struct store_user **ret_users, size_t *ret_count, struct error **err) {
  struct user_list list = {0};
  int r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_users = list.users;
  *ret_count = list.count;
  return 0;
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  const struct store_user *user = ctx;
  const struct sql_value values[] = {sql_text(user->name), sql_text(user->role), sql_text(user->password),
                                     SQL_VALUE_INTEGER(clock_realtime_ns()), SQL_VALUE_INTEGER(STORE_USERS_MAX)};
  int64_t added = 0;
  struct user_list list = {.name = user->name};
  int r = sql->driver->run(sql,
                           "INSERT INTO users (" COLUMNS ") SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM users)"
                           " < $5 ON CONFLICT DO NOTHING",
                           values, ARRAY_COUNT(values), NULL, NULL, &added, err);
  if (r < 0 || added > 0)
    return r;
  r = list_work(sql, &list, err);
  size_t count = list.count;
  start_over(&list);
  if (r < 0)
    return r;
  return count > 0 ? error_set(err, EEXIST, "there is a user %s already", user->name)
                   : error_set(err, E2BIG, "there are %d users, which is the most there may be", STORE_USERS_MAX);
}

int store_user_add(struct store *store, const struct store_user *user, struct error **err) {
  struct store_user row = *user;
  int r = store_check(user->name, STORE_NAME_MAX, "a user's name", err);
  if (r == 0)
    r = store_check(user->role, STORE_NAME_MAX, "a role", err);
  if (r == 0)
    r = store_check(user->password, STORE_NAME_MAX, "a password's hash", err);
  return r < 0 ? r : store_write(store, add_work, &row, err);
}

static int change_work(struct sql *sql, void *ctx, struct error **err) {
  const struct store_user *user = ctx;
  const struct sql_value values[] = {sql_text(user->name), sql_text(user->role), sql_text(user->password)};
  int64_t changed = 0;
  int r = sql->driver->run(sql,
                           "UPDATE users SET role = CASE WHEN $2 = '' THEN role ELSE $2 END,"
                           " password = CASE WHEN $3 = '' THEN password ELSE $3 END WHERE name = $1",
                           values, ARRAY_COUNT(values), NULL, NULL, &changed, err);
  if (r < 0 || changed == 0)
    return r < 0 ? r : no_user(user->name, err);
  return user->password
             ? sql->driver->run(sql, "DELETE FROM logins WHERE account = $1", values, 1, NULL, NULL, NULL, err)
             : 0;
}

int store_user_change(struct store *store, const char *name, const char *role, const char *password,
                      struct error **err) {
  struct store_user row = {
      .name = (char *)(uintptr_t)name, .role = (char *)(uintptr_t)role, .password = (char *)(uintptr_t)password};
  int r = store_check(name, STORE_NAME_MAX, "a user's name", err);
  if (r == 0)
    r = store_check(role, STORE_NAME_MAX, "a role", err);
  if (r == 0)
    r = store_check(password, STORE_NAME_MAX, "a password's hash", err);
  return r < 0 ? r : store_write(store, change_work, &row, err);
}

static int remove_work(struct sql *sql, void *ctx, struct error **err) {
  const struct sql_value name = sql_text(ctx);
  int64_t removed = 0;
  int r = sql->driver->run(sql, "DELETE FROM users WHERE name = $1", &name, 1, NULL, NULL, &removed, err);
  if (r < 0 || removed == 0)
    return r < 0 ? r : no_user(ctx, err);
  return sql->driver->run(sql, "DELETE FROM tokens WHERE account = $1", &name, 1, NULL, NULL, NULL, err);
}

int store_user_remove(struct store *store, const char *name, struct error **err) {
  int r = store_check(name, STORE_NAME_MAX, "a user's name", err);
  return r < 0 ? r : store_write(store, remove_work, (char *)(uintptr_t)name, err);
}
