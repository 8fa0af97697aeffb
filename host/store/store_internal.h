/* What the store's files share: its connections, and how work is done on them. */
#ifndef TRAMMEL_HOST_STORE_STORE_INTERNAL_H
#define TRAMMEL_HOST_STORE_STORE_INTERNAL_H

#include "host/store/sql.h"
#include "host/store/store.h"

/* May be called again from the start when the server was lost meanwhile, and must leave `ctx` fit for that. */
typedef int store_work(struct sql *sql, void *ctx, struct error **err);

/* On a connection for reading; in a transaction that is kept when 0 is returned, and by then on the disk. */
int store_read(struct store *store, store_work *work, void *ctx, struct error **err);
int store_write(struct store *store, store_work *work, void *ctx, struct error **err);

/* -EINVAL naming `what`. NULL is fine. */
int store_check(const char *text, size_t limit, const char *what, struct error **err);
int store_check_limit(size_t limit, struct error **err);

/* In a transaction: -ENOENT, or -EALREADY when it isn't one of the states (a bit each). */
int run_expect(struct sql *sql, const char *id, unsigned states, struct error **err);
#define RUN_QUEUED (1u << STORE_QUEUED)
#define RUN_RUNNING (1u << STORE_RUNNING)
#define RUN_OPEN "(1, 2)" /* STORE_QUEUED, STORE_RUNNING */

/* In a transaction, all of it as it is given: -EINVAL beyond the limits, -EEXIST (run, result). */
int run_insert(struct sql *sql, const struct store_run *run, struct error **err);
int event_insert(struct sql *sql, const char *run, const struct store_event *event, struct error **err);
/* One that happens now: -E2BIG. */
int event_append(struct sql *sql, const char *run, const char *text, int64_t sequence, struct error **err);
int result_insert(struct sql *sql, const char *run, const struct store_result *result, struct error **err);
/* As report_compress() made it of `length` bytes: -E2BIG. */
int report_insert(struct sql *sql, const char *id, const char *data, size_t data_length, size_t length,
                  struct error **err);
int report_compress(const void *report, size_t length, char **ret_data, size_t *ret_length, struct error **err);

/* A sql_row_fn: the one column, into the int64_t that `ctx` points to. */
int row_integer(void *ctx, const struct sql_value *values, size_t count);

/* Copies a column of text. 0 or -ENOMEM, -EIO when it is no text. */
int column_text(const struct sql_value *value, char **ret_text);

#endif
