/* A mesh's API that keeps what it is sent, by path, on a loopback address: GET, PUT, PATCH and DELETE of a path, and
 * POST, which makes something new below it each time. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_STORE_SERVER_H
#define TRAMMEL_HOST_CERTIFY_STORE_SERVER_H

#include <stddef.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

struct store_server;

int store_server_start(struct store_server **ret_server, struct error **err);
void store_server_stop(struct store_server *server);
DEFINE_CLEANUP(struct store_server *, store_server_stop);

unsigned store_server_port(const struct store_server *server);

/* How many things it keeps, and how many requests have changed or might have changed any. */
size_t store_server_count(struct store_server *server);
unsigned store_server_changes(struct store_server *server);
/* All of it, path by path, to compare. */
void store_server_append(struct store_server *server, struct strbuf *out);
/* The path of the first; "" when there is none. */
void store_server_first(struct store_server *server, struct strbuf *out);

#endif
