#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/auth/authority_internal.h"
#include "host/auth/secret.h"
#include "host/store/accounts.h"
#include "sdk/base/clock.h"

static int64_t clock_s(void) {
  return clock_realtime_s();
}

int authority_open(struct store *store, int64_t (*now_s)(void), struct authority **ret_authority, struct error **err) {
  struct authority *authority = calloc(1, sizeof(*authority));
  if (!authority)
    return error_set(err, ENOMEM, "no memory");
  authority->store = store;
  authority->now_s = now_s ? now_s : clock_s;
  attempts_init(&authority->attempts);
  int r = keyring_open(store, now_s, &authority->keyring, err);
  if (r < 0)
    authority_close(authority);
  else
    *ret_authority = authority;
  return r;
}

void authority_close(struct authority *authority) {
  if (!authority)
    return;
  keyring_close(authority->keyring);
  attempts_finish(&authority->attempts);
  free(authority);
}

struct store *authority_store(const struct authority *authority) {
  return authority->store;
}

/* ---- who calls */

static int refuse(struct error **err, const char *why) {
  return error_set(err, EACCES, "%s; `trammel login` gets a new one", why);
}

/* What the store has of a role it was given by us; else nobody may do anything. */
static enum role role_of(const char *name) {
  enum role role = ROLE_NONE;
  (void)role_parse(name, &role);
  return role;
}

static int take_user(struct authority *authority, const char *name, struct caller *caller, struct error **err) {
  struct store_user user = {0};
  int r = store_user_get(authority->store, name, &user, err);
  if (r == -ENOENT)
    return refuse(err, "the token's user is no user any more");
  if (r < 0)
    return r;
  (void)snprintf(caller->name, sizeof(caller->name), "%s", user.name);
  (void)snprintf(caller->user, sizeof(caller->user), "%s", user.name);
  caller->role = role_of(user.role);
  store_user_finish(&user);
  return 0;
}

/* A token can do no more than who made it can now. */
static int bound_by_maker(struct authority *authority, const char *maker, struct caller *caller, struct error **err) {
  struct caller user = {0};
  int r = *maker ? take_user(authority, maker, &user, err) : 0;
  if (r == 0 && *maker && user.role < caller->role)
    caller->role = user.role;
  return r;
}

static int identify_program(struct authority *authority, const char *text, struct caller *caller, struct error **err) {
  char hash[SECRET_HASH_MAX];
  struct store_token token = {0};
  if (secret_hash(SECRET_API, text, hash) < 0)
    return error_set(err, EACCES, "this is no token of a program");
  int r = store_token_find(authority->store, hash, &token, err);
  if (r == -ENOENT)
    return error_set(err, EACCES, "the token is not known, or was revoked: `trammel token create` makes another");
  if (r < 0)
    return r;
  (void)snprintf(caller->name, sizeof(caller->name), "token %s", token.name);
  caller->role = role_of(token.role);
  caller->program = true;
  if (token.expires_ns <= authority->now_s() * NS_PER_SECOND)
    r = error_set(err, EACCES, "the token %s has expired: `trammel token create` makes another", token.name);
  else
    r = bound_by_maker(authority, token.user, caller, err);
  store_token_finish(&token);
  return r;
}

static int identify_user(struct authority *authority, const char *token, struct caller *caller, struct error **err) {
  json_t *claims = NULL;
  _cleanup_error_ struct error *reason = NULL;
  int r = keyring_verify(authority->keyring, token, &claims, &reason);
  if (r == 0)
    r = take_user(authority, json_string_value(json_object_get(claims, "sub")), caller, err);
  else if (r == -EINVAL || r == -ENOKEY || r == -EBADMSG || r == -EACCES || r == -EAGAIN || r == -EKEYEXPIRED)
    r = refuse(err, error_message(reason));
  else
    r = error_set(err, -r, "%s", error_message(reason));
  json_decref(claims);
  return r;
}

int authority_identify(struct authority *authority, const char *authorization, struct caller *ret_caller,
                       struct error **err) {
  static const char scheme[] = "Bearer ";
  struct caller caller = {0};
  if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
    return error_set(err, EACCES, "the authorization is not \"Bearer TOKEN\"");
  const char *token = authorization + strlen(scheme);
  int r = strncmp(token, SECRET_API, strlen(SECRET_API)) == 0 ? identify_program(authority, token, &caller, err)
                                                              : identify_user(authority, token, &caller, err);
  if (r == 0)
    *ret_caller = caller;
  return r;
}
