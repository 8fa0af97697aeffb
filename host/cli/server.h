/* The central host as its clients see it (docs/trammeld.md). */
#ifndef TRAMMEL_HOST_CLI_SERVER_H
#define TRAMMEL_HOST_CLI_SERVER_H

#include <argp.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/v1/host.pb-c.h"

/* --server ADDRESS, and what TLS is done with: a child argp; its input is a struct server_options. NULL: not given. */
struct server_options {
  const char *address;
  const char *ca, *certificate, *key; /* paths; certificate and key go together */
};
extern const struct argp server_options_argp;

struct server;

/* Connects to "unix:PATH", or to "HOST:PORT" over TLS; NULL: $TRAMMEL_SERVER, else the socket that trammeld has by
 * default. Files of TLS are the options', else those that are kept with the login. Calls say who they are of:
 * $TRAMMEL_TOKEN, else the login that is kept for the host, which is renewed when need be; over a socket nobody needs
 * one. -EHOSTUNREACH with what to do, -EINVAL for what is no address, -EACCES when the login is over. */
int server_connect(const struct server_options *options, struct server **ret_server, struct error **err);
void server_close(struct server *server);

/* A call of trammel.v1.RunService, or of the service that `method` names ("AuthService/Login"), with one answer, which
 * is freed with protobuf_c_message_free_unpacked(). -ENOENT, -EEXIST or -EINVAL for what the host says is the caller's
 * doing, -EACCES for who is not known, -EPERM for who may not, -EAGAIN for what has to wait, -EHOSTUNREACH for all
 * else.
 */
int server_ask(struct server *server, const char *method, const ProtobufCMessage *request,
               const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_answer, struct error **err);

/* Follows a run from the event after `after` to its end: 0, -ECANCELED once `cancel` is true, or as server_ask(). */
int server_watch(struct server *server, const char *id, uint64_t after, const atomic_bool *cancel,
                 int (*each)(void *ctx, const Trammel__V1__RunEvent *event), void *ctx, struct error **err);

/* Exit code for an error of these. */
int server_exit_code(int r);

#endif
