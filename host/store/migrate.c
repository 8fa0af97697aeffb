#include <errno.h>
#include <inttypes.h>

#include "host/store/sql.h"

static int first_integer(void *ctx, const struct sql_value *values, size_t count) {
  if (count != 1 || values[0].kind != SQL_INTEGER)
    return -EIO;
  *(int64_t *)ctx = values[0].integer;
  return 0;
}

static int read_version(struct sql *sql, int64_t *ret_version, struct error **err) {
  *ret_version = 0;
  return sql->driver->run(sql, "SELECT coalesce(max(version), 0) FROM schema_version", NULL, 0, first_integer,
                          ret_version, NULL, err);
}

static int check_version(int64_t version, int64_t latest, struct error **err) {
  if (version < 0 || version > latest)
    return error_set(err, EPROTO,
                     "the store has schema version %" PRId64 ", and this program knows versions up to %" PRId64
                     ": use a newer Trammel, or another store",
                     version, latest);
  return 0;
}

/* The version is read again under the lock: another program may have been faster. */
static int migrate(struct sql *sql, int64_t latest, struct error **err) {
  const struct sql_driver *driver = sql->driver;
  int64_t version = 0;
  int r = driver->schema_lock ? driver->script(sql, driver->schema_lock, err) : 0;
  if (r < 0 || (r = read_version(sql, &version, err)) < 0 || (r = check_version(version, latest, err)) < 0)
    return r;
  for (; version < latest; version++) {
    const struct sql_value next = SQL_VALUE_INTEGER(version + 1);
    if ((r = driver->script(sql, driver->schema[version], err)) < 0 ||
        (r = driver->run(sql, "INSERT INTO schema_version (version) VALUES ($1)", &next, 1, NULL, NULL, NULL, err)) < 0)
      return error_wrap(err, "bringing the schema to version %" PRId64, version + 1);
  }
  return 0;
}

/* A table that is there already is no work, and not even a lock. */
static int make_version_table(struct sql *sql, struct error **err) {
  const struct sql_driver *driver = sql->driver;
  int r = driver->script(sql, driver->begin, err);
  if (r < 0)
    return r;
  r = driver->schema_lock ? driver->script(sql, driver->schema_lock, err) : 0;
  if (r == 0)
    r = driver->script(sql, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)", err);
  if (r == 0)
    r = driver->script(sql, "COMMIT", err);
  if (r < 0)
    (void)driver->script(sql, "ROLLBACK", NULL);
  return r;
}

int sql_migrate(struct sql *sql, struct error **err) {
  const struct sql_driver *driver = sql->driver;
  int64_t latest = 0;
  int64_t version = 0;
  int r = 0;

  while (driver->schema[latest])
    latest++;
  if (read_version(sql, &version, NULL) < 0 && (r = make_version_table(sql, err)) < 0)
    return error_wrap(err, "making the schema");
  if ((r = read_version(sql, &version, err)) < 0 || (r = check_version(version, latest, err)) < 0)
    return r;
  if (version == latest)
    return 0;
  if (version > 0 && (r = driver->backup(sql, version, err)) < 0)
    return error_wrap(err, "copying the store before its schema changes from version %" PRId64, version);
  if ((r = driver->script(sql, driver->begin, err)) < 0)
    return r;
  if ((r = migrate(sql, latest, err)) == 0)
    r = driver->script(sql, "COMMIT", err);
  if (r < 0)
    (void)driver->script(sql, "ROLLBACK", NULL);
  return r;
}
