#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "host/store/schema.h"
#include "host/store/sql.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"

#define BUSY_MS 5000
#define STATEMENTS_MAX 48
#define APPLICATION_ID 0x74724d6c /* "trMl": what tells our files from others' */
#define APPLICATION_ID_TEXT "1953647980"

struct sqlite {
  struct sql sql;
  char *path;
  sqlite3 *db;
  bool unclean;
  int lock; /* the owner's file; it has a byte in it while the owner has not closed the store. -1: no owner */
  struct {
    const char *text; /* a literal: told by its address */
    sqlite3_stmt *statement;
  } statements[STATEMENTS_MAX];
  size_t statement_count;
};

static int code_of(int result) {
  switch (result & 0xff) {
  case SQLITE_FULL:
    return ENOSPC;
  case SQLITE_READONLY:
    return EROFS;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return EBADMSG;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return EBUSY;
  case SQLITE_CONSTRAINT:
    return EEXIST;
  case SQLITE_NOMEM:
    return ENOMEM;
  case SQLITE_TOOBIG:
    return E2BIG;
  case SQLITE_CANTOPEN:
    return EACCES;
  default:
    return EIO;
  }
}

static const char *advice_of(int code) {
  switch (code) {
  case ENOSPC:
    return ": make room on its disk, or keep fewer runs; nothing that was kept is lost";
  case EROFS:
    return ": its disk or file is read-only; make it writable";
  case EBADMSG:
    return ": the file is damaged or no SQLite file, and was left as it is; move it away, or put a backup in its place";
  case EBUSY:
    return ": another program has held it for long";
  default:
    return "";
  }
}

static int failed(struct sqlite *self, int result, struct error **err) {
  int code = code_of(result);
  return error_set(err, code, "%s: %s%s", self->path, self->db ? sqlite3_errmsg(self->db) : sqlite3_errstr(result),
                   advice_of(code));
}

static int bind(sqlite3_stmt *statement, const struct sql_value *parameters, size_t count) {
  int result = SQLITE_OK;
  for (size_t i = 0; i < count && result == SQLITE_OK; i++) {
    const struct sql_value *value = &parameters[i];
    char name[24];
    (void)snprintf(name, sizeof(name), "$%zu", i + 1);
    int index = sqlite3_bind_parameter_index(statement, name);
    if (index == 0)
      return SQLITE_RANGE;
    if (value->kind == SQL_INTEGER)
      result = sqlite3_bind_int64(statement, index, value->integer);
    else if (value->kind == SQL_TEXT)
      result = sqlite3_bind_text64(statement, index, value->data, value->length, SQLITE_STATIC, SQLITE_UTF8);
    else
      result = sqlite3_bind_blob64(statement, index, value->data, value->length, SQLITE_STATIC);
  }
  return result;
}

/* The column as it is, NUL-terminated when it is text. */
static struct sql_value column(sqlite3_stmt *statement, int index) {
  struct sql_value value = {0};
  switch (sqlite3_column_type(statement, index)) {
  case SQLITE_INTEGER:
    value.kind = SQL_INTEGER;
    value.integer = sqlite3_column_int64(statement, index);
    break;
  case SQLITE_TEXT:
    value.kind = SQL_TEXT;
    value.data = (const char *)sqlite3_column_text(statement, index);
    value.length = (size_t)sqlite3_column_bytes(statement, index);
    break;
  case SQLITE_BLOB:
    value.kind = SQL_BYTES;
    value.data = sqlite3_column_blob(statement, index);
    value.length = (size_t)sqlite3_column_bytes(statement, index);
    break;
  default:
    break;
  }
  return value;
}

static int give_row(struct sqlite *self, sqlite3_stmt *statement, sql_row_fn *row, void *ctx, struct error **err) {
  struct sql_value values[SQL_PARAMETERS_MAX];
  int count = sqlite3_column_count(statement);
  if (count < 0 || count > SQL_PARAMETERS_MAX)
    return error_set(err, EIO, "%s: %d columns", self->path, count);
  for (int i = 0; i < count; i++) {
    values[i] = column(statement, i);
    if (values[i].kind == SQL_TEXT && !values[i].data)
      return error_set(err, ENOMEM, "%s: no memory", self->path);
  }
  int r = row(ctx, values, (size_t)count);
  return r < 0 ? error_set(err, -r, "%s: a row could not be taken: %s", self->path, strerror(-r)) : 0;
}

static int prepare(struct sqlite *self, const char *text, sqlite3_stmt **ret_statement, bool *ret_kept) {
  for (size_t i = 0; i < self->statement_count; i++)
    if (self->statements[i].text == text) {
      *ret_statement = self->statements[i].statement;
      *ret_kept = true;
      return SQLITE_OK;
    }
  int result = sqlite3_prepare_v3(self->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
  *ret_kept = result == SQLITE_OK && self->statement_count < STATEMENTS_MAX;
  if (*ret_kept) {
    self->statements[self->statement_count].text = text;
    self->statements[self->statement_count++].statement = *ret_statement;
  }
  return result;
}

static int sqlite_run(struct sql *sql, const char *text, const struct sql_value *parameters, size_t count,
                      sql_row_fn *row, void *ctx, int64_t *ret_changed, struct error **err) {
  struct sqlite *self = (struct sqlite *)sql;
  sqlite3_stmt *statement = NULL;
  bool kept = false;
  int r = 0;

  int result = prepare(self, text, &statement, &kept);
  if (result == SQLITE_OK)
    result = bind(statement, parameters, count);
  if (result == SQLITE_OK)
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
      if (row && (r = give_row(self, statement, row, ctx, err)) < 0)
        break;
  if (r == 0 && result != SQLITE_DONE)
    r = failed(self, result, err);
  if (r == 0 && ret_changed)
    *ret_changed = sqlite3_changes64(self->db);
  if (kept) {
    (void)sqlite3_reset(statement); /* tells its step's error once more */
    (void)sqlite3_clear_bindings(statement);
  } else {
    (void)sqlite3_finalize(statement);
  }
  return r;
}

static int sqlite_script(struct sql *sql, const char *text, struct error **err) {
  struct sqlite *self = (struct sqlite *)sql;
  int result = sqlite3_exec(self->db, text, NULL, NULL, NULL);
  return result == SQLITE_OK ? 0 : failed(self, result, err);
}

static bool sqlite_lost(const struct sql *sql) {
  (void)sql;
  return false;
}

static int sqlite_restore(struct sql *sql, struct error **err) {
  (void)sql;
  (void)err;
  return 0;
}

static int sqlite_clone(const struct sql *sql, struct sql **ret_sql, struct error **err) {
  return sqlite_open(((const struct sqlite *)sql)->path, NULL, ret_sql, err);
}

static int sqlite_backup(struct sql *sql, int64_t version, struct error **err) {
  struct sqlite *self = (struct sqlite *)sql;
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s.version-%" PRId64 ".%" PRId64, self->path, version, clock_realtime_s()) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  const struct sql_value to = sql_text(path);
  int r = sqlite_run(sql, "VACUUM INTO $1", &to, 1, NULL, NULL, NULL, err);
  if (r == 0 && fsync(fd) < 0)
    r = error_set(err, errno, "%s: %s", path, strerror(errno));
  if (r == 0)
    r = file_sync_name(path, err);
  if (r < 0)
    (void)unlink(path);
  return r;
}

static void sqlite_close(struct sql *sql) {
  struct sqlite *self = (struct sqlite *)sql;
  if (!self)
    return;
  for (size_t i = 0; i < self->statement_count; i++)
    (void)sqlite3_finalize(self->statements[i].statement);
  bool closed = sqlite3_close(self->db) == SQLITE_OK;
  if (self->lock >= 0) {
    if (closed && !self->unclean)
      (void)!ftruncate(self->lock, 0); /* else the file is checked once more than it need be */
    (void)close(self->lock);
  }
  free(self->path);
  free(self);
}

#define STRICT " STRICT"
static const char *const sqlite_schema[] = {
    SCHEMA_RUNS("TEXT", "INTEGER", STRICT),
    SCHEMA_REPORTS("TEXT", "INTEGER", "BLOB", STRICT),
    SCHEMA_ACCOUNTS("TEXT", "INTEGER", "BLOB", STRICT),
    NULL,
};

static const struct sql_driver sqlite_driver = {
    .begin = "BEGIN IMMEDIATE",
    .run = sqlite_run,
    .script = sqlite_script,
    .lost = sqlite_lost,
    .restore = sqlite_restore,
    .clone = sqlite_clone,
    .backup = sqlite_backup,
    .close = sqlite_close,
    .schema = sqlite_schema,
};

/* Takes the owner's file. `*ret_unclean`: the last owner ended without closing. */
static int take_lock(struct sqlite *self, const char *owner, bool *ret_unclean, struct error **err) {
  _cleanup_free_ char *path = NULL;
  char byte = 0;
  if (asprintf(&path, "%s.owner", self->path) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  self->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->lock < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  if (flock(self->lock, LOCK_EX | LOCK_NB) < 0) {
    int code = errno;
    (void)close(self->lock);
    self->lock = -1; /* what is in it is its holder's */
    return error_set(err, code == EWOULDBLOCK ? EBUSY : code,
                     "%s: another program has the store open as \"%s\" or another owner: end it first", self->path,
                     owner);
  }
  ssize_t length = pread(self->lock, &byte, 1, 0);
  if (length < 0 || pwrite(self->lock, "1", 1, 0) != 1 || fsync(self->lock) < 0)
    return error_set(err, errno ? errno : ENOSPC, "%s: %s", path, strerror(errno ? errno : ENOSPC));
  *ret_unclean = length == 1;
  return 0;
}

struct check {
  char text[256];
  int64_t integer;
};

static int keep_value(void *ctx, const struct sql_value *values, size_t count) {
  struct check *check = ctx;
  if (count > 0 && values[0].kind == SQL_TEXT && check->text[0] == '\0')
    (void)snprintf(check->text, sizeof(check->text), "%s", values[0].data);
  else if (count > 0)
    check->integer = values[0].integer;
  return 0;
}

static int check_file(struct sqlite *self, struct error **err) {
  struct check check = {0};
  int r = sqlite_run(&self->sql, "PRAGMA quick_check(1)", NULL, 0, keep_value, &check, NULL, err);
  if (r < 0)
    return r;
  return strcmp(check.text, "ok") == 0
             ? 0
             : error_set(err, EBADMSG, "%s: %s%s", self->path, check.text, advice_of(EBADMSG));
}

/* A file that somebody else's program has made is not written to. */
static int check_maker(struct sqlite *self, struct error **err) {
  struct check id = {0};
  struct check tables = {0};
  int r = sqlite_run(&self->sql, "PRAGMA application_id", NULL, 0, keep_value, &id, NULL, err);
  if (r == 0)
    r = sqlite_run(&self->sql, "SELECT count(*) FROM sqlite_schema", NULL, 0, keep_value, &tables, NULL, err);
  if (r < 0 || id.integer == APPLICATION_ID)
    return r;
  if (tables.integer > 0)
    return error_set(err, EBADMSG, "%s: a SQLite file that is no store of Trammel's: name another one", self->path);
  return sqlite_script(&self->sql, "PRAGMA application_id = " APPLICATION_ID_TEXT, err);
}

static int configure(struct sqlite *self, bool unclean, struct error **err) {
  (void)sqlite3_extended_result_codes(self->db, 1);
  int result = sqlite3_busy_timeout(self->db, BUSY_MS);
  if (result != SQLITE_OK)
    return failed(self, result, err);
  int r = check_maker(self, err);
  if (r == 0)
    r = sqlite_script(&self->sql,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                      "PRAGMA trusted_schema = OFF",
                      err);
  if (r == 0 && unclean)
    r = check_file(self, err);
  return r;
}

int sqlite_open(const char *path, const char *owner, struct sql **ret_sql, struct error **err) {
  struct sqlite *self = calloc(1, sizeof(*self));
  bool unclean = false;
  int r = 0;

  if (!self || !(self->path = strdup(path))) {
    free(self);
    return error_set(err, ENOMEM, "no memory");
  }
  self->sql.driver = &sqlite_driver;
  self->lock = -1;
  /* A file that is there is not opened beside SQLite: closing it would end the locks of this process. */
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0)
    (void)close(fd); /* before SQLite has locks on it */
  else if (errno != EEXIST)
    r = error_set(err, errno, "%s: %s: name a file that can be made and written", path, strerror(errno));
  if (r == 0 && owner)
    r = take_lock(self, owner, &unclean, err);
  if (r == 0) {
    int result = sqlite3_open_v2(path, &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    r = result == SQLITE_OK ? configure(self, unclean, err) : failed(self, result, err);
  }
  if (r < 0) {
    self->unclean = unclean; /* is checked again the next time */
    sqlite_close(&self->sql);
    return r;
  }
  *ret_sql = &self->sql;
  return 0;
}
