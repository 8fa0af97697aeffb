#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/auth/authority_internal.h"
#include "host/auth/password.h"
#include "host/auth/secret.h"
#include "host/store/accounts.h"
#include "sdk/base/clock.h"

/* Plain names: they are shown in logs, and compared as they are. */
static int check_name(const char *what, const char *name, struct error **err) {
  size_t length = strlen(name);
  if (length >= 1 && length <= AUTHORITY_NAME_MAX && *name >= 'a' && *name <= 'z' &&
      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-@") == length)
    return 0;
  return error_set(err, EINVAL,
                   "the name of a %s is 1 to %d of a-z, 0-9, '.', '_', '-' and '@', and begins with a letter", what,
                   AUTHORITY_NAME_MAX);
}

static int check_role(enum role role, struct error **err) {
  return role >= ROLE_VIEWER && role <= ROLE_ADMIN ? 0 : error_set(err, EINVAL, "a role is viewer, operator or admin");
}

int authority_user_add(struct authority *authority, const char *name, enum role role, const char *password,
                       struct error **err) {
  char hash[PASSWORD_TEXT_MAX];
  int r = check_name("user", name, err);
  if (r == 0)
    r = check_role(role, err);
  if (r == 0)
    r = password_hash(password, hash, err);
  if (r < 0)
    return r;
  const struct store_user user = {
      .name = (char *)(uintptr_t)name, .role = (char *)(uintptr_t)role_name(role), .password = hash};
  return store_user_add(authority->store, &user, err);
}

int authority_user_set_password(struct authority *authority, const char *name, const char *password,
                                struct error **err) {
  char hash[PASSWORD_TEXT_MAX];
  int r = password_hash(password, hash, err);
  return r < 0 ? r : store_user_change(authority->store, name, NULL, hash, err);
}

int authority_user_change_password(struct authority *authority, const char *name, const char *old, const char *password,
                                   const char *from, struct error **err) {
  struct store_user user = {0};
  int r = authority_check_password(authority, name, old, from, &user, err);
  store_user_finish(&user);
  return r < 0 ? r : authority_user_set_password(authority, name, password, err);
}

/* ---- tokens for programs */

static int check_token(const struct caller *caller, const char *name, enum role role, int64_t life_s,
                       struct error **err) {
  int r = caller->program ? error_set(err, EPERM, "a token makes no tokens: a user does, after `trammel login`") : 0;
  if (r == 0)
    r = check_name("token", name, err);
  if (r == 0)
    r = check_role(role, err);
  if (r == 0 && role > caller->role)
    r = error_set(err, EPERM, "a token cannot be of the role %s: its maker is %s", role_name(role),
                  role_name(caller->role));
  if (r == 0 && (life_s < 1 || life_s > AUTHORITY_TOKEN_MAX_S))
    r = error_set(err, EINVAL, "a token holds for 1 second to 366 days");
  return r;
}

static int copy(const struct store_token *from, struct store_token *ret_token) {
  struct store_token made = {.id = strdup(from->id),
                             .hash = strdup(""),
                             .name = strdup(from->name),
                             .role = strdup(from->role),
                             .user = strdup(from->user),
                             .created_ns = from->created_ns,
                             .expires_ns = from->expires_ns};
  if (!made.id || !made.hash || !made.name || !made.role || !made.user) {
    store_token_finish(&made);
    return -ENOMEM;
  }
  *ret_token = made;
  return 0;
}

int authority_token_create(struct authority *authority, const struct caller *caller, const char *name, enum role role,
                           int64_t life_s, char **ret_text, struct store_token *ret_token, struct error **err) {
  char id[SECRET_ID_BYTES], secret[SECRET_TEXT_MAX], hash[SECRET_HASH_MAX];
  int64_t now_ns = authority->now_s() * NS_PER_SECOND;
  int r = check_token(caller, name, role, life_s, err);
  if (r == 0)
    r = secret_make_id(id, err);
  if (r == 0)
    r = secret_make(SECRET_API, secret, err);
  if (r == 0 && secret_hash(SECRET_API, secret, hash) < 0)
    r = error_set(err, EIO, "the token's secret cannot be hashed");
  if (r < 0)
    return r;
  struct store_token token = {.id = id,
                              .hash = hash,
                              .name = (char *)(uintptr_t)name,
                              .role = (char *)(uintptr_t)role_name(role),
                              .user = (char *)(uintptr_t)caller->user,
                              .created_ns = now_ns,
                              .expires_ns = now_ns + life_s * NS_PER_SECOND};
  char *text = strdup(secret);
  explicit_bzero(secret, sizeof(secret));
  r = text ? copy(&token, ret_token) : -ENOMEM;
  if (r < 0)
    (void)error_set(err, ENOMEM, "no memory");
  else if ((r = store_token_add(authority->store, &token, err)) < 0)
    store_token_finish(ret_token);
  if (r < 0)
    free(text);
  else
    *ret_text = text;
  return r;
}
