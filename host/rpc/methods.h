/* Every method of the host: what serves it, and who may call it. */
#ifndef TRAMMEL_HOST_RPC_METHODS_H
#define TRAMMEL_HOST_RPC_METHODS_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "host/auth/role.h"
#include "host/rpc/service.h"

enum status {
  STATUS_OK = 0,
  STATUS_CANCELLED = 1,
  STATUS_INVALID_ARGUMENT = 3,
  STATUS_NOT_FOUND = 5,
  STATUS_ALREADY_EXISTS = 6,
  STATUS_PERMISSION_DENIED = 7,
  STATUS_RESOURCE_EXHAUSTED = 8,
  STATUS_FAILED_PRECONDITION = 9,
  STATUS_UNIMPLEMENTED = 12,
  STATUS_INTERNAL = 13,
  STATUS_UNAVAILABLE = 14,
  STATUS_UNAUTHENTICATED = 16,
};

/* The status (of gRPC), with a text (heap) where it is not OK. */
typedef int method_serve(struct service *service, struct rpc_call *call, char **ret_text);

method_serve serve_list_adapters;
method_serve serve_start_run, serve_get_run, serve_list_runs, serve_cancel_run, serve_watch_run, serve_get_report;
method_serve serve_health_check, serve_health_watch;
method_serve serve_reflection;
method_serve serve_login, serve_renew, serve_logout, serve_who_am_i;
method_serve serve_add_user, serve_list_users, serve_set_role, serve_remove_user, serve_set_password;
method_serve serve_create_token, serve_list_tokens, serve_revoke_token;

struct method {
  const char *name; /* "/trammel.v1.RunService/GetRun" */
  enum role role;   /* the least that its caller has to have */
  method_serve *serve;
};

/* The one with that name; NULL when there is none. */
const struct method *method_find(const char *name);

/* The adapters that there are, an array as `trammel adapter list` writes it, a new reference: the command's own list,
 * so that both are the same, and no adapter's code is ever in this process. Takes as long as starting a program. */
int adapters_list(const struct service *service, json_t **ret_list, struct error **err);

/* ---- what they share: call_message.c */

/* Waits for the next message of a call and decodes it. STATUS_OK with it, or what is wrong; with none, `*ret_message`
 * is NULL. Freed with protobuf_c_message_free_unpacked(). */
int message_receive(struct rpc_call *call, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                    char **ret_text);
/* The same for a call of one request: having none is wrong. */
int message_receive_one(struct rpc_call *call, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                        char **ret_text);
/* 0, or what ends the call. */
int message_send(struct rpc_call *call, const ProtobufCMessage *message, char **ret_text);
/* Goes with the status of the call. */
int message_send_last(struct rpc_call *call, const ProtobufCMessage *message, char **ret_text);

/* The name of a field whose text is not UTF-8, which protobuf-c lets pass; NULL when there is none. */
const char *message_invalid_text(const ProtobufCMessage *message);

/* The status for an error of the host, with its message as text. */
int status_of(int r, const struct error *err, char **ret_text);

/* A status with a text. */
int status_with(int status, char **ret_text, const char *text);

static inline void message_free_p(ProtobufCMessage **message) {
  if (*message)
    protobuf_c_message_free_unpacked(*message, NULL);
}
#define _cleanup_message_ _cleanup_(message_free_p)

#endif
