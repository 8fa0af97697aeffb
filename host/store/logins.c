#include <errno.h>
#include <string.h>

#include "host/store/accounts.h"
#include "host/store/store_internal.h"
#include "sdk/base/clock.h"

struct login_work {
  const struct store_login *login;
  const char *next;
  int64_t now_ns;
  /* What was found. */
  int outcome;
  char *user;
  char *hash;
  int64_t expires_ns;
};

static int take_login(void *ctx, const struct sql_value *values, size_t count) {
  struct login_work *work = ctx;
  if (count != 3 || values[2].kind != SQL_INTEGER)
    return -EIO;
  work->expires_ns = values[2].integer;
  int r = column_text(&values[0], &work->user);
  return r < 0 ? r : column_text(&values[1], &work->hash);
}

static void start_over(struct login_work *work) {
  free(work->user);
  free(work->hash);
  work->user = work->hash = NULL;
}

static int find(struct sql *sql, struct login_work *work, struct error **err) {
  const struct sql_value id = sql_text(work->login->id);
  start_over(work);
  return sql->driver->run(sql, "SELECT account, hash, expires_ns FROM logins WHERE id = $1", &id, 1, take_login, work,
                          NULL, err);
}

static int remove_login(struct sql *sql, const char *id, struct error **err) {
  const struct sql_value value = sql_text(id);
  return sql->driver->run(sql, "DELETE FROM logins WHERE id = $1", &value, 1, NULL, NULL, NULL, err);
}

/* Also holds a user's row until the login is there, so that no password changes in between. */
static int hold_user(struct sql *sql, const struct store_login *login, struct error **err) {
  const struct sql_value values[] = {sql_text(login->user), sql_text(login->password)};
  int64_t held = 0;
  int r = sql->driver->run(sql, "UPDATE users SET password = password WHERE name = $1 AND password = $2", values,
                           ARRAY_COUNT(values), NULL, NULL, &held, err);
  return r < 0 || held > 0
             ? r
             : error_set(err, ENOENT, "there is no user %s with the password that was given", login->user);
}

/* The latest of a user stay. */
static int make_room(struct sql *sql, const struct login_work *work, struct error **err) {
  const struct sql_value values[] = {sql_text(work->login->user), SQL_VALUE_INTEGER(work->now_ns),
                                     SQL_VALUE_INTEGER(STORE_LOGINS_MAX - 1)};
  int r = sql->driver->run(sql, "DELETE FROM logins WHERE expires_ns <= $1", &values[1], 1, NULL, NULL, NULL, err);
  if (r < 0)
    return r;
  const struct sql_value kept[] = {values[0], values[2]};
  return sql->driver->run(sql,
                          "DELETE FROM logins WHERE account = $1 AND id NOT IN (SELECT id FROM logins WHERE account ="
                          " $1 ORDER BY created_ns DESC, id DESC LIMIT $2)",
                          kept, ARRAY_COUNT(kept), NULL, NULL, NULL, err);
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  const struct login_work *work = ctx;
  const struct store_login *login = work->login;
  const struct sql_value values[] = {sql_text(login->id), sql_text(login->user), sql_text(login->hash),
                                     SQL_VALUE_INTEGER(work->now_ns), SQL_VALUE_INTEGER(login->expires_ns)};
  int r = hold_user(sql, login, err);
  if (r == 0)
    r = make_room(sql, work, err);
  if (r == 0)
    r = sql->driver->run(sql,
                         "INSERT INTO logins (id, account, hash, created_ns, expires_ns) VALUES ($1, $2, $3, $4, $5)",
                         values, ARRAY_COUNT(values), NULL, NULL, NULL, err);
  return r;
}

static int check(const struct store_login *login, struct error **err) {
  int r = store_check(login->id, STORE_NAME_MAX, "a login's id", err);
  if (r == 0)
    r = store_check(login->user, STORE_NAME_MAX, "a user's name", err);
  return r < 0 ? r : store_check(login->hash, STORE_NAME_MAX, "a secret's hash", err);
}

int store_login_add(struct store *store, const struct store_login *login, int64_t now_ns, struct error **err) {
  struct login_work work = {.login = login, .now_ns = now_ns};
  int r = check(login, err);
  if (r == 0)
    r = store_check(login->password, STORE_NAME_MAX, "a password's hash", err);
  return r < 0 ? r : store_write(store, add_work, &work, err);
}

/* What ends a login is kept, so it is no error here. */
static int renew_work(struct sql *sql, void *ctx, struct error **err) {
  struct login_work *work = ctx;
  const struct sql_value values[] = {sql_text(work->login->id), sql_text(work->login->hash), sql_text(work->next)};
  int64_t changed = 0;
  int r = find(sql, work, err);
  if (r < 0)
    return r;
  if (!work->user) {
    work->outcome = -ENOENT;
    return 0;
  }
  if (work->expires_ns <= work->now_ns) {
    work->outcome = -EKEYEXPIRED;
    return remove_login(sql, work->login->id, err);
  }
  /* Again by the hash: another host may have been faster. */
  r = sql->driver->run(sql, "UPDATE logins SET hash = $3 WHERE id = $1 AND hash = $2", values, ARRAY_COUNT(values),
                       NULL, NULL, &changed, err);
  work->outcome = changed > 0 ? 0 : -EKEYREVOKED;
  return r < 0 || changed > 0 ? r : remove_login(sql, work->login->id, err);
}

int store_login_renew(struct store *store, const char *id, const char *hash, const char *next, int64_t now_ns,
                      char **ret_user, int64_t *ret_expires_ns, struct error **err) {
  const struct store_login login = {.id = id, .hash = hash};
  struct login_work work = {.login = &login, .next = next, .now_ns = now_ns};
  int r = check(&login, err);
  if (r == 0)
    r = store_check(next, STORE_NAME_MAX, "a secret's hash", err);
  if (r == 0)
    r = store_write(store, renew_work, &work, err);
  if (r == 0 && work.outcome == 0) {
    *ret_user = take(work.user);
    *ret_expires_ns = work.expires_ns;
  }
  start_over(&work);
  if (r < 0 || work.outcome == 0)
    return r;
  return error_set(err, -work.outcome, "%s",
                   work.outcome == -ENOENT        ? "the login is not known, or has ended"
                   : work.outcome == -EKEYEXPIRED ? "the login is over"
                                                  : "a secret of the login was used that had been used before: the"
                                                    " login has ended");
}

static int end_work(struct sql *sql, void *ctx, struct error **err) {
  const struct login_work *work = ctx;
  const struct sql_value values[] = {sql_text(work->login->id), sql_text(work->login->hash)};
  int64_t removed = 0;
  int r = sql->driver->run(sql, "DELETE FROM logins WHERE id = $1 AND hash = $2", values, ARRAY_COUNT(values), NULL,
                           NULL, &removed, err);
  return r < 0 || removed > 0 ? r : error_set(err, ENOENT, "the login is not known, or has ended");
}

int store_login_end(struct store *store, const char *id, const char *hash, struct error **err) {
  const struct store_login login = {.id = id, .hash = hash};
  struct login_work work = {.login = &login};
  int r = check(&login, err);
  return r < 0 ? r : store_write(store, end_work, &work, err);
}
