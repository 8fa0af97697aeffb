#include <errno.h>
#include <string.h>

#include "host/store/accounts.h"
#include "host/store/store_internal.h"
#include "sdk/base/clock.h"

void store_token_finish(struct store_token *token) {
  free(token->id);
  free(token->hash);
  free(token->name);
  free(token->role);
  free(token->user);
  *token = (struct store_token){0};
}

void store_tokens_free(struct store_token *tokens, size_t count) {
  for (size_t i = 0; i < count; i++)
    store_token_finish(&tokens[i]);
  free(tokens);
}

struct token_list {
  const char *hash; /* NULL: all */
  struct store_token *tokens;
  size_t count;
  size_t capacity;
};

#define COLUMNS "id, name, role, account, created_ns, expires_ns"

static int take_token(void *ctx, const struct sql_value *values, size_t count) {
  struct token_list *list = ctx;
  if (count != 6 || values[4].kind != SQL_INTEGER || values[5].kind != SQL_INTEGER)
    return -EIO;
  int r = array_reserve((void **)&list->tokens, &list->capacity, list->count, sizeof(*list->tokens));
  if (r < 0)
    return r;
  struct store_token *token = &list->tokens[list->count++];
  *token = (struct store_token){.created_ns = values[4].integer, .expires_ns = values[5].integer};
  if ((r = column_text(&values[0], &token->id)) == 0 && (r = column_text(&values[1], &token->name)) == 0 &&
      (r = column_text(&values[2], &token->role)) == 0 && (r = column_text(&values[3], &token->user)) == 0)
    r = (token->hash = calloc(1, 1)) ? 0 : -ENOMEM;
  return r;
}

static void start_over(struct token_list *list) {
  store_tokens_free(list->tokens, list->count);
  list->tokens = NULL;
  list->count = list->capacity = 0;
}

static int list_work(struct sql *sql, void *ctx, struct error **err) {
  struct token_list *list = ctx;
  const struct sql_value values[] = {sql_text(list->hash), SQL_VALUE_INTEGER(list->hash ? 0 : 1)};
  start_over(list);
  return sql->driver->run(sql, "SELECT " COLUMNS " FROM tokens WHERE hash = $1 OR $2 = 1 ORDER BY created_ns, id",
                          values, ARRAY_COUNT(values), take_token, list, NULL, err);
}

int store_token_find(struct store *store, const char *hash, struct store_token *ret_token, struct error **err) {
  struct token_list list = {.hash = hash};
  int r = store_check(hash, STORE_NAME_MAX, "a token's hash", err);
  if (r == 0)
    r = store_read(store, list_work, &list, err);
  if (r == 0 && list.count == 1) {
    *ret_token = list.tokens[0];
    free(list.tokens);
    return 0;
  }
  start_over(&list);
  return r < 0 ? r : error_set(err, ENOENT, "there is no such token");
}

int store_token_list(struct store *store, struct store_token **ret_tokens, size_t *ret_count, struct error **err) {
  struct token_list list = {0};
  int r = store_read(store, list_work, &list, err);
  if (r < 0) {
    start_over(&list);
    return r;
  }
  *ret_tokens = list.tokens;
  *ret_count = list.count;
  return 0;
}

static int take_count(void *ctx, const struct sql_value *values, size_t count) {
  if (count != 1 || values[0].kind != SQL_INTEGER)
    return -EIO;
  *(int64_t *)ctx = values[0].integer;
  return 0;
}

static int add_work(struct sql *sql, void *ctx, struct error **err) {
  const struct store_token *token = ctx;
  const struct sql_value values[] = {sql_text(token->id),
                                     sql_text(token->name),
                                     sql_text(token->role),
                                     sql_text(token->user),
                                     SQL_VALUE_INTEGER(clock_realtime_ns()),
                                     SQL_VALUE_INTEGER(token->expires_ns),
                                     sql_text(token->hash)};
  int64_t there = 0, added = 0;
  int r = sql->driver->run(sql, "SELECT count(*) FROM tokens", NULL, 0, take_count, &there, NULL, err);
  if (r == 0 && there >= STORE_TOKENS_MAX)
    return error_set(err, E2BIG, "there are %d tokens, which is the most there may be: revoke some", STORE_TOKENS_MAX);
  if (r == 0)
    r = sql->driver->run(sql,
                         "INSERT INTO tokens (" COLUMNS ", hash) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO"
                         " NOTHING",
                         values, ARRAY_COUNT(values), NULL, NULL, &added, err);
  return r < 0 || added > 0 ? r : error_set(err, EEXIST, "there is a token %s already", token->id);
}

int store_token_add(struct store *store, const struct store_token *token, struct error **err) {
  struct store_token row = *token;
  const char *const texts[] = {token->id, token->hash, token->name, token->role, token->user};
  int r = 0;
  for (size_t i = 0; r == 0 && i < ARRAY_COUNT(texts); i++)
    r = store_check(texts[i], STORE_NAME_MAX, "a text of a token", err);
  return r < 0 ? r : store_write(store, add_work, &row, err);
}

static int remove_work(struct sql *sql, void *ctx, struct error **err) {
  const struct sql_value id = sql_text(ctx);
  int64_t removed = 0;
  int r = sql->driver->run(sql, "DELETE FROM tokens WHERE id = $1", &id, 1, NULL, NULL, &removed, err);
  return r < 0 || removed > 0 ? r : error_set(err, ENOENT, "there is no token %s", (const char *)ctx);
}

int store_token_remove(struct store *store, const char *id, struct error **err) {
  int r = store_check(id, STORE_NAME_MAX, "a token's id", err);
  return r < 0 ? r : store_write(store, remove_work, (char *)(uintptr_t)id, err);
}
