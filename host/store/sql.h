/* A connection to a database, as thin as both can have it: one SQL text for both, parameters as $1, $2, … (each first
 * used in that order or not). Not thread-safe. Errors are -errno as store.h lists them. */
#ifndef TRAMMEL_HOST_STORE_SQL_H
#define TRAMMEL_HOST_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

enum sql_kind { SQL_INTEGER = 1, SQL_TEXT, SQL_BYTES };

/* Columns are never null. */
struct sql_value {
  enum sql_kind kind;
  int64_t integer;
  const char *data; /* text is NUL-terminated, in parameters too */
  size_t length;
};
#define SQL_VALUE_INTEGER(value) ((struct sql_value){.kind = SQL_INTEGER, .integer = (value)})
struct sql_value sql_text(const char *text); /* NULL is "" */

#define SQL_PARAMETERS_MAX 16

/* Borrowed values, for the time of the call. A negative value ends the query with it. */
typedef int sql_row_fn(void *ctx, const struct sql_value *values, size_t count);

struct sql;
struct sql_driver {
  const char *begin;       /* of a transaction that writes */
  const char *schema_lock; /* a statement in it that keeps other programs' migrations out; NULL when `begin` does */
  /* A statement. `row` may be NULL. `*ret_changed` (may be NULL) is how many rows it wrote. */
  int (*run)(struct sql *sql, const char *text, const struct sql_value *parameters, size_t count, sql_row_fn *row,
             void *ctx, int64_t *ret_changed, struct error **err);
  int (*script)(struct sql *sql, const char *text, struct error **err); /* statements without rows */
  /* Whether the connection is gone; making it again (waits some seconds); the same connection more than once. */
  bool (*lost)(const struct sql *sql);
  int (*restore)(struct sql *sql, struct error **err);
  int (*clone)(const struct sql *sql, struct sql **ret_sql, struct error **err);
  /* A copy beside the database before its schema `version` changes. */
  int (*backup)(struct sql *sql, int64_t version, struct error **err);
  void (*close)(struct sql *sql);
  const char *const *schema; /* the migrations, NULL-terminated: the first makes version 1 */
};

struct sql {
  const struct sql_driver *driver;
};

/* Nobody else is `owner` from here on; NULL: nobody is asked. */
int sqlite_open(const char *path, const char *owner, struct sql **ret_sql, struct error **err);
int postgres_open(const char *url, const char *owner, struct sql **ret_sql, struct error **err);

/* Brings the schema to this program's version. */
int sql_migrate(struct sql *sql, struct error **err);

#endif
