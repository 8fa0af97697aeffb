#include <inttypes.h>

#include "host/store/store_internal.h"

#define BATCH 50 /* runs of a transaction: others write between two */

struct prune {
  const struct store_keep *keep;
  int64_t removed;
};

/* The latest of each mesh and kind have the first numbers. The states are those after STORE_RUNNING. */
static int prune_work(struct sql *sql, void *ctx, struct error **err) {
  struct prune *prune = ctx;
  uint64_t count = prune->keep->count;
  const struct sql_value values[] = {SQL_VALUE_INTEGER(count == 0 || count > INT64_MAX ? INT64_MAX : (int64_t)count),
                                     SQL_VALUE_INTEGER(prune->keep->older_than_ns), SQL_VALUE_INTEGER(BATCH)};
  return sql->driver->run(
      sql,
      "DELETE FROM runs WHERE id IN (SELECT id FROM (SELECT id, created_ns, row_number() OVER"
      " (PARTITION BY mesh, kind ORDER BY created_ns DESC, id DESC) AS place FROM runs WHERE state > 2) AS ended"
      " WHERE place > $1 OR created_ns < $2 ORDER BY created_ns, id LIMIT $3)",
      values, ARRAY_COUNT(values), NULL, NULL, &prune->removed, err);
}

int store_prune(struct store *store, const struct store_keep *keep, uint64_t *ret_removed, struct error **err) {
  struct prune prune = {.keep = keep};
  uint64_t removed = 0;
  int r = 0;
  do {
    r = store_write(store, prune_work, &prune, err);
    removed += r == 0 ? (uint64_t)prune.removed : 0;
  } while (r == 0 && prune.removed > 0);
  if (ret_removed)
    *ret_removed = removed;
  return r;
}
