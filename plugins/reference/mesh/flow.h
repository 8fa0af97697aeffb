/* The datagrams of one client at one listener: what UDP has in place of a connection. A flow is part of a connection
 * object, and ends with it. */
#ifndef TRAMMEL_REFERENCE_MESH_FLOW_H
#define TRAMMEL_REFERENCE_MESH_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct connection;
struct flow_table;
struct listener;
struct mesh;

struct flow {
  LIST_ENTRY(flow) same_bucket;
  TAILQ_ENTRY(flow) older;
  struct flow_table *table;
  struct connection *connection;
  const struct listener *listener; /* where its datagrams come in, and answers go out */
  struct sockaddr_in client;
  int64_t used_s;
};

/* The flows of one workload's proxies. */
struct flow_table *flow_table_create(struct mesh *mesh);
void flow_table_destroy(struct flow_table *table); /* empty */

/* The client's flow at that listener, which is used now; NULL. */
struct flow *flow_find(struct flow_table *table, const struct listener *listener, const struct sockaddr_in *client);

/* Makes room for one more, where the one that was silent longest has to go. False when there is none to be had. */
bool flow_make_room(struct flow_table *table);

/* Begins a flow in a connection object, which flow_end is called from when it ends. */
void flow_begin(struct flow_table *table, struct flow *flow, struct connection *connection,
                const struct listener *listener, const struct sockaddr_in *client);
void flow_end(struct flow *flow);

/* Sends an answer to the client, or loses it. The flow is used now. */
void flow_answer(struct flow *flow, const char *data, size_t length);

#endif
