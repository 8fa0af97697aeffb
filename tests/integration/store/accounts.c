/* What a store keeps of accounts: part of the store's suite. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/store/accounts.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "tests/integration/store/suite.h"

#define OK(call)                                                                                                       \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    if ((call) < 0)                                                                                                    \
      fail_msg("%s: %s", #call, error_message(err));                                                                   \
  } while (0)

#define REFUSED(code, call)                                                                                            \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    assert_int_equal((call), -(code));                                                                                 \
    assert_int_equal(error_code(err), (code));                                                                         \
  } while (0)

#define NOW (INT64_C(1000) * NS_PER_SECOND)

static void add_user(struct store *store, const char *name) {
  const struct store_user user = {.name = (char *)(uintptr_t)name, .role = "viewer", .password = "hash"};
  OK(store_user_add(store, &user, &err));
}

static void add_login(struct store *store, const char *id, const char *user, int64_t at_ns) {
  const struct store_login login = {
      .id = id, .user = user, .password = "hash", .hash = "h1", .expires_ns = at_ns + 100};
  OK(store_login_add(store, &login, at_ns, &err));
}

static int renew(struct store *store, const char *id, const char *hash, const char *next, int64_t now_ns) {
  char *user = NULL;
  int64_t expires_ns = 0;
  int r = store_login_renew(store, id, hash, next, now_ns, &user, &expires_ns, NULL);
  if (r == 0) {
    assert_non_null(user);
    assert_true(expires_ns > now_ns);
  } else {
    assert_null(user);
  }
  free(user);
  return r;
}

void users_are_kept(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  struct store_user user = {0};
  struct store_user *users = NULL;
  size_t count = 0;
  add_user(store, "bob");
  add_user(store, "alice");
  REFUSED(EEXIST, store_user_add(store, &(struct store_user){.name = "bob", .role = "admin", .password = "x"}, &err));
  REFUSED(ENOENT, store_user_get(store, "carol", &user, &err));
  OK(store_user_change(store, "bob", "operator", NULL, &err));
  OK(store_user_get(store, "bob", &user, &err));
  assert_string_equal(user.role, "operator");
  assert_string_equal(user.password, "hash");
  assert_true(user.created_ns > 0);
  store_user_finish(&user);
  OK(store_user_change(store, "bob", NULL, "other", &err));
  store_close(store);

  store = open_store(backend_location(), OWNER, 0);
  OK(store_user_list(store, &users, &count, &err));
  assert_int_equal(count, 2);
  assert_string_equal(users[0].name, "alice");
  assert_string_equal(users[1].password, "other");
  assert_string_equal(users[1].role, "operator");
  store_users_free(users, count);
  OK(store_user_remove(store, "bob", &err));
  REFUSED(ENOENT, store_user_remove(store, "bob", &err));
  REFUSED(ENOENT, store_user_change(store, "bob", "admin", NULL, &err));
  store_close(store);
}

void a_login_is_renewed_with_its_latest_secret_only(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  REFUSED(ENOENT, store_login_add(store, &(struct store_login){.id = "l", .user = "nobody", .hash = "h"}, NOW, &err));
  add_user(store, "alice");
  add_login(store, "l", "alice", NOW);
  add_login(store, "m", "alice", NOW);
  assert_int_equal(renew(store, "l", "h1", "h2", NOW), 0);
  assert_int_equal(renew(store, "l", "h2", "h3", NOW), 0);
  assert_int_equal(renew(store, "x", "h1", "h2", NOW), -ENOENT);
  assert_int_equal(renew(store, "l", "h1", "h4", NOW), -EKEYREVOKED); /* used before */
  assert_int_equal(renew(store, "l", "h3", "h4", NOW), -ENOENT);      /* so all of it has ended */
  assert_int_equal(renew(store, "m", "h1", "h2", NOW), 0);            /* and no other */
  assert_int_equal(renew(store, "m", "h2", "h3", NOW + 100), -EKEYEXPIRED);
  assert_int_equal(renew(store, "m", "h2", "h3", NOW), -ENOENT);
  store_close(store);
}

void logins_end_with_what_they_rest_on(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  add_user(store, "alice");
  add_user(store, "bob");
  add_login(store, "a", "alice", NOW);
  add_login(store, "b", "bob", NOW);
  OK(store_user_change(store, "alice", "admin", NULL, &err));
  assert_int_equal(renew(store, "a", "h1", "h2", NOW), 0);
  OK(store_user_change(store, "alice", NULL, "another", &err));
  assert_int_equal(renew(store, "a", "h2", "h3", NOW), -ENOENT);
  OK(store_user_remove(store, "bob", &err));
  assert_int_equal(renew(store, "b", "h1", "h2", NOW), -ENOENT);
  const struct store_login late = {
      .id = "late", .user = "alice", .password = "hash", .hash = "h1", .expires_ns = NOW + 100};
  REFUSED(ENOENT, store_login_add(store, &late, NOW, &err)); /* the old password was verified before it changed */
  OK(store_user_change(store, "alice", NULL, "hash", &err));
  add_login(store, "c", "alice", NOW);
  REFUSED(ENOENT, store_login_end(store, "c", "h9", &err));
  OK(store_login_end(store, "c", "h1", &err));
  REFUSED(ENOENT, store_login_end(store, "c", "h1", &err));
  store_close(store);
}

void the_oldest_logins_make_room(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  char id[16];
  add_user(store, "alice");
  for (int i = 0; i <= STORE_LOGINS_MAX; i++) {
    (void)snprintf(id, sizeof(id), "l%d", i);
    add_login(store, id, "alice", NOW + i);
  }
  assert_int_equal(renew(store, "l0", "h1", "h2", NOW + 1), -ENOENT);
  assert_int_equal(renew(store, "l1", "h1", "h2", NOW + 1), 0);
  add_login(store, "later", "alice", NOW + 150); /* those that are over go */
  assert_int_equal(renew(store, "l2", "h1", "h2", NOW + 1), -ENOENT);
  store_close(store);
}

void tokens_are_found_by_their_hash(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  struct store_token token = {0};
  struct store_token *tokens = NULL;
  size_t count = 0;
  add_user(store, "alice");
  OK(store_token_add(store,
                     &(struct store_token){
                         .id = "t1", .hash = "h1", .name = "ci", .role = "operator", .user = "alice", .expires_ns = 9},
                     &err));
  OK(store_token_add(store, &(struct store_token){.id = "t2", .hash = "h2", .name = "ci", .role = "viewer"}, &err));
  REFUSED(EEXIST, store_token_add(store, &(struct store_token){.id = "t1", .hash = "h3"}, &err));
  REFUSED(EEXIST, store_token_add(store, &(struct store_token){.id = "t3", .hash = "h1"}, &err));
  OK(store_token_find(store, "h1", &token, &err));
  assert_string_equal(token.id, "t1");
  assert_string_equal(token.role, "operator");
  assert_string_equal(token.user, "alice");
  assert_int_equal(token.expires_ns, 9);
  store_token_finish(&token);
  REFUSED(ENOENT, store_token_find(store, "t1", &token, &err));
  REFUSED(ENOENT, store_token_find(store, "", &token, &err));
  OK(store_token_list(store, &tokens, &count, &err));
  assert_int_equal(count, 2);
  store_tokens_free(tokens, count);
  OK(store_user_remove(store, "alice", &err)); /* with its tokens */
  REFUSED(ENOENT, store_token_find(store, "h1", &token, &err));
  OK(store_token_remove(store, "t2", &err));
  REFUSED(ENOENT, store_token_remove(store, "t2", &err));
  store_close(store);
}

static void add_key(struct store *store, const char *id, int64_t at_ns, int64_t since_ns, int64_t until_ns) {
  const struct store_key key = {
      .id = (char *)(uintptr_t)id, .created_ns = at_ns, .data = (unsigned char *)(uintptr_t) "\0\1\2", .length = 3};
  OK(store_key_add(store, &key, since_ns, until_ns, &err));
}

static void expect_keys(struct store *store, const char *expected) {
  struct store_key *keys = NULL;
  size_t count = 0;
  _cleanup_strbuf_ struct strbuf ids = STRBUF_INIT;
  OK(store_key_list(store, &keys, &count, &err));
  for (size_t i = 0; i < count; i++) {
    strbuf_puts(&ids, keys[i].id);
    assert_int_equal(keys[i].length, 3);
    assert_memory_equal(keys[i].data, "\0\1\2", 3);
  }
  assert_string_equal(strbuf_text(&ids), expected);
  store_keys_free(keys, count);
}

void one_key_is_made_at_a_time(void **state) {
  (void)state;
  struct store *store = open_store(backend_location(), OWNER, 0);
  expect_keys(store, "");
  add_key(store, "a", 100, 50, 0);
  add_key(store, "b", 101, 50, 0); /* there is one of 50 or after */
  expect_keys(store, "a");
  add_key(store, "c", 200, 150, 0);
  expect_keys(store, "ca");
  add_key(store, "d", 300, 250, 150);
  expect_keys(store, "dc");
  store_close(store);
}
