#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/store/schema.h"
#include "host/store/sql.h"
#include "sdk/base/clock.h"

/* Types as PostgreSQL's pg_type.dat numbers them. */
#define OID_BYTES 17
#define OID_INTEGER 20
#define OID_INT4 23
#define OID_TEXT 25

#define CONNECT_ATTEMPTS 5
#define CONNECT_PAUSE_MS 300 /* times the number of the attempt */
#define CONNECT_TIMEOUT_S "5"
#define OWNER_WAIT_NS (5 * NS_PER_SECOND) /* the server notices later that the program before has ended */
/* What a statement may wait, for a lock or for all of it; the server's clocks never run beside a migration's. */
#define SESSION                                                                                                        \
  "SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET synchronous_commit = on;"                              \
  "SET client_min_messages = warning; SET standard_conforming_strings = on"
/* One key for making schemas; owners, each of one of the database's schemas, have the other half of the two-key space.
 */
#define SCHEMA_LOCK "SELECT pg_advisory_xact_lock(1953647980)"

struct postgres {
  struct sql sql;
  char *url;
  char *owner; /* NULL: none */
  PGconn *connection;
};

static int code_of(const char *state) {
  static const struct {
    const char *prefix;
    int code;
  } codes[] = {
      {"23", EEXIST},    {"25006", EROFS}, {"53100", ENOSPC},   {"53200", ENOMEM},  {"55P03", EBUSY},
      {"40", EBUSY},     {"57014", EBUSY}, {"XX001", EBADMSG},  {"XX002", EBADMSG}, {"28", EACCES},
      {"42501", EACCES}, {"22", EINVAL},   {"57P", ECONNRESET}, {"08", ECONNRESET},
  };
  for (size_t i = 0; state && i < ARRAY_COUNT(codes); i++)
    if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) == 0)
      return codes[i].code;
  return EIO;
}

static const char *advice_of(int code) {
  switch (code) {
  case ENOSPC:
    return ": make room on the server's disk, or keep fewer runs; nothing that was kept is lost";
  case EROFS:
    return ": the server is read-only (a standby?); name the one that can be written";
  case EACCES:
    return ": look at the user, its password and its rights";
  case ECONNREFUSED:
  case ECONNRESET:
    return ": is the server up, and is the URL right?";
  default:
    return "";
  }
}

/* libpq's messages never have the password, and end with a new line. */
static int failed(const struct postgres *self, const PGresult *result, struct error **err) {
  const char *text = result ? PQresultErrorMessage(result) : PQerrorMessage(self->connection);
  int code = PQstatus(self->connection) != CONNECTION_OK ? ECONNRESET
             : result                                    ? code_of(PQresultErrorField(result, PG_DIAG_SQLSTATE))
                                                         : ENOMEM;
  return error_set(err, code, "PostgreSQL: %.*s%s", (int)strcspn(text, "\n"), text, advice_of(code));
}

static struct sql_value column(const PGresult *result, int row, int index) {
  struct sql_value value = {.data = PQgetvalue(result, row, index), .length = (size_t)PQgetlength(result, row, index)};
  switch (PQftype(result, index)) {
  case OID_INTEGER: {
    uint64_t bits = 0;
    memcpy(&bits, value.data, sizeof(bits));
    value.kind = SQL_INTEGER;
    value.integer = (int64_t)be64toh(bits);
    break;
  }
  case OID_INT4: {
    uint32_t bits = 0;
    memcpy(&bits, value.data, sizeof(bits));
    value.kind = SQL_INTEGER;
    value.integer = (int32_t)be32toh(bits);
    break;
  }
  case OID_BYTES:
    value.kind = SQL_BYTES;
    break;
  default:
    value.kind = SQL_TEXT;
    break;
  }
  return value;
}

static int give_rows(const PGresult *result, sql_row_fn *row, void *ctx, struct error **err) {
  struct sql_value values[SQL_PARAMETERS_MAX];
  int count = PQnfields(result);
  if (count > SQL_PARAMETERS_MAX)
    return error_set(err, EIO, "PostgreSQL: %d columns", count);
  for (int i = 0; i < PQntuples(result); i++) {
    for (int k = 0; k < count; k++)
      values[k] = column(result, i, k);
    int r = row(ctx, values, (size_t)count);
    if (r < 0)
      return error_set(err, -r, "PostgreSQL: a row could not be taken: %s", strerror(-r));
  }
  return 0;
}

static int postgres_run(struct sql *sql, const char *text, const struct sql_value *parameters, size_t count,
                        sql_row_fn *row, void *ctx, int64_t *ret_changed, struct error **err) {
  struct postgres *self = (struct postgres *)sql;
  Oid types[SQL_PARAMETERS_MAX];
  const char *values[SQL_PARAMETERS_MAX];
  int lengths[SQL_PARAMETERS_MAX];
  int formats[SQL_PARAMETERS_MAX];
  uint64_t integers[SQL_PARAMETERS_MAX];

  if (count > SQL_PARAMETERS_MAX)
    return error_set(err, EINVAL, "PostgreSQL: %zu parameters", count);
  for (size_t i = 0; i < count; i++) {
    const struct sql_value *value = &parameters[i];
    if (value->length > INT32_MAX)
      return error_set(err, E2BIG, "PostgreSQL: a value of %zu bytes", value->length);
    integers[i] = htobe64((uint64_t)value->integer);
    types[i] = value->kind == SQL_INTEGER ? OID_INTEGER : value->kind == SQL_TEXT ? OID_TEXT : OID_BYTES;
    values[i] = value->kind == SQL_INTEGER ? (const char *)&integers[i] : value->data;
    lengths[i] = value->kind == SQL_INTEGER ? (int)sizeof(integers[i]) : (int)value->length;
    formats[i] = 1;
  }
  PGresult *result = PQexecParams(self->connection, text, (int)count, types, values, lengths, formats, 1);
  ExecStatusType status = PQresultStatus(result);
  int r = 0;
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    r = failed(self, result, err);
  else if (row && status == PGRES_TUPLES_OK)
    r = give_rows(result, row, ctx, err);
  if (r == 0 && ret_changed)
    *ret_changed = strtoll(PQcmdTuples(result), NULL, 10);
  PQclear(result);
  return r;
}

static int postgres_script(struct sql *sql, const char *text, struct error **err) {
  struct postgres *self = (struct postgres *)sql;
  PGresult *result = PQexec(self->connection, text);
  ExecStatusType status = PQresultStatus(result);
  /* A COMMIT of what had failed before says that it was a ROLLBACK. */
  int r = status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK ? failed(self, result, err)
          : strcmp(text, "COMMIT") == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0
              ? error_set(err, EIO, "PostgreSQL: the transaction was taken back")
              : 0;
  PQclear(result);
  return r;
}

static bool postgres_lost(const struct sql *sql) {
  return PQstatus(((const struct postgres *)sql)->connection) != CONNECTION_OK;
}

static int first_integer(void *ctx, const struct sql_value *values, size_t count) {
  if (count != 1 || values[0].kind != SQL_INTEGER)
    return -EIO;
  *(int64_t *)ctx = values[0].integer;
  return 0;
}

static int take_lock(struct postgres *self, struct error **err) {
  const struct sql_value owner = sql_text(self->owner);
  int64_t deadline_ns = clock_in_ns(OWNER_WAIT_NS);
  int64_t taken = 0;
  for (;;) {
    int r = postgres_run(&self->sql,
                         "SELECT pg_try_advisory_lock(1953647980, hashtext(current_schema() || ' ' || $1))::int4",
                         &owner, 1, first_integer, &taken, NULL, err);
    if (r < 0 || taken)
      return r;
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, EBUSY,
                       "PostgreSQL: another program has the store open as \"%s\": end it, or name this "
                       "one otherwise",
                       self->owner);
    (void)poll(NULL, 0, 50);
  }
}

static int begin_session(struct postgres *self, struct error **err) {
  const char *encoding = PQparameterStatus(self->connection, "server_encoding");
  if (!encoding || strcmp(encoding, "UTF8") != 0)
    return error_set(err, EINVAL, "PostgreSQL: the database's encoding is %s: make one with UTF8",
                     encoding ? encoding : "unknown");
  int r = postgres_script(&self->sql, SESSION, err);
  return r == 0 && self->owner ? take_lock(self, err) : r;
}

static int connect_once(struct postgres *self, struct error **err) {
  /* The URL comes last of what it may set; the encoding is not its to choose. */
  static const char *const keys[] = {"connect_timeout",
                                     "application_name",
                                     "keepalives_idle",
                                     "keepalives_interval",
                                     "keepalives_count",
                                     "tcp_user_timeout",
                                     "dbname",
                                     "client_encoding",
                                     NULL};
  const char *const values[] = {CONNECT_TIMEOUT_S, "trammel", "30", "5", "3", "15000", self->url, "UTF8", NULL};
  PQfinish(self->connection);
  self->connection = PQconnectdbParams(keys, values, 1);
  if (!self->connection)
    return error_set(err, ENOMEM, "no memory");
  if (PQstatus(self->connection) != CONNECTION_OK) {
    const char *text = PQerrorMessage(self->connection);
    return error_set(err, ECONNREFUSED, "PostgreSQL: %.*s%s", (int)strcspn(text, "\n"), text, advice_of(ECONNREFUSED));
  }
  int r = begin_session(self, err);
  if (r < 0) { /* no session that anything could be written in */
    PQfinish(self->connection);
    self->connection = NULL;
  }
  return r;
}

static int postgres_restore(struct sql *sql, struct error **err) {
  struct postgres *self = (struct postgres *)sql;
  for (int attempt = 1;; attempt++) {
    int r = connect_once(self, err);
    if (r == 0 || (r != -ECONNREFUSED && r != -ECONNRESET) || attempt == CONNECT_ATTEMPTS)
      return r;
    (void)poll(NULL, 0, attempt * CONNECT_PAUSE_MS);
  }
}

static int postgres_clone(const struct sql *sql, struct sql **ret_sql, struct error **err) {
  return postgres_open(((const struct postgres *)sql)->url, NULL, ret_sql, err);
}

/* A server's backups are its keeper's; a migration is a transaction as a whole. */
static int postgres_backup(struct sql *sql, int64_t version, struct error **err) {
  (void)sql;
  (void)version;
  (void)err;
  return 0;
}

static void postgres_close(struct sql *sql) {
  struct postgres *self = (struct postgres *)sql;
  if (!self)
    return;
  PQfinish(self->connection);
  if (self->url)
    explicit_bzero(self->url, strlen(self->url));
  free(self->url);
  free(self->owner);
  free(self);
}

#define TEXT "TEXT COLLATE \"C\""
static const char *const postgres_schema[] = {
    SCHEMA_RUNS(TEXT, "BIGINT", ""),
    SCHEMA_REPORTS(TEXT, "BIGINT", "BYTEA", ""),
    SCHEMA_ACCOUNTS(TEXT, "BIGINT", "BYTEA", ""),
    NULL,
};

static const struct sql_driver postgres_driver = {
    .begin = "BEGIN",
    .schema_lock = SCHEMA_LOCK,
    .run = postgres_run,
    .script = postgres_script,
    .lost = postgres_lost,
    .restore = postgres_restore,
    .clone = postgres_clone,
    .backup = postgres_backup,
    .close = postgres_close,
    .schema = postgres_schema,
};

int postgres_open(const char *url, const char *owner, struct sql **ret_sql, struct error **err) {
  struct postgres *self = calloc(1, sizeof(*self));
  if (!self)
    return error_set(err, ENOMEM, "no memory");
  self->sql.driver = &postgres_driver;
  self->url = strdup(url);
  self->owner = owner ? strdup(owner) : NULL;
  int r =
      !self->url || (owner && !self->owner) ? error_set(err, ENOMEM, "no memory") : postgres_restore(&self->sql, err);
  if (r < 0) {
    postgres_close(&self->sql);
    return r;
  }
  *ret_sql = &self->sql;
  return 0;
}
