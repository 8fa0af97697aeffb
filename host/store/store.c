#include "host/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/store/store_internal.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

#define FILE_NAME "trammel.db"
#define OWNER_MAX 64

struct store {
  char *owner;
  pthread_mutex_t write_lock;
  struct sql *writer;
  pthread_mutex_t read_lock; /* over what is below */
  pthread_cond_t reader_free;
  struct sql *readers[STORE_READERS_MAX]; /* that nobody uses */
  size_t idle;
  size_t opened;
};

struct sql_value sql_text(const char *text) {
  const char *data = text ? text : "";
  return (struct sql_value){.kind = SQL_TEXT, .data = data, .length = strlen(data)};
}

const char *store_owner(const struct store *store) {
  return store->owner;
}

int store_check(const char *text, size_t limit, const char *what, struct error **err) {
  size_t length = text ? strlen(text) : 0;
  size_t at = 0;
  if (length > limit)
    return error_set(err, EINVAL, "%s of %zu bytes: at most %zu are kept", what, length, limit);
  return !text || utf8_valid(text, length, &at) ? 0
                                                : error_set(err, EINVAL, "%s is not UTF-8 at byte %zu", what, at + 1);
}

int store_check_limit(size_t limit, struct error **err) {
  return limit >= 1 && limit <= STORE_PAGE_MAX
             ? 0
             : error_set(err, EINVAL, "a page of %zu: 1 to %d can be asked for", limit, STORE_PAGE_MAX);
}

int row_integer(void *ctx, const struct sql_value *values, size_t count) {
  if (count != 1 || values[0].kind != SQL_INTEGER)
    return -EIO;
  *(int64_t *)ctx = values[0].integer;
  return 0;
}

int column_text(const struct sql_value *value, char **ret_text) {
  if (value->kind != SQL_TEXT)
    return -EIO;
  char *text = malloc(value->length + 1);
  if (!text)
    return -ENOMEM;
  memcpy(text, value->data, value->length);
  text[value->length] = '\0';
  *ret_text = text;
  return 0;
}

/* ---- work */

static int transact(struct sql *sql, store_work *work, void *ctx, struct error **err) {
  int r = sql->driver->script(sql, sql->driver->begin, err);
  if (r < 0)
    return r;
  r = work(sql, ctx, err);
  if (r < 0) {
    (void)sql->driver->script(sql, "ROLLBACK", NULL);
    return r;
  }
  r = sql->driver->script(sql, "COMMIT", err);
  if (r < 0 && sql->driver->lost(sql))
    return error_set(err, EINPROGRESS, "the server was lost at the moment of a commit: look whether it was kept");
  if (r < 0)
    (void)sql->driver->script(sql, "ROLLBACK", NULL);
  return r;
}

static int read_once(struct sql *sql, store_work *work, void *ctx, struct error **err) {
  return work(sql, ctx, err);
}

/* What was cut by a lost server before its commit is done once more. */
static int attempt(struct sql *sql, int (*once)(struct sql *, store_work *, void *, struct error **), store_work *work,
                   void *ctx, struct error **err) {
  int r = sql->driver->lost(sql) ? sql->driver->restore(sql, err) : 0;
  if (r == 0)
    r = once(sql, work, ctx, err);
  if (r == 0 || r == -EINPROGRESS || !sql->driver->lost(sql))
    return r;
  r = sql->driver->restore(sql, err);
  if (r < 0)
    return r;
  if (err) {
    error_free(*err);
    *err = NULL;
  }
  return once(sql, work, ctx, err);
}

int store_write(struct store *store, store_work *work, void *ctx, struct error **err) {
  (void)pthread_mutex_lock(&store->write_lock);
  int r = attempt(store->writer, transact, work, ctx, err);
  (void)pthread_mutex_unlock(&store->write_lock);
  return r;
}

static int take_reader(struct store *store, struct sql **ret_sql, struct error **err) {
  (void)pthread_mutex_lock(&store->read_lock);
  while (store->idle == 0 && store->opened == STORE_READERS_MAX)
    (void)pthread_cond_wait(&store->reader_free, &store->read_lock);
  bool make = store->idle == 0;
  if (make)
    store->opened++;
  else
    *ret_sql = store->readers[--store->idle];
  (void)pthread_mutex_unlock(&store->read_lock);
  if (!make)
    return 0;
  /* What is cloned never changes. */
  int r = store->writer->driver->clone(store->writer, ret_sql, err);
  if (r < 0) {
    (void)pthread_mutex_lock(&store->read_lock);
    store->opened--;
    (void)pthread_cond_signal(&store->reader_free);
    (void)pthread_mutex_unlock(&store->read_lock);
  }
  return r;
}

static void give_reader(struct store *store, struct sql *sql) {
  (void)pthread_mutex_lock(&store->read_lock);
  store->readers[store->idle++] = sql;
  (void)pthread_cond_signal(&store->reader_free);
  (void)pthread_mutex_unlock(&store->read_lock);
}

int store_read(struct store *store, store_work *work, void *ctx, struct error **err) {
  struct sql *sql = NULL;
  int r = take_reader(store, &sql, err);
  if (r < 0)
    return r;
  r = attempt(sql, read_once, work, ctx, err);
  give_reader(store, sql);
  return r;
}

/* ---- opening */

static bool is_owner(const char *text) {
  size_t length = strlen(text);
  return length >= 1 && length <= OWNER_MAX &&
         strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length;
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static int open_directory(const char *directory, const char *owner, struct sql **ret_sql, struct error **err) {
  _cleanup_free_ char *path = NULL;
  if (mkdir(directory, 0700) < 0 && errno != EEXIST)
    return error_set(err, errno, "%s: %s", directory, strerror(errno));
  if (asprintf(&path, "%s/" FILE_NAME, directory) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  return sqlite_open(path, owner, ret_sql, err);
}

static int open_location(const char *location, const char *owner, struct sql **ret_sql, struct error **err) {
  if (begins(location, "postgres://") || begins(location, "postgresql://"))
    return postgres_open(location, owner, ret_sql, err);
  if (begins(location, "sqlite:") && location[strlen("sqlite:")] != '\0')
    return sqlite_open(location + strlen("sqlite:"), owner, ret_sql, err);
  /* What else looks like a URL may hold a password. */
  if (location[0] == '\0' || strstr(location, "://") || begins(location, "sqlite:"))
    return error_set(err, EINVAL, "no store: a directory, sqlite:PATH or postgres://… is expected");
  return open_directory(location, owner, ret_sql, err);
}

struct recovery {
  const char *owner;
  int64_t count;
};

static int mark_interrupted(struct sql *sql, void *ctx, struct error **err) {
  struct recovery *recovery = ctx;
  const struct sql_value values[] = {SQL_VALUE_INTEGER(STORE_INTERRUPTED), SQL_VALUE_INTEGER(clock_realtime_ns()),
                                     sql_text(recovery->owner)};
  return sql->driver->run(sql, "UPDATE runs SET state = $1, finished_ns = $2 WHERE owner = $3 AND state IN " RUN_OPEN,
                          values, ARRAY_COUNT(values), NULL, NULL, &recovery->count, err);
}

int store_open(const char *location, const char *owner, struct store **ret_store, uint64_t *ret_interrupted,
               struct error **err) {
  if (owner && !is_owner(owner))
    return error_set(err, EINVAL, "the store's owner is 1 to %d letters, digits, '.', '_' and '-'", OWNER_MAX);
  struct store *store = calloc(1, sizeof(*store));
  if (!store || (owner && !(store->owner = strdup(owner)))) {
    free(store);
    return error_set(err, ENOMEM, "no memory");
  }
  (void)pthread_mutex_init(&store->write_lock, NULL);
  (void)pthread_mutex_init(&store->read_lock, NULL);
  (void)pthread_cond_init(&store->reader_free, NULL);
  struct recovery recovery = {.owner = owner};
  _cleanup_error_ struct error *reason = NULL; /* what is wrapped needs one, also for a caller that wants none */
  int r = open_location(location, owner, &store->writer, &reason);
  if (r == 0)
    r = sql_migrate(store->writer, &reason);
  if (r == 0 && owner)
    r = store_write(store, mark_interrupted, &recovery, &reason);
  if (r < 0) {
    store_close(store);
    return error_set(err, -r, "opening the store: %s", error_message(reason));
  }
  if (ret_interrupted)
    *ret_interrupted = (uint64_t)recovery.count;
  *ret_store = store;
  return 0;
}

void store_close(struct store *store) {
  if (!store)
    return;
  for (size_t i = 0; i < store->idle; i++)
    store->readers[i]->driver->close(store->readers[i]);
  if (store->writer)
    store->writer->driver->close(store->writer);
  (void)pthread_cond_destroy(&store->reader_free);
  (void)pthread_mutex_destroy(&store->read_lock);
  (void)pthread_mutex_destroy(&store->write_lock);
  free(store->owner);
  free(store);
}
