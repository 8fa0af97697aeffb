#include "host/rpc/access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/auth/audit.h"

static int refuse_nobody(char **ret_text) {
  return status_with(
      STATUS_UNAUTHENTICATED, ret_text,
      "who calls is not known: `trammel login` says who you are, or send \"authorization: Bearer TOKEN\"");
}

static int refuse_caller(const struct caller *caller, enum role needed, char **ret_text) {
  if (asprintf(ret_text, "%s has the role %s, and this needs the role %s: an admin gives roles", caller->name,
               role_name(caller->role), role_name(needed)) < 0)
    *ret_text = NULL;
  return STATUS_PERMISSION_DENIED;
}

/* By the token when there is one, also over the unix socket; else by what the kernel says of the other side. */
static int identify(const struct session *session, const struct rpc_call *call, struct caller *caller,
                    char **ret_text) {
  _cleanup_free_ char *authorization = NULL;
  _cleanup_error_ struct error *err = NULL;
  int r = rpc_call_header(call, "authorization", &authorization);
  if (r == 0 && session->local) {
    (void)snprintf(caller->name, sizeof(caller->name), "%s", session->peer);
    caller->role = ROLE_ADMIN;
    return STATUS_OK;
  }
  if (r == 0)
    return STATUS_OK;
  if (r < 0)
    return r == -ENOMEM ? status_of(r, NULL, ret_text)
                        : status_with(STATUS_UNAUTHENTICATED, ret_text, "the call has to have one authorization");
  r = authority_identify(session->service->authority, authorization, caller, &err);
  explicit_bzero(authorization, strlen(authorization));
  if (r == -EACCES)
    return status_with(STATUS_UNAUTHENTICATED, ret_text, error_message(err));
  return r < 0 ? status_with(STATUS_UNAVAILABLE, ret_text, error_message(err)) : STATUS_OK;
}

int access_check(const struct session *session, const struct rpc_call *call, const struct method *method,
                 struct caller *ret_caller, char **ret_text) {
  enum role needed = method ? method->role : ROLE_VIEWER;
  *ret_caller = (struct caller){0};
  if (needed == ROLE_NONE)
    return STATUS_OK;
  int status = identify(session, call, ret_caller, ret_text);
  if (status != STATUS_OK || ret_caller->role >= needed)
    return status;
  return *ret_caller->name ? refuse_caller(ret_caller, needed, ret_text) : refuse_nobody(ret_text);
}

/* ---- what is written down */

static bool matters(const char *name, const struct method *method, int status) {
  static const char *const reads[] = {"WhoAmI", "ListUsers", "ListTokens"};
  static const char service[] = "/trammel.v1.AuthService/";
  if (status == STATUS_UNAUTHENTICATED || status == STATUS_PERMISSION_DENIED)
    return true;
  if (!method || strncmp(name, service, strlen(service)) != 0)
    return method && method->role >= ROLE_OPERATOR;
  for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++)
    if (strcmp(name + strlen(service), reads[i]) == 0)
      return false;
  return true;
}

void access_note(const struct attended *attended, const char *name, const struct method *method, int status) {
  struct service *service = attended->session->service;
  _cleanup_error_ struct error *err = NULL;
  const struct audit_entry entry = {.who = attended->caller.name,
                                    .from = attended->session->peer,
                                    .what = name,
                                    .about = attended->about,
                                    .status = status};
  if (matters(name, method, status) && audit_write(service->audit, &entry, &err) < 0 && service->log)
    service->log(error_message(err));
}

const struct attended *call_attended(const struct rpc_call *call) {
  return rpc_call_context(call);
}

void call_about(const struct rpc_call *call, const char *what, const char *name) {
  struct attended *attended = (struct attended *)(uintptr_t)rpc_call_context(call);
  (void)snprintf(attended->about, sizeof(attended->about), "%s %.100s", what, name);
}
