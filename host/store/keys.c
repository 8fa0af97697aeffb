#include <errno.h>
#include <string.h>

#include "host/store/accounts.h"
#include "host/store/store_internal.h"

void store_keys_free(struct store_key *keys, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (keys[i].data)
      explicit_bzero(keys[i].data, keys[i].length);
    free(keys[i].data);
    free(keys[i].id);
  }
  free(keys);
}

struct key_list {
  struct store_key *keys;
  size_t count;
  size_t capacity;
};

static int take_key(void *ctx, const struct sql_value *values, size_t count) {
  struct key_list *list = ctx;
  if (count != 3 || values[1].kind != SQL_INTEGER || values[2].kind != SQL_BYTES)
    return -EIO;
  int r = array_reserve((void **)&list->keys, &list->capacity, list->count, sizeof(*list->keys));
  if (r < 0)
    return r;
  struct store_key *key = &list->keys[list->count++];
  *key = (struct store_key){.created_ns = values[1].integer, .length = values[2].length};
  key->data = malloc(key->length + 1);
  if (!key->data)
    return -ENOMEM;
  (void)memcpy(key->data, values[2].data, key->length);
  return column_text(&values[0], &key->id);
}

static void start_over(struct key_list *list) {
  store_keys_free(list->keys, list->count);
  list->keys = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct key_list *list = ctx;
  const struct sql_value most = SQL_VALUE_INTEGER(STORE_KEYS_MAX);
  start_over(list);
  return sql->driver->run(sql, "SELECT id, created_ns, data FROM signing_keys ORDER BY created_ns DESC, id LIMIT $1",
                          &most, 1, take_key, list, NULL, err);
}

int store_key_list(struct store *store, struct store_key **ret_keys, size_t *ret_count, struct error **err) {
  struct key_list list = {0};
  int r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_keys = list.keys;
  *ret_count = list.count;
  return 0;
}

struct key_add {
  const struct store_key *key;
  int64_t since_ns, until_ns;
};

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  const struct key_add *add = ctx;
  const struct sql_value until = SQL_VALUE_INTEGER(add->until_ns);
  const struct sql_value values[] = {
      sql_text(add->key->id),
      SQL_VALUE_INTEGER(add->key->created_ns),
      {.kind = SQL_BYTES, .data = (const char *)add->key->data, .length = add->key->length},
      SQL_VALUE_INTEGER(add->since_ns)};
  int r = sql->driver->schema_lock ? sql->driver->script(sql, sql->driver->schema_lock, err) : 0;
  if (r == 0)
    r = sql->driver->run(sql, "DELETE FROM signing_keys WHERE created_ns < $1", &until, 1, NULL, NULL, NULL, err);
  if (r < 0)
    return r;
  return sql->driver->run(sql,
                          "INSERT INTO signing_keys (id, created_ns, data) SELECT $1, $2, $3 WHERE NOT EXISTS"
                          " (SELECT 1 FROM signing_keys WHERE created_ns >= $4)",
                          values, ARRAY_COUNT(values), NULL, NULL, NULL, err);
}

int store_key_add(struct store *store, const struct store_key *key, int64_t since_ns, int64_t until_ns,
                  struct error **err) {
  struct key_add add = {.key = key, .since_ns = since_ns, .until_ns = until_ns};
  int r = store_check(key->id, STORE_NAME_MAX, "a key's id", err);
  if (r == 0 && (key->length == 0 || key->length > STORE_KEY_BYTES_MAX))
    r = error_set(err, EINVAL, "a key of %zu bytes: at most %d are kept", key->length, STORE_KEY_BYTES_MAX);
  return r < 0 ? r : store_write(store, add_work, &add, err);
}
