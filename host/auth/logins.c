#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auth/authority_internal.h"
#include "host/auth/password.h"
#include "host/auth/secret.h"
#include "host/store/accounts.h"
#include "sdk/base/clock.h"

#define ID_LENGTH (SECRET_ID_BYTES - 1)

static void wipe(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}

void grant_finish(struct grant *grant) {
  wipe(grant->access);
  wipe(grant->refresh);
  *grant = (struct grant){0};
}

/* ---- passwords */

/* A try counts as failed until it has succeeded: many at once count, too. */
static int begin_attempt(struct authority *authority, const char *pair, const char *address, struct error **err) {
  const struct attempts_who who[] = {{pair, AUTHORITY_FREE_PAIR}, {address, AUTHORITY_FREE_ADDRESS}};
  int64_t wait_ns = attempts_begin(&authority->attempts, who, ARRAY_COUNT(who), clock_monotonic_ns());
  return wait_ns > 0 ? error_set(err, EAGAIN, "too many failed logins: wait %" PRId64 " s", wait_ns / NS_PER_SECOND + 1)
                     : 0;
}

static int verify(struct authority *authority, const char *name, const char *password, struct store_user *ret_user,
                  struct error **err) {
  enum role role;
  struct store_user user = {0};
  int r = store_user_get(authority->store, name, &user, NULL);
  if (r < 0 && r != -ENOENT)
    return error_set(err, -r, "the store of users cannot be read: %s", strerror(-r));
  int good = password_verify(password, r == 0 ? user.password : NULL);
  if (good < 0)
    r = error_set(err, -good, "the password of %s cannot be checked: %s", name, strerror(-good));
  else if (good == 0)
    r = error_set(err, EACCES, "the user's name or the password is wrong");
  else
    r = role_parse(user.role, &role) < 0 ? error_set(err, EACCES, "the user %s has no role", name) : 0;
  if (r == 0)
    *ret_user = user;
  else
    store_user_finish(&user);
  return r;
}

int authority_check_password(struct authority *authority, const char *user, const char *password, const char *from,
                             struct store_user *ret_user, struct error **err) {
  char pair[ATTEMPTS_NAME_MAX], address[ATTEMPTS_NAME_MAX];
  if (strlen(user) > AUTHORITY_NAME_MAX || *user == '\0')
    return error_set(err, EACCES, "the user's name or the password is wrong");
  (void)snprintf(pair, sizeof(pair), "%s from %.50s", user, from);
  (void)snprintf(address, sizeof(address), "from %.50s", from);
  int r = begin_attempt(authority, pair, address, err);
  if (r == 0)
    r = verify(authority, user, password, ret_user, err);
  if (r == 0) {
    attempts_succeeded(&authority->attempts, pair);
    attempts_take_back(&authority->attempts, address); /* who knows one password may guess others from there */
  }
  return r;
}

/* ---- grants */

/* Its role is for who reads it; what counts is the role that the user has when it is used. */
static int make_access(struct authority *authority, struct grant *grant, struct error **err) {
  char id[SECRET_ID_BYTES];
  int64_t now_s = authority->now_s();
  int r = secret_make_id(id, err);
  if (r < 0)
    return r;
  grant->access_end_s = now_s + AUTHORITY_ACCESS_S;
  json_auto_t *claims =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "iss", KEYRING_ISSUER, "aud", KEYRING_AUDIENCE, "sub",
                grant->caller.user, "role", role_name(grant->caller.role), "jti", id, "iat", (json_int_t)now_s, "nbf",
                (json_int_t)now_s, "exp", (json_int_t)grant->access_end_s);
  return claims ? keyring_sign(authority->keyring, claims, &grant->access, err) : error_set(err, ENOMEM, "no memory");
}

/* "ID.SECRET": the login's name is no secret that could be guessed, and finds the login when the secret is an old one.
 */
static int join_refresh(const char *id, const char *secret, struct grant *grant, struct error **err) {
  if (asprintf(&grant->refresh, "%s.%s", id, secret) >= 0)
    return 0;
  grant->refresh = NULL;
  return error_set(err, ENOMEM, "no memory");
}

static int split_refresh(const char *refresh, char ret_id[SECRET_ID_BYTES], char ret_hash[SECRET_HASH_MAX],
                         struct error **err) {
  if (strlen(refresh) <= ID_LENGTH || strspn(refresh, "0123456789abcdef") != ID_LENGTH || refresh[ID_LENGTH] != '.' ||
      secret_hash(SECRET_REFRESH, refresh + ID_LENGTH + 1, ret_hash) < 0)
    return error_set(err, EACCES, "this is no refresh token");
  (void)snprintf(ret_id, SECRET_ID_BYTES, "%.*s", ID_LENGTH, refresh);
  return 0;
}

static int make_secret(char ret_text[SECRET_TEXT_MAX], char ret_hash[SECRET_HASH_MAX], struct error **err) {
  int r = secret_make(SECRET_REFRESH, ret_text, err);
  return r < 0 ? r : secret_hash(SECRET_REFRESH, ret_text, ret_hash);
}

/* The user may have gone, or got another password, since it was verified. */
static int add_login(struct authority *authority, const struct store_login *login, int64_t now_s, struct error **err) {
  _cleanup_error_ struct error *why = NULL;
  int r = store_login_add(authority->store, login, now_s * NS_PER_SECOND, &why);
  if (r == -ENOENT)
    return error_set(err, EACCES, "the user's name or the password is wrong");
  return r < 0 ? error_set(err, -r, "%s", error_message(why)) : 0;
}

static int begin_login(struct authority *authority, const struct store_user *user, struct grant *grant,
                       struct error **err) {
  char id[SECRET_ID_BYTES], secret[SECRET_TEXT_MAX], hash[SECRET_HASH_MAX];
  int64_t now_s = authority->now_s();
  const struct store_login login = {.id = id,
                                    .user = user->name,
                                    .password = user->password,
                                    .hash = hash,
                                    .expires_ns = (now_s + AUTHORITY_LOGIN_S) * NS_PER_SECOND};
  grant->refresh_end_s = now_s + AUTHORITY_LOGIN_S;
  int r = secret_make_id(id, err);
  if (r == 0)
    r = make_secret(secret, hash, err);
  if (r == 0)
    r = add_login(authority, &login, now_s, err);
  if (r == 0)
    r = join_refresh(id, secret, grant, err);
  explicit_bzero(secret, sizeof(secret));
  return r;
}

static int hand_over(int r, struct grant *grant, struct grant *ret_grant) {
  if (r == 0)
    *ret_grant = *grant;
  else
    grant_finish(grant);
  return r;
}

static void name_caller(struct caller *caller, const char *user) {
  (void)snprintf(caller->user, sizeof(caller->user), "%s", user);
  (void)snprintf(caller->name, sizeof(caller->name), "%s", user);
}

int authority_login(struct authority *authority, const char *user, const char *password, const char *from,
                    struct grant *ret_grant, struct error **err) {
  struct grant grant = {0};
  struct store_user known = {0};
  int r = authority_check_password(authority, user, password, from, &known, err);
  if (r < 0)
    return r;
  name_caller(&grant.caller, user);
  (void)role_parse(known.role, &grant.caller.role); /* it was looked at */
  r = begin_login(authority, &known, &grant, err);
  store_user_finish(&known);
  if (r == 0)
    r = make_access(authority, &grant, err);
  return hand_over(r, &grant, ret_grant);
}

static int renewed_role(struct authority *authority, const char *name, enum role *ret_role, struct error **err) {
  struct store_user user = {0};
  int r = store_user_get(authority->store, name, &user, err);
  if (r == 0 && role_parse(user.role, ret_role) < 0)
    r = error_set(err, EACCES, "the user %s has no role", name);
  store_user_finish(&user);
  return r == -ENOENT ? error_set(err, EACCES, "there is no user %s any more", name) : r;
}

static int log_in_again(const struct error *why, struct error **err) {
  return error_set(err, EACCES, "%s: log in again with `trammel login`", error_message(why));
}

int authority_renew(struct authority *authority, const char *refresh, struct grant *ret_grant, struct error **err) {
  char id[SECRET_ID_BYTES], hash[SECRET_HASH_MAX], secret[SECRET_TEXT_MAX], next[SECRET_HASH_MAX];
  struct grant grant = {0};
  _cleanup_free_ char *user = NULL;
  _cleanup_error_ struct error *why = NULL;
  int64_t expires_ns = 0;
  int r = split_refresh(refresh, id, hash, err);
  if (r == 0)
    r = make_secret(secret, next, err);
  if (r < 0)
    return r;
  r = store_login_renew(authority->store, id, hash, next, authority->now_s() * NS_PER_SECOND, &user, &expires_ns, &why);
  if (r == -ENOENT || r == -EKEYEXPIRED || r == -EKEYREVOKED)
    return log_in_again(why, err);
  if (r < 0)
    return error_set(err, -r, "%s", error_message(why));
  name_caller(&grant.caller, user);
  grant.refresh_end_s = expires_ns / NS_PER_SECOND;
  r = renewed_role(authority, user, &grant.caller.role, err);
  if (r == 0)
    r = join_refresh(id, secret, &grant, err);
  if (r == 0)
    r = make_access(authority, &grant, err);
  explicit_bzero(secret, sizeof(secret));
  return hand_over(r, &grant, ret_grant);
}

int authority_logout(struct authority *authority, const char *refresh, struct error **err) {
  char id[SECRET_ID_BYTES], hash[SECRET_HASH_MAX];
  int r = split_refresh(refresh, id, hash, err);
  if (r == 0)
    r = store_login_end(authority->store, id, hash, err);
  return r == -ENOENT ? error_set(err, EACCES, "the login is not known, or has ended already") : r;
}
