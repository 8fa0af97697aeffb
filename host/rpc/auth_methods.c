/* trammel.v1.AuthService. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/rpc/access.h"
#include "host/store/accounts.h"
#include "sdk/base/clock.h"
#include "trammel/v1/host.pb-c.h"

static char *borrowed(const char *text) {
  return (char *)(uintptr_t)text;
}

/* Of errors of the authority: who is not let in is not known. */
static int auth_status(int r, const struct error *err, char **ret_text) {
  return r == -EACCES ? status_with(STATUS_UNAUTHENTICATED, ret_text, error_message(err)) : status_of(r, err, ret_text);
}

/* "nobody" for what is no role: it is refused where roles are given. */
static enum role role_of(const char *name) {
  enum role role = ROLE_NONE;
  (void)role_parse(name, &role);
  return role;
}

static void wipe(char *text) {
  explicit_bzero(text, strlen(text));
}

/* ---- logins */

static void fill_grant(Trammel__V1__Grant *message, const struct grant *grant) {
  trammel__v1__grant__init(message);
  message->user = borrowed(grant->caller.user);
  message->role = borrowed(role_name(grant->caller.role));
  message->access_token = grant->access;
  message->access_end_unix_ms = grant->access_end_s * 1000;
  message->refresh_token = grant->refresh;
  message->refresh_end_unix_ms = grant->refresh_end_s * 1000;
}

/* The answers to Login and Renew are of one form. */
static int send_grant(struct rpc_call *call, struct grant *grant, char **ret_text) {
  Trammel__V1__Grant message;
  Trammel__V1__LoginResponse answer = TRAMMEL__V1__LOGIN_RESPONSE__INIT;
  fill_grant(&message, grant);
  answer.grant = &message;
  int status = message_send_last(call, &answer.base, ret_text);
  grant_finish(grant);
  return status;
}

/* Of an address without its port: who guesses has many of these. */
static void host_of(const struct attended *attended, char ret_host[SESSION_PEER_MAX]) {
  const char *peer = attended->session->peer;
  const char *colon = attended->session->local ? NULL : strrchr(peer, ':');
  (void)snprintf(ret_host, SESSION_PEER_MAX, "%.*s", (int)(colon ? (size_t)(colon - peer) : strlen(peer)), peer);
}

int serve_login(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct grant grant = {0};
  char host[SESSION_PEER_MAX];
  int status = message_receive_one(call, &trammel__v1__login_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__LoginRequest *request = (const Trammel__V1__LoginRequest *)asked;
  call_about(call, "user", request->user);
  host_of(call_attended(call), host);
  int r = authority_login(service->authority, request->user, request->password, host, &grant, &err);
  wipe(request->password);
  return r < 0 ? auth_status(r, err, ret_text) : send_grant(call, &grant, ret_text);
}

int serve_renew(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct grant grant = {0};
  int status = message_receive_one(call, &trammel__v1__renew_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = authority_renew(service->authority, ((const Trammel__V1__RenewRequest *)asked)->refresh_token, &grant, &err);
  if (r == 0)
    call_about(call, "user", grant.caller.user);
  return r < 0 ? auth_status(r, err, ret_text) : send_grant(call, &grant, ret_text);
}

int serve_logout(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__LogoutResponse answer = TRAMMEL__V1__LOGOUT_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__logout_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = authority_logout(service->authority, ((const Trammel__V1__LogoutRequest *)asked)->refresh_token, &err);
  return r < 0 ? auth_status(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}

int serve_who_am_i(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  const struct caller *caller = &call_attended(call)->caller;
  Trammel__V1__WhoAmIResponse answer = TRAMMEL__V1__WHO_AM_IRESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__who_am_irequest__descriptor, &asked, ret_text);
  (void)service;
  if (status != STATUS_OK)
    return status;
  answer.name = borrowed(caller->name);
  answer.user = borrowed(caller->user);
  answer.role = borrowed(role_name(caller->role));
  return message_send_last(call, &answer.base, ret_text);
}

/* ---- users */

int serve_add_user(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__AddUserResponse answer = TRAMMEL__V1__ADD_USER_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__add_user_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__AddUserRequest *request = (const Trammel__V1__AddUserRequest *)asked;
  call_about(call, "user", request->name);
  int r = authority_user_add(service->authority, request->name, role_of(request->role), request->password, &err);
  wipe(request->password);
  return r < 0 ? status_of(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}

static int send_users(struct rpc_call *call, const struct store_user *users, size_t count, char **ret_text) {
  Trammel__V1__ListUsersResponse answer = TRAMMEL__V1__LIST_USERS_RESPONSE__INIT;
  _cleanup_free_ Trammel__V1__User *messages = calloc(count + 1, sizeof(*messages));
  _cleanup_free_ Trammel__V1__User **pointers = calloc(count + 1, sizeof(*pointers));
  if (!messages || !pointers)
    return status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < count; i++) {
    trammel__v1__user__init(&messages[i]);
    messages[i].name = users[i].name;
    messages[i].role = users[i].role;
    messages[i].created_unix_ms = users[i].created_ns / NS_PER_MS;
    pointers[i] = &messages[i];
  }
  answer.n_users = count;
  answer.users = pointers;
  return message_send_last(call, &answer.base, ret_text);
}

int serve_list_users(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct store_user *users = NULL;
  size_t count = 0;
  int status = message_receive_one(call, &trammel__v1__list_users_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = store_user_list(authority_store(service->authority), &users, &count, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_users(call, users, count, ret_text);
  store_users_free(users, count);
  return status;
}

int serve_set_role(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__SetRoleResponse answer = TRAMMEL__V1__SET_ROLE_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__set_role_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__SetRoleRequest *request = (const Trammel__V1__SetRoleRequest *)asked;
  call_about(call, "user", request->name);
  if (role_of(request->role) == ROLE_NONE)
    return status_with(STATUS_INVALID_ARGUMENT, ret_text, "a role is viewer, operator or admin");
  int r = store_user_change(authority_store(service->authority), request->name, request->role, NULL, &err);
  return r < 0 ? status_of(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}

int serve_remove_user(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__RemoveUserResponse answer = TRAMMEL__V1__REMOVE_USER_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__remove_user_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const char *name = ((const Trammel__V1__RemoveUserRequest *)asked)->name;
  call_about(call, "user", name);
  int r = store_user_remove(authority_store(service->authority), name, &err);
  return r < 0 ? status_of(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}

/* One's own with the old one, so that who finds a terminal open cannot lock its user out. */
static int set_password(struct service *service, const struct attended *attended,
                        const Trammel__V1__SetPasswordRequest *request, struct error **err) {
  const struct caller *caller = &attended->caller;
  const char *name = *request->name ? request->name : caller->user;
  char host[SESSION_PEER_MAX];
  if (*name == '\0')
    return error_set(err, EINVAL, "whose password? %s is no user", caller->name);
  if (strcmp(name, caller->user) != 0)
    return caller->role == ROLE_ADMIN ? authority_user_set_password(service->authority, name, request->password, err)
                                      : error_set(err, EPERM, "the password of another user is set by an admin");
  host_of(attended, host);
  return authority_user_change_password(service->authority, name, request->old_password, request->password, host, err);
}

int serve_set_password(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__SetPasswordResponse answer = TRAMMEL__V1__SET_PASSWORD_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__set_password_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__SetPasswordRequest *request = (const Trammel__V1__SetPasswordRequest *)asked;
  const struct attended *attended = call_attended(call);
  call_about(call, "user", *request->name ? request->name : attended->caller.user);
  int r = set_password(service, attended, request, &err);
  wipe(request->password);
  wipe(request->old_password);
  return r < 0 ? auth_status(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}

/* ---- tokens for programs */

static void fill_token(Trammel__V1__Token *message, const struct store_token *token) {
  trammel__v1__token__init(message);
  message->id = token->id;
  message->name = token->name;
  message->role = token->role;
  message->user = token->user;
  message->created_unix_ms = token->created_ns / NS_PER_MS;
  message->end_unix_ms = token->expires_ns / NS_PER_MS;
}

int serve_create_token(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct store_token token = {0};
  Trammel__V1__Token message;
  Trammel__V1__CreateTokenResponse answer = TRAMMEL__V1__CREATE_TOKEN_RESPONSE__INIT;
  char *text = NULL;
  int status = message_receive_one(call, &trammel__v1__create_token_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__CreateTokenRequest *request = (const Trammel__V1__CreateTokenRequest *)asked;
  const struct caller *caller = &call_attended(call)->caller;
  call_about(call, "token", request->name);
  int r = authority_token_create(service->authority, caller, request->name, role_of(request->role),
                                 request->life_seconds, &text, &token, &err);
  if (r < 0)
    return status_of(r, err, ret_text);
  fill_token(&message, &token);
  answer.token = &message;
  answer.text = text;
  status = message_send_last(call, &answer.base, ret_text);
  store_token_finish(&token);
  wipe(text);
  free(text);
  return status;
}

static bool may_see(const struct caller *caller, const struct store_token *token) {
  return caller->role == ROLE_ADMIN || (*caller->user && strcmp(caller->user, token->user) == 0);
}

static int send_tokens(struct rpc_call *call, const struct store_token *tokens, size_t count, char **ret_text) {
  Trammel__V1__ListTokensResponse answer = TRAMMEL__V1__LIST_TOKENS_RESPONSE__INIT;
  _cleanup_free_ Trammel__V1__Token *messages = calloc(count + 1, sizeof(*messages));
  _cleanup_free_ Trammel__V1__Token **pointers = calloc(count + 1, sizeof(*pointers));
  const struct caller *caller = &call_attended(call)->caller;
  if (!messages || !pointers)
    return status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < count; i++)
    if (may_see(caller, &tokens[i])) {
      fill_token(&messages[i], &tokens[i]);
      pointers[answer.n_tokens++] = &messages[i];
    }
  answer.tokens = pointers;
  return message_send_last(call, &answer.base, ret_text);
}

int serve_list_tokens(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct store_token *tokens = NULL;
  size_t count = 0;
  int status = message_receive_one(call, &trammel__v1__list_tokens_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = store_token_list(authority_store(service->authority), &tokens, &count, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_tokens(call, tokens, count, ret_text);
  store_tokens_free(tokens, count);
  return status;
}

/* Tokens of others are as if they were not there. */
static int revoke_one(struct store *store, const struct caller *caller, const char *id, struct error **err) {
  struct store_token *tokens = NULL;
  size_t count = 0, at = 0;
  int r = store_token_list(store, &tokens, &count, err);
  while (r == 0 && at < count && (strcmp(tokens[at].id, id) != 0 || !may_see(caller, &tokens[at])))
    at++;
  if (r == 0)
    r = at < count ? store_token_remove(store, id, err)
                   : error_set(err, ENOENT, "there is no token %.64s: `trammel token list` shows their ids", id);
  store_tokens_free(tokens, count);
  return r;
}

int serve_revoke_token(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  const Trammel__V1__RevokeTokenResponse answer = TRAMMEL__V1__REVOKE_TOKEN_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__revoke_token_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const char *id = ((const Trammel__V1__RevokeTokenRequest *)asked)->id;
  call_about(call, "token", id);
  int r = revoke_one(authority_store(service->authority), &call_attended(call)->caller, id, &err);
  return r < 0 ? status_of(r, err, ret_text) : message_send_last(call, &answer.base, ret_text);
}
