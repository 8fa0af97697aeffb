/* The ports that a workload serves, and the connections to them. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_SERVER_H
#define TRAMMEL_HOST_LAB_WORKLOAD_SERVER_H

#include <event2/event.h>

#include "host/lab/workload/endpoint.h"
#include "host/lab/workload/service.h"

#define SERVER_LISTENERS_MAX 64
#define SERVER_CONNECTIONS_MAX 4096

struct server;

/* `base` and `service` are borrowed. */
int server_create(struct event_base *base, struct service *service, struct server **ret_server);
void server_destroy(struct server *server);

/* Listens for `protocol` (CALL_HTTP1, which serves h2c too, CALL_TCP, CALL_UDP). 0 or -errno with a reason that names
 * the address. */
int server_listen(struct server *server, enum call_protocol protocol, const struct endpoint *endpoint,
                  struct error **err);

/* Closes all listeners and connections. */
void server_close(struct server *server);

#endif
