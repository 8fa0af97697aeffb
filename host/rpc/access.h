/* Who calls, and whether they may: asked once for each call, before anything else is done for it. */
#ifndef TRAMMEL_HOST_RPC_ACCESS_H
#define TRAMMEL_HOST_RPC_ACCESS_H

#include "host/auth/authority.h"
#include "host/rpc/methods.h"

#define ACCESS_ABOUT_MAX 160

/* A call while it is served: what rpc_call_context() of it is. */
struct attended {
  const struct session *session;
  struct caller caller;
  char about[ACCESS_ABOUT_MAX]; /* what it does something to, for the audit log */
};

/* STATUS_OK with the caller; STATUS_UNAUTHENTICATED or STATUS_PERMISSION_DENIED with what to do. `method` NULL: one
 * that there is none of, which is told to nobody who may see nothing. */
int access_check(const struct session *session, const struct rpc_call *call, const struct method *method,
                 struct caller *ret_caller, char **ret_text);

/* Writes down what matters of a call: what changes something, and what was refused. */
void access_note(const struct attended *attended, const char *name, const struct method *method, int status);

const struct attended *call_attended(const struct rpc_call *call);
/* What the call does something to, "user bob". */
void call_about(const struct rpc_call *call, const char *what, const char *name);

#endif
